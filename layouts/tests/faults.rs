//! What is wrong with a layout is told with its place, what was found, what is allowed and what was
//! probably meant.

use std::env::VarError;
use std::fmt::Write as _;

use layouts::{Layout, LayoutFault, Override, Plan, Source};

fn nothing(_: &str) -> Result<String, VarError> {
    Err(VarError::NotPresent)
}

fn plan_of(text: &str, params: &[&str]) -> Result<Plan, LayoutFault> {
    let source = Source::of_text("my.toml", text, "/layouts".into());
    let params =
        params.iter().map(|param| Override::param(param)).collect::<Result<Vec<_>, _>>()?;
    layouts::resolve(Some(&source), &params, &nothing).map(|resolved| resolved.plan)
}

fn fault(text: &str, params: &[&str]) -> String {
    let fault = match plan_of(text, params) {
        Ok(plan) => panic!("{text}\n{params:?}\nis a network: {:?}", plan.layout),
        Err(fault) => fault,
    };
    match &fault.hint {
        Some(hint) => format!("{fault}\n  {hint}"),
        None => fault.to_string(),
    }
}

/// Every kind of fault, as people read it.
#[test]
fn faults_are_as_they_were_reviewed() {
    let files = [
        // Syntax.
        "width = ",
        "width 2",
        "width = 1\nwidth = 2",
        "[nodes.alice\nslot = \"1s\"",
        "description = \"no end",
        // Keys.
        "\n\nwidht = 2",
        "[node.alice]\nslot = \"1s\"",
        "[nodes.alice]\nslots = \"1s\"",
        "colour = \"red\"",
        // Types.
        "width = \"two\"",
        "width = 1.5",
        "width = 2026-11-21",
        "acks = \"off\"",
        "widths = 2",
        "widths = [2, \"x\"]",
        "nodes = 3",
        "nodes.alice = 3",
        "slot = 100",
        "description = 5",
        "clients = \"two\"",
        "clients = [\"alice\", 7]",
        "profile = 1",
        "ports = 8080",
        "[nodes.alice]\nenv = [\"A=1\"]",
        "[nodes.alice.env]\nA = 1",
        "[nodes.mix-1-1]\ncommand = \"python3 mixnode.py\"",
        // Bounds.
        "width = 100000",
        "width = 0",
        "width = 99999999999999999999999",
        "layers = 5",
        "widths = []",
        "widths = [1, 1, 1, 1, 1]",
        "widths = [2,\n  65]",
        "providers = -1",
        "crowd = 1001",
        "clients = 101",
        "seed = -1",
        "hop-delay = \"11s\"",
        "slot = \"999us\"",
        "slot = \"5 parsecs\"",
        "slot = \"18446744073709551615s 1000ms\"",
        "ports = \"base:0\"",
        "ports = \"base:65535\"",
        "profile = \"fsat\"",
        "restart = \"never\"",
        // Networks that cannot be.
        "width = 2\nwidths = [1, 2]",
        "layers = 2\nwidths = [1, 2]",
        "clients = [\"alice\", \"alice\"]",
        "clients = [\"Alice\"]",
        "clients = [\"crowd\"]",
        "[nodes.mix-4-1]\nmetrics = false",
        "[nodes.alcie]\nslot = \"1s\"",
        // Fields that a role does not have.
        "[nodes.mix-1-1]\nslot = \"1s\"",
        "[nodes.alice]\nmetrics = false",
        "[nodes.directory]\ncommand = [\"x\"]",
        "[nodes.crowd]\ncommand = [\"x\"]",
        "[nodes.provider-1]\nprovider = \"provider-1\"",
        "[nodes.alice]\nprovider = \"provider-2\"",
        "[nodes.alice]\ncommand = [\"x\"]\nslot = \"1s\"",
        "[nodes.mix-1-1]\ncommand = []",
        "[nodes.mix-1-1]\ncommand = [\" \"]",
        "[nodes.mix-1-1]\ncommand = [\"a\\u0000\"]",
        "[nodes.mix-1-1.env]\n\"A=B\" = \"1\"",
        // Variables.
        "width = \"{{NOT_SET}}\"",
        "[nodes.mix-1-1]\ncommand = [\n  \"x\",\n  \"--key={{}}\",\n]",
        // What would move a cursor.
        "\"\\u001b[2J\" = 1",
        "profile = \"\\u202e\\n\"",
    ];
    let mut all = String::new();
    for text in files {
        writeln!(all, "{text}\n=> {}\n", fault(text, &[])).expect("a string");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_a_flag_says_is_wrong_in_the_same_words() {
    let mut all = String::new();
    let lines = [
        "width=100000",
        "width=two",
        "widht=2",
        "slot=5 parsecs",
        "profile=fsat",
        "acks=maybe",
        "nodes.mix-9-9.metrics=false",
        "nodes.alice.slots=1s",
        "nodes.mix-1-1.metrics.x=1",
        "widths=[1,",
        "widths=[1,x]",
        "layers=4",
        "width",
        "=1",
        "[nodes]=1",
    ];
    for param in lines {
        writeln!(all, "{}\n", fault("widths = [2, 1, 1]", &[param])).expect("a string");
    }
    let variable = Override::field("NYM_DEVNET_WIDTH", "width", "").expect("a text");
    let fault = layouts::resolve(None, &[variable], &nothing).expect_err("nothing");
    writeln!(all, "{fault}").expect("a string");
    insta::assert_snapshot!(all);
}

#[test]
fn flags_win_over_the_file_and_later_ones_over_earlier() {
    let widths = |text: &str, params: &[&str]| plan_of(text, params).expect("right").layout.widths;
    assert_eq!(widths("width = 2", &["width=3", "width=4"]), [4, 4, 4]);
    assert_eq!(widths("widths = [2, 2, 1, 1]", &["width=3"]), [3; 4], "as many layers");
    assert_eq!(widths("widths = [2, 2]", &["layers=3"]), [2; 3], "as wide");
    assert_eq!(widths("width = 2\nlayers = 4", &["widths=[1, 2]"]), [1, 2]);
    let change = |params: &[&str]| plan_of("profile = \"fast\"", params).expect("right").layout;
    assert_eq!(change(&["profile=classic"]), Layout::default());
    let layout = change(&["acks=off", "slot=1s", "clients=[\"carol\"]", "nodes.carol.slot = 2s"]);
    assert!(!layout.acks && layout.rates.slot.as_secs() == 1);
    assert_eq!((layout.client_names.as_slice(), layout.clients), (&["carol".to_owned()][..], 1));
    assert_eq!(layout.nodes["carol"].slot.map(|slot| slot.as_secs()), Some(2));
    let env = plan_of("nodes.alice.env = { A = \"1\" }", &["nodes.alice.env.B=2"]).expect("right");
    let alice = env.nodes.iter().find(|node| node.name == "alice").expect("there");
    assert_eq!(alice.env.iter().map(|(k, v)| k.clone() + v).collect::<String>(), "A1B2");
}

#[test]
fn a_variable_can_be_a_number_a_truth_value_or_a_part_of_a_text() {
    let variables = |name: &str| match name {
        "N" => Ok("4".into()),
        "OFF" => Ok("false".into()),
        "DIR" => Ok("/tmp/a \"b\"\n[x]".into()),
        _ => Err(VarError::NotPresent),
    };
    let text = "width = \"{{N}}\"\nacks = \"{{OFF}}\"\nclients = \"{{ N }}\"\n\
        [nodes.mix-1-1]\nenv = { N = \"{{N}}\" }\ncommand = [\"{{DIR}}/x\", \"{host}\"]";
    let source = Source::of_text("my.toml", text, "/layouts".into());
    let plan = layouts::resolve(Some(&source), &[], &variables).expect("right").plan;
    assert_eq!((plan.layout.widths[0], plan.layout.acks, plan.layout.clients), (4, false, 4));
    let node = &plan.layout.nodes["mix-1-1"];
    assert_eq!(node.env["N"], "4");
    let command = ["/tmp/a \"b\"\n[x]/x", "{host}"].map(String::from);
    assert_eq!(node.command.as_deref(), Some(&command[..]));
    assert_eq!(plan.layout_dir.as_deref(), Some(std::path::Path::new("/layouts")));
}
