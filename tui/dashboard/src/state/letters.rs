//! Messages: what their senders, their recipients and the supervisor say of each, joined by its id.
//!
//! A recipient is not told who wrote to it. That it is known here has one reason: the supervisor
//! hears both ends. What came from elsewhere, or before this supervisor's time, has no sender.

mod body;

pub(crate) use body::{Body, MAX_TEXT_BYTES};

use std::collections::{BTreeMap, HashMap};

use contract::Content;
use control::{InboxMessage, MessageStatus, ReceivedMessage};

/// How many messages are kept. More than anybody reads.
const MAX_LETTERS: usize = 2000;

/// How many packets all of them have together: each has its route, and a message of 16 MiB has
/// 10 559. The latest message is kept whatever it has.
const MAX_PACKETS: usize = 50_000;

/// How many bytes of text all of them have together.
const MAX_TEXTS_BYTES: usize = 8 << 20;

/// How much of a message's content its status repeats, in characters: a title.
const MAX_TITLE_CHARS: usize = 2000;

/// How a client calls whom it answers with a reply block; the id of the message that brought the
/// block follows.
const SENDER_OF: &str = "the sender of ";

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its id: 32 hexadecimal digits.
    pub(crate) id: String,
    /// How far it has come; none if nobody here has sent it since the supervisor was started.
    pub(crate) status: Option<MessageStatus>,
    /// Its arrival at a client of this devnet.
    pub(crate) arrival: Option<Arrival>,
    /// What it says.
    pub(crate) body: Body,
}

/// A message reached a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The client.
    pub(crate) client: String,
    /// When: milliseconds since 1970.
    pub(crate) unix_ms: u64,
    /// Nobody has looked at it since.
    pub(crate) new: bool,
}

impl Letter {
    /// When it was accepted, or arrived if that is all that is known: milliseconds since 1970.
    pub(crate) fn unix_ms(&self) -> u64 {
        let accepted = self.status.as_ref().map(|status| status.accepted_unix_ms);
        accepted.or(self.arrival.as_ref().map(|arrival| arrival.unix_ms)).unwrap_or_default()
    }

    /// Who sent it, where that is known.
    pub(crate) fn from(&self) -> Option<&str> {
        self.status.as_ref().map(|status| status.from.as_str())
    }

    /// Whether it goes over a reply block, so that its sender does not know to whom.
    pub(crate) fn is_reply(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.to.starts_with(SENDER_OF))
    }

    /// Whether it arrived and nobody has looked at it.
    pub(crate) fn is_new(&self) -> bool {
        self.arrival.as_ref().is_some_and(|arrival| arrival.new)
    }

    fn packets(&self) -> usize {
        self.status.as_ref().map_or(0, |status| status.packets.len())
    }
}

/// How many messages a client received, of those that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inbox {
    /// All of them.
    pub(crate) all: usize,
    /// Those that nobody has looked at.
    pub(crate) new: usize,
}

/// Where a message stands among the others: by its time, then by its turn in being heard of.
type Place = (u64, u64);

/// The latest messages, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    by_place: BTreeMap<Place, Letter>,
    places: HashMap<String, Place>,
    next: u64,
    packets: usize,
    text_bytes: usize,
    /// How many of them nobody has looked at.
    new: usize,
    /// What clients received; those that received nothing are not in it.
    inboxes: HashMap<String, Inbox>,
}

impl Letters {
    /// Takes over what a snapshot says. What it says has arrived is new if `new`.
    pub(crate) fn resume(
        &mut self,
        messages: Vec<MessageStatus>,
        received: Vec<ReceivedMessage>,
        new: bool,
    ) {
        for message in messages {
            self.update(message);
        }
        for message in received {
            self.arrived(message, new);
        }
    }

    /// A message is new or came further.
    pub(crate) fn update(&mut self, mut status: MessageStatus) {
        let content = std::mem::replace(&mut status.content, Content::Omitted(0));
        let bytes = usize::try_from(status.bytes).unwrap_or(usize::MAX).max(content.byte_count());
        status.content = title(&content, bytes);
        let (turn, mut letter) = self.take(&status.id).unwrap_or_else(|| {
            let id = status.id.clone();
            (self.next_turn(), Letter { id, status: None, arrival: None, body: Body::default() })
        });
        if letter.arrival.is_none() {
            letter.body = Body::new(content, bytes);
        }
        letter.status = Some(status);
        self.put(turn, letter);
    }

    /// A client received a message.
    pub(crate) fn receive(&mut self, message: ReceivedMessage) {
        self.arrived(message, true);
    }

    /// A client kept these messages from before.
    pub(crate) fn keep(&mut self, messages: Vec<InboxMessage>) {
        for InboxMessage { client, id, unix_ms, content, .. } in messages {
            self.arrived(ReceivedMessage { client, id, unix_ms, content }, false);
        }
    }

    fn arrived(&mut self, message: ReceivedMessage, new: bool) {
        let ReceivedMessage { client, id, unix_ms, content } = message;
        if self.get(&id).is_some_and(|known| known.arrival.is_some()) {
            return;
        }
        let (turn, status) = match self.take(&id) {
            Some((turn, known)) => (turn, known.status),
            None => (self.next_turn(), None),
        };
        let bytes = content.byte_count();
        let body = Body::new(content, bytes);
        let arrival = Some(Arrival { client, unix_ms, new });
        self.put(turn, Letter { id, status, arrival, body });
    }

    /// Whether anything is there that nobody has looked at.
    pub(crate) fn has_new(&self) -> bool {
        self.new > 0
    }

    /// This message was looked at.
    pub(crate) fn look(&mut self, id: &str) {
        let Some(letter) = self.places.get(id).and_then(|place| self.by_place.get_mut(place))
        else {
            return;
        };
        if let Some(arrival) = letter.arrival.as_mut().filter(|arrival| arrival.new) {
            arrival.new = false;
            self.new -= 1;
            if let Some(inbox) = self.inboxes.get_mut(&arrival.client) {
                inbox.new -= 1;
            }
        }
    }

    /// All messages, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Letter> {
        self.by_place.values()
    }

    /// The message with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&Letter> {
        self.by_place.get(self.places.get(id)?)
    }

    /// Who gets a message: a client, or whatever else its sender calls it.
    pub(crate) fn recipient<'a>(&'a self, letter: &'a Letter) -> Option<&'a str> {
        if let Some(arrival) = &letter.arrival {
            return Some(&arrival.client);
        }
        let to = letter.status.as_ref()?.to.as_str();
        let answered = to.strip_prefix(SENDER_OF).and_then(|id| self.get(id));
        Some(answered.and_then(Letter::from).unwrap_or(to))
    }

    /// Messages underway and done, oldest first.
    pub(crate) fn sent(&self) -> impl DoubleEndedIterator<Item = &MessageStatus> {
        self.all().filter_map(|letter| letter.status.as_ref())
    }

    /// How much a client received.
    pub(crate) fn inbox(&self, client: &str) -> Inbox {
        self.inboxes.get(client).copied().unwrap_or_default()
    }

    fn next_turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn take(&mut self, id: &str) -> Option<(u64, Letter)> {
        let place = self.places.remove(id)?;
        let letter = self.by_place.remove(&place)?;
        self.count(&letter, false);
        Some((place.1, letter))
    }

    fn put(&mut self, turn: u64, letter: Letter) {
        let place = (letter.unix_ms(), turn);
        self.count(&letter, true);
        self.places.insert(letter.id.clone(), place);
        self.by_place.insert(place, letter);
        while self.by_place.len() > 1
            && (self.by_place.len() > MAX_LETTERS
                || self.packets > MAX_PACKETS
                || self.text_bytes > MAX_TEXTS_BYTES)
        {
            let Some((_, oldest)) = self.by_place.pop_first() else { return };
            self.places.remove(&oldest.id);
            self.count(&oldest, false);
        }
    }

    fn count(&mut self, letter: &Letter, comes: bool) {
        for (count, of_this) in [
            (&mut self.packets, letter.packets()),
            (&mut self.text_bytes, letter.body.kept_bytes()),
            (&mut self.new, usize::from(letter.is_new())),
        ] {
            *count = if comes { *count + of_this } else { *count - of_this };
        }
        let Some(Arrival { client, new, .. }) = &letter.arrival else { return };
        let mut inbox = self.inbox(client);
        if comes {
            inbox.all += 1;
            inbox.new += usize::from(*new);
        } else {
            inbox.all -= 1;
            inbox.new -= usize::from(*new);
        }
        if inbox.all == 0 {
            self.inboxes.remove(client);
        } else {
            self.inboxes.insert(client.clone(), inbox);
        }
    }
}

/// A content cut to what names a message.
fn title(content: &Content, bytes: usize) -> Content {
    match content {
        Content::Text(text) => match text.char_indices().nth(MAX_TITLE_CHARS) {
            Some((end, _)) => Content::Text(format!("{}…", &text[..end])),
            None => Content::Text(text.clone()),
        },
        Content::Base64(_) | Content::Omitted(_) => Content::Omitted(bytes),
    }
}

#[cfg(test)]
mod tests;
