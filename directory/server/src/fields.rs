//! Reading a body as one object, in one pass over its bytes, the way the original did and with its
//! words for what is wrong.
//!
//! A [`Model`] lists the fields of a report; a single visitor follows any such list. Names are
//! compared without regard to ASCII case, unknown ones are skipped, of several that match the last
//! one counts, `null` is as good as missing, and text after the object is not looked at. A value of
//! another type does not end the reading, as it did not in the original: what is no JSON is
//! complained of first, then the first value of another type, then what is missing.

use std::collections::BTreeMap;
use std::fmt;

use directory_api::{MAX_REGISTERED_CLIENTS, RegisteredClient};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::{MAX_NEXT_HOPS, Refusal, check_count};
use crate::reports::CLIENT;

/// Why a body is not what its route takes.
#[derive(Debug, thiserror::Error)]
pub enum BadBody {
    /// Nothing came.
    #[error("EOF")]
    Empty,
    /// No JSON, no Unicode, or nested more than 127 deep.
    #[error("the body cannot be read as JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but something in it is of another type than its place.
    #[error("json: cannot unmarshal {found} into Go {place} of type {wanted}")]
    WrongType {
        /// What Go calls the type that came; of a number that does not fit, also the number.
        found: String,
        /// What it would have been put into.
        place: String,
        /// What Go calls the type that belongs there.
        wanted: String,
    },
    /// Required fields are missing: a line for each.
    #[error("{}", .0.join("\n"))]
    Missing(Vec<String>),
    /// A list is so long that the rest of the body was not read.
    #[error(transparent)]
    TooMany(#[from] Refusal),
}

/// Most fields that a model has.
const MAX_FIELDS: usize = 6;

/// An object that can be read into an `R`.
pub(crate) struct Model<R: 'static> {
    name: &'static str,
    fields: &'static [Field<R>],
}

/// A field of a model.
pub(crate) struct Field<R> {
    name: &'static str,
    required: Option<&'static str>,
    slot: fn(&mut R) -> Slot<'_>,
}

/// Where a value goes.
pub(crate) enum Slot<'a> {
    /// Nowhere: nobody asked for it.
    Nowhere,
    /// A text; an empty one is as good as missing.
    Text(&'a mut String),
    /// A number from 1; a zero is as good as missing.
    Number(&'a mut u64),
    /// A number from 0.
    Count(&'a mut u64),
    /// An object of numbers from 0.
    Counts(&'a mut BTreeMap<String, u64>),
    /// A list of objects, which are not looked into for what is missing.
    Clients(&'a mut Vec<RegisteredClient>),
    /// An object.
    Object(&'a mut dyn Object),
}

impl<R: Default> Model<R> {
    /// `name` is what the original called it; clients know its complaints under that name. What is
    /// missing is complained of in the order of `fields`.
    pub(crate) const fn new(name: &'static str, fields: &'static [Field<R>]) -> Self {
        assert!(fields.len() <= MAX_FIELDS, "a model has more fields than a draft can note");
        Self { name, fields }
    }

    /// Reads a body.
    pub(crate) fn read(&'static self, body: &[u8]) -> Result<R, BadBody> {
        if body.trim_ascii().is_empty() {
            return Err(BadBody::Empty);
        }
        let mut draft = self.draft();
        let mut trouble = Trouble::default();
        let slot = Slot::Object(&mut draft);
        let value = Value { slot, place: Place::Body, trouble: &mut trouble };
        let read = value.deserialize(&mut serde_json::Deserializer::from_slice(body));
        match (trouble.refusal, read, trouble.wrong_type) {
            (Some(refusal), ..) => Err(BadBody::TooMany(refusal)),
            (_, Err(error), _) => Err(BadBody::NotJson(error)),
            (.., Some(wrong_type)) => Err(wrong_type),
            _ => draft.finish(),
        }
    }

    fn draft(&'static self) -> Draft<R> {
        Draft { model: self, report: R::default(), given: [false; MAX_FIELDS] }
    }
}

impl<R> Field<R> {
    /// A field that may be missing.
    pub(crate) const fn optional(name: &'static str, slot: fn(&mut R) -> Slot<'_>) -> Self {
        Self { name, required: None, slot }
    }

    /// A field that may not. `path` is where the original has it inside its model.
    pub(crate) const fn required(
        name: &'static str,
        path: &'static str,
        slot: fn(&mut R) -> Slot<'_>,
    ) -> Self {
        Self { name, required: Some(path), slot }
    }
}

/// A report that is being read.
struct Draft<R: 'static> {
    model: &'static Model<R>,
    report: R,
    /// Which fields came with something other than `null`.
    given: [bool; MAX_FIELDS],
}

impl<R> Draft<R> {
    /// Hands over what was read if nothing required is missing.
    fn finish(mut self) -> Result<R, BadBody> {
        let mut missing = Vec::new();
        for (field, given) in self.model.fields.iter().zip(self.given) {
            let Some(path) = field.required else { continue };
            let is_missing = match (field.slot)(&mut self.report) {
                Slot::Text(text) => text.is_empty(),
                Slot::Number(number) => *number == 0,
                _ => !given,
            };
            if is_missing {
                let model = self.model.name;
                let name = path.rsplit('.').next().unwrap_or(path);
                missing.push(format!(
                    "Key: '{model}.{path}' Error:Field validation for '{name}' failed on the \
                     'required' tag"
                ));
            }
        }
        if missing.is_empty() { Ok(self.report) } else { Err(BadBody::Missing(missing)) }
    }
}

/// A draft, for a reader that does not know what of.
pub(crate) trait Object {
    /// What the original called its type.
    fn model(&self) -> &'static str;

    /// The field of that name.
    fn find(&mut self, name: &str) -> Option<Found<'_>>;
}

/// A field that was found by its name.
pub(crate) struct Found<'a> {
    name: &'static str,
    slot: Slot<'a>,
    given: &'a mut bool,
}

impl<R> Object for Draft<R> {
    fn model(&self) -> &'static str {
        self.model.name
    }

    fn find(&mut self, name: &str) -> Option<Found<'_>> {
        let mut fields = self.model.fields.iter().zip(&mut self.given);
        let (field, given) = fields.find(|(field, _)| field.name.eq_ignore_ascii_case(name))?;
        Some(Found { name: field.name, slot: (field.slot)(&mut self.report), given })
    }
}

/// What is wrong with a body although it is JSON.
#[derive(Default)]
struct Trouble {
    /// The first value of another type than its place.
    wrong_type: Option<BadBody>,
    /// Why the reading was given up.
    refusal: Option<Refusal>,
}

impl Trouble {
    /// Gives up when a list has more than `limit` entries.
    fn check_count<E: serde::de::Error>(
        &mut self,
        what: &'static str,
        count: usize,
        limit: usize,
    ) -> Result<(), E> {
        check_count(what, count, limit).map_err(|refusal| {
            self.refusal = Some(refusal);
            E::custom(what)
        })
    }
}

/// Where in the body a value stands.
#[derive(Clone, Copy)]
enum Place {
    Body,
    Field { model: &'static str, name: &'static str },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("value"),
            Self::Field { model, name } => write!(f, "struct field {model}.{name}"),
        }
    }
}

/// A value that is to be read into its slot. Says whether it was something other than `null`.
struct Value<'a> {
    slot: Slot<'a>,
    place: Place,
    trouble: &'a mut Trouble,
}

impl Value<'_> {
    /// Notes that the value is of another type than its place.
    fn wrong(&mut self, found: impl fmt::Display) {
        if self.trouble.wrong_type.is_some() {
            return;
        }
        let wanted = match &self.slot {
            Slot::Nowhere => return,
            Slot::Text(_) => "string".into(),
            Slot::Number(_) | Slot::Count(_) => "uint".into(),
            Slot::Counts(_) => "map[string]uint".into(),
            Slot::Clients(_) => "[]models.RegisteredClient".into(),
            Slot::Object(object) => format!("models.{}", object.model()),
        };
        let (found, place) = (found.to_string(), self.place.to_string());
        self.trouble.wrong_type = Some(BadBody::WrongType { found, place, wanted });
    }

    /// Of a number, Go says which one it was, but only where it wants a number.
    fn wrong_number(&mut self, number: impl fmt::Display) {
        match self.slot {
            Slot::Number(_) | Slot::Count(_) => self.wrong(format_args!("number {number}")),
            _ => self.wrong("number"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        // Also for what goes nowhere: serde's own way of skipping has no bound on the depth, and
        // lets bytes pass that are no Unicode.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(mut self, _: bool) -> Result<bool, E> {
        self.wrong("bool");
        Ok(true)
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<bool, E> {
        self.wrong_number(number);
        Ok(true)
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<bool, E> {
        match &mut self.slot {
            Slot::Number(into) | Slot::Count(into) => **into = number,
            _ => self.wrong_number(number),
        }
        Ok(true)
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<bool, E> {
        // Told apart from a whole number, and short however large it is.
        self.wrong_number(format_args!("{number:?}"));
        Ok(true)
    }

    fn visit_str<E>(mut self, text: &str) -> Result<bool, E> {
        match &mut self.slot {
            Slot::Text(into) => text.clone_into(into),
            _ => self.wrong("string"),
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<bool, A::Error> {
        let Self { ref mut slot, place, ref mut trouble } = self;
        if let Slot::Clients(clients) = slot {
            clients.clear();
            loop {
                let mut client = CLIENT.draft();
                let slot = Slot::Object(&mut client);
                if list.next_element_seed(Value { slot, place, trouble })?.is_none() {
                    return Ok(true);
                }
                let count = clients.len() + 1;
                trouble.check_count("registered clients", count, MAX_REGISTERED_CLIENTS)?;
                clients.push(client.report);
            }
        }
        self.wrong("array");
        let trouble = self.trouble;
        while list.next_element_seed(Value { slot: Slot::Nowhere, place, trouble })?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let Self { ref mut slot, place, ref mut trouble } = self;
        match slot {
            Slot::Object(object) => {
                let model = object.model();
                while let Some(found) = map.next_key_seed(Name(&mut **object))? {
                    let Some(Found { name, slot, given }) = found else {
                        map.next_value_seed(Value { slot: Slot::Nowhere, place, trouble })?;
                        continue;
                    };
                    let place = Place::Field { model, name };
                    *given |= map.next_value_seed(Value { slot, place, trouble })?;
                }
            }
            Slot::Counts(counts) => {
                counts.clear();
                while let Some(name) = map.next_key::<String>()? {
                    let mut count = 0;
                    let slot = Slot::Count(&mut count);
                    map.next_value_seed(Value { slot, place, trouble })?;
                    counts.insert(name, count);
                    trouble.check_count("next hops", counts.len(), MAX_NEXT_HOPS)?;
                }
            }
            _ => {
                self.wrong("object");
                let trouble = self.trouble;
                while map.next_key::<IgnoredAny>()?.is_some() {
                    map.next_value_seed(Value { slot: Slot::Nowhere, place, trouble })?;
                }
            }
        }
        Ok(true)
    }
}

/// The name of a field, to be found in an object.
struct Name<'a>(&'a mut dyn Object);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<Found<'a>>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<Found<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.find(name))
    }
}
