//! The latest log lines of all processes.

use std::collections::VecDeque;

use control::LogLine;

/// How many lines are kept: what a devnet of a dozen processes writes in some minutes. The whole
/// log of each is in its file.
pub(crate) const MAX_LINES: usize = 5000;

/// A line with a number by which a selection can hold on to it while others arrive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Counts up by one.
    pub(crate) number: u64,
    /// The line.
    pub(crate) line: LogLine,
}

/// A ring of log lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Logs {
    /// Appends a line; the oldest goes when there are too many.
    pub(crate) fn push(&mut self, line: LogLine) {
        if self.entries.len() == MAX_LINES {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { number: self.next, line });
        self.next += 1;
    }

    /// Takes over the lines of a snapshot: they replace what was heard since the first of them.
    pub(crate) fn resume(&mut self, lines: Vec<LogLine>) {
        if let Some(first) = lines.first() {
            self.entries.retain(|entry| entry.line.unix_ms < first.unix_ms);
        }
        for line in lines {
            self.push(line);
        }
    }

    /// All lines, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The lines of one process, or of all, that contain `needle` (in lower case); with a `!` before
    /// it, those that do not.
    pub(crate) fn matching<'a, 'n>(
        &'a self,
        node: Option<&'n str>,
        needle: &'n str,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> + use<'a, 'n> {
        let (needle, wanted) = match needle.strip_prefix('!') {
            Some("") => ("", true),
            Some(needle) => (needle, false),
            None => (needle, true),
        };
        let contains = move |line: &LogLine| {
            needle.is_empty()
                || line.line.to_lowercase().contains(needle)
                || line.node.contains(needle)
        };
        self.iter().filter(move |entry| {
            node.is_none_or(|node| entry.line.node == node) && contains(&entry.line) == wanted
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(node: &str, unix_ms: u64, line: &str) -> LogLine {
        LogLine { node: node.into(), unix_ms, line: line.into() }
    }

    #[test]
    fn the_ring_is_bounded_and_keeps_numbers() {
        let mut logs = Logs::default();
        (0..MAX_LINES as u64 + 10).for_each(|n| logs.push(line("mix-1-1", n, "x")));
        assert_eq!(logs.iter().count(), MAX_LINES);
        assert_eq!(logs.iter().next().map(|entry| entry.number), Some(10));
    }

    #[test]
    fn a_snapshot_repeats_nothing_and_loses_nothing() {
        let mut logs = Logs::default();
        ["a", "b", "c"].iter().zip(1..).for_each(|(text, at)| logs.push(line("n", at, text)));
        logs.resume(vec![line("n", 2, "b"), line("n", 3, "c"), line("n", 4, "d")]);
        let all: Vec<&str> = logs.iter().map(|entry| entry.line.line.as_str()).collect();
        assert_eq!(all, ["a", "b", "c", "d"]);
    }

    #[test]
    fn lines_are_found_by_process_and_by_text_in_any_case() {
        let mut logs = Logs::default();
        logs.push(line("alice", 1, "WARN slow"));
        logs.push(line("bob", 2, "warn slow"));
        assert_eq!(logs.matching(None, "warn").count(), 2);
        assert_eq!(logs.matching(Some("bob"), "warn").count(), 1);
        assert_eq!(logs.matching(Some("bob"), "error").count(), 0);
        assert_eq!(logs.matching(None, "!alice").count(), 1);
        assert_eq!(logs.matching(None, "!").count(), 2);
    }
}
