//! What processes are, and how they fare.

use contract::Role;
use control::State;

use super::{Entry, Fact, Header, Idea, Topic, entry};
use crate::screens::Screen;
use crate::screens::nodes::Column;

pub(super) fn role(role: Role) -> Entry {
    match role {
        Role::Directory => entry(
            "directory",
            "Where nodes announce themselves and everybody reads who is there. It carries no packet. \
             Senders trust it all the same: who could put mixnodes of their own into everybody's list \
             would see whole routes.",
            &[Topic::Idea(Idea::Presence), Topic::Screen(Screen::Presence)],
        ),
        Role::Mixnode => entry(
            "mixnode",
            "Takes packets, removes a layer of encryption from each, lets it wait as long as its \
             header says, and sends it to the next layer. It knows where a packet came from and where \
             it goes next, and no more: whether that is a message or cover it cannot tell.",
            &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Delay), Topic::Idea(Idea::Layers)],
        ),
        Role::Provider => entry(
            "provider",
            "Keeps packets for its clients until they fetch them, so a client need not be online, and \
             acknowledges each once it is stored. It knows for whom a packet is, and not who sent it \
             nor what it says: that is sealed from end to end.",
            &[Topic::Fact(Fact::Waiting), Topic::Idea(Idea::Ack), Topic::Role(Role::Client)],
        ),
        Role::Client => entry(
            "client",
            "Makes packets and reads them, for applications that connect to it. It sends {rate} \
             packets per second on average, straight to the first layer, whether it has something to \
             say or not, and gets its own from its provider.",
            &[Topic::Idea(Idea::Slots), Topic::Idea(Idea::Cover), Topic::Role(Role::Provider)],
        ),
        Role::Crowd => entry(
            "crowd",
            "Many clients in one process that say nothing and only send cover, each at the rate of a \
             named client. On a line they look like any other; without somebody to hide among, the \
             named clients would stand out however well the packets are mixed.",
            &[Topic::Idea(Idea::Cover), Topic::Header(Header::Clients), Topic::Idea(Idea::Bits)],
        ),
    }
}

pub(super) fn state(state: State) -> Entry {
    match state {
        State::Planned => entry(
            "planned",
            "Part of the layout, and not started yet: processes start in order, the directory first, \
             then mixnodes and providers, then clients.",
            &[Topic::State(State::Starting)],
        ),
        State::Starting => entry(
            "starting",
            "The process runs and has not opened its sockets. It reads its key and its files first.",
            &[Topic::State(State::Listening)],
        ),
        State::Listening => entry(
            "listening",
            "Its sockets are open, and the directory does not list it yet. Nobody sends to it: \
             clients choose their routes from the directory's list.",
            &[Topic::State(State::Present), Topic::Idea(Idea::Presence)],
        ),
        State::Present => entry(
            "present",
            "It is there, and waits for something before it can do its work: a client for a mixnode \
             in every layer, or for its provider. Messages are accepted meanwhile and kept.",
            &[Topic::State(State::Ready), Topic::Letter(super::Letter::Held)],
        ),
        State::Ready => entry(
            "ready",
            "It does its work. A mixnode or provider is listed by the directory, so packets come to \
             it; a client or crowd has sent a packet through all layers and got it back.",
            &[Topic::Late, Topic::Header(Header::Ready)],
        ),
        State::Paused => entry(
            "paused",
            "The process stands still: it neither takes nor sends nor announces itself. To others it \
             looks like a machine that hangs. Its connections stay open, so what is sent to it waits \
             there, until the directory forgets it and clients go round it.",
            &[Topic::Gone, Topic::Drop(crate::drops::DropReason::Queue)],
        ),
        State::Stopping => entry(
            "stopping",
            "It was asked to end. A mixnode first tells the directory that it leaves, so that no new \
             packets come, and lets go those that wait, for a few seconds at most.",
            &[Topic::State(State::Stopped)],
        ),
        State::Stopped => entry(
            "stopped",
            "Somebody stopped it, and it stays so until somebody starts it. What a client or provider \
             had stored is still there.",
            &[Topic::State(State::Starting)],
        ),
        State::BackingOff => entry(
            "backing off",
            "It ended by itself, and starts again after a pause that grows with every crash. A \
             mixnode has lost the packets that waited in it; their senders hear nothing, and send \
             them again on another route.",
            &[Topic::State(State::Failed), Topic::Column(Column::Restarts)],
        ),
        State::Failed => entry(
            "failed",
            "It ended by itself too often in a short time, so it is not started again until somebody \
             does that. Its layer has one mixnode less, or its clients no provider: the reason beside \
             the state and its log say why.",
            &[Topic::State(State::BackingOff), Topic::Screen(Screen::Logs)],
        ),
    }
}

pub(super) fn late() -> Entry {
    entry(
        "late",
        "Its process runs, and the directory has not heard it for {late}, though it should announce \
         itself every {beat}. It may be too busy, stand still, or not reach the directory. Clients \
         still send to it until it is forgotten, after {forgotten}.",
        &[Topic::Gone, Topic::Idea(Idea::Presence)],
    )
}

pub(super) fn gone() -> Entry {
    entry(
        "gone",
        "Its process runs, and the directory has forgotten it: it was silent for {forgotten}, or said \
         that it leaves. Clients do not use it any more, so its layer is narrower, and packets that \
         were on their way to it may be lost.",
        &[Topic::Late, Topic::Idea(Idea::Layers), Topic::Idea(Idea::Presence)],
    )
}
