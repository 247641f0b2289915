//! The layouts that are built in are right, follow the schema, and say what they show.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::Path;

use contract::Change;
use layouts::{Layout, Override, Plan, Ports, Resolved, Source};
use serde_json::{Value, json};

fn nothing(_: &str) -> Result<String, VarError> {
    Err(VarError::NotPresent)
}

fn builtin(name: &str) -> (Source, Resolved) {
    let source = Source::builtin(name).expect(name);
    let resolved = layouts::resolve(Some(&source), &[], &nothing).expect(name);
    (source, resolved)
}

/// A layout file as the JSON that a schema speaks of.
fn as_json(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).expect("TOML");
    serde_json::to_value(table).expect("JSON")
}

fn follows(validator: &jsonschema::Validator, text: &str) -> Result<(), String> {
    validator.validate(&as_json(text)).map_err(|error| error.to_string())
}

#[test]
fn up_alone_means_one_by_three() {
    let (_, resolved) = builtin("one-by-three");
    let plan = Plan::new(Layout::default(), Ports::default()).expect("a network");
    assert_eq!(resolved.plan, plan);
    let alone = layouts::resolve(None, &[], &nothing).expect("a network");
    assert_eq!(alone.plan, plan);
}

#[test]
fn every_builtin_layout_says_what_it_shows() {
    let names: Vec<&str> = Source::builtin_names().collect();
    let wanted = [
        "one-by-three",
        "two-by-three",
        "five-by-three",
        "two-providers",
        "busy",
        "lonely",
        "custom-node",
    ];
    assert_eq!(names, wanted);
    for name in names {
        let (source, resolved) = builtin(name);
        let description = resolved.description.expect(name);
        assert!(description.ends_with('.') && description.len() < 130, "{description}");
        assert!(source.text().starts_with("# "), "{name} begins with what it shows");
    }
}

#[test]
fn the_builtin_layouts_are_what_they_say() {
    let plan = |name: &str| builtin(name).1.plan;
    assert_eq!(plan("two-by-three").layout.widths, [2; 3]);
    assert_eq!(plan("five-by-three").layout.widths, [5; 3]);
    let lonely = plan("lonely");
    assert_eq!((lonely.layout.clients, lonely.layout.crowd), (1, 0));
    let providers: BTreeMap<String, Option<String>> =
        plan("two-providers").nodes.into_iter().map(|node| (node.name, node.provider)).collect();
    let at = |name: &str| providers[name].as_deref();
    assert_eq!([at("alice"), at("carol")], [Some("provider-1"); 2]);
    assert_eq!([at("bob"), at("crowd")], [Some("provider-2"); 2]);
    let sent = plan("busy").load().packets_per_second;
    assert!((sent - 563.0).abs() < 1.0, "its description says {sent}");

    let custom = plan("custom-node");
    assert!(custom.files.contains_key("mixnode.py"), "{:?}", custom.files.keys());
    let foreign: Vec<&str> = custom
        .nodes
        .iter()
        .filter(|node| node.command.is_some())
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(foreign, ["mix-2-1"]);
}

/// What is said of the crowd is no fault where there is none: `set crowd=20` may bring it.
#[test]
fn every_builtin_layout_can_be_without_a_crowd() {
    for name in Source::builtin_names() {
        let (source, _) = builtin(name);
        for param in ["crowd=0", "profile=fast"] {
            let param = [Override::param(param).expect("a field")];
            let resolved = layouts::resolve(Some(&source), &param, &nothing);
            assert!(resolved.is_ok(), "{name}: {:?}", resolved.err());
        }
    }
    let (source, _) = builtin("two-providers");
    let without = [Override::param("crowd=0").expect("a field")];
    let mut plan = layouts::resolve(Some(&source), &without, &nothing).expect("a network").plan;
    plan.set(Change { crowd: Some(20), ..Change::default() }).expect("a crowd");
    let crowd = plan.nodes.last().expect("nodes");
    assert_eq!((crowd.name.as_str(), crowd.provider.as_deref()), ("crowd", Some("provider-2")));
}

#[test]
fn the_schema_takes_what_is_right_and_nothing_else() {
    let schema = layouts::schema();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    for name in Source::builtin_names() {
        let (source, _) = builtin(name);
        assert_eq!(follows(&validator, source.text()), Ok(()), "{name}");
    }
    let variables = "width = \"{{N}}\"\nacks = \"{{ON}}\"\nprofile = \"{{P}}\"\n\
        slot = \"{{S}}\"\nclients = \"{{C}}\"\nnodes.mix-1-1.metrics = \"{{M}}\"";
    assert_eq!(follows(&validator, variables), Ok(()));

    // What is wrong by itself, without looking at other fields, the schema refuses as the reader does.
    let wrong = [
        "widht = 2",
        "width = 0",
        "width = 100000",
        "width = \"two\"",
        "width = \"{{two\"",
        "width = 1.5",
        "layers = 5",
        "widths = []",
        "widths = [1, 2, 3, 4, 5]",
        "widths = [65]",
        "acks = \"off\"",
        "profile = \"fsat\"",
        "restart = true",
        "slot = 100",
        "slot = \"5 parsecs\"",
        "clients = -1",
        "clients = [\"Alice\"]",
        "clients = [\"alice\", \"alice\"]",
        "ports = \"base:\"",
        "seed = -1",
        "description = 1",
        "nodes = []",
        "nodes.alice.slots = \"1s\"",
        "nodes.alice.env.A = 1",
        "nodes.mix-1-1.command = []",
        "nodes.mix-1-1.command = \"x\"",
    ];
    for text in wrong {
        assert!(follows(&validator, text).is_err(), "the schema takes {text}");
        let source = Source::of_text("my.toml", text, "/".into());
        let read = layouts::resolve(Some(&source), &[], &nothing);
        assert!(read.is_err(), "the reader takes {text}");
    }
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn the_reference_is_what_the_schema_says() {
    const BEGIN: &str = "<!-- fields: written by the tests of `layouts` -->\n";
    const END: &str = "<!-- end of the fields -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/layouts.md");
    let page = std::fs::read_to_string(&path).expect("docs/layouts.md");
    let (before, rest) = page.split_once(BEGIN).expect("where the fields begin");
    let (_, after) = rest.split_once(END).expect("where the fields end");
    let new = format!("{before}{BEGIN}\n{}\n{END}{after}", layouts::reference());
    if std::env::var_os("NYM_DEVNET_WRITE_DOCS").is_some() {
        std::fs::write(&path, new).expect("it can be written");
    } else {
        let how = "docs/layouts.md is stale: `NYM_DEVNET_WRITE_DOCS=1 cargo test -p layouts`";
        assert!(page == new, "{how}");
    }
}

/// Every TOML block of the page is a layout.
#[test]
fn the_examples_of_the_page_are_right() {
    let page = include_str!("../../docs/layouts.md");
    let variables = |name: &str| match name {
        "WIDTH" => Ok("2".into()),
        "HOME" => Ok("/home/me".into()),
        _ => Err(VarError::NotPresent),
    };
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(blocks.len() >= 4, "{blocks:?}");
    for block in blocks {
        let source = Source::of_text("docs/layouts.md", block, "/".into());
        let read = layouts::resolve(Some(&source), &[], &variables);
        assert!(read.is_ok(), "{block}\n{:?}", read.err());
    }
}
