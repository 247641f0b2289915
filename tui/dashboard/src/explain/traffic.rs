//! The panes of Traffic.

use super::{Entry, Fact, Header, Idea, Topic, entry};
use crate::screens::nodes::Column;
use crate::screens::traffic::Pane;

pub(super) fn pane(pane: Pane) -> Entry {
    match pane {
        Pane::Rates => entry(
            "Rates",
            "Packets per second over time, a strip for each layer. What enters a layer leaves it \
             again, so in a network that works all strips look alike: one that is lower loses \
             packets. Messages do not show in them, because each takes the place of cover.",
            &[
                Topic::Header(Header::Rate),
                Topic::Column(Column::Received),
                Topic::Idea(Idea::Slots),
            ],
        ),
        Pane::Share => entry(
            "Packets",
            "What the packets are that enter the first layer, as their senders tell it: messages, \
             messages sent again, cover in a slot that had nothing to carry, loops, and \
             acknowledgements. On the wire they are all alike, so an observer sees only their sum.",
            &[Topic::Idea(Idea::Cover), Topic::Fact(Fact::Real), Topic::Idea(Idea::Ack)],
        ),
        Pane::Delays => entry(
            "Delay",
            "How long packets took from leaving a client until they came to one, measured on cover, \
             which takes as long as messages do. The points are theory: {layers} waits, one after the \
             other, each exponential with a mean of {delay}. Where the bars lie to the right of them, \
             links or a busy machine add to the waits.",
            &[Topic::Idea(Idea::Delay), Topic::Fact(Fact::LateBy), Topic::Journey],
        ),
        Pane::Pools => entry(
            "Pools",
            "How many packets wait at each mixnode, beside how many should: packets per second times \
             the mean wait (Little's law). A pool goes up and down around that by chance. The fuller \
             it is, the more packets hide each other.",
            &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Bits), Topic::Column(Column::Pool)],
        ),
        Pane::Losses => entry(
            "Losses",
            "Packets that nodes gave up, by reason, and packets that one node passed on and the next \
             never took. Those of messages are sent again on another route; those of cover are gone, \
             and a little of what hides the messages with them.",
            &[
                Topic::Fact(Fact::Dropped),
                Topic::Fact(Fact::SentAgain),
                Topic::Drop(crate::drops::DropReason::Queue),
            ],
        ),
    }
}
