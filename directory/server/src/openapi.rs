//! What describes the API: the frame of the OpenAPI document, and the schema of the event stream.

use directory_api::{Frame, Refused};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ComponentsBuilder, Schema};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema as _};

/// The document without its paths, which the routes bring.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Nym directory",
        description = "Who is present in the mix network, and how many packets mixnodes pass on. \
            Times are nanoseconds since 1970. Field names are taken in any case; unknown fields are \
            ignored. What a route refuses is answered with a JSON object of one field, `error`. Where \
            no route is, the answer is 404 and plain text.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "presence", description = "Nodes announce themselves; everybody reads the topology"),
        (name = "metrics", description = "How many packets mixnodes took and passed on"),
        (name = "streams", description = "Websockets"),
        (name = "healthcheck", description = "Is the directory there?"),
    ),
)]
struct Document;

pub(crate) fn frame() -> OpenApi {
    <Document as utoipa::OpenApi>::openapi()
}

/// How any POST may be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers that `Failure` makes")]
pub(crate) enum PostRefused {
    /// The body is not what this route takes
    #[response(status = 400)]
    BadRequest(Refused),
    /// It comes from a web page that may not write
    #[response(status = 403)]
    Forbidden(Refused),
    /// The body came too slowly
    #[response(status = 408)]
    TimedOut(Refused),
    /// The body is too long
    #[response(status = 413)]
    TooLong(Refused),
}

/// How a websocket may be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers that `Failure` makes")]
pub(crate) enum SocketRefused {
    /// No upgrade to a websocket, or a query that is not understood
    #[response(status = 400)]
    BadRequest(Refused),
    /// It comes from a web page that may not subscribe
    #[response(status = 403)]
    Forbidden(Refused),
    /// There are too many subscribers
    #[response(status = 503)]
    Full(Refused),
}

/// JSON Schema of a frame of `/ws/events`.
pub(crate) fn events_schema() -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    Frame::schemas(&mut parts);
    let components = ComponentsBuilder::new().schemas_from_iter(parts).build();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A frame of /ws/events",
        "allOf": [Frame::schema()],
        "$defs": components.schemas,
    });
    point_to_definitions(&mut schema);
    schema
}

/// References of an OpenAPI document become those of a schema by itself.
fn point_to_definitions(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/components/schemas/") {
                *text = format!("#/$defs/{name}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(point_to_definitions),
        Value::Object(object) => object.values_mut().for_each(point_to_definitions),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
