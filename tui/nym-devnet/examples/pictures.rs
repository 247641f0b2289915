//! Makes the pictures of the dashboard in `docs/pictures`, from the real program in a real terminal:
//!
//! ```text
//! cargo build --release && cargo run --release -p nym-devnet --example pictures -- target/release/nym-devnet docs/pictures
//! ```
//!
//! Names of pictures after the folder make only those. Each is made as a picture (`.svg`) and as text
//! (`.txt`).

#[path = "../tests/pty/mod.rs"]
mod pty;
#[path = "pictures/scenes.rs"]
mod scenes;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pty::Terminal;
use scenes::{NORMAL, Picture, SCENES, Scene};

/// Pixels of a character cell, in a font whose characters are 0.6 times as wide as high.
const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 16.4;
const FONT_SIZE: f64 = 14.0;

const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#c9d1d9";

/// The sixteen colours of the terminal in the pictures.
const PALETTE: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
    "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
];

/// What the dashboard remembers: that the tour was offered, or the offer would be in every picture.
const REMEMBERED: (&str, &str) = (".dashboard.json", r#"{"version":1,"toured":true}"#);

/// How long a screen has to stay as it is to be a whole one: less than from one to the next, and far more
/// than it takes to write one.
const STILL: Duration = Duration::from_millis(30);

const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(program), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: pictures PROGRAM FOLDER [NAME]...");
        std::process::exit(2);
    };
    let wanted: Vec<String> = arguments.collect();
    let program = std::fs::canonicalize(program).expect("the program");
    std::fs::create_dir_all(&folder).expect("a folder for the pictures");
    for scene in &SCENES {
        let is_wanted =
            |picture: &Picture| wanted.is_empty() || wanted.iter().any(|name| name == picture.name);
        if scene.pictures.iter().any(is_wanted) {
            take(scene, &program, Path::new(&folder), is_wanted);
        }
    }
}

/// Starts the network of a scene, and takes its pictures. All keys are pressed, also those of pictures
/// that are not wanted: one begins where the one before ended.
fn take(scene: &Scene, program: &Path, folder: &Path, is_wanted: impl Fn(&Picture) -> bool) {
    let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("NYM_DEVNET_STATE_DIR", state.path()).stdout(Stdio::null());
        command
    };
    let run = |arguments: &[&str]| {
        assert!(command(arguments).status().expect("it runs").success(), "{arguments:?}");
    };
    let (file, remembered) = REMEMBERED;
    std::fs::write(state.path().join(file), remembered).expect("written");
    let options = format!("up {} --ports auto", scene.options);
    let (cols, rows) = NORMAL;
    let mut terminal = Terminal::start(program, &options, state.path(), rows, cols);
    terminal.wait_text(scene.ready, LIMIT);
    for [from, to, text] in scene.messages {
        run(&["send", from, to, text, "--wait", "-q"]);
    }
    let talk = scene.talk.map(|[from, to, text, count, rate]| {
        let send = ["send", from, to, text, "--count", count, "--rate", rate, "-q"];
        Talk(command(&send).spawn().expect("it runs"))
    });
    rest(&terminal, scene.traffic);
    for picture in scene.pictures {
        for words in picture.commands {
            run(&words.split_whitespace().collect::<Vec<_>>());
        }
        terminal.resize(picture.rows, picture.cols);
        for (keys, text) in picture.keys {
            terminal.press(keys);
            terminal.wait_text(text, LIMIT);
        }
        rest(&terminal, picture.shown);
        if is_wanted(picture) {
            let path = |extension: &str| -> PathBuf {
                folder.join(picture.name).with_extension(extension)
            };
            let (svg, text) = still(&terminal, picture);
            std::fs::write(path("svg"), svg).expect("written");
            std::fs::write(path("txt"), text).expect("written");
            println!("{}", path("svg").display());
        }
    }
    // Or the last of it would be told that its sender has gone.
    drop(talk);
    terminal.press("\u{3}");
    terminal.wait_end(LIMIT);
}

/// Messages that go on being sent, until their scene ends.
struct Talk(Child);

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A screen as picture and as text, and none that is half drawn: it stayed as it was for a moment.
fn still(terminal: &Terminal, picture: &Picture) -> (String, String) {
    let look =
        || terminal.wait("picture", LIMIT, |screen| Some((svg(screen, picture), text(screen))));
    let begin = Instant::now();
    let mut before = look();
    loop {
        std::thread::park_timeout(STILL);
        let now = look();
        if now == before {
            return now;
        }
        assert!(begin.elapsed() < LIMIT, "{} does not stand still", picture.name);
        before = now;
    }
}

/// Lets the network run for a while.
fn rest(terminal: &Terminal, time: Duration) {
    let begin = Instant::now();
    terminal.wait("time", time + LIMIT, |_| (begin.elapsed() >= time).then_some(()));
}

/// The rows of a screen.
fn text(screen: &vt100::Screen) -> String {
    let rows: Vec<String> =
        screen.contents().lines().map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n") + "\n"
}

/// Cells beside each other that look alike.
struct Run {
    front: String,
    attributes: String,
    text: String,
    places: Vec<String>,
    /// Whether it can be continued.
    open: bool,
}

fn svg(screen: &vt100::Screen, picture: &Picture) -> String {
    let (rows, cols) = (picture.rows, picture.cols);
    let (width, height) = (f64::from(cols) * CELL_WIDTH, f64::from(rows) * CELL_HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-10 -10 {:.0} {:.0}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"{FONT_SIZE}\" xml:space=\"preserve\">\n<rect x=\"-10\" y=\"-10\" width=\"100%\" \
         height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n",
        width + 20.0,
        height + 20.0,
    );
    for row in 0..rows {
        let y = f64::from(row) * CELL_HEIGHT;
        let mut runs: Vec<Run> = Vec::new();
        for col in 0..cols {
            let Some(cell) = screen.cell(row, col) else { continue };
            let x = f64::from(col) * CELL_WIDTH;
            let (mut front, mut back) =
                (color(cell.fgcolor(), FOREGROUND), color(cell.bgcolor(), BACKGROUND));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            if back != BACKGROUND {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{back}\"/>",
                    // A little over its neighbours, or seams would be seen between them.
                    CELL_WIDTH + 0.6,
                    CELL_HEIGHT + 0.2,
                );
            }
            let text = cell.contents();
            if text.trim().is_empty() {
                continue;
            }
            let weight = if cell.bold() { " font-weight=\"bold\"" } else { "" };
            let opacity = if cell.dim() { " opacity=\"0.6\"" } else { "" };
            let attributes = format!("{weight}{opacity}");
            // Every character has a place of its own, so that no font can shift the map. What is made
            // of several has to stand alone for that.
            let alone = text.chars().count() > 1;
            let continued = runs.last_mut().filter(|run| {
                run.open && !alone && run.front == front && run.attributes == attributes
            });
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            let place = format!("{x:.1}");
            if let Some(run) = continued {
                run.text.push_str(&text);
                run.places.push(place);
            } else {
                runs.push(Run { front, attributes, text, places: vec![place], open: !alone });
            }
        }
        for Run { front, attributes, text, places, .. } in runs {
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" fill=\"{front}\"{attributes}>{text}</text>",
                places.join(" "),
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
