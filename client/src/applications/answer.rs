//! What an application is told on the websocket.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use tokio_tungstenite::tungstenite::Message;
use wire::MessageId;

use crate::asks::Fate;
use crate::storage::Received;

/// The answer to a request, or what became of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Answer {
    Send {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    Reply {
        id: String,
    },
    Fetch {
        messages: Vec<Fetched>,
    },
    GetClients {
        clients: Vec<String>,
    },
    OwnDetails {
        address: String,
    },
    SelfAddress {
        address: String,
    },
    Envelope {
        on: bool,
    },
    Confirm {
        id: String,
        #[serde(flatten)]
        outcome: Outcome,
    },
    Error {
        message: String,
    },
}

/// What became of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub(super) enum Outcome {
    Acknowledged,
    Failed { reason: String },
}

impl Answer {
    /// A request has failed.
    pub(super) fn error(error: &impl ToString) -> Self {
        Self::Error { message: error.to_string() }
    }

    /// What became of this message.
    pub(super) fn confirm(message: MessageId, fate: Fate) -> Self {
        let outcome = match fate {
            Fate::Acknowledged => Outcome::Acknowledged,
            Fate::Failed(reason) => Outcome::Failed { reason },
        };
        Self::Confirm { id: message.to_string(), outcome }
    }

    /// Bytes of the messages in it.
    pub(super) fn message_bytes(&self) -> usize {
        match self {
            Self::Fetch { messages } => messages.iter().map(|m| m.received.data.len()).sum(),
            _ => 0,
        }
    }

    /// Its frame.
    pub(super) fn frame(&self) -> Message {
        text_frame(self)
    }
}

/// In what kind of frame an application gets messages: that of its own last send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// It has sent none: text where it is UTF-8.
    #[default]
    Unknown,
    Text,
    Binary,
    /// It asked for the envelope form, whatever it sends.
    Envelope,
}

/// A received message with what belongs to it.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "received", rename_all = "camelCase")]
struct Envelope<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// The same id, if reply blocks are left: what a `reply` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<String>,
}

impl<'a> Envelope<'a> {
    fn of(received: &'a Received) -> Self {
        let message = std::str::from_utf8(&received.data).ok();
        let id = received.message.to_string();
        Self {
            message,
            base64: message.is_none().then(|| STANDARD.encode(&received.data)),
            reply_to: (received.reply_blocks > 0).then(|| id.clone()),
            in_reply_to: received.in_reply_to.map(|message| message.to_string()),
            id,
        }
    }
}

/// The frame that brings a message to an application.
pub(super) fn push_frame(received: Received, kind: Form) -> Message {
    match kind {
        Form::Envelope => text_frame(&Envelope::of(&received)),
        Form::Binary => Message::Binary(received.data),
        Form::Unknown | Form::Text => match received.data.clone().try_into() {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(received.data),
        },
    }
}

/// What stands before a message that is no text, where only a string has room.
const DATA_URL: &str = "data:application/octet-stream;base64,";

/// A message among those of the answer to a `fetch`: a string. What is no text is a `data:` URL in
/// base64, where v0.5 gave an empty string and lost it. Or all is in the envelope form, if that is on.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) received: Received,
    pub(super) form: Form,
}

impl Serialize for Fetched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { received, form } = self;
        if *form == Form::Envelope {
            return Envelope::of(received).serialize(serializer);
        }
        match std::str::from_utf8(&received.data) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                serializer.serialize_str(&format!("{DATA_URL}{}", STANDARD.encode(&received.data)))
            }
        }
    }
}

/// How many bytes of JSON a message takes at most, without what stands around it.
pub(super) fn json_bytes(data: &[u8]) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    data.iter().map(escaped).sum::<usize>().max(data.len().div_ceil(3) * 4)
}

fn text_frame(value: &impl Serialize) -> Message {
    Message::Text(serde_json::to_string(value).expect("answers are JSON").into())
}
