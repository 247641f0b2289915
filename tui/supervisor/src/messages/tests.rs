//! What becomes of messages, told step by step.

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

    fn tell(&mut self, node: &str, ms: u64, stage: MessageStage) -> Option<ReceivedMessage> {
        let t = Self::at(ms);
        let at = Moment { t, unix_ns: t.as_nanos() };
        let event = MessageEvent { t, message: "m".into(), stage };
        self.messages.handle(at, node, event, &self.names)
    }

    fn accept(&mut self, to: &str, fragments: u32) {
        let content = Content::Text("hello".into());
        self.tell("alice", 0, MessageStage::Accepted { to: to.into(), content, fragments });
    }

    fn at(ms: u64) -> Time {
        Time::from_nanos(START + ms * 1_000_000)
    }

    fn status(&self) -> &MessageStatus {
        self.messages.get("m").expect("known")
    }
}

fn sent(fragment: u32, attempt: u32) -> MessageStage {
    let route = ["127.0.0.1:9980", "1.2.3.4:5", "127.0.0.1:4000"].map(String::from).into();
    MessageStage::Sent { fragment, attempt, route, trace: None }
}

fn received() -> MessageStage {
    MessageStage::Received { content: Content::Text("hello".into()) }
}

#[test]
fn a_recipient_that_is_not_known_yet_gets_its_name_later() {
    let mut watched = Watched::new();
    let names = std::mem::take(&mut watched.names);
    watched.accept("bobkey@pkey", 1);
    assert_eq!(watched.status().to, "bobkey@pkey");
    watched.names = names;
    watched.tell("alice", 10, sent(0, 1));
    assert_eq!(watched.status().to, "bob");
    watched.tell("alice", 20, MessageStage::Acknowledged { fragment: 0, attempt: None });
    assert_eq!(watched.status().state, MessageState::Sent, "bob is waited for");
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

    watched.tell("alice", 40, MessageStage::Acknowledged { fragment: 0, attempt: None });
    let arrived = watched.tell("bob", 50, received()).expect("bob has it");
    assert_eq!((arrived.client.as_str(), arrived.id.as_str()), ("bob", "m"));
    assert_eq!(watched.status().state, MessageState::Delivered);
    watched.tell("alice", 60, MessageStage::Acknowledged { fragment: 1, attempt: None });
    let status = watched.status();
    assert_eq!(status.state, MessageState::Acknowledged);
    assert_eq!((status.delivered_ms, status.acknowledged_ms), (Some(50.0), Some(60.0)));
}

#[test]
fn acknowledged_without_arrival_is_not_delivered() {
    let mut watched = Watched::new();
    watched.accept("bobkey", 1);
    watched.tell("alice", 1, sent(0, 1));
    watched.tell("alice", 2, MessageStage::Acknowledged { fragment: 0, attempt: None });
    assert_eq!(watched.status().state, MessageState::Sent);
    watched.tell("bob", 3, received());
    assert_eq!(watched.status().state, MessageState::Acknowledged);

    // Nobody reports the arrival at a client of another network.
    let mut watched = Watched::new();
    watched.accept("stranger@elsewhere", 1);
    watched.tell("alice", 2, MessageStage::Acknowledged { fragment: 0, attempt: None });
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
    assert_eq!(status.error, None);
}

#[test]
fn numbers_that_cannot_be_are_survived() {
    let mut watched = Watched::new();
    watched.accept("bobkey", u32::MAX);
    assert_eq!(watched.status().packets.len(), MAX_FRAGMENTS as usize);
    watched.tell("alice", 1, sent(u32::MAX, 1));
    watched.tell("alice", 1, MessageStage::Acknowledged { fragment: u32::MAX, attempt: None });
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

#[test]
fn a_message_that_a_restarted_sender_sends_again_is_the_same() {
    let mut watched = Watched::new();
    watched.accept("bobkey", 2);
    for attempt in 1..=3 {
        watched.tell("alice", 1, sent(0, attempt));
    }
    watched.tell("alice", 2, MessageStage::Acknowledged { fragment: 0, attempt: None });
    // Its next process tells what it has kept.
    watched.accept("bobkey", 2);
    watched.tell("alice", 3, sent(1, 1));
    let status = watched.status();
    let packets: Vec<_> = status.packets.iter().map(|p| (p.attempts, p.acknowledged)).collect();
    assert_eq!((status.state, packets), (MessageState::Sent, vec![(3, true), (1, false)]));
    watched.tell("alice", 4, MessageStage::Failed { reason: "no acknowledgement".into() });
    assert_eq!(watched.status().state, MessageState::Failed);
    // The sender only missed the acknowledgements.
    watched.tell("bob", 5, received());
    assert_eq!(watched.status().state, MessageState::Delivered);
    assert_eq!(watched.status().error, None);
}
