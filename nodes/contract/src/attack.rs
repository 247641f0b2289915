//! What somebody on the links of a process does to its packets: the attacks that a devnet runs on
//! itself, to show what its defences answer. Each changes bytes or their time on the wire, behind the
//! node that sends them, and nothing that the node knows or does.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{Print, Time};

/// Most copies of one packet that are sent: a few show all that there is to see.
pub const MAX_COPIES: u32 = 16;

/// The longest that packets are held back, in milliseconds: time enough for a mixnode's pool to run
/// empty at the usual delays, and as much as a network bears. In it a client's packets are sent again.
pub const MAX_HOLD_MS: u64 = 5000;

/// The longest that an attack waits for a packet to come along its link, in milliseconds.
pub const MAX_WAIT_MS: u64 = 60_000;

/// What is to be done on the links of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "attack", rename_all = "kebab-case")]
pub enum Attack {
    /// Send copies of the next packet that leaves for there, each a little later.
    Replay {
        /// The next hop.
        to: SocketAddr,
        /// How many copies, at most [`MAX_COPIES`].
        times: u32,
        /// How long to wait for the packet at most, in milliseconds.
        wait_ms: u64,
    },
    /// Change a bit of the next packet that leaves for there.
    Flip {
        /// The next hop.
        to: SocketAddr,
        /// In which part.
        part: PacketPart,
        /// Which bit of it. Number 0 is the highest of the first byte.
        bit: u32,
        /// How long to wait for the packet at most, in milliseconds.
        wait_ms: u64,
    },
    /// Hold back what leaves for there. What does not fit into the queue in front of the link is dropped
    /// and counted, as ever.
    Hold {
        /// The next hop.
        to: SocketAddr,
        /// For how long, in milliseconds; at most [`MAX_HOLD_MS`].
        for_ms: u64,
    },
    /// Clients: send a packet of cover whose route leaves out a layer. The packet itself is well made.
    Skip {
        /// The layer, from 1.
        layer: u8,
    },
}

/// A part of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PacketPart {
    /// The Sphinx header, which each hop checks.
    Header,
    /// What is behind it, which only the last hop can open.
    Payload,
}

impl PacketPart {
    /// How many bits it has. The wire says so; `runtime` does not compile where it says otherwise.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Header => 8 * 348,
            Self::Payload => 8 * 2048,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
        }
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "kebab-case")]
pub enum Deed {
    /// Copies of a packet were sent.
    Replayed {
        /// When the packet itself went.
        t: Time,
        /// As it went, and its copies.
        packet: Print,
        /// How many copies.
        copies: u32,
        /// When the last of them was sent.
        last: Time,
    },
    /// A bit of a packet was changed.
    Flipped {
        /// When it went.
        t: Time,
        /// As the node sent it.
        before: Print,
        /// As it went. A print is of the header alone: of a changed payload it is the same.
        after: Print,
    },
    /// Packets were held back.
    Held {
        /// From then on.
        from: Time,
        /// Until then.
        until: Time,
        /// How many waited at the end, and have gone then.
        packets: u64,
        /// How many found no place.
        lost: u64,
    },
    /// A packet went over a route without a layer.
    Skipped {
        /// When.
        t: Time,
        /// As it went.
        packet: Print,
        /// Addresses of its hops in order.
        route: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Command, Event, Outcome, Request};

    #[test]
    fn lines_about_attacks_have_their_documented_form() {
        let to = "127.0.0.1:9980".parse().expect("an address");
        let attack = Attack::Flip { to, part: PacketPart::Header, bit: 384, wait_ms: 5 };
        let request = Request { id: 7, command: Command::Attack { attack } };
        let line = r#"{"id":7,"command":"attack","attack":{"attack":"flip","to":"127.0.0.1:9980","part":"header","bit":384,"wait_ms":5}}"#;
        assert_eq!(serde_json::to_string(&request).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Request>(line).expect("a request"), request);

        let packet = Print { header: [1; 8], first: [2; 16] };
        let t = Time::from_nanos(5);
        let deed = Deed::Replayed { t, packet, copies: 2, last: t };
        let answer = Event::Answer(Answer { id: 7, outcome: Outcome::Attacked { deed } });
        let line = serde_json::to_string(&answer).expect("JSON");
        assert_eq!(serde_json::from_str::<Event>(&line).expect("an event"), answer);
    }
}
