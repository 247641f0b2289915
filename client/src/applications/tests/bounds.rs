//! The bounds of sockets for applications are those of `docs/client.md`.

use crate::applications::fetch::{MAX_FETCHED, MAX_FETCHED_BYTES};
use crate::applications::session::MAX_UNCONFIRMED;
use crate::applications::tcp::MAX_REQUEST_BYTES;
use crate::applications::websocket::{CROWDED_HANDSHAKE_TIMEOUT, HANDSHAKE_TIMEOUT};
use crate::applications::{MAX_CONNECTIONS, WRITE_TIMEOUT, handshake};

const PAGE: &str = include_str!("../../../../docs/client.md");

#[test]
fn bounds_are_what_the_page_says() {
    let seconds = HANDSHAKE_TIMEOUT.as_secs_f64();
    let crowded = CROWDED_HANDSHAKE_TIMEOUT.as_secs_f64();
    let write = WRITE_TIMEOUT.as_secs();
    for text in [
        format!("| an answer to a `fetch` | {MAX_FETCHED} messages, {MAX_FETCHED_BYTES} bytes;"),
        format!("| messages of a connection whose confirmation is awaited | {MAX_UNCONFIRMED};"),
        format!("| connections | {MAX_CONNECTIONS} |"),
        format!("| a connection that is no websocket after | {seconds} s, {crowded} s while more"),
        format!("| an application that does not read what is written to it for | {write} s |"),
        format!("is one request, of at most {MAX_REQUEST_BYTES} bytes"),
    ] {
        assert!(PAGE.contains(&text), "no `{text}`");
    }
    let times = handshake::MAX_MESSAGE_BYTES / contract::MAX_MESSAGE_BYTES;
    assert_eq!(times, 6);
    assert!(PAGE.contains("a request of more than six times that ends the connection"));
}
