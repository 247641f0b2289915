//! From values to types: a deserializer whose errors know where in the file they are.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::fault::{Wrong, WrongKind, shown};
use crate::value::{Data, Entry, Value};

impl de::Error for Wrong {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::other(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Str(text) => format!("\"{}\"", shown(text)),
            Unexpected::Signed(number) => format!("`{number}`"),
            Unexpected::Bool(is) => format!("`{is}`"),
            Unexpected::Seq => "a list".into(),
            Unexpected::Map => "a table".into(),
            other => other.to_string(),
        };
        Self::new(WrongKind::Value { found, expected: expected.to_string() })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(WrongKind::UnknownKey { key: field.into(), known })
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(WrongKind::UnknownWord { word: word.into(), known })
    }
}

/// What serde asks for of an error. People read a [`LayoutFault`](crate::LayoutFault).
impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.clone().fault("layout", "").message)
    }
}

impl std::error::Error for Wrong {}

impl Value {
    /// It is something else than this.
    fn refuse(&self, expected: impl Into<String>) -> Wrong {
        let (found, expected) = (self.found(), expected.into());
        Wrong::new(WrongKind::Value { found, expected }).at(&self.place)
    }

    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Text(text) => visitor.visit_str(text),
            Data::Loose(text) => match text.trim().parse::<i64>() {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_str(text),
            },
            Data::Integer(number) => visitor.visit_i64(*number),
            Data::Boolean(is) => visitor.visit_bool(*is),
            Data::Other(_) => return Err(self.refuse((&visitor as &dyn Expected).to_string())),
            Data::List(values) => visitor.visit_seq(List { values: values.iter(), index: 0 }),
            Data::Table(entries) => visitor.visit_map(Table { entries: entries.iter(), at: None }),
        }
        .map_err(|wrong| wrong.at(&self.place))
    }
}

impl<'de> Deserializer<'de> for &Value {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Boolean(is) => visitor.visit_bool(*is),
            Data::Loose(text) if matches!(text.trim(), "true" | "on") => visitor.visit_bool(true),
            Data::Loose(text) if matches!(text.trim(), "false" | "off") => {
                visitor.visit_bool(false)
            }
            Data::Loose(_) => Err(self.refuse("`true` or `false` (or `on` or `off`)")),
            _ => Err(self.refuse("`true` or `false`")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Text(text) | Data::Loose(text) => {
                visitor.visit_str(text).map_err(|wrong: Wrong| wrong.at(&self.place))
            }
            // A time, say, knows better than this what it is.
            _ => Err(self.refuse((&visitor as &dyn Expected).to_string())),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Text(_) | Data::Loose(_) => self.deserialize_str(visitor),
            _ => Err(self.refuse("a text in quotes")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::List(_) => self.visit(visitor),
            _ => Err(self.refuse("a list in square brackets")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Table(_) => self.visit(visitor),
            _ => Err(self.refuse("a table")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.data {
            Data::Text(text) | Data::Loose(text) => {
                let word = StrDeserializer::new(text);
                visitor.visit_enum(word).map_err(|wrong: Wrong| wrong.at(&self.place))
            }
            _ => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                Err(self.refuse(format!("one of {}", words.join(", "))))
            }
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// The values of a list, and the number of the next.
struct List<'a> {
    values: std::slice::Iter<'a, Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(value) = self.values.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(value).map(Some).map_err(|wrong| wrong.below(&format!("[{index}]")))
    }
}

/// The entries of a table, and the one whose value comes next.
struct Table<'a> {
    entries: std::slice::Iter<'a, Entry>,
    at: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Table<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        self.at = self.entries.next();
        let Some(entry) = self.at else { return Ok(None) };
        let key = StrDeserializer::new(&entry.key);
        seed.deserialize(key).map(Some).map_err(|wrong: Wrong| wrong.at(&entry.place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let entry = self.at.take().expect("serde asks for a key first");
        seed.deserialize(&entry.value).map_err(|wrong| wrong.below(&entry.key))
    }
}
