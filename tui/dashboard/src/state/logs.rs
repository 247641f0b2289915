//! The latest log lines of all processes.

mod found;

pub(crate) use found::Found;

use std::collections::{HashMap, VecDeque};

use control::LogLine;

use crate::pattern::Pattern;

/// How many lines are kept: what a devnet of a dozen processes writes in some minutes. The whole
/// log of each is in its file.
pub(crate) const MAX_LINES: usize = 5000;

/// A line with a number by which a selection can hold on to it while others arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Counts up by one.
    pub(crate) number: u64,
    /// The line.
    pub(crate) line: LogLine,
    /// How bad it is.
    pub(crate) level: Level,
    /// Where it begins behind a time of its own.
    begin: usize,
}

/// How bad a line is, by the word that `tracing` writes in front of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Every step.
    #[default]
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What happens. A line without a level says that too.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The next worse one, and after the worst the least.
    pub(crate) fn next(self) -> Self {
        let worse = Self::ALL.into_iter().find(|level| *level > self);
        worse.unwrap_or_default()
    }

    fn of(words: &str) -> Self {
        let word = |word: &str| {
            Self::ALL.into_iter().find(|level| word.eq_ignore_ascii_case(level.word()))
        };
        // A panic has no level, and is the worst that a log can say.
        let panic = || words.contains("panicked at").then_some(Self::Error);
        words.split_whitespace().take(2).find_map(word).or_else(panic).unwrap_or(Self::Info)
    }
}

/// Which lines are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Those of this process; none for all.
    pub(crate) node: Option<&'a str>,
    /// Those of this level and worse ones.
    pub(crate) level: Level,
    /// Those that this lets pass, by what they say or by the name of their process.
    pub(crate) pattern: Option<&'a Pattern>,
}

impl Wanted<'_> {
    fn takes(&self, entry: &Entry) -> bool {
        entry.level >= self.level
            && self.node.is_none_or(|node| entry.line.node == node)
            && self.pattern.is_none_or(|pattern| pattern.takes(&[entry.words(), &entry.line.node]))
    }
}

impl Entry {
    fn new(number: u64, line: LogLine) -> Self {
        let begin = match line.line.split_once(' ') {
            Some((time, rest)) if time.parse::<jiff::Timestamp>().is_ok() => {
                line.line.len() - rest.trim_start().len()
            }
            _ => 0,
        };
        Self { number, level: Level::of(&line.line[begin..]), line, begin }
    }

    /// What it says, without a time at its start: every row shows when it was read, and the file
    /// has both.
    pub(crate) fn words(&self) -> &str {
        &self.line.line[self.begin..]
    }
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
        self.entries.push_back(Entry::new(self.next, line));
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

    /// The lines that are wanted, oldest first.
    pub(crate) fn wanted<'a, 'w>(
        &'a self,
        wanted: Wanted<'w>,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> + use<'a, 'w> {
        self.iter().filter(move |entry| wanted.takes(entry))
    }

    /// The number of the oldest line.
    fn first(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    /// The lines with this number and greater ones.
    fn from(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let before = number.saturating_sub(self.first());
        self.entries.iter().skip(usize::try_from(before).unwrap_or(usize::MAX))
    }

    /// The line with this number, as long as it is kept.
    fn get(&self, number: u64) -> Option<&Entry> {
        let place = number.checked_sub(self.first())?;
        self.entries.get(usize::try_from(place).ok()?)
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
    fn a_time_before_the_line_is_none_of_its_words_and_its_level_comes_next() {
        let of = |text: &str| {
            let entry = Entry::new(0, line("n", 1, text));
            (entry.words().to_owned(), entry.level)
        };
        let is = |words: &str, level| (words.to_owned(), level);
        assert_eq!(of("2026-11-21T09:34:50.068767Z  INFO up"), is("INFO up", Level::Info));
        assert_eq!(of("2026 was a good year"), is("2026 was a good year", Level::Info));
        assert_eq!(of("WARN slow"), is("WARN slow", Level::Warn));
        assert_eq!(of("[x] error: no"), is("[x] error: no", Level::Info));
        let panic = "thread 'main' panicked at src/main.rs:1:1:";
        assert_eq!(of(panic), is(panic, Level::Error));
        assert_eq!(of(""), is("", Level::Info));
    }

    #[test]
    fn wanted_are_lines_of_a_process_of_a_level_and_with_a_pattern() {
        let mut logs = Logs::default();
        for (node, text) in
            [("alice", "DEBUG a"), ("alice", "WARN b"), ("bob", "ERROR c"), ("bob", "no level")]
        {
            logs.push(line(node, 1, text));
        }
        let count = |wanted: Wanted<'_>| logs.wanted(wanted).count();
        assert_eq!(count(Wanted::default()), 4);
        assert_eq!(count(Wanted { level: Level::Warn, ..Wanted::default() }), 2);
        assert_eq!(count(Wanted { level: Level::Info, ..Wanted::default() }), 3);
        let bob = Wanted { node: Some("bob"), ..Wanted::default() };
        assert_eq!(count(Wanted { level: Level::Warn, ..bob }), 1);
        for (typed, lines) in [("alice", 2), ("!alice", 2), ("^(warn|error)", 2), ("level$", 1)] {
            let pattern = Pattern::new(typed);
            assert_eq!(count(Wanted { pattern: pattern.as_ref(), ..Wanted::default() }), lines);
        }
        let levels: Vec<Level> =
            std::iter::successors(Some(Level::Trace), |level| Some(level.next())).take(6).collect();
        assert_eq!((levels[4], levels[5]), (Level::Error, Level::Trace));
    }
}
