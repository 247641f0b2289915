//! Reading a lesson's file: strictly, and with the place of what is wrong.

use std::fmt;
use std::sync::Arc;

use crate::expression::Value;
use crate::lesson::{Lesson, Predict, Sabotage, Step};

/// The longest file, in bytes: several times the longest lesson.
pub const MAX_LESSON_BYTES: u64 = 64 * 1024;

/// What is wrong with a lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LessonError {
    /// The file.
    pub file: String,
    /// Line and column, from 1, if it is about a place.
    pub place: Option<(usize, usize)>,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl fmt::Display for LessonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Lesson {
    /// Reads one. `file` is what it is called in errors.
    pub fn read(file: &str, text: &str) -> Result<Self, LessonError> {
        let error = |place, message| LessonError { file: file.into(), place, message };
        if !u64::try_from(text.len()).is_ok_and(|bytes| bytes <= MAX_LESSON_BYTES) {
            return Err(error(None, format!("it has more than {MAX_LESSON_BYTES} bytes")));
        }
        let lesson: Self = toml::from_str(text).map_err(|wrong| {
            let place = wrong.span().map(|span| {
                let named = named_in_expression(wrong.message());
                let at = named.and_then(|name| word_from(text, span.start, name));
                place(text, at.unwrap_or(span.start))
            });
            error(place, wrong.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        lesson.check().map_err(|message| error(None, message))?;
        Ok(lesson)
    }

    /// What types cannot say.
    fn check(&self) -> Result<(), String> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.slug.is_empty() || !self.slug.chars().all(is_word) {
            return Err(format!("`{}` is no name of small letters", self.slug));
        }
        if !(1..=4).contains(&self.minutes) {
            return Err("a lesson takes one to four minutes".into());
        }
        if !(1..=10).contains(&self.faster) {
            return Err("a machine is one to ten times faster".into());
        }
        for step in &self.steps {
            if let Step::Predict(predict) = step {
                predict.check()?;
            }
            if let Step::Watch(watch) = step
                && let Some(who) = &watch.who
            {
                who.parse::<vantage::Who>().map_err(|error| format!("`{who}`: {error}"))?;
            }
        }
        for sabotage in &self.sabotages {
            self.check_sabotage(sabotage)?;
        }
        if self.steps.is_empty() {
            return Err("it has no step".into());
        }
        Ok(())
    }

    /// Something is observed after the act that is sabotaged, and something is sabotaged.
    fn check_sabotage(&self, sabotage: &Sabotage) -> Result<(), String> {
        let name = &sabotage.instead_of;
        let is_it = |step: &Step| matches!(step, Step::Act(act) if act.name == *name);
        let Some(at) = self.steps.iter().position(is_it).filter(|_| !name.is_empty()) else {
            return Err(format!("there is no act `{name}` to sabotage"));
        };
        if self.steps.iter().filter(|step| is_it(step)).count() > 1 {
            return Err(format!("there are several acts `{name}` to sabotage"));
        }
        if !self.steps[at..].iter().any(|step| matches!(step, Step::Observe(_))) {
            return Err(format!("nothing is observed after the act `{name}` that is sabotaged"));
        }
        if sabotage.actions.is_none() && sabotage.layers.is_none() && !sabotage.faithful {
            return Err(format!("the sabotage of `{name}` changes nothing"));
        }
        Ok(())
    }
}

impl Predict {
    fn check(&self) -> Result<(), String> {
        let Self { choices, tolerance, answer, .. } = self;
        if choices.len() == 1 {
            return Err(format!("`{}` has one choice", answer.text()));
        }
        // What depends on no fact is known already.
        let fixed = answer.value(&Arc::default()).ok();
        let is_choice = |value: &Value| match value {
            Value::Text(text) => choices.contains(text),
            Value::Number(_) | Value::Truth(_) => choices.is_empty(),
        };
        if let Some(value) = fixed.filter(|value| !is_choice(value)) {
            let known = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>();
            let known = if known.is_empty() { "there are none".into() } else { known.join(", ") };
            return Err(format!("the answer `{value}` is none of the choices: {known}"));
        }
        if tolerance.percent < 0.0 || tolerance.by < 0.0 {
            return Err(format!("`{}` has a tolerance below zero", answer.text()));
        }
        Ok(())
    }
}

/// The name that an expression must not have, where that is what is wrong. The reader knows only in which table.
fn named_in_expression(message: &str) -> Option<&str> {
    let (name, rest) = message.strip_prefix('`')?.split_once("` is ")?;
    let is_of_expression = ["no fact", "neither a function", "asked as"];
    is_of_expression.iter().any(|why| rest.starts_with(why)).then_some(name)
}

/// Where a word stands first behind a place.
fn word_from(text: &str, from: usize, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let rest = text.get(from..)?;
    let found = rest.match_indices(word).find(|(at, _)| {
        let before = rest[..*at].chars().next_back();
        let after = rest[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    });
    found.map(|(at, _)| from + at)
}

/// Line and column of a byte of a text, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
