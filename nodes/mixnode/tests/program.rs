//! `nym-mixnode` as its users meet it: its folder, its config file, and how it ends.

#[allow(dead_code, reason = "each of the programs uses a part of it")]
#[path = "../../standalone/testing/mod.rs"]
mod testing;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use directory_api::MixNodeReport;
use rustix::process::Signal;
use testing::{Directory, Ended, Home, Running};

const INIT: &str = "init --id m1 --layer 1 --host 127.0.0.1";
const RUN: &str = "run --id m1 --port 0";
const CONFIG: &str = "mixnodes/m1/config/config.toml";
const PRIVATE: &str = "mixnodes/m1/data/private_sphinx.pem";
const PUBLIC: &str = "mixnodes/m1/data/public_sphinx.pem";
/// What helps without the key.
const ANEW: &str = "`nym-mixnode init --id m1 --force …` moves its old folders aside";
const PAGE: &str = include_str!("../../../docs/nodes.md");

fn home() -> Home {
    Home::of(env!("CARGO_BIN_EXE_nym-mixnode"))
}

fn initialised() -> Home {
    let home = home();
    home.succeed(INIT);
    home
}

#[test]
fn without_a_subcommand_it_says_what_it_is() {
    let said = home().succeed("");
    assert!(said.contains("(mixnode - version "), "{said}");
    assert!(said.ends_with("\nusage: --help to see available options.\n"), "{said}");
}

#[test]
fn it_is_made_once_and_anew_only_by_force() {
    let home = home();
    let said = home.succeed(INIT);
    assert!(said.contains("layer 1 of 3, listens on 127.0.0.1:1789"), "{said}");
    assert!(said.contains("nym-mixnode run --id m1"), "{said}");
    let (config, private) = (home.read(CONFIG), home.read(PRIVATE));
    assert_eq!((home.mode(PRIVATE), home.mode("mixnodes/m1/data")), (0o600, 0o700));
    assert!(home.read(PUBLIC).starts_with("-----BEGIN X25519 PUBLIC KEY-----"));

    let again = home.run("init --id m1 --layer 2 --host 127.0.0.1");
    again.failed(2, &["error: mixnode `m1` exists already", "init --force", "run --id m1"]);
    assert_eq!((home.read(CONFIG), home.read(PRIVATE)), (config.clone(), private.clone()));

    for former in ["former-1", "former-2"] {
        let before = home.read(PRIVATE);
        let said = home.succeed("init --id m1 --layer 2 --host 127.0.0.1 --force");
        assert!(said.contains(former), "{said}");
        assert_ne!(home.read(PRIVATE), before);
        assert_eq!(home.read(&format!("mixnodes/m1/{former}/data/private_sphinx.pem")), before);
    }
    assert_eq!(home.read("mixnodes/m1/former-1/data/private_sphinx.pem"), private);
    assert_eq!(home.read("mixnodes/m1/former-1/config/config.toml"), config);
    assert!(home.read(CONFIG).contains("\n# Its layer, from 1\nlayer = 2\n"));
}

#[test]
fn a_key_without_a_config_file_is_kept() {
    let home = initialised();
    let private = home.read(PRIVATE);
    fs::remove_file(home.nym(CONFIG)).expect("it is there");
    let said = home.succeed(INIT);
    assert!(said.contains("the one that was there already"), "{said}");
    assert_eq!(home.read(PRIVATE), private);
}

#[test]
fn wrong_flags_are_usage_errors() {
    let home = home();
    for (line, words) in [
        ("init --layer 1 --host 127.0.0.1", &["--id"][..]),
        ("init --id m1 --host 127.0.0.1", &["--layer"]),
        ("init --id m1 --layer 1", &["--host"]),
        ("init --id ../m1 --layer 1 --host 127.0.0.1", &["../m1", "a dot or a dash"]),
        ("init --id m1 --layer 5 --host 127.0.0.1", &["no number from 1 to 4"]),
        ("init --id m1 --layer 4 --host 127.0.0.1", &["layer 4 is not one of 3", "--layers"]),
        ("init --id m1 --layer 1 --host localhost", &["localhost", "neither an IP address"]),
        (&format!("{INIT} --announce-host 0.0.0.0"), &["nobody can connect"]),
        (&format!("{INIT} --announce-port 0"), &["--announce-port"]),
        (
            "init --id m1 --layer 1 --host 127.0.0.1:1 --port 2",
            &["--host has port 1, and --port is 2", "hint: say the port once"],
        ),
        (&format!("{INIT} --directory https://127.0.0.1"), &["only `http`"]),
        (&format!("{INIT} --forse"), &["--forse", "--force"]),
        ("run", &["--id"]),
        ("runn --id m1", &["runn", "run"]),
    ] {
        home.run(line).failed(2, words);
    }
    assert!(!home.nym("").exists(), "nothing was made");
}

#[test]
fn flags_override_the_file_and_it_says_goodbye() {
    let directory = Directory::start();
    let home = home();
    home.succeed(&format!("{INIT} --directory {} --location Basel", directory.url()));
    let line = format!("{RUN} --layer 2 --announce-host 10.1.2.3 --announce-port 77");
    let mut mixnode = home.start(&line);
    let topology = directory.topology(|topology| !topology.mix_nodes.is_empty());
    let announced = &topology.mix_nodes[0];
    assert_eq!((announced.host.as_str(), announced.layer), ("10.1.2.3:77", 2));
    assert_eq!(announced.location, "Basel");
    assert!(mixnode.line("public key").contains(&announced.pub_key));
    mixnode.line("ready: ");
    let (status, log) = mixnode.end();
    assert!(status.success(), "{log:#?}");
    directory.topology(|topology| topology.mix_nodes.is_empty());

    // What was said then is not remembered, and whoever looks for its ghost finds none.
    let mut mixnode = home.start(&format!("{RUN} --location Bern"));
    let address = mixnode.listens("mix");
    let topology = directory.topology(|topology| !topology.mix_nodes.is_empty());
    let announced = &topology.mix_nodes[0];
    assert_eq!((announced.host.clone(), announced.layer), (address.to_string(), 1));
    assert_eq!(announced.location, "Bern");
    mixnode.signal(Signal::INT);
    let (status, log) = mixnode.wait();
    assert!(status.success(), "{log:#?}");
    directory.topology(|topology| topology.mix_nodes.is_empty());
}

#[test]
fn its_config_file_can_be_elsewhere_and_its_log_json() {
    let home = initialised();
    let elsewhere = home.path().join("other.toml");
    let text = home.read(CONFIG).replace("format = \"text\"", "format = \"json\"");
    fs::write(&elsewhere, text).expect("written");
    let line = format!("{RUN} --config {}", elsewhere.display());
    let mut mixnode = home.start(&line);
    assert!(mixnode.line("listening on").starts_with("{\"timestamp\""));
    let (_, log) = mixnode.end();
    assert!(log.iter().all(|line| line.starts_with('{')), "{log:#?}");
    // A flag overrides that.
    let mut mixnode = home.start(&format!("{line} --log-format text"));
    mixnode.line("(mixnode - version ");
    assert!(!mixnode.line("listening on").starts_with('{'));
}

#[test]
fn only_one_process_has_its_folder() {
    testing::only_one_process_has_its_folder(&initialised(), INIT, RUN, "mix");
}

#[test]
fn what_is_wrong_with_its_config_file_is_named() {
    let home = initialised();
    let config = home.read(CONFIG);
    let cases: [(&str, &str, &[&str]); 8] = [
        (
            "layer = 1",
            "laier = 1",
            &["there is no key `laier` in [mixnode]", "hint: did you mean `layer`?"],
        ),
        ("layer = 1", "layer = 5", &["[mixnode] layer = 5: it is no number from 1 to 4"]),
        ("layer = 1", "layer = \"1\"", &["layer = \"1\": it has to be a number without quotes"]),
        (
            "[logging]",
            "[loging]",
            &["there is no section [loging]", "hint: did you mean [logging]?"],
        ),
        (
            "127.0.0.1:1789",
            "127.0.0.1",
            &["[mixnode] listening_address = \"127.0.0.1\": it has to be IP:PORT"],
        ),
        // Each value alone is good.
        ("layer = 1", "layer = 4", &["layer 4 is not one of 3", "hint: `layers` in [mixnode]"]),
        ("report_metrics = true", "report_metrics = yes", &["a switch is `true` or `false`"]),
        (
            "faithful = false",
            "faithful = false\npresence_directory_server = \"http://b\"",
            &["in line ", "hint: both mean the same here"],
        ),
    ];
    testing::wrong_config_is_named(&home, CONFIG, RUN, &cases);
    home.replace(CONFIG, "\nlayer = 1\n", "\n");
    home.run(RUN).failed(2, &["config.toml: [mixnode] layer is missing"]);
    home.write(CONFIG, &config.replace("id = \"m1\"", "id = \"m2\""));
    home.run(RUN).failed(2, &["the config file is of node `m2`, not `m1`"]);
    // A layer that is not there, by file and flag together.
    home.write(CONFIG, &config);
    let ended = home.run("run --id m1 --layers 2 --layer 3");
    ended.failed(2, &["layer 3 is not one of 2", "hint: `--layers` says"]);
    // Bytes that are no text.
    fs::write(home.nym(CONFIG), [0xff, 0xfe]).expect("written");
    home.run(RUN).failed(2, &["cannot read the config file `", "UTF-8"]);
    home.run("run --id m1 --config /nope").failed(2, &["the config file `/nope` does not exist"]);
}

#[test]
fn a_damaged_key_is_refused_and_kept() {
    testing::damaged_key_is_refused_and_kept(&initialised(), PRIVATE, RUN, ANEW);
}

#[test]
fn a_key_that_became_another_one_is_refused_and_kept() {
    let home = initialised();
    let key = home.read(PRIVATE);
    // One letter in the middle of the base64.
    let at = key.find("-----\r\n").or(key.find("-----\n")).expect("its first line") + 20;
    let letter = if &key[at..=at] == "A" { "B" } else { "A" };
    let damaged = format!("{}{letter}{}", &key[..at], &key[at + 1..]);
    home.write(PRIVATE, &damaged);
    let words = ["the private key `", "` does not belong to `public_sphinx.pem`", ANEW];
    home.run(RUN).failed(8, &words);
    assert_eq!(home.read(PRIVATE), damaged);
    // What the hint says works: `init` makes another, and the damaged one is kept.
    home.succeed(&format!("{INIT} --force"));
    assert_eq!(home.read("mixnodes/m1/former-1/data/private_sphinx.pem"), damaged);
    home.start(RUN).listens("mix");
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let home = home();
    // Permissions would not stop a test that root runs; a file in the way stops everybody.
    fs::write(home.path().join(".nym"), "in the way").expect("written");
    home.run(INIT).failed(8, &["cannot make `", ".nym/mixnodes/m1`", "hint: check that"]);
    let mut homeless = home.command(&["init", "--id", "m1", "--layer", "1", "--host", "::1"]);
    homeless.env_remove("HOME");
    Ended::of(homeless).failed(8, &["HOME is not set", "hint: set HOME"]);
}

#[test]
fn another_node_at_its_address_is_a_warning_and_its_own_ghost_is_not() {
    let directory = Directory::start();
    let home = home();
    let line = format!("--announce-host 10.1.2.3:77 --directory {}", directory.url());
    home.succeed(&format!("{INIT} {line}"));
    let ghost = |pub_key: &str| MixNodeReport {
        host: "10.1.2.3:77".into(),
        pub_key: pub_key.into(),
        version: "0.1.0".into(),
        location: "here".into(),
        layer: 1,
    };
    let mut mixnode = home.start(RUN);
    mixnode.line("ready: ");
    let topology = directory.topology(|topology| !topology.mix_nodes.is_empty());
    let (_, log) = mixnode.end();
    assert!(!log.iter().any(|line| line.contains("another node")), "{log:#?}");

    directory.list(ghost(&topology.mix_nodes[0].pub_key));
    let mut mixnode = home.start(RUN);
    mixnode.line("ready: ");
    let (_, log) = mixnode.end();
    assert!(!log.iter().any(|line| line.contains("another node")), "{log:#?}");

    let other = "4QAWFRCLdUzRvTK6QtmVfJh2xnXnDQtVLL1aqPaSqZMi";
    directory.list(ghost(other));
    let mut mixnode = home.start(RUN);
    let warning = mixnode.line("another node at 10.1.2.3:77");
    assert!(warning.contains("WARN") && warning.contains(other), "{warning}");
    mixnode.line("ready: ");
}

/// So it is with a key of the originals.
#[test]
fn without_the_public_key_the_private_one_is_enough() {
    let home = initialised();
    home.succeed("init --id m2 --layer 1 --host 127.0.0.1");
    home.write(PUBLIC, &home.read("mixnodes/m2/data/public_sphinx.pem"));
    home.run(RUN).failed(8, &["with one of those, remove `public_sphinx.pem`"]);
    fs::remove_file(home.nym(PUBLIC)).expect("it is there");
    home.start(RUN).listens("mix");
}

#[test]
fn a_port_that_is_taken_is_fatal_and_named() {
    let home = initialised();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let ended = home.run(&format!("run --id m1 --host {address}"));
    ended.failed(4, &[&format!("cannot listen on `{address}`"), "hint: "]);
}

#[test]
fn a_mixnode_that_was_never_made_is_not_run() {
    let home = initialised();
    let ended = home.run("run --id mm1");
    ended.failed(2, &["there is no mixnode `mm1`", "nym-mixnode init --id mm1", "there is `m1`"]);
    assert!(!home.nym("mixnodes/mm1").exists());
}

/// Files as v0.5.0 and v0.7.0 wrote them, but for the port and the address of the directory.
#[test]
fn config_files_of_the_originals_are_understood() {
    let servers =
        "presence_directory_server = 'DIRECTORY'\nmetrics_directory_server = 'DIRECTORY'\n";
    let debug = format!(
        "[debug]\n{servers}presence_sending_delay = 1500\nmetrics_sending_delay = 1000\n\
         packet_forwarding_initial_backoff = 10000\npacket_forwarding_maximum_backoff = 300000\n"
    );
    for (mixnode, debug, ignored_keys) in [
        ("", debug.as_str(), 5),
        (servers, "", 1),
        (
            servers,
            "[debug]\nmetrics_running_stats_logging_delay = 60000\ninitial_connection_timeout = 1500\n",
            3,
        ),
    ] {
        let directory = Directory::start();
        let home = initialised();
        let data = home.nym("mixnodes/m1/data").display().to_string();
        let text = format!(
            "[mixnode]\nid = 'm1'\nlocation = 'unknown'\nlayer = 2\n\
             listening_address = '127.0.0.1:0'\n\
             private_sphinx_key_file = '{data}/private_sphinx.pem'\n\
             public_sphinx_key_file = '{data}/public_sphinx.pem'\n\
             announce_address = '127.0.0.1:9980'\n{mixnode}\
             nym_root_directory = '{data}/../../..'\n[logging]\n{debug}"
        );
        home.write(CONFIG, &text.replace("DIRECTORY", directory.url()));
        // Theirs end their lines as Windows does.
        home.write(PRIVATE, &home.read(PRIVATE).replace("\r\n", "\n").replace('\n', "\r\n"));
        let mut mixnode = home.start("run --id m1");
        let ignored = mixnode.line("mean nothing here: [mixnode] nym_root_directory");
        assert_eq!(ignored.matches('[').count(), ignored_keys, "{ignored}");
        let topology = directory.topology(|topology| !topology.mix_nodes.is_empty());
        let announced = &topology.mix_nodes[0];
        assert_eq!((announced.host.as_str(), announced.layer), ("127.0.0.1:9980", 2));
        assert_eq!(announced.location, "unknown");
        assert!(mixnode.line("public key").contains(&announced.pub_key));
    }
}

#[test]
fn the_guide_lists_every_flag_and_every_key() {
    let home = initialised();
    testing::flags_are_in_the_guide(&home, PAGE, "nym-mixnode");
    testing::keys_are_in_the_guide(&home, CONFIG, PAGE, "nym-mixnode");
}

#[test]
fn its_help_says_the_defaults() {
    let home = initialised();
    testing::defaults_are_in_the_help(
        &home,
        CONFIG,
        &[
            ("--layers", "layers = {}\n"),
            ("--port", "listening_address = \"127.0.0.1:{}\"\n"),
            ("--directory", "presence_directory_server = \"{}\"\n"),
            ("--workers", "workers = {}\n"),
        ],
    );
}

/// The mixnodes of the guide's tour make a network, on ports that are free.
#[test]
fn the_tour_of_the_guide_works() {
    let directory = Directory::start();
    let home = home();
    let mut running: Vec<Running> = Vec::new();
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("nym-mixnode ")) {
        if line.starts_with("run") {
            running.push(home.start(&format!("{line} --port 0 --directory {}", directory.url())));
        } else {
            home.succeed(line);
        }
    }
    assert_eq!(running.len(), 3);
    let topology = directory.topology(|topology| topology.mix_nodes.len() == 3);
    let layers: BTreeSet<u64> = topology.mix_nodes.iter().map(|node| node.layer).collect();
    assert_eq!(layers, BTreeSet::from([1, 2, 3]));
}
