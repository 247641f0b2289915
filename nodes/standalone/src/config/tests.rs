//! Reading and writing of a small config.

use std::fs;
use std::net::SocketAddr;

use contract::{Fatal, FatalCode};
use runtime::LogFormat;

use super::*;
use crate::{Announce, Id};

#[derive(Debug)]
struct Sample {
    id: Id,
    layer: Limited<1, 4>,
    listening: SocketAddr,
    announce: Option<Announce>,
    workers: Option<Limited<1, 9>>,
    friends: Vec<Id>,
    directory: String,
    format: LogFormat,
    faithful: bool,
}

impl Sample {
    fn new() -> Self {
        Self {
            id: "m1".parse().expect("an id"),
            layer: Limited::new(2),
            listening: SocketAddr::from(([127, 0, 0, 1], 1789)),
            announce: None,
            workers: None,
            friends: Vec::new(),
            directory: "http://a".into(),
            format: LogFormat::Text,
            faithful: false,
        }
    }
}

impl Config for Sample {
    fn keys(&mut self, keys: &mut Keys<'_>) {
        keys.section("node", &["gateway"], "The node");
        keys.text(Key::new("id", "Its name").required(), &mut self.id);
        keys.number(Key::new("layer", "Its layer"), &mut self.layer);
        keys.address(Key::new("listening_address", "Where it listens"), &mut self.listening);
        keys.optional(Key::new("announce_address", "What it announces"), &mut self.announce);
        keys.optional_number(Key::new("workers", "Its threads"), 5, &mut self.workers);
        keys.list(Key::new("friends", "Its friends"), &mut self.friends);
        keys.text(
            Key::new("directory", "The directory").also(&[("debug", "old_directory")]),
            &mut self.directory,
        );
        keys.section("logging", &[], "The log");
        keys.choice(Key::new("format", "How it looks"), &mut self.format);
        keys.section("debug", &[], "For experiments");
        keys.switch(Key::new("faithful", "As the originals"), &mut self.faithful);
        keys.ignored("debug", &["delay"]);
    }
}

fn read_text(text: &str) -> Result<(Sample, Vec<String>), ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    fs::write(&path, text).expect("written");
    let mut sample = Sample::new();
    let ignored = read(&path, &mut sample)?;
    Ok((sample, ignored))
}

#[test]
fn what_is_written_is_read_again() {
    let mut sample = Sample::new();
    sample.layer = Limited::new(3);
    sample.announce = Some("nym.example".parse().expect("to announce"));
    sample.directory = "a \"quote\" \\ and\na line".into();
    sample.faithful = true;
    sample.friends = ["m2", "m3"].map(|id| id.parse().expect("an id")).into();
    let text = render("A sample.", &mut sample, &mut Sample::new());
    assert!(text.contains("# Its layer\n# Default: 2\nlayer = 3\n"), "{text}");
    assert!(text.contains("# How it looks\nformat = \"text\"\n"), "{text}");
    assert!(text.contains("# Default: []\nfriends = [\"m2\", \"m3\"]\n"), "{text}");
    assert!(text.contains("# Its threads\n#workers = 5\n"), "{text}");
    let (read, ignored) = read_text(&text).expect("it is good");
    assert_eq!(entries(&mut { read }), entries(&mut sample));
    assert!(ignored.is_empty());
    // An example is none that the file says; its `#` taken away, it is.
    let (read, _) = read_text(&text).expect("it is good");
    assert_eq!(read.workers, None);
    let (mut read, _) = read_text(&text.replace("#workers", "workers")).expect("it is good");
    assert_eq!(read.workers, Some(Limited::new(5)));
    let text = render("A sample.", &mut read, &mut Sample::new());
    assert!(text.contains("# Its threads\nworkers = 5\n"), "{text}");
}

#[test]
fn what_a_file_does_not_say_stays() {
    let text = "[node]\nid = 'm2'\nlayer = 0x4\n[logging]\nformat = 'JSON'\n";
    let (sample, _) = read_text(text).expect("good");
    assert_eq!(sample.format, LogFormat::Json, "in capitals or not");
    assert_eq!((sample.id.to_string().as_str(), sample.layer.get::<u8>()), ("m2", 4));
    assert_eq!(sample.listening.port(), 1789);
}

#[test]
fn keys_are_found_at_all_their_places_and_old_ones_are_named() {
    let text = "[gateway]\nid = 'm2'\n[debug]\nold_directory = 'http://b'\ndelay = 1\n";
    let (sample, ignored) = read_text(text).expect("good");
    assert_eq!(
        (sample.directory.as_str(), ignored.as_slice()),
        ("http://b", &["[debug] delay".into()][..])
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    const TOML: &str =
        "a text stands in quotes, a number does not, and a switch is `true` or `false`";
    for (text, message, hint) in [
        ("[node]\nid 'm1'\n", "c.toml:2: ", Some(TOML)),
        ("[node]\nid = 'm1'\n[debug]\nfaithful = yes\n", "c.toml:4: ", Some(TOML)),
        ("[node]\nid = 'm1'\nid = 'm1'\n", "c.toml:3: duplicate key `id`", None),
        ("[node]\nid = 'm1'\n[node]\n", "c.toml:3: duplicate key `node`", None),
        (
            "[node]\nid = 'm1'\nlayr = 2\n",
            "c.toml:3: there is no key `layr` in [node]",
            Some("did you mean `layer`?"),
        ),
        // A slip in a key that has to be there is told as a slip.
        (
            "[node]\nidd = 'm1'\n",
            "c.toml:2: there is no key `idd` in [node]",
            Some("did you mean `id`?"),
        ),
        ("[node]\nid = 'm1'\nzzz = 2\n", "c.toml:3: there is no key `zzz` in [node]", None),
        (
            "[node]\nid = 'm1'\nformat = 'text'\n",
            "c.toml:3: there is no key `format` in [node]",
            Some("it belongs into [logging]"),
        ),
        ("[nod]\nid = 'm1'\n", "c.toml:1: there is no section [nod]", Some("did you mean [node]?")),
        (
            "id = 'm1'\n[node]\n",
            "c.toml:1: there is no key `id` outside of a section",
            Some("keys come after the [section] that they belong to"),
        ),
        ("[node]\n", "c.toml: [node] id is missing", None),
        (
            "[node]\nid = 'm1'\nlayer = 5\n",
            "c.toml:3: [node] layer = 5: it is no number from 1 to 4",
            None,
        ),
        (
            "[node]\nid = 'm1'\nlayer = '2'\n",
            "c.toml:3: [node] layer = '2': it has to be a number without quotes",
            None,
        ),
        (
            "[node]\nid = 'm1'\nfriends = ['m2', 'm/3']\n",
            "c.toml:3: [node] friends = ['m2', 'm/3']: `m/3`: only letters, digits, `-`, `_` and `.` \
             may be in it",
            None,
        ),
        (
            "[node]\nid = 'm1'\nfriends = 'm2'\n",
            "c.toml:3: [node] friends = 'm2': it has to be a list of texts in quotes, such as \
             [\"a\", \"b\"]",
            None,
        ),
        (
            "[node]\nid = 'm1'\nfriends = ['m2', 3]\n",
            "c.toml:3: [node] friends = ['m2', 3]: it has to be a list of texts in quotes",
            None,
        ),
        (
            "[node]\nid = 'm1'\nworkers = 10\n",
            "c.toml:3: [node] workers = 10: it is no number from 1 to 9",
            None,
        ),
        (
            "[node]\nid = 'm1'\nlayer = [2]\n",
            "c.toml:3: [node] layer = [2]: it has to be a number without quotes",
            None,
        ),
        (
            "[node]\nid = 'm1'\n[debug]\nfaithful = 1\n",
            "c.toml:4: [debug] faithful = 1: it has to be `true` or `false`",
            None,
        ),
        (
            "[node]\nid = 'm1'\nlistening_address = 'x'\n",
            "c.toml:3: [node] listening_address = 'x': it has to be IP:PORT",
            None,
        ),
        (
            "[node]\nid = 'm1'\n[logging]\nformat = 'xml'\n",
            "c.toml:4: [logging] format = 'xml': it is none of `text`, `json`",
            None,
        ),
        (
            "[node]\nid = 'm1'\ndirectory = 'http://b'\n[debug]\nold_directory = 'http://c'\n",
            "c.toml:5: [debug] old_directory is not what [node] directory says in line 3",
            Some("both mean the same here: remove one"),
        ),
        (
            "[node]\nid = 'm1'\n\n\n[gateway]\nid = 'm2'\n",
            "c.toml:6: [gateway] id is not what [node] id says in line 2",
            Some("both mean the same here: remove one"),
        ),
    ] {
        let fatal = Fatal::from(read_text(text).expect_err(text));
        assert!(fatal.message.contains(message), "{text}\n{fatal}");
        assert_eq!(fatal.hint.as_deref(), hint, "{text}");
        assert_eq!(fatal.code, FatalCode::Usage);
    }
}

#[test]
fn a_message_shows_no_more_than_fits_in_a_line() {
    let text = format!("[node]\nid = 'm1'\n{} = 1\n", "x".repeat(5000));
    assert!(read_text(&text).expect_err("unknown").to_string().len() < 300);
    let text = "[node]\nid = \"\"\"a\nb\u{1b}[31m\"\"\"\n".replace('\u{1b}', "\\u001b");
    let message = read_text(&text).expect_err("no id").to_string();
    assert!(!message.contains(['\n', '\u{1b}']), "{message:?}");
}

#[test]
fn a_file_that_is_too_long_or_is_none_is_not_read() {
    let text = format!("[node]\nid = 'm1'\n{}", "# comment\n".repeat(10_000));
    let fatal = Fatal::from(read_text(&text).expect_err("too long"));
    assert_eq!(fatal.code, FatalCode::Usage);
    assert!(fatal.message.contains("longer than 65536 bytes"), "{fatal}");
    let folder = tempfile::tempdir().expect("a folder");
    let error = read(folder.path(), &mut Sample::new()).expect_err("a folder is no file");
    assert_eq!(Fatal::from(error).code, FatalCode::Storage);
    let path = folder.path().join("c.toml");
    fs::write(&path, [0xff, 0xfe]).expect("written");
    let fatal = Fatal::from(read(&path, &mut Sample::new()).expect_err("no text"));
    assert_eq!(fatal.code, FatalCode::Usage);
    assert!(fatal.message.contains("valid UTF-8"), "{fatal}");
}
