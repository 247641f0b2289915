//! The arrows between crates point as ARCHITECTURE.md says.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate of the workspace may use of the others. Tests may use more.
const ARROWS: [(&str, &[&str]); 22] = [
    // What an observer infers must not come from what the nodes know.
    ("anonymity", &[]),
    ("contract", &[]),
    ("directory-api", &[]),
    ("origin", &[]),
    ("storage", &[]),
    ("wire", &[]),
    ("layouts", &["contract"]),
    ("sphinx", &["contract", "wire"]),
    ("directory-client", &["directory-api"]),
    ("directory-server", &["contract", "directory-api", "origin", "runtime"]),
    ("runtime", &["contract", "directory-api", "directory-client", "sphinx", "wire"]),
    ("standalone", &["contract", "directory-api", "directory-client", "runtime"]),
    (
        "mixnode",
        &[
            "contract",
            "directory-api",
            "directory-client",
            "runtime",
            "sphinx",
            "standalone",
            "wire",
        ],
    ),
    (
        "provider",
        &[
            "contract",
            "directory-api",
            "directory-client",
            "origin",
            "runtime",
            "sphinx",
            "standalone",
            "storage",
            "wire",
        ],
    ),
    (
        "client",
        &[
            "contract",
            "directory-api",
            "directory-client",
            "origin",
            "runtime",
            "sphinx",
            "standalone",
            "storage",
            "wire",
        ],
    ),
    ("control", &["contract", "directory-api"]),
    (
        "supervisor",
        &["contract", "control", "directory-api", "directory-client", "layouts", "origin"],
    ),
    ("vantage", &["anonymity", "contract", "control"]),
    ("lessons", &["anonymity", "contract", "control", "directory-api", "vantage"]),
    ("tutor", &["contract", "control", "lessons"]),
    (
        "dashboard",
        &["anonymity", "contract", "control", "directory-api", "lessons", "tutor", "vantage"],
    ),
    (
        "nym-devnet",
        &[
            "client",
            "contract",
            "control",
            "dashboard",
            "directory-api",
            "directory-client",
            "directory-server",
            "layouts",
            "lessons",
            "mixnode",
            "provider",
            "runtime",
            "supervisor",
            "tutor",
            "vantage",
        ],
    ),
];

/// Crates that only few others may know: nobody else depends on what they are made of.
const HIDDEN: [(&str, &[&str]); 5] = [
    ("sphinx-packet", &["sphinx"]),
    ("cel", &["lessons"]),
    ("hpke", &["sphinx"]),
    ("rusqlite", &["client", "provider", "storage"]),
    ("ratatui", &["dashboard"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("a list").iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a list").iter();
            // The kind of a normal dependency is null.
            let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
            (text(&package["name"]), normal.map(|d| text(&d["name"])).collect())
        })
        .collect()
}

#[test]
fn every_crate_uses_only_what_it_may() {
    let dependencies = dependencies();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let names: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(names, allowed.keys().copied().collect(), "the table knows every crate");
    for (name, uses) in &dependencies {
        let inside = uses.iter().map(String::as_str).filter(|used| names.contains(used));
        let unexpected: Vec<&str> =
            inside.filter(|used| !allowed[name.as_str()].contains(used)).collect();
        assert!(unexpected.is_empty(), "{name} uses {unexpected:?}");
    }
}

#[test]
fn what_a_crate_hides_nobody_else_sees() {
    for (name, uses) in dependencies() {
        for (hidden, keepers) in HIDDEN {
            let may = keepers.contains(&name.as_str());
            assert!(may || !uses.contains(hidden), "{name} uses {hidden}");
        }
    }
}
