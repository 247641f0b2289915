//! Expressions of lessons: a condition on the network, or the number that answers a question.
//!
//! They are written in CEL, the Common Expression Language, over the facts in [`FACTS`](crate::FACTS) and a
//! few functions. What else an expression names is refused when the lesson is read.

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, ResolveResult};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::facts::{FACTS, Known, Missing};
use crate::functions::{Compute, FUNCTIONS};

/// What the language itself brings, built once.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Operators of the language, as they are called in its syntax tree; the last one is conditional.
const OPERATORS: [&str; 16] = [
    "_+_", "_-_", "_*_", "_/_", "_%_", "-_", "!_", "_&&_", "_||_", "_==_", "_!=_", "_<_", "_<=_",
    "_>_", "_>=_", "_?_:_",
];

/// What an unknown fact is called inside the interpreter, which knows only errors.
const UNKNOWN: &str = "not known yet";

/// The longest expression, in bytes: what fits into three lines. It also bounds how deep it is nested.
const MAX_BYTES: usize = 300;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number; whole ones too.
    Number(f64),
    /// Whether something is so.
    Truth(bool),
    /// A word.
    Text(String),
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// A fact in it is not known yet.
    Unknown,
    /// It cannot have one, such as a sum of a number and a word.
    Broken(String),
}

/// An expression that names only what there is.
#[derive(Clone)]
pub struct Expression {
    text: String,
    program: Arc<Program>,
}

impl Expression {
    /// Reads one, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("an expression has at most {MAX_BYTES} bytes"));
        }
        let program = ENV.compile(text).map_err(|errors| {
            format!("`{text}` is no expression: {}", first_line(&errors.to_string()))
        })?;
        let references = program.references();
        let mut variables = references.variables();
        let mut functions = references.functions();
        variables.sort_unstable();
        functions.sort_unstable();
        for name in variables {
            match FACTS.iter().find(|fact| fact.name == name) {
                Some(fact) if fact.arguments.is_empty() => {}
                Some(fact) => return Err(format!("`{name}` is asked as `{}`", fact.usage())),
                None => return Err(format!("`{name}` is no fact{}", near(name))),
            }
        }
        for name in functions {
            let is_fact = FACTS.iter().any(|fact| fact.name == name && !fact.arguments.is_empty());
            let is_function = FUNCTIONS.iter().any(|function| function.name == name);
            if !is_fact && !is_function && !OPERATORS.contains(&name) {
                let near = near(name);
                return Err(format!(
                    "`{name}` is neither a function nor a fact that is asked so{near}"
                ));
            }
        }
        Ok(Self { text: text.into(), program: Arc::new(program) })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names of the facts in it.
    pub fn facts(&self) -> impl Iterator<Item = &'static str> {
        let references = self.program.references();
        FACTS
            .iter()
            .map(|fact| fact.name)
            .filter(move |name| references.has_variable(name) || references.has_function(name))
    }

    /// What it comes to.
    pub fn value(&self, known: &Arc<Known>) -> Result<Value, NoValue> {
        let value = self.program.execute(&context(known)).map_err(|error| match error {
            ExecutionError::UndeclaredReference(_) => NoValue::Unknown,
            ExecutionError::FunctionError { message, .. } if message == UNKNOWN => NoValue::Unknown,
            error => NoValue::Broken(format!("`{}`: {error}", self.text)),
        })?;
        match value {
            cel::Value::Bool(is) => Ok(Value::Truth(is)),
            cel::Value::String(text) => Ok(Value::Text(text.to_string())),
            value => match number(&value) {
                Some(number) if number.is_finite() => Ok(Value::Number(number)),
                // A division by what is still zero.
                Some(_) => Err(NoValue::Unknown),
                None => Err(NoValue::Broken(format!("`{}` is a {}", self.text, value.type_of()))),
            },
        }
    }

    /// Whether it is so.
    pub fn is_true(&self, known: &Arc<Known>) -> Result<bool, NoValue> {
        match self.value(known)? {
            Value::Truth(is) => Ok(is),
            other => Err(NoValue::Broken(format!("`{}` is {other}, no condition", self.text))),
        }
    }
}

/// Names that are less alike than this are another word, not a misspelt one.
const ALIKE: f64 = 0.8;

/// A question for what was meant, if a name is like it.
fn near(name: &str) -> String {
    let facts = FACTS.iter().map(|fact| (fact.name, fact.usage()));
    let functions = FUNCTIONS.iter().map(|function| (function.name, function.usage()));
    let alike = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = facts
        .chain(functions)
        .filter(|(known, _)| *known != name && alike(known) >= ALIKE)
        .max_by(|(one, _), (other, _)| alike(one).total_cmp(&alike(other)));
    nearest.map_or_else(String::new, |(_, usage)| format!("; did you mean `{usage}`?"))
}

/// Everything that an expression can name.
fn context(known: &Arc<Known>) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(&ENV));
    for (name, value) in known.plain() {
        context.add_variable_from_value(name, to_cel(value));
    }
    for fact in FACTS.iter().filter(|fact| !fact.arguments.is_empty()) {
        let known = Arc::clone(known);
        let look = move |key: &[&cel::Value]| -> ResolveResult {
            let key = key.iter().map(|part| key_text(part)).collect::<Option<Vec<_>>>();
            let key = key.ok_or_else(|| {
                let usage = format!("it is asked as `{}`", fact.usage());
                ExecutionError::function_error(fact.name, usage)
            })?;
            match (known.of(fact.name, &key), fact.missing) {
                (Some(value), _) => Ok(to_cel(value)),
                (None, Missing::Zero) => Ok(cel::Value::Float(0.0)),
                (None, Missing::Unknown) => Err(ExecutionError::function_error(fact.name, UNKNOWN)),
            }
        };
        let added = match fact.arguments.len() {
            1 => context.add_function(fact.name, move |one: cel::Value| look(&[&one])),
            _ => context.add_function(fact.name, move |one: cel::Value, other: cel::Value| {
                look(&[&one, &other])
            }),
        };
        added.expect("no fact has the name of an operator");
    }
    for function in FUNCTIONS {
        let name = function.name;
        let added = match function.compute {
            Compute::One(compute) => {
                context.add_function(name, move |x: cel::Value| of_one(name, &x, compute))
            }
            Compute::Words(compute) => {
                context.add_function(name, move |x: cel::Value| words_of(name, &x, compute))
            }
            Compute::Two(compute) => context
                .add_function(name, move |x: cel::Value, y: cel::Value| {
                    of_two(name, &x, &y, compute)
                }),
        };
        added.expect("no function has the name of an operator");
    }
    context
}

fn of_one(name: &str, x: &cel::Value, compute: fn(f64) -> f64) -> ResolveResult {
    let x = number(x).ok_or_else(|| ExecutionError::function_error(name, "it takes a number"))?;
    Ok(cel::Value::Float(compute(x)))
}

fn words_of(name: &str, x: &cel::Value, compute: fn(f64) -> String) -> ResolveResult {
    let x = number(x).ok_or_else(|| ExecutionError::function_error(name, "it takes a number"))?;
    Ok(cel::Value::String(Arc::new(compute(x))))
}

fn of_two(
    name: &str,
    x: &cel::Value,
    y: &cel::Value,
    compute: fn(f64, f64) -> f64,
) -> ResolveResult {
    let both = number(x).zip(number(y));
    let (x, y) =
        both.ok_or_else(|| ExecutionError::function_error(name, "it takes two numbers"))?;
    Ok(cel::Value::Float(compute(x, y)))
}

fn number(value: &cel::Value) -> Option<f64> {
    match value {
        cel::Value::Float(number) => Some(*number),
        // Whole numbers of lessons are small.
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        cel::Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}

/// What a keyed fact is asked for: a name, or a number such as that of a layer.
fn key_text(value: &cel::Value) -> Option<String> {
    match value {
        cel::Value::String(text) => Some(text.to_string()),
        value => number(value).map(|number| number.to_string()),
    }
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Number(number) => cel::Value::Float(*number),
        Value::Truth(is) => cel::Value::Bool(*is),
        Value::Text(text) => cel::Value::String(Arc::new(text.clone())),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&crate::text::number(*number)),
            Self::Truth(true) => f.write_str("yes"),
            Self::Truth(false) => f.write_str("no"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(UNKNOWN),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Arc<Known> {
        let mut known = Known::default();
        known.set("layers", 3_u8);
        known.set("width", 2_u8);
        known.set("acks", true);
        known.set_of("delivered", &["alice", "bob"], 5_u8);
        known.set_of("state", &["bob"], "ready");
        Arc::new(known)
    }

    fn value(text: &str) -> Result<Value, NoValue> {
        Expression::parse(text).expect(text).value(&known())
    }

    #[test]
    fn what_is_known_is_computed_with() {
        assert_eq!(value("pow(width, layers)"), Ok(Value::Number(8.0)));
        assert_eq!(value("layers * 2.0 + 1.0"), Ok(Value::Number(7.0)));
        assert_eq!(value("delivered('alice', 'bob') >= 5"), Ok(Value::Truth(true)));
        assert_eq!(value("state('bob') == 'ready' && acks"), Ok(Value::Truth(true)));
        assert_eq!(value("acks ? 'with' : 'without'"), Ok(Value::Text("with".into())));
        assert_eq!(value("log2(8) + max(1, layers) - abs(-2)"), Ok(Value::Number(4.0)));
    }

    #[test]
    fn what_is_not_known_is_zero_where_it_is_counted_and_else_unknown() {
        assert_eq!(value("delivered('bob', 'alice')"), Ok(Value::Number(0.0)));
        assert_eq!(value("pool > 1.0"), Err(NoValue::Unknown));
        assert_eq!(value("state('carol') == 'ready'"), Err(NoValue::Unknown));
        assert_eq!(value("layers / delivered('bob', 'alice')"), Err(NoValue::Unknown));
    }

    #[test]
    fn what_can_have_no_value_says_why() {
        assert!(matches!(value("layers + 'x'"), Err(NoValue::Broken(_))));
        assert!(matches!(value("log2('x')"), Err(NoValue::Broken(_))));
        let known = known();
        let number = Expression::parse("layers").expect("a fact");
        assert!(matches!(number.is_true(&known), Err(NoValue::Broken(_))));
    }

    #[test]
    fn only_what_there_is_may_be_named() {
        for (wrong, why) in [
            ("layer", "is no fact"),
            ("delivered", "is asked as"),
            ("layers +", "is no expression"),
            ("layers()", "neither"),
            ("size('x')", "neither"),
            ("[layers].map(x, x)", "no fact"),
            (&"1+".repeat(200), "at most"),
        ] {
            let error = Expression::parse(wrong).expect_err(wrong);
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
