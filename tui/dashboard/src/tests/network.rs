//! The map, the table of nodes and the cards: what they show at all sizes, and what keys do there.

use std::time::Duration;

use contract::{Print, Time};
use control::{JourneyEvent, JourneyStep, NodeStatus, PlannedHop, State, StreamEvent, Way};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::screens::weights;
use super::{Desk, settings, text};
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::message::Effect;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);
const PRINT: Print = Print { header: [0; 8], first: [0; 16] };

fn client(number: u16) -> &'static str {
    format!("client-{number}").leak()
}

/// In front of a devnet of this shape, after some seconds of traffic.
fn desk(width: u16, layers: usize, clients: u16) -> Desk {
    let mut fixture = Fixture::sized(width, layers);
    fixture.clients = (1..=clients).map(client).collect();
    let mut desk = Desk::connected(fixture, settings());
    desk.model.selected = Some("mix-2-1".into());
    desk
}

#[test]
fn maps_of_all_shapes_use_the_room_and_find_their_way_in_ascii() {
    for (width, layers, clients) in [(1, 3, 2), (2, 3, 2), (3, 3, 2), (6, 2, 6), (33, 3, 40)] {
        let shape = format!("{width}x{layers}");
        let mut desk = desk(width, layers, clients);
        assert_snapshot!(format!("{shape}-200x50"), text(&desk.screen(200, 50)));
        // The usual shape and the widest one stand for the others.
        let stands_for_others = matches!((width, layers), (2 | 33, 3));
        desk.model.settings.ascii = true;
        for (columns, rows) in [(80, 24), (120, 40)] {
            let shown = text(&desk.screen(columns, rows));
            assert!(shown.is_ascii(), "{shown}");
            if stands_for_others {
                assert_snapshot!(format!("{shape}-ascii-{columns}x{rows}"), shown);
            }
        }
        desk.model.settings.ascii = false;
        desk.model.settings.no_color = true;
        if stands_for_others {
            assert_snapshot!(format!("{shape}-monochrome"), weights(&desk.screen(80, 24)));
        }
    }
}

#[test]
fn cells_show_states_and_are_walked_over_in_lines() {
    let mut desk = desk(33, 3, 40);
    let stopped = NodeStatus { state: State::Failed, ..desk.fixture.status("mix-2-7") };
    desk.hear(StreamEvent::Node(stopped));
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains("32 ready, 1 failed"), "{shown}");
    assert!(shown.contains("▸ mix-2-1 14/s"), "the selected one is named: {shown}");
    let mut walk = |keys: &str| {
        desk.type_text(keys);
        desk.model.selected.clone().unwrap_or_default()
    };
    // Four cells lie beside each other.
    assert_eq!(walk("l"), "mix-2-2");
    assert_eq!(walk("j"), "mix-2-6");
    assert_eq!(walk("hh"), "mix-1-8");
    assert_eq!(walk("l"), "mix-2-5");
    assert_eq!(walk("k"), "mix-2-1");
    assert_eq!(walk("k"), "mix-2-1");
    assert_eq!(walk("G"), "mix-2-33");
    assert_eq!(walk("j"), "directory");
}

#[test]
fn what_is_wrong_with_a_node_is_marked_in_a_word() {
    let mut desk = Desk::running();
    for (state, shown) in [
        (State::Paused, "‖ mix-1-1"),
        (State::Stopped, "○ mix-1-1"),
        (State::Failed, "✗ mix-1-1"),
        (State::BackingOff, "↻ mix-1-1"),
        (State::Starting, "◔ mix-1-1"),
    ] {
        let status = NodeStatus { state, ..desk.fixture.status("mix-1-1") };
        desk.hear(StreamEvent::Node(status));
        for (columns, rows) in [(80, 24), (120, 40)] {
            let screen = text(&desk.screen(columns, rows));
            assert!(screen.contains(shown), "{shown}: {screen}");
            assert!(screen.contains(state.word()), "{screen}");
        }
    }
}

/// Nodes tell of the first packet of a message, so many milliseconds after now.
fn message_sent(desk: &mut Desk) -> Time {
    let now = desk.model.moment().t;
    let after = |ms| now + Duration::from_millis(ms);
    let route = ["mix-1-2", "mix-2-1", "mix-3-1", "provider-1"];
    let hop = |node: &&str| PlannedHop { node: (*node).into(), asked_us: Some(200_000) };
    let passed = |node: &str, came, left, to: &str| JourneyStep::Passed {
        way: Way::There,
        node: node.into(),
        came: after(came),
        left: after(left),
        asked_us: (left - came) * 1000 - 100,
        before: PRINT,
        after: PRINT,
        to: to.into(),
        pool: 3,
    };
    let message = fixture::message("alice", "bob", "hello bob");
    let id = message.id.clone();
    desk.hear(StreamEvent::Message(message));
    let steps = [
        JourneyStep::Sent {
            t: after(0),
            node: "alice".into(),
            packet: PRINT,
            route: route.iter().map(hop).collect(),
            back: vec![],
        },
        passed("mix-1-2", 1, 201, "mix-2-1"),
        passed("mix-2-1", 202, 5000, "mix-3-1"),
    ];
    for step in steps {
        let event = JourneyEvent { message: id.clone(), fragment: 0, attempt: 1, step };
        desk.hear(StreamEvent::Journey(event));
    }
    now
}

#[test]
fn a_message_can_be_followed_over_the_map() {
    let mut desk = Desk::running();
    message_sent(&mut desk);
    let drawn = |desk: &mut Desk, width, height| {
        let screen = text(&desk.screen(width, height));
        // Without the legend.
        let lines = screen.lines().filter(|line| !line.contains("◆ message"));
        let mut lines = lines.map(|line| (line.to_owned(), line.chars().position(|c| c == '◆')));
        lines.find_map(|(line, place)| Some((line, place?)))
    };
    assert_eq!(drawn(&mut desk, 120, 40), None, "it has not left yet");
    let mut columns = Vec::new();
    for _ in 0..4 {
        desk.pass(1);
        for (width, height) in [(80, 24), (120, 40), (200, 50)] {
            let shown = drawn(&mut desk, width, height);
            let (_, column) =
                shown.unwrap_or_else(|| panic!("{}", text(&desk.screen(width, height))));
            if width == 120 {
                columns.push(column);
            }
        }
    }
    assert!(columns.is_sorted() && columns[0] < columns[2], "it goes on: {columns:?}");
    let at_node = text(&desk.screen(120, 40));
    assert!(at_node.contains("◆──╮"), "it waits at a node: {at_node}");
    assert_snapshot!("message-120x40", at_node);
}

#[test]
fn only_what_moves_is_drawn_again_and_again() {
    let mut desk = Desk::running();
    assert!(desk.model.moves());
    desk.press(Key::of(' '));
    assert!(!desk.model.moves(), "a frozen view stands still");
    desk.press(Key::of(' '));
    desk.press(Key::of('2'));
    assert!(!desk.model.moves(), "numbers do not move");
    desk.press(Key::of('1'));
    desk.second += 3;
    desk.tell(crate::message::Message::Tick);
    assert!(!desk.model.moves(), "all packets are where they went");
}

#[test]
fn cards_of_all_roles() {
    let mut desk = Desk::eventful(settings());
    message_sent(&mut desk);
    for name in ["mix-2-1", "mix-2-2", "provider-1", "alice", "crowd", "directory"] {
        desk.model.selected = Some(name.into());
        desk.press(ENTER);
        assert_snapshot!(format!("card-{name}-120x40"), text(&desk.screen(120, 40)));
        if name == "mix-2-1" {
            assert_snapshot!("card-80x24", text(&desk.screen(80, 24)));
            assert_snapshot!("card-200x50", text(&desk.screen(200, 50)));
            desk.type_text("jjj");
            desk.model.settings.no_color = true;
            assert_snapshot!("card-monochrome", weights(&desk.screen(80, 24)));
            desk.model.settings.no_color = false;
            desk.model.settings.ascii = true;
            let ascii = text(&desk.screen(120, 40));
            assert!(ascii.is_ascii(), "{ascii}");
            assert_snapshot!("card-ascii-120x40", ascii);
            desk.model.settings.ascii = false;
        }
        desk.press(ESC);
    }
}

#[test]
fn nothing_of_an_address_is_cut() {
    let mut desk = Desk::running();
    desk.model.selected = Some("alice".into());
    desk.press(ENTER);
    let address = desk.fixture.status("alice").address.expect("a client has one");
    // Choose it, so that it is in sight where little fits.
    while desk.press(Key::of('y')) != [copy_of(&address, "address of alice")] {
        desk.type_text("j");
    }
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        let shown = text(&desk.screen(width, height));
        let columns = (40..=address.len()).find(|&columns| {
            let parts = crate::text::wrap(&address, columns);
            parts.iter().all(|part| shown.contains(part.as_str()))
        });
        assert!(columns.is_some(), "{shown}");
    }
}

fn copy_of(text: &str, what: &str) -> Effect {
    Effect::Copy { text: text.to_owned(), what: what.to_owned() }
}

#[test]
fn every_line_of_a_card_can_be_copied() {
    let mut desk = Desk::eventful(settings());
    message_sent(&mut desk);
    for at in 0..3 {
        let line = fixture::log("mix-2-1", Duration::from_secs(at), "INFO mixnode: hello");
        desk.hear(line);
    }
    desk.model.selected = Some("mix-2-1".into());
    desk.press(ENTER);
    let key = fixture::key("mix-2-1");
    let copy = |desk: &mut Desk| match desk.press(Key::of('y')).as_slice() {
        [Effect::Copy { text, what }] => (text.clone(), what.clone()),
        other => panic!("{other:?}"),
    };
    let whole = (format!("127.0.0.1:9982 {key}"), "address and key of mix-2-1".to_owned());
    assert_eq!(copy(&mut desk), whole, "nothing is chosen");
    let mut copied = Vec::new();
    loop {
        desk.type_text("j");
        let line = copy(&mut desk);
        if copied.last() == Some(&line) && line.1.starts_with("a log line") {
            break;
        }
        copied.push(line);
        assert!(copied.len() < 100, "{copied:?}");
    }
    for wanted in [
        (key, "key of mix-2-1"),
        ("127.0.0.1:9982".to_owned(), "packets of mix-2-1"),
        ("2".to_owned(), "dropped: replay of mix-2-1"),
        ("4703".to_owned(), "pid of mix-2-1"),
        ("INFO mixnode: hello".to_owned(), "a log line of mix-2-1"),
    ] {
        let wanted = (wanted.0, wanted.1.to_owned());
        assert!(copied.contains(&wanted), "{wanted:?} in {copied:?}");
    }
    assert!(copied.iter().all(|(text, _)| !text.is_empty()), "{copied:?}");
    // What is chosen is in sight, also where little fits.
    desk.type_text("g");
    for _ in 0..copied.len() {
        let (_, what) = copy(&mut desk);
        let buffer = desk.screen(80, 24);
        let marked = buffer.content.iter().any(|cell| cell.bg == ratatui::style::Color::Cyan);
        assert!(marked, "{what}: {}", text(&buffer));
        desk.type_text("j");
    }
}

#[test]
fn what_has_no_address_says_so_and_what_has_keys_gives_them() {
    let mut desk = Desk::running();
    desk.model.selected = Some("crowd".into());
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { text: keys, what }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((keys.split(' ').count(), what.as_str()), (8, "8 keys of crowd"));
    let unknown = NodeStatus { public_keys: vec![], ..desk.fixture.status("crowd") };
    desk.hear(StreamEvent::Node(unknown));
    assert_eq!(desk.press(Key::of('y')), []);
    assert!(text(&desk.screen(80, 24)).contains("crowd has no address and no key to copy"));
}

#[test]
fn the_table_says_what_all_rows_have_together_and_shows_its_order() {
    let mut desk = Desk::eventful(settings());
    desk.press(Key::of('2'));
    assert_snapshot!("nodes-200x50", text(&desk.screen(200, 50)));
    let total = |desk: &mut Desk| {
        let screen = text(&desk.screen(120, 40));
        screen.lines().find(|line| line.contains("together")).map(ToOwned::to_owned)
    };
    let all = total(&mut desk).expect("a line below the rows");
    assert!(all.contains("9 of 11 ready"), "{all}");
    desk.press(Key::of('/'));
    desk.type_text("client");
    desk.press(ENTER);
    let clients = total(&mut desk).expect("a line below the rows");
    assert!(
        clients.contains("2 of 2 ready") && clients.contains(" 12 ") && clients.contains(" 6.0 "),
        "{clients}"
    );
    desk.press(ESC);
    for _ in 0..12 {
        desk.press(Key::of('o'));
        let screen = text(&desk.screen(120, 40));
        let header = screen.lines().find(|line| line.contains("NAME")).unwrap_or_default();
        assert_eq!(header.matches('▲').count(), usize::from(header.contains('▲')), "{header}");
        desk.press(Key::of('O'));
        let reversed = text(&desk.screen(120, 40));
        assert_eq!(header.contains('▲'), reversed.contains('▼'), "{reversed}");
        desk.press(Key::of('O'));
    }
}

#[test]
fn what_comes_of_a_restart_depends_on_who_is_restarted() {
    for (name, says) in [
        ("mix-1-1", "It leaves the directory"),
        ("crowd", "Its clients send no cover"),
        ("alice", "It sends what it began"),
        ("directory", "nobody can announce"),
    ] {
        let mut desk = Desk::running();
        desk.model.selected = Some(name.into());
        desk.press(Key::of('r'));
        let shown = text(&desk.screen(120, 40));
        assert!(shown.contains(says), "{shown}");
        assert_eq!(shown.contains("leaves the directory"), name == "mix-1-1", "{shown}");
    }
}
