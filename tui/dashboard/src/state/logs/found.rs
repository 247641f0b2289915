//! Which log lines are wanted, kept up as lines come: to look for an expression in all of them for each
//! frame would take longer than to draw it.

use std::collections::VecDeque;

use super::{Entry, Level, Logs, Wanted};
use crate::pattern::Pattern;

/// What is wanted, of which devnet.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    /// When the devnet was started: another one numbers its lines anew.
    devnet: u64,
    node: Option<String>,
    level: Level,
    pattern: Option<Pattern>,
}

impl Question {
    fn is(&self, devnet: u64, wanted: Wanted<'_>) -> bool {
        (self.devnet, self.level) == (devnet, wanted.level)
            && self.node.as_deref() == wanted.node
            && self.pattern.as_ref() == wanted.pattern
    }
}

/// The numbers of the lines that are wanted.
#[derive(Debug, Default)]
pub(crate) struct Found {
    question: Option<Question>,
    numbers: VecDeque<u64>,
    /// Lines below this number were looked at.
    next: u64,
}

impl Found {
    /// Looks at the lines that have come since, or at all of them if something else is wanted now.
    pub(crate) fn keep_up(&mut self, logs: &Logs, devnet: u64, wanted: Wanted<'_>) {
        let is_same = self.question.as_ref().is_some_and(|of| of.is(devnet, wanted));
        if !is_same || self.next > logs.next {
            let Wanted { node, level, pattern } = wanted;
            let node = node.map(str::to_owned);
            let question = Some(Question { devnet, node, level, pattern: pattern.cloned() });
            *self = Self { question, ..Self::default() };
        }
        if self.next == logs.next {
            return;
        }
        let first = logs.first();
        while self.numbers.front().is_some_and(|number| *number < first) {
            self.numbers.pop_front();
        }
        let new = logs.from(self.next).filter(|entry| wanted.takes(entry));
        self.numbers.extend(new.map(|entry| entry.number));
        self.next = logs.next;
    }

    /// The lines, oldest first; none if they were found for something else, or before the latest line.
    pub(crate) fn lines<'a>(
        &self,
        logs: &'a Logs,
        devnet: u64,
        wanted: Wanted<'_>,
    ) -> Option<Vec<&'a Entry>> {
        let is_same = self.question.as_ref().is_some_and(|of| of.is(devnet, wanted));
        let is_current = is_same && self.next == logs.next;
        is_current.then(|| self.numbers.iter().filter_map(|number| logs.get(*number)).collect())
    }
}

#[cfg(test)]
mod tests {
    use control::LogLine;

    use super::super::MAX_LINES;
    use super::*;

    fn push(logs: &mut Logs, node: &str, line: &str) {
        logs.push(LogLine { node: node.into(), unix_ms: 1, line: line.into() });
    }

    /// What is kept is what a look at all lines finds.
    #[track_caller]
    fn numbers(found: &mut Found, logs: &Logs, devnet: u64, wanted: Wanted<'_>) -> Vec<u64> {
        found.keep_up(logs, devnet, wanted);
        let kept = found.lines(logs, devnet, wanted).expect("it was kept up");
        let kept: Vec<u64> = kept.into_iter().map(|entry| entry.number).collect();
        let all: Vec<u64> = logs.wanted(wanted).map(|entry| entry.number).collect();
        assert_eq!(kept, all);
        kept
    }

    #[test]
    fn what_is_kept_follows_new_lines_forgotten_ones_and_what_is_wanted() {
        let (mut logs, mut found) = (Logs::default(), Found::default());
        let pattern = Pattern::new("odd|rare");
        let odd = Wanted { pattern: pattern.as_ref(), ..Wanted::default() };
        assert!(numbers(&mut found, &logs, 1, odd).is_empty());
        for line in ["even", "odd", "even", "WARN odd"] {
            push(&mut logs, "alice", line);
        }
        assert_eq!(found.lines(&logs, 1, odd), None, "lines came since");
        assert_eq!(numbers(&mut found, &logs, 1, odd), [1, 3]);
        push(&mut logs, "bob", "odd");
        assert_eq!(numbers(&mut found, &logs, 1, odd), [1, 3, 4]);
        let bad = Wanted { level: Level::Warn, ..odd };
        assert_eq!(found.lines(&logs, 1, bad), None, "another level");
        assert_eq!(numbers(&mut found, &logs, 1, bad), [3]);
        let of_bob = Wanted { node: Some("bob"), ..odd };
        assert_eq!(numbers(&mut found, &logs, 1, of_bob), [4]);
        let not = Pattern::new("!odd|rare");
        let even = Wanted { pattern: not.as_ref(), ..Wanted::default() };
        assert_eq!(numbers(&mut found, &logs, 1, even), [0, 2]);
        assert_eq!(numbers(&mut found, &logs, 1, Wanted::default()), [0, 1, 2, 3, 4]);
        assert_eq!(numbers(&mut found, &logs, 1, odd), [1, 3, 4]);
        for _ in 0..MAX_LINES - 2 {
            push(&mut logs, "alice", "even");
        }
        assert_eq!(numbers(&mut found, &logs, 1, odd), [3, 4]);
    }

    #[test]
    fn another_devnet_and_an_earlier_moment_are_looked_at_anew() {
        let (mut logs, mut found) = (Logs::default(), Found::default());
        let pattern = Pattern::new("odd");
        let odd = Wanted { pattern: pattern.as_ref(), ..Wanted::default() };
        push(&mut logs, "alice", "odd");
        let frozen = logs.clone();
        push(&mut logs, "alice", "odd");
        assert_eq!(numbers(&mut found, &logs, 1, odd), [0, 1]);
        assert_eq!(numbers(&mut found, &frozen, 1, odd), [0]);
        assert_eq!(numbers(&mut found, &logs, 1, odd), [0, 1]);
        let mut other = Logs::default();
        push(&mut other, "alice", "even");
        push(&mut other, "alice", "odd");
        assert_eq!(found.lines(&other, 2, odd), None);
        assert_eq!(numbers(&mut found, &other, 2, odd), [1]);
    }
}
