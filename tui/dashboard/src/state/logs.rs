//! The latest log lines of all processes.

use std::collections::{HashMap, VecDeque};

use control::LogLine;

use crate::filter;

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

    /// Takes over the lines of a snapshot that were not heard before it. Those that were keep their
    /// numbers, also if the supervisor has forgotten them since: it keeps fewer of a noisy process.
    pub(crate) fn resume(&mut self, lines: Vec<LogLine>) {
        let heard = self.heard_of(&lines);
        for line in lines.into_iter().skip(heard) {
            self.push(line);
        }
    }

    /// How many lines of a snapshot were heard before. Both are in the order in which the supervisor
    /// read them, so everything up to the newest line that both have was heard.
    fn heard_of(&self, lines: &[LogLine]) -> usize {
        let Some(newest) = self.entries.back() else { return 0 };
        let counts: HashMap<_, usize> = lines.iter().map(identity).zip(1..).collect();
        let common = self.iter().rev().find_map(|entry| counts.get(&identity(&entry.line)));
        common.copied().unwrap_or_else(|| {
            // The supervisor has forgotten all that was heard, and only time can tell.
            lines.partition_point(|line| line.unix_ms < newest.line.unix_ms)
        })
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
        let (needle, wanted) = filter::wanted(needle);
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

/// What tells a line from others. The same twice within a millisecond is taken for one at the edge
/// of a snapshot.
fn identity(line: &LogLine) -> (&str, u64, &str) {
    (&line.node, line.unix_ms, &line.line)
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
        assert_eq!(shown(&logs), [(0, "a"), (1, "b"), (2, "c"), (3, "d")]);
    }

    fn shown(logs: &Logs) -> Vec<(u64, &str)> {
        logs.iter().map(|entry| (entry.number, entry.line.line.as_str())).collect()
    }

    #[test]
    fn what_a_quiet_process_said_first_does_not_replace_what_a_noisy_one_said_since() {
        let mut logs = Logs::default();
        logs.push(line("quiet", 1, "up"));
        ["a", "b", "c"].iter().zip(2..).for_each(|(text, at)| logs.push(line("noisy", at, text)));
        // Of the noisy one the supervisor remembers the latest; two lines fell into one millisecond.
        let snapshot =
            [("quiet", 1, "up"), ("noisy", 4, "c"), ("noisy", 4, "d"), ("quiet", 5, "still up")];
        let snapshot = snapshot.map(|(node, at, text)| line(node, at, text)).to_vec();
        let numbered = [(0, "up"), (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "still up")];
        logs.resume(snapshot.clone());
        assert_eq!(shown(&logs), numbered);
        logs.resume(snapshot);
        assert_eq!(shown(&logs), numbered);
    }

    #[test]
    fn lines_go_on_after_a_gap_in_which_everything_heard_was_forgotten() {
        let mut logs = Logs::default();
        logs.push(line("noisy", 10, "a"));
        // What the quiet one said had left the ring here, and belongs before what is in it.
        logs.resume(vec![line("quiet", 1, "up"), line("noisy", 70, "y"), line("noisy", 71, "z")]);
        assert_eq!(shown(&logs), [(0, "a"), (1, "y"), (2, "z")]);
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
