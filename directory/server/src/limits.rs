//! How much the directory takes, and what it says beyond that.

use directory_api::ListName;

/// Bytes of a request's body. The largest honest one is a mixnode's report with a whole layer of next
/// hops: 40 KiB for [`MAX_NEXT_HOPS`]. (The original took whatever came.)
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// Bytes of a provider's announcement. With
/// [`MAX_REGISTERED_CLIENTS`](directory_api::MAX_REGISTERED_CLIENTS) clients it has 0.5 MB.
pub const MAX_PROVIDER_BODY_BYTES: usize = 1 << 20;

/// Bytes of a key. Base58 of 32 bytes has at most 44 characters, as has base64.
pub const MAX_KEY_BYTES: usize = 64;

/// Bytes of any other text. The longest is an address: `ws://`, a host name of at most 253
/// characters, a colon and a port.
pub const MAX_TEXT_BYTES: usize = 264;

/// Mixnodes at the same time. A large devnet has a hundred; with texts of full length, this many
/// take less than 1 MB.
pub const MAX_MIXNODES: usize = 1024;

/// Validators at the same time. The network has none; applications of the original may post some.
pub const MAX_COCONODES: usize = 64;

/// Providers at the same time, in each of their two lists.
/// [`MAX_LISTED_CLIENTS`](directory_api::MAX_LISTED_CLIENTS) bounds what they hold.
pub const MAX_PROVIDERS: usize = 64;

/// Next hops in a mixnode's report: the whole next layer, or all providers.
pub const MAX_NEXT_HOPS: usize = MAX_MIXNODES;

/// Reports and next hops in one window of metrics. A hundred mixnodes in three layers come to
/// ten thousand in three seconds; at full length, this many take 20 MB,
/// and 36 MB as JSON if every character has to be escaped.
pub const MAX_WINDOW_ENTRIES: usize = 1 << 16;

/// Disallowed mixnodes, present or not.
pub const MAX_DISALLOWED: usize = MAX_MIXNODES;

/// Websocket subscribers at the same time. Every node and every client of a large devnet has one; an
/// experiment with thousands of readers fits, at about 7 kB each while messages are short.
pub const MAX_SUBSCRIBERS: usize = 8192;

/// Connections at the same time, websockets included; fewer if the system lets this process open
/// fewer files. Whoever comes beyond that waits until one ends.
pub const MAX_CONNECTIONS: usize = 2 * MAX_SUBSCRIBERS;

/// Bytes of a body that is read without asking for room, so that nodes which announce themselves
/// never wait for who is slow. As much for each connection is less than what heads take.
pub const MAX_SHORT_BODY_BYTES: usize = 4 << 10;

/// KiB of all longer bodies that are being read or wait to be taken in: those of all providers that
/// a list holds, at full length.
pub const MAX_LONG_BODIES_KIB: usize = MAX_PROVIDERS * (MAX_PROVIDER_BODY_BYTES >> 10);

/// Answers with a history that are on their way at the same time. The longest has 15 MB.
pub const MAX_HISTORIES: usize = 8;

/// Why the directory does not take a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A text is too long.
    #[error("`{field}` is longer than {limit} bytes")]
    TooLong {
        /// Name of its field.
        field: &'static str,
        /// What would be taken.
        limit: usize,
    },
    /// A text would do something to the terminal that shows it.
    #[error("`{field}` contains a control character")]
    ControlCharacter {
        /// Name of its field.
        field: &'static str,
    },
    /// A text would be markup on a page that shows it carelessly.
    #[error("`{field}` contains `<` or `>`")]
    Markup {
        /// Name of its field.
        field: &'static str,
    },
    /// A list inside the report is too long.
    #[error("{count} {what} are too many: at most {limit} are taken")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many came.
        count: usize,
        /// What would be taken.
        limit: usize,
    },
    /// No room for one more node.
    #[error("the list of {list}s is full: {capacity} are present")]
    ListFull {
        /// Name of the list.
        list: ListName,
        /// How many it holds.
        capacity: usize,
    },
    /// No room for so many clients.
    #[error(
        "{count} registered clients are too many: other {list}s have {others}, and all together at most \
         {capacity} are taken"
    )]
    ClientsFull {
        /// Name of the list.
        list: ListName,
        /// How many came.
        count: usize,
        /// How many clients the other providers in the list have.
        others: usize,
        /// How many the list holds.
        capacity: usize,
    },
    /// No room for one more key.
    #[error("{MAX_DISALLOWED} mixnodes are disallowed already: allow one of them first")]
    TooManyDisallowed,
    /// No room for one more report until the next window begins.
    #[error("the window of metrics is full: {capacity} reports and next hops in three seconds")]
    WindowFull {
        /// How many it holds.
        capacity: usize,
    },
}

/// Checks a key.
pub(crate) fn check_key(field: &'static str, key: &str) -> Result<(), Refusal> {
    check(field, key, MAX_KEY_BYTES)
}

/// Checks any other text.
pub(crate) fn check_text(field: &'static str, text: &str) -> Result<(), Refusal> {
    check(field, text, MAX_TEXT_BYTES)
}

/// Checks what all nodes announce.
pub(crate) fn check_node(pub_key: &str, version: &str, location: &str) -> Result<(), Refusal> {
    check_key("pubKey", pub_key)?;
    check_text("version", version)?;
    check_text("location", location)
}

/// Checks the length of a list.
pub(crate) fn check_count(what: &'static str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count > limit { Err(Refusal::TooMany { what, count, limit }) } else { Ok(()) }
}

fn check(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit {
        Err(Refusal::TooLong { field, limit })
    } else if text.chars().any(char::is_control) {
        Err(Refusal::ControlCharacter { field })
    } else if text.contains(['<', '>']) {
        Err(Refusal::Markup { field })
    } else {
        Ok(())
    }
}
