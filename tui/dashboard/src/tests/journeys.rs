//! The journey of a message: what it shows of packets that arrived, are underway, were lost, or of
//! which nobody tells.

use contract::Content;
use control::{
    Journey, MessageState, MessageStatus, NodeStatus, PacketStatus, State, StreamEvent, Way,
};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::screens::weights;
use super::{Desk, settings, text};
use crate::fixture::journeys::{self, Told};
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::message::{Effect, Message};
use crate::model::Settings;
use crate::playback::{Pace, Playback};
use crate::regions::Target;
use crate::state::{Part, StopId};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// A message of which these packets are known, in front of a devnet in its fifth second.
fn desk(settings: Settings, message: MessageStatus, packets: Vec<Journey>) -> Desk {
    let mut desk = Desk::begun(Fixture::two_by_three(), settings);
    desk.pass(5);
    desk.hear(StreamEvent::Message(message));
    for packet in packets {
        journeys::events(packet).for_each(|event| {
            desk.hear(StreamEvent::Journey(event));
        });
    }
    desk.press(Key::of('4'));
    desk.press(Key::of('J'));
    desk
}

fn hello() -> MessageStatus {
    MessageStatus {
        sent_ms: Some(104.0),
        delivered_ms: Some(713.0),
        acknowledged_ms: Some(1433.0),
        ..fixture::acknowledged(fixture::message("alice", "bob", "hello bob"))
    }
}

fn whole(settings: Settings) -> Desk {
    let hello = hello();
    let packets = vec![journeys::whole(&hello.id, 0, 1)];
    desk(settings, hello, packets)
}

/// A message with one packet underway: this much of it was told.
fn underway(steps: usize) -> Desk {
    let message = fixture::sent(fixture::message("alice", "bob", "still there?"));
    let packet = journeys::whole(&message.id, 0, 1);
    let packets = vec![journeys::told(packet, Told::Until(steps))];
    desk(settings(), message, packets)
}

#[test]
fn a_message_that_arrived_at_every_size() {
    let mut desk = whole(settings());
    for (width, height) in SIZES {
        assert_snapshot!(format!("journey-{width}x{height}"), text(&desk.screen(width, height)));
    }
    assert_snapshot!("journey-60x15", text(&desk.screen(60, 15)));
}

#[test]
fn in_ascii_and_without_colour() {
    let mut desk = whole(Settings { ascii: true, ..settings() });
    let shown = text(&desk.screen(80, 24));
    assert!(shown.is_ascii(), "{shown}");
    assert_snapshot!("journey-ascii", shown);
    let mut desk = whole(Settings { no_color: true, ..settings() });
    assert_snapshot!("journey-monochrome", weights(&desk.screen(80, 24)));
}

/// The marker moves while nothing is told: by the header the packet waits at the second mixnode.
#[test]
fn a_packet_underway_is_marked_where_its_header_says_it_is() {
    let mut desk = underway(2);
    desk.second = 6;
    desk.hear(StreamEvent::Unknown);
    let first = text(&desk.screen(120, 40));
    assert_snapshot!("journey-underway", first);
    assert!(first.contains("by its header it is at mix-2-2 now"), "{first}");
    // Beyond what its header says and some seconds of patience it is missed.
    desk.pass(4);
    let late = text(&desk.screen(120, 40));
    assert!(late.contains("not heard of at mix-2-1, where it was due"), "{late}");
    // The rest is told after all.
    let whole = journeys::whole(&fixture::message("alice", "bob", "still there?").id, 0, 1);
    for event in journeys::events(whole) {
        desk.hear(StreamEvent::Journey(event));
    }
    let done = text(&desk.screen(120, 40));
    assert!(done.contains("610 ms there: waited 601 ms (asked 600 ms)"), "{done}");
}

#[test]
fn a_lost_packet_says_who_gave_it_up_and_why_and_the_next_attempt_follows() {
    let message = fixture::sent(fixture::message("alice", "bob", "still there?"));
    let packets = vec![journeys::dropped(&message.id, 0, 1), journeys::whole(&message.id, 0, 2)];
    let mut desk = desk(settings(), message, packets);
    let second = text(&desk.screen(80, 24));
    assert!(second.contains("attempt 2 of 2"), "the latest comes first: {second}");
    desk.press(Key::code(KeyCode::Left));
    let first = text(&desk.screen(80, 24));
    assert_snapshot!("journey-dropped", first);
    assert!(first.contains("mac: damaged, or for another key"), "{first}");
    assert!(first.contains("it was sent again on another route"), "{first}");
    desk.press(Key::code(KeyCode::Left));
    assert!(text(&desk.screen(80, 24)).contains("this is the first packet"));
}

#[test]
fn a_mixnode_that_told_nothing_is_named() {
    let hello = hello();
    let packet = journeys::told(journeys::whole(&hello.id, 0, 1), Told::AllBut(&["mix-2-1"]));
    let mut desk = desk(settings(), hello, vec![packet]);
    desk.press(Key::of('j'));
    let shown = text(&desk.screen(80, 24));
    assert_snapshot!("journey-silent", shown);
    assert!(shown.contains("nothing, though it was there"), "{shown}");
}

#[test]
fn of_a_reply_the_sender_knows_one_hop_and_the_nodes_tell_the_others() {
    let mut message =
        fixture::message("bob", "the sender of 00000000000000000000000000000009", "yes");
    message.state = MessageState::Acknowledged;
    let packets = vec![journeys::reply(&message.id)];
    let mut desk = desk(settings(), message, packets);
    desk.press(Key::of('g'));
    let shown = text(&desk.screen(120, 40));
    assert_snapshot!("journey-reply", shown);
    assert!(shown.contains("sealed in the reply block"), "{shown}");
    // Nobody can send to somebody whose address is not known.
    assert_eq!(desk.model.last_command(), None);
}

#[test]
fn with_tracing_off_the_view_says_so_and_what_is_known_all_the_same() {
    let mut fixture = Fixture::two_by_three();
    fixture.trace = false;
    let mut desk = Desk::begun(fixture, settings());
    desk.hear(StreamEvent::Message(hello()));
    desk.press(Key::of('4'));
    desk.press(Key::of('J'));
    let shown = text(&desk.screen(80, 24));
    assert_snapshot!("journey-untraced", shown);
    assert!(shown.contains("--trace on"), "{shown}");
}

#[test]
fn a_message_without_records_says_whether_they_are_to_come_or_gone() {
    let mut desk = desk(settings(), fixture::message("alice", "bob", "wait"), vec![]);
    assert!(text(&desk.screen(80, 24)).contains("No packet of it has left."));
    desk.hear(StreamEvent::Message(fixture::sent(fixture::message("alice", "bob", "wait"))));
    assert!(text(&desk.screen(80, 24)).contains("no node has told of them yet"));
    desk.hear(StreamEvent::Message(fixture::acknowledged(fixture::message(
        "alice", "bob", "wait",
    ))));
    let gone = text(&desk.screen(80, 24));
    assert!(gone.contains("records of its packets are gone"), "{gone}");
}

#[test]
fn a_message_that_its_sender_cannot_send_says_why() {
    let mut desk = desk(settings(), fixture::message("alice", "bob", "wait"), vec![]);
    let waits = NodeStatus {
        state: State::Present,
        reason: "waiting: layer 1 has no mixnode".into(),
        ..desk.fixture.status("alice")
    };
    desk.hear(StreamEvent::Node(waits));
    let held = text(&desk.screen(120, 40));
    assert!(held.contains("cannot send now (waiting: layer 1 has no mixnode)"), "{held}");
}

#[test]
fn the_command_of_bytes_names_a_file() {
    let bytes = Content::from_bytes(vec![0xff; 100]);
    let message = MessageStatus { content: bytes, bytes: 100, ..hello() };
    let desk = desk(settings(), message, vec![]);
    let command = desk.model.last_command().map(|(command, _)| command);
    assert_eq!(command, Some("nym-devnet send alice bob --file FILE --follow"));
}

#[test]
fn the_selected_stop_keeps_its_bar_and_the_title_its_names() {
    let mut of_hello = whole(settings());
    let buffer = of_hello.screen(80, 24);
    let ok = of_hello.model.theme.theme().ok.fg;
    let bar = |cell: &&ratatui::buffer::Cell| cell.symbol() == "█";
    assert!(buffer.content.iter().filter(bar).all(|cell| Some(cell.fg) == ok));
    let long = fixture::message("alice", "bob", &"long ".repeat(40));
    let long = text(&desk(settings(), long, Vec::new()).screen(80, 24));
    assert!(long.contains("…\" · alice → bob ─"), "{long}");
}

#[test]
fn keys_go_through_stops_packets_and_messages() {
    let hello = hello();
    let packets = vec![journeys::whole(&hello.id, 0, 1), journeys::whole(&hello.id, 1, 1)];
    let long = MessageStatus { packets: vec![PacketStatus::default(); 2], ..hello.clone() };
    let mut desk = desk(settings(), long, packets);
    let other = fixture::acknowledged(fixture::message("bob", "alice", "and you?"));
    let packet = journeys::whole(&other.id, 0, 1);
    desk.hear(StreamEvent::Message(other));
    journeys::events(packet).for_each(|event| drop(desk.hear(StreamEvent::Journey(event))));
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains("packet 1 of 2, message 1 of 2"), "{shown}");
    desk.press(Key::code(KeyCode::Right));
    assert!(text(&desk.screen(120, 40)).contains("packet 2 of 2"));
    desk.press(Key::of('G'));
    let last = text(&desk.screen(120, 40));
    assert!(last.contains("which packet arrived: it had sealed this header itself"), "{last}");
    desk.press(Key::of('k'));
    let stop = text(&desk.screen(120, 40));
    assert!(stop.contains("it is an ack for alice"), "{stop}");
    // Somebody points at a stop.
    let sender = StopId { way: Way::There, part: Part::Sender, hop: 0 };
    desk.tell(Message::Click(Target::Stop(sender)));
    assert!(text(&desk.screen(120, 40)).contains("everything: the message, the route"));
    desk.press(Key::of('G'));
    desk.press(Key::of('k'));
    // Enter opens the card of that stop's node, Esc comes back.
    desk.press(Key::code(KeyCode::Enter));
    assert!(text(&desk.screen(120, 40)).contains(" provider-1 · provider "));
    desk.press(Key::code(KeyCode::Esc));
    desk.press(Key::of('n'));
    assert!(text(&desk.screen(120, 40)).contains("Journey of \"and you?\""));
    assert_eq!(
        desk.model.last_command().map(|(command, _)| command),
        Some("nym-devnet send bob alice 'and you?' --follow")
    );
    desk.press(Key::of('n'));
    assert!(text(&desk.screen(120, 40)).contains("this is the newest message"));
    desk.press(Key::of('N'));
    assert!(text(&desk.screen(120, 40)).contains("Journey of \"hello bob\""));
    desk.press(Key::code(KeyCode::Esc));
    assert!(desk.model.overlays.is_empty());
}

#[test]
fn what_is_copied_has_every_stop_and_its_bytes() {
    let mut desk = whole(settings());
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_snapshot!("journey-copied", text);
}

#[test]
fn on_the_map_the_newest_message_of_the_selected_node_is_followed() {
    let mut desk = whole(settings());
    desk.press(Key::code(KeyCode::Esc));
    let other = fixture::sent(fixture::message("alice", "bob", "elsewhere"));
    desk.hear(StreamEvent::Message(MessageStatus { id: "f".repeat(32), ..other }));
    desk.press(Key::of('1'));
    for (node, text_of) in
        [(None, "elsewhere"), (Some("mix-1-2"), "hello bob"), (Some("crowd"), "elsewhere")]
    {
        desk.model.selected = node.map(str::to_owned);
        desk.press(Key::of('J'));
        let shown = text(&desk.screen(120, 40));
        assert!(shown.contains(&format!("Journey of \"{text_of}\"")), "{node:?}: {shown}");
        desk.press(Key::code(KeyCode::Esc));
    }
}

#[test]
fn in_a_recording_it_works_and_stands_still_with_it() {
    let playback = Playback {
        first: contract::Time::default(),
        length: Some(std::time::Duration::from_secs(60)),
        pace: Pace::default(),
        ended: None,
    };
    let mut desk = whole(Settings { playback: Some(playback), ..settings() });
    assert!(text(&desk.screen(120, 40)).contains("610 ms there: waited 601 ms (asked 600 ms)"));
    desk.press(Key::of(' '));
    assert!(desk.model.is_paused());
}

#[test]
fn no_size_and_no_text_is_too_much() {
    let mut message = hello();
    message.content = Content::Text("\u{1b}[31m漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字".into());
    message.from = "a\u{202e}b".repeat(40);
    let packets = vec![journeys::dropped(&message.id, 0, 1), journeys::whole(&message.id, 7, 3)];
    let mut desk = desk(settings(), message, packets);
    for width in (1..70).step_by(7).chain([60, 61, 119, 300]) {
        for height in (1..30).step_by(3).chain([15, 16, 100]) {
            let shown = text(&desk.screen(width, height));
            assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
        }
    }
}
