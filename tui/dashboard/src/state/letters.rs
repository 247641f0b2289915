//! Messages underway and received.

use std::collections::VecDeque;

use contract::Content;
use control::{MessageStatus, ReceivedMessage};

/// How many messages are kept, of those underway and of those received. More than anybody reads.
const MAX_MESSAGES: usize = 500;

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
        status.content = cut(status.content);
        match self.letters.iter_mut().rev().find(|known| known.id == status.id) {
            Some(known) => *known = status,
            None => push(&mut self.letters, status),
        }
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
    fn a_long_text_is_cut() {
        let mut letters = Letters::default();
        let mut message = fixture::message("alice", "bob", "");
        message.content = Content::Text("é".repeat(MAX_TEXT_CHARS + 1));
        letters.update(message);
        let kept = letters.sent().next().map(|letter| letter.content.preview());
        assert_eq!(kept.map(|text| text.chars().count()), Some(MAX_TEXT_CHARS + 1));
    }
}
