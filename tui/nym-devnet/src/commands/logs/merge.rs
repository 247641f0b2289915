//! The logs of several nodes as one, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::Duration;

use regex::Regex;

use super::file::{Entry, NodeLog};
use crate::cli::Level;

/// What of a log is wanted.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Only what was written from then on: since 1970.
    pub(super) since: Duration,
    pub(super) level: Option<Level>,
    pub(super) grep: Option<Regex>,
}

impl Filter {
    pub(super) fn wants(&self, entry: &Entry) -> bool {
        entry.head.at >= self.since
            && self.level.is_none_or(|level| entry.head.level <= level)
            && self.grep.as_ref().is_none_or(|grep| grep.is_match(&entry.line.visible()))
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log of `{node}`: {cause}")]
pub(super) struct Unreadable {
    pub(super) node: String,
    pub(super) cause: io::Error,
}

/// Hands over what is wanted of all lines that are there and were not read before, the oldest first.
/// Lines of one node stay in their order, and a line with those that belong to it stays together.
pub(super) fn each<E: From<Unreadable>>(
    logs: &mut [NodeLog],
    filter: &Filter,
    is_over: bool,
    mut take: impl FnMut(&str, &Entry) -> Result<(), E>,
) -> Result<(), E> {
    // By time, then by node, then by the place of a line in its log. Of each log one line waits here.
    let mut waiting = BinaryHeap::new();
    let mut entries: Vec<Option<Entry>> = Vec::new();
    for (index, log) in logs.iter_mut().enumerate() {
        let first = next(log, is_over)?;
        waiting.extend(first.as_ref().map(|first| Reverse((first.head.at, index))));
        entries.push(first);
    }
    while let Some(Reverse((_, index))) = waiting.pop() {
        let log = &mut logs[index];
        if let Some(entry) = entries[index].take()
            && filter.wants(&entry)
        {
            take(&log.name, &entry)?;
        }
        let following = next(log, is_over)?;
        waiting.extend(following.as_ref().map(|following| Reverse((following.head.at, index))));
        entries[index] = following;
    }
    Ok(())
}

fn next(log: &mut NodeLog, is_over: bool) -> Result<Option<Entry>, Unreadable> {
    log.next(is_over).map_err(|cause| Unreadable { node: log.name.clone(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "2026-11-21T20:00:01Z  INFO one
2026-11-21T20:00:03Z  WARN three
thread 'main' (7) panicked at src/x.rs:1:2:
no room
stack backtrace:
2026-11-21T20:00:05Z DEBUG five
";
    const BOB: &str = "2026-11-21T20:00:02Z ERROR two
  because
2026-11-21T20:00:04Z  INFO four
";

    fn merged(filter: &Filter) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a folder");
        let mut logs: Vec<NodeLog> = [("alice", ALICE), ("bob", BOB)]
            .into_iter()
            .map(|(name, text)| {
                let path = dir.path().join(format!("{name}.log"));
                std::fs::write(&path, text).expect("writes");
                NodeLog::open(name, path).expect("opens")
            })
            .collect();
        let mut lines = Vec::new();
        each(&mut logs, filter, true, |name, entry| {
            let text = entry.line.visible();
            lines.push(format!("{name} {}", text.rsplit(' ').next().unwrap_or_default()));
            Ok::<_, Unreadable>(())
        })
        .expect("readable");
        lines
    }

    #[test]
    fn logs_are_merged_by_time_and_what_belongs_together_stays_so() {
        let all = merged(&Filter::default());
        let expected = [
            "alice one",
            "bob two",
            "bob because",
            "alice three",
            "alice src/x.rs:1:2:",
            "alice room",
            "alice backtrace:",
            "bob four",
            "alice five",
        ];
        assert_eq!(all, expected);
        let level = |level| Filter { level: Some(level), ..Filter::default() };
        let errors =
            ["bob two", "bob because", "alice src/x.rs:1:2:", "alice room", "alice backtrace:"];
        assert_eq!(merged(&level(Level::Error)), errors);
        assert_eq!(merged(&level(Level::Warn)).len(), 6);
        assert_eq!(merged(&level(Level::Trace)).len(), all.len());
        let since = humantime::parse_rfc3339("2026-11-21T20:00:04Z").expect("a moment");
        let since = since.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        assert_eq!(merged(&Filter { since, ..Filter::default() }), ["bob four", "alice five"]);
        let grep = Regex::new("^ +bec|f.ve$").ok();
        assert_eq!(merged(&Filter { grep, ..Filter::default() }), ["bob because", "alice five"]);
    }
}
