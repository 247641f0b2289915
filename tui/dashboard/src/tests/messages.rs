//! Conversations: what is shown of messages, and what typing does.

use std::time::Duration;

use contract::{Content, MESSAGE_BYTES_PER_PACKET};
use control::{
    Envelope, InboxMessage, MessageState, MessageStatus, NodeStatus, PacketStatus, ReceivedMessage,
    State, StreamEvent,
};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::regions::Target;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);
const UP: Key = Key::code(KeyCode::Up);

/// A message with an id of its own, accepted so many seconds after the first.
fn message(number: u64, from: &str, to: &str, content: &str) -> MessageStatus {
    let status = fixture::message(from, to, content);
    let accepted_unix_ms = status.accepted_unix_ms + 1000 * number;
    MessageStatus { id: format!("{number:032x}"), accepted_unix_ms, ..status }
}

fn received(number: u64, client: &str, content: Content) -> StreamEvent {
    StreamEvent::Received(ReceivedMessage {
        client: client.into(),
        id: format!("{number:032x}"),
        unix_ms: fixture::STARTED_UNIX_MS + 5400 + 1000 * number,
        content,
    })
}

fn words(text: &str) -> Content {
    Content::Text(text.into())
}

/// So many packets, of which some are acknowledged, and the first went twice.
fn packets(all: usize, acknowledged: usize) -> Vec<PacketStatus> {
    let packet = |index| PacketStatus {
        attempts: if index == 0 { 2 } else { 1 },
        acknowledged: index < acknowledged,
        ..PacketStatus::default()
    };
    (0..all).map(packet).collect()
}

/// In front of everything that can become of a message.
fn talk(settings: Settings) -> Desk {
    let mut fixture = Fixture::two_by_three();
    fixture.clients = vec!["alice", "bob", "carol"];
    let mut desk = Desk::connected(fixture, settings);
    let arrived = |number, from, to, text: &str| {
        [
            StreamEvent::Message(fixture::acknowledged(message(number, from, to, text))),
            received(number, to, words(text)),
        ]
    };
    let lines: Vec<String> = (1..=30).map(|line| format!("line {line} of a long list")).collect();
    let long = "A message of one line that is much too long for a row, so that it goes on below, and \
                with 漢字 and 👍🏽 in it, which are wide";
    let mut events = Vec::new();
    events.extend(arrived(0, "alice", "bob", "hello bob"));
    events.extend(arrived(1, "bob", "alice", "hello alice\nhow are you?"));
    events.extend(arrived(2, "alice", "bob", long));
    events.extend(arrived(3, "alice", "bob", &lines.join("\n")));
    let mut file = message(4, "alice", "bob", "");
    (file.content, file.bytes) = (Content::from_bytes(vec![0xff, 0xd8, 0xff, 0xe0, 0, 16]), 20_000);
    (file.state, file.sent_ms, file.packets) = (MessageState::Sent, Some(90.0), packets(13, 5));
    events.push(StreamEvent::Message(file));
    events.push(StreamEvent::Message(fixture::failed(message(5, "bob", "alice", "anybody?"))));
    let mut stored = fixture::sent(message(6, "alice", "bob", "are you away?"));
    stored.packets =
        vec![PacketStatus { attempts: 1, acknowledged: true, ..stored.packets[0].clone() }];
    events.push(StreamEvent::Message(stored));
    events.push(received(7, "bob", words("guess who")));
    events.extend(arrived(8, "alice", "carol", "not for bob"));
    for event in events {
        desk.hear(event);
    }
    desk.press(Key::of('4'));
    desk
}

#[test]
fn a_conversation_at_every_size() {
    let mut desk = talk(settings());
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let screen = text(&desk.screen(width, height));
        assert_snapshot!(format!("conversation-{width}x{height}"), screen);
    }
    desk.press(Key::of('m'));
    desk.tell(Message::Paste(
        "one\ntwo lines, of which the second is too long for one row of it".into(),
    ));
    assert_snapshot!("composer-80x24", text(&desk.screen(80, 24)));
    let mut desk = talk(Settings { ascii: true, no_color: true, ..settings() });
    desk.press(Key::of('k'));
    assert_snapshot!("conversation-ascii-80x24", text(&desk.screen(80, 24)));
}

#[test]
fn no_size_is_too_small_for_a_conversation_and_what_is_typed() {
    let mut desk = talk(settings());
    for _ in 0..3 {
        for width in (0..100).step_by(7) {
            for height in (0..40).step_by(3) {
                desk.screen(width, height);
                for key in [Key::of('k'), ENTER, UP, UP] {
                    desk.press(key);
                }
            }
        }
        desk.press(Key::of('m'));
        desk.tell(Message::Paste("漢字\n".repeat(40)));
    }
}

#[test]
fn the_details_lose_nothing_on_a_narrow_terminal() {
    let mut desk = Desk::running();
    let sent = message(1, "alice", "bob", "hello");
    desk.hear(StreamEvent::Message(fixture::acknowledged(sent)));
    desk.hear(received(1, "bob", words("hello")));
    desk.press(Key::of('4'));
    let screen = text(&desk.screen(80, 24));
    for fact in [
        "left after 104 ms",
        "arrived after 712 ms",
        "acknowledged after 1.43 s",
        "route alice → mix-1-2 → mix-2-1 → mix-3-1 → provider-1 → bob",
        "sent once",
        "id 00000000000000000000000000000001",
        "bob was not told who sent it",
    ] {
        assert!(screen.contains(fact), "{fact}: {screen}");
    }
}

#[test]
fn a_long_message_is_folded_until_it_is_opened_and_read_row_by_row() {
    let mut desk = talk(settings());
    desk.press(Key::of('g'));
    for _ in 0..3 {
        desk.press(Key::of('j'));
    }
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains("line 4 of a") && !screen.contains("line 5 of a"), "{screen}");
    assert!(screen.contains("B in all: ↵ unfolds"), "{screen}");
    desk.press(ENTER);
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains("line 1 of a") && screen.contains("line 6 of a"), "{screen}");
    assert!(!screen.contains("line 30 of a"), "{screen}");
    let mut steps = 0;
    while !text(&desk.screen(80, 24)).contains("line 30 of a") {
        desk.press(Key::of('j'));
        steps += 1;
        assert!(steps < 40, "its end is never seen");
    }
    assert!(steps > 10, "row by row: {steps}");
    desk.press(ENTER);
    assert!(text(&desk.screen(80, 24)).contains("unfolds"));
}

#[test]
fn what_arrives_is_counted_as_new_until_its_conversation_is_seen() {
    let mut desk = talk(settings());
    // carol's is in another conversation.
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains("● carol ✉ 1/1"), "{screen}");
    assert!(screen.contains("bob     ✉ 4"), "{screen}");
    desk.press(Key::of('1'));
    desk.hear(received(20, "bob", words("psst")));
    desk.press(Key::of('6'));
    desk.press(Key::of('4'));
    desk.press(Key::of('1'));
    desk.hear(received(21, "bob", words("psst!")));
    let counts = |desk: &Desk| {
        let devnet = desk.model.devnet().expect("connected");
        let inbox = devnet.letters.inbox("bob");
        (inbox.new, inbox.all)
    };
    assert_eq!(counts(&desk), (1, 6));

    // A snapshot that tells of the same again changes neither.
    let at = Duration::from_secs(desk.second);
    let mut snapshot = desk.fixture.snapshot(at);
    let letters = &desk.model.devnet().expect("connected").letters;
    snapshot.messages = letters.sent().cloned().collect();
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    assert_eq!(counts(&desk), (1, 6));
    desk.press(Key::of('4'));
    assert_eq!(counts(&desk), (0, 6));
}

#[test]
fn inboxes_are_asked_for_what_was_received_before_once_their_client_is_ready() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    let mut snapshot = desk.fixture.snapshot(Duration::ZERO);
    let starting = NodeStatus { state: State::Starting, ..desk.fixture.status("bob") };
    *snapshot.nodes.iter_mut().find(|node| node.name == "bob").expect("bob") = starting;
    let asked = |effects: Vec<Effect>| -> Vec<String> {
        let name = |effect| match effect {
            Effect::ReadInbox { client } => Some(client),
            _ => None,
        };
        effects.into_iter().filter_map(name).collect()
    };
    let effects = desk.hear(StreamEvent::Snapshot(Box::new(snapshot.clone())));
    assert_eq!(asked(effects), ["alice"]);
    let ready = desk.fixture.status("bob");
    assert_eq!(asked(desk.hear(StreamEvent::Node(ready.clone()))), ["bob"]);
    assert_eq!(asked(desk.hear(StreamEvent::Node(ready.clone()))), [""; 0], "only once");

    let kept = |number| InboxMessage {
        client: "bob".into(),
        number,
        id: format!("{number:032x}"),
        unix_ms: fixture::STARTED_UNIX_MS - 1000,
        content: words("from before"),
    };
    let result = Ok(vec![kept(1), kept(2)]);
    desk.tell(Message::Inbox { client: "bob".into(), result });
    desk.press(Key::of('4'));
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains("bob     ✉ 2"), "they are not new: {screen}");
    assert!(screen.contains("someone  from before"), "{screen}");
    assert!(screen.contains("it does not say who sent it"), "{screen}");

    let result = Err(Problem("it is stopping".into()));
    desk.tell(Message::Inbox { client: "alice".into(), result });
    assert!(text(&desk.screen(80, 24)).contains("alice's older messages are not shown: it is"));
    let alice = desk.fixture.status("alice");
    assert_eq!(asked(desk.hear(StreamEvent::Node(alice))), ["alice"], "and again after that");

    // Another devnet has other inboxes.
    snapshot.devnet.started_unix_ms += 1;
    let effects = desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    assert_eq!(asked(effects), ["alice"]);
}

#[test]
fn a_text_of_many_lines_is_typed_counted_and_sent_as_it_is() {
    let mut desk = Desk::running();
    desk.press(Key::of('m'));
    let empty = format!("0 of 1 {} B, 1 packet", MESSAGE_BYTES_PER_PACKET - 1000);
    assert!(text(&desk.screen(80, 24)).contains(&empty));
    desk.type_text("two");
    desk.press(Key::alt(KeyCode::Enter));
    desk.type_text("lines");
    desk.press(Key::ctrl('j'));
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains("› two") && screen.contains("10 of"), "{screen}");
    desk.tell(Message::Paste("x".repeat(MESSAGE_BYTES_PER_PACKET)));
    assert!(text(&desk.screen(80, 24)).contains("2 packets"));
    desk.press(Key::ctrl('u'));
    desk.type_text("漢");

    // Another screen and back, and it is still there.
    desk.press(ESC);
    desk.press(Key::of('1'));
    desk.press(Key::of('m'));
    let effects = desk.press(ENTER);
    let [Effect::Send { request, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.content, words("two\nlines\n漢"));
    assert_eq!(desk.press(ENTER), [], "nothing is left to be sent");
    desk.press(UP);
    assert!(text(&desk.screen(80, 24)).contains("› two"), "it is in the history");
}

#[test]
fn a_refused_text_comes_back_or_waits_in_the_history() {
    let mut desk = Desk::running();
    desk.press(Key::of('m'));
    desk.type_text("first");
    desk.press(ENTER);
    desk.type_text("second");
    let refused = || Err(Problem("the client is stopping".into()));
    desk.tell(Message::Sent { text: "first".into(), result: refused(), unsure: false });
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("› second"), "{screen}");
    assert!(screen.contains("not sent, ↑ has the text: the client is"), "{screen}");
    desk.press(UP);
    assert!(text(&desk.screen(120, 40)).contains("› first"));
}

/// Given back, it would be sent twice by whoever presses Enter once more.
#[test]
fn a_text_that_may_still_go_is_not_given_back() {
    let mut desk = Desk::running();
    desk.press(Key::of('m'));
    desk.type_text("slow");
    desk.press(ENTER);
    let result = Err(Problem("alice did not accept it within 10 s".into()));
    desk.tell(Message::Sent { text: "slow".into(), result, unsure: true });
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("perhaps not sent, ↑ has the text: alice did not accept"), "{screen}");
    assert!(screen.contains("type a message"), "{screen}");
    desk.press(UP);
    assert!(text(&desk.screen(120, 40)).contains("› slow"));
}

#[test]
fn who_sends_while_its_client_is_not_ready_is_told() {
    let mut desk = Desk::running();
    let starting = NodeStatus {
        state: State::Starting,
        reason: "the process runs".into(),
        ..desk.fixture.status("alice")
    };
    desk.hear(StreamEvent::Node(starting));
    desk.press(Key::of('m'));
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("alice is starting: the process runs"), "before: {screen}");
    desk.type_text("hi");
    assert_eq!(desk.press(ENTER).len(), 1, "it is sent all the same");
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("alice is starting: the message waits for it"), "after: {screen}");
}

#[test]
fn somebody_writes_to_herself() {
    let mut desk = Desk::running();
    desk.press(Key::of('4'));
    desk.tell(Message::Click(Target::Recipient("alice".into())));
    assert!(text(&desk.screen(80, 24)).contains("alice to itself"));
    desk.press(Key::of('m'));
    desk.type_text("note");
    let effects = desk.press(ENTER);
    let [Effect::Send { request, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((request.from.as_str(), request.to.as_str()), ("alice", "alice"));
    desk.hear(StreamEvent::Message(fixture::acknowledged(message(1, "alice", "alice", "note"))));
    desk.hear(received(1, "alice", words("note")));
    let screen = text(&desk.screen(80, 24));
    assert_eq!(screen.matches("  note").count(), 1, "once, though it arrived as well: {screen}");
}

#[test]
fn what_is_copied_is_the_whole_text_and_of_bytes_the_id() {
    let mut desk = talk(settings());
    desk.press(Key::of('g'));
    desk.press(Key::of('j'));
    let copied = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Copy { text, .. }] => text.clone(),
        effects => panic!("{effects:?}"),
    };
    assert_eq!(copied(desk.press(Key::of('y'))), "hello alice\nhow are you?");
    (0..3).for_each(|_| drop(desk.press(Key::of('j'))));
    assert_eq!(copied(desk.press(Key::of('y'))), format!("{:032x}", 4));
}

#[test]
fn a_recording_asks_no_client_for_anything() {
    let playback = crate::playback::Playback {
        first: contract::Time::default(),
        length: None,
        pace: crate::playback::Pace::default(),
        ended: None,
    };
    let settings = Settings { playback: Some(playback), read_only: true, ..settings() };
    let mut desk = Desk::new(Fixture::two_by_three(), settings);
    let snapshot = desk.fixture.snapshot(Duration::ZERO);
    let envelope: Envelope =
        desk.fixture.at(Duration::ZERO, StreamEvent::Snapshot(Box::new(snapshot)));
    assert_eq!(desk.tell(Message::Heard(Box::new(envelope))), []);
}
