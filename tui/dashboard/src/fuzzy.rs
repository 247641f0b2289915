//! Finding names by some of their letters, best first, and which letters those are.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is looked for: words of which each is to be found, letter by letter in order.
pub(crate) struct Search {
    words: Pattern,
    /// The same in one piece, where the letters stand together.
    whole: String,
    matcher: Matcher,
}

/// How well something fits, better ones greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// Its description says it.
    Description,
    /// Its name has the letters, with this score.
    Name(u32),
}

impl Search {
    /// For this text.
    pub(crate) fn new(text: &str) -> Self {
        let ignore = CaseMatching::Ignore;
        Self {
            words: Pattern::new(text, ignore, Normalization::Smart, AtomKind::Fuzzy),
            whole: text.trim().to_lowercase(),
            matcher: Matcher::new(Config::DEFAULT),
        }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// How well something fits; none if it does not.
    pub(crate) fn fit(&mut self, name: &str, description: &str) -> Option<Fit> {
        let mut room = Vec::new();
        let letters = Utf32Str::new(name, &mut room);
        if let Some(score) = self.words.score(letters, &mut self.matcher) {
            return Some(Fit::Name(score));
        }
        description.to_lowercase().contains(&self.whole).then_some(Fit::Description)
    }

    /// The letters of a name that were looked for, by their number, in order.
    pub(crate) fn letters(&mut self, name: &str) -> Vec<usize> {
        let mut room = Vec::new();
        let mut found = Vec::new();
        let letters = Utf32Str::new(name, &mut room);
        if self.words.indices(letters, &mut self.matcher, &mut found).is_none() {
            return Vec::new();
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|letter| usize::try_from(letter).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_order_and_descriptions_come_after_names() {
        let mut search = Search::new("Log show");
        assert!(matches!(search.fit("show-logs", ""), Some(Fit::Name(_))));
        assert_eq!(search.fit("mix-1-1", ""), None);
        let mut search = Search::new("heartbeat");
        assert_eq!(search.fit("show-presence", "Heartbeats as they come"), Some(Fit::Description));
        assert!(Search::new("").fit("anything", "") > Some(Fit::Description));
        let mut search = Search::new("start");
        assert!(search.fit("start-node", "") > search.fit("restart-node", ""));
    }

    #[test]
    fn the_letters_that_were_looked_for_are_named() {
        assert_eq!(Search::new("klnd").letters("kill-node"), [0, 2, 5, 7]);
        assert!(Search::new("x").letters("kill-node").is_empty());
        assert_eq!(Search::new("éß").letters("aéößs"), [1, 3]);
    }
}
