//! What makes the dashboard comfortable: themes, zoom, the palette, keys of the user's own, what is
//! remembered; and that nothing brings it down.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{NodeStatus, State, StreamEvent};
use crossterm::event::KeyCode;
use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::layout::Size;

use super::{Desk, settings, text};
use crate::action::{self, ACTIONS, Action, Context};
use crate::fixture::{self, Fixture};
use crate::keymap::Keymap;
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::remembered::{Remembered, Store};
use crate::screens::Screen;
use crate::theme::ThemeName;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);

fn hint_line(desk: &mut Desk, width: u16) -> String {
    text(&desk.screen(width, 40)).lines().last().expect("a line").to_owned()
}

/// Every action that changes something says how it is done from a shell: at once, after the question
/// that it asks, or when what it asks for was typed.
#[test]
fn every_action_that_changes_something_tells_its_command() {
    for spec in ACTIONS.iter().filter(|spec| spec.changes) {
        // What a lesson does it tells itself: that is shown with lessons.
        for &context in spec.contexts.iter().filter(|context| **context != Context::Lesson) {
            let mut desk = Desk::eventful(settings());
            match context {
                Context::Card => desk.model.overlays.push(Overlay::card("mix-2-1".into())),
                Context::Writing => {
                    desk.press(Key::of('m'));
                    desk.type_text("hi");
                }
                Context::Attacking => {
                    desk.press(Key::of('a'));
                    desk.press(Key::of('x'));
                }
                context => {
                    let screen = Screen::ALL.into_iter().find(|screen| screen.context() == context);
                    desk.model.screen = screen.expect("a screen, a card or the input line");
                }
            }
            let stopped = NodeStatus { state: State::Stopped, ..desk.fixture.status("bob") };
            desk.hear(StreamEvent::Node(stopped));
            desk.model.selected = Some("mix-2-1".into());
            if context == Context::Presence {
                // It has a selection of its own.
                desk.press(Key::of('j'));
            }
            if context == Context::Anonymity {
                // Nothing is applied that was not turned.
                desk.press(Key::code(KeyCode::Right));
            }
            if context == Context::Problems {
                // It acts on who has the problem that is selected.
                let paused = desk.fixture.status("mix-2-2");
                desk.hear(StreamEvent::Node(NodeStatus { state: State::Paused, ..paused }));
                desk.pass(1);
            }
            let key = *spec.keys.first().expect("a key");
            desk.press(key);
            if matches!(desk.model.overlays.last(), Some(Overlay::Question(_))) {
                desk.press(Key::of('y'));
            }
            if desk.model.context() == Context::Writing {
                desk.type_text("hi");
                desk.press(ENTER);
            }
            let told = desk.model.last_command().map(|(command, _)| command.to_owned());
            let told = told.unwrap_or_else(|| panic!("{} in {context:?} tells nothing", spec.name));
            assert!(told.starts_with("nym-devnet "), "{}: {told}", spec.name);
        }
    }
}

#[test]
fn everything_that_ended_is_started_with_one_key_and_one_command() {
    let mut desk = Desk::running();
    assert_eq!(desk.press(Key::of('S')), [], "everything runs");
    let names: Vec<String> = desk.fixture.nodes().into_iter().map(|node| node.name).collect();
    for (index, name) in (0..).zip(&names) {
        let ended = NodeStatus {
            state: State::Failed,
            reason: "ended by itself 5 times in a minute: out of memory".into(),
            since_unix_ms: fixture::STARTED_UNIX_MS + index,
            ..desk.fixture.status(name)
        };
        desk.hear(StreamEvent::Node(ended));
    }
    desk.press(ESC);
    for width in [80, 120, 200] {
        let hints = hint_line(&mut desk, width);
        assert!(hints.contains("nothing runs: crowd ended by itself 5 times"), "{hints}");
        assert!(hints.contains("more"), "{hints}");
    }
    assert!(hint_line(&mut desk, 160).contains("S starts everything"));
    let started: Vec<Effect> = names
        .iter()
        .map(|node| Effect::Act { node: node.clone(), action: control::NodeAction::Start })
        .collect();
    assert_eq!(desk.press(Key::of('S')), started);
    let command = format!("nym-devnet start {}", names.join(" "));
    assert_eq!(desk.model.last_command().map(|(told, _)| told), Some(command.as_str()));
    desk.press(ESC);
    let hints = hint_line(&mut desk, 80);
    assert!(hints.contains("? help  "), "nothing is written over it: {hints}");
}

#[test]
fn hints_say_what_keys_do_to_what_is_selected_and_the_way_out_first() {
    let mut desk = Desk::eventful(settings());
    desk.model.selected = Some("mix-1-1".into());
    assert!(hint_line(&mut desk, 80).contains("p pause"));
    let paused = NodeStatus { state: State::Paused, ..desk.fixture.status("mix-1-1") };
    desk.hear(StreamEvent::Node(paused));
    assert!(hint_line(&mut desk, 80).contains("p go on"));
    desk.press(ENTER);
    assert!(hint_line(&mut desk, 80).starts_with(" esc close"));
    desk.press(ESC);
    desk.press(Key::of('4'));
    assert!(hint_line(&mut desk, 80).starts_with(" J journey  ↵ unfold"));
    desk.press(Key::of('m'));
    assert!(hint_line(&mut desk, 80).starts_with(" ↵ send  esc leave"));
}

#[test]
fn a_key_goes_through_the_themes_and_no_color_wins() {
    let mut desk = Desk::eventful(settings());
    for theme in ThemeName::ALL.into_iter().skip(1).chain([ThemeName::Default]) {
        desk.press(Key::of('t'));
        assert_eq!(desk.model.theme, theme);
        let buffer = desk.screen(120, 40);
        assert!(text(&buffer).contains(&format!("theme {theme}: ")), "it is said");
        let ground = theme.theme().base.bg.unwrap_or_default();
        let tab = theme.theme().selection.bg.unwrap_or_default();
        let strange = buffer.content.iter().find(|cell| cell.bg != ground && cell.bg != tab);
        assert_eq!(strange, None, "{theme}");
    }
    desk.model.settings.no_color = true;
    desk.press(Key::of('t'));
    assert_eq!(desk.model.theme, ThemeName::Default);
    assert!(text(&desk.screen(120, 40)).contains("NO_COLOR"));
}

#[test]
fn windows_stand_on_the_ground_of_the_theme() {
    for theme in ThemeName::ALL {
        for overlay in [Overlay::help(Context::Network), Overlay::palette(Context::Network)] {
            let mut desk = Desk::eventful(Settings { theme: Some(theme), ..settings() });
            desk.model.overlays.push(overlay);
            let buffer = desk.screen(80, 24);
            let ground = theme.theme().base;
            let selected = theme.theme().selection;
            for cell in &buffer.content {
                let known = [ground.bg, selected.bg].map(Option::unwrap_or_default);
                assert!(known.contains(&cell.bg), "{theme}: {cell:?}");
            }
        }
    }
}

#[test]
fn the_focused_pane_fills_the_screen_and_the_same_key_gives_the_room_back() {
    for (key, gone, stays) in [
        ('1', "select a node", "LAYER 1"),
        ('4', "╭ from ", "Messages"),
        ('5', "Heartbeats", "Last heard"),
        ('6', "logs of", "all processes"),
    ] {
        let mut desk = Desk::running();
        desk.press(Key::of(key));
        let before = text(&desk.screen(180, 40));
        desk.press(Key::of('z'));
        let zoomed = text(&desk.screen(180, 40));
        assert!(zoomed.contains(stays), "{key}: {zoomed}");
        assert!(!zoomed.contains(gone) || key == '1', "{key}: {zoomed}");
        assert_ne!(before, zoomed);
        assert!(zoomed.contains("z unzoom"), "{zoomed}");
        for other in ['2', key] {
            desk.press(Key::of(other));
        }
        assert_eq!(text(&desk.screen(180, 40)), zoomed, "each screen has its own");
        desk.press(Key::of('z'));
        assert_eq!(text(&desk.screen(180, 40)), before);
        desk.press(Key::of('z'));
        desk.press(ESC);
        assert_eq!(text(&desk.screen(180, 40)), before, "and so does esc");
    }
}

#[test]
fn what_is_hidden_by_a_zoomed_pane_cannot_be_pointed_at() {
    let mut desk = Desk::running();
    desk.press(Key::of('6'));
    desk.press(Key::of('z'));
    desk.press(Key::code(KeyCode::Tab));
    let sources = text(&desk.screen(80, 24));
    assert!(sources.contains("logs of") && !sources.contains("following"), "{sources}");
}

#[test]
fn the_palette_finds_processes_and_themes_and_a_click_chooses() {
    let mut desk = Desk::running();
    desk.press(Key::of('6'));
    desk.press(Key::of(':'));
    desk.type_text("m22");
    assert_snapshot!("palette-found", text(&desk.screen(80, 24)));
    desk.press(ENTER);
    assert_eq!(desk.model.selected.as_deref(), Some("mix-2-2"));
    assert_eq!(desk.model.screen, Screen::Network);
    desk.press(Key::of(':'));
    desk.type_text("theme li");
    desk.tell(Message::Click(Target::Choice(0)));
    assert_eq!((desk.model.theme, desk.model.overlays.len()), (ThemeName::Light, 0));
    desk.press(Key::of(':'));
    desk.tell(Message::Click(Target::Choice(1)));
    assert_eq!(desk.model.selected.as_deref(), Some("mix-2-2"), "the one before the last");
}

#[test]
fn the_help_finds_what_is_typed() {
    let mut desk = Desk::running();
    desk.press(Key::of('?'));
    assert!(text(&desk.screen(80, 24)).contains("SIGKILL"));
    desk.press(Key::of('/'));
    desk.type_text("freeze");
    let found = text(&desk.screen(80, 24));
    assert!(found.contains("freeze the view") && !found.contains("SIGKILL"), "{found}");
    desk.press(ENTER);
    desk.press(ESC);
    let all = text(&desk.screen(80, 24));
    assert!(all.contains("SIGKILL"), "the filter goes first: {all}");
    desk.press(ESC);
    assert_eq!(desk.model.overlays.len(), 0);
}

#[test]
fn the_users_keys_are_those_that_work_and_those_that_are_shown() {
    let text_of = "[keys]\nkill-node = \"K\"\nquit = \"f10\"\npalette = \"ctrl-p\"\nyes = \"j\"\n";
    let keys = crate::Keys::parse("keys.toml", text_of).expect("good");
    let mut desk =
        Desk::connected(Fixture::two_by_three(), Settings { keymap: keys.0, ..settings() });
    desk.model.selected = Some("mix-2-2".into());
    assert!(hint_line(&mut desk, 200).contains("K kill"));
    assert!(hint_line(&mut desk, 80).contains("ctrl-p more"));
    desk.press(Key::of('X'));
    assert_eq!(desk.model.overlays.len(), 0, "it means nothing now");
    desk.press(Key::of('K'));
    assert!(text(&desk.screen(80, 24)).contains("kill mix-2-2 (j)"));
    assert_eq!(desk.press(Key::of('j')).len(), 1);
    desk.press(Key::of('?'));
    assert!(text(&desk.screen(80, 100)).contains("│ K                 end the selected process"));
    desk.press(ESC);
    desk.press(Key::ctrl('p'));
    desk.type_text("quit");
    assert!(text(&desk.screen(80, 24)).contains("f10       quit"));
}

#[test]
fn an_action_without_a_key_is_in_the_palette_and_not_in_the_hints() {
    let none = BTreeMap::from([("kill-node", Vec::new())]);
    let keymap = Keymap::new(none);
    let mut desk = Desk::connected(Fixture::two_by_three(), Settings { keymap, ..settings() });
    assert!(!hint_line(&mut desk, 200).contains("kill"));
    desk.model.selected = Some("mix-2-2".into());
    desk.press(Key::of(':'));
    desk.type_text("kill");
    desk.press(ENTER);
    assert!(text(&desk.screen(80, 24)).contains("Kill mix-2-2?"));
}

#[test]
fn how_it_looked_is_remembered_once_it_changes_and_is_so_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::new(folder.path().into());
    let fresh = || Settings { store: Some(store.clone()), ..settings() };
    let mut desk = Desk::connected(Fixture::two_by_three(), fresh());
    let first = desk.tell(Message::Tick);
    assert_eq!(first.len(), 1, "how it is at first");
    assert_eq!(desk.tell(Message::Tick), [], "nothing has changed");
    for key in ['t', '2', 'o', 'o', 'O', '6', 'z'] {
        desk.press(Key::of(key));
    }
    let effects = desk.tell(Message::Tick);
    let [Effect::Remember(_, remembered)] = effects.as_slice() else { panic!("{effects:?}") };
    store.write(remembered).expect("it can be written");
    let again = Settings { remembered: store.read().expect("it is there"), ..fresh() };
    let again = Desk::connected(Fixture::two_by_three(), again);
    assert_eq!(again.model.screen, Screen::Logs);
    assert_eq!(again.model.theme, ThemeName::Light);
    assert!(again.model.is_zoomed());
    assert_eq!(again.model.remembered(), desk.model.remembered());
    let asked = Settings {
        theme: Some(ThemeName::Monochrome),
        remembered: desk.model.remembered(),
        ..settings()
    };
    let asked = Desk::connected(Fixture::two_by_three(), asked);
    assert_eq!(asked.model.theme, ThemeName::Monochrome, "what is asked for wins");
}

#[test]
fn what_cannot_be_remembered_is_said_once_and_strange_memories_do_no_harm() {
    let remembered = Remembered {
        screen: "No such screen".into(),
        theme: "mauve".into(),
        zoomed: vec!["Logs".into(); 1000],
        sorted_by: "\u{1b}[2J".into(),
        reversed: true,
        chosen: vec!["x".into(); 1000],
        toured: false,
    };
    let store = Some(Store::new("/nowhere".into()));
    let settings = Settings { remembered, store, ..settings() };
    let mut desk = Desk::connected(Fixture::two_by_three(), settings);
    assert_eq!((desk.model.screen, desk.model.theme), (Screen::Network, ThemeName::Default));
    assert_eq!(desk.tell(Message::Tick).len(), 1);
    desk.tell(Message::Remembered(Err(Problem("read-only file system".into()))));
    assert!(hint_line(&mut desk, 120).contains("cannot remember how this looks: read-only file"));
    desk.press(Key::of('2'));
    assert_eq!(desk.tell(Message::Tick), [], "it is not tried again");
}

#[test]
fn what_is_copied_is_bounded_and_says_so() {
    let mut desk = Desk::running();
    let long = "é".repeat(60_000);
    desk.hear(StreamEvent::Message(fixture::message("alice", "bob", &long)));
    desk.hear(fixture::log("alice", Duration::ZERO, &long));
    desk.press(Key::of('6'));
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { text, what }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(text.len() <= 64 * 1024 && text.starts_with("alice éé"), "{}", text.len());
    assert_eq!(what, "the first 64 KiB of the line");
    desk.model.selected = Some("crowd".into());
    desk.press(Key::of('2'));
    let effects = desk.press(Key::of('y'));
    let [Effect::Copy { what, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(what, "8 keys of crowd");
}

#[test]
fn old_data_is_dated() {
    let mut desk = Desk::eventful(settings());
    desk.tell(Message::Disconnected { reason: "the supervisor closed the event stream".into() });
    for width in [80, 120, 200] {
        let screen = text(&desk.screen(width, 40));
        let header = screen.lines().next().expect("a header");
        assert!(header.contains("reconnecting in 1 s, as of 12:00:17"), "{header}");
    }
}

#[test]
fn the_header_keeps_what_matters_most_at_every_width() {
    let mut desk = Desk::eventful(settings());
    desk.hear(StreamEvent::Lost { count: 7, links: 0, node: "supervisor".into() });
    for width in [60, 80, 120, 200] {
        let screen = text(&desk.screen(width, 40));
        let header = screen.lines().next().expect("a header");
        assert!(header.contains("default") && header.contains("● live"), "{header}");
        assert!(header.contains("ready") && header.contains("7 "), "{header}");
        assert!(width < 80 || header.contains("66 pkt/s"), "{header}");
        assert!(width < 120 || header.contains("3 problems"), "{header}");
        assert!(width < 200 || header.contains("10 clients"), "{header}");
        assert!(width < 200 || header.contains("acks on"), "{header}");
    }
}

#[test]
fn short_names_of_screens_tell_them_apart() {
    let short: std::collections::BTreeSet<_> =
        Screen::ALL.into_iter().map(|screen| screen.context().title().get(..4)).collect();
    assert_eq!(short.len(), Screen::ALL.len());
}

#[test]
fn overlays_at_every_size_without_colour_and_in_ascii() {
    for (name, look) in [
        ("", settings()),
        ("monochrome-", Settings { no_color: true, ..settings() }),
        ("ascii-", Settings { ascii: true, ..settings() }),
    ] {
        let mut desk = Desk::eventful(look);
        for (what, key) in [("palette", ':'), ("question", 'X'), ("help", '?')] {
            desk.press(Key::of(key));
            let sizes: &[(u16, u16)] =
                if name.is_empty() { &[(120, 40), (200, 50)] } else { &[(80, 24)] };
            for &(width, height) in sizes {
                let shown = text(&desk.screen(width, height));
                assert!(name != "ascii-" || shown.is_ascii(), "{shown}");
                assert_snapshot!(format!("{name}{what}-{width}x{height}"), shown);
            }
            desk.press(ESC);
        }
    }
}

/// Text that a terminal would obey, wherever it may come from.
const NASTY: &str = "\u{1b}]0;x\u{7}\u{202e}a\u{200d}b\r\n\u{9b}2J👩‍👩‍👧日本\u{0}";

fn nasty_events(desk: &mut Desk) {
    let mut strange = desk.fixture.status("mix-2-1");
    strange.name = format!("x{NASTY}");
    strange.reason = NASTY.into();
    strange.last_exit = Some(NASTY.into());
    strange.public_keys = vec![NASTY.into()];
    desk.hear(StreamEvent::Node(strange));
    let mut message = fixture::message("alice", "bob", NASTY);
    message.error = Some(NASTY.into());
    desk.hear(StreamEvent::Message(message));
    desk.hear(fixture::received("bob", NASTY));
    desk.hear(fixture::log(NASTY, Duration::ZERO, &NASTY.repeat(30_000)));
}

#[test]
fn nothing_that_a_terminal_would_obey_is_on_any_screen_or_in_any_window() {
    for ascii in [false, true] {
        let mut desk = Desk::connected(Fixture::two_by_three(), Settings { ascii, ..settings() });
        nasty_events(&mut desk);
        desk.model.selected = Some(format!("x{NASTY}"));
        for screen in Screen::ALL {
            for open in [None, Some(Action::Open), Some(Action::Help), Some(Action::Palette)] {
                desk.model.overlays.clear();
                desk.model.screen = screen;
                if let Some(action) = open {
                    crate::update::perform(&mut desk.model, action);
                }
                let buffer = desk.screen(120, 40);
                for cell in &buffer.content {
                    let symbol = cell.symbol();
                    assert!(!crate::text::would_be_obeyed(symbol), "{screen:?}: {symbol:?}");
                    assert!(!ascii || symbol.is_ascii(), "{screen:?}: {symbol:?}");
                }
            }
        }
    }
}

/// Something that may happen.
#[derive(Clone, Debug)]
enum Happening {
    Key(Key),
    Paste(String),
    Size(u16, u16),
    Second,
    Nasty,
    Snapshot,
    Lost,
    Connected,
    Ended,
    Click(usize),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let keys: Vec<Key> = Context::ALL
        .into_iter()
        .flat_map(action::in_context)
        // Leaving is tested elsewhere; here it would end the story.
        .filter(|spec| !matches!(spec.action, Action::Interrupt | Action::Suspend))
        .flat_map(|spec| spec.keys.iter().copied())
        .collect();
    prop_oneof![
        12 => prop::sample::select(keys).prop_map(Happening::Key),
        2 => ".{0,40}".prop_map(Happening::Paste),
        3 => (0_u16..=250, 0_u16..=80).prop_map(|(width, height)| Happening::Size(width, height)),
        2 => (1_u16..=70, 1_u16..=20).prop_map(|(width, height)| Happening::Size(width, height)),
        2 => Just(Happening::Second),
        1 => Just(Happening::Nasty),
        1 => Just(Happening::Snapshot),
        1 => Just(Happening::Lost),
        1 => Just(Happening::Connected),
        1 => Just(Happening::Ended),
        3 => any::<usize>().prop_map(Happening::Click),
    ]
}

/// Draws on a terminal of the model's size. Returns how many places can be pointed at.
fn draw(desk: &Desk) -> crate::regions::Regions {
    let Size { width, height } = desk.model.size;
    let backend = ratatui::backend::TestBackend::new(width, height);
    let mut terminal = ratatui::Terminal::new(backend).expect("a test backend");
    let mut regions = crate::regions::Regions::default();
    terminal.draw(|frame| regions = crate::draw::draw(&desk.model, frame)).expect("a test backend");
    regions
}

fn happen(desk: &mut Desk, happening: Happening) {
    match happening {
        Happening::Key(key) => drop(desk.press(key)),
        Happening::Paste(text) => drop(desk.tell(Message::Paste(text))),
        Happening::Size(width, height) => {
            desk.tell(Message::Resize((width, height).into()));
        }
        Happening::Second => desk.pass(1),
        Happening::Nasty => nasty_events(desk),
        Happening::Snapshot => {
            let snapshot = desk.fixture.snapshot(Duration::from_secs(desk.second));
            desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
        }
        Happening::Lost => drop(desk.tell(Message::Disconnected { reason: NASTY.into() })),
        Happening::Connected => drop(desk.tell(Message::Connected)),
        Happening::Ended => {
            for node in desk.fixture.nodes() {
                let ended = NodeStatus { state: State::Failed, pid: None, ..node };
                desk.hear(StreamEvent::Node(ended));
            }
            desk.hear(StreamEvent::Removed { node: "mix-2-1".into() });
        }
        Happening::Click(place) => {
            let Size { width, height } = desk.model.size;
            let cells = usize::from(width) * usize::from(height);
            let place = place % cells.max(1);
            let (column, row) =
                (place % usize::from(width.max(1)), place / usize::from(width.max(1)));
            let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else { return };
            let target = draw(desk).at(column, row).cloned();
            if let Some(target) = target {
                desk.tell(Message::Click(target));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn nothing_brings_it_down(
        ascii in any::<bool>(),
        begun in any::<bool>(),
        happenings in prop::collection::vec(any_happening(), 0..60),
    ) {
        let settings = Settings { ascii, ..settings() };
        let mut desk = if begun {
            Desk::eventful(settings)
        } else {
            Desk::new(Fixture::two_by_three(), settings)
        };
        for happening in happenings {
            happen(&mut desk, happening);
            draw(&desk);
        }
    }
}
