//! What the OpenAPI document says of bodies beyond their types: how long texts and lists may be, what
//! may not stand in a text, and that `null` is as good as missing. So whoever follows the document
//! is not refused for the form of a body; only for its length, if it has many long texts.
//!
//! Only of bodies: what the directory answers keeps the bounds too, but a program that reads it
//! should not depend on them.

use directory_api::MAX_REGISTERED_CLIENTS;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Components, RefOr};

use crate::limits::{MAX_KEY_BYTES, MAX_NEXT_HOPS, MAX_TEXT_BYTES};

/// The schemas of bodies.
const BODIES: [&str; 6] = [
    "CocoNodeReport",
    "Departure",
    "MixMetricReport",
    "MixNodeKey",
    "MixNodeReport",
    "MixProviderReport",
];

/// Neither control characters nor what would be markup. (The directory counts bytes, a schema
/// characters: the longest texts fit only if they are ASCII, as addresses, keys and versions are.)
const PLAIN: &str = r"^[^<>\u0000-\u001f\u007f-\u009f]*$";

/// Adds the bounds of bodies to a document.
pub(crate) fn add(components: &mut Components) {
    for name in BODIES {
        let Some(RefOr::T(Schema::Object(body))) = components.schemas.get_mut(name) else {
            unreachable!("the document has a schema of {name}");
        };
        for (field, schema) in &mut body.properties {
            let is_required = body.required.contains(field);
            bound(field, is_required, schema);
        }
        if body.required.is_empty() {
            or_null(body);
        }
    }
}

fn bound(field: &str, is_required: bool, schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => match (&object.schema_type, field) {
            (SchemaType::Type(Type::String), "pubKey") => {
                bound_text(object, MAX_KEY_BYTES, is_required);
            }
            (SchemaType::Type(Type::String), _) => bound_text(object, MAX_TEXT_BYTES, is_required),
            (SchemaType::Type(Type::Object), _) => {
                // Next hops and their counts.
                let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PLAIN));
                let name = name.max_length(Some(MAX_TEXT_BYTES)).build();
                object.property_names = Some(Box::new(name.into()));
                object.max_properties = Some(MAX_NEXT_HOPS);
                if let Some(AdditionalProperties::RefOr(RefOr::T(Schema::Object(count)))) =
                    object.additional_properties.as_deref_mut()
                {
                    count.maximum = Some(u64::MAX.into());
                    or_null(count);
                }
            }
            _ => object.maximum = Some(u64::MAX.into()),
        },
        RefOr::T(Schema::Array(clients)) => {
            clients.max_items = Some(MAX_REGISTERED_CLIENTS);
            let mut key = Object::with_type(Type::String);
            bound_text(&mut key, MAX_KEY_BYTES, false);
            let mut client = ObjectBuilder::new().property("pubKey", key).build();
            or_null(&mut client);
            clients.items = ArrayItems::RefOrSchema(Box::new(Schema::Object(client).into()));
        }
        _ => {}
    }
}

fn bound_text(text: &mut Object, most: usize, is_required: bool) {
    text.max_length = Some(most);
    text.pattern = Some(PLAIN.into());
    if is_required {
        text.min_length = Some(1);
    } else {
        or_null(text);
    }
}

fn or_null(object: &mut Object) {
    if let SchemaType::Type(kind) = &object.schema_type {
        object.schema_type = SchemaType::Array(vec![kind.clone(), Type::Null]);
    }
}
