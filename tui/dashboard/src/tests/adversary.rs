//! The adversary's tools: corrupt mixnodes, whether somebody sends, and attacks on the devnet.

use std::time::Duration;

use contract::PacketPart;
use control::{AttackPlan, Carried, Envelope, SetRequest, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use vantage::Vantage;

use super::anonymity::{SIZES, changed, classic, pass, shown, watched};
use super::{Desk, settings, text};
use crate::fixture::{self, Fixture, Observed};
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;

const ENTER: Key = Key::code(KeyCode::Enter);
const RIGHT: Key = Key::code(KeyCode::Right);
const LEFT: Key = Key::code(KeyCode::Left);
const DOWN: Key = Key::code(KeyCode::Down);

/// What the packets of the last half minute told somebody for whom these mixnodes work, in bits.
fn bits(desk: &Desk) -> f64 {
    let live = desk.model.devnet().expect("it runs");
    let report = live.watch.vantage().report(vantage::WINDOW).expect("a devnet");
    report.sender.expect("packets came out").bits
}

#[test]
fn mixnodes_are_corrupted_one_after_the_other_in_each_layer_first() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    let spread = ["mix-1-1", "mix-2-1", "mix-3-1", "mix-1-2", "mix-2-2", "mix-3-2"];
    for count in 1..=6 {
        let effects = desk.press(Key::of('+'));
        let [Effect::Confide(nodes)] = &effects[..] else { panic!("{effects:?}") };
        let mut wanted = spread[..count].to_vec();
        wanted.sort_unstable();
        assert_eq!(*nodes, wanted);
    }
    assert_eq!(desk.press(Key::of('+')), []);
    assert!(shown(&mut desk).contains("every mixnode works for you"));
    // Other eyes keep them, one link has no use for them.
    let effects = desk.press(Key::of('o'));
    let [Effect::Confide(nodes)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((nodes.len(), nodes[6].as_str()), (7, "provider-1"));
    assert_eq!(desk.press(Key::of('o')), [Effect::Confide(vec![])]);
    let effects = desk.press(Key::of('+'));
    assert_eq!(effects, [Effect::Confide(vec!["mix-1-1".into()])]);
    assert_eq!(desk.press(Key::of('-')), [Effect::Confide(vec![])]);
    assert_eq!(desk.press(Key::of('-')), []);
    assert!(shown(&mut desk).contains("no mixnode works for you"));
}

/// With all of them nothing is hidden; with one in each layer, an eighth of all packets is not.
#[test]
fn what_corrupt_mixnodes_tell_is_worth_what_the_formula_says() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 30);
    let honest = bits(&desk);
    desk.press(Key::of('a'));
    for _ in 0..3 {
        desk.press(Key::of('+'));
    }
    observed.insiders = ["mix-1-1", "mix-2-1", "mix-3-1"].map(String::from).into();
    // What waited when they began to tell is not known apart, and counts for some seconds.
    pass(&mut desk, &mut observed, 60);
    let spread = bits(&desk);
    assert!(spread < honest - 0.5, "{spread} is not far below {honest}");
    let live = desk.model.devnet().expect("it runs");
    let report = live.watch.vantage().report(vantage::WINDOW).expect("a devnet");
    let inside = report.inside.expect("three work for it");
    assert!((inside.routes - 0.125).abs() < 1e-12, "{inside:?}");
    let certain = inside.certain.expect("packets came out");
    assert!((certain - 0.125).abs() < 0.05, "{inside:?}");
    for (width, height) in [(80, 24), (120, 40)] {
        assert_snapshot!(format!("corrupt-{width}x{height}"), text(&desk.screen(width, height)));
    }
    (0..3).for_each(|_| drop(desk.press(Key::of('+'))));
    observed.insiders.extend(["mix-1-2", "mix-2-2", "mix-3-2"].map(String::from));
    pass(&mut desk, &mut observed, 10);
    // From here on nothing is underway of which it is not known what it was.
    desk.press(Key::of('o'));
    pass(&mut desk, &mut observed, 60);
    assert!(bits(&desk) < 0.02, "{}", bits(&desk));
}

#[test]
fn nobody_works_for_one_in_a_recording_or_without_tracing() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    changed(&mut desk, |info| info.trace = false);
    assert_eq!(desk.press(Key::of('+')), []);
    assert!(shown(&mut desk).contains("nodes tell nothing of packets"));
    // The provider could not tell either: its eyes are left out.
    desk.press(Key::of('o'));
    assert!(shown(&mut desk).contains("sees the link between alice and mix-1-1"));
    desk.press(Key::of('O'));
    assert!(shown(&mut desk).contains("sees every link, no node works for it"));
}

#[test]
fn a_reconnect_lets_them_tell_again_and_their_silence_is_told() {
    let mut desk = classic(settings());
    desk.press(Key::of('a'));
    desk.press(Key::of('+'));
    desk.tell(Message::Disconnected { reason: "gone".into() });
    let effects = desk.tell(Message::Connected);
    assert_eq!(effects, [Effect::Confide(vec!["mix-1-1".into()])]);
    desk.tell(Message::Unconfided(Problem("they went home".into())));
    assert!(shown(&mut desk).contains("nobody works for you: they went home"));
}

#[test]
fn whether_somebody_sends_cannot_be_told_where_slots_carry_cover() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 20);
    desk.press(Key::of('a'));
    pass(&mut desk, &mut observed, 20);
    let screen = shown(&mut desk);
    assert!(screen.contains("Is alice sending?"), "{screen}");
    assert!(screen.contains("idle or busy, it sends 3.0/s"), "{screen}");
    assert!(screen.contains("nobody can tell: slots carry cover"), "{screen}");
    // Slots carry nothing but messages now, and alice goes on with as much as before.
    changed(&mut desk, |info| info.slot_cover = false);
    pass(&mut desk, &mut observed, 20);
    let screen = shown(&mut desk);
    assert!(screen.contains("idle 1.0/s, busy 3.0/s; seen"), "{screen}");
    assert!(screen.contains("yes (99 : 1): "), "{screen}");
    for (width, height) in SIZES {
        assert_snapshot!(format!("sending-{width}x{height}"), text(&desk.screen(width, height)));
    }
    desk.press(Key::of('s'));
    let screen = shown(&mut desk);
    assert!(screen.contains("is bob sending? the evidence begins now"), "{screen}");
    assert!(screen.contains("Is bob sending?"), "{screen}");
    assert!(screen.contains("not yet: 1.0 : 1; takes about 4 s"), "{screen}");
    desk.press(Key::of('S'));
    assert!(shown(&mut desk).contains("Is alice sending?"));
    // On one link of two there is half as much; on that of somebody else there is nothing.
    desk.press(Key::of('o'));
    desk.press(Key::of('o'));
    pass(&mut desk, &mut observed, 2);
    let screen = shown(&mut desk);
    assert!(screen.contains("sees the link between alice and mix-1-1"), "{screen}");
    assert!(screen.contains("idle 0.5/s, busy 1.5/s; seen"), "{screen}");
    desk.press(Key::of('s'));
    assert!(shown(&mut desk).contains("you do not see its links"));
}

#[test]
fn the_slot_cover_knob_is_a_switch() {
    let mut desk = classic(settings());
    (0..3).for_each(|_| drop(desk.press(DOWN)));
    desk.press(LEFT);
    let screen = shown(&mut desk);
    assert!(screen.contains("◂ off ▸ (on)"), "{screen}");
    let effects = desk.press(ENTER);
    let [Effect::Change(wanted)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(wanted.set, SetRequest { slot_cover: Some(false), ..SetRequest::default() });
    assert_eq!(wanted.commands().collect::<Vec<_>>(), ["set slot-cover=off"]);
    changed(&mut desk, |info| info.slot_cover = false);
    desk.pass(1);
    assert!(shown(&mut desk).contains("slot cover off"));
}

/// What is expected of what is set is another than of what is measured, when senders send less.
#[test]
fn an_expectation_says_on_what_it_rests() {
    let (mut desk, mut observed) = watched(Fixture::two_by_three(), settings(), 30);
    let screen = shown(&mut desk);
    assert!(screen.contains("bits by formula, as set: 60/s packets"), "{screen}");
    changed(&mut desk, |info| info.slot_cover = false);
    pass(&mut desk, &mut observed, 30);
    let screen = shown(&mut desk);
    assert!(screen.contains("bits by formula, as set: 20/s packets"), "{screen}");
    assert!(screen.contains("bits by formula, as measured: "), "{screen}");
}

fn attacking(settings: Settings) -> Desk {
    let mut desk = Desk::connected(Fixture::two_by_three(), settings);
    desk.press(Key::of('a'));
    desk.press(Key::of('x'));
    desk
}

fn launched(desk: &mut Desk) -> AttackPlan {
    let effects = desk.press(ENTER);
    let [Effect::Attack(request)] = &effects[..] else { panic!("{effects:?}") };
    request.plan.clone()
}

#[test]
fn every_attack_can_be_chosen_and_is_named_as_a_command() {
    let mut desk = attacking(settings());
    let names = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let (from, to) = names("alice", "mix-1-1");
    assert_eq!(launched(&mut desk), AttackPlan::Replay { from, to, times: 1 });
    desk.press(DOWN);
    desk.press(RIGHT);
    desk.press(DOWN);
    desk.press(RIGHT);
    desk.press(DOWN);
    desk.press(RIGHT);
    let (from, to) = names("bob", "mix-1-2");
    assert_eq!(launched(&mut desk), AttackPlan::Replay { from, to, times: 2 });
    assert!(shown(&mut desk).contains("$ nym-devnet attack replay bob mix-1-2 --times 2"));
    // Around the end, to the row of attacks.
    desk.press(DOWN);
    for (part, word) in [(PacketPart::Header, "header"), (PacketPart::Payload, "payload")] {
        desk.press(RIGHT);
        let (from, to) = names("bob", "mix-1-2");
        assert_eq!(launched(&mut desk), AttackPlan::Flip { from, to, part, bit: None });
        let command = format!("$ nym-devnet attack flip bob mix-1-2 --part {word}");
        assert!(shown(&mut desk).contains(&command));
    }
    desk.press(RIGHT);
    assert_eq!(launched(&mut desk), AttackPlan::Skip { client: "alice".into(), layer: Some(2) });
    assert!(shown(&mut desk).contains("$ nym-devnet attack skip alice --layer 2"));
    desk.press(RIGHT);
    let (mix, target) = names("mix-1-1", "alice");
    assert_eq!(launched(&mut desk), AttackPlan::Isolate { mix, target, for_ms: 2000 });
    let command = "$ nym-devnet attack isolate mix-1-1 --target alice --for 2000ms";
    assert!(shown(&mut desk).contains(command));
    let last = desk.model.last_command().map(|(command, _)| command.to_owned());
    assert_eq!(last.as_deref(), command.strip_prefix("$ "));
}

/// What was selected is what is meant: a mixnode as the one that should drop it, a client as the sender.
#[test]
fn an_attack_is_on_what_was_selected() {
    for (selected, from, to) in [
        ("mix-2-2", "mix-1-1", "mix-2-2"),
        ("mix-1-2", "alice", "mix-1-2"),
        ("provider-1", "mix-3-1", "provider-1"),
        ("bob", "bob", "mix-1-1"),
        ("crowd", "crowd", "mix-1-1"),
        ("directory", "alice", "mix-1-1"),
    ] {
        let mut desk = Desk::connected(Fixture::two_by_three(), settings());
        desk.model.selected = Some(selected.into());
        desk.press(Key::of('a'));
        desk.press(Key::of('x'));
        let (from, to) = (from.to_owned(), to.to_owned());
        assert_eq!(launched(&mut desk), AttackPlan::Replay { from, to, times: 1 }, "{selected}");
    }
}

#[test]
fn what_came_of_attacks_is_told_at_every_size() {
    let mut desk = attacking(settings());
    assert!(shown(&mut desk).contains("nobody has attacked this devnet yet"));
    let replay = AttackPlan::Replay { from: "alice".into(), to: "mix-1-1".into(), times: 2 };
    desk.hear(StreamEvent::Attack(fixture::underway(1, &replay)));
    assert!(shown(&mut desk).contains("underway  replay alice → mix-1-1, 2 times"));
    desk.hear(StreamEvent::Attack(fixture::attacked(1, &replay)));
    let skip = AttackPlan::Skip { client: "bob".into(), layer: Some(1) };
    let skipped = fixture::attacked(2, &skip);
    let title = skip.title();
    desk.tell(Message::Attacked { title, result: Ok(Box::new(skipped.clone())) });
    let screen = shown(&mut desk);
    assert!(screen.contains("bob skips layer 1: through."), "{screen}");
    // The event of it may come late.
    desk.hear(StreamEvent::Attack(fixture::underway(2, &skip)));
    desk.hear(StreamEvent::Attack(skipped));
    desk.pass(9);
    for (width, height) in SIZES {
        assert_snapshot!(format!("attacks-{width}x{height}"), text(&desk.screen(width, height)));
    }
    let screen = shown(&mut desk);
    assert!(screen.contains("copies: replay."), "{screen}");
    assert!(screen.contains("Links are not authenticated"), "{screen}");
    for width in (0..100).step_by(9) {
        for height in (0..40).step_by(3) {
            desk.screen(width, height);
        }
    }
    let refused = Problem("4 attacks are underway already".into());
    desk.tell(Message::Attacked { title: "replay".into(), result: Err(refused) });
    assert!(shown(&mut desk).contains("replay: 4 attacks are underway already"));
}

#[test]
fn attacks_in_ascii_and_without_colour() {
    let mut desk = attacking(Settings { ascii: true, ..settings() });
    (0..4).for_each(|_| drop(desk.press(RIGHT)));
    let skip = AttackPlan::Skip { client: "bob".into(), layer: Some(1) };
    desk.hear(StreamEvent::Attack(fixture::attacked(2, &skip)));
    let shown = text(&desk.screen(80, 24));
    assert!(shown.is_ascii(), "{shown}");
    assert!(shown.contains("n-1: for two") && shown.contains("mix-2-1 -> mix-3-2"), "{shown}");
    assert_snapshot!("ascii-attacks", shown);
    let mut desk = attacking(Settings { no_color: true, ..settings() });
    desk.hear(StreamEvent::Attack(fixture::attacked(2, &skip)));
    assert_snapshot!("attacks-monochrome", super::screens::weights(&desk.screen(80, 24)));
}

#[test]
fn read_only_shows_attacks_and_runs_none() {
    let mut desk = attacking(Settings { read_only: true, ..settings() });
    let screen = shown(&mut desk);
    assert!(screen.contains("$ nym-devnet attack replay alice mix-1-1"), "{screen}");
    assert!(screen.contains("read-only: this dashboard changes nothing"), "{screen}");
    assert_eq!(desk.press(ENTER), []);
    assert!(desk.model.last_command().is_none());
}

#[test]
fn a_mixnode_that_is_gone_is_no_target() {
    let mut desk = Desk::connected(Fixture::two_by_three(), settings());
    desk.model.selected = Some("mix-1-2".into());
    desk.press(Key::of('a'));
    desk.press(Key::of('x'));
    desk.hear(StreamEvent::Removed { node: "mix-1-2".into() });
    let (from, to) = ("alice".to_owned(), "mix-1-1".to_owned());
    assert_eq!(launched(&mut desk), AttackPlan::Replay { from, to, times: 1 });
    desk.hear(StreamEvent::Removed { node: "mix-1-1".into() });
    assert_eq!(desk.press(ENTER), []);
}

/// What somebody for whom no node works makes of half a minute of packets, all of it but what is compared
/// with the truth; and what that comparison says. The stream tells this in place of each event.
fn inferred(tell: impl Fn(StreamEvent) -> Option<StreamEvent>) -> (serde_json::Value, [String; 2]) {
    let mut fixture = Fixture::two_by_three();
    let mut observed = Observed::new(&fixture, 0.2, 7);
    observed.insiders = vec!["mix-1-1".into(), "mix-3-2".into()];
    let mut vantage = Vantage::default();
    let snapshot = Box::new(fixture.snapshot(Duration::ZERO));
    vantage.hear(&fixture.at(Duration::ZERO, StreamEvent::Snapshot(snapshot)));
    let mut second = Duration::ZERO;
    while second < Duration::from_secs(30) {
        second += Duration::from_secs(1);
        let message = StreamEvent::Message(fixture::message("alice", "bob", "hello"));
        let message = fixture.at(second, message);
        for envelope in observed.pass(&mut fixture, 1).into_iter().chain([message]) {
            if let Some(event) = tell(envelope.event) {
                vantage.hear(&Envelope { event, ..envelope });
            }
        }
        if vantage.looks_for().is_none() {
            assert!(vantage.look_for_who_writes_to("bob"));
            assert!(vantage.look_whether_it_sends("alice"));
        }
    }
    let report = vantage.report(vantage::WINDOW).expect("a devnet");
    assert!(report.guess.as_ref().is_some_and(|guess| guess.packets > 0), "{report:?}");
    let compared = [format!("{:?}", report.calibration), format!("{:?}", report.delay_distance)];
    let mut inferred = serde_json::to_value(&report).expect("JSON");
    let figures = inferred.as_object_mut().expect("figures");
    // Doubts say in words what came of comparing.
    for of_truth in ["calibration", "delay_distance", "doubts"] {
        figures.remove(of_truth).expect(of_truth);
    }
    let ticks: Vec<_> = vantage.ticks().collect();
    let curve: Vec<_> = vantage.curve(Duration::from_secs(30)).collect();
    (serde_json::json!([inferred, ticks, curve, vantage.latest(), vantage.senders()]), compared)
}

/// The stream tells everything, the observer hears of it what is on links: a truth, a lie and nothing at
/// all are the same to it.
#[test]
fn nothing_that_only_the_devnet_knows_changes_what_an_observer_infers() {
    let (truly, compared) = inferred(Some);
    let (falsely, compared_with_lies) = inferred(|event| {
        Some(match event {
            StreamEvent::Origins { mut packets } => {
                for packet in &mut packets {
                    (packet.origin, packet.carried) = ("bob".into(), Carried::Message);
                }
                StreamEvent::Origins { packets }
            }
            StreamEvent::Waits { node, waits_us } => {
                let waits_us = vec![1; waits_us.len()];
                StreamEvent::Waits { node, waits_us }
            }
            event => event,
        })
    });
    let (untold, compared_with_nothing) =
        inferred(|event| matches!(event, StreamEvent::Links { .. }).then_some(event));
    assert_eq!(falsely, truly);
    assert_eq!(untold, truly);
    // The lies were heard where they belong.
    for (index, compared) in compared.iter().enumerate() {
        assert_ne!(*compared, compared_with_lies[index]);
        assert_eq!(compared_with_nothing[index], "None");
    }
}
