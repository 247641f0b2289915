//! The list of actions: no key means two things, and what is written from the list is up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::action::{self, ACTIONS, Action, Context};
use crate::keymap::Keymap;
use crate::keys::Key;
use crate::overlay::Overlay;

#[test]
fn no_two_actions_share_a_key_in_one_context() {
    for context in Context::ALL {
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        for spec in action::in_context(context) {
            for key in spec.keys {
                let before = taken.insert(key.word(), spec.name);
                assert_eq!(before, None, "{} in {context:?}", key.word());
            }
        }
    }
}

#[test]
fn every_action_has_a_name_of_its_own_a_key_and_a_place() {
    let mut names = BTreeSet::new();
    for spec in ACTIONS {
        assert!(names.insert(spec.name), "{} twice", spec.name);
        assert!(spec.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", spec.name);
        assert!(!spec.keys.is_empty() && !spec.contexts.is_empty(), "{}", spec.name);
        // The help has room for this much on 80 columns.
        assert!((1..=58).contains(&spec.description.len()), "{}", spec.name);
        assert!(spec.changes || !spec.destructive, "{} destroys, so it changes", spec.name);
    }
}

#[test]
fn text_can_be_typed_wherever_text_is_taken_and_every_place_can_be_left() {
    for context in Context::ALL {
        let typed = action::in_context(context)
            .flat_map(|spec| spec.keys)
            .find(|key| key.typed().is_some());
        assert!(!context.takes_text() || typed.is_none(), "{typed:?} cannot be typed");
        assert!(Keymap::default().bound(context, Key::ctrl('c')).is_some());
        let left = [Action::Quit, Action::Close, Action::LeaveInput, Action::No];
        assert!(action::in_context(context).any(|spec| left.contains(&spec.action)));
    }
}

#[test]
fn the_help_of_each_place_lists_each_of_its_actions() {
    for context in Context::ALL {
        let mut desk = super::Desk::running();
        desk.model.overlays.push(Overlay::help(context));
        let shown = super::text(&desk.screen(200, 100));
        for spec in action::in_context(context) {
            assert!(shown.contains(spec.description), "{} in {context:?}", spec.name);
        }
    }
}

/// `docs/keybindings.md` is generated. To write it anew:
/// `NYM_DEVNET_WRITE_DOCS=1 cargo test -p dashboard`.
#[test]
fn the_list_of_keys_in_the_documents_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/keybindings.md");
    let generated = document();
    if std::env::var_os("NYM_DEVNET_WRITE_DOCS").is_some() {
        std::fs::write(&path, &generated).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/keybindings.md exists");
    assert!(
        written == generated,
        "docs/keybindings.md is stale: NYM_DEVNET_WRITE_DOCS=1 cargo test -p dashboard"
    );
}

fn document() -> String {
    let mut out = String::from(
        "# Keys of the dashboard\n\n\
         Written by a test from the list in `tui/dashboard/src/action/list.rs`; do not edit. In the \
         dashboard itself, `?` shows the keys of the place where you are, and `:` finds any action \
         by its name.\n\n\
         Actions marked \\* change the devnet, and \\*\\* interrupt a process and ask before. With \
         `--read-only` neither does anything.\n\n\
         ## Keys of your own\n\n\
         `nym-devnet keys > ~/.config/nym-devnet/keys.toml` writes a file with a line for each \
         action, all of them comments. Take the `#` away from a line and write other keys into it; \
         what the file does not name keeps its keys. `--keys FILE` or `NYM_DEVNET_KEYS` names \
         another file. An action may have up to eight keys, or none (`[]`): then it is found with \
         the palette. Hints, help and palette show your keys. An unknown action, a key that is none, \
         and a key that would mean two things in one place are said with file, line and column \
         before anything is started, with exit code 2.\n\n\
         ```toml\n[keys]\nkill-node = \"K\"\nquit = [\"q\", \"f10\"]\nsort = []\n```\n",
    );
    for context in Context::ALL {
        let _ = write!(out, "\n## {}\n\n| Key | Action | |\n|---|---|---|\n", context.title());
        for spec in action::in_context(context) {
            let keys: Vec<String> =
                spec.keys.iter().map(|key| format!("`{}`", key.word())).collect();
            let mark = match (spec.destructive, spec.changes) {
                (true, _) => " **",
                (false, true) => " *",
                (false, false) => "",
            };
            let mark = mark.replace('*', "\\*");
            let _ = writeln!(
                out,
                "| {} | {}{mark} | {} |",
                keys.join(" "),
                spec.name,
                spec.description
            );
        }
    }
    out
}

#[test]
fn the_example_in_the_documents_is_right() {
    let document = document();
    let (_, example) = document.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("an end");
    assert_eq!(crate::Keys::parse("keys.toml", example).map(drop), Ok(()));
}
