//! What no observer of the links knows, told beside what one sees: for revealing it, and for finding
//! out how good a guess was. Nothing of it can be reached from a [`LinkEvent`](contract::LinkEvent).

use contract::Time;
use serde::{Deserialize, Serialize};

/// Whose packet it was that left the last mixnode for a provider. Its link event has the same moment,
/// sender and recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Origin {
    /// When it left the mixnode.
    pub left: Time,
    /// Name of the mixnode.
    pub mix: String,
    /// Name of the provider to which it went.
    pub provider: String,
    /// Who had sent it into the first layer: a client, an identity of the crowd such as `crowd-3`, or of
    /// an acknowledgement a provider.
    pub origin: String,
    /// What it was.
    pub carried: Carried,
}

/// What a packet was for. On a link all look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// Nothing: it goes back to who sent it.
    Cover,
    /// A part of a message.
    Message,
    /// An acknowledgement.
    Ack,
}

/// What a node knows of a packet that passed through it, and tells to whoever it works for. No observer
/// of the links has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "passage", rename_all = "kebab-case")]
pub enum Passage {
    /// A mixnode passed it on.
    Mixed {
        /// How it came there; none if that was not told, as of packets that came before anybody asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        came: Option<Came>,
        /// When it left: the moment of that link event.
        left: Time,
        /// Name of the node to which it went.
        to: String,
    },
    /// A provider put it in a mailbox.
    Filed {
        /// How it came there.
        came: Came,
        /// Name of the client whose mailbox it is, or of the identity of a crowd.
        client: String,
    },
}

/// How a packet came to a node: the link event with this moment and sender is that of this packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Came {
    /// When it left its sender.
    pub sent: Time,
    /// Name of the sender: a node, or an identity of a crowd such as `crowd-3`.
    pub from: String,
}
