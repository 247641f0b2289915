//! The columns of the table of nodes.

use contract::Role;
use control::State;

use super::{Entry, Fact, Idea, Topic, entry};
use crate::screens::nodes::Column;

pub(super) fn column(column: Column) -> Entry {
    match column {
        Column::Name => entry(
            "NAME",
            "What the supervisor calls it: of a mixnode its layer and its number there. In the \
             network itself nobody has a name: nodes and clients are known by their keys.",
            &[Topic::Column(Column::Role), Topic::Column(Column::Layer)],
        ),
        Column::Role => entry(
            "ROLE",
            "What the process does in the network: lists who is there, mixes, keeps messages, or sends \
             and receives. Each is a program of its own that talks to the others only over sockets.",
            &[
                Topic::Role(Role::Mixnode),
                Topic::Role(Role::Provider),
                Topic::Role(Role::Client),
                Topic::Role(Role::Crowd),
                Topic::Role(Role::Directory),
            ],
        ),
        Column::Layer => entry(
            "LAYER",
            "In which layer a mixnode stands. Clients and acknowledgements enter at layer 1; each \
             mixnode sends only to the next layer, the last one to providers. A packet that wants to \
             skip one is refused, unless the devnet is as faithful to 2020 as to let it.",
            &[Topic::Idea(Idea::Layers), Topic::Drop(crate::drops::DropReason::Layer)],
        ),
        Column::State => entry(
            "STATE",
            "How the process fares, and why. What it says of itself and what the directory hears of \
             it are taken together: a mixnode that runs and is not heard is late or gone, and for \
             clients as good as dead.",
            &[
                Topic::State(State::Ready),
                Topic::Late,
                Topic::Gone,
                Topic::State(State::BackingOff),
            ],
        ),
        Column::Up => entry(
            "UP",
            "How long the running process has run. A restart empties a mixnode's pool and its memory \
             of packets that it has seen, so that a copy of an old one would pass it once.",
            &[Topic::Fact(Fact::Replays), Topic::Column(Column::Restarts)],
        ),
        Column::Restarts => entry(
            "RESTARTS",
            "How often it was started again after it had ended by itself. Packets that waited in a \
             mixnode then are lost; those of messages are sent again.",
            &[Topic::State(State::BackingOff), Topic::Column(Column::Up)],
        ),
        Column::Pid => entry(
            "PID",
            "The number that the system gives the process. Every node is one, so it can be stopped, \
             paused and watched with any tool of the system.",
            &[Topic::State(State::Paused)],
        ),
        Column::Address => entry(
            "ADDRESS",
            "Where it listens. The address of a node stands in the headers of packets, sealed so that \
             only the hop before can read it.",
            &[Topic::Idea(Idea::Sphinx)],
        ),
        Column::Received => entry(
            "IN/s",
            "Packets that it took per second. What goes into a mixnode comes out of it again, only \
             later and in another order: a lasting difference to OUT/s means that packets are dropped \
             or that the pool grows.",
            &[Topic::Column(Column::Sent), Topic::Column(Column::Pool)],
        ),
        Column::Sent => entry(
            "OUT/s",
            "Packets that it sent on per second. Of a client that is what an observer of its line \
             sees, and it stays the same whether it speaks or not; of a provider it is \
             acknowledgements.",
            &[Topic::Idea(Idea::Slots), Topic::Column(Column::Received)],
        ),
        Column::Pool => entry(
            "POOL",
            "Packets that wait there now: at a mixnode until their delay is over, at a provider until \
             their client fetches them. A mixnode's pool is what a packet hides in; one that is often \
             empty hides nothing.",
            &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Bits), Topic::Fact(Fact::Waiting)],
        ),
        Column::Cpu => entry(
            "CPU %",
            "Its share of one core. Taking a layer of encryption off a packet costs a fixed amount of \
             work, so this follows the rate. A machine that is too busy lets packets wait longer than \
             they ask, and then the waits no longer follow the law that hides them.",
            &[Topic::Fact(Fact::LateBy), Topic::Column(Column::Received)],
        ),
        Column::Memory => entry(
            "MEM",
            "Memory that the process holds. That of a mixnode grows with its memory of packets that \
             it has seen, up to a bound, and not with its pool, which is small.",
            &[Topic::Fact(Fact::Replays)],
        ),
    }
}
