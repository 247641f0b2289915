//! The list of lessons: what can begin here, and what is remembered of each.

use std::time::Duration;

use control::StreamEvent;
use lessons::End;
use tutor::Kept;

use super::{ENTER, ESC, assert_shown, learning, list, performs, surveyed};
use crate::action::Context;
use crate::fixture::Fixture;
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::playback::{Pace, Playback};
use crate::tests::{Desk, settings};

#[test]
fn where_nothing_can_be_changed_lessons_are_read_and_not_begun() {
    let first = Fixture::two_by_three().at(Duration::ZERO, StreamEvent::Unknown).t;
    let playback = Playback { first, length: None, pace: Pace::default(), ended: None };
    let read_only = Settings { read_only: true, ..settings() };
    for (settings, why) in [
        (read_only.clone(), "read-only: this dashboard"),
        (Settings { playback: Some(playback), ..read_only }, "this is a recording:"),
    ] {
        let mut desk = list(settings);
        assert_shown(&mut desk, "A packet crosses the mixnet layer by layer");
        assert_shown(&mut desk, why);
        assert_eq!(desk.press(ENTER), []);
        assert_eq!(desk.model.context(), Context::Lessons);
    }
}

#[test]
fn a_devnet_that_is_none_for_a_lesson_says_why_and_what_else() {
    let mut desk = Desk::connected(Fixture::sized(2, 2), settings());
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "✗ not here");
    assert_shown(&mut desk, "it has 2 ");
    assert_shown(&mut desk, "$ nym-devnet --name own lesson run layers");
    assert_eq!(desk.press(ENTER), []);
    assert_shown(&mut desk, "this devnet is not one for it: it has 2 layers, not 3");
    // What can be changed is changed, and named before.
    let mut desk = Desk::connected(Fixture::sized(1, 3), settings());
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "↻ 3 changes");
    assert_shown(&mut desk, "$ nym-devnet add mix --layer 2");
    desk.press(ENTER);
    let (_, commands) = performs(&surveyed(&mut desk)).expect("it is made ready");
    assert_eq!(commands.len(), 3, "{commands:?}");
    assert_shown(&mut desk, "The network is made ready");
}

#[test]
fn what_cannot_be_asked_does_not_begin() {
    let mut desk = list(settings());
    desk.press(ENTER);
    let result = Err(Problem("no answer".into()));
    desk.tell(Message::Surveyed { result, kept: None, hold: None });
    assert_shown(&mut desk, "the lesson cannot begin: no answer");
    desk.tell(Message::Disconnected { reason: "gone".into() });
    assert_eq!(desk.press(ENTER), []);
    assert_shown(&mut desk, "there is no connection");
}

#[test]
fn what_another_program_remembered_is_read_and_what_is_wrong_with_it_said() {
    let mut desk = Desk::connected(Fixture::two_by_three(), learning());
    let effects = desk.press(Key::of('9'));
    assert!(matches!(effects[..], [Effect::Recall(_)]), "{effects:?}");
    let mut kept = Kept::default();
    kept.progress.end("layers", "default", &End::Finished { right: 2, asked: 2 });
    kept.complaints.push("it is damaged".into());
    desk.tell(Message::Recalled(kept));
    assert_shown(&mut desk, "it is damaged");
    desk.press(ESC);
    assert_shown(&mut desk, "✓ done, 2 of 2");
    assert_shown(&mut desk, "1 of 13 done");
}

/// Their places are filled in when a lesson runs; before, nothing is measured.
#[test]
fn what_lessons_are_about_needs_no_facts() {
    for lesson in lessons::builtin() {
        assert_eq!(lesson.about.expressions().count(), 0, "{}", lesson.slug);
        assert!(crate::text::width(&lesson.title) <= 22, "{}", lesson.title);
    }
}

#[test]
fn a_click_selects_a_lesson_and_goes_on_in_one() {
    use crate::regions::Target;
    let mut desk = list(settings());
    desk.tell(Message::Click(Target::Lesson(13)));
    assert_shown(&mut desk, "The best mixnet hides nobody who is alone in it");
    let effects = desk.tell(Message::Click(Target::Action(crate::action::Action::BeginLesson)));
    assert!(matches!(effects[..], [Effect::Survey(_)]), "{effects:?}");
}
