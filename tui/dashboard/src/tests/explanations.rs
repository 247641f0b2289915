//! Explanations: everything that can be asked about has one, what is said is about what is selected, and
//! the document is up to date.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::PathBuf;

use control::{NodeStatus, State, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::describe;
use crate::drops::DropReason;
use crate::explain::{Fact, Figures, Idea, Letter, Topic, selected};
use crate::fixture;
use crate::fixture::journeys;
use crate::keys::Key;
use crate::model::Settings;
use crate::scene::Scene;
use crate::screens::Screen;

/// Longest text: it leaves room for what is related on 80×24.
const MAX_CHARS: usize = 560;

fn topics() -> Vec<Topic> {
    Topic::all().into_iter().flat_map(|(_, topics)| topics).collect()
}

#[test]
fn everything_has_a_title_some_sentences_and_something_to_read_next() {
    let desk = Desk::running();
    let figures = [Figures::of(desk.model.devnet().expect("it runs")), Figures::in_words()];
    let mut said = BTreeSet::new();
    for topic in topics() {
        let entry = topic.entry();
        assert!(!entry.title.is_empty(), "{topic:?}");
        for figures in &figures {
            let filled = figures.fill(entry.text);
            assert!(!filled.contains(['{', '}']), "{topic:?}: {filled}");
            assert!(filled.chars().count() <= MAX_CHARS, "{topic:?}: {}", filled.chars().count());
            let sentences = filled.matches(['.', '!']).count();
            assert!(!filled.contains("  "), "{topic:?}: {filled}");
            assert!(sentences >= 1 && filled.ends_with('.'), "{topic:?}: {filled}");
            assert!(filled.chars().next().is_some_and(char::is_uppercase), "{topic:?}: {filled}");
        }
        assert!(said.insert(entry.text), "{topic:?} says what another says");
        assert!(!entry.see.is_empty(), "{topic:?} leads nowhere");
        assert!(!entry.see.contains(&topic), "{topic:?} leads to itself");
    }
}

/// Whoever follows what is related comes to every idea and screen, so nothing is hidden.
#[test]
fn every_idea_is_led_to_and_what_is_led_to_is_in_the_document() {
    let all = topics();
    let mut reached: Vec<Topic> = Vec::new();
    let mut ahead = VecDeque::from([Topic::Screen(Screen::Network)]);
    while let Some(topic) = ahead.pop_front() {
        if !reached.contains(&topic) {
            assert!(all.contains(&topic), "{topic:?} is not in the document");
            reached.push(topic);
            ahead.extend(topic.entry().see);
        }
    }
    for idea in Idea::ALL {
        assert!(reached.contains(&Topic::Idea(idea)), "nothing leads to {idea:?}");
    }
}

/// A figure that another network has otherwise is in no text.
#[test]
fn what_depends_on_the_network_is_never_written_out() {
    let mut desk = Desk::running();
    let mut snapshot = desk.fixture.snapshot(std::time::Duration::ZERO);
    snapshot.devnet.hop_delay_ms = 37.0;
    snapshot.devnet.layers = 3;
    snapshot.devnet.slot_ms = 250.0;
    snapshot.devnet.loop_cover_ms = 500.0;
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    let figures = Figures::of(desk.model.devnet().expect("it runs"));
    let filled = |idea: Idea| figures.fill(Topic::Idea(idea).entry().text);
    assert!(filled(Idea::Delay).contains("37 ms on average, and seals"), "{}", filled(Idea::Delay));
    assert!(filled(Idea::Delay).contains("111 ms on average"), "{}", filled(Idea::Delay));
    assert!(filled(Idea::Slots).contains("6.0 packets per second"), "{}", filled(Idea::Slots));
    assert!(filled(Idea::Sphinx).contains("2396 bytes"), "{}", filled(Idea::Sphinx));
    for topic in topics() {
        let digits = topic.entry().text.chars().filter(char::is_ascii_digit).collect::<String>();
        // Layer 1, the year of the originals, and the arithmetic of bits hold in every network.
        let known = ["", "1", "2020", "12020", "13"];
        assert!(known.contains(&digits.as_str()), "{topic:?} has a figure of its own: {digits}");
    }
}

#[test]
fn every_word_of_a_counter_and_of_a_message_has_one() {
    for word in ["queued", "held", "sent", "stored", "delivered", "acknowledged", "failed"] {
        assert!(Letter::of(word).is_some(), "{word}");
    }
    // Whether nodes have these is tested where nodes can be seen.
    let listed = "malformed mac replay version delay final-hop pool-full layer unknown-hop queue \
                  forward-hop unknown-client mailbox-full provider-full storage ack-hop duplicate \
                  no-route overload node-key unknown-ack";
    for word in listed.split_whitespace() {
        assert_eq!(DropReason::of(word).map(DropReason::word), Some(word));
    }
    assert_eq!(DropReason::ALL.len(), listed.split_whitespace().count());
}

#[test]
fn every_label_of_every_card_has_one() {
    let mut desk = Desk::eventful(settings());
    let metrics =
        contract::NodeMetrics { reports_metrics: Some(false), ..contract::NodeMetrics::default() };
    desk.hear(StreamEvent::Metrics { node: "mix-1-2".into(), metrics });
    let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 9, 9));
    let scene = Scene::new(&desk.model, &mut buffer);
    let devnet = desk.model.devnet().expect("it runs");
    let mut labels = BTreeSet::new();
    for node in &devnet.nodes {
        let facts = [
            describe::packet_facts(node, &scene),
            describe::process_facts(node, &scene),
            describe::network_facts(devnet, node, &scene),
        ];
        labels.extend(facts.into_iter().flatten().map(|fact| fact.label));
    }
    assert!(labels.len() > 20, "{labels:?}");
    for label in labels {
        assert!(Fact::topic(label).is_some(), "{label}");
    }
}

#[test]
fn what_is_explained_is_what_is_selected() {
    let mut desk = Desk::running();
    let asked = |desk: &Desk| selected(&desk.model).entry().title;
    assert_eq!(asked(&desk), "Network");
    desk.model.selected = Some("mix-1-1".into());
    assert_eq!(asked(&desk), "mixnode");
    desk.press(Key::of('5'));
    assert_eq!(asked(&desk), "presence");
    desk.press(Key::of('1'));
    let killed = NodeStatus { state: State::BackingOff, ..desk.fixture.status("mix-1-1") };
    desk.hear(StreamEvent::Node(killed));
    assert_eq!(asked(&desk), "backing off");
    desk.press(Key::code(KeyCode::Enter));
    assert_eq!(asked(&desk), "Card of a node");
    desk.pass(2);
    for (key, title) in
        [('3', "Rates"), ('6', "Logs"), ('7', "a node crashed or was killed"), ('2', "backing off")]
    {
        desk.press(Key::of(key));
        assert_eq!(asked(&desk), title);
    }
    // A column that somebody chose to sort by comes before the row.
    desk.press(Key::of('o'));
    assert_eq!(asked(&desk), "NAME");
    let message = fixture::sent(fixture::message("alice", "bob", "hi"));
    let packet = journeys::whole(&message.id, 0, 1);
    desk.press(Key::of('4'));
    assert_eq!(asked(&desk), "Messages");
    desk.hear(StreamEvent::Message(message));
    assert_eq!(asked(&desk), "sent");
    desk.press(Key::of('J'));
    assert_eq!(asked(&desk), "Journey of a message");
    journeys::events(packet).for_each(|event| drop(desk.hear(StreamEvent::Journey(event))));
    desk.press(Key::of('G'));
    assert_eq!(asked(&desk), "back at the sender");
    let lost = fixture::sent(fixture::message("alice", "bob", "lost"));
    let packet = journeys::dropped(&lost.id, 0, 1);
    desk.hear(StreamEvent::Message(lost));
    journeys::events(packet).for_each(|event| drop(desk.hear(StreamEvent::Journey(event))));
    desk.press(Key::of('n'));
    assert_eq!(asked(&desk), "mac");
}

#[test]
fn keys_lead_to_what_is_related_and_back() {
    let mut desk = Desk::running();
    desk.press(Key::of('i'));
    assert!(text(&desk.screen(80, 24)).contains("╭ Network · screen "));
    desk.press(Key::code(KeyCode::Tab));
    desk.press(Key::code(KeyCode::Enter));
    assert!(text(&desk.screen(80, 24)).contains("╭ layers · idea "));
    desk.press(Key::code(KeyCode::Down));
    desk.press(Key::code(KeyCode::Right));
    assert!(text(&desk.screen(80, 24)).contains("╭ link · idea "));
    desk.press(Key::code(KeyCode::Esc));
    desk.press(Key::code(KeyCode::Left));
    assert!(text(&desk.screen(80, 24)).contains("╭ Network · screen "));
    desk.press(Key::code(KeyCode::BackTab));
    desk.press(Key::code(KeyCode::Enter));
    assert!(text(&desk.screen(80, 24)).contains("╭ link · idea "));
    // The key that asked closes, wherever one has come.
    desk.press(Key::of('i'));
    assert!(desk.model.overlays.is_empty());
}

#[test]
fn an_explanation_at_every_size_in_ascii_and_without_colour() {
    let mut desk = Desk::eventful(settings());
    desk.press(Key::of('i'));
    for (width, height) in [(80, 24), (120, 40), (200, 50), (60, 15)] {
        assert_snapshot!(
            format!("explanation-{width}x{height}"),
            text(&desk.screen(width, height))
        );
    }
    let mut desk = Desk::eventful(Settings { ascii: true, ..settings() });
    desk.press(Key::of('i'));
    let shown = text(&desk.screen(80, 24));
    assert!(shown.is_ascii(), "{shown}");
    let mut desk = Desk::eventful(Settings { no_color: true, ..settings() });
    desk.press(Key::of('i'));
    assert_snapshot!("explanation-monochrome", super::screens::weights(&desk.screen(80, 24)));
}

/// On 80×24 nothing is cut, and all that is related can be seen.
#[test]
fn every_explanation_fits_a_small_terminal() {
    let mut desk = Desk::running();
    for topic in topics() {
        desk.model.overlays = vec![crate::overlay::Overlay::explanation(topic)];
        let shown = text(&desk.screen(80, 24));
        let last = topic.entry().see.last().map(|topic| topic.entry().title);
        assert!(last.is_some_and(|title| shown.contains(&format!("│ {title} "))), "{shown}");
        for (width, height) in [(61, 16), (60, 15), (3, 3), (1, 1)] {
            desk.screen(width, height);
        }
    }
}

/// `docs/explain.md` is generated. To write it anew:
/// `NYM_DEVNET_WRITE_DOCS=1 cargo test -p dashboard`.
#[test]
fn the_explanations_in_the_documents_are_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/explain.md");
    let generated = document();
    if std::env::var_os("NYM_DEVNET_WRITE_DOCS").is_some() {
        std::fs::write(&path, &generated).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/explain.md exists");
    assert!(
        written == generated,
        "docs/explain.md is stale: NYM_DEVNET_WRITE_DOCS=1 cargo test -p dashboard"
    );
}

fn document() -> String {
    let mut out = String::from(
        "# What is shown, and what it means\n\n\
         Written by a test from the table in `tui/dashboard/src/explain`; do not edit. In the \
         dashboard, `i` explains what is selected, with the figures of the devnet that is shown; \
         those below are of one with two mixnodes in each of three layers, ten clients and the \
         rates of the profile `classic`.\n",
    );
    let desk = Desk::running();
    let figures = Figures::of(desk.model.devnet().expect("it runs"));
    for (heading, topics) in Topic::all() {
        let _ = write!(out, "\n## {heading}\n");
        for topic in topics {
            let entry = topic.entry();
            let see: Vec<&str> = entry.see.iter().map(|topic| topic.entry().title).collect();
            let text = figures.fill(entry.text);
            let _ = write!(out, "\n**{}.** {text} See also: {}.\n", entry.title, see.join(", "));
        }
    }
    out
}
