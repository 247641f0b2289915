//! What applications and the supervisor ask of a client, and what it answers.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use contract::Deed;
use tokio::sync::oneshot;
use wire::{ClientAddress, KeyError, MessageId, NodeAddress, PublicKey};

/// Something that a client is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Send a message; answered when it is kept, so that it outlives the process.
    Send { message: NewMessage, answer: oneshot::Sender<Result<Accepted, String>> },
    /// Its own address; none, with the reason, as long as it has no provider.
    Address { answer: oneshot::Sender<Result<ClientAddress, String>> },
    /// The clients of all providers.
    Clients { answer: oneshot::Sender<Vec<ClientAddress>> },
    /// Let a packet go round and tell of it.
    Ping { answer: oneshot::Sender<Result<Pong, String>> },
    /// Send a packet that leaves out this layer.
    Skip { layer: u8, answer: oneshot::Sender<Result<Deed, String>> },
    /// Wait for what is underway, at most 3 s, then end.
    Leave,
    /// End now.
    Stop,
}

/// A message that is to be sent.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) to: Recipient,
    /// At most [`contract::MAX_MESSAGE_BYTES`].
    pub(crate) data: Bytes,
    /// Its id, if whoever sends it wants to be able to ask again without sending twice.
    pub(crate) id: Option<MessageId>,
    /// How many single-use reply blocks go with it, at most [`wire::MAX_REPLY_BLOCKS`].
    pub(crate) reply_blocks: usize,
    /// Whether to tell what became of it.
    pub(crate) confirm: bool,
}

/// The id of a message out of 32 hexadecimal digits.
pub(crate) fn message_id(text: &str) -> Option<MessageId> {
    // A sign would pass as the first digit.
    let is_hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hexadecimal);
    number.map(|number| MessageId(number.to_be_bytes()))
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// `client@provider`.
    Address(ClientAddress),
    /// A client whose provider the directory tells.
    Key(PublicKey),
    /// Whoever sent this message and put reply blocks into it.
    SenderOf(MessageId),
}

impl FromStr for Recipient {
    type Err = KeyError;

    /// From `client@provider`, or a bare key.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.contains('@') {
            text.parse().map(Self::Address)
        } else {
            text.parse().map(Self::Key)
        }
    }
}

/// A message was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) message: MessageId,
    /// What becomes of it, if that was asked for. It ends without an answer when the client ends.
    pub(crate) fate: Option<oneshot::Receiver<Fate>>,
}

/// A packet that a client sent to itself is back.
#[derive(Debug)]
pub(crate) struct Pong {
    /// From the request until its slot.
    pub(crate) queued: Duration,
    /// From there until it was back.
    pub(crate) travelled: Duration,
    /// What of that it was to wait at the mixnodes.
    pub(crate) asked: Duration,
    /// Mixnodes in order, then the provider.
    pub(crate) route: Vec<NodeAddress>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All its packets are acknowledged: the recipient's provider has them.
    Acknowledged,
    /// It was given up, because of this: a sentence without a full stop.
    Failed(String),
}
