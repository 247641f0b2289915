//! What can be wrong.

use control::State;

use super::{Entry, Fact, Header, Idea, Letter, Topic, entry};
use crate::screens::nodes::Column;
use crate::state::Lint;

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn lint(lint: Lint) -> Entry {
    match lint {
        Lint::Failed => entry(
            "a node has failed",
            "A process ended by itself so often that it is not started again. Its layer has a mixnode \
             less to choose from, and what it held in memory is lost; the others carry its share.",
            &[Topic::State(State::Failed), Topic::Idea(Idea::Layers)],
        ),
        Lint::Missing => entry(
            "part of the way is missing",
            "Every packet needs a mixnode of each layer and a provider. Where one is missing there is \
             no route at all: clients keep their messages, and send nothing, not even cover, which an \
             observer sees.",
            &[Topic::Idea(Idea::Layers), Topic::Letter(Letter::Held)],
        ),
        Lint::Unheard => entry(
            "the directory is not heard",
            "Nobody learns who comes and goes. Packets pass on the routes that clients know, for as \
             long as those nodes stay; what is shown here of presence and rates is old.",
            &[Topic::Header(Header::Directory), Topic::Idea(Idea::Presence)],
        ),
        Lint::Crashed => entry(
            "a node crashed or was killed",
            "A process crashed or was killed, and is started again. The packets that waited in a \
             mixnode are lost with it. Until the directory forgets it, clients send to it, and those \
             packets are lost too, unless it is back.",
            &[Topic::State(State::BackingOff), Topic::Column(Column::Restarts)],
        ),
        Lint::Gone => entry(
            "a node is gone from the directory",
            "The process runs, but the directory has not heard it for {forgotten}, so clients choose \
             others. With fewer mixnodes in a layer each sees more of all traffic.",
            &[Topic::Gone, Topic::Idea(Idea::Presence)],
        ),
        Lint::Silent => entry(
            "a node is silent",
            "It should pass packets on and does not, or it does not report what it does. Whoever \
             chooses it for a route loses packets there; nobody but the senders, who miss the \
             acknowledgements, can notice that.",
            &[Topic::Column(Column::Received), Topic::Idea(Idea::Ack)],
        ),
        Lint::Undelivered => entry(
            "a message was not delivered",
            "Its sender gave it up after many attempts, or for want of a provider or a recipient. A \
             mixnet promises no delivery: acknowledgements and new attempts make it likely.",
            &[Topic::Letter(Letter::Failed), Topic::Idea(Idea::Ack)],
        ),
        Lint::Unready => entry(
            "a node does not become ready",
            "It runs and waits for something: a client for its provider, for a mixnode in every \
             layer, or for its own packet to come round. Until then nothing goes to it or from it.",
            &[Topic::State(State::Present), Topic::Header(Header::Ready)],
        ),
        Lint::Late => entry(
            "a node is late",
            "It announces itself every {beat}, and two of those were missed. If it stands still, \
             packets pile up in front of it; if only its way to the directory is slow, nothing is \
             lost before it is forgotten.",
            &[Topic::Late, Topic::Idea(Idea::Presence)],
        ),
        Lint::Lossy => entry(
            "a node loses packets on its links",
            "Fewer packets come to it than are sent. A link that is full or keeps breaking does that, \
             and so does somebody who holds packets back to see which message is sent again.",
            &[Topic::Idea(Idea::Link), Topic::Drop(crate::drops::DropReason::Queue)],
        ),
        Lint::Drops => entry(
            "a node drops packets",
            "It took packets and did not pass them on, for the reasons that it counts. After restarts \
             some are normal: they were sealed for a key or a route of before. Acknowledgements that \
             a client waits for no more only came late. Many of another kind mean a wrong program, \
             or an attack.",
            &[
                Topic::Fact(Fact::Dropped),
                Topic::Drop(crate::drops::DropReason::Mac),
                Topic::Drop(crate::drops::DropReason::UnknownAck),
            ],
        ),
        Lint::Again => entry(
            "a client sends packets again",
            "Acknowledgements do not come back to it in time, so it repeats. Either packets are lost \
             on the way, or they and their acknowledgements take longer than their headers ask for, \
             which a busy machine does.",
            &[Topic::Fact(Fact::SentAgain), Topic::Idea(Idea::Ack)],
        ),
        Lint::Overload => entry(
            "the machine is too slow for the rates",
            "The processes need more of the processor than there is. Packets then wait for the \
             machine instead of for their delays, and what is measured here says little about how \
             well a real network would hide anything.",
            &[Topic::Column(Column::Cpu), Topic::Fact(Fact::LateBy)],
        ),
        Lint::Lateness => entry(
            "mixnodes pass packets on late",
            "Packets leave much later than their headers ask, because the processors are busy: with \
             these processes, or with other programs. The waits are no longer exponential, so an \
             observer can tell more from the order of packets than theory allows, and senders take \
             acknowledgements for lost that are only late.",
            &[Topic::Fact(Fact::LateBy), Topic::Idea(Idea::Delay)],
        ),
        Lint::Clock => entry(
            "a clock cannot be trusted",
            "Clocks of nodes differ, or one was set. Waits are measured on a clock that nobody can \
             set, so mixing goes on; ages and times of day that are shown may be wrong.",
            &[Topic::Header(Header::Connection), Topic::Idea(Idea::Presence)],
        ),
        Lint::Lost => entry(
            "events were lost",
            "Something happened that was not told here, because it came faster than it was read. The \
             network lost nothing; totals are right, and single steps, lines or dots may be missing.",
            &[Topic::Header(Header::Lost), Topic::Idea(Idea::Tracing)],
        ),
        Lint::Lone => entry(
            "a client hides among nobody",
            "There is no crowd and hardly another sender, so who watches where packets enter need not \
             follow one to know whose it is. Mixnodes cannot help: what hides a sender is other \
             senders.",
            &[Topic::Header(Header::Clients), Topic::Role(contract::Role::Crowd)],
        ),
        Lint::Paused => entry(
            "a node is paused",
            "Somebody let it stand still. It announces nothing and takes nothing, so it will be late \
             and then gone; what was sent to it waits in its connections.",
            &[Topic::State(State::Paused), Topic::Gone],
        ),
    }
}
