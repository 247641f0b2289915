//! What a stop of a packet knew of it, and what it could not know.

use control::Way;

use crate::state::{Course, Fate, Part};

/// Both, as ends of sentences.
pub(super) struct Knowledge {
    pub(super) knew: String,
    pub(super) hidden: String,
}

/// Those of a stop. Names are as they came: whoever shows them makes them visible.
pub(super) fn of(course: &Course<'_>, at: usize) -> Option<Knowledge> {
    let stop = course.stops.get(at)?;
    let name = |node: Option<&str>| node.unwrap_or("a node not heard of yet").to_owned();
    let from = name(course.came_from(at).and_then(|stop| stop.node));
    let next = course.stops.get(at + 1);
    let to = match &stop.fate {
        Fate::Told(told) if told.to.is_some() => told.to,
        _ => next.and_then(|next| next.node),
    };
    let has_ack = course.stops.iter().any(|stop| stop.id.way == Way::Back);
    let is_first = stop.id.hop == 1;
    let is_last = next.is_some_and(|next| next.id.part == Part::Mailbox);
    let (knew, hidden) = match (stop.id.way, stop.id.part) {
        (_, Part::Sender) if course.is_reply => (
            format!("what it says; of the way only the first hop, {}", name(to)),
            "who gets it: the rest is sealed in the reply block".to_owned(),
        ),
        (_, Part::Sender) => (
            "everything: the message, the route, each wait".to_owned(),
            if has_ack {
                "whether it arrives, until the ack is back".to_owned()
            } else {
                "whether it arrives: no ack comes back".to_owned()
            },
        ),
        (way, Part::Mixnode) => {
            let to = name(to);
            let what = "if message, ack or cover";
            match (way, is_first, is_last) {
                (Way::Back, true, _) => (
                    format!("it is an ack: {from} sends nothing else here; next is {to}"),
                    "of which packet, and for whom".to_owned(),
                ),
                (Way::There, true, true) => (
                    format!("{from} sent it, to a client of {to}"),
                    format!("which client that is; {what}"),
                ),
                (Way::There, true, false) => {
                    (format!("{from} sent it; next is {to}"), format!("for whom; {what}"))
                }
                (_, false, true) => (
                    format!("it came from {from}, for a client of {to}"),
                    format!("who sent it; which client; {what}"),
                ),
                (_, false, false) => (
                    format!("it came from {from}; next is {to}"),
                    format!("who sent it; for whom; {what}"),
                ),
            }
        }
        (Way::There, Part::Mailbox) => (
            format!("it came from {from}, for {}", client(course, at)),
            "who sent it; what it says; if message or cover".to_owned(),
        ),
        (Way::Back, Part::Mailbox) => (
            format!("it is an ack for {}: what is in it is noise", client(course, at)),
            "of what: cover is acknowledged as messages are".to_owned(),
        ),
        (_, Part::Recipient) => {
            ("what it says".to_owned(), "who sent it, unless the message says so".to_owned())
        }
        (_, Part::AckSource) => (
            format!("what it stored and for whom; of the ack the first hop, {}", name(to)),
            "where the ack goes then, and to whom".to_owned(),
        ),
        (_, Part::Acknowledged) => (
            "which packet arrived: it had sealed this header itself".to_owned(),
            "if the recipient has it yet: its provider acknowledges".to_owned(),
        ),
    };
    Some(Knowledge { knew, hidden })
}

/// The client for whom a provider keeps the packet.
fn client(course: &Course<'_>, at: usize) -> String {
    let stop = course.stops.get(at);
    let told = match stop.map(|stop| &stop.fate) {
        Some(Fate::Told(told)) => told.to,
        _ => None,
    };
    let next = course.stops.get(at + 1).and_then(|next| next.node);
    told.or(next).unwrap_or("one of its clients").to_owned()
}
