//! The screen of lessons: the list, a lesson gone through step by step, and what becomes of the network.

mod ends;
mod list;

use std::sync::LazyLock;
use std::time::Duration;

use contract::LinkEvent;
use control::{MessageStatus, NodeStatus, State, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use lessons::{Action, End, Lesson};
use tutor::{Learnt, Store};

use super::screens::weights;
use super::{Desk, settings, text};
use crate::action::Context;
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::lesson;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::screens::Screen;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);
const TAB: Key = Key::code(KeyCode::Tab);
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// A lesson that stays as it is, whatever those that are built in become.
static LAYERS: LazyLock<Lesson> =
    LazyLock::new(|| read("layers.toml", include_str!("lessons/layers.toml")));

fn read(name: &str, text: &str) -> Lesson {
    Lesson::read(name, text).unwrap_or_else(|error| panic!("{error}"))
}

/// The longest way of a lesson through its steps.
const STEPS: usize = 40;

fn shown(desk: &mut Desk) -> String {
    text(&desk.screen(120, 40))
}

#[track_caller]
fn assert_shown(desk: &mut Desk, words: &str) {
    let shown = shown(desk);
    assert!(shown.contains(words), "`{words}` is not on\n{shown}");
}

#[track_caller]
fn assert_hidden(desk: &mut Desk, words: &str) {
    let shown = shown(desk);
    assert!(!shown.contains(words), "`{words}` is on\n{shown}");
}

/// With a place to remember lessons. Nothing is written: effects are only looked at.
fn learning() -> Settings {
    Settings { lessons: Some(Store::new("/nowhere")), ..settings() }
}

/// In front of the list.
fn list(settings: Settings) -> Desk {
    let mut desk = Desk::connected(Fixture::two_by_three(), settings);
    desk.press(Key::of('9'));
    desk
}

/// How everything is, as the supervisor answers.
fn surveyed(desk: &mut Desk) -> Vec<Effect> {
    let mut snapshot = desk.fixture.snapshot(Duration::from_secs(desk.second));
    if let Some(live) = &desk.model.live {
        snapshot.devnet = live.info.clone();
        snapshot.nodes = live.nodes.iter().map(|node| node.status.clone()).collect();
    }
    desk.tell(Message::Surveyed { result: Ok(Box::new(snapshot)), kept: None })
}

/// At the first step of a lesson.
fn begun(lesson: &'static Lesson, settings: Settings) -> Desk {
    let mut desk = list(settings);
    let effects = lesson::begin(&mut desk.model, lesson);
    assert!(matches!(effects[..], [Effect::Survey(_)]), "{effects:?}");
    let effects = surveyed(&mut desk);
    carry_out(&mut desk, effects);
    desk.pass(2);
    assert_shown(&mut desk, "step 1 of ");
    desk
}

/// The same of one that is built in.
fn built_in(number: usize, settings: Settings) -> Desk {
    begun(&lessons::builtin()[number - 1], settings)
}

/// Whatever is to be carried out is, one after the other; says what it was and what is to be done besides.
fn carry_out(desk: &mut Desk, mut effects: Vec<Effect>) -> (Vec<String>, Vec<Effect>) {
    let mut all = Vec::new();
    while let Some((number, commands)) = performs(&effects) {
        all.extend(commands);
        effects = desk.tell(Message::Performed { number, result: Ok(()) });
    }
    (all, effects)
}

/// What is to be carried out, by its commands.
fn performs(effects: &[Effect]) -> Option<(u64, Vec<String>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Perform { number, actions } => {
            Some((*number, actions.iter().map(|action| action.command(None)).collect()))
        }
        _ => None,
    })
}

fn learns(effects: &[Effect]) -> Vec<&Learnt> {
    let learnt = effects.iter().filter_map(|effect| match effect {
        Effect::Learn(_, learnt) => Some(learnt),
        _ => None,
    });
    learnt.flatten().collect()
}

/// So many messages from alice to bob arrive, and packets of others pass on every link.
fn arrive(desk: &mut Desk, count: usize) {
    for (from, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let t = desk.fixture.at(Duration::from_secs(desk.second), StreamEvent::Unknown).t;
        let dst = format!("mix-2-{to}");
        let links = vec![LinkEvent { t, from: None, dst, bytes: 2396 }];
        desk.hear(StreamEvent::Links { src: format!("mix-1-{from}"), links });
    }
    for number in 1..=count {
        let message = fixture::message("alice", "bob", "hello");
        let message = MessageStatus { id: format!("{number:0>32}"), ..message };
        desk.hear(StreamEvent::Message(fixture::acknowledged(message)));
    }
}

/// The network is said to be another one.
fn changed(desk: &mut Desk, crowd: u16, bob: State) {
    desk.fixture.crowd = crowd;
    let mut snapshot = desk.fixture.snapshot(Duration::from_secs(desk.second));
    for node in snapshot.nodes.iter_mut().filter(|node| node.name == "bob") {
        node.state = bob;
    }
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
}

/// The first lesson as far as what has to be done.
fn tasked(settings: Settings) -> Desk {
    let mut desk = begun(&LAYERS, settings);
    desk.press(ENTER);
    desk.type_text("8");
    desk.press(ENTER);
    desk.type_text("4");
    desk.press(ENTER);
    assert_shown(&mut desk, "Now send bob five messages");
    desk
}

/// The first lesson as far as what is waited for.
fn waiting(settings: Settings) -> Desk {
    let mut desk = tasked(settings);
    let effects = desk.press(ENTER);
    let (number, commands) = performs(&effects).expect("it is done");
    assert_eq!(commands, ["nym-devnet send alice bob 'hello {n}' --count 5"]);
    desk.tell(Message::Performed { number, result: Ok(()) });
    arrive(&mut desk, 3);
    desk.pass(1);
    desk
}

#[test]
fn the_list_at_every_size() {
    let mut desk = list(settings());
    let end = End::Finished { right: 2, asked: 2 };
    let progress = &mut desk.model.lessons.progress;
    progress.end("layers", "default", &end);
    progress.end("onion", "default", &End::Finished { right: 0, asked: 0 });
    let nodes: Vec<NodeStatus> = vec![];
    let live = desk.model.live.as_ref().expect("it runs");
    let before = lessons::Before::of(&live.info, nodes.iter());
    desk.model.lessons.progress.begin("tamper", "default", before);
    for (width, height) in SIZES {
        let screen = text(&desk.screen(width, height));
        assert_snapshot!(format!("lessons-list-{width}x{height}"), screen);
    }
    desk.press(Key::of('G'));
    assert_snapshot!("lessons-list-last-80x24", text(&desk.screen(80, 24)));
}

#[test]
fn every_step_at_every_size() {
    type Make = fn(Settings) -> Desk;
    let makes: [(&str, Make); 4] = [
        ("read", |settings| built_in(4, settings)),
        ("ask", |settings| {
            let mut desk = begun(&LAYERS, settings);
            desk.press(ENTER);
            desk.press(TAB);
            desk.type_text("7");
            desk.press(ENTER);
            desk.type_text("4");
            desk
        }),
        ("do", tasked),
        ("wait", waiting),
    ];
    for (name, make) in makes {
        let mut desk = make(settings());
        for (width, height) in SIZES {
            let screen = text(&desk.screen(width, height));
            assert_snapshot!(format!("lesson-{name}-{width}x{height}"), screen);
        }
        for (width, height) in [(1, 1), (60, 15), (61, 16), (300, 10), (59, 80), (60, 60)] {
            desk.screen(width, height);
            desk.press(Key::code(KeyCode::PageDown));
            desk.press(Key::code(KeyCode::PageUp));
        }
    }
}

#[test]
fn it_needs_neither_colour_nor_unicode() {
    let mut desk = list(Settings { no_color: true, ..settings() });
    assert_snapshot!("lessons-list-monochrome", weights(&desk.screen(80, 24)));
    let mut desk = waiting(Settings { no_color: true, ..settings() });
    assert_snapshot!("lesson-wait-monochrome", weights(&desk.screen(80, 24)));
    let mut desk = list(Settings { ascii: true, ..settings() });
    assert_snapshot!("lessons-list-ascii", text(&desk.screen(80, 24)));
    let mut desk = waiting(Settings { ascii: true, ..settings() });
    assert_snapshot!("lesson-wait-ascii", text(&desk.screen(80, 24)));
    for number in 1..=lessons::builtin().len() {
        let mut desk = built_in(number, Settings { ascii: true, ..settings() });
        let shown = text(&desk.screen(80, 24));
        assert!(shown.is_ascii(), "{shown}");
        desk.press(ESC);
        desk.press(Key::of('1'));
        let shown = text(&desk.screen(80, 24));
        assert!(shown.is_ascii(), "{shown}");
    }
}

#[test]
fn a_lesson_is_gone_through_from_its_first_word_to_its_last() {
    let mut desk = list(learning());
    let effects = lesson::begin(&mut desk.model, &LAYERS);
    assert!(matches!(effects[..], [Effect::Survey(Some(_))]), "{effects:?}");
    let effects = surveyed(&mut desk);
    let [Learnt::Began { lesson, devnet, .. }] = learns(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((lesson.as_str(), devnet.as_str()), ("layers", "default"));
    assert_eq!(performs(&effects), None, "the network is as it has to be");
    desk.pass(2);
    assert_shown(&mut desk, "Your mixnet has 6 mixnodes in 3 layers, 2 in each.");
    assert_shown(&mut desk, "step 1 of 6");
    desk.press(ENTER);
    assert_shown(&mut desk, "Your answer, in ways");
    assert_eq!(desk.model.context(), Context::Answering);
    desk.type_text("many");
    desk.press(ENTER);
    assert_shown(&mut desk, "That is no answer; expected a number");
    desk.press(TAB);
    assert_shown(&mut desk, "In each layer there are 2 to choose from");
    desk.type_text("6");
    desk.press(ENTER);
    assert_shown(&mut desk, "Not 6: it is 8 ways.");
    assert_shown(&mut desk, "how many links lead from layer 1 to layer 2?");
    desk.type_text("4");
    desk.press(ENTER);
    assert_shown(&mut desk, "Right: 4 links.");
    assert_shown(&mut desk, "$ nym-devnet send alice bob 'hello {n}' --count 5");
    let effects = desk.press(ENTER);
    let (number, _) = performs(&effects).expect("it is done");
    let last = desk.model.last_command().map(|(command, _)| command.to_owned());
    assert_eq!(last.as_deref(), Some("nym-devnet send alice bob 'hello {n}' --count 5"));
    desk.tell(Message::Performed { number, result: Ok(()) });
    assert_shown(&mut desk, "now 0 messages");
    arrive(&mut desk, 5);
    desk.pass(1);
    assert_shown(&mut desk, "There it is, after ");
    assert_shown(&mut desk, "A layer cannot be skipped here");
    let effects = desk.press(ENTER);
    let [Learnt::Ended { end, .. }] = learns(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(*end, End::Finished { right: 1, asked: 2 });
    assert_shown(&mut desk, "the lesson is done: 1 of 2 answers were right");
    desk.press(ENTER);
    assert_shown(&mut desk, "✓ done, 1 of 2");
    assert_eq!(desk.model.context(), Context::Lessons);
}

#[test]
fn whoever_does_it_himself_goes_on_by_himself() {
    let mut desk = tasked(settings());
    desk.press(Key::of('1'));
    assert_shown(&mut desk, "to do: nym-devnet send alice bob");
    arrive(&mut desk, 5);
    desk.pass(2);
    assert_shown(&mut desk, "something to read");
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "A layer cannot be skipped here");
}

#[test]
fn it_goes_on_while_other_screens_are_looked_at() {
    let mut desk = waiting(settings());
    for screen in Screen::ALL.into_iter().filter(|screen| *screen != Screen::Lessons) {
        let key = screen.action().spec().and_then(|spec| spec.keys.first()).expect("a key");
        desk.press(*key);
        assert_shown(
            &mut desk,
            "9 Lesson 1 Layers · 5 of 6 · ◌ 3 of 5 delivered, 4 of 4 links seen",
        );
        assert_shown(&mut desk, " left");
    }
    desk.press(Key::of('1'));
    for (width, height) in [(80, 24), (120, 40)] {
        let screen = text(&desk.screen(width, height));
        assert_snapshot!(format!("lesson-strip-{width}x{height}"), screen);
    }
    desk.press(Key::of('T'));
    assert_shown(&mut desk, "Tour 1 of ");
    assert_shown(&mut desk, "9 Lesson 1 Layers");
    desk.press(ESC);
    desk.press(Key::of('9'));
    assert_shown(&mut desk, "Waited for");
    assert_hidden(&mut desk, "9 Lesson 1 Layers ·");
    // What it waits for comes while nobody looks.
    desk.press(Key::of('2'));
    arrive(&mut desk, 5);
    desk.pass(1);
    assert_shown(&mut desk, "· 6 of 6 · ▸ something to read");
}

#[test]
fn what_is_late_can_be_waited_for_again() {
    let mut desk = waiting(settings());
    assert_shown(&mut desk, "◌ delivered('alice', 'bob') >= 5   now 3 messages");
    assert_shown(&mut desk, "✓ layers_skipped == 0   now 0 links");
    desk.pass(60);
    assert_shown(&mut desk, "Not yet: All five arrive");
    assert_shown(&mut desk, "`nym-devnet ps` tells whether alice and bob are ready");
    desk.press(TAB);
    assert_shown(&mut desk, "A message leaves alice when she has a free slot");
    desk.press(ENTER);
    assert_shown(&mut desk, "1 m 00 s left");
    arrive(&mut desk, 5);
    desk.pass(1);
    assert_shown(&mut desk, "There it is");
}

#[test]
fn what_cannot_be_done_is_said_and_can_be_tried_again() {
    let mut desk = tasked(settings());
    let (number, _) = performs(&desk.press(ENTER)).expect("it is done");
    assert_shown(&mut desk, "it is being done");
    let result = Err(Problem("`send`: alice is stopping".into()));
    desk.tell(Message::Performed { number, result });
    assert_shown(&mut desk, "`send`: alice is stopping");
    let (again, _) = performs(&desk.press(ENTER)).expect("it is tried again");
    assert_ne!(again, number);
    // The answer to what was given up says nothing.
    desk.tell(Message::Performed { number, result: Ok(()) });
    assert_shown(&mut desk, "it is being done");
}

#[test]
fn without_a_connection_its_time_stands_still() {
    let mut desk = waiting(settings());
    assert_shown(&mut desk, "s left");
    desk.tell(Message::Disconnected { reason: "gone".into() });
    for _ in 0..100 {
        desk.second += 1;
        desk.tell(Message::Tick);
    }
    assert_shown(&mut desk, "waits: there is no connection, and its time stands still");
    desk.press(Key::of('2'));
    assert_shown(&mut desk, "waits: there is no connection");
    desk.press(Key::of('9'));
    desk.tell(Message::Connected);
    changed(&mut desk, 8, State::Ready);
    desk.pass(1);
    assert_hidden(&mut desk, "Not yet");
    arrive(&mut desk, 5);
    desk.pass(1);
    assert_shown(&mut desk, "There it is");
}

/// An answer that is being typed has the keys; without it they are those of every screen.
#[test]
fn the_line_for_an_answer_is_left_and_taken_up_again() {
    let mut desk = begun(&LAYERS, settings());
    desk.press(ENTER);
    assert_shown(&mut desk, "esc leaves this line: then x leaves the lesson");
    desk.type_text("12");
    assert_eq!(desk.model.screen, Screen::Lessons);
    desk.press(ESC);
    assert_eq!(desk.model.context(), Context::Lesson);
    assert_shown(&mut desk, "goes back to your answer");
    assert_shown(&mut desk, "x leave ");
    desk.press(Key::of('2'));
    assert_shown(&mut desk, "a question waits for you");
    desk.press(Key::of('9'));
    desk.press(ENTER);
    assert_eq!(desk.model.context(), Context::Answering);
    assert_shown(&mut desk, "› 12");
    desk.tell(Message::Paste("345\n6".into()));
    assert_shown(&mut desk, "› 12345 6");
    for _ in 0..200 {
        desk.type_text("9");
    }
    assert_shown(&mut desk, "the rest had no room");
}

/// Nobody goes on past what does not fit on the screen.
#[test]
fn a_long_text_is_read_to_its_end() {
    let mut desk = built_in(12, settings());
    let mut pages = 0;
    for _ in 0..STEPS {
        let shown = text(&desk.screen(60, 15));
        if !shown.contains("rows below") {
            break;
        }
        let step = shown.lines().find(|line| line.contains("step ")).map(str::to_owned);
        desk.press(ENTER);
        let after = text(&desk.screen(60, 15));
        assert_eq!(after.lines().find(|line| line.contains("step ")).map(str::to_owned), step);
        assert_ne!(after, shown);
        pages += 1;
    }
    assert!(pages > 0, "it fits");
    desk.press(Key::of('g'));
    assert!(text(&desk.screen(60, 15)).contains("rows below"));
}

#[test]
fn actions_of_a_lesson_are_the_commands_that_stand_there() {
    let desk = tasked(settings());
    let running = desk.model.lessons.running.as_ref().expect("it runs");
    let act = running.play().lesson().steps.iter().find_map(|step| match step {
        lessons::Step::Act(act) => Some(&act.actions),
        _ => None,
    });
    let commands: Vec<String> =
        act.into_iter().flatten().map(|action: &Action| action.command(None)).collect();
    assert_eq!(running.commands(), commands);
}
