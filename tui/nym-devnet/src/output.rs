//! What commands print: results on standard output as text or JSON, the rest on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control::{Failure, State, visible};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{Format, Globals};
use crate::stop::{Outcome, Stop};

/// Where a command prints, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    colour: bool,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Quiet,
    Doubtful,
    Bad,
}

impl Output {
    pub(crate) fn new(globals: &Globals) -> Self {
        let wanted = !globals.no_color && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            format: globals.output,
            quiet: globals.quiet,
            verbose: globals.verbose,
            colour: wanted && io::stdout().is_terminal(),
        }
    }

    /// Text without colours.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { format: Format::Text, quiet: false, verbose: false, colour: false }
    }

    /// The same in another form.
    pub(crate) fn in_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// A result, in the form that was asked for.
    pub(crate) fn result(
        self,
        thing: &str,
        devnet: Option<&str>,
        data: impl Serialize,
        text: impl FnOnce(Self) -> String,
    ) -> Outcome {
        self.result_with(thing, devnet, data, None, text)
    }

    /// A result that is there although something failed: as JSON it is part of the failure, and as text
    /// it stands before it.
    pub(crate) fn result_with(
        self,
        thing: &str,
        devnet: Option<&str>,
        data: impl Serialize,
        failed: Option<Failure>,
        text: impl FnOnce(Self) -> String,
    ) -> Outcome {
        if self.is_json() {
            let schema = format!("nym-devnet/{thing}/v1");
            let error = failed.as_ref().map(error_object);
            Self::json_line(&Envelope { schema, ok: failed.is_none(), devnet, data, error })?;
            return failed.map_or(Ok(()), |failure| Err(Stop::Told(failure.code)));
        }
        self.text(text)?;
        failed.map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn text(self, text: impl FnOnce(Self) -> String) -> Outcome {
        let mut stdout = io::stdout().lock();
        let text = text(self);
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// One line of a stream of JSON lines, or the whole of a JSON result.
    pub(crate) fn json_line(value: &impl Serialize) -> Outcome {
        let mut line = serde_json::to_vec(value).map_err(io::Error::from)?;
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        Ok(stdout.flush()?)
    }

    /// One event of a stream of JSON lines.
    pub(crate) fn json_event(thing: &str, devnet: &str, data: impl Serialize) -> Outcome {
        let schema = format!("nym-devnet/{thing}/v1");
        Self::json_line(&Event { schema, devnet, data })
    }

    /// One line of a stream of text.
    pub(crate) fn text_line(line: &str) -> Outcome {
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// Ends a stream whose reader has gone, as in `nym-devnet logs -f | head -1`. Writing tells it too,
    /// but perhaps there is nothing to write for long.
    pub(crate) fn check_reader() -> Outcome {
        let stdout = io::stdout();
        let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // What cannot be looked at is not a pipe.
        let changed = poll(&mut looked, Some(&now)).unwrap_or_default();
        let gone = PollFlags::ERR | PollFlags::HUP;
        if changed > 0 && looked[0].revents().intersects(gone) {
            return Err(Stop::NobodyReads);
        }
        Ok(())
    }

    /// Something that the reader may want to know and no program needs.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            // There is nobody to tell that standard error is gone.
            drop(writeln!(io::stderr(), "{text}"));
        }
    }

    /// Something that the reader asked to be told meanwhile.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose {
            drop(writeln!(io::stderr(), "{text}"));
        }
    }

    /// A state in its colour, padded so that columns stay aligned.
    pub(crate) fn state(self, state: State, width: usize) -> String {
        let tone = match state {
            State::Ready => Tone::Good,
            State::Planned | State::Paused | State::Stopped => Tone::Quiet,
            State::Starting | State::Listening | State::Present | State::Stopping => Tone::Doubtful,
            State::BackingOff | State::Failed => Tone::Bad,
        };
        self.toned(tone, &format!("{:<width$}", state.word()))
    }

    /// The text in the colour of what it means. It says the same without.
    pub(crate) fn toned(self, tone: Tone, text: &str) -> String {
        let colour = match tone {
            Tone::Good => 32,
            Tone::Quiet => 90,
            Tone::Doubtful => 33,
            Tone::Bad => 31,
        };
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.into() }
    }

    /// A heading, if that can be told from the rest.
    pub(crate) fn heading(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.into() }
    }
}

/// A result in JSON whose list is printed item by item, so that a long one takes no memory. How it ended
/// stands at its end.
pub(crate) struct Listing {
    is_empty: bool,
}

impl Listing {
    /// Begins the object up to the list, which is the `field` of its data.
    pub(crate) fn begin(thing: &str, devnet: &str, field: &str) -> Outcome<Self> {
        let schema = json!(format!("nym-devnet/{thing}/v1"));
        let (devnet, field) = (json!(devnet), json!(field));
        let head = format!("{{\"schema\":{schema},\"devnet\":{devnet},\"data\":{{{field}:[");
        io::stdout().lock().write_all(head.as_bytes())?;
        Ok(Self { is_empty: true })
    }

    /// One more item.
    pub(crate) fn add(&mut self, item: impl Serialize) -> Outcome {
        let mut text = if std::mem::take(&mut self.is_empty) { Vec::new() } else { vec![b','] };
        serde_json::to_writer(&mut text, &item).map_err(io::Error::from)?;
        Ok(io::stdout().lock().write_all(&text)?)
    }

    /// Ends the object, with what went wrong if the list is not whole.
    #[expect(clippy::unused_self, reason = "there is one end, and nothing is added after it")]
    pub(crate) fn end(self, outcome: Outcome) -> Outcome {
        let (tail, ended) = match outcome {
            Ok(()) => ("]},\"ok\":true}\n".to_owned(), Ok(())),
            Err(Stop::Failed(failure)) => {
                let error = error_object(&failure);
                (format!("]}},\"ok\":false,\"error\":{error}}}\n"), Err(Stop::Told(failure.code)))
            }
            // Nobody is there to read the end.
            Err(stop) => return Err(stop),
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(tail.as_bytes())?;
        stdout.flush()?;
        ended
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    devnet: Option<&'a str>,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

#[derive(Serialize)]
struct Event<'a, T> {
    schema: String,
    devnet: &'a str,
    data: T,
}

/// The `error` object: a failure with the exit code that it means.
pub(crate) fn error_object(failure: &Failure) -> Value {
    let mut error = json!(failure);
    if let Some(fields) = error.as_object_mut() {
        fields.insert("exit".into(), failure.code.exit_code().into());
    }
    error
}

/// A failure: as JSON on standard output, or for people on standard error.
pub(crate) fn failure(failure: &Failure, format: Format) {
    if format == Format::Json {
        let envelope = json!({ "ok": false, "error": error_object(failure) });
        match writeln!(io::stdout(), "{envelope}") {
            Ok(()) => return,
            // Whoever does not read it sees the exit code.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            // A full disk: people are told.
            Err(_) => {}
        }
    }
    let mut stderr = io::stderr();
    // What a failure repeats can be from anywhere.
    let mut line = |what: &str, text: &str| drop(writeln!(stderr, "{what}: {}", visible(text)));
    line("error", &failure.message);
    if let Some(hint) = &failure.hint {
        line("hint", hint);
    }
    if let Some(log) = &failure.log {
        line("log", log);
    }
}

/// A table with aligned columns. Those named in `right` are aligned to the right, as numbers are.
pub(crate) fn table(output: Output, heads: &[&str], right: &[&str], rows: &[Vec<Cell>]) -> String {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(Cell::width).chain([head.len()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: &[Cell]| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            let last = column + 1 == widths.len();
            match cell {
                Cell::State(state) => output.state(*state, width),
                Cell::Text(text) if right.contains(&heads[column]) => format!("{text:>width$}"),
                Cell::Text(text) if last => text.clone(),
                Cell::Text(text) => format!("{text:<width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    let heads: Vec<Cell> = heads.iter().map(|head| Cell::from(*head)).collect();
    let mut text = output.heading(line(&heads).trim_end());
    for row in rows {
        text.push('\n');
        text.push_str(line(row).trim_end());
    }
    text
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    State(State),
}

impl Cell {
    fn width(&self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::State(state) => state.word().len(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What stands where something is unknown.
pub(crate) const UNKNOWN: &str = "-";

/// The text, or the sign for unknown.
pub(crate) fn or_unknown<T: ToString>(value: Option<T>) -> Cell {
    Cell::Text(value.map_or_else(|| UNKNOWN.into(), |value| value.to_string()))
}

/// `2026-11-21T08:44:08Z`. Times are in UTC, so that logs of several machines can be compared.
pub(crate) fn time_of_day(unix_ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

/// Bytes as people read them, with a digit after the point from a kilobyte on.
pub(crate) fn bytes(bytes: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = bytes / (unit / 10);
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => scaled(1000, "kB"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "MB"),
        _ => scaled(1_000_000_000, "GB"),
    }
}

/// How long ago that was, to the second.
pub(crate) fn ago(unix_ms: u64) -> String {
    let seconds = unix_ms_now().saturating_sub(unix_ms) / 1000;
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms_now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        let sizes = [0, 999, 1000, 123_456, 1_999_999, 123_456_789, 5_000_000_000];
        let shown = ["0 B", "999 B", "1.0 kB", "123.4 kB", "1.9 MB", "123.4 MB", "5.0 GB"];
        assert_eq!(sizes.map(bytes), shown);
    }

    #[test]
    fn columns_are_aligned_and_numbers_end_together() {
        let output = Output::plain();
        let rows = [
            vec!["alice".into(), Cell::State(State::Ready), "9.5".into(), "x".into()],
            vec!["mix-1-1".into(), Cell::State(State::BackingOff), "12.0".into(), "".into()],
        ];
        assert_eq!(
            table(output, &["NAME", "STATE", "IN/s", "LAST"], &["IN/s"], &rows),
            "NAME     STATE        IN/s  LAST\n\
             alice    ready         9.5  x\n\
             mix-1-1  backing off  12.0"
        );
        let coloured = Output { colour: true, ..output };
        assert!(coloured.state(State::Ready, 7).contains("ready  "));
    }
}
