//! Packets that nodes gave up, by reason.

use std::collections::BTreeMap;

use super::ring::{Ring, Window};

/// Reasons that are kept of all nodes in a step. A node has ten; a command from outside may think of
/// any number.
const MAX_REASONS: usize = 2000;

/// How much of a reason is kept, in characters.
const MAX_REASON_CHARS: usize = 40;

/// Packets given up by node and reason.
type Counts = BTreeMap<(String, String), u64>;

/// Packets that nodes gave up since somebody looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    steps: Ring<Counts>,
}

/// What a node gave up for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The node.
    pub(crate) node: String,
    /// Why: `mac`, `replay`, `queue`, …
    pub(crate) reason: String,
    /// How many packets.
    pub(crate) count: u64,
}

impl Losses {
    /// A process counted more than in its report before.
    pub(super) fn count(
        &mut self,
        node: &str,
        at: i64,
        before: &BTreeMap<String, u64>,
        now: &BTreeMap<String, u64>,
    ) {
        for (reason, count) in now {
            let more = count.checked_sub(before.get(reason).copied().unwrap_or(0));
            let Some(more) = more.filter(|more| *more > 0) else { continue };
            let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
            let step = self.steps.record(at);
            let key = (node.to_owned(), reason);
            if step.len() < MAX_REASONS || step.contains_key(&key) {
                let sum = step.entry(key).or_default();
                *sum = sum.saturating_add(more);
            }
        }
    }

    pub(super) fn forget(&mut self, node: &str) {
        for step in self.steps.cells_mut() {
            step.retain(|(of, _), _| of != node);
        }
    }

    /// What was given up in a window, the most first.
    pub(crate) fn window(&self, window: Window, now: i64) -> Vec<Lost> {
        let mut sums: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for ((node, reason), count) in self.steps.window(window, now).flatten() {
            let sum = sums.entry((node, reason)).or_default();
            *sum = sum.saturating_add(*count);
        }
        let mut lost: Vec<Lost> = sums
            .into_iter()
            .map(|((node, reason), count)| Lost { node: node.into(), reason: reason.into(), count })
            .collect();
        lost.sort_by_key(|lost| std::cmp::Reverse(lost.count));
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
    }

    fn words(losses: &Losses, now: i64) -> Vec<String> {
        let lost = losses.window(Window::Minute, now).into_iter();
        lost.map(|lost| format!("{} {} {}", lost.node, lost.reason, lost.count)).collect()
    }

    #[test]
    fn what_was_given_up_is_the_difference_of_two_reports() {
        let mut losses = Losses::default();
        losses.count("a", 1000, &dropped(&[("mac", 5)]), &dropped(&[("mac", 7), ("replay", 1)]));
        losses.count("a", 1011, &dropped(&[("mac", 7)]), &dropped(&[("mac", 8)]));
        losses.count("b", 1012, &dropped(&[("mac", 9)]), &dropped(&[("mac", 2), ("queue", 0)]));
        assert_eq!(words(&losses, 1012), ["a mac 3", "a replay 1"]);
        assert_eq!(words(&losses, 1069), ["a mac 1"], "the rest is longer ago");
        losses.forget("a");
        assert!(words(&losses, 1012).is_empty());
    }

    #[test]
    fn reasons_without_end_are_bounded() {
        let mut losses = Losses::default();
        for number in 0..MAX_REASONS + 10 {
            let reason = format!("{number:0>50}");
            losses.count("a", 1000, &dropped(&[]), &dropped(&[(&reason, 1)]));
        }
        // 40 characters of 50: all reasons begin with them.
        assert_eq!(words(&losses, 1000).len(), 1);
        for number in 0..MAX_REASONS + 10 {
            losses.count("a", 1000, &dropped(&[]), &dropped(&[(&number.to_string(), 1)]));
        }
        assert_eq!(words(&losses, 1000).len(), MAX_REASONS);
    }
}
