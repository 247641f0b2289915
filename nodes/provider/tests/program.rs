//! `nym-provider` as its users meet it: its folder, its config file, and how it ends.

#[allow(dead_code, reason = "each of the programs uses a part of it")]
#[path = "../../standalone/testing/mod.rs"]
mod testing;

use rustix::process::Signal;
use testing::{Directory, Home};

const INIT: &str = "init --id p1 --mix-host 127.0.0.1 --clients-host 127.0.0.1";
const RUN: &str = "run --id p1 --mix-port 0 --clients-port 0";
const CONFIG: &str = "providers/p1/config/config.toml";
const PRIVATE: &str = "providers/p1/data/private_sphinx.pem";

fn home() -> Home {
    Home::of(env!("CARGO_BIN_EXE_nym-provider"))
}

fn initialised() -> Home {
    let home = home();
    home.succeed(INIT);
    home
}

#[test]
fn without_a_subcommand_it_says_what_it_is() {
    let said = home().succeed("");
    assert!(said.contains("(provider - version "), "{said}");
    assert!(said.ends_with("\nusage: --help to see available options.\n"), "{said}");
}

#[test]
fn by_force_it_gets_another_key_and_an_empty_mailbox() {
    let home = home();
    let said = home.succeed(INIT);
    assert!(
        said.contains("mixnodes connect to 127.0.0.1:1789, clients to 127.0.0.1:9000"),
        "{said}"
    );
    let private = home.read(PRIVATE);
    // What its clients left behind belongs to the former key.
    home.write("providers/p1/data/mailbox.sqlite", "a mailbox");
    let again = format!("{INIT} --clients-port 9001");
    home.run(&again).failed(2, &["provider `p1` exists already", "init --force"]);
    assert_eq!(home.read(PRIVATE), private);
    home.succeed(&format!("{again} --force"));
    assert_ne!(home.read(PRIVATE), private);
    assert!(home.read(CONFIG).contains("listening_address = \"127.0.0.1:9001\""));
    assert!(!home.nym("providers/p1/data/mailbox.sqlite").exists());
    assert_eq!(home.read("providers/p1/former-1/data/private_sphinx.pem"), private);
    assert_eq!(home.read("providers/p1/former-1/data/mailbox.sqlite"), "a mailbox");
}

#[test]
fn wrong_flags_are_usage_errors() {
    let home = home();
    for (line, words) in [
        ("init --id p1 --mix-host 127.0.0.1", &["--clients-host"][..]),
        ("init --id p1 --clients-host 127.0.0.1", &["--mix-host"]),
        ("init --id p/1 --mix-host 127.0.0.1 --clients-host 127.0.0.1", &["p/1", "only letters"]),
        ("init --id p1 --mix-host localhost --clients-host 127.0.0.1", &["neither an IP address"]),
        (&format!("{INIT} --quota-total 0"), &["no number from 1"]),
        (&format!("{INIT} --mix-port 9000"), &["cannot both connect to `127.0.0.1:9000`"]),
    ] {
        home.run(line).failed(2, words);
    }
    assert!(!home.nym("providers").exists(), "nothing was made");
}

#[test]
fn flags_override_the_file_and_it_says_goodbye() {
    let directory = Directory::start();
    let home = home();
    home.succeed(&format!("{INIT} --directory {} --location Basel", directory.url()));
    let line = format!("{RUN} --mix-announce-host 10.1.2.3:77 --clients-announce-port 78");
    let mut provider = home.start(&line);
    let topology = directory.topology(|topology| !topology.gateway_nodes.is_empty());
    let announced = &topology.gateway_nodes[0];
    assert_eq!(announced.mixnet_listener, "10.1.2.3:77");
    assert_eq!(announced.client_listener, "ws://127.0.0.1:78");
    assert_eq!(announced.location, "Basel");
    assert!(provider.line("public key").contains(&announced.pub_key));
    provider.line("ready: ");
    assert!(home.nym("providers/p1/data/mailbox.sqlite").exists());

    let (status, log) = provider.end();
    assert!(status.success(), "{log:#?}");
    assert!(!home.nym("providers/p1/data/mailbox.sqlite-wal").exists(), "one file has everything");
    directory.topology(|topology| topology.gateway_nodes.is_empty());

    // What was said then is not remembered.
    let mut provider = home.start(&format!("{RUN} --location Bern"));
    let clients = provider.listens("clients");
    let topology = directory.topology(|topology| !topology.gateway_nodes.is_empty());
    assert_eq!(topology.gateway_nodes[0].client_listener, format!("ws://{clients}"));
    assert_eq!(topology.gateway_nodes[0].location, "Bern");
    provider.signal(Signal::INT);
    let (status, log) = provider.wait();
    assert!(status.success(), "{log:#?}");
    directory.topology(|topology| topology.gateway_nodes.is_empty());
}

#[test]
fn the_mailbox_can_be_elsewhere_and_the_ledger_is_nowhere() {
    let home = initialised();
    let inboxes = home.path().join("inboxes");
    let line = format!("{RUN} --inboxes {} --clients-ledger x", inboxes.display());
    let mut provider = home.start(&line);
    provider.line("--clients-ledger has no effect");
    provider.listens("clients");
    assert!(inboxes.join("mailbox.sqlite").exists());
    assert!(!home.nym("providers/p1/data/mailbox.sqlite").exists());
    assert!(provider.end().0.success());
}

#[test]
fn what_is_wrong_with_its_config_file_is_named() {
    let home = initialised();
    let config = home.read(CONFIG);
    for (from, to, words) in [
        (
            "pad = false",
            "padd = false",
            &["there is no key `padd` in [clients_endpoint]", "hint: did you mean `pad`?"][..],
        ),
        ("pad = false", "pad = 1", &["pad = 1: it has to be `true` or `false`"]),
        ("pad = false", "faithful = false", &["hint: it belongs into [debug]"]),
        ("[mixnet_endpoint]", "[mixnet-endpoint]", &["hint: did you mean [mixnet_endpoint]?"]),
        ("quota_total = ", "quota_total = -", &["[clients_endpoint] quota_total = -"]),
    ] {
        home.replace(CONFIG, from, to);
        home.run(RUN).failed(2, words);
        home.write(CONFIG, &config);
    }
    // Each of the two alone is good.
    home.replace(CONFIG, "127.0.0.1:9000", "127.0.0.1:1789");
    let words = [
        "config.toml:",
        "mixnodes and clients cannot both connect to `127.0.0.1:1789`",
        "hint: give [mixnet_endpoint] and [clients_endpoint] two ports",
    ];
    home.run("run --id p1").failed(2, &words);
}

/// Files as the originals wrote them, but for ports that are free.
#[test]
fn config_files_of_the_originals_are_understood() {
    for (section, debug, clients) in [
        (
            "provider",
            "[debug]\npresence_directory_server = 'DIRECTORY'\npresence_sending_delay = 1500\n\
             stored_messages_filename_length = 16\nmessage_retrieval_limit = 5\n",
            "127.0.0.1:9000",
        ),
        ("gateway", "", "ws://127.0.0.1:9000"),
    ] {
        let directory = Directory::start();
        let home = initialised();
        let data = home.nym("providers/p1/data").display().to_string();
        let here =
            if section == "gateway" { "presence_directory_server = 'DIRECTORY'\n" } else { "" };
        let text = format!(
            "[{section}]\nid = 'p1'\nlocation = 'unknown'\n\
             private_sphinx_key_file = '{data}/private_sphinx.pem'\n\
             public_sphinx_key_file = '{data}/public_sphinx.pem'\n{here}\
             nym_root_directory = '{data}/../../..'\n\
             [mixnet_endpoint]\nlistening_address = '127.0.0.1:0'\nannounce_address = '127.0.0.1:4000'\n\
             [clients_endpoint]\nlistening_address = '127.0.0.1:0'\nannounce_address = '{clients}'\n\
             inboxes_directory = '{data}/inboxes'\nledger_path = '{data}/client_ledger.dat'\n\
             [logging]\n{debug}"
        );
        home.write(CONFIG, &text.replace("DIRECTORY", directory.url()));
        let mut provider = home.start("run --id p1");
        let ignored = provider.line("mean nothing here");
        for key in ["nym_root_directory", "[clients_endpoint] ledger_path"] {
            assert!(ignored.contains(key), "{ignored}");
        }
        assert_eq!(ignored.contains("message_retrieval_limit"), section == "provider", "{ignored}");
        let topology = directory.topology(|topology| !topology.gateway_nodes.is_empty());
        let announced = &topology.gateway_nodes[0];
        assert_eq!(announced.mixnet_listener, "127.0.0.1:4000");
        assert_eq!(announced.client_listener, "ws://127.0.0.1:9000");
        assert_eq!(announced.location, "unknown");
        assert!(home.nym("providers/p1/data/inboxes/mailbox.sqlite").exists());
    }
}

#[test]
fn the_guide_lists_every_flag_and_every_key() {
    let page = include_str!("../../../docs/nodes.md");
    let home = initialised();
    testing::flags_are_in_the_guide(&home, page, "nym-provider");
    testing::keys_are_in_the_guide(&home, CONFIG, page, "nym-provider");
}

#[test]
fn its_help_says_the_defaults() {
    let home = initialised();
    testing::defaults_are_in_the_help(
        &home,
        CONFIG,
        &[
            ("--mix-port", "listening_address = \"127.0.0.1:{}\"\n"),
            ("--clients-port", "listening_address = \"127.0.0.1:{}\"\n"),
            ("--directory", "presence_directory_server = \"{}\"\n"),
            ("--quota-per-client", "quota_per_client = {}\n"),
            ("--quota-total", "quota_total = {}\n"),
        ],
    );
}
