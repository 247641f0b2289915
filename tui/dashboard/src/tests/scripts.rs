//! Given a devnet, when keys are pressed, then this is asked for.

use std::time::Duration;

use contract::Content;
use control::{Envelope, NodeAction, SendRequest, SendWait, State, StreamEvent};
use crossterm::event::KeyCode;

use super::{Desk, settings, text};
use crate::Outcome;
use crate::connection::Connection;
use crate::fixture::{self, Fixture};
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::regions::Target;
use crate::screens::Screen;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);
const TAB: Key = Key::code(KeyCode::Tab);

fn last_command(desk: &Desk) -> Option<&str> {
    desk.model.last_command().map(|(command, _)| command)
}

fn act(node: &str, action: NodeAction) -> Vec<Effect> {
    vec![Effect::Act { node: node.into(), action }]
}

#[test]
fn what_interrupts_a_process_is_asked_for_once_and_refused_first() {
    for (key, action) in
        [('x', NodeAction::Stop), ('X', NodeAction::Kill), ('r', NodeAction::Restart)]
    {
        let mut desk = Desk::running();
        desk.model.selected = Some("mix-2-2".into());
        assert_eq!(desk.press(Key::of(key)), []);
        let question = text(&desk.screen(80, 24));
        assert!(question.contains(&format!("{} mix-2-2 (y)", action.word())), "{question}");
        // Enter takes the highlighted answer, and that is the harmless one.
        assert_eq!(desk.press(ENTER), []);
        assert_eq!(desk.model.overlays.len(), 0);

        desk.press(Key::of(key));
        assert_eq!(desk.press(Key::of('n')), []);
        desk.press(Key::of(key));
        desk.press(TAB);
        assert_eq!(desk.press(ENTER), act("mix-2-2", action));
        desk.press(Key::of(key));
        assert_eq!(desk.press(Key::of('y')), act("mix-2-2", action));
        let command = format!("nym-devnet {} mix-2-2", action.word());
        assert_eq!(last_command(&desk), Some(command.as_str()));
    }
}

#[test]
fn a_filter_narrows_the_list_or_with_a_mark_in_front_leaves_out() {
    for (typed, shown) in [("mix", " 6 of 11 "), ("!mix", " 5 of 11 "), ("!", " 11 ")] {
        let mut desk = Desk::running();
        desk.press(Key::of('2'));
        desk.press(Key::of('/'));
        for character in typed.chars() {
            desk.press(Key::of(character));
        }
        desk.press(ENTER);
        let screen = text(&desk.screen(120, 40));
        assert!(screen.contains(&format!("{shown}processes")), "{typed}: {screen}");
    }
}

#[test]
fn one_key_pauses_and_takes_it_back_without_a_question() {
    let mut desk = Desk::running();
    desk.model.selected = Some("mix-2-2".into());
    assert_eq!(desk.press(Key::of('p')), act("mix-2-2", NodeAction::Pause));
    assert_eq!(last_command(&desk), Some("nym-devnet pause mix-2-2"));

    let live = desk.model.live.as_ref().expect("it runs");
    let mut status = live.node("mix-2-2").expect("it is there").status.clone();
    status.state = State::Paused;
    desk.hear(StreamEvent::Node(status));
    assert_eq!(desk.press(Key::of('p')), act("mix-2-2", NodeAction::Resume));
}

#[test]
fn help_that_is_longer_than_a_line_goes_on_in_the_next() {
    let mut desk = Desk::running();
    desk.press(Key::of('?'));
    let mut read = String::new();
    for _ in 0..5 {
        read += &text(&desk.screen(80, 24));
        desk.press(Key::code(KeyCode::PageDown));
    }
    assert!(read.contains("mac: damaged, or for another key; replay: a copy of an"), "{read}");
    assert!(read.contains("                  earlier one; layer: skips a layer"), "{read}");
    assert!(!read.contains('…'), "{read}");
}

#[test]
fn starting_needs_no_question_and_no_node_is_said() {
    let mut desk = Desk::running();
    assert_eq!(desk.press(Key::of('s')), []);
    assert!(text(&desk.screen(80, 24)).contains("select a node to start first"));
    desk.model.selected = Some("bob".into());
    assert_eq!(desk.press(Key::of('s')), act("bob", NodeAction::Start));
}

#[test]
fn the_command_names_a_devnet_that_has_a_name() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    let mut snapshot = desk.fixture.snapshot(Duration::ZERO);
    snapshot.devnet.name = "t1".into();
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    desk.model.selected = Some("bob".into());
    desk.press(Key::of('s'));
    assert_eq!(last_command(&desk), Some("nym-devnet --name t1 start bob"));
}

#[test]
fn read_only_shows_and_changes_nothing() {
    let attached = Settings { read_only: true, stops_on_quit: false, ..settings() };
    let mut desk = Desk::connected(Fixture::two_by_three(), attached);
    desk.model.selected = Some("mix-1-1".into());
    for key in ['s', 'x', 'X', 'r', 'm'] {
        assert_eq!(desk.press(Key::of(key)), [], "{key}");
        assert_eq!(desk.model.overlays.len(), 0, "{key}");
        assert!(text(&desk.screen(120, 40)).contains("read-only: this dashboard"));
    }
    assert_eq!(desk.model.screen, Screen::Network);
    desk.press(Key::of('4'));
    desk.press(ENTER);
    assert_eq!(desk.type_text("q"), vec![Effect::Quit(Outcome::Quit)], "no input line opened");
}

#[test]
fn quitting_asks_only_where_it_stops_something() {
    let quit = vec![Effect::Quit(Outcome::Quit)];
    let mut desk = Desk::running();
    assert_eq!(desk.press(Key::of('q')), []);
    assert!(text(&desk.screen(80, 24)).contains("Quit and stop the devnet `default`?"));
    assert_eq!(desk.press(Key::of('y')), quit);

    assert_eq!(desk.press(Key::ctrl('c')), quit, "Ctrl-C never asks");

    desk.tell(Message::Disconnected { reason: "gone".into() });
    assert_eq!(desk.press(Key::of('q')), quit, "nothing can be stopped any more");

    let attached = Settings { stops_on_quit: false, ..settings() };
    let mut desk = Desk::connected(Fixture::two_by_three(), attached);
    assert_eq!(desk.press(Key::of('q')), quit);
}

#[test]
fn a_message_is_typed_and_sent_from_alice_to_bob() {
    let mut desk = Desk::running();
    desk.press(Key::of('m'));
    assert_eq!(desk.model.screen, Screen::Messages);
    // Keys of other places are letters here.
    desk.type_text("q: it's 5 o'clock?");
    desk.press(Key::code(KeyCode::Backspace));
    let request = SendRequest {
        from: "alice".into(),
        to: "bob".into(),
        content: Content::Text("q: it's 5 o'clock".into()),
        wait: SendWait::Accepted,
        timeout_ms: 10_000,
    };
    let text = "q: it's 5 o'clock".to_owned();
    assert_eq!(desk.press(ENTER), vec![Effect::Send { request, text: text.clone() }]);
    assert_eq!(last_command(&desk), Some(r"nym-devnet send alice bob 'q: it'\''s 5 o'\''clock'"));

    assert!(super::text(&desk.screen(80, 24)).contains("1 message handed over"));
    let result = Err(Problem("alice is not ready".into()));
    desk.tell(Message::Sent { text, result, unsure: false });
    let shown = super::text(&desk.screen(80, 24));
    assert!(shown.contains("not sent: alice is not ready"), "{shown}");
    assert!(shown.contains("q: it's 5 o'clock"), "what was typed is back: {shown}");
}

#[test]
fn sender_and_recipient_are_chosen_by_name() {
    let mut fixture = Fixture::two_by_three();
    fixture.clients = vec!["alice", "bob", "carol"];
    let mut desk = Desk::connected(fixture, settings());
    desk.press(Key::of('4'));
    desk.press(TAB);
    desk.press(Key::of('G'));
    desk.press(ENTER);
    desk.press(Key::of('j'));
    desk.press(ENTER);
    desk.type_text("hi");
    let effects = desk.press(ENTER);
    let [Effect::Send { request, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((request.from.as_str(), request.to.as_str()), ("carol", "bob"));
}

#[test]
fn the_arrows_walk_over_the_map_and_the_selection_stays_on_its_node() {
    let mut desk = Desk::running();
    let mut walk = |keys: &str| {
        desk.type_text(keys);
        desk.model.selected.clone().unwrap_or_default()
    };
    assert_eq!(walk("j"), "mix-1-1");
    assert_eq!(walk("l"), "mix-2-1");
    assert_eq!(walk("j"), "mix-2-2");
    assert_eq!(walk("ll"), "provider-1");
    assert_eq!(walk("j"), "directory");
    assert_eq!(walk("k"), "mix-1-2");
    assert_eq!(walk("h"), "crowd");
    assert_eq!(walk("g"), "alice");
    assert_eq!(walk("hkk"), "alice");

    // The rows are sorted anew under the selection; it stays with its node.
    desk.press(Key::of('2'));
    for _ in 0..20 {
        desk.press(Key::of('o'));
        desk.press(Key::of('O'));
        assert_eq!(desk.model.selected.as_deref(), Some("alice"));
    }
}

#[test]
fn a_frozen_view_stands_while_the_devnet_goes_on() {
    let mut desk = Desk::running();
    desk.press(Key::of('5'));
    desk.press(Key::of(' '));
    let frozen = text(&desk.screen(120, 40));
    assert!(frozen.contains(" PAUSED, missed 0 packets, 0 messages"), "{frozen}");
    desk.pass(7);
    let later = text(&desk.screen(120, 40));
    assert_eq!(
        later.lines().skip(1).collect::<Vec<_>>(),
        frozen.lines().skip(1).collect::<Vec<_>>()
    );
    // Seven seconds of 66 packets, and what is said meanwhile.
    assert!(later.contains(" PAUSED, missed 462 packets, 0 messages"), "{later}");
    desk.press(Key::of(' '));
    assert!(text(&desk.screen(120, 40)).contains("12:00:19"));
}

#[test]
fn a_killed_node_is_seen_until_it_is_back() {
    let mut desk = Desk::running();
    desk.press(Key::of('2'));
    let ready = desk.fixture.status("mix-2-2");
    let steps = [
        (State::BackingOff, "killed by SIGKILL; starts again in 0.5 s", "↻ backing off: killed by"),
        (State::Starting, "the process runs", "◔ starting: the process"),
        (State::Listening, "its socket is open", "◔ listening: its socket"),
        (State::Ready, "the directory lists it", "● ready"),
    ];
    for (state, reason, shown) in steps {
        let status = control::NodeStatus { state, reason: reason.into(), ..ready.clone() };
        desk.hear(StreamEvent::Node(status));
        let screen = text(&desk.screen(120, 40));
        let row = screen.lines().find(|line| line.contains("mix-2-2")).unwrap_or_default();
        assert!(row.contains(shown), "{row}");
    }
}

#[test]
fn nodes_come_into_their_place_and_go() {
    let mut desk = Desk::running();
    let new = control::NodeStatus { name: "mix-2-3".into(), ..desk.fixture.status("mix-2-2") };
    desk.hear(StreamEvent::Node(new));
    let names = |desk: &Desk| {
        let nodes = &desk.model.devnet().expect("connected").nodes;
        nodes.iter().map(|node| node.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&desk)[4..7], ["mix-2-2", "mix-2-3", "mix-3-1"]);
    assert!(text(&desk.screen(120, 40)).contains("mix-2-3"));
    let leads_to = |desk: &Desk| {
        let devnet = desk.model.devnet().expect("connected");
        devnet.nodes.iter().any(|node| node.links.contains_key("mix-2-2"))
    };
    assert!(leads_to(&desk));

    desk.model.selected = Some("mix-2-2".into());
    desk.hear(StreamEvent::Removed { node: "mix-2-2".into() });
    assert_eq!(desk.model.selected, None);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("mix-2-2 was removed"), "{screen}");
    assert_eq!(names(&desk)[3..6], ["mix-2-1", "mix-2-3", "mix-3-1"]);
    assert!(!leads_to(&desk), "no link leads nowhere");
}

#[test]
fn a_client_that_waits_holds_its_messages_and_says_why() {
    let mut desk = Desk::running();
    let message = fixture::message("alice", "bob", "hello");
    desk.hear(StreamEvent::Message(message));
    desk.press(Key::of('4'));
    assert!(text(&desk.screen(120, 40)).contains("queued"));
    let ready = desk.fixture.status("alice");
    let second = (contract::Endpoint::SecondApp, ([127, 0, 0, 1], 9001).into());
    let waiting = control::NodeStatus {
        state: State::Present,
        reason: "no mixnode in layer 2".into(),
        addresses: ready.addresses.clone().into_iter().chain([second]).collect(),
        ..ready.clone()
    };
    desk.hear(StreamEvent::Node(waiting));
    let messages = text(&desk.screen(120, 40));
    assert!(messages.contains("◌  held"), "{messages}");
    assert!(messages.contains("alice is present: no mixnode in layer 2"), "{messages}");
    desk.press(Key::of('2'));
    let nodes = text(&desk.screen(140, 40));
    assert!(nodes.contains("│alice       client    ◔ present: no mixnode in layer 2 "), "{nodes}");
    desk.model.selected = Some("alice".into());
    desk.press(ENTER);
    let card = text(&desk.screen(140, 40));
    assert!(card.contains("and app    127.0.0.1:9001"), "{card}");
    desk.press(ESC);
    desk.hear(StreamEvent::Node(ready));
    desk.press(Key::of('4'));
    assert!(text(&desk.screen(120, 40)).contains("queued"));
}

#[test]
fn late_and_gone_come_by_themselves_with_time() {
    let mut desk = Desk::running();
    desk.fixture.silent = vec!["mix-1-1"];
    let mut marks = Vec::new();
    for _ in 0..11 {
        desk.pass(1);
        let screen = text(&desk.screen(120, 40));
        marks.extend(screen.lines().find_map(|line| {
            let name = line.find(" mix-1-1")?;
            line[..name].chars().next_back()
        }));
    }
    assert_eq!(marks.iter().collect::<String>(), "●●●◐◐◐◐◐◐◌◌");
}

#[test]
fn silence_of_the_directory_says_nothing_about_the_nodes() {
    let mut desk = Desk::running();
    let state = control::DirectoryState::Reconnecting {
        error: "connection refused".into(),
        retry_in_ms: 1000,
    };
    desk.hear(StreamEvent::DirectoryLink { state });
    desk.fixture.silent = vec!["mix-1-1", "mix-1-2"];
    desk.pass(12);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("● mix-1-1"), "{screen}");
    assert!(screen.contains("not heard: connection refused"), "{screen}");
}

#[test]
fn a_silent_supervisor_is_stale_and_ages_nobody() {
    let mut desk = Desk::running();
    desk.second += 30;
    desk.tell(Message::Tick);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("◐ stale 30 s"), "{screen}");
    assert!(screen.contains("● mix-1-1"), "{screen}");
}

#[test]
fn the_connection_is_tried_again_more_and_more_rarely() {
    let mut desk = Desk::running();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let effects = desk.tell(Message::Disconnected { reason: "refused".into() });
        let [Effect::Connect { after }] = effects.as_slice() else { panic!("{effects:?}") };
        waits.push(after.as_millis());
    }
    assert_eq!(waits, [250, 500, 1000]);
    desk.tell(Message::Connected);
    assert_eq!(desk.model.connection, Connection::Live);
    let lost = |desk: &mut Desk| desk.tell(Message::Disconnected { reason: "no JSON".into() });
    let connect = |ms| vec![Effect::Connect { after: Duration::from_millis(ms) }];
    assert_eq!(lost(&mut desk), connect(2000), "it was open, and told nothing");
    desk.tell(Message::Connected);
    desk.pass(6);
    assert_eq!(lost(&mut desk), connect(250));
}

#[test]
fn the_end_of_the_devnet_ends_the_dashboard_with_its_reason() {
    let mut desk = Desk::running();
    let reason = "`nym-devnet down` was called".to_owned();
    let effects = desk.hear(StreamEvent::Down { reason: reason.clone() });
    assert_eq!(effects, vec![Effect::Quit(Outcome::DevnetEnded { reason })]);
}

#[test]
fn a_snapshot_after_a_gap_keeps_what_was_seen_and_counts_what_was_lost() {
    let mut desk = Desk::eventful(settings());
    let before = desk.model.live.as_ref().map(|live| live.presence.beats().len());
    let at = Duration::from_secs(desk.second);
    let mut unheard = || desk.fixture.at(at, fixture::log("alice", at, "never heard"));
    (0..6).for_each(|_| drop(unheard()));
    // The snapshot has the number of the last event in it.
    let last = unheard();
    let event = StreamEvent::Snapshot(Box::new(desk.fixture.snapshot(at)));
    desk.tell(Message::Heard(Box::new(Envelope { event, ..last })));
    let after = desk.model.live.as_ref().map(|live| live.presence.beats().len());
    assert_eq!(after, before);
    assert!(text(&desk.screen(140, 40)).contains("7 events lost"));
    let curves = text(&desk.screen(120, 40));
    assert!(curves.contains("42/s   ▆"), "the curves go on: {curves}");
}

#[test]
fn logs_are_narrowed_followed_and_copied() {
    let mut desk = Desk::eventful(settings());
    desk.model.selected = Some("mix-2-2".into());
    desk.press(Key::of('L'));
    assert_eq!(last_command(&desk), Some("nym-devnet logs mix-2-2 -f"));
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("does not take packets") && !screen.contains("no acknowledgement"));
    desk.press(ESC);
    desk.press(Key::of('/'));
    desk.type_text("ERROR");
    desk.press(ENTER);
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("no acknowledgement") && !screen.contains("does not take packets"));
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { text: copied, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(copied, "alice ERROR client: no acknowledgement of fragment 0 after 1.8 s");
    desk.press(ESC);

    // Going up holds on to a line while others arrive below it.
    desk.press(Key::of('k'));
    let at = Duration::from_secs(desk.second);
    for number in 0..50 {
        desk.hear(fixture::log("bob", at, &format!("line {number}")));
    }
    assert!(!text(&desk.screen(80, 24)).contains("line 49"));
    assert!(text(&desk.screen(80, 24)).contains("f follows"));
    desk.press(Key::of('f'));
    assert!(text(&desk.screen(80, 24)).contains("line 49"));
}

#[test]
fn nothing_that_a_message_or_a_stranger_says_reaches_the_terminal_as_a_command() {
    let mut desk = Desk::running();
    let bad = "\u{1b}]0;owned\u{7}\u{202e}";
    let mut message = fixture::message("alice", "bob", bad);
    message.error = Some(bad.into());
    desk.hear(StreamEvent::Message(message));
    desk.hear(fixture::received("bob", bad));
    desk.hear(fixture::log("alice", Duration::ZERO, bad));
    let list = directory_api::ListName::MixNode;
    let update = directory_api::Update::Seen { pub_key: bad.into(), list };
    desk.hear(StreamEvent::Directory { node: None, update });
    desk.tell(Message::Paste(bad.into()));
    for key in ['1', '2', '4', '5', '6'] {
        desk.press(Key::of(key));
        let screen = text(&desk.screen(120, 40));
        let command = screen.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
        assert_eq!(command, None);
    }
}

#[test]
fn a_long_paste_goes_in_at_once_with_its_line_ends_and_what_has_no_room_is_told() {
    let mut desk = Desk::running();
    desk.press(Key::of('m'));
    desk.tell(Message::Paste("one\rtwo\r\nthree\nfour".into()));
    let screen = text(&desk.screen(120, 40));
    for line in ["› one ", "  two ", "  three ", "  four "] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    desk.tell(Message::Paste("x".repeat(100_000)));
    let screen = text(&desk.screen(120, 40));
    assert!(screen.contains("67 250 B had no room: 32 768 B can be typed"), "{screen}");
    assert!(screen.contains("32 768 of 33 369 B, 21 packets"), "{screen}");

    // A filter has one line.
    desk.press(ESC);
    desk.press(Key::of('6'));
    desk.press(Key::of('/'));
    desk.tell(Message::Paste("one\rtwo".into()));
    assert!(text(&desk.screen(120, 40)).contains("/one two"));
}

#[test]
fn the_palette_goes_where_an_action_works() {
    let mut desk = Desk::running();
    desk.press(Key::of(':'));
    desk.type_text("follow");
    desk.press(ENTER);
    assert_eq!((desk.model.screen, desk.model.overlays.len()), (Screen::Presence, 0));
    desk.press(Key::of(':'));
    desk.type_text("show log");
    desk.press(ENTER);
    assert_eq!(desk.model.screen, Screen::Logs);
}

#[test]
fn a_click_selects_and_another_opens() {
    let mut desk = Desk::running();
    desk.tell(Message::Click(Target::Node("mix-1-2".into())));
    assert_eq!(desk.model.selected.as_deref(), Some("mix-1-2"));
    assert_eq!(desk.model.overlays.len(), 0);
    desk.tell(Message::Click(Target::Node("mix-1-2".into())));
    assert_eq!(desk.model.overlays.len(), 1);
    desk.press(ESC);
    desk.tell(Message::Click(Target::Screen(Screen::Logs)));
    assert_eq!(desk.model.screen, Screen::Logs);
}

#[test]
fn the_first_notice_of_the_devnet_is_said_and_all_of_them_stay_in_the_help() {
    let mut desk = Desk::new(Fixture::two_by_three(), settings());
    let mut snapshot = desk.fixture.snapshot(Duration::ZERO);
    snapshot.devnet.notices = vec!["port 8080 is taken; the directory listens on 41231".into()];
    desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
    assert!(text(&desk.screen(80, 24)).contains("port 8080 is taken"));
    desk.press(Key::of('?'));
    desk.press(Key::of('G'));
    assert!(text(&desk.screen(80, 24)).contains("port 8080 is taken"));
}
