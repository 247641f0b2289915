//! The log of one node: its two files, read once or as they grow.
//!
//! The supervisor appends to `NAME.log` and makes it `NAME.log.1` when it is full. Lines are read with
//! one buffer and never held together, so that megabytes of log cost no memory.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use supervisor::{Line, Splitter};

use super::line::{Head, stamp};
use crate::cli::Level;

/// Read at once. As much waits to be shown.
const CHUNK_BYTES: usize = 64 << 10;

/// The longest line that is shown; what it has beyond is in the file.
const MAX_LINE_BYTES: usize = 16 << 10;

/// A line with what it or the one that it belongs to says about itself.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) head: Head,
    pub(super) line: Line,
}

/// The files of a node's log, the older one first.
#[derive(Debug)]
pub(super) struct NodeLog {
    pub(super) name: String,
    path: PathBuf,
    files: VecDeque<Part>,
    /// The last one that was read and forgotten. As long as it is open no other file gets its number.
    forgotten: Option<Part>,
    cursor: Cursor,
}

/// A file that is read to here.
#[derive(Debug)]
struct Part {
    file: File,
    /// Where the file was, so that another one in its place is told apart.
    id: (u64, u64),
    /// Up to where it is read.
    end: u64,
}

/// How far a log is read.
#[derive(Debug)]
struct Cursor {
    /// Which of the files.
    part: usize,
    offset: u64,
    splitter: Splitter,
    ready: VecDeque<Line>,
    head: Option<Head>,
}

impl Cursor {
    fn new() -> Self {
        let splitter = Splitter::new(MAX_LINE_BYTES);
        Self { part: 0, offset: 0, splitter, ready: VecDeque::new(), head: None }
    }
}

/// The log that a full one was moved to.
fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

impl NodeLog {
    /// Opens what is there now. Nothing may be: the node has not been started yet.
    pub(super) fn open(name: &str, path: PathBuf) -> io::Result<Self> {
        let mut files = VecDeque::new();
        // The newer one first: if it is moved in between it is there twice rather than not at all.
        if let Some(newer) = Part::open(&path)? {
            let older = Part::open(&older(&path))?;
            files.extend(older.filter(|older| older.id != newer.id));
            files.push_back(newer);
        } else {
            files.extend(Part::open(&older(&path))?);
        }
        Ok(Self { name: name.into(), path, files, forgotten: None, cursor: Cursor::new() })
    }

    /// Begins anew with the first line that was there when it was opened.
    pub(super) fn rewind(&mut self) {
        self.cursor = Cursor::new();
    }

    /// The next line; none if all of what is there is read. `is_over` says that nothing more will come,
    /// so that the last line is one even without its end.
    pub(super) fn next(&mut self, is_over: bool) -> io::Result<Option<Entry>> {
        while self.cursor.ready.is_empty() {
            if !self.fill()? {
                let last = if is_over { self.cursor.splitter.rest() } else { None };
                return Ok(last.map(|line| self.entry(line)));
            }
        }
        let line = self.cursor.ready.pop_front();
        Ok(line.map(|line| self.entry(line)))
    }

    /// Looks whether more was written since, also if the log was moved meanwhile.
    pub(super) fn look_again(&mut self) -> io::Result<()> {
        let Some(last) = self.files.back_mut() else {
            self.files.extend(Part::open(&self.path)?);
            return Ok(());
        };
        let now = Part::open(&self.path)?;
        // Only now: what is written before it is moved is still found in it.
        let found = last.file.metadata()?;
        last.end = found.len();
        if self.cursor.part + 1 == self.files.len() && found.len() < self.cursor.offset {
            // Somebody emptied it.
            self.cursor.offset = 0;
        }
        let Some(now) = now else { return Ok(()) };
        let last = self.files.back().map(|part| part.id);
        if Some(now.id) == last {
            return Ok(());
        }
        // It may have been moved twice: then the one between is the older one.
        let forgotten = self.forgotten.as_ref().map(|part| part.id);
        let known = [last, forgotten, Some(now.id)];
        let between = Part::open(&older(&self.path))?;
        self.files.extend(between.filter(|between| !known.contains(&Some(between.id))));
        self.files.push_back(now);
        Ok(())
    }

    fn entry(&mut self, line: Line) -> Entry {
        let head = Head::of(&line.bytes, self.cursor.head).or(self.cursor.head);
        // There is one from the first line on, see `fill`.
        let head = head.unwrap_or(Head { at: Duration::ZERO, level: Level::Info });
        self.cursor.head = Some(head);
        Entry { head, line }
    }

    /// Reads on. False if there is nothing more.
    fn fill(&mut self) -> io::Result<bool> {
        // What is read to its end is closed, once nobody goes back to it.
        let Some(part) = self.files.get(self.cursor.part) else { return Ok(false) };
        let left = part.end.saturating_sub(self.cursor.offset);
        let room = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let mut chunk = vec![0; room];
        let read = part.file.read_at(&mut chunk, self.cursor.offset)?;
        if read == 0 {
            if self.cursor.part + 1 >= self.files.len() {
                return Ok(false);
            }
            self.cursor.part += 1;
            self.cursor.offset = 0;
            return Ok(true);
        }
        self.cursor.offset += u64::try_from(read).unwrap_or_default();
        let ready = &mut self.cursor.ready;
        self.cursor.splitter.feed(&chunk[..read], |line| ready.push_back(line));
        if self.cursor.head.is_none() && !ready.is_empty() {
            // The beginning was moved away and is lost, or its program never says when.
            let first = ready.iter().find_map(|line| Some(stamp(&line.bytes)?.0));
            let written = part.file.metadata()?.modified()?;
            let written = || written.duration_since(UNIX_EPOCH).unwrap_or_default();
            self.cursor.head = Some(Head { at: first.unwrap_or_else(written), level: Level::Info });
        }
        Ok(true)
    }

    /// Closes files that are read and not needed any more, as a log that is followed goes through many.
    pub(super) fn forget_read(&mut self) {
        while self.cursor.part > 0 {
            self.forgotten = self.files.pop_front();
            self.cursor.part -= 1;
        }
    }
}

impl Part {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        Ok(Some(Self { file, id: (found.dev(), found.ino()), end: found.len() }))
    }
}

/// Names of the nodes that have a log in this folder.
pub(super) fn names(logs: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(logs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let name = file.strip_suffix(".log").or_else(|| file.strip_suffix(".log.1"))?;
            Some(name.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(log: &mut NodeLog, is_over: bool) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(entry) = log.next(is_over).expect("readable") {
            lines.push(entry.line.visible());
        }
        lines
    }

    fn append(path: &Path, text: &str) {
        let mut file = File::options().create(true).append(true).open(path).expect("opens");
        file.write_all(text.as_bytes()).expect("writes");
    }

    #[test]
    fn a_log_is_followed_through_every_move() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("alice.log");
        let turn = || fs::rename(&path, older(&path)).expect("moves");
        let mut log = NodeLog::open("alice", path.clone()).expect("nothing yet");
        assert_eq!(read(&mut log, false), [] as [&str; 0]);
        append(&path, "one\ntw");
        let mut next = || {
            log.look_again().expect("readable");
            let lines = read(&mut log, false);
            log.forget_read();
            assert!(log.files.len() <= 1);
            lines
        };
        assert_eq!(next(), ["one"]);
        append(&path, "o\n");
        turn();
        append(&path, "three\n");
        assert_eq!(next(), ["two", "three"]);
        append(&path, "four\n");
        turn();
        append(&path, "five\n");
        turn();
        append(&path, "six\nsev");
        assert_eq!(next(), ["four", "five", "six"]);
        // A line that was cut by the move is one line.
        turn();
        append(&path, "en\n");
        assert_eq!(next(), ["seven"]);
        File::create(&path).expect("empties it");
        append(&path, "x\n");
        assert_eq!(next(), ["x"]);
        fs::remove_file(&path).expect("deletes it");
        assert_eq!(next(), [] as [&str; 0]);
        append(&path, "anew\n");
        assert_eq!(next(), ["anew"]);
    }

    #[test]
    fn both_files_are_one_log_that_can_be_read_twice_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("alice.log");
        append(&older(&path), "lost beginning\n2026-11-21T20:00:00Z  INFO a\n  continued\n");
        append(&path, "2026-11-21T20:00:01Z ERROR b\n\u{1b}[2J no end");
        let mut log = NodeLog::open("alice", path.clone()).expect("opens");
        append(&path, "\nlater\n");
        for _ in 0..2 {
            let mut heads = Vec::new();
            let mut lines = Vec::new();
            while let Some(Entry { head, line }) = log.next(true).expect("readable") {
                heads.push((head.at.as_secs() % 60, head.level));
                lines.push(line.visible());
            }
            let (info, error) = ((0, Level::Info), (1, Level::Error));
            assert_eq!(heads, [info, info, info, error, error]);
            assert_eq!(lines[4], "␛[2J no end");
            log.rewind();
        }
        assert_eq!(names(dir.path()).expect("readable"), ["alice"]);
        assert_eq!(names(&dir.path().join("none")).expect("no logs"), [] as [&str; 0]);
    }

    #[test]
    fn a_log_without_any_time_has_that_of_its_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("foreign.log");
        append(&path, &"listening\n".repeat(20_000));
        let mut log = NodeLog::open("foreign", path).expect("opens");
        let first = log.next(true).expect("readable").expect("a line");
        assert!(first.head.at > Duration::from_secs(1_700_000_000), "{first:?}");
        assert!(log.cursor.ready.len() <= CHUNK_BYTES / 10);
        assert_eq!(read(&mut log, true).len(), 19_999);
    }
}
