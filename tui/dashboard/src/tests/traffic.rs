//! The Traffic screen, and where its history comes from.

use std::time::Duration;

use contract::{NodeMetrics, Transits};
use control::{DevnetInfo, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::screens::traffic::history::{PARTS, Stage};

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 50)];

/// Counters of the crowd after so many seconds: 24 packets a second come back, spread as theory has
/// them for three hops of 200 ms, and this much later.
fn crowd(second: u64, later_ms: f64) -> StreamEvent {
    let theory = crate::state::traffic::Erlang { hops: 3, mean_ms: 200.0 };
    let mut transits = Transits::default();
    for packet in 0..24 * second {
        // Steps of the golden ratio fill the unit interval evenly, however many there are.
        #[expect(clippy::cast_precision_loss, reason = "a few hundred packets")]
        let share = (packet as f64 * 0.618_033_988_75).fract();
        let ms = theory.quantile(share.clamp(0.001, 0.999)) + later_ms;
        transits.add(Duration::from_secs_f64(ms / 1000.0));
    }
    let events = fixture_second(second);
    let metrics = events.into_iter().find_map(|event| match event {
        StreamEvent::Metrics { node, metrics } if node == "crowd" => Some(metrics),
        _ => None,
    });
    let metrics = metrics.expect("the crowd reports");
    let metrics = NodeMetrics { transits: Some(transits), ..metrics };
    StreamEvent::Metrics { node: "crowd".into(), metrics }
}

fn fixture_second(second: u64) -> Vec<StreamEvent> {
    let mut fixture = Fixture::two_by_three();
    fixture.second(second).into_iter().map(|envelope| envelope.event).collect()
}

/// In front of a devnet with a history, traffic, delays and losses.
fn busy(settings: Settings) -> Desk {
    let mut desk = Desk::new(Fixture::two_by_three(), settings);
    desk.fixture.silent = vec!["crowd"];
    desk.tell(Message::Connected);
    let snapshot = Box::new(desk.fixture.snapshot(Duration::ZERO));
    let asked = desk.hear(StreamEvent::Snapshot(snapshot));
    if desk.model.playback.is_none() {
        assert!(asked.contains(&Effect::History), "as soon as there is a devnet");
        let parts = PARTS.map(|(window_s, step_s)| fixture::history(window_s, step_s));
        desk.tell(Message::History(Ok(parts.to_vec())));
    }
    for _ in 0..30 {
        desk.pass(1);
        let event = crowd(desk.second, 0.0);
        desk.hear(event);
    }
    desk.press(Key::of('3'));
    desk
}

/// A mixnode reports that it has dropped packets, and that others wait.
fn trouble(desk: &mut Desk) {
    for _ in 0..12 {
        desk.pass(1);
        for (node, dropped, pool) in [
            ("mix-2-1", [("mac", 3), ("queue", 40)], 90),
            ("mix-1-2", [("replay", 2), ("layer", 1)], 1),
        ] {
            let events = fixture_second(desk.second);
            let metrics = events.into_iter().find_map(|event| match event {
                StreamEvent::Metrics { node: of, metrics } if of == node => Some(metrics),
                _ => None,
            });
            let mut metrics = metrics.expect("a node of the fixture");
            // The clock of a second report in the same second.
            metrics.t = metrics.t + Duration::from_millis(1);
            metrics.pool = Some(pool);
            metrics.dropped =
                dropped.map(|(reason, count)| (reason.to_owned(), count * desk.second)).into();
            desk.hear(StreamEvent::Metrics { node: node.into(), metrics });
        }
    }
}

#[test]
fn all_panes_at_every_size() {
    let mut desk = busy(settings());
    desk.model.selected = Some("mix-2-1".into());
    trouble(&mut desk);
    for (width, height) in SIZES {
        assert_snapshot!(format!("traffic-{width}x{height}"), text(&desk.screen(width, height)));
    }
}

#[test]
fn each_pane_by_itself_and_each_window() {
    let mut desk = busy(settings());
    for pane in ["packets", "delay", "pools", "losses"] {
        desk.press(Key::code(KeyCode::Tab));
        assert_snapshot!(format!("traffic-{pane}-80x24"), text(&desk.screen(80, 24)));
    }
    for window in ["60", "1"] {
        desk.press(Key::of('w'));
        assert_snapshot!(format!("traffic-{window}-min-120x40"), text(&desk.screen(120, 40)));
    }
    desk.press(Key::of('w'));
    assert!(text(&desk.screen(120, 40)).contains("5 min ago"));
}

#[test]
fn traffic_without_colour_and_in_ascii() {
    let mut desk = busy(Settings { no_color: true, ..settings() });
    trouble(&mut desk);
    assert_snapshot!("monochrome-traffic", super::screens::weights(&desk.screen(120, 40)));
    let mut desk = busy(Settings { ascii: true, ..settings() });
    trouble(&mut desk);
    for (width, height) in SIZES {
        let shown = text(&desk.screen(width, height));
        assert!(shown.is_ascii(), "{shown}");
    }
    assert_snapshot!("ascii-traffic", text(&desk.screen(120, 40)));
}

#[test]
fn what_is_not_there_yet_is_waited_for_by_name() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    desk.tell(Message::Connected);
    let snapshot = Box::new(desk.fixture.snapshot(Duration::ZERO));
    desk.hear(StreamEvent::Snapshot(snapshot));
    desk.press(Key::of('3'));
    assert_snapshot!("starting-traffic", text(&desk.screen(120, 40)));
}

#[test]
fn a_history_that_is_not_given_is_said_and_asked_for_again() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    desk.tell(Message::Connected);
    let snapshot = Box::new(desk.fixture.snapshot(Duration::ZERO));
    assert!(desk.hear(StreamEvent::Snapshot(snapshot)).contains(&Effect::History));
    let why = "the directory has not opened its port";
    desk.tell(Message::History(Err(Problem(why.into()))));
    desk.press(Key::of('3'));
    desk.pass(4);
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains(&format!("no history: {why}")), "{shown}");
    assert_eq!(desk.model.screens.traffic.recall.stage, Stage::Failed(why.into()));
    desk.second += 1;
    let again = desk.hear(fixture::log("alice", Duration::from_secs(5), "hello"));
    assert_eq!(again, [Effect::History], "five seconds later, and not before");
    assert_eq!(desk.hear(fixture::log("alice", Duration::from_secs(5), "hello")), []);
    desk.tell(Message::History(Ok(vec![fixture::history(300, 1)])));
    desk.second += 60;
    assert_eq!(desk.hear(fixture::log("alice", Duration::from_secs(65), "hello")), []);
    // Whoever connects again has missed something.
    desk.tell(Message::Disconnected { reason: "gone".into() });
    desk.tell(Message::Connected);
    let snapshot = Box::new(desk.fixture.snapshot(Duration::from_secs(65)));
    assert!(desk.hear(StreamEvent::Snapshot(snapshot)).contains(&Effect::History));
}

#[test]
fn events_that_were_missed_are_asked_for() {
    let mut desk = busy(settings());
    let snapshot = Box::new(desk.fixture.snapshot(Duration::from_secs(30)));
    let mut envelope = desk.fixture.at(Duration::from_secs(30), StreamEvent::Snapshot(snapshot));
    envelope.seq += 5000;
    assert!(desk.tell(Message::Heard(Box::new(envelope))).contains(&Effect::History));
}

#[test]
fn a_recording_asks_for_nothing_and_says_so() {
    let playback = crate::playback::Playback {
        first: contract::Time::default(),
        length: None,
        pace: crate::playback::Pace::default(),
        ended: None,
    };
    let mut desk = busy(Settings { playback: Some(playback), ..settings() });
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains("no history in a recording"), "{shown}");
}

#[test]
fn other_delays_say_from_when_on_they_are_measured() {
    let mut desk = busy(settings());
    let mut snapshot = desk.fixture.snapshot(Duration::from_secs(30));
    snapshot.devnet = DevnetInfo { hop_delay_ms: 50.0, ..snapshot.devnet };
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains("measuring begins in 3 s"), "{shown}");
    assert!(shown.contains("pools settle for 3 s"), "{shown}");
    assert!(shown.contains("3 exponential waits of 50 ms"), "{shown}");
    for later in [0.0; 5] {
        desk.pass(1);
        let event = crowd(desk.second, later);
        desk.hear(event);
    }
    let shown = text(&desk.screen(120, 40));
    assert!(shown.contains("s since the change"), "{shown}");
    assert!(shown.contains("at the median, later"), "packets still take 600 ms: {shown}");
}

#[test]
fn keys_choose_nodes_and_the_mouse_panes() {
    let mut desk = busy(settings());
    desk.press(Key::of('j'));
    desk.press(Key::of('j'));
    assert_eq!(desk.model.selected.as_deref(), Some("mix-1-2"));
    assert!(text(&desk.screen(80, 24)).contains("mix-1-2 in"));
    desk.press(Key::code(KeyCode::Enter));
    assert!(text(&desk.screen(120, 40)).contains("╭ mix-1-2 · "), "its card");
    desk.press(Key::code(KeyCode::Esc));
    desk.press(Key::code(KeyCode::Esc));
    assert_eq!(desk.model.selected, None);
    let target = crate::regions::Target::Traffic(crate::screens::traffic::Pane::Pools);
    desk.tell(Message::Click(target));
    assert!(text(&desk.screen(80, 24)).contains("Pool per mixnode"));
}

#[test]
fn no_size_is_too_small_for_traffic() {
    let mut desk = busy(settings());
    trouble(&mut desk);
    for _ in 0..5 {
        desk.press(Key::code(KeyCode::Tab));
        for width in (1..130).step_by(7).chain([500]) {
            for height in (1..40).step_by(3).chain([200]) {
                desk.screen(width, height);
            }
        }
    }
}
