//! Where a play stands, and what of its condition is so already: for who shows more than its texts.

use std::sync::Arc;

use super::{Phase, Play};
use crate::expression::Expression;
use crate::facts::{FACTS, Fact, Known};
use crate::lesson::Step;

/// A part of what is waited for. All parts have to be so at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// As the lesson has it.
    pub text: String,
    /// Whether it is so; none while that is not known.
    pub is_so: Option<bool>,
    /// The facts in it, as they are asked for, and what they say with their units.
    pub facts: Vec<(String, Option<String>)>,
}

impl Play {
    /// Which step it is at, from 1, and of how many. What happens without the learner is no step.
    pub fn place(&self) -> (usize, usize) {
        let is_step = |step: &&Step| !matches!(step, Step::Watch(_));
        let before = self.lesson.steps.iter().take(self.at).filter(is_step).count();
        let all = self.lesson.steps.iter().filter(is_step).count();
        ((before + 1).min(all), all)
    }

    /// What is waited for, part by part, by what is known; empty if nothing is.
    pub fn conditions(&self, known: &Arc<Known>) -> Vec<Condition> {
        let (Phase::Waiting | Phase::Late, Some(Step::Observe(observe))) =
            (self.phase, self.step())
        else {
            return Vec::new();
        };
        parts(observe.until.text()).into_iter().map(|part| Condition::of(part, known)).collect()
    }
}

impl Condition {
    fn of(text: &str, known: &Arc<Known>) -> Self {
        let is_so = Expression::parse(text).ok().and_then(|part| part.is_true(known).ok());
        let facts = asked(text).into_iter().map(|(asked, fact)| {
            let value = Expression::parse(&asked).ok().and_then(|fact| fact.value(known).ok());
            (asked, value.map(|value| fact.words(&value)))
        });
        Self { text: text.into(), is_so, facts: facts.collect() }
    }
}

/// The parts of a condition that are joined by `&&` outside of all brackets.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut depth) = (0, 0_usize);
    let mut outside = Outside::default();
    for (at, byte) in text.bytes().enumerate() {
        if !outside.of_quotes(byte) {
            continue;
        }
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'&' if depth == 0 && at >= begin && text[at..].starts_with("&&") => {
                parts.push(text[begin..at].trim());
                begin = at + 2;
            }
            // What is joined by anything weaker is one part.
            b'|' | b'?' if depth == 0 => return vec![text.trim()],
            _ => {}
        }
    }
    parts.push(text[begin..].trim());
    parts
}

/// The facts in a part as they are asked for, each once.
fn asked(text: &str) -> Vec<(String, &'static Fact)> {
    let mut found: Vec<(String, &'static Fact)> = Vec::new();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut outside = Outside::default();
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate() {
        let is_outside = outside.of_quotes(byte);
        let begins = is_outside && is_name(byte) && !is_name(before);
        before = byte;
        if !begins {
            continue;
        }
        let rest = &text[at..];
        let name = &rest[..rest.bytes().position(|byte| !is_name(byte)).unwrap_or(rest.len())];
        let Some(fact) = FACTS.iter().find(|fact| fact.name == name) else { continue };
        let end = if fact.arguments.is_empty() { Some(name.len()) } else { closed(rest) };
        let Some(end) = end else { continue };
        if !found.iter().any(|(asked, _)| *asked == rest[..end]) {
            found.push((rest[..end].to_owned(), fact));
        }
    }
    found
}

/// Behind the bracket that closes the first one of a text.
fn closed(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut outside = Outside::default();
    for (at, byte) in text.bytes().enumerate() {
        if !outside.of_quotes(byte) {
            continue;
        }
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Knows what stands in quotes.
#[derive(Default)]
struct Outside {
    quote: Option<u8>,
}

impl Outside {
    /// Whether the next byte stands outside of them.
    fn of_quotes(&mut self, byte: u8) -> bool {
        match (self.quote, byte) {
            (Some(quote), _) => {
                self.quote = Some(quote).filter(|quote| *quote != byte);
                false
            }
            (None, b'\'' | b'"') => {
                self.quote = Some(byte);
                false
            }
            (None, _) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    #[test]
    fn a_condition_falls_into_parts_and_the_facts_in_them() {
        let text = "delivered('a && b', 'c') >= 5 && links(1, 2) == pow(width, 2) && all_ready";
        let split = ["delivered('a && b', 'c') >= 5", "links(1, 2) == pow(width, 2)", "all_ready"];
        assert_eq!(parts(text), split);
        assert_eq!(parts("(acks && all_ready) || pool > 1.0").len(), 1);
        let names = |text| asked(text).into_iter().map(|(fact, _)| fact).collect::<Vec<_>>();
        assert_eq!(names(split[0]), ["delivered('a && b', 'c')"]);
        assert_eq!(names(split[1]), ["links(1, 2)", "width"]);
        assert_eq!(names("abs(pool / pool - 1.0) < 'rate'"), ["pool"]);
    }

    #[test]
    fn parts_of_all_conditions_can_be_read_and_are_so_as_the_whole_is() {
        let mut known = Known::default();
        for fact in FACTS.iter().filter(|fact| fact.arguments.is_empty()) {
            known.set(fact.name, 3_u8);
        }
        let known = Arc::new(known);
        for step in builtin().iter().flat_map(|lesson| &lesson.steps) {
            let Step::Observe(observe) = step else { continue };
            let whole = observe.until.text();
            for part in parts(whole) {
                Expression::parse(part).unwrap_or_else(|why| panic!("{part}: {why}"));
                let condition = Condition::of(part, &known);
                assert!(!condition.facts.is_empty(), "{part} waits for nothing");
            }
        }
        let condition = Condition::of("pool >= 4.5", &known);
        assert_eq!(condition.is_so, Some(false));
        assert_eq!(condition.facts, [("pool".to_owned(), Some("3 packets".to_owned()))]);
        let condition = Condition::of("state('bob') == 'ready'", &known);
        assert_eq!((condition.is_so, condition.facts[0].1.as_ref()), (None, None));
    }
}
