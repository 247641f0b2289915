//! Words of numbers, and texts with places that expressions fill.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::expression::Expression;
use crate::facts::Known;

/// What stands where something is not known.
const UNKNOWN: &str = "-";

/// A text of a lesson. What stands in braces is an expression: `{pool}` becomes the number.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(String),
    Filled(Expression),
}

impl Text {
    /// Reads one, or says what is wrong with it. Lines that follow each other are one paragraph.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.trim();
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) =
                after.split_once('}').ok_or_else(|| format!("`{{{}` has no end", after.trim()))?;
            pieces.push(Piece::Plain(before.into()));
            // A line may end within it.
            let inside = inside.split_whitespace().collect::<Vec<_>>().join(" ");
            pieces.push(Piece::Filled(Expression::parse(&inside)?));
            rest = behind;
        }
        pieces.push(Piece::Plain(rest.into()));
        Ok(Self { pieces })
    }

    /// With what is known filled in, a paragraph each.
    pub fn filled(&self, known: &Arc<Known>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Filled(expression) => match expression.value(known) {
                    Ok(value) => text.push_str(&value.to_string()),
                    Err(_) => text.push_str(UNKNOWN),
                },
            }
        }
        let paragraphs = text.split("\n\n");
        let joined =
            paragraphs.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
        joined.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Plain(_) => None,
            Piece::Filled(expression) => Some(expression),
        })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A number as people read it: whole, or with three digits that count.
pub(crate) fn number(number: f64) -> String {
    if (number - number.round()).abs() < 1e-9 {
        return format!("{:.0}", number + 0.0);
    }
    let digits = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        _ => 4,
    };
    format!("{number:.digits$}")
}

/// A number with its unit, which for one is in the singular: `1 packet a second`.
pub(crate) fn counted(count: f64, unit: &str) -> String {
    let shown = number(count);
    let end = unit.find([' ', '/']).unwrap_or(unit.len());
    let (first, rest) = unit.split_at(end);
    let one = match (first.strip_suffix("ies"), first.strip_suffix('s')) {
        _ if shown != "1" => first.to_owned(),
        (Some(head), _) => format!("{head}y"),
        // The `s` of seconds stands alone.
        (None, Some(head)) if !head.is_empty() => head.to_owned(),
        _ => first.to_owned(),
    };
    format!("{shown} {one}{rest}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        let numbers = [0.0, -0.0, 3.0, 1234.0, 1234.5, 12.345, 5.987, 0.0664, 0.25];
        let shown = ["0", "0", "3", "1234", "1234", "12.3", "5.99", "0.0664", "0.250"];
        assert_eq!(numbers.map(number), shown);
    }

    #[test]
    fn one_is_no_plural() {
        let units = ["packets/s", "packets a second", "identities", "s", "B/s", "bits", ""];
        let one = ["1 packet/s", "1 packet a second", "1 identity", "1 s", "1 B/s", "1 bit", "1"];
        assert_eq!(units.map(|unit| counted(1.0, unit)), one);
        assert_eq!(counted(2.0, "ways"), "2 ways");
        assert_eq!(counted(0.5, "ways"), "0.500 ways");
    }

    #[test]
    fn places_are_filled_and_lines_joined() {
        let mut known = Known::default();
        known.set("layers", 3_u8);
        let text = Text::parse("  There are {layers} layers,\nand {pool} packets.\n\nYes. ");
        let text = text.expect("a text");
        assert_eq!(text.filled(&Arc::new(known)), "There are 3 layers, and - packets.\n\nYes.");
        assert_eq!(text.expressions().count(), 2);
        assert!(Text::parse("{layers").expect_err("open").contains("no end"));
        assert!(Text::parse("{nothing}").expect_err("unknown").contains("no fact"));
    }
}
