//! What an application asks on the websocket: JSON requests of both generations, and binary sends.
//!
//! | type | fields |
//! |---|---|
//! | `send` | `recipient` or `recipient_address`, `message`; ours: `id`, `withReply`, `confirm` |
//! | `fetch`, `getClients`, `ownDetails`, `selfAddress` | |
//! | `reply` (ours) | `replyTo`, `message`, `id`, `withReply`, `confirm` |
//! | `envelope` (ours) | `on` |
//!
//! Unknown fields are ignored, so that an application may put its own beside them.

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use wire::{ClientAddress, MAX_REPLY_BLOCKS, MessageId, PublicKey, decode_base58};

use crate::asks::{self, NewMessage, Recipient};

/// A binary send begins with two keys: the recipient's and its provider's.
const BINARY_HEAD_BYTES: usize = 2 * PublicKey::BYTES;

/// Most characters of a wrong text that an error repeats. A key has at most 44.
const MAX_REPEATED: usize = 64;

/// A request, understood.
#[derive(Debug)]
pub(super) enum Request {
    Send {
        message: NewMessage,
        /// Whether the request uses what v0.7 did not have: then the answer has the id.
        extended: bool,
    },
    Reply {
        message: NewMessage,
    },
    Fetch,
    GetClients,
    OwnDetails,
    SelfAddress,
    Envelope {
        on: bool,
    },
}

/// A request that is none. Texts begin as those of the originals did, where they had one.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("received invalid request. err: {0}")]
    Json(#[from] serde_json::Error),
    #[error("received invalid request. err: missing field `{0}`")]
    Missing(&'static str),
    #[error(
        "received invalid request. err: `recipient` and `recipient_address` are not the same; one \
         of them is enough"
    )]
    TwoRecipients,
    #[error("received invalid request. err: `withReply` is {0}, at most {MAX_REPLY_BLOCKS} fit")]
    ReplyBlocks(u64),
    #[error("received invalid request. err: {field} `{text}` is not 32 hexadecimal digits")]
    MessageId { field: &'static str, text: String },
    #[error("malformed recipient address: {0}")]
    Recipient(#[from] RecipientError),
    #[error(
        "message too long. Sent {0} bytes, but the maximum is {max}",
        max = contract::MAX_MESSAGE_BYTES
    )]
    TooLong(usize),
    #[error(
        "invalid binary request: it has {0} bytes; the first {BINARY_HEAD_BYTES} are the \
         recipient's key and its provider's, the rest is the message"
    )]
    Binary(usize),
}

/// A text is no address. [`wire::KeyError`] tells no reasons; applications are typed by hand.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecipientError {
    #[error("`{text}` is not base58: it has the character {wrong:?}")]
    NotBase58 { text: String, wrong: char },
    #[error("`{text}` is not a base58 key of 32 bytes: it has {bytes}")]
    Length { text: String, bytes: usize },
    #[error("`{text}…` is not a base58 key of 32 bytes: it goes on for {characters} characters")]
    TooLong { text: String, characters: usize },
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object with a `type`")]
struct Typed {
    #[serde(rename = "type")]
    kind: RequestType,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RequestType {
    Send,
    Fetch,
    GetClients,
    OwnDetails,
    SelfAddress,
    Reply,
    Envelope,
}

/// The fields of `send` and `reply`.
#[derive(Deserialize)]
struct MessageFields<'a> {
    #[serde(borrow, default, deserialize_with = "even_null")]
    message: Option<&'a RawValue>,
    recipient: Option<String>,
    recipient_address: Option<String>,
    #[serde(rename = "replyTo")]
    reply_to: Option<String>,
    id: Option<String>,
    #[serde(rename = "withReply")]
    with_reply: Option<u64>,
    confirm: Option<bool>,
}

#[derive(Deserialize)]
struct EnvelopeFields {
    on: bool,
}

/// `null` is a message like any other JSON.
fn even_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl Request {
    /// The request that a text frame is.
    pub(super) fn from_text(text: &str) -> Result<Self, RequestError> {
        let Typed { kind } = serde_json::from_str(text)?;
        Ok(match kind {
            RequestType::Fetch => Self::Fetch,
            RequestType::GetClients => Self::GetClients,
            RequestType::OwnDetails => Self::OwnDetails,
            RequestType::SelfAddress => Self::SelfAddress,
            RequestType::Envelope => {
                let EnvelopeFields { on } = serde_json::from_str(text)?;
                Self::Envelope { on }
            }
            RequestType::Send => {
                let fields: MessageFields<'_> = serde_json::from_str(text)?;
                let extended =
                    fields.id.is_some() || fields.with_reply.is_some() || fields.confirm.is_some();
                Self::Send { message: fields.into_message(MessageFields::recipient)?, extended }
            }
            RequestType::Reply => {
                let fields: MessageFields<'_> = serde_json::from_str(text)?;
                Self::Reply { message: fields.into_message(MessageFields::sender_of)? }
            }
        })
    }

    /// The send that a binary frame is.
    pub(super) fn from_binary(bytes: &Bytes) -> Result<Self, RequestError> {
        let keys = bytes.split_first_chunk().and_then(|(client, rest)| {
            let (provider, data) = rest.split_first_chunk()?;
            Some((PublicKey::from_bytes(*client), PublicKey::from_bytes(*provider), data))
        });
        let (client, provider, data) = keys.ok_or(RequestError::Binary(bytes.len()))?;
        let message = NewMessage {
            to: Recipient::Address(ClientAddress { client, provider }),
            data: bounded(bytes.slice_ref(data))?,
            id: None,
            reply_blocks: 0,
            confirm: false,
        };
        Ok(Self::Send { message, extended: false })
    }
}

impl MessageFields<'_> {
    fn into_message(
        self,
        to: impl FnOnce(&Self) -> Result<Recipient, RequestError>,
    ) -> Result<NewMessage, RequestError> {
        let to = to(&self)?;
        let json = self.message.ok_or(RequestError::Missing("message"))?.get();
        // A string stands for itself, anything else for its JSON.
        let data = if json.starts_with('"') {
            serde_json::from_str::<String>(json)?.into_bytes()
        } else {
            compact(json)
        };
        let wanted = self.with_reply.unwrap_or(0);
        let reply_blocks = usize::try_from(wanted).ok().filter(|&n| n <= MAX_REPLY_BLOCKS);
        Ok(NewMessage {
            to,
            data: bounded(data.into())?,
            id: self.id.map(|id| message_id("id", &id)).transpose()?,
            reply_blocks: reply_blocks.ok_or(RequestError::ReplyBlocks(wanted))?,
            confirm: self.confirm.unwrap_or(false),
        })
    }

    fn recipient(&self) -> Result<Recipient, RequestError> {
        let text = match (&self.recipient, &self.recipient_address) {
            (Some(one), Some(other)) if one != other => return Err(RequestError::TwoRecipients),
            (Some(text), _) | (None, Some(text)) => text,
            (None, None) => return Err(RequestError::Missing("recipient")),
        };
        Ok(match text.split_once('@') {
            Some((client, provider)) => Recipient::Address(ClientAddress {
                client: public_key(client)?,
                provider: public_key(provider)?,
            }),
            None => Recipient::Key(public_key(text)?),
        })
    }

    fn sender_of(&self) -> Result<Recipient, RequestError> {
        let text = self.reply_to.as_deref().ok_or(RequestError::Missing("replyTo"))?;
        Ok(Recipient::SenderOf(message_id("replyTo", text)?))
    }
}

fn bounded(data: Bytes) -> Result<Bytes, RequestError> {
    if data.len() > contract::MAX_MESSAGE_BYTES {
        return Err(RequestError::TooLong(data.len()));
    }
    Ok(data)
}

fn public_key(text: &str) -> Result<PublicKey, RecipientError> {
    let repeated = || text.chars().take(MAX_REPEATED).collect();
    if let Some((at, _)) = text.char_indices().nth(MAX_REPEATED) {
        let characters = text[at..].chars().count() + MAX_REPEATED;
        return Err(RecipientError::TooLong { text: repeated(), characters });
    }
    let wrong = |character: &char| decode_base58(character.encode_utf8(&mut [0; 4])).is_none();
    if let Some(wrong) = text.chars().find(wrong) {
        return Err(RecipientError::NotBase58 { text: repeated(), wrong });
    }
    let bytes = decode_base58(text).unwrap_or_default();
    let key = bytes.as_slice().try_into().map(PublicKey::from_bytes);
    key.map_err(|_| RecipientError::Length { text: repeated(), bytes: bytes.len() })
}

fn message_id(field: &'static str, text: &str) -> Result<MessageId, RequestError> {
    asks::message_id(text).ok_or_else(|| RequestError::MessageId {
        field,
        text: text.chars().take(MAX_REPEATED).collect(),
    })
}

/// JSON without the white space between its parts. Order of fields and spelling of numbers stay as
/// they are, which they would not if it were read and written again.
fn compact(json: &str) -> Vec<u8> {
    let (mut in_string, mut escaped) = (false, false);
    let stays = |byte: &u8| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        in_string = *byte == b'"';
        !byte.is_ascii_whitespace()
    };
    json.bytes().filter(stays).collect()
}
