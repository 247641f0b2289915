//! `nym-client` as its users meet it: its folder, its config file, its port, and how it ends.

#[allow(dead_code, reason = "each of the programs uses a part of it")]
#[path = "../../nodes/standalone/testing/mod.rs"]
mod testing;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::process::Signal;
use testing::{Directory, Home, Running, deadline};
use wire::PublicKey;

const INIT: &str = "init --id zorro";
const RUN: &str = "run --id zorro --port 0";
const CONFIG: &str = "clients/zorro/config/config.toml";
const PRIVATE: &str = "clients/zorro/data/private_identity.pem";
const PUBLIC: &str = "clients/zorro/data/public_identity.pem";
const JOURNAL: &str = "clients/zorro/data/client.sqlite";
/// What helps without the key.
const ANEW: &str = "`nym-client init --id zorro --force` moves its old folders aside";
const PAGE: &str = include_str!("../../docs/nodes.md");
/// A directory that does not answer: the port is of a service of old, which nobody has.
const NOWHERE: &str = "http://127.0.0.1:9";

fn home() -> Home {
    Home::of(env!("CARGO_BIN_EXE_nym-client"))
}

fn initialised() -> Home {
    let home = home();
    home.succeed(&format!("{INIT} --directory {NOWHERE}"));
    home
}

/// What `init` said behind this word.
fn said<'a>(told: &'a str, what: &str) -> &'a str {
    let line = told.lines().find_map(|line| line.trim_start().strip_prefix(what));
    line.unwrap_or_else(|| panic!("no {what} in {told}")).trim_start()
}

/// Asks the TCP socket of v0.5 for the client's key.
fn own_key(address: SocketAddr) -> PublicKey {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(deadline())).expect("a limit");
    stream.write_all(&[4]).expect("sent");
    let mut key = [0; PublicKey::BYTES];
    stream.read_exact(&mut key).expect("its key");
    PublicKey::from_bytes(key)
}

/// Begins a websocket; returns the first line of the answer.
fn shake_hands(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(deadline())).expect("a limit");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Origin: https://chat.example\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    while !answer.contains(&b'\n') {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    String::from_utf8(answer).expect("text").trim_end().to_owned()
}

#[test]
fn without_a_subcommand_it_says_what_it_is() {
    let said = home().succeed("");
    assert!(said.contains("(client - version "), "{said}");
    assert!(said.ends_with("\nusage: --help to see available options.\n"), "{said}");
}

#[test]
fn it_is_made_without_a_directory_and_anew_only_by_force() {
    let home = home();
    let told = home.succeed(INIT);
    assert!(told.contains("a websocket for applications on port 1977, or the next"), "{told}");
    assert_eq!(said(&told, "start it"), "nym-client run --id zorro");
    let (config, private) = (home.read(CONFIG), home.read(PRIVATE));
    assert_eq!((home.mode(PRIVATE), home.mode("clients/zorro/data")), (0o600, 0o700));
    assert!(home.read(PUBLIC).starts_with("-----BEGIN X25519 PUBLIC KEY-----"));

    let again = home.run(&format!("{INIT} --port 9001"));
    again.failed(2, &["error: client `zorro` exists already", "init --force", "run --id zorro"]);
    assert_eq!((home.read(CONFIG), home.read(PRIVATE)), (config.clone(), private.clone()));

    home.write(JOURNAL, "its messages");
    let again = home.succeed(&format!("{INIT} --port 9001 --force"));
    assert!(again.contains("former-1"), "{again}");
    assert_ne!(said(&again, "public key"), said(&told, "public key"));
    assert_eq!(home.read("clients/zorro/former-1/data/private_identity.pem"), private);
    assert_eq!(home.read("clients/zorro/former-1/data/client.sqlite"), "its messages");
    assert_eq!(home.read("clients/zorro/former-1/config/config.toml"), config);
    assert!(home.read(CONFIG).contains("\nlistening_port = 9001\n"));
    assert!(!home.nym(JOURNAL).exists(), "another key has other messages");
}

#[test]
fn it_says_its_address_as_far_as_it_is_known() {
    const PROVIDER: &str = "FWYoUrnKuXryysptnCZgUYRTauHq4FnEFu2QGn5LZWbm";
    for (flag, provider) in [
        (String::new(), "PROVIDER; PROVIDER is the key of the first that answers when it runs"),
        (format!("--provider {PROVIDER}"), PROVIDER),
        (format!("--gateway {PROVIDER}"), PROVIDER),
        ("--provider Basel".to_owned(), "PROVIDER; PROVIDER is the key of the one at `Basel`"),
    ] {
        let told = home().succeed(&format!("{INIT} {flag}"));
        let key: PublicKey = said(&told, "public key").parse().expect("a key");
        assert_eq!(said(&told, "address"), format!("{key}@{provider}"));
    }
}

#[test]
fn wrong_flags_are_usage_errors() {
    let home = home();
    for (line, words) in [
        ("init", &["--id"][..]),
        ("init --id ../zorro", &["../zorro", "a dot or a dash"]),
        ("init --id zorro --layers 5", &["no number from 1 to 4"]),
        ("init --id zorro --port 65536", &["no number from 0 to 65535"]),
        ("init --id zorro --socket-type xml", &["xml", "websocket, tcp, none"]),
        ("init --id zorro --socket-type ws --disable-socket", &["cannot be used with"]),
        ("init --id zorro --allow-origin lab.example", &["neither like `https://lab.example`"]),
        ("init --id zorro --directory https://127.0.0.1", &["only `http`"]),
        ("init --id zorro --provider <b>", &["markup"]),
        // The older subcommands have said which socket.
        ("websocket --id zorro --socket-type tcp", &["multiple times"]),
        ("tcpsocket --id zorro --disable-socket", &["cannot be used with"]),
        ("websocket", &["--id"]),
        ("run --id zorro", &["no client `zorro`", "with `nym-client init --id zorro`"]),
    ] {
        home.run(line).failed(2, words);
    }
    assert!(!home.nym("").exists(), "nothing was made");
}

#[test]
fn a_socket_type_is_understood_in_capitals_or_not() {
    for (flags, written) in [
        ("", "websocket"),
        ("--socket-type WebSocket", "websocket"),
        ("--socket-type ws", "websocket"),
        ("--socket-type TCP", "tcp"),
        ("--socket-type None", "none"),
        ("--disable-socket", "none"),
    ] {
        let home = home();
        home.succeed(&format!("{INIT} {flags}"));
        let line = format!("\nsocket_type = \"{written}\"\n");
        assert!(home.read(CONFIG).contains(&line), "{flags}");
    }
}

#[test]
fn flags_override_the_file_and_it_ends_in_order() {
    let directory = Directory::start();
    let home = home();
    home.succeed(&format!("{INIT} --disable-socket --directory {NOWHERE} --provider Basel"));
    let line = format!("run --id zorro --directory {} --provider Bern", directory.url());
    let mut client = home.start(&line);
    client.line("the provider `Bern` is not in the directory");
    client.line(directory.url());
    let (status, log) = client.end();
    assert!(status.success(), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("listening on")), "{log:#?}");
    assert!(home.nym(JOURNAL).exists());
    assert!(!home.nym(&format!("{JOURNAL}-wal")).exists(), "one file has everything");

    // What was said then is not remembered.
    let mut client = home.start(&format!("{RUN} --socket-type ws --directory {}", directory.url()));
    let address = client.listens("app");
    client.line(&format!("Starting websocket listener at {address}"));
    client.line("the provider `Basel` is not in the directory");
    client.signal(Signal::INT);
    let (status, log) = client.wait();
    assert!(status.success(), "{log:#?}");
}

#[test]
fn the_older_subcommands_choose_the_socket() {
    let home = home();
    let told =
        home.succeed(&format!("{INIT} --disable-socket --allow-origin https://chat.example"));
    let key = said(&told, "public key");
    let rest = format!("--id zorro --port 0 --directory {NOWHERE}");

    let mut client = home.start(&format!("websocket {rest}"));
    let address = client.listens("app");
    client.line(&format!("Starting websocket listener at {address}"));
    assert!(shake_hands(address).starts_with("HTTP/1.1 101 "));
    assert!(client.end().0.success());
    // Nobody allows that page any more.
    home.replace(CONFIG, "[\"https://chat.example\"]", "[]");
    let mut client = home.start(&format!("websocket {rest}"));
    assert!(shake_hands(client.listens("app")).starts_with("HTTP/1.1 403 "));
    assert!(client.end().0.success());

    let mut client = home.start(&format!("tcpsocket {rest}"));
    assert_eq!(own_key(client.listens("app")).to_string(), key);
    assert!(client.end().0.success());
}

#[test]
fn only_one_process_has_its_folder() {
    testing::only_one_process_has_its_folder(&initialised(), INIT, RUN, "app");
}

#[test]
fn a_port_that_somebody_asked_for_has_to_be_free() {
    let home = initialised();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let named = format!("cannot listen on `{address}`");
    home.run(&format!("run --id zorro --port {}", address.port())).failed(4, &[&named, "hint: "]);
    home.run(&format!("run --id zorro -p {}", address.port())).failed(4, &[&named]);
    home.replace(CONFIG, "#listening_port = 1977", &format!("listening_port = {}", address.port()));
    home.run("run --id zorro").failed(4, &[&named]);
    // A flag overrides that.
    home.start(RUN).listens("app");
}

#[test]
fn without_a_port_it_takes_the_next_that_is_free_and_says_so() {
    let home = initialised();
    // If this fails somebody else has it, which is as good.
    let _taken = TcpListener::bind(("127.0.0.1", client::APPLICATIONS_PORT));
    let mut client = home.start("run --id zorro");
    let told = client.line("(app; port 1977 is taken)");
    let (_, address) = told.split_once("listening on ").expect("an address");
    let (address, _) = address.split_once(' ').expect("a word");
    client.line(&format!("Starting websocket listener at {address}"));
    assert!(client.end().0.success());
}

#[test]
fn what_is_wrong_with_its_config_file_is_named() {
    let home = initialised();
    let config = home.read(CONFIG);
    let cases: [(&str, &str, &[&str]); 8] = [
        (
            "layers = 3",
            "laiers = 3",
            &["there is no key `laiers` in [client]", "hint: did you mean `layers`?"],
        ),
        (
            "socket_type = \"websocket\"",
            "socket_type = \"xml\"",
            &["[socket] socket_type = \"xml\": it is none of `websocket`, `tcp`, `none`"],
        ),
        (
            "#listening_port = 1977",
            "listening_port = \"1977\"",
            &["[socket] listening_port = \"1977\": it has to be a number without quotes"],
        ),
        (
            "allowed_origins = []",
            "allowed_origins = \"https://a\"",
            &["it has to be a list of texts in quotes"],
        ),
        (
            "allowed_origins = []",
            "allowed_origins = [\"https://a\", \"https://B\"]",
            &["`https://B`: browsers call the origin of such pages `https://b`"],
        ),
        (
            "average_packet_delay = 200",
            "average_packet_delay = 10001",
            &["[debug] average_packet_delay = 10001: it is no number from 0 to 10000"],
        ),
        ("acknowledgements = true", "layers = 2", &["hint: it belongs into [client]"]),
        (
            "provider_id = \"\"",
            "provider_id = \"a\"\ngateway_id = \"b\"",
            &["[client] gateway_id is not what [client] provider_id says in line "],
        ),
    ];
    testing::wrong_config_is_named(&home, CONFIG, RUN, &cases);
    home.write(CONFIG, &config.replace("id = \"zorro\"", "id = \"alice\""));
    home.run(RUN).failed(2, &["the config file is of node `alice`, not `zorro`"]);
}

#[test]
fn a_damaged_key_is_refused_and_kept() {
    testing::damaged_key_is_refused_and_kept(&initialised(), PRIVATE, RUN, ANEW);
}

/// Files as v0.5.0, v0.6.0 and v0.7.0 wrote them, but for the port and the address of the directory.
#[test]
fn config_files_of_the_originals_are_understood() {
    const RATES: &str = "average_packet_delay = 200\nloop_cover_traffic_average_delay = 1000\n\
                         message_sending_average_delay = 500\n";
    let of_v5 = format!(
        "{RATES}fetch_message_delay = 1000\nrate_compliant_cover_messages_disabled = false\n\
         topology_refresh_rate = 10000\ntopology_resolution_timeout = 5000\n\
         number_of_healthcheck_test_packets = 2\nnode_score_threshold = 0.0\n\
         packet_forwarding_initial_backoff = 10000\npacket_forwarding_maximum_backoff = 300000\n"
    );
    let of_v6 = format!("{RATES}fetch_message_delay = 1000\n");
    for (provider, socket, debug, ignored_keys) in [
        ("provider", "TCP", of_v5.as_str(), 10),
        ("provider", "TCP", of_v6.as_str(), 3),
        ("gateway", "WebSocket", RATES, 2),
    ] {
        let directory = Directory::start();
        let home = initialised();
        let data = home.nym("clients/zorro/data").display().to_string();
        let text = format!(
            "[client]\nid = 'zorro'\ndirectory_server = '{}'\n\
             private_identity_key_file = '{data}/private_identity.pem'\n\
             public_identity_key_file = '{data}/public_identity.pem'\n\
             {provider}_id = 'D2hr6fNJ2UPXUJcrL3w2wnoDTT9oQfEjSfNWDPtLJwVc'\n\
             {provider}_authtoken = '8ZouG7osPVrDnueErMiFgcRXt3QAwKSMsT6tQocgin2B'\n\
             nym_root_directory = '{data}/../..'\n\
             [socket]\nsocket_type = '{socket}'\nlistening_port = 0\n[logging]\n[debug]\n{debug}",
            directory.url()
        );
        home.write(CONFIG, &text);
        // Theirs had more words in front of their keys, and ended their lines as Windows does.
        for file in [PRIVATE, PUBLIC] {
            let key = home.read(file).replace(" X25519 ", " DUMMY KEY BASED ON X25519 ");
            home.write(file, &key.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
        let mut client = home.start("run --id zorro");
        let ignored = client.line("mean nothing here: ");
        assert_eq!(ignored.matches('[').count(), ignored_keys, "{ignored}");
        assert!(ignored.contains(&format!("[client] {provider}_authtoken")), "{ignored}");
        assert!(ignored.contains("[client] nym_root_directory"), "{ignored}");
        client.line("the provider `D2hr6fNJ2UPXUJcrL3w2wnoDTT9oQfEjSfNWDPtLJwVc` is not in");
        let address = client.listens("app");
        if socket == "TCP" {
            let told = client.line("public key");
            assert!(told.contains(&own_key(address).to_string()), "{told}");
        } else {
            assert!(shake_hands(address).starts_with("HTTP/1.1 403 "), "a page of elsewhere");
        }
        let (status, log) = client.end();
        assert!(status.success(), "{log:#?}");
        assert!(!log.iter().any(|line| line.contains("8ZouG7")), "tokens are in no log: {log:#?}");
    }
}

#[test]
fn the_guide_lists_every_flag_and_every_key() {
    let home = home();
    home.succeed(INIT);
    testing::flags_are_in_the_guide(&home, PAGE, "nym-client");
    testing::keys_are_in_the_guide(&home, CONFIG, PAGE, "nym-client");
}

#[test]
fn its_help_says_the_defaults() {
    let home = home();
    home.succeed(INIT);
    testing::defaults_are_in_the_help(
        &home,
        CONFIG,
        &[
            ("--layers", "layers = {}\n"),
            ("--socket-type", "socket_type = \"{}\"\n"),
            ("--directory", "directory_server = \"{}\"\n"),
        ],
    );
}

/// The clients of the guide's tour run, on ports that are free.
#[test]
fn the_tour_of_the_guide_works() {
    let directory = Directory::start();
    let home = home();
    let mut running: Vec<Running> = Vec::new();
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("nym-client ")) {
        if line.starts_with("init") {
            home.succeed(line);
        } else {
            let line = line.replace(" --directory http://localhost:8080", "");
            running.push(home.start(&format!("{line} --port 0 --directory {}", directory.url())));
        }
    }
    assert_eq!(running.len(), 3);
    for mut client in running {
        client.line("Starting websocket listener at 127.0.0.1:");
        client.line("no provider is in the directory");
    }
}
