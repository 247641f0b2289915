//! The Anonymity screen and the adversary's view, in front of packets that were simulated: what the engine
//! makes of them is shown, and what keys do about it.

use std::time::Duration;

use control::{DevnetInfo, SetRequest, Snapshot, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::fixture::{Fixture, Observed};
use crate::keys::Key;
use crate::message::{Effect, Message};
use crate::model::Settings;
use crate::screens::Screen;

const ENTER: Key = Key::code(KeyCode::Enter);
const RIGHT: Key = Key::code(KeyCode::Right);
const LEFT: Key = Key::code(KeyCode::Left);
const DOWN: Key = Key::code(KeyCode::Down);
pub(super) const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 50)];

/// Time goes on for an observed network.
pub(super) fn pass(desk: &mut Desk, observed: &mut Observed, seconds: u64) {
    for _ in 0..seconds {
        desk.second += 1;
        // Its processes report as ever; what passes on links is what was simulated.
        let reports = desk.fixture.second(desk.second);
        let links = observed.pass(&mut desk.fixture, 1);
        let is_report = |event: &StreamEvent| !matches!(event, StreamEvent::Links { .. });
        let reports = reports.into_iter().filter(|envelope| is_report(&envelope.event));
        for envelope in reports.chain(links) {
            desk.tell(Message::Heard(Box::new(envelope)));
        }
    }
}

/// In front of a network that was watched for so long.
pub(super) fn watched(fixture: Fixture, settings: Settings, seconds: u64) -> (Desk, Observed) {
    let mut observed = Observed::new(&fixture, 0.2, 7);
    let mut desk = Desk::begun(fixture, settings);
    pass(&mut desk, &mut observed, seconds);
    desk.press(Key::of('8'));
    (desk, observed)
}

pub(super) fn classic(settings: Settings) -> Desk {
    watched(Fixture::two_by_three(), settings, 90).0
}

pub(super) fn shown(desk: &mut Desk) -> String {
    text(&desk.screen(120, 40))
}

/// The devnet says that it was changed.
pub(super) fn changed(desk: &mut Desk, change: impl FnOnce(&mut DevnetInfo)) {
    let after = Duration::from_secs(desk.second);
    let mut snapshot: Snapshot = desk.fixture.snapshot(after);
    change(&mut snapshot.devnet);
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
}

#[test]
fn the_figures_at_every_size() {
    let mut desk = classic(settings());
    for (width, height) in SIZES {
        assert_snapshot!(format!("figures-{width}x{height}"), text(&desk.screen(width, height)));
    }
}

#[test]
fn the_adversarys_view_at_every_size_and_the_truth_beside_it() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 60);
    desk.press(Key::of('a'));
    pass(&mut desk, &mut observed, 60);
    for (width, height) in SIZES {
        assert_snapshot!(format!("adversary-{width}x{height}"), text(&desk.screen(width, height)));
    }
    desk.press(Key::of('v'));
    for (width, height) in SIZES {
        assert_snapshot!(format!("truth-{width}x{height}"), text(&desk.screen(width, height)));
    }
}

#[test]
fn without_colour_and_in_ascii() {
    let mut desk = classic(Settings { no_color: true, ..settings() });
    assert_snapshot!("figures-monochrome", super::screens::weights(&desk.screen(80, 24)));
    desk.press(Key::of('a'));
    desk.press(Key::of('v'));
    assert_snapshot!("truth-monochrome", super::screens::weights(&desk.screen(80, 24)));
    let mut desk = classic(Settings { ascii: true, ..settings() });
    for (name, key) in [("figures", '8'), ("adversary", 'a'), ("truth", 'v')] {
        desk.press(Key::of(key));
        let shown = text(&desk.screen(80, 24));
        assert!(shown.is_ascii(), "{shown}");
        assert_snapshot!(format!("ascii-{name}"), shown);
    }
}

#[test]
fn no_size_is_too_small() {
    let mut desk = classic(settings());
    for key in ['8', 'a', 'v'] {
        desk.press(Key::of(key));
        for width in (0..70).step_by(7).chain([60, 61, 109, 110, 300]) {
            for height in (0..30).step_by(3).chain([15, 16, 28, 100]) {
                desk.screen(width, height);
            }
        }
    }
}

/// Ten senders in 2×3 with acknowledgements: what the engine measures is what theory says of it.
#[test]
fn what_is_measured_is_near_what_is_expected() {
    let desk = classic(settings());
    let report = desk.model.devnet().expect("it runs").watch.vantage().report(vantage::WINDOW);
    let report = report.expect("a devnet");
    let measured = report.sender.expect("packets came out");
    assert!((measured.bits - report.expected.sender_bits).abs() < 0.1, "{report:?}");
    assert!((report.pool.expect("watched") / 6.0 - 1.0).abs() < 0.15, "{:?}", report.pool);
    assert!(report.doubts.is_empty(), "{:?}", report.doubts);
}

#[test]
fn a_lonely_client_has_no_anonymity_and_is_told_why() {
    let mut fixture = Fixture::two_by_three();
    (fixture.clients, fixture.crowd) = (vec!["alice"], 0);
    let (mut desk, _) = watched(fixture, settings(), 60);
    let screen = shown(&mut desk);
    assert!(screen.contains("0.00 of 0.00 bits"), "{screen}");
    assert!(screen.contains("like 1.0 of 1 sender"), "{screen}");
    assert!(screen.contains("alice is alone"), "{screen}");
}

#[test]
fn turning_shows_what_would_be_and_only_enter_does_it() {
    let mut desk = classic(settings());
    assert!(!shown(&mut desk).contains("would be"));
    assert_eq!(desk.press(ENTER), [], "no knob was turned");
    for _ in 0..3 {
        assert_eq!(desk.press(LEFT), []);
    }
    let screen = shown(&mut desk);
    assert!(screen.contains("◂ 20 ms ▸ (200 ms)"), "{screen}");
    assert!(screen.contains("would be"), "{screen}");
    (0..4).for_each(|_| drop(desk.press(DOWN)));
    desk.press(RIGHT);
    let effects = desk.press(ENTER);
    let [Effect::Change(wanted)] = &effects[..] else { panic!("{effects:?}") };
    let set = SetRequest { hop_delay_ms: Some(20.0), crowd: Some(10), ..SetRequest::default() };
    assert_eq!((wanted.set, wanted.add.len(), wanted.remove.len()), (set, 0, 0));
    let command = desk.model.last_command().map(|(command, _)| command.to_owned());
    assert_eq!(command.as_deref(), Some("nym-devnet set hop=20ms crowd=10"));
    assert!(!shown(&mut desk).contains("would be"), "it is asked for, and not turned any more");
}

#[test]
fn another_width_adds_or_removes_mixnodes_of_each_layer() {
    let mut desk = classic(settings());
    (0..5).for_each(|_| drop(desk.press(DOWN)));
    desk.press(RIGHT);
    let effects = desk.press(ENTER);
    let [Effect::Change(wanted)] = &effects[..] else { panic!("{effects:?}") };
    let commands: Vec<String> = wanted.commands().collect();
    let wide = ["add mix --layer 1", "add mix --layer 2", "add mix --layer 3"];
    assert_eq!(commands, wide);
    desk.press(LEFT);
    let effects = desk.press(ENTER);
    let [Effect::Change(wanted)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(wanted.commands().collect::<Vec<_>>(), ["remove mix-1-2 mix-2-2 mix-3-2"]);
}

#[test]
fn escape_turns_the_knobs_back() {
    let mut desk = classic(settings());
    desk.press(LEFT);
    desk.press(Key::code(KeyCode::Esc));
    assert!(!shown(&mut desk).contains("(200 ms)"));
    assert_eq!(desk.press(ENTER), []);
}

#[test]
fn read_only_turns_and_does_not_apply() {
    let mut desk = classic(Settings { read_only: true, ..settings() });
    desk.press(LEFT);
    assert_eq!(desk.press(ENTER), []);
    let screen = shown(&mut desk);
    assert!(screen.contains("(200 ms)"), "{screen}");
    assert!(screen.contains("read-only: this dashboard"), "{screen}");
}

#[test]
fn a_change_is_marked_and_what_was_before_is_said_to_be_underway() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 60);
    changed(&mut desk, |info| info.hop_delay_ms = 20.0);
    pass(&mut desk, &mut observed, 1);
    let screen = shown(&mut desk);
    assert!(screen.contains("hop delay 20 ms"), "{screen}");
    assert!(screen.contains("packets of before"), "{screen}");
    assert!(screen.contains("doubtful"), "{screen}");
}

#[test]
fn the_adversarys_view_is_left_to_where_it_was_opened() {
    let mut desk = classic(settings());
    for (key, screen) in [('1', Screen::Network), ('8', Screen::Anonymity)] {
        desk.press(Key::of(key));
        desk.press(Key::of('a'));
        assert!(shown(&mut desk).contains("The adversary's view"), "{key}");
        desk.press(Key::of('a'));
        assert_eq!(desk.model.screen, screen);
        assert!(!shown(&mut desk).contains("The adversary's view"), "{key}");
    }
    // By the key of the screen one comes to its figures.
    desk.press(Key::of('a'));
    desk.press(Key::of('8'));
    assert!(shown(&mut desk).contains("Knobs"));
}

#[test]
fn the_truth_is_shown_only_when_asked_for() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    assert!(!shown(&mut desk).contains("The truth, which no observer has"));
    desk.press(Key::of('v'));
    let screen = shown(&mut desk);
    assert!(screen.contains("The truth, which no observer has"), "{screen}");
    assert!(screen.contains("the truth is shown: no observer has it"), "{screen}");
}

#[test]
fn other_eyes_see_other_things() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    assert!(shown(&mut desk).contains("sees every link, no node works for it"));
    desk.press(Key::of('o'));
    assert!(shown(&mut desk).contains("provider-1 works for it"));
    desk.press(Key::of('o'));
    let screen = shown(&mut desk);
    assert!(screen.contains("sees the link between alice and mix-1-1"), "{screen}");
    assert!(screen.contains("one link does not show what comes out"), "{screen}");
    desk.press(Key::of('O'));
    desk.press(Key::of('O'));
    assert!(shown(&mut desk).contains("sees every link, no node works for it"));
}

/// What happened while nobody listened was missed: it would be taken for lost.
#[test]
fn a_reconnect_begins_anew_with_the_same_eyes() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    desk.press(Key::of('o'));
    desk.tell(Message::Disconnected { reason: "gone".into() });
    desk.tell(Message::Connected);
    changed(&mut desk, |_| {});
    let live = desk.model.live.as_ref().expect("it runs");
    let report = live.watch.vantage().report(vantage::WINDOW).expect("a devnet");
    assert_eq!(report.sender, None);
    desk.pass(2);
    assert!(shown(&mut desk).contains("provider-1 works for it"));
}
