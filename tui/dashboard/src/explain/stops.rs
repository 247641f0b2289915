//! The stops of a journey.

use contract::Role;
use control::Way;

use super::{Entry, Idea, Letter, Topic, entry};
use crate::state::Part;

pub(super) fn stop(way: Way, part: Part) -> Entry {
    match (way, part) {
        (_, Part::Sender) => entry(
            "sender of a packet",
            "The client chose a mixnode of each layer, drew a wait for each, and sealed the packet in \
             as many layers of encryption. It left at a slot, as cover would have: to who watches the \
             line this packet is like the one before.",
            &[Topic::Idea(Idea::Slots), Topic::Idea(Idea::Sphinx)],
        ),
        (Way::There, Part::Mixnode) => entry(
            "mixnode on the way there",
            "It took a layer of encryption off, so that nothing of it looks as before, found the next \
             hop and the wait inside, and sent it on when that was over. `asked` is what the header says and \
             `waited` what was measured; `others` waited in the pool when the packet came, and any of \
             them could have left in its place.",
            &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Bits), Topic::Idea(Idea::Delay)],
        ),
        (Way::There, Part::Mailbox) => entry(
            "the recipient's provider",
            "Here the layers end: the provider learns for which client the packet is and writes it to \
             disk. What is inside is sealed for the recipient, so it can tell neither the text nor the \
             sender, nor a message from cover.",
            &[Topic::Role(Role::Provider), Topic::Idea(Idea::Ack)],
        ),
        (_, Part::Recipient) => entry(
            "recipient",
            "The client opened it and found a part of the message. Nothing in a packet says who sent \
             it; an answer is possible if the message has an address in it, or reply blocks.",
            &[Topic::Idea(Idea::ReplyBlock), Topic::Letter(Letter::Delivered)],
        ),
        (_, Part::AckSource) => entry(
            "start of an acknowledgement",
            "The packet brought a header for its own way back, sealed by the sender. The provider \
             sends it with noise behind it, as long as any packet, and knows of that way only the \
             first mixnode.",
            &[Topic::Idea(Idea::Ack), Topic::Idea(Idea::Sphinx)],
        ),
        (Way::Back, Part::Mixnode) => entry(
            "mixnode on the way back",
            "An acknowledgement waits like any packet, so that its return cannot be matched with what \
             was sent. The first mixnode sees it come from a provider and knows that it is one; those \
             after it cannot tell.",
            &[Topic::Idea(Idea::Ack), Topic::Idea(Idea::Pool)],
        ),
        (Way::Back, Part::Mailbox) => entry(
            "the sender's provider",
            "It keeps the acknowledgement for its client as it keeps everything. What is in it is \
             noise, by which the provider knows what it is; as cover is acknowledged too, that tells \
             no more than how much the client sends.",
            &[Topic::Role(Role::Provider), Topic::Idea(Idea::Cover)],
        ),
        (_, Part::Acknowledged) => entry(
            "back at the sender",
            "The sender knows the header that it sealed itself, and so which packet reached the other \
             provider. It will not send that one again. Of the wait at each hop it had drawn all, so it \
             knew about when to expect this.",
            &[Topic::Letter(Letter::Acknowledged), Topic::Idea(Idea::Ack)],
        ),
    }
}
