//! What somebody looks for in lines: a regular expression, or a text where it is none.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::filter;

/// Most memory of a compiled expression, in bytes: what is typed is short, what it means need not be.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// What is looked for, in any case of letters.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// It is to be there; with a `!` in front of it, it is not.
    wanted: bool,
    /// It is no regular expression, and taken as it stands.
    literal: bool,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.regex.as_str(), self.wanted) == (other.regex.as_str(), other.wanted)
    }
}

impl Pattern {
    /// What was typed; none if nothing was.
    pub(crate) fn new(typed: &str) -> Option<Self> {
        let (needle, wanted) = filter::wanted(typed);
        if needle.is_empty() {
            return None;
        }
        let compiled = compile(needle);
        let literal = compiled.is_err();
        let regex = compiled.or_else(|_| compile(&regex::escape(needle))).ok()?;
        Some(Self { regex, wanted, literal })
    }

    /// Whether it lets something with these texts pass.
    pub(crate) fn takes(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.regex.is_match(text)) == self.wanted
    }

    /// Whether it is in a text. A `!` does not matter here.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Where it is in a text.
    pub(crate) fn places(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }

    /// Whether it is no regular expression.
    pub(crate) fn is_literal(&self) -> bool {
        self.literal
    }
}

fn compile(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).case_insensitive(true).size_limit(MAX_COMPILED_BYTES).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_a_text_and_what_must_not_be_there() {
        let takes = |typed: &str, text: &str| Pattern::new(typed).map(|found| found.takes(&[text]));
        assert_eq!(takes("", "anything"), None);
        assert_eq!(takes("!", "anything"), None);
        assert_eq!(takes("WARN|error", "an Error"), Some(true));
        assert_eq!(takes("!error", "an Error"), Some(false));
        assert_eq!(takes("!error", "fine"), Some(true));
        // No expression, so what it says.
        assert_eq!(takes("f(", "f(x)"), Some(true));
        assert_eq!(takes("f(", "fx"), Some(false));
        assert!(Pattern::new("f(").is_some_and(|pattern| pattern.is_literal()));
        // More than an expression may take is a text too.
        assert_eq!(takes(r"\w{1000}{1000}", r"\w{1000}{1000}"), Some(true));
    }

    #[test]
    fn places_are_ranges_of_bytes_and_never_empty() {
        let pattern = Pattern::new("é|x*").expect("a pattern");
        assert_eq!(pattern.places("aéxx").collect::<Vec<_>>(), [1..3, 3..5]);
    }
}
