//! A lesson from its beginning to its end, and all the ways out of it.

mod rig;

use std::time::Duration;

use lessons::{Action, End, Input, Lesson, Mode, Output, Play, Show};
use rig::{Devnet, Table};

const LESSON: &str = r#"
number = 1
slug = "test"
title = "A test"
minutes = 1
about = "Nothing."

[network]
layers = 3
width = 2
crowd = 8
hop = "200ms"
slot = "500ms"
cover = "1s"

[[step]]
say = "There are {layers} layers."

[[step]]
[step.predict]
question = "How many ways?"
unit = "ways"
answer = "pow(width, layers)"
hints = ["Multiply."]
because = "So it is."

[[step]]
[step.act]
name = "change"
text = "Make it faster."
do = [{ set = { hop = "20ms" } }, { add-mix = 1 }]

[[step]]
[step.act]
name = "send"
text = "Write to bob."
do = [{ send = { from = "alice", to = "bob", text = "hello", count = 2 } }]

[[step]]
[step.observe]
text = "They arrive."
until = "delivered('alice', 'bob') >= 2"
within = "10s"
hints = ["Wait."]

[[step]]
explain = "{delivered('alice', 'bob')} came."

[[sabotage]]
instead-of = "send"
do = [{ stop = "bob" }, { send = { from = "alice", to = "bob", text = "hello", count = 2 } }]
because = "bob is away"
"#;

fn lesson() -> Lesson {
    Lesson::read("test.toml", LESSON).unwrap_or_else(|error| panic!("{error}"))
}

fn table(mode: Mode) -> Table {
    Table::new(Play::new(lesson(), mode, None), Devnet::new())
}

fn is_as_before(table: &Table) -> bool {
    let before = Devnet::new();
    table.devnet.nodes == before.nodes && table.devnet.info == before.info
}

#[test]
fn the_machine_comes_to_the_goal_and_leaves_the_network_as_it_was() {
    let mut table = table(Mode::Machine);
    table.pass(5);
    assert_eq!(table.end, Some(End::Finished { right: 1, asked: 1 }), "{:?}", table.shown);
    let texts = table.shown.iter().filter_map(|show| match show {
        Show::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["There are 3 layers.", "2 came."]);
    assert!(table.done.contains(&Action::AddMix(1)) && is_as_before(&table));
}

#[test]
fn a_sabotage_keeps_the_goal_out_of_reach_and_the_network_comes_back() {
    let mut table = table(Mode::Sabotaged { which: 0, patience: vec![Duration::from_secs(2); 9] });
    table.pass(1);
    assert_eq!(table.end, None);
    table.pass(3);
    assert!(matches!(table.end, Some(End::Late { .. })), "{:?}", table.end);
    assert!(table.play.is_sabotaged() && is_as_before(&table));
}

/// A network that is late by itself says nothing of a sabotage.
#[test]
fn what_is_late_before_a_sabotage_is_not_late_for_it() {
    let step = "[[step]]\n[step.observe]\ntext = \"Somebody leaves.\"\nuntil = \"senders == 1\"\n\
                within = \"2s\"\n\n";
    let send = "[[step]]\n[step.act]\nname = \"send\"";
    let lesson = Lesson::read("test.toml", &LESSON.replace(send, &format!("{step}{send}")));
    let mode = Mode::Sabotaged { which: 0, patience: vec![Duration::from_secs(2); 9] };
    let mut table = Table::new(Play::new(lesson.expect("a lesson"), mode, None), Devnet::new());
    table.pass(4);
    assert!(matches!(table.end, Some(End::Late { .. })), "{:?}", table.end);
    assert!(!table.play.is_sabotaged());
}

#[test]
fn a_learner_reads_answers_and_lets_things_be_done() {
    let mut table = table(Mode::Learner);
    assert!(table.play.listens());
    table.line("");
    table.line("many");
    assert!(matches!(table.shown.last(), Some(Show::Unclear { .. })));
    table.line("?");
    assert_eq!(table.shown.last(), Some(&Show::Hint { text: Some("Multiply.".into()) }));
    table.line("6");
    let judged = table.shown.iter().find_map(|show| match show {
        Show::Judged { right, answer, .. } => Some((*right, answer.as_str())),
        _ => None,
    });
    assert_eq!(judged, Some((false, "8 ways")), "a wrong answer shows the right one");
    table.line("");
    table.line("");
    assert!(table.shown.iter().any(|show| matches!(show, Show::Reached { .. })));
    table.line("");
    assert_eq!(table.end, Some(End::Finished { right: 0, asked: 1 }));
    assert!(is_as_before(&table));
}

#[test]
fn what_a_learner_does_elsewhere_counts_as_done() {
    let mut table = table(Mode::Learner);
    table.line("");
    table.line("8");
    table.line("");
    let send = lessons::Send {
        from: "alice".into(),
        to: "bob".into(),
        text: "hi".into(),
        count: 2,
        every: None,
    };
    table.act(&Action::Send(send));
    table.pass(1);
    assert!(table.shown.iter().any(|show| matches!(show, Show::Reached { .. })));
}

#[test]
fn what_does_not_come_in_time_is_waited_for_longer() {
    let mut table = table(Mode::Learner);
    table.act(&Action::Stop("bob".into()));
    table.line("");
    table.line("8");
    table.line("");
    table.line("");
    table.pass(11);
    assert!(table.shown.iter().any(|show| matches!(show, Show::Late { .. })));
    assert_eq!(table.shown.last(), Some(&Show::Hint { text: Some("Wait.".into()) }));
    table.line("");
    assert_eq!(table.end, None);
    table.line("q");
    assert_eq!(table.end, Some(End::Left));
}

/// What is left in a queue would hold up the next lesson.
#[test]
fn what_a_lesson_queued_leaves_before_it_ends_unless_that_takes_long_or_somebody_leaves() {
    let at_the_end = || {
        let mut table = table(Mode::Learner);
        for line in ["", "8", ""] {
            table.line(line);
        }
        table.queue(false);
        for _ in 0..2 {
            table.line("");
        }
        let waits = Show::Clearing { messages: 1, limit_s: 60.0 };
        assert_eq!(table.shown.last(), Some(&waits));
        table.pass(10);
        assert_eq!(table.end, None);
        table
    };
    let finished = Some(End::Finished { right: 1, asked: 1 });
    let mut table = at_the_end();
    table.queue(true);
    table.pass(1);
    assert_eq!(table.end, finished);
    assert!(is_as_before(&table));
    let mut table = at_the_end();
    table.pass(50);
    assert_eq!(table.end, finished);
    let mut table = at_the_end();
    table.line("q");
    assert_eq!(table.end, finished, "it was gone through even so");
    assert!(is_as_before(&table));
}

/// Somebody leaves while something is being done, which the stream tells of only afterwards.
#[test]
fn what_is_underway_when_somebody_leaves_is_undone_too() {
    let mut play = Play::new(lesson(), Mode::Learner, None);
    let mut devnet = Devnet::new();
    let mut now = Duration::ZERO;
    let mut asked = Vec::new();
    let first = devnet.snapshot(now);
    let mut outputs = play.tell(now, Input::Heard(&first));
    // Nothing more is answered once the delay is asked for.
    while asked.is_empty() && now < Duration::from_secs(10) {
        for output in std::mem::take(&mut outputs) {
            match output {
                Output::Do(actions) if actions.is_empty() => {
                    outputs.extend(play.tell(now, Input::Did(Ok(()))));
                }
                Output::Do(actions) => asked = actions,
                _ => {}
            }
        }
        now += Duration::from_millis(100);
        for envelope in devnet.traffic(now) {
            outputs.extend(play.tell(now, Input::Heard(&envelope)));
        }
        if play.listens() {
            outputs.extend(play.tell(now, Input::Line("8")));
        }
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(play.tell(now, Input::Leave), [], "it waits until that is done");
    assert_eq!(play.tell(now, Input::Did(Ok(()))), [], "and until it is told");
    for action in &asked {
        for envelope in devnet.act(now, action) {
            assert_eq!(play.tell(now, Input::Heard(&envelope)), []);
        }
    }
    let mut undone = Vec::new();
    let mut end = None;
    while end.is_none() && now < Duration::from_secs(20) {
        now += Duration::from_millis(100);
        let mut outputs = play.tell(now, Input::Tick);
        while let Some(output) = outputs.pop() {
            match output {
                Output::Do(actions) => {
                    undone.extend(actions);
                    // One that fails keeps no other from being done.
                    outputs.extend(play.tell(now, Input::Did(Err("no".into()))));
                }
                Output::Over(over) => end = Some(over),
                Output::Show(_) => {}
            }
        }
    }
    assert_eq!(end, Some(End::Left));
    let commands: Vec<String> = undone.iter().map(|action| action.command(None)).collect();
    assert_eq!(commands, ["nym-devnet remove mix-1-3", "nym-devnet set hop=200ms"]);
    assert_eq!(play.unrestored(), Some("no"));
}

#[test]
fn a_lesson_can_be_left_at_any_time() {
    for lines in 0..5 {
        let mut table = table(Mode::Learner);
        for line in ["", "8", "", ""].iter().take(lines) {
            table.line(line);
        }
        table.line("q");
        assert_eq!(table.end, Some(End::Left), "after {lines} lines");
        assert!(is_as_before(&table), "after {lines} lines");
    }
}

#[test]
fn a_devnet_becomes_what_is_needed_and_what_an_earlier_lesson_found() {
    let mut devnet = Devnet::new();
    devnet.info.crowd = 3;
    devnet.act(Duration::ZERO, &Action::Pause("mix-1-1".into()));
    devnet.act(Duration::ZERO, &Action::Remove("mix-2-2".into()));
    devnet.act(Duration::ZERO, &Action::AddMix(3));
    let found = (devnet.nodes.clone(), devnet.info.clone());
    let mut table = Table::new(Play::new(lesson(), Mode::Machine, None), devnet);
    let before = table.play.before().cloned();
    assert!(before.is_some());
    table.pass(5);
    assert_eq!(table.play.unrestored(), None);
    assert!(matches!(table.end, Some(End::Finished { .. })), "{:?}", table.end);
    assert_eq!((&table.devnet.nodes, &table.devnet.info), (&found.0, &found.1));
    // Killed in the middle, and begun again on the same devnet.
    let mut again = Table::new(Play::new(lesson(), Mode::Learner, before), Devnet::new());
    again.line("q");
    assert_eq!((&again.devnet.nodes, &again.devnet.info), (&found.0, &found.1));
}

/// Whoever drives a play remembers what it says the devnet was: never what another devnet of the name was,
/// and nothing where nothing is changed.
#[test]
fn what_an_earlier_lesson_left_counts_only_for_the_same_devnet_and_only_if_it_is_changed() {
    let left = table(Mode::Learner).play.before().cloned();
    assert!(left.is_some());
    let mut play = Play::new(lesson(), Mode::Learner, left.clone());
    assert_eq!(play.tell(Duration::ZERO, Input::Tick), []);
    assert_eq!(play.before(), None, "it is not known which devnet it is");
    let mut other = Devnet::new();
    other.info.started_unix_ms += 1;
    other.info.crowd = 3;
    let table = Table::new(Play::new(lesson(), Mode::Learner, left.clone()), other);
    let before = table.play.before().expect("it begins");
    assert_eq!(before.started_unix_ms, table.devnet.info.started_unix_ms);
    assert_ne!(Some(before), left.as_ref());
    let mut unfit = Devnet::new();
    unfit.info.layers = 2;
    let table = Table::new(Play::new(lesson(), Mode::Learner, left), unfit);
    assert!(matches!(table.end, Some(End::Unfit { .. })), "{:?}", table.end);
    assert_eq!(table.play.before(), None, "what was left stays remembered as it is");
}

#[test]
fn a_devnet_that_cannot_become_what_is_needed_is_not_touched() {
    let mut devnet = Devnet::new();
    devnet.info.layers = 2;
    let table = Table::new(Play::new(lesson(), Mode::Machine, None), devnet);
    let Some(End::Unfit { why }) = &table.end else { panic!("{:?}", table.end) };
    assert_eq!(why, "it has 2 layers, not 3");
    assert!(table.done.is_empty());
}

#[test]
fn what_is_wrong_with_a_file_has_a_place() {
    for (from, to, wrong) in [
        ("minutes = 1", "minutes = 9", "test.toml: a lesson takes one to four minutes"),
        ("minutes = 1", "minuets = 1", "test.toml:5:1: unknown field `minuets`"),
        ("until = \"delivered(", "until = \"delivred(", "test.toml:42:10: `delivred` is neither"),
        (
            "say = \"There are {layers}",
            "say = \"There are {layrs}",
            "test.toml:17:19: `layrs` is no fact; did you mean `layers`?",
        ),
        ("pow(width, layers)", "'many'", "test.toml: the answer `many` is none of the choices"),
        ("[step.act]", "[step.at]", "test.toml:28:7: unknown variant `at`"),
        ("instead-of = \"send\"", "instead-of = \"sent\"", "test.toml: there is no act `sent`"),
        ("name = \"change\"", "name = \"send\"", "test.toml: there are several acts `send`"),
    ] {
        let error = Lesson::read("test.toml", &LESSON.replace(from, to)).expect_err(to);
        assert!(error.to_string().starts_with(wrong), "{error}");
    }
}

/// Whom the observer does not know of yet would be told as nobody.
#[test]
fn a_lesson_begins_when_the_observer_knows_of_everybody_or_hears_nobody() {
    let is_begun = |table: &Table| table.shown.iter().any(|show| matches!(show, Show::Text { .. }));
    let table = table(Mode::Learner);
    assert!(is_begun(&table));
    let mut silent = Devnet::new();
    silent.is_silent = true;
    let mut table = Table::new(Play::new(lesson(), Mode::Learner, None), silent);
    table.pass(8);
    assert!(!is_begun(&table));
    table.pass(2);
    assert!(is_begun(&table), "it may be that nobody ever sends");
}
