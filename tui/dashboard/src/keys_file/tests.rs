//! Files of keys, right and wrong.

use crossterm::event::KeyCode;

use super::*;
use crate::action::Action;

fn fault(text: &str) -> KeysFault {
    Keys::parse("keys.toml", text).expect_err(text)
}

fn bound(keys: &Keys, context: Context, key: Key) -> Option<Action> {
    keys.0.bound(context, key).map(|spec| spec.action)
}

#[test]
fn what_is_named_has_other_keys_and_the_rest_its_own() {
    let text = "[keys]\nkill-node = \"K\"\nstop-node = [\"X\", \"ctrl-x\", \"f5\"]\nsort = []\n";
    let keys = Keys::parse("keys.toml", text).expect("good");
    let on_nodes = |key| bound(&keys, Context::Nodes, key);
    assert_eq!(on_nodes(Key::of('K')), Some(Action::Kill));
    for key in [Key::of('X'), Key::ctrl('x'), Key::code(KeyCode::F(5))] {
        assert_eq!(on_nodes(key), Some(Action::Stop));
    }
    assert_eq!((on_nodes(Key::of('x')), on_nodes(Key::of('o'))), (None, None));
    assert_eq!(on_nodes(Key::of('r')), Some(Action::Restart));
}

#[test]
fn mistakes_are_named_with_their_place_and_what_would_be_right() {
    for (text, origin, message, hint) in [
        ("[keys]\n  kil-node = \"K\"\n", "2:3", "unknown action `kil-node`", "`kill-node`?"),
        ("[keys]\nquit = \"e\"\nopen = \"bö\"", "3:8", "`bö` is not a key", "enter, esc"),
        ("[keys]\nquit = 1\n", "2:8", "a key of `quit` is not a text", "enter, esc"),
        ("[key]\nquit = \"e\"\n", "1:2", "unknown section `key`", "below `[keys]`"),
        ("quit = \"e\"\n", "1:1", "`quit` stands outside of `[keys]`", "below `[keys]`"),
        ("[keys]\nquit = \"e\n", "2:10", "", "below `[keys]`"),
        ("[keys]\nleave-input = \"q\"\n", "2:15", "cannot be done with `q`", "takes it as text"),
        ("[keys]\n# x\nquit = []\n", "3:1", "`quit` has no key", "no way out"),
    ] {
        let found = fault(text);
        assert!(found.origin.starts_with(&format!("keys.toml:{origin}")), "{text}: {found:?}");
        assert!(found.message.contains(message), "{text}: {found:?}");
        assert!(found.hint.contains(hint), "{text}: {found:?}");
    }
    let bad = fault("[keys]\n\"\\u001b[2J\" = \"x\"\n");
    assert!(!bad.message.contains('\u{1b}'), "{bad:?}");
}

#[test]
fn a_key_that_means_two_things_in_one_place_is_refused() {
    let found = fault("[keys]\n\nkill-node = \"r\"\n");
    assert_eq!(found.origin, "keys.toml:3:1");
    assert_eq!(found.message, "`r` is the key of both `kill-node` and `restart-node` in Network");
    // Swapped, each has one.
    let text = "[keys]\nkill-node = \"r\"\nrestart-node = \"X\"\n";
    assert!(Keys::parse("keys.toml", text).is_ok());
}

#[test]
fn the_printed_file_says_what_is_so_without_it() {
    let document = Keys::document();
    assert_eq!(Keys::parse("keys.toml", &document), Ok(Keys::default()));
    // Every line of it is right, too.
    let spoken = document.replace("\n# ", "\n");
    let (_, lines) = spoken.split_once("[keys]\n").expect("a section");
    let keys = Keys::parse("keys.toml", &format!("[keys]\n{lines}")).expect("good");
    for spec in ACTIONS {
        assert_eq!(keys.0.keys(spec), spec.keys, "{}", spec.name);
    }
}

#[test]
fn every_key_is_written_as_it_is_read() {
    for key in ACTIONS.iter().flat_map(|spec| spec.keys) {
        assert_eq!(Key::parse(&key.word()), Some(*key), "{}", key.word());
    }
    for wrong in ["", "ctrl-", "ctrl-é", "alt-ctrl-x", "ctrl-alt-x", "f13", "f0", "xy", "Enter "] {
        assert_eq!(Key::parse(wrong), None, "{wrong:?}");
    }
}
