//! What is written for people is true: the README's commands run, and the help is as it was reviewed.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::Lab;

/// The code blocks of a section of the README.
fn readme_blocks(section: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let section = format!("\n## {section}\n");
    let (_, text) = readme.split_once(&section).expect("the section");
    let text = text.split("\n## ").next().expect("split gives one");
    // Every second piece is inside a block; its first line names the language.
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').expect("lines").1.to_owned()).collect()
}

#[test]
fn the_readmes_script_does_what_it_says() {
    let lab = Lab::new();
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let folder = program.parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let blocks = readme_blocks("In scripts");
    let [script] = blocks.as_slice() else { panic!("one script in {blocks:?}") };
    let output = Command::new("sh")
        .args(["-ec", script])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("NYM_DEVNET_STATE_DIR", lab.path())
        // Another devnet on this machine may have the preferred ports.
        .env("NYM_DEVNET_PORTS", "auto")
        .output()
        .expect("a shell");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains(r#""route":["mix-1-"#), "{stdout}");
}

#[test]
fn the_readmes_first_commands_are_those_of_the_program() {
    let start = readme_blocks("Start").concat();
    for command in [
        "cargo run --release -- up --width 2 --layers 3",
        "cargo install --path tui/nym-devnet",
        "nym-devnet up --width 2 --layers 3",
        "cargo test --workspace",
    ] {
        assert!(start.lines().any(|line| line == command), "{command}");
    }
    let lab = Lab::new();
    lab.run("up --width 2 --layers 3 --dry-run").expect(0);
}

/// Help of a command, as the program prints it where nothing is set in its environment.
fn help_of(lab: &Lab, command: &str) -> String {
    // Options that come from the environment are shown with it: there is none.
    let mut help = lab.command(&format!("{command} --help"));
    help.env_remove("NYM_DEVNET_STATE_DIR");
    let output = help.output().expect("it starts");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Every command and what is below it, as help lists them: `up`, `layout show`, …
fn commands(lab: &Lab, below: &str) -> Vec<String> {
    let help = help_of(lab, below);
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let list = list.split("\n\n").next().expect("split gives one");
    // Lines that go on with a description begin further to the right.
    let lines = list.lines().filter(|line| !line.starts_with("   "));
    let names =
        lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let names = names.map(|name| format!("{below} {name}").trim_start().to_owned());
    names.flat_map(|name| [vec![name.clone()], commands(lab, &name)].concat()).collect()
}

#[test]
fn the_help_is_as_it_was_reviewed() {
    let lab = Lab::new();
    insta::assert_snapshot!("help-nym-devnet", help_of(&lab, ""));
    for command in commands(&lab, "") {
        let text = help_of(&lab, &command);
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "{command}");
            // The parser does not wrap a usage.
            let is_long = line.chars().count() > 100 && !line.starts_with("Usage: ");
            assert!(!is_long, "{command}: {line}");
        }
        insta::assert_snapshot!(format!("help-{}", command.replace(' ', "-")), text);
    }
}

#[test]
fn the_guide_has_every_command_and_names_no_other() {
    let lab = Lab::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let guide = std::fs::read_to_string(path).expect("the guide");
    let all = commands(&lab, "");
    for command in all.iter().filter(|command| !command.contains(' ')) {
        assert!(guide.contains(&format!("`nym-devnet {command}")), "nothing of `{command}`");
    }
    // Every second piece between back-ticks is in them.
    for quoted in guide.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
        let Some(line) = quoted.strip_prefix("nym-devnet ") else { continue };
        let command = line.split([' ', '|']).next().expect("split gives one");
        let is_known = all.iter().any(|known| known == command);
        let is_example = command == "COMMAND" || command.starts_with('-');
        assert!(is_known || is_example, "there is no `{command}`");
    }
}

#[test]
fn every_test_that_the_page_on_reliability_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/reliability.md")).expect("the page");
    // Every second piece between back-ticks is in them.
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let named: Vec<(&str, &str)> = quoted.filter_map(|quoted| quoted.split_once(".rs::")).collect();
    assert!(named.len() > 30, "{named:?}");
    for (file, test) in named {
        let path = root.join(format!("{file}.rs"));
        let source = std::fs::read_to_string(&path).expect(file);
        assert!(source.contains(&format!("fn {test}(")), "{file}.rs has no {test}");
    }
}

/// The words of an enum of reasons. It does not compile where one is missing.
macro_rules! words {
    ($of:ident: $($reason:ident)*) => {{
        let word = |reason: $of| match reason {
            $($of::$reason)|* => reason.word(),
        };
        [$(word($of::$reason)),*]
    }};
}

/// Reasons of clients, which have no type of their own.
const OF_CLIENTS: [&str; 5] = ["duplicate", "no-route", "overload", "node-key", "unknown-ack"];

/// The page is written by the dashboard from its table, which it is tested to be.
#[test]
fn every_reason_for_which_a_node_drops_packets_is_explained_and_no_other() {
    use mixnode::DropReason as Mixnode;
    use provider::DropReason as Provider;
    let mixnode =
        words!(Mixnode: Malformed Mac Replay Version Delay FinalHop PoolFull Layer UnknownHop);
    let provider = words!(Provider: Malformed Mac Replay Version ForwardHop UnknownClient MailboxFull
                                    ProviderFull Storage AckHop);
    let of_all = [runtime::drops::QUEUE].into_iter().chain(OF_CLIENTS);
    let counted: BTreeSet<&str> = mixnode.into_iter().chain(provider).chain(of_all).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/explain.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (_, section) = page.split_once("\n## Why packets are dropped\n").expect("the section");
    let section = section.split("\n## ").next().expect("split gives one");
    let entries = section.lines().filter_map(|line| line.strip_prefix("**")?.split_once(".**"));
    let explained: BTreeSet<&str> = entries.map(|(word, _)| word).collect();
    assert_eq!(explained, counted);
}
