//! A text that is drawn over itself on a terminal, and follows itself anywhere else.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::tcgetwinsize;

use crate::output::Output;
use crate::stop::Outcome;

/// The alternate screen, so that what was there before comes back; without a cursor that jumps.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// Tells a terminal that knows it to show all that follows at once, and the others nothing.
const BEGIN: &str = "\u{1b}[?2026h\u{1b}[H";
const END: &str = "\u{1b}[J\u{1b}[?2026l";

/// What ends each line: the rest of what stood there before is wiped.
const LINE_END: &str = "\u{1b}[K\r\n";

/// Where it goes.
pub(super) struct Screen {
    output: Output,
    is_drawn: bool,
    shown: usize,
}

impl Screen {
    /// Takes the terminal, if there is one that draws.
    pub(super) fn open(output: Output) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let is_drawn = !output.is_json() && io::stdout().is_terminal() && !dumb;
        if is_drawn {
            write(ENTER);
        }
        Self { output, is_drawn, shown: 0 }
    }

    /// Shows this in place of what was shown before, or after it.
    pub(super) fn show(&mut self, text: &str) -> Outcome {
        if self.is_drawn {
            let size = tcgetwinsize(io::stdout()).map(|size| (size.ws_col, size.ws_row));
            let (columns, rows) = size.ok().filter(|size| *size != (0, 0)).unwrap_or((80, 24));
            let mut stdout = io::stdout().lock();
            stdout.write_all(frame(text, columns.into(), rows.into()).as_bytes())?;
            return Ok(stdout.flush()?);
        }
        // Blocks with an empty line between them.
        let gap = if self.shown == 0 { "" } else { "\n" };
        self.shown += 1;
        Output::text_line(&format!("{gap}{text}"))
    }

    /// Gives the terminal back, and leaves there what was shown last.
    pub(super) fn close(mut self, last: &str) -> Outcome {
        if self.release() {
            return Output::text_line(last);
        }
        Ok(())
    }

    fn release(&mut self) -> bool {
        let was_drawn = std::mem::take(&mut self.is_drawn);
        if was_drawn {
            write(LEAVE);
        }
        was_drawn && !self.output.is_json()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.release();
    }
}

/// There is nobody to tell that the terminal is gone.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

/// The text as far as it fits, in one piece that leaves nothing of the frame before.
fn frame(text: &str, columns: usize, rows: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let all = lines.len() <= rows;
    let room = if all { lines.len() } else { rows.saturating_sub(1) };
    let mut shown: Vec<String> = lines[..room].iter().map(|line| cut(line, columns)).collect();
    if !all {
        let more = format!("… {} lines more: make the terminal higher", lines.len() - room);
        shown.push(cut(&more, columns));
    }
    format!("{BEGIN}{}{END}", shown.join(LINE_END))
}

/// The first so many characters of a line; sequences that colour it take no room.
fn cut(line: &str, columns: usize) -> String {
    let mut cut = String::with_capacity(line.len());
    let mut left = columns;
    let mut in_sequence = false;
    for c in line.chars() {
        if c == '\u{1b}' {
            in_sequence = true;
        } else if in_sequence {
            in_sequence = !c.is_ascii_alphabetic();
        } else if left == 0 {
            continue;
        } else {
            left -= 1;
        }
        cut.push(c);
    }
    // The last line of a frame needs it too.
    cut + "\u{1b}[K"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fills_the_terminal_and_never_more() {
        let mut terminal = vt100::Parser::new(
            std::num::NonZeroU16::new(3).expect("rows"),
            std::num::NonZeroU16::new(10).expect("columns"),
            0,
        );
        terminal.process(ENTER.as_bytes());
        for (text, screen) in [
            ("a long first line\nb\nc\nd", "a long fir\nb\n… 2 lines"),
            ("\u{1b}[1mhead and more\u{1b}[0m\nx", "head and m\nx\n"),
            ("y", "y\n\n"),
        ] {
            terminal.process(frame(text, 10, 3).as_bytes());
            assert_eq!(terminal.screen().contents().trim_end(), screen.trim_end());
        }
        assert!(terminal.screen().hide_cursor() && terminal.screen().alternate_screen());
        terminal.process(LEAVE.as_bytes());
        assert!(!terminal.screen().hide_cursor() && !terminal.screen().alternate_screen());
    }
}
