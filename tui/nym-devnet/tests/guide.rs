//! The guide is true: its commands run, in the order of each page, and print what the page says they do;
//! its screens are those that were recorded. `NYM_DEVNET_WRITE_DOCS=1` puts them into the pages anew.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::{Lab, Running};
use regex::Regex;

/// How long the commands of one block may take.
const BLOCK_SECONDS: u64 = 60;

/// How many pages are played beside each other: most of their time they wait for their networks.
const PAGES_AT_ONCE: usize = 3;

/// What stands for anything: any lines, or anything within a line.
const ANYTHING: &str = "…";

/// What begins a recorded screen: the path of its file, from the page, stands behind.
const RECORDED: &str = "```text ";

/// A block of commands, and what they print if the page says so.
struct Block {
    /// Line of the page, for whoever has to find it.
    line: usize,
    commands: String,
    prints: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide")
}

/// The pages by name, in order, with their text.
fn pages() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder()).expect("the guide");
    let mut pages: Vec<(String, String)> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("UTF-8"))
        })
        .collect();
    pages.sort();
    pages
}

/// The blocks of commands of a page. What a block of text directly behind one says is what it prints.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((line, text)) = lines.next() {
        let Some(language) = text.strip_prefix("```") else {
            // Between commands and what they print is nothing but an empty line.
            if !text.is_empty() {
                blocks.push(Block { line, commands: String::new(), prints: None });
            }
            continue;
        };
        let inside = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
        let inside = inside.collect::<Vec<_>>().join("\n");
        if text.starts_with(RECORDED) {
            continue;
        }
        match (language, blocks.last_mut()) {
            ("shell", _) => blocks.push(Block { line, commands: inside, prints: None }),
            ("text", Some(block)) if !block.commands.is_empty() => block.prints = Some(inside),
            _ => panic!("line {line}: a block of `{language}` that nothing checks"),
        }
    }
    blocks.retain(|block| !block.commands.is_empty());
    blocks
}

/// A page with its recorded screens as their files have them.
fn with_screens(page: &str) -> String {
    let mut with = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        with.push_str(line);
        with.push('\n');
        let Some(file) = line.strip_prefix(RECORDED) else { continue };
        let path = folder().join(file);
        let screen = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `examples/pictures.rs` says how it is made", path.display())
        });
        with.push_str(&screen);
        with.push_str("```\n");
        // What the page has of it.
        lines.by_ref().take_while(|line| *line != "```").for_each(drop);
    }
    with
}

/// Runs commands as a reader would, one block in a shell of its own, and gives back all that they print.
fn run(lab: &Lab, commands: &str) -> Result<String, String> {
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let folder = program.parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let mut shell = Command::new("sh");
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("NYM_DEVNET_")) {
        shell.env_remove(variable);
    }
    shell
        .args(["-ec", &format!("exec 2>&1\n{commands}")])
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("NYM_DEVNET_STATE_DIR", lab.path())
        // Another devnet on this machine may have the preferred ports.
        .env("NYM_DEVNET_PORTS", "auto")
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let done = Running { child: shell.spawn().expect("a shell") }.wait(BLOCK_SECONDS);
    match done.code {
        Some(0) => Ok(done.stdout),
        code => Err(format!("it ended with {code:?}:\n{}{}", done.stdout, done.stderr)),
    }
}

/// What may be otherwise at the next time, and what stands for it then. In this order.
static VARIES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let varies = [
        (r" +", " "),
        // Bytes, identifiers and keys.
        (r"\b[0-9a-f]{16,}\b", "0"),
        (r"\b[1-9A-HJ-NP-Za-km-z]{40,}\b", "0"),
        // Folders.
        (r"(^| )/[^ ]*", " /"),
        // Moments, addresses, names of mixnodes, and plain numbers.
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "0"),
        (r"\d+(?:[.:]\d+)*", "0"),
        // Units of time: what took 900 ms may take 1.1 s.
        (r"\b0[hm] 0[ms]\b", "0 s"),
        (r"\b0 ?(?:ms|s|m|h)\b", "0 s"),
        // Not known yet.
        (r"(^| )-( |$)", "${1}0${2}"),
        (r"(^| )-( |$)", "${1}0${2}"),
    ];
    varies.map(|(pattern, by)| (Regex::new(pattern).expect("a pattern"), by)).into()
});

/// A line without what may be otherwise at the next time.
fn bare(line: &str) -> String {
    let line = VARIES
        .iter()
        .fold(line.to_owned(), |line, (varies, by)| varies.replace_all(&line, *by).into_owned());
    line.trim().to_owned()
}

/// Whether a line is as the page has it.
fn is_like(printed: &str, page: &str) -> bool {
    let (printed, page) = (bare(printed), bare(page));
    let mut parts = page.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || page.ends_with(ANYTHING)
}

/// What of the page was not printed where it should be; none if all of it was.
fn difference(printed: &str, page: &str) -> Option<String> {
    // Who waits for more than a second is told so, on some machines.
    static PROGRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\d+ s of ").expect("a pattern"));
    let mut lines = printed.lines().filter(|line| !PROGRESS.is_match(line)).peekable();
    let mut skips = false;
    for expected in page.lines() {
        if expected.trim() == ANYTHING {
            skips = true;
            continue;
        }
        let mut next = lines.next();
        while skips && next.is_some_and(|line| !is_like(line, expected)) {
            next = lines.next();
        }
        match next {
            Some(line) if is_like(line, expected) => skips = false,
            Some(line) => return Some(format!("`{line}` instead of `{expected}`")),
            None => return Some(format!("nothing instead of `{expected}`")),
        }
    }
    let left = lines.next().filter(|_| !skips);
    left.map(|line| format!("`{line}`, of which the page says nothing"))
}

/// What follows `nym-devnet` wherever it is in a page: in a block, or between back-ticks.
fn named(page: &str) -> Vec<String> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)(?:^|`|\| |\$\()nym-devnet ([a-z]+)").expect("a pattern")
    });
    NAMED.captures_iter(page).map(|found| found[1].to_owned()).collect()
}

/// The commands that the program has.
fn commands(lab: &Lab) -> Vec<String> {
    let help = lab.run("--help").expect(0).stdout;
    let (_, list) = help.split_once("\nCommands:\n").expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Does what a page says; returns what is otherwise.
fn play(name: &str, page: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let blocks = blocks(page);
    assert!(!blocks.is_empty(), "{name} has no command");
    assert!(blocks.iter().any(|block| block.prints.is_some()), "{name} shows nothing");
    let lab = Lab::beside();
    for Block { line, commands, prints } in blocks {
        match run(&lab, &commands) {
            Err(problem) => {
                wrong.push(format!("{name}:{line}: {problem}"));
                // What comes behind would fail for it.
                break;
            }
            Ok(printed) => {
                let differs = prints.and_then(|prints| difference(&printed, &prints));
                wrong.extend(
                    differs.map(|differs| format!("{name}:{line}: {differs} in\n{printed}")),
                );
            }
        }
    }
    let left = lab.processes();
    if !left.is_empty() {
        wrong.push(format!("{name} leaves {left:?}"));
    }
    wrong
}

#[test]
fn every_page_does_what_it_says() {
    let pages = pages();
    let (_, of_list) = pages.split_last().expect("pages");
    let _turn = Lab::new();
    let next = AtomicUsize::new(0);
    // Each page has a folder and a network of its own.
    let player = || {
        let take = || of_list.get(next.fetch_add(1, Ordering::Relaxed));
        let played = std::iter::from_fn(take).map(|(name, page)| play(name, page));
        played.flatten().collect::<Vec<_>>()
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = (0..PAGES_AT_ONCE).map(|_| scope.spawn(player)).collect();
        players.into_iter().flat_map(|player| player.join().expect("a player")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn screens_are_those_that_were_recorded() {
    let mut count = 0;
    for (name, page) in pages() {
        let with = with_screens(&page);
        count += page.matches(RECORDED).count();
        if std::env::var_os("NYM_DEVNET_WRITE_DOCS").is_some() {
            std::fs::write(folder().join(&name), with).expect("written");
            continue;
        }
        let differs = page.lines().zip(with.lines()).find(|(page, file)| page != file);
        assert!(
            differs.is_none() && page.len() == with.len(),
            "{name} is not as its screens were recorded: {differs:?}; `NYM_DEVNET_WRITE_DOCS=1 cargo test \
             -p nym-devnet --test guide recorded` writes it anew"
        );
    }
    assert!(count > 0, "no page has a recorded screen");
}

#[test]
fn no_page_names_a_command_that_there_is_not() {
    let lab = Lab::new();
    let commands = commands(&lab);
    for (name, page) in pages() {
        for named in named(&page) {
            assert!(commands.contains(&named), "{name}: there is no `{named}`");
        }
    }
}

#[test]
fn every_page_is_in_the_list_and_leads_to_the_next() {
    let pages = pages();
    let (list, of_list) = pages.split_last().expect("pages");
    assert_eq!(list.0, "README.md");
    let links = Regex::new(r"\]\(([^)#]+)").expect("a pattern");
    let listed: Vec<&str> = links
        .captures_iter(&list.1)
        .map(|found| found.get(1).expect("a link").as_str())
        .filter(|link| !link.starts_with(".."))
        .collect();
    let names: Vec<&str> = of_list.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(listed, names);
    for (index, (name, page)) in of_list.iter().enumerate() {
        let next = names.get(index + 1).copied().unwrap_or("README.md");
        let end = page.lines().last().expect("a line");
        assert!(end.contains(&format!("]({next})")), "{name} does not lead to {next}");
        for link in links.captures_iter(page).map(|found| found[1].to_owned()) {
            let is_here = link.starts_with("https://") || folder().join(&link).exists();
            assert!(is_here, "{name}: there is no {link}");
        }
    }
}

#[test]
fn numbers_may_differ_and_words_may_not() {
    for (printed, page) in [
        (
            "alice → bob: delivered after 460 ms, 1 packet",
            "alice → bob: delivered after 1.28 s, 2 packet",
        ),
        ("guide  10 of 11 processes ready, up 2m 26s", "guide 8 of 11 processes ready, up 31s"),
        ("mix-1-1     -  0.10 ms  none", "mix-1-2 30.1 2.10 ms none"),
        ("  folder     /tmp/a/b", "folder /home/c"),
        ("message fa113ebd39105fcaa3c737dd432182cd", "message 48c9f96c5c982ac4432e95d0997cf14c"),
        ("1 packet and 1 sent again via mix-1-1", "1 packet… via mix-1-2"),
    ] {
        assert!(is_like(printed, page), "{} is not {}", bare(printed), bare(page));
    }
    for (printed, page) in [
        ("alice → bob: failed after 460 ms", "alice → bob: delivered after 460 ms"),
        ("mix-1-1  3 queue", "mix-1-1  none"),
        ("mix-1-1  none, and more", "mix-1-1  none"),
        ("bob", "…alice"),
    ] {
        assert!(!is_like(printed, page), "{} is {}", bare(printed), bare(page));
    }
    assert_eq!(difference("a\n2 s of 30s: it starts\nb 1\nc\n", "a\nb 2\n…"), None);
    assert_eq!(difference("x\ny\nb 1\n", "…\nb 2"), None);
    for (printed, page) in [("a\nb\n", "a"), ("a\n", "a\nb"), ("a\nc\n", "a\nb"), ("a\n", "…\nb")]
    {
        assert!(difference(printed, page).is_some(), "{printed:?} is {page:?}");
    }
}
