//! Snapshots of every screen. After a change: `INSTA_UPDATE=always cargo test -p dashboard`, then
//! read the difference.

use std::time::Duration;

use contract::{MailboxCounters, NodeMetrics};
use control::{DirectoryState, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::{Desk, settings, text};
use crate::fixture::Fixture;
use crate::keys::Key;
use crate::message::Message;
use crate::model::Settings;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];
const SCREENS: [(&str, char); 5] =
    [("network", '1'), ("nodes", '2'), ("messages", '4'), ("presence", '5'), ("logs", '6')];

#[test]
fn every_screen_at_every_size() {
    let mut desk = Desk::eventful(settings());
    for (name, key) in SCREENS {
        desk.press(Key::of(key));
        for (width, height) in SIZES.into_iter().chain([(60, 15)]) {
            assert_snapshot!(format!("{name}-{width}x{height}"), text(&desk.screen(width, height)));
        }
    }
    assert_snapshot!("too-small-40x12", text(&desk.screen(40, 12)));
}

#[test]
fn what_lies_over_a_screen() {
    let mut desk = Desk::eventful(settings());
    for (name, key) in [
        ("card", Key::code(KeyCode::Enter)),
        ("palette", Key::of(':')),
        ("question", Key::of('X')),
        ("help", Key::of('?')),
    ] {
        desk.press(key);
        assert_snapshot!(format!("{name}-80x24"), text(&desk.screen(80, 24)));
        if name == "card" {
            assert_snapshot!("card-120x40", text(&desk.screen(120, 40)));
        }
        desk.press(Key::code(KeyCode::Esc));
    }
}

#[test]
fn networks_of_all_sizes_find_a_map() {
    for (width, layers, clients) in [(1, 3, 2), (2, 4, 2), (3, 3, 2), (6, 2, 6), (33, 3, 40)] {
        let mut fixture = Fixture::sized(width, layers);
        fixture.clients = (1..=clients).map(client).collect();
        let mut desk = Desk::connected(fixture, settings());
        desk.model.selected = Some("mix-2-1".into());
        for (columns, rows) in SIZES {
            assert_snapshot!(
                format!("map-{width}x{layers}-{columns}x{rows}"),
                text(&desk.screen(columns, rows))
            );
        }
    }
}

#[test]
fn one_client_is_not_many() {
    let mut fixture = Fixture::two_by_three();
    (fixture.clients, fixture.crowd) = (vec!["alice"], 0);
    let mut desk = Desk::connected(fixture, settings());
    let mailbox = Some(MailboxCounters { online: 1, ..MailboxCounters::default() });
    let metrics = NodeMetrics { mailbox, ..NodeMetrics::default() };
    desk.hear(StreamEvent::Metrics { node: "provider-1".into(), metrics });
    let screen = text(&desk.screen(120, 40));
    // At the top of the screen, and in the box of the provider.
    assert_eq!(screen.matches(" 1 client ").count() + screen.matches(" 1 client\n").count(), 2);
    assert!(!screen.contains("clients"), "{screen}");
}

/// Zero would be a lie: packets pass, only nobody counts them for the directory.
#[test]
fn a_mixnode_that_reports_no_metrics_is_not_shown_as_idle() {
    let mut desk = Desk::connected(Fixture::two_by_three(), settings());
    let metrics = NodeMetrics { reports_metrics: Some(false), ..NodeMetrics::default() };
    desk.hear(StreamEvent::Metrics { node: "mix-1-1".into(), metrics });
    let screen = text(&desk.screen(120, 40));
    assert_eq!(screen.matches("no metrics").count(), 1, "in its box: {screen}");
    assert!(screen.contains("- pkt/s"), "half of what enters is not everything: {screen}");
    desk.press(Key::of('2'));
    desk.press(Key::of('g'));
    desk.press(Key::of('j'));
    desk.press(Key::code(KeyCode::Enter));
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("reports no metrics"), "on its card: {screen}");
}

fn client(number: u16) -> &'static str {
    format!("client-{number}").leak()
}

#[test]
fn the_first_seconds_say_what_they_wait_for() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    assert_snapshot!("connecting", text(&desk.screen(80, 24)));
    desk.tell(Message::Connected);
    let mut snapshot = desk.fixture.snapshot(Duration::ZERO);
    for node in &mut snapshot.nodes {
        node.state = control::State::Starting;
        node.reason = "the process runs".into();
        node.public_keys = vec![];
    }
    snapshot.topology = None;
    snapshot.directory = DirectoryState::Connecting;
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    for (name, key) in SCREENS {
        desk.press(Key::of(key));
        assert_snapshot!(format!("starting-{name}"), text(&desk.screen(80, 24)));
    }
}

#[test]
fn a_lost_connection_shows_what_was_known_dimmed_and_why() {
    let mut desk = Desk::eventful(settings());
    desk.tell(Message::Disconnected { reason: "the supervisor closed the event stream".into() });
    let buffer = desk.screen(80, 24);
    assert_snapshot!("lost", text(&buffer));
    // The body, between the tabs and the hint line.
    let body = &buffer.content[2 * 80..23 * 80];
    assert!(body.iter().all(|cell| cell.fg == Color::DarkGray), "old data look old");
}

#[test]
fn without_colour_weight_and_reverse_carry_every_meaning() {
    let mut desk = Desk::eventful(Settings { no_color: true, ..settings() });
    for (name, key) in [("network", '1'), ("nodes", '2')] {
        desk.press(Key::of(key));
        let buffer = desk.screen(80, 24);
        for cell in &buffer.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
        }
        assert_snapshot!(format!("monochrome-{name}"), weights(&buffer));
    }
}

#[test]
fn ascii_screens_are_ascii() {
    let mut desk = Desk::eventful(Settings { ascii: true, ..settings() });
    for (name, key) in SCREENS {
        desk.press(Key::of(key));
        for (width, height) in SIZES {
            let shown = text(&desk.screen(width, height));
            assert!(shown.is_ascii(), "{shown}");
        }
        assert_snapshot!(format!("ascii-{name}"), text(&desk.screen(80, 24)));
    }
    for key in [Key::of('?'), Key::of(':'), Key::code(KeyCode::Enter)] {
        desk.press(key);
        assert!(text(&desk.screen(120, 40)).is_ascii());
        desk.press(Key::code(KeyCode::Esc));
    }
}

#[test]
fn no_size_is_too_small_to_draw() {
    let mut desk = Desk::eventful(settings());
    for (_, key) in SCREENS {
        desk.press(Key::of(key));
        for width in (0..70).step_by(4).chain([59, 60, 61, 500]) {
            for height in (0..20).step_by(3).chain([14, 15, 16, 200]) {
                desk.screen(width, height);
            }
        }
    }
    for key in [Key::of('?'), Key::of(':'), Key::of('X')] {
        desk.press(Key::of('1'));
        desk.press(key);
        for width in 58..64 {
            for height in 13..18 {
                desk.screen(width, height);
            }
        }
        desk.press(Key::code(KeyCode::Esc));
    }
}

/// A screen, and below each row that has any the weights of its cells: bold, dim, reversed,
/// underlined.
pub(super) fn weights(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let shown = text(buffer);
    let rows = shown.lines().zip(buffer.content.chunks(width)).map(|(line, cells)| {
        let weights: String = cells
            .iter()
            .map(|cell| match cell.modifier {
                weight if weight.contains(Modifier::REVERSED) => 'R',
                weight if weight.contains(Modifier::UNDERLINED) => 'U',
                weight if weight.contains(Modifier::BOLD) => 'B',
                weight if weight.contains(Modifier::DIM) => 'd',
                _ => ' ',
            })
            .collect();
        match weights.trim_end() {
            "" => format!("{line}\n"),
            weights => format!("{line}\n{weights}\n"),
        }
    });
    rows.collect()
}
