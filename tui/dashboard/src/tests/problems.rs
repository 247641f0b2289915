//! The Problems screen, and the line in the header.

use control::{NodeStatus, State, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::keys::Key;
use crate::message::Effect;
use crate::model::Settings;
use crate::overlay::Overlay;
use crate::regions::Target;

fn troubled(settings: Settings) -> Desk {
    let mut desk = Desk::eventful(settings);
    let mut paused = desk.fixture.status("mix-1-2");
    paused.state = State::Paused;
    desk.hear(StreamEvent::Node(paused));
    desk.hear(StreamEvent::Lost { node: "alice".into(), count: 3, links: 0 });
    let mut back = desk.fixture.status("mix-2-2");
    back.restarts = 1;
    desk.hear(StreamEvent::Node(back));
    // Somebody stood still for a moment: that is over.
    let bob = desk.fixture.status("bob");
    desk.hear(StreamEvent::Node(NodeStatus { state: State::Paused, ..bob.clone() }));
    desk.pass(1);
    desk.hear(StreamEvent::Node(bob));
    desk.pass(1);
    desk.press(Key::of('7'));
    desk
}

#[test]
fn problems_at_every_size() {
    let mut desk = troubled(settings());
    for (width, height) in [(80, 24), (120, 40), (200, 50), (60, 15)] {
        assert_snapshot!(format!("problems-{width}x{height}"), text(&desk.screen(width, height)));
    }
    let mut desk = troubled(Settings { ascii: true, no_color: true, ..settings() });
    let plain = text(&desk.screen(80, 24));
    assert!(plain.is_ascii(), "{plain}");
    assert_snapshot!("problems-ascii", plain);
    for (width, height) in [(1, 1), (5, 3), (30, 8)] {
        desk.screen(width, height);
    }
}

#[test]
fn a_network_without_a_problem_says_so() {
    let mut desk = Desk::running();
    desk.press(Key::of('7'));
    let screen = text(&desk.screen(80, 24));
    assert_eq!(screen.matches("nothing is wrong").count(), 2, "{screen}");
    assert!(!screen.contains("problem:"), "{screen}");
    desk.press(Key::code(KeyCode::Enter));
    desk.press(Key::of('j'));
    assert!(desk.model.overlays.is_empty());
}

#[test]
fn keys_go_from_a_problem_to_its_node() {
    let mut desk = troubled(settings());
    desk.press(Key::of('g'));
    let mut abouts = Vec::new();
    for _ in 0..20 {
        let Some(node) = desk.model.selected.clone() else { break };
        abouts.push(node);
        desk.press(Key::of('j'));
    }
    for node in ["mix-3-1", "mix-1-2", "mix-2-2"] {
        assert!(abouts.iter().any(|about| about == node), "{node}: {abouts:?}");
    }
    // The last is over, and can be looked at all the same.
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("it is over"), "{screen}");

    let devnet = desk.model.devnet().expect("connected");
    let late = devnet.problems.open().iter().find(|of| of.finding.about == "mix-3-1");
    let id = late.expect("it is silent").id();
    desk.tell(crate::message::Message::Click(Target::Problem(id)));
    let copied = desk.press(Key::of('y'));
    let [Effect::Copy { text: command, .. }] = &copied[..] else { panic!("{copied:?}") };
    assert_eq!(command, "nym-devnet restart mix-3-1");
    desk.press(Key::code(KeyCode::Enter));
    let card = desk.model.overlays.last().and_then(Overlay::node);
    assert_eq!(card.as_deref(), Some("mix-3-1"));
}

#[test]
fn keys_for_a_process_are_those_of_the_selected_problem() {
    let mut desk = troubled(settings());
    let hints = |desk: &mut Desk| {
        let screen = text(&desk.screen(120, 40));
        screen.lines().last().expect("a line of hints").to_owned()
    };
    let select = |desk: &mut Desk, about: &str| {
        let devnet = desk.model.devnet().expect("connected");
        let found = devnet.problems.open().iter().find(|of| of.finding.about == about);
        let id = found.expect("it is found").id();
        desk.tell(crate::message::Message::Click(Target::Problem(id)));
    };
    select(&mut desk, "mix-1-2");
    assert!(hints(&mut desk).contains("p go on"), "{}", hints(&mut desk));
    // Lost events are of no process; the one selected before is not meant.
    select(&mut desk, "stream");
    let shown = hints(&mut desk);
    assert!(!["stop", "pause", "go on"].iter().any(|word| shown.contains(word)), "{shown}");
    assert_eq!(desk.press(Key::of('p')), []);
    select(&mut desk, "mix-1-2");
    assert!(
        matches!(&desk.press(Key::of('p'))[..], [Effect::Act { node, .. }] if node == "mix-1-2")
    );
}

#[test]
fn one_that_comes_again_stays_selected_and_says_how_often() {
    let mut desk = troubled(settings());
    let bob = desk.fixture.status("bob");
    let devnet = desk.model.devnet().expect("connected");
    let past = devnet.problems.past().find(|of| of.finding.about == "bob").expect("it is over");
    let id = past.id();
    desk.tell(crate::message::Message::Click(Target::Problem(id)));
    for state in [State::Paused, State::Ready] {
        let since_unix_ms = bob.since_unix_ms + 1;
        desk.hear(StreamEvent::Node(NodeStatus { state, since_unix_ms, ..bob.clone() }));
        desk.pass(1);
    }
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("ago; 2 times, the last for"), "{screen}");
    assert!(screen.contains("2 times, last from"), "{screen}");
}
