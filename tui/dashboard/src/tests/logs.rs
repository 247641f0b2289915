//! Logs: narrowing, searching, reading long lines, and the whole file.

use std::path::PathBuf;
use std::time::Duration;

use control::LOG_LINE_BYTES;
use crossterm::event::KeyCode;
use insta::assert_snapshot;

use super::{Desk, settings, text};
use crate::fixture;
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::Settings;

const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);

/// In front of lines of all levels, one of which is long.
fn desk(settings: Settings) -> Desk {
    let mut desk = Desk::eventful(settings);
    let long = format!("INFO client: {}", "a word after another ".repeat(30));
    for (node, line) in [
        ("alice", "DEBUG client: slot 12 fires"),
        ("bob", long.as_str()),
        ("mix-1-2", "thread 'main' panicked at src/main.rs:1:1:"),
        ("crowd", "WARN crowd: 漢字 and a \u{1b}[31mcolour"),
    ] {
        let at = Duration::from_millis(1000 * desk.second + 250);
        desk.hear(fixture::log(node, at, line));
    }
    desk.press(Key::of('6'));
    desk
}

fn shown(desk: &mut Desk) -> String {
    text(&desk.screen(100, 30))
}

#[test]
fn logs_with_broken_lines_at_every_size() {
    let mut desk = desk(settings());
    desk.press(Key::of('w'));
    desk.press(Key::of('s'));
    desk.type_text("colour|alice");
    desk.press(ENTER);
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        assert_snapshot!(
            format!("logs-wrapped-{width}x{height}"),
            text(&desk.screen(width, height))
        );
    }
    let mut desk = self::desk(Settings { ascii: true, no_color: true, ..settings() });
    desk.press(Key::of('w'));
    assert_snapshot!("logs-wrapped-ascii-80x24", text(&desk.screen(80, 24)));
}

#[test]
fn no_size_is_too_small_for_broken_lines() {
    let mut desk = desk(settings());
    for key in [Key::of('w'), Key::of('s'), Key::of('x'), ENTER, Key::of('/'), Key::of('a')] {
        desk.press(key);
        for width in (0..90).step_by(7) {
            for height in (0..30).step_by(3) {
                desk.screen(width, height);
                desk.press(Key::code(KeyCode::Up));
            }
        }
    }
}

#[test]
fn a_level_leaves_out_what_is_less_bad_and_a_panic_is_the_worst() {
    let mut desk = desk(settings());
    assert!(shown(&mut desk).contains("8 lines"));
    desk.press(Key::of('v'));
    assert!(shown(&mut desk).contains("debug and worse  8 lines"));
    (0..3).for_each(|_| drop(desk.press(Key::of('v'))));
    let screen = shown(&mut desk);
    assert!(screen.contains("error and worse  2 lines"), "{screen}");
    assert!(screen.contains("panicked") && screen.contains("no acknowledgement"), "{screen}");
    desk.press(ESC);
    assert!(shown(&mut desk).contains("8 lines"), "esc takes it back");
}

#[test]
fn a_filter_is_an_expression_or_what_it_says() {
    let mut desk = desk(settings());
    desk.press(Key::of('/'));
    desk.type_text("^(warn|error)");
    desk.press(ENTER);
    assert!(shown(&mut desk).contains("3 lines"), "{}", shown(&mut desk));
    desk.press(ESC);
    desk.press(Key::of('/'));
    desk.type_text("[31m");
    let screen = shown(&mut desk);
    assert!(screen.contains("2 lines"), "{screen}");
    assert!(screen.contains("no regular expression, so taken as it stands"), "{screen}");
    desk.press(ESC);
    desk.press(Key::of('/'));
    desk.type_text("nothing like it");
    assert!(shown(&mut desk).contains("no line is like this: esc drops the filter"));
}

#[test]
fn a_search_jumps_from_line_to_line_and_round_the_ends() {
    let mut desk = desk(settings());
    desk.press(Key::of('n'));
    assert!(shown(&mut desk).contains("search for something first"));
    desk.press(Key::of('s'));
    desk.type_text("client:");
    desk.press(ENTER);
    let line = |desk: &mut Desk| match desk.press(Key::of('y')).as_slice() {
        [Effect::Copy { text, .. }] => text.chars().take(12).collect::<String>(),
        effects => panic!("{effects:?}"),
    };
    assert_eq!(line(&mut desk), "bob INFO cli", "the newest first");
    assert!(shown(&mut desk).contains("8 lines"), "the others stay");
    let mut found = Vec::new();
    for key in ['N', 'N', 'N', 'n', 'n'] {
        desk.press(Key::of(key));
        found.push(line(&mut desk));
    }
    let [debug, error, info] = ["alice DEBUG ", "alice ERROR ", "bob INFO cli"];
    assert_eq!(found, [debug, error, info, error, debug]);
    desk.press(Key::of('s'));
    desk.type_text(" of nobody");
    desk.press(ENTER);
    assert!(shown(&mut desk).contains("no line that is shown has this"));
}

#[test]
fn a_long_line_is_scrolled_or_broken_and_one_that_was_cut_says_where_the_rest_is() {
    let mut desk = desk(settings());
    let cut = format!("INFO {}END…", "x".repeat(LOG_LINE_BYTES));
    let at = Duration::from_secs(desk.second);
    desk.hear(fixture::log("alice", at, &cut));
    assert!(!shown(&mut desk).contains("END"));
    (0..255).for_each(|_| drop(desk.press(Key::of('l'))));
    assert!(
        shown(&mut desk).contains("END… [the rest is only in its file]"),
        "{}",
        shown(&mut desk)
    );
    desk.press(Key::of('w'));
    let screen = shown(&mut desk);
    assert!(screen.contains("END…") && screen.contains("file]"), "{screen}");
    // It is higher than the pane: its beginning is above.
    assert!(!screen.contains("INFO xxx"), "{screen}");
    let mut steps = 0;
    while !shown(&mut desk).contains("INFO xxx") {
        desk.press(Key::of('k'));
        steps += 1;
        assert!(steps < 30, "its beginning is never seen: {}", shown(&mut desk));
    }
    assert!(steps > 5, "row by row: {steps}");
}

#[test]
fn the_pager_gets_the_file_of_what_is_shown() {
    let mut desk = desk(settings());
    let page = |desk: &mut Desk| match desk.press(Key::of('e')).as_slice() {
        [Effect::Page { file }] => file.clone(),
        effects => panic!("{effects:?}"),
    };
    assert_eq!(page(&mut desk), PathBuf::from("/tmp/devnet/logs/crowd.log"), "of the newest line");
    desk.press(Key::code(KeyCode::Tab));
    desk.press(Key::of('j'));
    assert_eq!(page(&mut desk), PathBuf::from("/tmp/devnet/logs/supervisor.log"));
    desk.press(Key::of('j'));
    assert_eq!(page(&mut desk), PathBuf::from("/tmp/devnet/logs/directory.log"));
    let result = Err(Problem("there is no file /tmp/devnet/logs/directory.log yet".into()));
    desk.tell(Message::Paged { result });
    assert!(shown(&mut desk).contains("there is no file /tmp/devnet/logs/directory.log yet"));
}
