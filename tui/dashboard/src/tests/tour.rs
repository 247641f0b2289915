//! The tour: offered once, each step waits for the network, and it can be left at any time.

use std::time::Duration;

use control::{MessageState, MessageStatus, NodeStatus, State, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, anonymity, settings, text};
use crate::fixture::{self, Fixture, Observed};
use crate::keys::Key;
use crate::message::{Effect, Message};
use crate::model::Settings;
use crate::playback::{Pace, Playback};
use crate::remembered::{Remembered, Store};

const TOUR: Key = Key::of('T');
const ESC: Key = Key::code(KeyCode::Esc);
const ENTER: Key = Key::code(KeyCode::Enter);
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

fn shown(desk: &mut Desk) -> String {
    text(&desk.screen(120, 40))
}

#[track_caller]
fn assert_shown(desk: &mut Desk, words: &str) {
    let shown = shown(desk);
    assert!(shown.contains(words), "`{words}` is not on\n{shown}");
}

/// A message that was accepted just now.
fn message(desk: &Desk) -> MessageStatus {
    let accepted_unix_ms = fixture::unix_ms(Duration::from_secs(desk.second));
    MessageStatus { accepted_unix_ms, ..fixture::message("alice", "bob", "hello bob") }
}

fn state(desk: &Desk, node: &str, state: State) -> StreamEvent {
    StreamEvent::Node(NodeStatus { state, ..desk.fixture.status(node) })
}

/// What goes over links is told, with whose it was, for as long as an observer needs to see much of it.
fn watched(desk: &mut Desk) {
    let mut observed = Observed::new(&desk.fixture, 0.2, 7);
    // Of before nothing is told.
    observed.pass(&mut desk.fixture, desk.second);
    anonymity::pass(desk, &mut observed, 30);
}

/// A desk at a step, reached as a person would.
fn at_step(step: usize) -> Desk {
    let mut desk = Desk::running();
    desk.press(TOUR);
    for reached in 1..step {
        assert_shown(&mut desk, &format!("Tour {reached} of 9"));
        match reached {
            1 => {}
            2 => {
                desk.type_text("mTo bob");
                desk.press(ENTER);
                let message = message(&desk);
                desk.hear(StreamEvent::Message(fixture::sent(message)));
                desk.press(ESC);
            }
            3 => {
                desk.press(Key::of('J'));
                let message = message(&desk);
                desk.hear(StreamEvent::Message(fixture::acknowledged(message)));
                desk.press(ESC);
            }
            4 => {
                desk.press(Key::of('1'));
            }
            5 => {
                let stopped = state(&desk, "mix-3-2", State::Stopped);
                desk.hear(stopped);
            }
            6 => {
                // Nobody sends to it any more.
                desk.fixture.widths = vec![2, 2, 1];
                desk.pass(8);
            }
            7 => {
                desk.fixture.widths = vec![2; 3];
                let ready = state(&desk, "mix-3-2", State::Ready);
                desk.hear(ready);
                desk.pass(3);
            }
            8 => {
                desk.press(Key::of('8'));
            }
            _ => {
                watched(&mut desk);
                desk.press(Key::of('a'));
                desk.press(Key::of('v'));
            }
        }
        desk.tell(Message::Tick);
        let screen = text(&desk.screen(80, 24));
        let done = screen.lines().find(|line| line.contains("done: "));
        assert!(done.is_some_and(|done| !done.contains('…')), "{screen}");
        desk.press(TOUR);
    }
    desk
}

#[test]
fn every_step_at_every_size() {
    for step in 1..=10 {
        let mut desk = at_step(step);
        for (width, height) in SIZES {
            let screen = text(&desk.screen(width, height));
            let last = screen.lines().rev().nth(2).expect("rows").to_owned();
            assert!(last.contains("esc leaves"), "{width}×{height}\n{screen}");
            assert!(!last.contains('…'), "{width}×{height}\n{screen}");
            if [1, 2, 6, 8, 9, 10].contains(&step) {
                assert_snapshot!(format!("tour-{step}-{width}x{height}"), screen);
            }
        }
        // No size brings it down.
        for (width, height) in [(1, 1), (60, 15), (61, 16), (300, 10), (59, 80)] {
            desk.screen(width, height);
        }
    }
}

#[test]
fn it_needs_neither_colour_nor_unicode() {
    for (name, settings) in [
        ("monochrome", Settings { no_color: true, ..settings() }),
        ("ascii", Settings { ascii: true, ..settings() }),
    ] {
        let mut desk = Desk::connected(Fixture::two_by_three(), settings);
        desk.press(TOUR);
        let screen = desk.screen(80, 24);
        assert_snapshot!(format!("tour-{name}"), text(&screen));
        desk.press(TOUR);
        let screen = text(&desk.screen(80, 24));
        assert!(screen.contains("press m, type something"), "{screen}");
        assert_eq!(screen.is_ascii(), name == "ascii");
    }
}

#[test]
fn a_step_waits_for_what_happens_and_not_for_keys() {
    let mut desk = at_step(2);
    assert_shown(&mut desk, "press m, type something");
    // An old message is none that was sent now.
    desk.hear(StreamEvent::Message(fixture::sent(fixture::message("alice", "bob", "an old one"))));
    desk.type_text("mhello bob");
    assert_eq!(desk.press(ENTER).len(), 1);
    desk.press(ESC);
    assert_shown(&mut desk, "press m, type something");
    desk.press(TOUR);
    assert_shown(&mut desk, "not yet; T again leaves this step out");
    assert_shown(&mut desk, "Tour 2 of 9");
    let message = message(&desk);
    desk.hear(StreamEvent::Message(message.clone()));
    assert_shown(&mut desk, "alice has it, and waits for a slot");
    desk.hear(StreamEvent::Message(fixture::sent(message.clone())));
    assert_shown(&mut desk, "done: it left alice after 377 ms");

    // It has to arrive, and to be looked at.
    desk.press(TOUR);
    assert_shown(&mut desk, "press J");
    desk.hear(StreamEvent::Message(MessageStatus {
        state: MessageState::Delivered,
        delivered_ms: Some(711.6),
        ..fixture::sent(message.clone())
    }));
    assert_shown(&mut desk, "press J");
    desk.press(Key::of('J'));
    assert_shown(&mut desk, "done: it reached bob 712 ms after it was written");
    desk.press(TOUR);
    assert_shown(&mut desk, "waiting for the acknowledgement");
    desk.hear(StreamEvent::Message(fixture::acknowledged(message)));
    assert_shown(&mut desk, "done: alice knows after 1.43 s that it is stored");
}

#[test]
fn packets_go_round_a_stopped_mixnode_and_come_back_to_it() {
    let mut desk = at_step(5);
    assert_shown(&mut desk, "choose mix-1-1 with the arrows");
    // Somebody gets lost, and is told the way.
    desk.press(Key::of('2'));
    assert_shown(&mut desk, "press 1 for the map, choose ");
    desk.press(Key::of('1'));
    desk.model.selected = Some("directory".into());
    assert_shown(&mut desk, "choose mix-1-1 with the arrows");
    desk.model.selected = None;
    desk.type_text("j");
    desk.press(Key::of('x'));
    assert_shown(&mut desk, "mix-1-1 is chosen: press x, and agree");
    assert_shown(&mut desk, "Stop mix-1-1?");
    let asked = desk.press(Key::of('y'));
    assert!(matches!(asked.as_slice(), [Effect::Act { node, .. }] if node == "mix-1-1"));
    let stopping = state(&desk, "mix-3-2", State::Stopping);
    desk.hear(stopping);
    assert_shown(&mut desk, "done: mix-3-2 is stopping");
    desk.press(TOUR);
    desk.pass(1);
    desk.tell(Message::Tick);
    assert_shown(&mut desk, "/s went to mix-3-2 in the last seconds");
    desk.fixture.widths = vec![2, 2, 1];
    desk.pass(8);
    desk.tell(Message::Tick);
    assert_shown(&mut desk, "done: nobody sends to mix-3-2; mix-3-1 takes ");
    desk.press(TOUR);
    assert_shown(&mut desk, "choose mix-3-2 with the arrows, then press s");
    desk.fixture.widths = vec![2; 3];
    let starting = state(&desk, "mix-3-2", State::Starting);
    desk.hear(starting);
    assert_shown(&mut desk, "mix-3-2 is starting");
    let ready = state(&desk, "mix-3-2", State::Ready);
    desk.hear(ready);
    desk.pass(3);
    desk.tell(Message::Tick);
    assert_shown(&mut desk, "done: mix-3-2 is back and takes ");
}

#[test]
fn it_ends_with_the_eyes_of_the_adversary() {
    let mut desk = at_step(8);
    assert_shown(&mut desk, "press 8 for Anonymity");
    desk.press(Key::of('8'));
    assert_shown(&mut desk, "bits, like one of ");
    desk.press(TOUR);
    assert_shown(&mut desk, "press a to look as the adversary");
    desk.press(Key::of('1'));
    assert_shown(&mut desk, "press 8, then a to look as the adversary");
    desk.press(Key::of('8'));
    desk.press(Key::of('a'));
    assert_shown(&mut desk, "press v for the truth beside his guesses");
    desk.press(Key::of('v'));
    assert_shown(&mut desk, "waiting for nodes to tell whose packets came out");
    watched(&mut desk);
    desk.tell(Message::Tick);
    assert_shown(&mut desk, "done: his first guess is right for ");
}

#[test]
fn a_layer_of_one_has_no_way_round() {
    let mut desk = Desk::connected(Fixture::sized(1, 3), settings());
    desk.press(TOUR);
    for _ in 0..3 {
        // What is not done is left out.
        desk.press(TOUR);
        desk.press(TOUR);
    }
    while !shown(&mut desk).contains("Tour 5 of 9") {
        desk.press(TOUR);
    }
    assert_shown(&mut desk, "without it there is no way through");
    let stopped = state(&desk, "mix-1-1", State::Stopped);
    desk.hear(stopped);
    desk.press(TOUR);
    assert_shown(&mut desk, "Its layer is empty now");
    desk.fixture.silent = vec!["alice", "bob", "crowd", "provider-1"];
    desk.pass(12);
    desk.tell(Message::Tick);
    assert_shown(&mut desk, "nobody sends to mix-1-1: no way round it");
}

#[test]
fn it_is_left_with_escape_and_taken_up_where_it_was() {
    let mut desk = at_step(2);
    desk.type_text("mTable for two");
    assert_shown(&mut desk, "Table for two");
    let message = message(&desk);
    desk.hear(StreamEvent::Message(fixture::sent(message)));
    assert_shown(&mut desk, "esc, then T goes on");
    desk.press(ESC);
    assert_shown(&mut desk, "Tour 2 of 9");
    desk.press(ESC);
    let left = shown(&mut desk);
    assert!(!left.contains("Tour 2 of 9") && left.contains("T takes it up again"), "{left}");
    desk.press(Key::of('1'));
    desk.press(TOUR);
    assert_shown(&mut desk, "Tour 2 of 9");
    assert_shown(&mut desk, "done: it left alice");
    let mut desk = at_step(10);
    assert_shown(&mut desk, "That was the tour");
    desk.press(TOUR);
    let ended = shown(&mut desk);
    assert!(!ended.contains("tour"), "{ended}");
}

#[test]
fn it_is_offered_once_and_only_where_that_is_remembered() {
    let offer = "new here? T shows you round";
    let store = Some(Store::new("/nowhere".into()));
    let fresh = Settings { store: store.clone(), ..settings() };
    let mut desk = Desk::connected(Fixture::two_by_three(), fresh.clone());
    assert_shown(&mut desk, offer);
    let effects = desk.tell(Message::Tick);
    let [Effect::Remember(_, remembered)] = effects.as_slice() else { panic!("{effects:?}") };
    let again = Settings { remembered: remembered.clone(), ..fresh.clone() };
    let mut again = Desk::connected(Fixture::two_by_three(), again);
    assert!(!shown(&mut again).contains(offer));
    desk.press(ESC);
    assert!(!shown(&mut desk).contains(offer), "it was declined");

    for settings in [
        Settings { store: None, ..fresh.clone() },
        Settings { playback: Some(playback()), ..fresh.clone() },
        Settings { remembered: Remembered { toured: true, ..Remembered::default() }, ..fresh },
    ] {
        let mut desk = Desk::connected(Fixture::two_by_three(), settings);
        assert!(!shown(&mut desk).contains(offer));
    }
}

fn playback() -> Playback {
    let first = Fixture::two_by_three().at(Duration::ZERO, StreamEvent::Unknown).t;
    Playback { first, length: None, pace: Pace::default(), ended: None }
}

#[test]
fn where_nothing_can_be_changed_it_tells_and_does_not_ask() {
    let read_only = Settings { read_only: true, ..settings() };
    for settings in [read_only.clone(), Settings { playback: Some(playback()), ..read_only }] {
        let mut desk = Desk::connected(Fixture::two_by_three(), settings);
        watched(&mut desk);
        desk.press(TOUR);
        for step in 1..=9 {
            assert_shown(&mut desk, &format!("Tour {step} of 9"));
            let screen = shown(&mut desk);
            assert!(!screen.contains("press m") && !screen.contains("press x"), "{screen}");
            for keys in match step {
                8 => "8",
                9 => "av",
                _ => "",
            }
            .chars()
            {
                desk.press(Key::of(keys));
            }
            desk.press(TOUR);
        }
        assert_shown(&mut desk, "That was the tour");
    }
}
