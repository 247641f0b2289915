//! What the dashboard costs: a frame of each screen and of what lies over them, and taking in what a devnet says.
//!
//! ```text
//! cargo bench -p dashboard --features measure --bench frames
//! ```

#![expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use control::Envelope;
use dashboard::measure::Measured;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use ratatui::{Terminal, TerminalOptions, Viewport};

/// 99 mixnodes, and five processes more.
const NETWORK: (u16, usize) = (33, 3);

/// As many as anybody makes the terminal that is talked about.
const SIZE: (u16, u16) = (120, 40);

/// Enough for a median that one interruption does not move.
const FRAMES: usize = 301;

/// Packets of each process a second: with 103 of them that send, 12 000 on all links, which is 3000
/// that enter a network of three layers.
const PACKETS: u64 = 117;

/// Seconds of traffic that are taken in.
const SECONDS: usize = 20;

fn main() -> io::Result<()> {
    println!("{}x{} mixnodes, {}x{} cells", NETWORK.0, NETWORK.1, SIZE.0, SIZE.1);
    println!("floor: a screen full of text that changes: {}", microseconds(&mut text_frames()?));
    for (number, name) in Measured::views().enumerate() {
        println!("{name}: {}", microseconds(&mut frames(number)?));
    }
    take_in()
}

/// Times of frames of a view, each after a tenth of a second of traffic.
fn frames(view: usize) -> io::Result<Vec<Duration>> {
    let mut measured = Measured::new(SIZE, NETWORK.0, NETWORK.1)?;
    measured.show(view);
    let mut times = Vec::with_capacity(FRAMES);
    let mut events = Vec::new().into_iter();
    while times.len() < FRAMES {
        if events.len() == 0 {
            events = measured.second(PACKETS).into_iter();
        }
        let tenth = events.len().div_ceil(10);
        events.by_ref().take(tenth).for_each(|event| measured.hear(event));
        let begin = Instant::now();
        measured.frame()?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

/// The same of nothing but text: what ratatui and the terminal's escape codes cost.
fn text_frames() -> io::Result<Vec<Duration>> {
    let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1)) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(io::sink()), options)?;
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES {
        let letter = ["a", "b"][frame % 2];
        let begin = Instant::now();
        let lines = vec![Line::from(letter.repeat(SIZE.0.into())); SIZE.1.into()];
        terminal.draw(|frame| frame.render_widget(Paragraph::new(lines), frame.area()))?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

fn microseconds(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    format!("{:.0} µs at the median, {:.0} µs at the 99th percentile", at(50), at(99))
}

/// Messages a second, beside what it takes to read them from the supervisor's lines.
fn take_in() -> io::Result<()> {
    let mut measured = Measured::new(SIZE, NETWORK.0, NETWORK.1)?;
    let events: Vec<Envelope> = (0..SECONDS).flat_map(|_| measured.second(PACKETS)).collect();
    let lines: Vec<String> = events
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(io::Error::other)?;
    let begin = Instant::now();
    for line in &lines {
        let event: Envelope = serde_json::from_str(line).map_err(io::Error::other)?;
        black_box(event);
    }
    let reading = begin.elapsed();
    let count = events.len();
    let begin = Instant::now();
    for event in events {
        measured.hear(event);
    }
    let taking = begin.elapsed();
    let rate = |over: Duration| count as f64 / over.as_secs_f64();
    println!("{count} messages of {SECONDS} s, {PACKETS} packets a second of each process");
    println!("taken in: {:.0} a second; read from their lines: {:.0}", rate(taking), rate(reading));
    println!("a second of this network takes {:.1} ms of both", {
        (taking + reading).as_secs_f64() * 1e3 / SECONDS as f64
    });
    Ok(())
}
