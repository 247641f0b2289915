//! Messages underway and received.

use std::collections::VecDeque;

use contract::Content;
use control::{InboxMessage, MessageStatus};

/// How many messages are kept, of those underway and of those received. More than anybody reads.
const MAX_MESSAGES: usize = 500;

/// How much of a message's text is kept; a message can be 1 MiB. Enough to recognise it.
const MAX_TEXT_CHARS: usize = 2000;

/// A message with its text cut to what can be shown.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its state; the content is cut.
    pub(crate) status: MessageStatus,
    /// How long its content really is, in bytes.
    pub(crate) bytes: usize,
}

/// The latest messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    letters: VecDeque<Letter>,
    received: VecDeque<InboxMessage>,
}

impl Letters {
    /// Those of a snapshot.
    pub(crate) fn new(messages: Vec<MessageStatus>, received: Vec<InboxMessage>) -> Self {
        let mut letters = Self::default();
        messages.into_iter().for_each(|message| letters.update(message));
        received.into_iter().for_each(|message| letters.receive(message));
        letters
    }

    /// A message is new or came further.
    pub(crate) fn update(&mut self, mut status: MessageStatus) {
        let (content, bytes) = cut(status.content);
        status.content = content;
        let letter = Letter { status, bytes };
        let known = self.letters.iter_mut().rev().find(|known| known.status.id == letter.status.id);
        match known {
            Some(known) => *known = letter,
            None => push(&mut self.letters, letter),
        }
    }

    /// A client received a message.
    pub(crate) fn receive(&mut self, mut message: InboxMessage) {
        message.content = cut(message.content).0;
        push(&mut self.received, message);
    }

    /// Messages underway and done, oldest first.
    pub(crate) fn sent(&self) -> impl DoubleEndedIterator<Item = &Letter> + ExactSizeIterator {
        self.letters.iter()
    }

    /// What a client received, oldest first.
    pub(crate) fn inbox<'a>(
        &'a self,
        client: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a InboxMessage> {
        self.received.iter().filter(move |message| message.client == client)
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T) {
    if ring.len() == MAX_MESSAGES {
        ring.pop_front();
    }
    ring.push_back(item);
}

/// The content cut to what is kept, and its whole length in bytes.
fn cut(content: Content) -> (Content, usize) {
    match content {
        Content::Text(text) => {
            let bytes = text.len();
            match text.char_indices().nth(MAX_TEXT_CHARS) {
                Some((end, _)) => (Content::Text(format!("{}…", &text[..end])), bytes),
                None => (Content::Text(text), bytes),
            }
        }
        Content::Base64(text) => {
            let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
            let bytes = (text.len() / 4 * 3).saturating_sub(padding);
            (Content::Text(format!("[{bytes} bytes]")), bytes)
        }
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
        assert!(letters.sent().all(|letter| letter.status.state == control::MessageState::Sent));
        assert_eq!(letters.sent().next().map(|letter| letter.status.id.as_str()), Some(
            "00000000000000000000000000000005"
        ));
    }

    #[test]
    fn a_long_text_is_cut_and_its_length_remembered() {
        let mut letters = Letters::default();
        let mut message = fixture::message("alice", "bob", "");
        message.content = Content::Text("é".repeat(MAX_TEXT_CHARS + 1));
        letters.update(message.clone());
        message.id = "x".into();
        message.content = Content::Base64("/wD+".into());
        letters.update(message);
        let kept: Vec<&Letter> = letters.sent().collect();
        assert_eq!(kept[0].bytes, 2 * (MAX_TEXT_CHARS + 1));
        assert_eq!(kept[0].status.content.preview().chars().count(), MAX_TEXT_CHARS + 1);
        assert_eq!(kept[1].bytes, 3);
        assert_eq!(kept[1].status.content.preview(), "[3 bytes]");
    }
}
