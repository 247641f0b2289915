//! How a lesson ends: the network is put back, before the dashboard ends too, and what cannot be put back
//! is remembered.

use std::sync::LazyLock;
use std::time::Duration;

use control::{State, StreamEvent};
use lessons::{End, Lesson};
use tutor::{Kept, Learnt};

use super::list;
use super::{
    ENTER, LAYERS, assert_hidden, assert_shown, begun, carry_out, changed, learning, learns,
    performs, read, surveyed, waiting,
};
use crate::Outcome;
use crate::action::Context;
use crate::keys::Key;
use crate::lesson;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::tests::{Desk, settings};

/// One that changes the network.
static LONELY: LazyLock<Lesson> =
    LazyLock::new(|| read("lonely.toml", include_str!("lonely.toml")));

/// The lonely one as far as the network was changed for it.
fn lonely(settings: Settings) -> Desk {
    let mut desk = begun(&LONELY, settings);
    desk.press(ENTER);
    desk.type_text("0");
    desk.press(ENTER);
    let effects = desk.press(ENTER);
    let (number, commands) = performs(&effects).expect("it is done");
    assert_eq!(commands, ["nym-devnet set crowd=0", "nym-devnet stop bob"]);
    changed(&mut desk, 0, State::Stopped);
    desk.tell(Message::Performed { number, result: Ok(()) });
    desk.pass(1);
    desk
}

#[test]
fn a_lesson_that_is_left_puts_the_network_back() {
    let mut desk = lonely(learning());
    assert_shown(&mut desk, " senders, ");
    let effects = desk.press(Key::of('x'));
    assert_shown(&mut desk, "The network becomes again what it was");
    let (commands, effects) = carry_out(&mut desk, effects);
    assert_eq!(commands, ["nym-devnet start bob", "nym-devnet set crowd=8"]);
    assert!(matches!(learns(&effects)[..], [Learnt::Ended { end: End::Left, .. }]), "{effects:?}");
    assert_shown(&mut desk, "you left the lesson");
    desk.press(ENTER);
    assert_shown(&mut desk, "◐ begun");
}

#[test]
fn how_it_ended_stays_until_somebody_goes_on() {
    let mut desk = lonely(learning());
    let effects = desk.press(Key::of('x'));
    desk.press(Key::of('2'));
    carry_out(&mut desk, effects);
    assert_shown(&mut desk, "you left the lesson");
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "Over");
    desk.press(Key::of('2'));
    assert_hidden(&mut desk, "9 Lesson ");
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "Over");
    assert_eq!(desk.press(ENTER), [], "nothing begins");
    assert_eq!(desk.model.context(), Context::Lessons);
}

#[test]
fn who_is_asked_whether_to_quit_is_told_of_the_lesson() {
    let mut desk = lonely(Settings { stops_on_quit: true, ..learning() });
    desk.press(Key::of('q'));
    assert_shown(&mut desk, "is underway");
    desk.press(Key::of('n'));
    let effects = desk.press(Key::of('x'));
    carry_out(&mut desk, effects);
    desk.press(Key::of('q'));
    assert_hidden(&mut desk, "is underway");
}

#[test]
fn what_could_not_be_put_back_is_remembered_for_the_next_lesson() {
    let mut desk = lonely(learning());
    let (number, _) = performs(&desk.press(Key::of('x'))).expect("it is put back");
    let result = Err(Problem("`start bob`: no".into()));
    let effects = desk.tell(Message::Performed { number, result });
    let (commands, effects) = carry_out(&mut desk, effects);
    assert_eq!(commands, ["nym-devnet set crowd=8"], "one that fails keeps none from being done");
    assert_eq!(effects, [], "it stays remembered what the devnet was");
    assert!(desk.model.lessons.progress.left("default").is_some());
    assert_shown(&mut desk, "`start bob`: no");
    desk.press(ENTER);
    // The next one begins with eight in the crowd, and ends with what was before the first.
    desk.model.lessons.running = None;
    lesson::begin(&mut desk.model, &LAYERS);
    let effects = surveyed(&mut desk);
    let (commands, _) = carry_out(&mut desk, effects);
    assert_eq!(commands, ["nym-devnet start bob", "nym-devnet set crowd=8"]);
    changed(&mut desk, 8, State::Stopped);
    desk.pass(1);
    let (_, commands) = performs(&desk.press(Key::of('x'))).expect("it is put back");
    assert_eq!(commands, ["nym-devnet start bob"]);
}

#[test]
fn the_dashboard_ends_after_the_network_was_put_back() {
    let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
    desk.press(Key::of('1'));
    let effects = desk.press(Key::of('q'));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Quit(_))), "{effects:?}");
    assert_shown(&mut desk, "the network is put back before this ends");
    let (commands, effects) = carry_out(&mut desk, effects);
    assert_eq!(commands, ["nym-devnet start bob", "nym-devnet set crowd=8"]);
    assert!(matches!(effects[..], [Effect::Learn(..)]), "it is remembered: {effects:?}");
    let progress = desk.model.lessons.progress.clone();
    let effects = desk.tell(Message::Learnt(Kept { progress, complaints: vec![] }));
    assert_eq!(effects, [Effect::Quit(Outcome::Quit)]);
}

#[test]
fn a_second_time_it_ends_at_once_and_tells() {
    let quit = |key: Key| {
        let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
        assert!(performs(&desk.tell(Message::Signal(15))).is_some());
        desk.press(key)
    };
    let effects = quit(Key::ctrl('c'));
    let [Effect::Tell(words), Effect::Quit(Outcome::Quit)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(words.contains("`default` is still as the lesson had it"), "{words}");

    // Nor does it wait for ever.
    let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
    desk.tell(Message::Signal(15));
    desk.pass(25);
    let effects = desk.tell(Message::Tick);
    assert!(
        matches!(effects[..], [Effect::Tell(_), Effect::Quit(Outcome::Signalled { signal: 15 })]),
        "{effects:?}"
    );
}

#[test]
fn where_nothing_can_be_put_back_it_is_told_and_where_nothing_stays_it_ends() {
    let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
    desk.tell(Message::Disconnected { reason: "gone".into() });
    let effects = desk.press(Key::ctrl('c'));
    assert!(matches!(effects[..], [Effect::Tell(_), Effect::Quit(_)]), "{effects:?}");
    // A devnet without a name ends with its folder.
    let mut desk = lonely(learning());
    assert_eq!(desk.press(Key::ctrl('c')), [Effect::Quit(Outcome::Quit)]);
    let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
    let reason = "down".to_owned();
    let effects = desk.hear(StreamEvent::Down { reason: reason.clone() });
    assert_eq!(effects, [Effect::Quit(Outcome::DevnetEnded { reason })]);
}

#[test]
fn on_another_devnet_it_has_ended() {
    let mut desk = waiting(settings());
    let mut snapshot = desk.fixture.snapshot(Duration::from_secs(desk.second));
    snapshot.devnet.started_unix_ms += 1;
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    assert_shown(&mut desk, "the devnet was started anew, so the lesson has ended");
    assert_eq!(desk.model.context(), Context::Lessons);
    // Nothing keeps a dashboard that waited for the other one.
    let mut desk = lonely(Settings { stops_on_quit: false, ..learning() });
    assert!(performs(&desk.tell(Message::Signal(15))).is_some());
    let mut snapshot = desk.fixture.snapshot(Duration::from_secs(desk.second));
    snapshot.devnet.started_unix_ms += 1;
    let effects = desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    let quits = Effect::Quit(Outcome::Signalled { signal: 15 });
    assert!(effects.contains(&quits), "{effects:?}");
}

/// Without a lesson nothing of the stream is kept for one.
#[test]
fn facts_are_fed_only_while_a_lesson_runs() {
    let mut desk = list(settings());
    desk.pass(5);
    assert!(desk.model.lessons.running.is_none());
    let mut desk = lonely(settings());
    let effects = desk.press(Key::of('x'));
    carry_out(&mut desk, effects);
    let known = |desk: &Desk| {
        let running = desk.model.lessons.running.as_ref().expect("it is over");
        assert!(running.is_over());
        running.play().facts().known()
    };
    let before = known(&desk);
    desk.pass(5);
    assert_eq!(known(&desk), before);
}
