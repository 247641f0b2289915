//! Messages underway and received.

use std::collections::VecDeque;

use contract::Content;
use control::{MessageStatus, ReceivedMessage};

/// How many messages are kept, of those underway and of those received. More than anybody reads.
const MAX_MESSAGES: usize = 500;

/// How many packets all those underway have together: each has its route, and a message of 16 MiB has
/// 10 559. The latest message is kept whatever it has.
const MAX_PACKETS: usize = 50_000;

/// How much of a message's text is kept; one that was received can be 1 MiB. Enough to recognise it.
const MAX_TEXT_CHARS: usize = 2000;

/// The latest messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    letters: VecDeque<MessageStatus>,
    received: VecDeque<ReceivedMessage>,
}

impl Letters {
    /// Those of a snapshot.
    pub(crate) fn new(messages: Vec<MessageStatus>, received: Vec<ReceivedMessage>) -> Self {
        let mut letters = Self::default();
        for message in messages {
            letters.update(message);
        }
        for message in received {
            letters.receive(message);
        }
        letters
    }

    /// A message is new or came further.
    pub(crate) fn update(&mut self, mut status: MessageStatus) {
        if let Content::Base64(_) = status.content {
            // Only the beginning of a long message: what is shown is how many bytes it has.
            let bytes = usize::try_from(status.bytes).unwrap_or(usize::MAX);
            status.content = Content::Omitted(bytes.max(status.content.byte_count()));
        }
        status.content = cut(status.content);
        if let Some(known) = self.letters.iter_mut().rev().find(|known| known.id == status.id) {
            *known = status;
        } else {
            push(&mut self.letters, status);
            while self.letters.len() > 1 && self.packets() > MAX_PACKETS {
                self.letters.pop_front();
            }
        }
    }

    fn packets(&self) -> usize {
        self.letters.iter().map(|letter| letter.packets.len()).sum()
    }

    /// A client received a message.
    pub(crate) fn receive(&mut self, mut message: ReceivedMessage) {
        message.content = cut(message.content);
        push(&mut self.received, message);
    }

    /// Messages underway and done, oldest first.
    pub(crate) fn sent(
        &self,
    ) -> impl DoubleEndedIterator<Item = &MessageStatus> + ExactSizeIterator {
        self.letters.iter()
    }

    /// What a client received, oldest first.
    pub(crate) fn inbox<'a>(
        &'a self,
        client: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a ReceivedMessage> {
        self.received.iter().filter(move |message| message.client == client)
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == MAX_MESSAGES {
        ring.pop_front();
    }
    ring.push_back(item);
}

/// The content cut to what is kept.
fn cut(content: Content) -> Content {
    match content {
        Content::Text(text) => match text.char_indices().nth(MAX_TEXT_CHARS) {
            Some((end, _)) => Content::Text(format!("{}…", &text[..end])),
            None => Content::Text(text),
        },
        Content::Base64(_) | Content::Omitted(_) => Content::Text(content.preview()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_message_is_replaced_by_its_newer_state_and_old_ones_are_forgotten() {
        let mut letters = Letters::default();
        for number in 0..MAX_MESSAGES + 5 {
            let mut message = fixture::message("alice", "bob", "hi");
            message.id = format!("{number:032x}");
            letters.update(message.clone());
            message.state = control::MessageState::Sent;
            letters.update(message);
        }
        assert_eq!(letters.sent().len(), MAX_MESSAGES);
        assert!(letters.sent().all(|letter| letter.state == control::MessageState::Sent));
        let oldest = letters.sent().next().map(|letter| letter.id.as_str());
        assert_eq!(oldest, Some("00000000000000000000000000000005"));
    }

    #[test]
    fn long_messages_leave_room_for_fewer() {
        let mut letters = Letters::default();
        for number in 0..9 {
            let mut message = fixture::message("alice", "bob", "hi");
            message.id = format!("{number:032x}");
            message.packets = vec![control::PacketStatus::default(); MAX_PACKETS / 4];
            letters.update(message);
        }
        assert_eq!(letters.sent().len(), 4);
        let mut message = fixture::message("alice", "bob", "hi");
        message.packets = vec![control::PacketStatus::default(); MAX_PACKETS + 1];
        letters.update(message);
        assert_eq!(letters.sent().len(), 1, "the latest is always there");
    }

    #[test]
    fn of_bytes_their_number_is_kept_though_only_the_first_are_there() {
        let mut letters = Letters::default();
        let mut message = fixture::message("alice", "bob", "");
        (message.content, message.bytes) = (Content::from_bytes(vec![0xff; 1023]), 100_000);
        letters.update(message);
        let kept = letters.sent().next().map(|letter| letter.content.preview());
        assert_eq!(kept.as_deref(), Some("[100000 bytes]"));
    }

    #[test]
    fn a_long_text_is_cut() {
        let mut letters = Letters::default();
        let mut message = fixture::message("alice", "bob", "");
        message.content = Content::Text("é".repeat(MAX_TEXT_CHARS + 1));
        letters.update(message);
        let kept = letters.sent().next().map(|letter| letter.content.preview());
        assert_eq!(kept.map(|text| text.chars().count()), Some(MAX_TEXT_CHARS + 1));
    }
}
