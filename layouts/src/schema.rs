//! JSON Schema of a layout file, and the reference that is made from it. Editors complete and check by
//! the one, people read the other.

use std::fmt::{Debug, Write as _};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ComponentsBuilder, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::fault::{Wrong, WrongKind};
use crate::file::{LayoutFile, NodeFile};
use crate::value as layout;

/// The definition of a variable that is a whole value.
const VARIABLE: &str = "Variable";

/// JSON Schema of a layout file.
pub fn schema() -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    LayoutFile::schemas(&mut parts);
    let definitions = ComponentsBuilder::new().schemas_from_iter(parts).build().schemas;
    let mut schema = json!(LayoutFile::schema());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Layout of a devnet".into();
    schema["$defs"] = json!(definitions);
    as_in_toml(&mut schema);
    for owner in ["/properties", "/$defs/NodeFile/properties"] {
        let fields = schema.pointer_mut(owner).and_then(Value::as_object_mut);
        fields.into_iter().flat_map(Map::values_mut).for_each(or_variable);
    }
    schema["$defs"][VARIABLE] = json!({
        "description": "The value of a variable of the environment.",
        "type": "string",
        "pattern": r"^\{\{ *[A-Za-z_][A-Za-z0-9_]* *\}\}$",
    });
    schema
}

/// A schema of JSON becomes one of TOML, which has no `null`: what may be missing is missing. References
/// point into the schema itself, and descriptions have no line breaks.
fn as_in_toml(value: &mut Value) {
    if let Value::Object(object) = value {
        if let Some(Value::Array(cases)) = object.get_mut("oneOf") {
            cases.retain(|case| case["type"] != "null");
            if let [only] = cases.as_mut_slice() {
                let only = only.take();
                object.remove("oneOf");
                for (key, value) in only.as_object().into_iter().flatten() {
                    object.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        if let Some(Value::Array(kinds)) = object.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [only] = kinds.as_mut_slice() {
                let only = only.take();
                object.insert("type".into(), only);
            }
        }
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        if let Some(Value::String(target)) = object.get_mut("$ref") {
            *target = target.replace("#/components/schemas/", "#/$defs/");
        }
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(as_in_toml),
        Value::Object(object) => object.values_mut().for_each(as_in_toml),
        _ => {}
    }
}

/// A number, a truth value or a word with rules of its own may also be a variable.
fn or_variable(field: &mut Value) {
    let is_any_text = field["type"] == "string" && field["pattern"].is_null();
    let is_plain = matches!(field["type"].as_str(), Some("string" | "integer" | "boolean"));
    let Some(object) = field.as_object_mut() else { return };
    if (is_any_text && !object.contains_key("enum")) || !(is_plain || object.contains_key("oneOf"))
    {
        return;
    }
    let description = object.remove("description");
    let own = std::mem::take(object);
    let variable = json!({ "$ref": format!("#/$defs/{VARIABLE}") });
    object.extend(description.map(|text| ("description".into(), text)));
    object.insert("anyOf".into(), json!([own, variable]));
}

/// The fields of a layout file as Markdown tables.
pub fn reference() -> String {
    let schema = schema();
    let mut text = String::new();
    let parts = [
        ("Fields of a layout", &schema, fields::<LayoutFile>()),
        ("Fields of `[nodes.NAME]`", &schema["$defs"]["NodeFile"], fields::<NodeFile>()),
    ];
    for (title, part, fields) in parts {
        let description = part["description"].as_str().unwrap_or_default();
        write!(text, "### {title}\n\n{description}\n\n").expect(INFALLIBLE);
        text.push_str("| field | value | meaning |\n|---|---|---|\n");
        for name in fields {
            let field = &part["properties"][name];
            let meaning = field["description"].as_str().unwrap_or_default();
            writeln!(text, "| `{name}` | {} | {meaning} |", kind(field)).expect(INFALLIBLE);
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The fields of a type in the order in which they stand there, which serde tells whoever asks for one
/// that there is not.
fn fields<T: for<'de> Deserialize<'de> + Debug>() -> &'static [&'static str] {
    let mut unknown = layout::Value::empty();
    unknown.set(&[String::new()], layout::Value::empty()).expect("it is a table");
    match T::deserialize(&unknown) {
        Err(Wrong { kind: WrongKind::UnknownKey { known, .. }, .. }) => known,
        other => unreachable!("no field is called nothing: {other:?}"),
    }
}

const INFALLIBLE: &str = "a string takes all that is written to it";

/// What a field takes, in a few words.
fn kind(field: &Value) -> String {
    let own = match &field["anyOf"] {
        Value::Array(cases) => &cases[0],
        _ => field,
    };
    if let Some(title) = own["title"].as_str() {
        return title.into();
    }
    if let Some(words) = own["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    match own["type"].as_str() {
        Some("boolean") => "`true` or `false`".into(),
        Some("array") => match own["items"]["title"].as_str() {
            Some(title) => format!("a list, each {title}"),
            None => "a list of texts".into(),
        },
        Some("object") if own["additionalProperties"]["type"] == "string" => {
            "a table of texts".into()
        }
        Some("object") => "a table for each".into(),
        _ => "a text".into(),
    }
}
