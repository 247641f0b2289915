//! The way of a message, packet by packet and hop by hop, as the nodes on it told it.

mod timeline;

use contract::{Print, Time};
use serde::{Deserialize, Serialize};

pub use timeline::{Leg, LegEnd, Place, Stay, Stretch, Timeline};

/// Of so many packets of a message the ways are known, those with the lowest numbers: the first tell as
/// much as all ten thousand of the longest message would.
pub const FOLLOWED_PACKETS: u32 = 16;

/// What is known of the way of one packet of a message, and of the acknowledgement that it carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Journey {
    /// The message's id: 32 hexadecimal digits.
    pub message: String,
    /// Which fragment of it, from 0.
    pub fragment: u32,
    /// 1 for the first time that it was sent.
    pub attempt: u32,
    /// What happened, by time.
    pub steps: Vec<JourneyStep>,
}

/// One packet came further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JourneyEvent {
    /// The message's id: 32 hexadecimal digits.
    pub message: String,
    /// Which fragment of it, from 0.
    pub fragment: u32,
    /// 1 for the first time that it was sent.
    pub attempt: u32,
    /// What happened.
    pub step: JourneyStep,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To the recipient, with a part of the message.
    There,
    /// Back to the sender, as its acknowledgement.
    Back,
}

/// A node that a packet is meant to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedHop {
    /// Its name, or its address if the supervisor does not know it.
    pub node: String,
    /// How long it is asked to wait there, in microseconds. None where the sender does not know it: the
    /// header of a reply is its recipient's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_us: Option<u64>,
}

/// Something that happened to a packet. Names stand for nodes, addresses for those that the supervisor
/// does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum JourneyStep {
    /// It left its sender.
    Sent {
        /// When.
        t: Time,
        /// The sender.
        node: String,
        /// As it went.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        packet: Print,
        /// Where it is meant to go, the recipient's provider last. Of a reply only the first hop is known.
        route: Vec<PlannedHop>,
        /// Where its acknowledgement is meant to go, the sender's provider last; empty without one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        back: Vec<PlannedHop>,
    },
    /// A mixnode passed it on.
    Passed {
        /// Which way.
        way: Way,
        /// The mixnode.
        node: String,
        /// When it was taken from the link.
        came: Time,
        /// When it went on.
        left: Time,
        /// How long its header asked it to wait, in microseconds.
        asked_us: u64,
        /// As it came.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        before: Print,
        /// As it went.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        after: Print,
        /// The next hop.
        to: String,
        /// How many other packets waited there when it came.
        pool: u32,
    },
    /// A provider stored it for its client.
    Kept {
        /// Which way.
        way: Way,
        /// The provider.
        node: String,
        /// When it was taken from the link.
        came: Time,
        /// When it was safely stored.
        stored: Time,
        /// As it came.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        before: Print,
        /// Name of the client that it is for, or its key.
        client: String,
    },
    /// The recipient's provider sent the acknowledgement on its way back.
    AckSent {
        /// When.
        t: Time,
        /// The provider.
        node: String,
        /// As it went.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        packet: Print,
        /// Its first hop.
        to: String,
    },
    /// A node gave it up.
    Dropped {
        /// Which way.
        way: Way,
        /// The node.
        node: String,
        /// When.
        t: Time,
        /// Why, in the word of the node's counters.
        reason: String,
    },
    /// The recipient opened it.
    Opened {
        /// When.
        t: Time,
        /// The recipient.
        node: String,
    },
    /// The acknowledgement came back to the sender.
    Acknowledged {
        /// When.
        t: Time,
        /// The sender.
        node: String,
    },
}

impl JourneyStep {
    /// When it was over: what journeys are sorted by.
    pub fn at(&self) -> Time {
        match self {
            Self::Passed { left, .. } => *left,
            Self::Kept { stored, .. } => *stored,
            Self::Sent { t, .. }
            | Self::AckSent { t, .. }
            | Self::Dropped { t, .. }
            | Self::Opened { t, .. }
            | Self::Acknowledged { t, .. } => *t,
        }
    }
}

impl Journey {
    /// One that begins with this.
    pub fn begin(event: JourneyEvent) -> Self {
        let JourneyEvent { message, fragment, attempt, step } = event;
        Self { message, fragment, attempt, steps: vec![step] }
    }

    /// Whether this happened to the same packet.
    pub fn is_of(&self, event: &JourneyEvent) -> bool {
        (self.fragment, self.attempt) == (event.fragment, event.attempt)
            && self.message == event.message
    }

    /// Takes what happened to this packet to its place in time: nodes report at different moments. What
    /// is there already is not taken twice.
    pub fn add(&mut self, step: JourneyStep) {
        let at = self.steps.partition_point(|known| known.at() <= step.at());
        if !self.steps[..at].contains(&step) {
            self.steps.insert(at, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(t: u64) -> JourneyStep {
        JourneyStep::Opened { t: Time::from_nanos(t), node: "bob".into() }
    }

    #[test]
    fn steps_stand_by_time_and_once() {
        let event =
            |t| JourneyEvent { message: "m".into(), fragment: 0, attempt: 1, step: opened(t) };
        let mut journey = Journey::begin(event(5));
        assert!(journey.is_of(&event(9)));
        assert!(!journey.is_of(&JourneyEvent { attempt: 2, ..event(9) }));
        for t in [9, 3, 5, 3] {
            journey.add(opened(t));
        }
        assert_eq!(journey.steps, [opened(3), opened(5), opened(9)]);
    }
}
