//! The functions that expressions of lessons may use besides facts. The page for who writes lessons comes
//! from here.

/// A function of numbers.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it comes to, in words.
    pub says: &'static str,
    pub(crate) compute: Compute,
}

/// How a function computes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compute {
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
    /// Words for a number.
    Words(fn(f64) -> String),
}

impl Function {
    /// How it is asked: `abs(x)`, `max(x, y)`.
    pub fn usage(&self) -> String {
        let arguments = match self.compute {
            Compute::One(_) | Compute::Words(_) => "x",
            Compute::Two(_) => "x, y",
        };
        format!("{}({arguments})", self.name)
    }
}

const fn one(name: &'static str, compute: fn(f64) -> f64, says: &'static str) -> Function {
    Function { name, says, compute: Compute::One(compute) }
}

const fn two(name: &'static str, compute: fn(f64, f64) -> f64, says: &'static str) -> Function {
    Function { name, says, compute: Compute::Two(compute) }
}

const fn words(name: &'static str, compute: fn(f64) -> String, says: &'static str) -> Function {
    Function { name, says, compute: Compute::Words(compute) }
}

/// Every function.
pub const FUNCTIONS: &[Function] = &[
    one("abs", f64::abs, "The number without its sign."),
    one("ceil", f64::ceil, "The next whole number that is not smaller."),
    one("log2", f64::log2, "The logarithm to the base of 2."),
    two("max", f64::max, "The greater one."),
    two("min", f64::min, "The smaller one."),
    words("odds_in_words", vantage::odds_in_words, "Odds to one as people say them: `1 : 3.5`."),
    two("pow", f64::powf, "The first to the power of the second."),
];
