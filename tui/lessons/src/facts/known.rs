//! What is known at one moment, by the names of facts.

use std::collections::BTreeMap;

use crate::expression::Value;

/// Values of facts. What is missing is not known, or is zero where it is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    plain: BTreeMap<&'static str, Value>,
    keyed: BTreeMap<(&'static str, Vec<String>), Value>,
}

impl Known {
    /// A fact that is asked for by its name alone.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.plain.insert(name, value.into());
    }

    /// The same, if it is known.
    pub(crate) fn set_if(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// A fact about something.
    pub(crate) fn set_of(&mut self, name: &'static str, of: &[&str], value: impl Into<Value>) {
        let of = of.iter().map(|&part| part.to_owned()).collect();
        self.keyed.insert((name, of), value.into());
    }

    /// Facts that are asked for by their names alone.
    pub fn plain(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.plain.iter().map(|(name, value)| (*name, value))
    }

    /// A fact about something, if it is known.
    pub fn of(&self, name: &'static str, of: &[String]) -> Option<&Value> {
        self.keyed.get(&(name, of.to_vec()))
    }

    /// The names of everything that is known.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.plain.keys().copied().chain(self.keyed.keys().map(|(name, _)| *name))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(number.into())
            }
        }
    )*};
}

numbers!(u8, u16, u32, f64);

impl From<u64> for Value {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn from(count: u64) -> Self {
        Self::Number(count as f64)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Truth(is)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
