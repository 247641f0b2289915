//! What to look at next after the reason why a packet was given up.

use super::{Entry, Fact, Idea, Topic, entry};
use crate::drops::DropReason;

/// What is said about a reason.
pub(super) fn reason(reason: DropReason) -> Entry {
    let see: &[Topic] = match reason {
        DropReason::Mac
        | DropReason::Malformed
        | DropReason::Version
        | DropReason::FinalHop
        | DropReason::ForwardHop => &[Topic::Idea(Idea::Sphinx), Topic::Fact(Fact::Dropped)],
        DropReason::Replay => &[Topic::Fact(Fact::Replays), Topic::Fact(Fact::Dropped)],
        DropReason::Delay | DropReason::PoolFull => {
            &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Delay), Topic::Fact(Fact::Dropped)]
        }
        DropReason::Layer
        | DropReason::UnknownHop
        | DropReason::Queue
        | DropReason::NoRoute
        | DropReason::NodeKey => {
            &[Topic::Idea(Idea::Layers), Topic::Idea(Idea::Presence), Topic::Fact(Fact::Dropped)]
        }
        DropReason::UnknownClient
        | DropReason::MailboxFull
        | DropReason::ProviderFull
        | DropReason::Storage => {
            &[Topic::Fact(Fact::Waiting), Topic::Idea(Idea::Ack), Topic::Fact(Fact::Dropped)]
        }
        DropReason::AckHop | DropReason::Duplicate | DropReason::UnknownAck => {
            &[Topic::Idea(Idea::Ack), Topic::Fact(Fact::SentAgain)]
        }
        DropReason::Overload => &[Topic::Idea(Idea::Slots), Topic::Fact(Fact::Dropped)],
    };
    entry(reason.word(), reason.text(), see)
}
