//! A recording in place of a devnet: what keys do to it, and what it shows.

use std::time::Duration;

use contract::Time;
use control::StreamEvent;
use crossterm::event::KeyCode;

use super::{Desk, settings, text};
use crate::fixture::Fixture;
use crate::keys::Key;
use crate::message::{Effect, Message};
use crate::model::Settings;
use crate::playback::{Pace, Playback, Speed};

/// In front of a recording of two by three, of which twelve seconds were played.
fn desk(ascii: bool) -> Desk {
    let first = Fixture::two_by_three().at(Duration::ZERO, StreamEvent::Unknown).t;
    let playback = Playback {
        first,
        length: Some(Duration::from_secs(90)),
        pace: Pace::default(),
        ended: None,
    };
    let playback = Some(playback);
    let settings =
        Settings { read_only: true, stops_on_quit: false, ascii, playback, ..settings() };
    Desk::connected(Fixture::two_by_three(), settings)
}

fn header(desk: &mut Desk) -> String {
    text(&desk.screen(80, 24)).lines().next().expect("a header").to_owned()
}

fn pace(paused: bool, speed: Speed) -> Vec<Effect> {
    vec![Effect::Pace(Pace { paused, speed })]
}

#[test]
fn space_pauses_and_brackets_change_the_speed() {
    let mut desk = desk(false);
    assert!(header(&mut desk).contains(" PLAYBACK 0:12/1:30 ×1 "), "{}", header(&mut desk));
    let normal = Speed::default();
    assert_eq!(desk.press(Key::of(' ')), pace(true, normal));
    assert!(header(&mut desk).contains(" PAUSED 0:12/1:30 ×1 "), "{}", header(&mut desk));
    // Time passes for us, and not for what stands still.
    desk.model.now = Time::default() + Duration::from_secs(100);
    assert!(header(&mut desk).contains(" 0:12/1:30 "), "{}", header(&mut desk));
    assert_eq!(desk.press(Key::of('[')), pace(true, normal.slower()));
    assert_eq!(desk.press(Key::of(' ')), pace(false, normal.slower()));
    assert!(header(&mut desk).contains(" PLAYBACK 0:12/1:30 ×1/2 "), "{}", header(&mut desk));
    desk.press(Key::of(']'));
    assert_eq!(desk.press(Key::of(']')), pace(false, normal.faster()));
    desk.press(Key::of(' '));
    assert_eq!(desk.press(Key::code(KeyCode::Esc)), pace(false, normal.faster()));
}

#[test]
fn it_can_be_paused_before_anything_is_shown() {
    let playing = desk(false).model.settings;
    let mut desk = Desk::new(Fixture::two_by_three(), playing);
    let normal = Speed::default();
    assert_eq!(desk.press(Key::of(' ')), pace(true, normal));
    let snapshot = desk.fixture.snapshot(Duration::ZERO);
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    assert!(header(&mut desk).contains(" PAUSED 0:00/1:30 "), "{}", header(&mut desk));
    assert_eq!(desk.press(Key::of(' ')), pace(false, normal));
}

#[test]
fn nothing_can_be_changed_and_the_end_of_the_devnet_is_not_that_of_the_dashboard() {
    let mut desk = desk(true);
    desk.model.selected = Some("mix-1-1".into());
    for key in ['s', 'x', 'X', 'r', 'm'] {
        assert_eq!(desk.press(Key::of(key)), [], "{key}");
        assert_eq!(desk.model.overlays.len(), 0, "{key}");
        assert!(text(&desk.screen(80, 24)).contains("this is a recording: nothing can be changed"));
    }
    assert_eq!(desk.hear(StreamEvent::Down { reason: "asked to".into() }), []);
    let reason = "the recording is cut off in line 812".to_owned();
    assert_eq!(desk.tell(Message::Disconnected { reason: reason.clone() }), [], "no second try");
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains(" END 0:12/1:30 x1 ") && screen.contains(&reason), "{screen}");
    // The words stay when a key was pressed.
    desk.press(Key::code(KeyCode::Down));
    let screen = text(&desk.screen(80, 24));
    assert!(screen.contains(&reason) && screen.contains("mix-1-1"), "{screen}");
}

#[test]
fn what_happens_now_has_no_other_speed() {
    let mut desk = Desk::running();
    assert_eq!(desk.press(Key::of(']')), []);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("only a recording has a speed"), "{screen}");
    assert!(!screen.contains("faster"), "no hint for it");
}
