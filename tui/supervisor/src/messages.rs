//! Messages on their way: joins what the sender's and the recipient's process say about each.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use contract::{Content, MessageEvent, MessageStage, Time};
use control::{InboxMessage, MessageState, MessageStatus, PREVIEW_BYTES, PacketStatus};

use crate::clock::Moment;
use crate::names::Names;

/// Messages that are remembered …
const MAX_MESSAGES: usize = 1000;

/// … and packets of all of them together: a message of a megabyte has 660.
const MAX_PACKETS: usize = 20_000;

/// The most packets that one message can have, a little more than [`contract::MAX_MESSAGE_BYTES`]
/// needs. A number beyond this is not believed.
const MAX_FRAGMENTS: u32 = 1024;

/// Arrivals of messages that their sender has not reported yet: the two reports come through two
/// pipes, so either can be read first.
const MAX_EARLY: usize = 64;

/// The messages that the devnet knows.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_id: HashMap<String, Tracked>,
    /// Oldest first.
    order: VecDeque<String>,
    packets: usize,
    early: VecDeque<(String, Time)>,
    /// Have changed since they were last [taken](Self::take_changed).
    changed: BTreeSet<String>,
}

#[derive(Debug)]
struct Tracked {
    status: MessageStatus,
    accepted: Time,
    /// The recipient is of this devnet, so its process will report the arrival.
    arrival_is_seen: bool,
    shown: Option<MessageState>,
}

impl Messages {
    /// Takes in what a process said about a message; gives back what a client received.
    pub(crate) fn handle(
        &mut self,
        at: Moment,
        node: &str,
        event: MessageEvent,
        names: &Names,
    ) -> Option<InboxMessage> {
        let MessageEvent { t, message: id, stage } = event;
        match stage {
            MessageStage::Accepted { to, content, fragments } => {
                self.accept(at, node, &id, t, &to, content, fragments, names);
            }
            MessageStage::Received { content } => {
                if let Some(tracked) = self.by_id.get_mut(&id) {
                    tracked.delivered(t);
                    self.changed.insert(id.clone());
                } else {
                    self.early.push_back((id.clone(), t));
                    self.early.drain(..self.early.len().saturating_sub(MAX_EARLY));
                }
                let unix_ms = at.unix_ms_at(t);
                return Some(InboxMessage { client: node.into(), id, unix_ms, content });
            }
            MessageStage::Sent { fragment, attempt, route } => {
                self.change(&id, |tracked| tracked.sent(t, fragment, attempt, &route, names));
            }
            MessageStage::Acknowledged { fragment } => {
                self.change(&id, |tracked| tracked.acknowledged(t, fragment));
            }
            MessageStage::Failed { reason } => {
                self.change(&id, |tracked| tracked.failed(reason));
            }
        }
        None
    }

    /// The messages, oldest first.
    pub(crate) fn all(&self) -> Vec<MessageStatus> {
        self.order
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .map(|tracked| tracked.status.clone())
            .collect()
    }

    /// One message.
    pub(crate) fn get(&self, id: &str) -> Option<&MessageStatus> {
        self.by_id.get(id).map(|tracked| &tracked.status)
    }

    /// Whether something has changed and was not [taken](Self::take_changed).
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The messages that have changed: of all steps, or only those that came to another state. A
    /// long message has a thousand steps, and each would repeat the whole status.
    pub(crate) fn take_changed(&mut self, all: bool) -> Vec<MessageStatus> {
        let mut taken = Vec::new();
        let by_id = &mut self.by_id;
        self.changed.retain(|id| {
            let Some(tracked) = by_id.get_mut(id) else { return false };
            let take = all || tracked.shown != Some(tracked.status.state);
            if take {
                tracked.shown = Some(tracked.status.state);
                taken.push(tracked.status.clone());
            }
            !take
        });
        taken
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one event")]
    fn accept(
        &mut self,
        at: Moment,
        node: &str,
        id: &str,
        t: Time,
        to: &str,
        content: Content,
        fragments: u32,
        names: &Names,
    ) {
        if self.by_id.contains_key(id) {
            return;
        }
        let packets = usize::try_from(fragments.min(MAX_FRAGMENTS)).unwrap_or_default();
        let bytes = u64::try_from(content.byte_count()).unwrap_or(u64::MAX);
        let status = MessageStatus {
            id: id.into(),
            from: node.into(),
            to: names.name_or_self(to),
            content: beginning(content),
            bytes,
            state: MessageState::Queued,
            accepted_unix_ms: at.unix_ms_at(t),
            sent_ms: None,
            delivered_ms: None,
            acknowledged_ms: None,
            packets: vec![PacketStatus::default(); packets],
            error: None,
        };
        let arrival_is_seen = names.find(to).is_some();
        let mut tracked = Tracked { status, accepted: t, arrival_is_seen, shown: None };
        if let Some(index) = self.early.iter().position(|(early, _)| early == id)
            && let Some((_, arrived)) = self.early.remove(index)
        {
            tracked.delivered(arrived);
        }
        self.packets += packets;
        self.by_id.insert(id.into(), tracked);
        self.order.push_back(id.into());
        self.changed.insert(id.into());
        while self.order.len() > 1
            && (self.order.len() > MAX_MESSAGES || self.packets > MAX_PACKETS)
        {
            if let Some(oldest) = self.order.pop_front()
                && let Some(tracked) = self.by_id.remove(&oldest)
            {
                self.packets -= tracked.status.packets.len();
                self.changed.remove(&oldest);
            }
        }
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Tracked)) {
        if let Some(tracked) = self.by_id.get_mut(id) {
            change(tracked);
            self.changed.insert(id.into());
        }
    }
}

impl Tracked {
    fn sent(&mut self, t: Time, fragment: u32, attempt: u32, route: &[String], names: &Names) {
        let since = self.since(t);
        let status = &mut self.status;
        status.sent_ms.get_or_insert(since);
        status.state = status.state.max(MessageState::Sent);
        if let Some(packet) = packet(status, fragment)
            && attempt >= packet.attempts
        {
            packet.attempts = attempt;
            packet.route = route.iter().map(|hop| names.name_or_self(hop)).collect();
        }
    }

    fn acknowledged(&mut self, t: Time, fragment: u32) {
        if let Some(packet) = packet(&mut self.status, fragment) {
            packet.acknowledged = true;
        }
        if self.status.packets.iter().all(|packet| packet.acknowledged) {
            let since = self.since(t);
            self.status.acknowledged_ms.get_or_insert(since);
            self.complete();
        }
    }

    fn delivered(&mut self, t: Time) {
        let since = self.since(t);
        self.status.delivered_ms.get_or_insert(since);
        // It arrived after all, so the sender only missed the acknowledgements.
        if self.status.state == MessageState::Failed {
            self.status.state = MessageState::Delivered;
        }
        self.status.state = self.status.state.max(MessageState::Delivered);
        self.complete();
    }

    fn failed(&mut self, reason: String) {
        if self.status.delivered_ms.is_none() {
            self.status.state = MessageState::Failed;
        }
        self.status.error = Some(reason);
    }

    /// All packets acknowledged: done, once the recipient has it. Of a recipient that is not ours
    /// we only know what its provider says.
    fn complete(&mut self) {
        let arrived = self.status.delivered_ms.is_some() || !self.arrival_is_seen;
        if arrived && self.status.acknowledged_ms.is_some() {
            self.status.state = MessageState::Acknowledged;
        }
    }

    fn since(&self, t: Time) -> f64 {
        milliseconds(t.saturating_since(self.accepted))
    }
}

fn packet(status: &mut MessageStatus, fragment: u32) -> Option<&mut PacketStatus> {
    status.packets.get_mut(usize::try_from(fragment).ok()?)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn beginning(content: Content) -> Content {
    match content {
        Content::Text(mut text) => {
            let mut within = (0..=PREVIEW_BYTES.min(text.len())).rev();
            let end = within.find(|&end| text.is_char_boundary(end));
            text.truncate(end.unwrap_or_default());
            Content::Text(text)
        }
        // Four digits are three bytes, so this is still base64.
        Content::Base64(mut text) => {
            // Where this is no character boundary it is no base64 either, and stays as it is.
            if text.is_char_boundary(PREVIEW_BYTES / 3 * 4) {
                text.truncate(PREVIEW_BYTES / 3 * 4);
            }
            Content::Base64(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000_000;

    struct Watched {
        messages: Messages,
        names: Names,
    }

    impl Watched {
        fn new() -> Self {
            let mut names = Names::default();
            for (known_by, node) in [
                ("127.0.0.1:9980", "mix-1-1"),
                ("127.0.0.1:4000", "provider-1"),
                ("bobkey", "bob"),
                ("bobkey@pkey", "bob"),
            ] {
                names.learn(known_by, node);
            }
            Self { messages: Messages::default(), names }
        }

        fn tell(&mut self, node: &str, ms: u64, stage: MessageStage) -> Option<InboxMessage> {
            let t = Time::from_nanos(START + ms * 1_000_000);
            let at = Moment { t, unix_ns: t.as_nanos() };
            let event = MessageEvent { t, message: "m".into(), stage };
            self.messages.handle(at, node, event, &self.names)
        }

        fn accept(&mut self, to: &str, fragments: u32) {
            let content = Content::Text("hello".into());
            self.tell("alice", 0, MessageStage::Accepted { to: to.into(), content, fragments });
        }

        fn status(&self) -> &MessageStatus {
            self.messages.get("m").expect("known")
        }
    }

    fn sent(fragment: u32, attempt: u32) -> MessageStage {
        let route = ["127.0.0.1:9980", "1.2.3.4:5", "127.0.0.1:4000"].map(String::from).into();
        MessageStage::Sent { fragment, attempt, route }
    }

    fn received() -> MessageStage {
        MessageStage::Received { content: Content::Text("hello".into()) }
    }

    #[test]
    fn a_message_is_followed_from_sender_to_recipient() {
        let mut watched = Watched::new();
        watched.accept("bobkey@pkey", 2);
        let status = watched.status();
        assert_eq!((status.from.as_str(), status.to.as_str()), ("alice", "bob"));
        assert_eq!((status.state, status.bytes), (MessageState::Queued, 5));

        watched.tell("alice", 10, sent(0, 1));
        watched.tell("alice", 20, sent(1, 1));
        watched.tell("alice", 30, sent(1, 2));
        let status = watched.status();
        assert_eq!((status.state, status.sent_ms), (MessageState::Sent, Some(10.0)));
        assert_eq!(status.packets[1].attempts, 2);
        assert_eq!(status.packets[1].route, ["mix-1-1", "1.2.3.4:5", "provider-1"]);

        watched.tell("alice", 40, MessageStage::Acknowledged { fragment: 0 });
        let arrived = watched.tell("bob", 50, received()).expect("bob has it");
        assert_eq!((arrived.client.as_str(), arrived.id.as_str()), ("bob", "m"));
        assert_eq!(watched.status().state, MessageState::Delivered);
        watched.tell("alice", 60, MessageStage::Acknowledged { fragment: 1 });
        let status = watched.status();
        assert_eq!(status.state, MessageState::Acknowledged);
        assert_eq!((status.delivered_ms, status.acknowledged_ms), (Some(50.0), Some(60.0)));
    }

    #[test]
    fn acknowledged_without_arrival_is_not_delivered() {
        let mut watched = Watched::new();
        watched.accept("bobkey", 1);
        watched.tell("alice", 1, sent(0, 1));
        watched.tell("alice", 2, MessageStage::Acknowledged { fragment: 0 });
        assert_eq!(watched.status().state, MessageState::Sent);
        watched.tell("bob", 3, received());
        assert_eq!(watched.status().state, MessageState::Acknowledged);

        // Nobody reports the arrival at a client of another network.
        let mut watched = Watched::new();
        watched.accept("stranger@elsewhere", 1);
        watched.tell("alice", 2, MessageStage::Acknowledged { fragment: 0 });
        assert_eq!(watched.status().state, MessageState::Acknowledged);
    }

    #[test]
    fn reports_in_the_wrong_order_come_to_the_same() {
        let mut watched = Watched::new();
        watched.tell("bob", 50, received());
        watched.accept("bobkey", 1);
        let status = watched.status();
        assert_eq!((status.state, status.delivered_ms), (MessageState::Delivered, Some(50.0)));
        watched.tell("alice", 60, MessageStage::Failed { reason: "no acknowledgement".into() });
        let status = watched.status();
        assert_eq!(status.state, MessageState::Delivered, "it is there");
        assert_eq!(status.error.as_deref(), Some("no acknowledgement"));
    }

    #[test]
    fn numbers_that_cannot_be_are_survived() {
        let mut watched = Watched::new();
        watched.accept("bobkey", u32::MAX);
        assert_eq!(watched.status().packets.len(), MAX_FRAGMENTS as usize);
        watched.tell("alice", 1, sent(u32::MAX, 1));
        watched.tell("alice", 1, MessageStage::Acknowledged { fragment: u32::MAX });
        assert_eq!(watched.status().state, MessageState::Sent);
    }

    #[test]
    fn steps_are_shown_at_once_only_when_the_state_changes() {
        let mut watched = Watched::new();
        watched.accept("bobkey", 3);
        assert_eq!(watched.messages.take_changed(false).len(), 1);
        watched.tell("alice", 1, sent(0, 1));
        assert_eq!(watched.messages.take_changed(false).len(), 1);
        watched.tell("alice", 2, sent(1, 1));
        assert_eq!(watched.messages.take_changed(false).len(), 0);
        assert!(watched.messages.has_changed());
        assert_eq!(watched.messages.take_changed(true).len(), 1);
        assert!(!watched.messages.has_changed());
    }

    #[test]
    fn old_messages_make_room() {
        let mut watched = Watched::new();
        for index in 0..MAX_MESSAGES + 10 {
            let t = Time::from_nanos(START);
            let stage = MessageStage::Accepted {
                to: "bobkey".into(),
                content: Content::Text("ü".repeat(PREVIEW_BYTES)),
                fragments: 1,
            };
            let event = MessageEvent { t, message: format!("{index}"), stage };
            let at = Moment { t, unix_ns: START };
            watched.messages.handle(at, "alice", event, &watched.names);
        }
        let all = watched.messages.all();
        assert_eq!((all.len(), all[0].id.as_str()), (MAX_MESSAGES, "10"));
        assert_eq!(all[0].content.byte_count(), PREVIEW_BYTES);
        assert_eq!(all[0].bytes, 2 * PREVIEW_BYTES as u64);
        let noise = Content::from_bytes(vec![0xff; 5000]);
        let cut = beginning(noise).into_bytes().expect("still base64");
        assert_eq!(cut.len(), PREVIEW_BYTES / 3 * 3);
    }
}
