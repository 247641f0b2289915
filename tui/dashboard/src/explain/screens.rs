//! What each screen is for.

use contract::Role;

use super::{Entry, Header, Idea, Insight, Letter, Study, Topic, entry};
use crate::screens::Screen;
use crate::screens::nodes::Column;
use crate::screens::traffic::Pane;

pub(super) fn screen(screen: Screen) -> Entry {
    match screen {
        Screen::Network => entry(
            "Network",
            "The map of who sends to whom: clients on the left, then the layers of mixnodes, then the \
             providers that keep messages for clients. A packet passes one mixnode of each layer from \
             left to right. Lines are thicker the more packets pass, and a dot is a packet that really \
             did.",
            &[Topic::Idea(Idea::Mixnet), Topic::Idea(Idea::Layers), Topic::Idea(Idea::Link)],
        ),
        Screen::Nodes => entry(
            "Nodes",
            "Every process of the devnet with its state and figures, to compare, sort, start and \
             stop. Rates are averages over the last seconds; those of mixnodes are what the \
             directory was told, as anybody could read them there.",
            &[
                Topic::Column(Column::State),
                Topic::Column(Column::Received),
                Topic::Column(Column::Pool),
            ],
        ),
        Screen::Traffic => entry(
            "Traffic",
            "How much passes, what it is and how long it takes. Most of it is cover: that is the \
             price of hiding who speaks. The delays follow from the waits that senders draw, so what \
             is measured should lie on the curve that theory gives.",
            &[
                Topic::Traffic(Pane::Rates),
                Topic::Traffic(Pane::Share),
                Topic::Traffic(Pane::Delays),
                Topic::Traffic(Pane::Pools),
                Topic::Traffic(Pane::Losses),
            ],
        ),
        Screen::Messages => entry(
            "Messages",
            "Send from any client to any other and watch how far each message has come. It waits for \
             its turn, because a client sends at a steady rate whether there is something to say or \
             not; then it takes {mixing} on average through the layers, and its acknowledgement as \
             long again.",
            &[Topic::Letter(Letter::Queued), Topic::Letter(Letter::Acknowledged), Topic::Journey],
        ),
        Screen::Presence => entry(
            "Presence",
            "The announcements of nodes as the directory hears them, one every {beat} from each. A \
             network without a fixed list of nodes lives by this: who announces itself is used by \
             clients, and who falls silent is forgotten after {forgotten}. A provider announces itself \
             twice, as provider and as gateway, as those of 2020 did.",
            &[Topic::Idea(Idea::Presence), Topic::Late, Topic::Role(Role::Directory)],
        ),
        Screen::Logs => entry(
            "Logs",
            "What every process writes about itself, in one stream or each alone. Nodes log that a \
             connection failed or a packet made no sense, and never where a packet came from and went \
             to: a log that joins the two would undo the mixing.",
            &[Topic::Idea(Idea::Mixnet), Topic::Screen(Screen::Problems)],
        ),
        Screen::Anonymity => entry(
            "Anonymity",
            "How well this network hides who sent a packet, from somebody who sees every link: \
             measured from the links alone, beside what theory expects. The knobs at the right show \
             what other settings would do. Every figure names who watches and over how long, for \
             without that it means nothing.",
            &[
                Topic::Insight(Insight::Sender),
                Topic::Insight(Insight::Pools),
                Topic::Insight(Insight::Limit),
                Topic::Insight(Insight::Trust),
                Topic::Insight(Insight::Curve),
                Topic::Insight(Insight::Knobs),
                Topic::Insight(Insight::Observer),
            ],
        ),
        Screen::Lessons => entry(
            "Lessons",
            "Some minutes each, on this running network: a lesson says something, asks what you expect, \
             lets you do it, and waits until the network shows it. What is right is reckoned from the \
             network itself. A lesson may be left at any time; the network is then put back as it was. \
             How far you have come is remembered, also by `nym-devnet lesson`.",
            &[
                Topic::Study(Study::Network),
                Topic::Study(Study::Question),
                Topic::Study(Study::Task),
                Topic::Study(Study::Condition),
                Topic::Study(Study::Restored),
            ],
        ),
        Screen::Problems => entry(
            "Problems",
            "What does not look right in the devnet now, why that matters, and what to do. A mixnet \
             fails quietly: packets are lost and sent again, pools run thin, and a single client has \
             nobody to hide among, all while messages still arrive.",
            &[Topic::Idea(Idea::Bits), Topic::Header(Header::Ready)],
        ),
    }
}

pub(super) fn card() -> Entry {
    entry(
        "Card of a node",
        "Everything about one process: where it listens, who it is, what it counts and what it logged \
         last. Its key is its name in the network; senders seal a layer of each packet for it, which \
         only the owner of the private key can open.",
        &[Topic::Idea(Idea::Sphinx), Topic::Column(Column::State), Topic::Column(Column::Pool)],
    )
}

pub(super) fn journey() -> Entry {
    entry(
        "Journey of a message",
        "One packet at every stop of its way: what came, what went, and how long it waited. Its bytes \
         are different on each link and its length never is, so only somebody who is told by every \
         node on the way can follow it. No single stop knew both who sent it and for whom it was.",
        &[Topic::Idea(Idea::Tracing), Topic::Idea(Idea::Sphinx), Topic::Idea(Idea::Pool)],
    )
}
