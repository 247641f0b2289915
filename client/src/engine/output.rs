//! What a client wants done, and what it tells.

use std::time::Duration;

use contract::SentTrace;
use wire::{Fragment, Identifier, MessageId, NodeAddress};

use super::PingId;

/// What a client wants done, or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this packet.
    Send {
        /// To this mixnode of layer 1.
        to: NodeAddress,
        /// The packet.
        packet: Vec<u8>,
    },
    /// A packet of a message left.
    Sent {
        /// The message.
        message: MessageId,
        /// Which fragment, from 0.
        fragment: u32,
        /// 1 for the first time.
        attempt: u32,
        /// Mixnodes in order, then the provider.
        route: Vec<NodeAddress>,
        /// What else is known of the packet; none where tracing is off.
        trace: Option<Box<SentTrace>>,
    },
    /// A fragment went over a reply block, which is of no more use.
    BlockUsed {
        /// The reply.
        message: MessageId,
        /// The number of the block.
        block: u8,
    },
    /// A fragment's acknowledgement came back.
    Acknowledged {
        /// The message.
        message: MessageId,
        /// Which fragment, from 0.
        fragment: u32,
        /// Which attempt carried the acknowledgement, from 1.
        attempt: u32,
    },
    /// All fragments of a message are acknowledged or, without acknowledgements, sent.
    Finished {
        /// The message.
        message: MessageId,
    },
    /// A message is given up.
    Failed {
        /// The message.
        message: MessageId,
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// A piece of a message arrived, perhaps for the second time.
    Received {
        /// The piece.
        fragment: Fragment,
        /// If it came over a reply block of this client, the block's identifier.
        block: Option<Identifier>,
    },
    /// The probe came back: packets pass from here to here.
    Ready {
        /// How long the probe took.
        took: Duration,
    },
    /// A ping came back.
    Pong {
        /// Which.
        ping: PingId,
        /// From the request until its slot.
        queued: Duration,
        /// From there until it was back.
        travelled: Duration,
        /// What of that it was to wait at the mixnodes.
        asked: Duration,
        /// Mixnodes in order, then the provider.
        route: Vec<NodeAddress>,
    },
    /// A ping could not be sent, or is not back in time.
    PingLost {
        /// Which.
        ping: PingId,
        /// Why, as a sentence without a full stop.
        reason: String,
    },
}
