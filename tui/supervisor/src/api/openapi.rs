//! The frame of the OpenAPI document; the routes bring its paths and types.

use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

/// The document without its paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "nym-devnet control",
        description = "A running devnet: what it does, and what can be done to it. On the Unix sockets \
            `control.sock` and `observe.sock` in the devnet's folder, and with `--control-port` over TCP \
            on loopback with a token. Whoever comes by `observe.sock`, or with the token for it, may \
            only look: everything but GET is refused with 403. What is refused is answered with a \
            failure. Unknown fields are ignored; within v1 fields, event types and routes are only added.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "look", description = "How the devnet is, and what happens in it"),
        (name = "messages", description = "Sending, and what was received"),
        (name = "change", description = "Processes, parameters, and the end of it all"),
    ),
    modifiers(&Security),
    security((), ("token" = [])),
)]
struct Document;

/// The token of the way over TCP.
struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "Over TCP only: what is in `control.token` or `observe.token` in the devnet's folder"
                .into(),
        );
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

pub(super) fn frame() -> OpenApi {
    <Document as utoipa::OpenApi>::openapi()
}
