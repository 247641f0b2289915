//! Makes the picture of the dashboard in the README, from the real program in a real terminal:
//!
//! ```text
//! cargo build --release && cargo run --release -p nym-devnet --example picture -- target/release/nym-devnet docs/dashboard.svg
//! ```

#[path = "../tests/pty/mod.rs"]
mod pty;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pty::Terminal;

const ROWS: u16 = 38;
const COLS: u16 = 120;

/// Pixels of a character cell, in a font whose characters are 0.6 times as wide as high.
const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 16.4;
const FONT_SIZE: f64 = 14.0;

const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#c9d1d9";

/// The sixteen colours of the terminal in the picture.
const PALETTE: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
    "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
];

/// How long traffic flows before the picture, so that rates and sparklines show something.
const TRAFFIC: Duration = Duration::from_secs(15);

const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, picture] = arguments.as_slice() else {
        eprintln!("usage: picture PROGRAM PICTURE.svg");
        std::process::exit(2);
    };
    let program = std::fs::canonicalize(program).expect("the program");
    let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
    let mut terminal =
        Terminal::start(&program, "up --width 2 --layers 3 --ports auto", state.path(), ROWS, COLS);
    terminal.wait_text("11 of 11 ready", LIMIT);
    terminal.press("m");
    terminal.wait_text("alice", LIMIT);
    terminal.press("hello bob\r");
    terminal.wait_text("acknowledged", LIMIT);
    // Alone: in one read with the next key it would be Alt.
    terminal.press("\u{1b}");
    terminal.wait_text("m writes a message", LIMIT);
    terminal.press("1");
    terminal.wait_text("LAYER 1", LIMIT);
    // Alice, then the mixnode beside her.
    terminal.press("ll");
    let begin = Instant::now();
    let svg = terminal.wait("picture", TRAFFIC + LIMIT, |screen| {
        (begin.elapsed() >= TRAFFIC).then(|| svg(screen))
    });
    std::fs::write(Path::new(picture), svg).expect("written");
    terminal.press("qy");
    terminal.wait_end(LIMIT);
}

fn svg(screen: &vt100::Screen) -> String {
    let (width, height) = (f64::from(COLS) * CELL_WIDTH, f64::from(ROWS) * CELL_HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 -10 {} {}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"{FONT_SIZE}\">\n<rect x=\"-10\" y=\"-10\" width=\"100%\" height=\"100%\" \
         rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        width + 20.0,
        height + 20.0,
    );
    for row in 0..ROWS {
        for col in 0..COLS {
            let Some(cell) = screen.cell(row, col) else { continue };
            let (x, y) = (f64::from(col) * CELL_WIDTH, f64::from(row) * CELL_HEIGHT);
            let (mut front, mut back) =
                (color(cell.fgcolor(), FOREGROUND), color(cell.bgcolor(), BACKGROUND));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            if back != BACKGROUND {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{CELL_WIDTH}\" \
                     height=\"{CELL_HEIGHT}\" fill=\"{back}\"/>"
                );
            }
            let text = cell.contents();
            if text.trim().is_empty() {
                continue;
            }
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            let weight = if cell.bold() { " font-weight=\"bold\"" } else { "" };
            let opacity = if cell.dim() { " opacity=\"0.6\"" } else { "" };
            // Every character is placed by itself, so that no font can shift the map.
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{front}\"{weight}{opacity}>{text}</text>",
                y + CELL_HEIGHT * 0.78
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn color(color: vt100::Color, default: &str) -> String {
    match color {
        vt100::Color::Default => default.into(),
        vt100::Color::Idx(index) => match PALETTE.get(usize::from(index)) {
            Some(color) => (*color).into(),
            None => cube(index),
        },
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

/// Colours 16 to 255 of a terminal: a cube of 6 × 6 × 6, then greys.
fn cube(index: u8) -> String {
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return format!("#{grey:02x}{grey:02x}{grey:02x}");
    }
    let level = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
    let index = index - 16;
    let [r, g, b] = [index / 36, index / 6 % 6, index % 6].map(level);
    format!("#{r:02x}{g:02x}{b:02x}")
}
