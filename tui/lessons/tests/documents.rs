//! `docs/lessons.md` says what there is, and its example is a lesson that works.

mod rig;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use lessons::{End, FACTS, FUNCTIONS, Lesson, Mode, Needs, Play, builtin};
use rig::{Devnet, Table};

const PAGE: &str = include_str!("../../../docs/lessons.md");

/// Blocks of TOML on the page.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

fn list() -> String {
    let mut list = String::from("| | name | minutes | what it is about |\n|--:|---|--:|---|\n");
    for lesson in builtin() {
        let Lesson { number, slug, minutes, about, network, .. } = lesson;
        let about = about.filled(&network.known());
        writeln!(list, "| {number} | `{slug}` | {minutes} | {about} |").expect("memory");
    }
    list
}

fn facts() -> String {
    let mut table = String::from("| function | what it comes to |\n|---|---|\n");
    for function in FUNCTIONS {
        writeln!(table, "| `{}` | {} |", function.usage(), function.says).expect("memory");
    }
    table.push_str("\n| fact | in | what it says |\n|---|---|---|\n");
    for fact in FACTS {
        writeln!(table, "| `{}` | {} | {} |", fact.usage(), fact.unit, fact.says).expect("memory");
    }
    table
}

/// The page with a part of it written anew.
fn with(page: &str, name: &str, new: &str) -> String {
    let begin = format!("<!-- {name}: written by the tests of `lessons` -->\n");
    let end = format!("<!-- end of {name} -->");
    let (before, rest) = page.split_once(&begin).expect(name);
    let (_, after) = rest.split_once(&end).expect(name);
    format!("{before}{begin}\n{new}\n{end}{after}")
}

#[test]
fn the_page_says_what_there_is() {
    let new = with(&with(PAGE, "lessons", &list()), "facts", &facts());
    if std::env::var_os("NYM_DEVNET_WRITE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lessons.md");
        std::fs::write(path, new).expect("it can be written");
    } else {
        let how = "docs/lessons.md is stale: `NYM_DEVNET_WRITE_DOCS=1 cargo test -p lessons`";
        assert!(PAGE == new, "{how}");
    }
}

#[test]
fn the_example_is_a_lesson_that_comes_to_its_goal_and_to_none_with_its_sabotage() {
    let [example] = blocks()[..] else { panic!("one block of TOML") };
    let lesson = Lesson::read("detour.toml", example).unwrap_or_else(|error| panic!("{error}"));
    let mut table = Table::new(Play::new(lesson.clone(), Mode::Machine, None), Devnet::new());
    table.pass(5);
    assert_eq!(table.end, Some(End::Finished { right: 1, asked: 1 }), "{:?}", table.shown);
    let patience = vec![Duration::from_secs(2); lesson.steps.len()];
    for which in 0..lesson.sabotages.len() {
        let lesson = lesson.sabotaged(which).expect("it has it");
        let play = Play::new(lesson, Mode::Sabotaged { which, patience: patience.clone() }, None);
        let mut table = Table::new(play, Devnet::new());
        table.pass(5);
        assert!(matches!(table.end, Some(End::Late { .. })), "{:?}", table.end);
    }
}

/// Defaults of the network, as the page has them.
#[test]
fn the_usual_network_is_the_one_that_the_page_names() {
    let Needs { layers, width, crowd, hop, slot, cover, acks, .. } = Needs::default();
    let named = format!(
        "`layers` [{layers}], `width` [{width}], `crowd` [{crowd}], `hop` [{hop}], `slot` [{slot}], \
         `cover` [{cover}]"
    );
    assert!(PAGE.contains(&named) && acks.is_none(), "{named}");
}

/// What the page has in its tables as actions can be read, and is the command that stands beside it.
#[test]
fn actions_of_the_page_are_actions() {
    let rows = PAGE.lines().skip_while(|line| *line != "| action | as a command |");
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let mut read = 0;
    for row in rows {
        let cell = row.split(" | ").next().expect("a cell");
        let actions = cell.split('`').skip(1).step_by(2);
        for action in actions.filter(|action| action.starts_with(['{', '"'])) {
            let step = format!("[[step]]\n[step.act]\ntext = \"x\"\ndo = [{action}]");
            let text = format!("slug = \"x\"\ntitle = \"x\"\nminutes = 1\nabout = \"x\"\n{step}");
            Lesson::read("x.toml", &text).unwrap_or_else(|error| panic!("{action}: {error}"));
            read += 1;
        }
    }
    assert!(read >= 8, "{read}");
}
