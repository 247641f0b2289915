//! Whether an answer is right.

use std::sync::Arc;

use crate::expression::{NoValue, Value};
use crate::facts::Known;
use crate::lesson::Predict;
use crate::text::counted;

/// What becomes of a line that was to be an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Judged {
    /// It is one.
    Answered {
        /// Whether it is right.
        right: bool,
        /// What is, with its unit.
        answer: String,
    },
    /// It is none; what would be, in words.
    Unclear { expected: String },
    /// What is right is not known yet.
    Unknown,
    /// What is right can never be known.
    Broken(String),
}

/// Judges a line.
pub(super) fn judge(predict: &Predict, known: &Arc<Known>, line: &str) -> Judged {
    let value = match predict.answer.value(known) {
        Ok(value) => value,
        Err(NoValue::Unknown) => return Judged::Unknown,
        Err(NoValue::Broken(why)) => return Judged::Broken(why),
    };
    let unclear = |expected: &str| Judged::Unclear { expected: expected.into() };
    let answered = |right: bool, answer: String| Judged::Answered { right, answer };
    match value {
        Value::Number(right) => match number(line, &predict.unit) {
            Some(said) => {
                answered(predict.tolerance.allows(said, right), counted(right, &predict.unit))
            }
            None => unclear(&example(predict, right)),
        },
        Value::Truth(right) => match line.to_ascii_lowercase().as_str() {
            "y" | "yes" => answered(right, Value::Truth(right).to_string()),
            "n" | "no" => answered(!right, Value::Truth(right).to_string()),
            _ => unclear("`yes` or `no`"),
        },
        Value::Text(right) => {
            let choices = &predict.choices;
            let Some(place) = choices.iter().position(|choice| *choice == right) else {
                return Judged::Broken(format!("`{right}` cannot be chosen"));
            };
            let by_number = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let by_text = || choices.iter().position(|choice| choice.eq_ignore_ascii_case(line));
            match by_number.or_else(by_text).filter(|said| *said < choices.len()) {
                Some(said) => answered(said == place, right),
                None => unclear(&format!("a number from 1 to {}", choices.len())),
            }
        }
    }
}

/// Numbers that show how one is written.
const EXAMPLES: [f64; 3] = [12.0, 2.5, 40.0];

/// What would be an answer, and never is the right one.
fn example(predict: &Predict, right: f64) -> String {
    match EXAMPLES.iter().find(|example| !predict.tolerance.allows(**example, right)) {
        Some(example) => format!("a number, such as `{example}`"),
        None => "a number".into(),
    }
}

/// The line that is right, and one that is not.
pub(super) fn wrong_of(predict: &Predict, known: &Arc<Known>) -> Result<(String, String), NoValue> {
    Ok(match predict.answer.value(known)? {
        Value::Number(right) => {
            (right.to_string(), (right + 2.0 * predict.tolerance.at(right)).to_string())
        }
        Value::Truth(right) => (word(right).into(), word(!right).into()),
        Value::Text(right) => {
            let other = predict.choices.iter().find(|choice| **choice != right);
            (right, other.cloned().unwrap_or_default())
        }
    })
}

fn word(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// The number that a line says, with or without its unit, with a point or a comma, or as a fraction.
fn number(line: &str, unit: &str) -> Option<f64> {
    let line = line.strip_suffix(unit).unwrap_or(line);
    let line = if unit == "percent" { line.strip_suffix('%').unwrap_or(line) } else { line };
    let one = |text: &str| text.trim().replace(',', ".").parse::<f64>().ok();
    let number = match line.split_once('/') {
        Some((above, below)) => one(above)? / one(below)?,
        None => one(line)?,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expression;
    use crate::lesson::Tolerance;
    use crate::text::Text;

    fn predict(answer: &str, unit: &str, choices: &[&str]) -> Predict {
        let text = || Text::parse("?").expect("a text");
        Predict {
            question: text(),
            answer: Expression::parse(answer).expect(answer),
            unit: unit.into(),
            tolerance: Tolerance { percent: 15.0, by: 0.0 },
            choices: choices.iter().map(|choice| (*choice).into()).collect(),
            hints: Vec::new(),
            because: text(),
        }
    }

    #[test]
    fn no_example_of_an_answer_is_the_right_one() {
        for right in [8.0, 12.0, 2.5, 40.0] {
            let predict = predict(&format!("{right}"), "", &[]);
            let Judged::Unclear { expected } = judge(&predict, &Arc::default(), "many") else {
                panic!("{right}")
            };
            let shown = expected.split('`').nth(1).and_then(|shown| shown.parse().ok());
            let shown = shown.expect("an example");
            assert!(!predict.tolerance.allows(shown, right), "{expected}");
        }
    }

    fn is_right(predict: &Predict, line: &str) -> Option<bool> {
        let mut known = Known::default();
        known.set("layers", 3_u8);
        match judge(predict, &Arc::new(known), line) {
            Judged::Answered { right, .. } => Some(right),
            Judged::Unclear { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_right_within_their_tolerance() {
        let predict = predict("layers * 2.0", "packets", &[]);
        for (line, right) in [
            ("6", Some(true)),
            ("6.9", Some(true)),
            ("5,2 packets", Some(true)),
            ("12/2", Some(true)),
            ("6 / 0", None),
            ("6 %", None),
            ("7", Some(false)),
            ("-6", Some(false)),
            ("six", None),
            ("", None),
            ("inf", None),
        ] {
            assert_eq!(is_right(&predict, line), right, "{line}");
        }
        let predict = self::predict("layers * 2.0", "percent", &[]);
        assert_eq!(is_right(&predict, "6 %"), Some(true));
    }

    #[test]
    fn a_choice_is_a_number_or_its_text() {
        let predict = predict("layers > 2.0 ? 'deep' : 'flat'", "", &["flat", "deep"]);
        for (line, right) in
            [("2", Some(true)), ("Deep", Some(true)), ("1", Some(false)), ("3", None), ("0", None)]
        {
            assert_eq!(is_right(&predict, line), right, "{line}");
        }
    }

    #[test]
    fn yes_and_no_are_words_or_letters() {
        let predict = predict("layers > 2.0", "", &[]);
        for (line, right) in
            [("y", Some(true)), ("YES", Some(true)), ("no", Some(false)), ("1", None)]
        {
            assert_eq!(is_right(&predict, line), right, "{line}");
        }
    }

    #[test]
    fn the_machine_knows_a_wrong_answer() {
        let mut known = Known::default();
        known.set("layers", 3_u8);
        let known = Arc::new(known);
        for predict in [
            predict("layers * 2.0", "", &[]),
            predict("layers - 3.0", "", &[]),
            // Of a large number more is allowed, for it has as many digits.
            Predict { tolerance: Tolerance::default(), ..predict("layers * 1e6", "", &[]) },
            predict("layers > 2.0", "", &[]),
            predict("'a'", "", &["a", "b"]),
        ] {
            let (right, wrong) = wrong_of(&predict, &known).expect("it is known");
            assert_eq!(is_right(&predict, &right), Some(true), "{predict:?}");
            assert_eq!(is_right(&predict, &wrong), Some(false), "{predict:?}");
        }
    }
}
