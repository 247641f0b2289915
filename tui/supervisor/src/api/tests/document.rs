//! The OpenAPI document: as published, and complete.

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_slice(&describe()).expect("JSON")
}

/// Whoever changes the interface sees here what others will see. `INSTA_UPDATE=always` writes it anew.
#[test]
fn the_document_is_as_published() {
    let mut document = document();
    assert_eq!(document["openapi"], "3.1.0");
    document["info"]["version"] = "VERSION".into();
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).expect("JSON"));
}

/// Parts of a schema that have no words about themselves; `path` says where.
fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_tag = property["enum"].as_array().is_some_and(|words| words.len() == 1);
        let path = format!("{path}.{name}");
        // Words about a type that may be missing stand beside the type.
        let options = property["oneOf"].as_array().into_iter().flatten();
        let mut described = options.chain([property]).map(|part| part["description"].is_string());
        if !is_tag && !described.any(|is| is) {
            found.push(path.clone());
        }
        undescribed(&path, property, found);
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        for (index, part) in schema[kind].as_array().into_iter().flatten().enumerate() {
            undescribed(&format!("{path}/{index}"), part, found);
        }
    }
}

#[test]
fn every_type_and_every_field_is_described() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    assert!(schemas.len() > 40, "{}", schemas.len());
    let mut found = Vec::new();
    for (name, schema) in schemas {
        if !schema["description"].is_string() {
            found.push(name.clone());
        }
        undescribed(name, schema, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_route_is_described_and_what_takes_a_body_has_an_example() {
    let document = document();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            operations += 1;
            assert!(operation["summary"].is_string(), "{method} {path}");
            let body = &operation["requestBody"]["content"]["application/json"];
            assert_eq!(body["example"].is_object(), method == "post", "{method} {path}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let is_filled =
                    !parameter["example"].is_null() || !parameter["schema"]["default"].is_null();
                assert!(is_filled, "{method} {path}: {parameter}");
            }
        }
    }
    assert_eq!(operations, 14);
}
