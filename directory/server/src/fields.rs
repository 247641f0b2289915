//! Reading a JSON object the way the original did, with its words for what is wrong.
//!
//! Names are compared without regard to case, unknown ones are ignored, `null` is as good as
//! missing, and text after the object is not looked at. A missing field and one that is empty or
//! zero are the same to the original's checks.

use serde::Deserialize as _;
use serde_json::{Map, Value};

/// Why a body is not what its route takes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadBody {
    /// Nothing came.
    #[error("EOF")]
    Empty,
    /// No JSON at all.
    #[error("the body is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// JSON, but no object.
    #[error("json: cannot unmarshal {found} into Go value of type models.{model}")]
    NotAnObject { found: &'static str, model: &'static str },
    /// A field of another type.
    #[error("json: cannot unmarshal {found} into Go struct field {model}.{field} of type {wanted}")]
    WrongType { found: String, model: &'static str, field: &'static str, wanted: &'static str },
    /// Required fields are missing: a line for each.
    #[error("{}", .0.join("\n"))]
    Missing(Vec<String>),
}

/// An object that is being read. `model` is what the original called it; clients know its
/// complaints under that name.
pub(crate) struct Fields {
    model: &'static str,
    object: Map<String, Value>,
    missing: Vec<String>,
}

impl Fields {
    /// Reads a body as one object.
    pub(crate) fn read(model: &'static str, body: &[u8]) -> Result<Self, BadBody> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(BadBody::Empty);
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        match Value::deserialize(&mut json).map_err(BadBody::NotJson)? {
            Value::Object(object) => Ok(Self { model, object, missing: Vec::new() }),
            // Into a Go struct, null changes nothing: every field is missing.
            Value::Null => Ok(Self { model, object: Map::new(), missing: Vec::new() }),
            other => Err(BadBody::NotAnObject { found: kind(&other), model }),
        }
    }

    /// Takes a text; an empty one if it is missing.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, BadBody> {
        match self.take(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.wrong(field, &other, "string")),
        }
    }

    /// Takes a number from 0; none if it is missing.
    pub(crate) fn number(&mut self, field: &'static str) -> Result<Option<u64>, BadBody> {
        self.take(field).map(|value| self.as_number(field, &value)).transpose()
    }

    /// Takes an object of numbers from 0; none if it is missing.
    pub(crate) fn numbers<C: FromIterator<(String, u64)>>(
        &mut self,
        field: &'static str,
    ) -> Result<Option<C>, BadBody> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Object(object)) => {
                let entries = object.into_iter().map(|(name, value)| match value {
                    Value::Null => Ok((name, 0)),
                    value => Ok((name, self.as_number(field, &value)?)),
                });
                entries.collect::<Result<_, _>>().map(Some)
            }
            Some(other) => Err(self.wrong(field, &other, "map[string]uint")),
        }
    }

    /// Takes a list of objects, each to be read as a `model`; none if it is missing.
    pub(crate) fn objects(
        &mut self,
        field: &'static str,
        model: &'static str,
    ) -> Result<Option<Vec<Fields>>, BadBody> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Array(values)) => {
                let objects = values.into_iter().map(|value| match value {
                    Value::Object(object) => Ok(Self { model, object, missing: Vec::new() }),
                    other => Err(self.wrong(field, &other, model)),
                });
                objects.collect::<Result<_, _>>().map(Some)
            }
            Some(other) => Err(self.wrong(field, &other, "[]models.RegisteredClient")),
        }
    }

    /// Notes that a required field is missing unless it is `there`. `path` is where the original
    /// has it inside its model.
    pub(crate) fn require(&mut self, path: &str, there: bool) {
        if !there {
            let name = path.rsplit('.').next().unwrap_or(path);
            self.missing.push(format!(
                "Key: '{}.{path}' Error:Field validation for '{name}' failed on the 'required' tag",
                self.model
            ));
        }
    }

    /// Hands over what was read if nothing required was missing.
    pub(crate) fn checked<T>(self, report: T) -> Result<T, BadBody> {
        if self.missing.is_empty() { Ok(report) } else { Err(BadBody::Missing(self.missing)) }
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        let value = self.object.remove(field).or_else(|| {
            let name = self.object.keys().find(|name| name.eq_ignore_ascii_case(field)).cloned()?;
            self.object.remove(&name)
        })?;
        (!value.is_null()).then_some(value)
    }

    fn as_number(&self, field: &'static str, value: &Value) -> Result<u64, BadBody> {
        value.as_u64().ok_or_else(|| self.wrong(field, value, "uint"))
    }

    fn wrong(&self, field: &'static str, found: &Value, wanted: &'static str) -> BadBody {
        let found = match found {
            Value::Number(number) if wanted == "uint" => format!("number {number}"),
            other => kind(other).into(),
        };
        BadBody::WrongType { found, model: self.model, field, wanted }
    }
}

/// What Go calls a JSON value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
