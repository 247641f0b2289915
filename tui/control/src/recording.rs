//! Reading a recording: the lines of an event stream, from a file and not from a supervisor.
//!
//! A line at a time, so that a recording of days takes no more memory than one of seconds.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::Time;
use serde::Deserialize;

use crate::{Envelope, Failure, FailureCode, MAX_EVENT_BYTES, StreamEvent};

/// Bytes that are looked at first for the last line of a recording; twice as many each time that this
/// was not enough.
const TAIL_BYTES: u64 = 64 << 10;

/// Why a file is not played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("cannot read the recording `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no recording of a devnet: line {line} is {found}", path.display())]
    NotOne {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What was found there.
        found: &'static str,
    },
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        let message = error.to_string();
        match error {
            RecordingError::Unreadable { .. } => Self::new(FailureCode::Environment, message),
            RecordingError::NotOne { .. } => Self::new(FailureCode::Usage, message)
                .hint("`nym-devnet up --record FILE` makes one"),
        }
    }
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Recording {
    input: BufReader<File>,
    /// The snapshot that it begins with, until that was taken.
    begin: Option<Envelope>,
    first: Time,
    length: Option<Duration>,
    /// The number of the line that was read last, from 1.
    line: u64,
    /// Events of kinds that this version does not know.
    unknown: u64,
    /// Lines that are no events, and the first of them.
    damaged: u64,
    first_damaged: u64,
    /// What came last: how the devnet ended, if it did.
    down: Option<String>,
    end: Option<End>,
}

/// Where a recording ends.
#[derive(Debug)]
enum End {
    /// After a whole line.
    Whole,
    /// In the middle of one.
    CutOff,
    /// Where the file could not be read on.
    Failed(io::Error),
}

/// The part of a line that every version writes.
#[derive(Deserialize)]
struct Stamp {
    t: Time,
}

/// A line of a file.
enum Line {
    Whole(Vec<u8>),
    /// Without its end.
    Rest(Vec<u8>),
    /// Longer than any line of a stream.
    TooLong,
    None,
}

impl Recording {
    /// Opens a file and sees that a recording begins in it.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let unreadable = |cause| RecordingError::Unreadable { path: path.into(), cause };
        let not_one = |found| RecordingError::NotOne { path: path.into(), line: 1, found };
        let mut input = BufReader::new(File::open(path).map_err(unreadable)?);
        let line = match read_line(&mut input, MAX_EVENT_BYTES).map_err(unreadable)? {
            Line::Whole(line) => line,
            Line::Rest(_) => return Err(not_one("not whole")),
            Line::TooLong => return Err(not_one("longer than any event")),
            Line::None => return Err(not_one("missing")),
        };
        let begin: Envelope =
            serde_json::from_slice(&line).map_err(|_| not_one("no event of this version"))?;
        if !matches!(begin.event, StreamEvent::Snapshot(_)) {
            return Err(not_one("not the snapshot that it has to begin with"));
        }
        let first = begin.t;
        // What begins as one is worth looking at its end.
        let position = input.stream_position().map_err(unreadable)?;
        let last = last_moment(input.get_mut()).map_err(unreadable)?;
        input.seek(SeekFrom::Start(position)).map_err(unreadable)?;
        Ok(Self {
            input,
            first,
            begin: Some(begin),
            length: last.map(|last| last.saturating_since(first)),
            line: 1,
            unknown: 0,
            damaged: 0,
            first_damaged: 0,
            down: None,
            end: None,
        })
    }

    /// When it begins, by the clock of its supervisor.
    pub fn first(&self) -> Time {
        self.first
    }

    /// How long it is, as far as its end can be read.
    pub fn length(&self) -> Option<Duration> {
        self.length
    }

    /// The next event; none at the end. Events of unknown kinds come as such, so that they can be
    /// counted; lines that are no events do not come.
    pub fn next_event(&mut self) -> Option<Envelope> {
        if let Some(begin) = self.begin.take() {
            return Some(begin);
        }
        while self.end.is_none() {
            let line = read_line(&mut self.input, MAX_EVENT_BYTES);
            self.line += 1;
            let (line, is_whole) = match line {
                Ok(Line::Whole(line)) => (line, true),
                Ok(Line::Rest(line)) => (line, false),
                Ok(Line::TooLong) => {
                    self.note_damage();
                    continue;
                }
                Ok(Line::None) => {
                    self.end = Some(End::Whole);
                    break;
                }
                Err(error) => {
                    self.end = Some(End::Failed(error));
                    break;
                }
            };
            match serde_json::from_slice::<Envelope>(&line) {
                Ok(envelope) => {
                    self.unknown += u64::from(envelope.event == StreamEvent::Unknown);
                    self.down = match &envelope.event {
                        StreamEvent::Down { reason } => Some(reason.clone()),
                        _ => None,
                    };
                    return Some(envelope);
                }
                Err(_) if !is_whole => self.end = Some(End::CutOff),
                // Its kind is known, and something in it is not.
                Err(_) if serde_json::from_slice::<Stamp>(&line).is_ok() => self.unknown += 1,
                Err(_) => self.note_damage(),
            }
        }
        None
    }

    fn note_damage(&mut self) {
        self.damaged += 1;
        if self.damaged == 1 {
            self.first_damaged = self.line;
        }
    }

    /// How it ended, and what of it was left out: sentences without a full stop.
    pub fn end(&self) -> String {
        let words = match (&self.end, &self.down) {
            (Some(End::CutOff), _) => format!("the recording is cut off in line {}", self.line),
            (Some(End::Failed(error)), _) => {
                format!("the recording cannot be read on in line {}: {error}", self.line)
            }
            (_, Some(reason)) => format!("the recording ends: the devnet went down, {reason}"),
            (_, None) => "the recording ends, and the devnet went on".into(),
        };
        let mut words = vec![words];
        if self.unknown > 0 {
            words.push(format!("{} of other versions left out", plural(self.unknown, "event")));
        }
        if self.damaged > 0 {
            let lines = plural(self.damaged, "line");
            words.push(format!("{lines} not understood, first line {}", self.first_damaged));
        }
        words.join("; ")
    }
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Reads up to the end of a line. Of one that is too long nothing is kept.
fn read_line(input: &mut impl io::BufRead, limit: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    input.by_ref().take(most).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        return Ok(Line::Whole(line));
    }
    if line.len() <= limit {
        return Ok(if line.is_empty() { Line::None } else { Line::Rest(line) });
    }
    line = Vec::new();
    loop {
        input.by_ref().take(TAIL_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() || line.last() == Some(&b'\n') {
            return Ok(Line::TooLong);
        }
        line.clear();
    }
}

/// The moment of the last event in a file; none where there is no event in the part that may hold one.
fn last_moment(file: &mut File) -> io::Result<Option<Time>> {
    let end = file.seek(SeekFrom::End(0))?;
    let most = u64::try_from(2 * MAX_EVENT_BYTES).unwrap_or(u64::MAX);
    let mut wanted = TAIL_BYTES;
    loop {
        let begin = end.saturating_sub(wanted);
        file.seek(SeekFrom::Start(begin))?;
        let mut tail = Vec::new();
        file.take(wanted).read_to_end(&mut tail)?;
        // The first piece may be the rest of a line: it is no JSON, or the whole of one.
        let moments = tail.rsplit(|&byte| byte == b'\n');
        let mut moments = moments.filter_map(|line| serde_json::from_slice::<Stamp>(line).ok());
        if let Some(stamp) = moments.next() {
            return Ok(Some(stamp.t));
        }
        if begin == 0 || wanted > most {
            return Ok(None);
        }
        wanted *= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A recording: the snapshot of a devnet of which nothing is known, and what follows it.
    fn file(rest: &str) -> tempfile::NamedTempFile {
        let snapshot = r#"{"seq":1,"t":1000000000,"unix_ms":5,"event":{"type":"snapshot","devnet":{"name":"t1","supervisor_pid":1,"folder":"/t1","started_unix_ms":0,"layers":0,"widths":[],"clients":0,"crowd":0,"profile":"classic","hop_delay_ms":0.0,"slot_ms":0.0,"loop_cover_ms":0.0,"acks":false,"attached":true,"notices":[]},"nodes":[],"directory":{"link":"connecting"},"topology":null,"metrics":{},"usage":{},"messages":[],"received":[],"logs":[]}}"#;
        text(&format!("{snapshot}\n{rest}"))
    }

    fn text(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("writes");
        file
    }

    fn line(seq: u64, second: u64, event: &str) -> String {
        let t = second * 1_000_000_000;
        format!("{{\"seq\":{seq},\"t\":{t},\"unix_ms\":5,\"event\":{event}}}\n")
    }

    fn log(seq: u64, second: u64) -> String {
        line(seq, second, r#"{"type":"log","node":"x","unix_ms":5,"line":"hello"}"#)
    }

    /// Numbers of all events, and how it ends.
    fn play(file: &tempfile::NamedTempFile) -> (Vec<u64>, String) {
        let mut recording = Recording::open(file.path()).expect("a recording");
        let mut seqs = Vec::new();
        while let Some(envelope) = recording.next_event() {
            seqs.push(envelope.seq);
        }
        (seqs, recording.end())
    }

    #[test]
    fn it_plays_up_to_where_it_was_cut_off() {
        let down = line(4, 9, r#"{"type":"down","reason":"asked to"}"#);
        let whole = log(2, 2) + &log(3, 4) + &down;
        let (seqs, end) = play(&file(&whole));
        assert_eq!(seqs, [1, 2, 3, 4]);
        assert_eq!(end, "the recording ends: the devnet went down, asked to");
        let length = |rest: &str| Recording::open(file(rest).path()).expect("opens").length();
        assert_eq!(length(&whole), Some(Duration::from_secs(8)));

        for cut in 1..down.len() - 1 {
            let rest = &whole[..whole.len() - down.len() + cut];
            let (seqs, end) = play(&file(rest));
            assert_eq!(seqs, [1, 2, 3], "{rest}");
            assert_eq!(end, "the recording is cut off in line 4");
            assert_eq!(length(rest), Some(Duration::from_secs(3)));
        }
        // Only the end of the line is missing.
        assert_eq!(play(&file(&whole[..whole.len() - 1])).0, [1, 2, 3, 4]);
        let (_, end) = play(&file(&log(2, 2)));
        assert_eq!(end, "the recording ends, and the devnet went on");
    }

    #[test]
    fn what_it_does_not_know_is_left_out_and_counted() {
        let mut rest = log(2, 2);
        rest += &line(3, 2, r#"{"type":"weather","rain":true}"#);
        rest += &line(4, 2, r#"{"type":"node","state":"melted"}"#);
        rest += "nonsense\n\0\0\0\n";
        rest += &log(5, 3);
        let (seqs, end) = play(&file(&rest));
        assert_eq!(seqs, [1, 2, 3, 5]);
        assert_eq!(
            end,
            "the recording ends, and the devnet went on; 2 events of other versions left out; \
             2 lines not understood, first line 5"
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_without_being_kept() {
        let mut text = String::from("short\n");
        let _ = write!(text, "{}\nlast", "x".repeat(300_000));
        let mut input = BufReader::new(text.as_bytes());
        let mut next = || read_line(&mut input, 100).expect("reads");
        assert!(matches!(next(), Line::Whole(line) if line == b"short\n"));
        assert!(matches!(next(), Line::TooLong));
        assert!(matches!(next(), Line::Rest(line) if line == b"last"));
        assert!(matches!(next(), Line::None));
    }

    #[test]
    fn the_end_is_found_behind_a_long_line() {
        let long =
            format!(r#"{{"type":"log","node":"x","unix_ms":5,"line":"{}"}}"#, "x".repeat(300_000));
        let rest = line(2, 7, &long) + "cut off";
        let recording = Recording::open(file(&rest).path()).expect("a recording");
        assert_eq!(recording.length(), Some(Duration::from_secs(6)));
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        for (content, found) in [
            ("", "missing"),
            ("{\"seq\":1", "not whole"),
            ("hello\n", "no event of this version"),
            (&*log(1, 1), "not the snapshot that it has to begin with"),
        ] {
            let file = text(content);
            let failure = Failure::from(Recording::open(file.path()).expect_err(content));
            assert_eq!(failure.code, FailureCode::Usage);
            assert!(failure.message.ends_with(&format!("line 1 is {found}")), "{failure}");
        }
        let failure = Failure::from(Recording::open(Path::new("/nowhere")).expect_err("no file"));
        assert_eq!(failure.code, FailureCode::Environment, "{failure}");
    }
}
