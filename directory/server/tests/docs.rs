//! What `docs/directory.md` says of routes, options and limits is what the program has. Its table of
//! differences is compared in `golden.rs`.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use directory_api::{MAX_LISTED_CLIENTS, MAX_REGISTERED_CLIENTS};
use directory_server::limits;
use reqwest::Client;
use serde_json::Value;
use support::{Directory, soon};

const PAGE: &str = include_str!("../../../docs/directory.md");

/// Rows of the table whose head begins with this cell: their cells, the first two of which have no
/// bars in them.
fn table(first: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = PAGE.split_once(&format!("\n| {first} |")).expect("such a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').skip(1).map(str::trim).collect()).collect()
}

#[tokio::test]
async fn every_route_is_in_the_table_and_no_other() {
    let directory = Directory::start().await;
    let request = Client::new().get(directory.url("/swagger/doc.json")).send();
    let document = soon(soon(request).await.expect("an answer").text()).await.expect("a body");
    directory.stop().await;
    let document: Value = serde_json::from_str(&document).expect("a document");
    let mut routes = BTreeSet::from(["`GET /`".to_owned(), "`GET /swagger/index.html`".into()]);
    for (path, item) in document["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("methods").keys();
        routes.extend(methods.map(|method| format!("`{} {path}`", method.to_uppercase())));
    }
    let written = table("route").into_iter().map(|row| row[0].to_owned());
    assert_eq!(written.collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_option_is_in_the_table_with_its_default() {
    let program = env!("CARGO_BIN_EXE_nym-directory");
    let output = Command::new(program).arg("--help").output().expect("help");
    let help = String::from_utf8(output.stdout).expect("text");
    let mut options = BTreeMap::new();
    let mut option = "";
    for line in help.lines().map(str::trim) {
        if let Some(name) = line.rsplit(' ').find(|word| word.starts_with("--")) {
            option = name;
            options.insert(name, "");
        } else if let Some(default) = line.strip_prefix("[default: ") {
            options.insert(option, default.trim_end_matches(']'));
        }
    }
    for of_every_program in ["--help", "--version"] {
        assert!(options.remove(of_every_program).is_some(), "{help}");
    }
    let written = table("option").into_iter().map(|row| {
        let name = row[0].trim_matches('`').split(' ').next().expect("an option");
        (name, row[1].trim_matches('`'))
    });
    assert_eq!(written.collect::<BTreeMap<_, _>>(), options);
}

#[test]
fn every_limit_is_in_the_table() {
    let limits = [
        ("bytes of a body", limits::MAX_BODY_BYTES),
        ("bytes of a provider's body", limits::MAX_PROVIDER_BODY_BYTES),
        ("bytes of a key", limits::MAX_KEY_BYTES),
        ("bytes of any other text", limits::MAX_TEXT_BYTES),
        ("registered clients of a provider", MAX_REGISTERED_CLIENTS),
        ("registered clients of all providers in a list", MAX_LISTED_CLIENTS),
        ("next hops in a report", limits::MAX_NEXT_HOPS),
        ("reports and next hops in a window", limits::MAX_WINDOW_ENTRIES),
        ("mixnodes", limits::MAX_MIXNODES),
        ("providers in each of their lists", limits::MAX_PROVIDERS),
        ("validators", limits::MAX_COCONODES),
        ("disallowed mixnodes", limits::MAX_DISALLOWED),
        ("websockets", limits::MAX_SUBSCRIBERS),
        ("connections", limits::MAX_CONNECTIONS),
        ("KiB of bodies longer than 4 KiB, together", limits::MAX_LONG_BODIES_KIB),
        ("histories on their way", limits::MAX_HISTORIES),
    ];
    let written = table("what").into_iter().map(|row| (row[0], row[1].parse().expect("a number")));
    assert_eq!(written.collect::<Vec<(_, usize)>>(), limits);
}
