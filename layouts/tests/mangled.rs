//! Whatever a file holds, it is a plan or a fault with a place, and nothing panics.

use std::env::VarError;
use std::path::PathBuf;

use layouts::{Override, Source};
use proptest::prelude::*;

fn variable(name: &str) -> Result<String, VarError> {
    match name {
        "N" => Ok("2".into()),
        "BAD" => Ok("\"\n[nodes.x]\u{1b}".into()),
        _ => Err(VarError::NotPresent),
    }
}

/// Reads a layout as `up` does.
fn read(text: &str, params: &[String]) {
    let source = Source::of_text("mangled.toml", text, PathBuf::from("/"));
    let params: Vec<Override> =
        params.iter().filter_map(|param| Override::param(param).ok()).collect();
    match layouts::resolve(Some(&source), &params, &variable) {
        Ok(resolved) => {
            let plan = resolved.plan;
            plan.layout.check().expect("what was resolved is a network");
            assert!(plan.load().packets_per_second.is_finite());
        }
        Err(fault) => {
            assert!(!fault.message.is_empty());
            let all = format!("{fault}{}", fault.hint.as_deref().unwrap_or_default());
            assert!(!all.chars().any(char::is_control), "{all:?}");
            assert!(all.chars().count() < 2000, "{}", all.len());
        }
    }
}

/// Pieces that layouts are made of, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "width",
        "layers",
        "widths",
        "clients",
        "crowd",
        "slot",
        "nodes",
        "profile",
        "ports",
        "seed",
        "alice",
        "mix-1-1",
        "crowd",
        "provider",
        "command",
        "env",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        "\n",
        " ",
        ".",
        ",",
        "\"",
        "'",
        "\"\"\"",
        "#",
        "\\u0000",
        "\\",
        "{{N}}",
        "{{BAD}}",
        "{{",
        "}}",
        "{{{{",
        "true",
        "off",
        "0",
        "1",
        "2",
        "-1",
        "64",
        "1.5",
        "1e9",
        "0x10",
        "9999999999999999999",
        "1979-05-27",
        "inf",
        "\"1s\"",
        "\"200ms\"",
        "\"base:1\"",
        "\"fast\"",
        "ü",
        "\u{202e}",
    ]);
    prop_oneof![8 => known.prop_map(String::from), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), param in any::<String>()) {
        read(&text, &[param]);
    }

    #[test]
    fn any_pieces_are_read_or_refused(
        pieces in prop::collection::vec(piece(), 0..40),
        params in prop::collection::vec(prop::collection::vec(piece(), 1..8), 0..3),
    ) {
        let params: Vec<String> = params.into_iter().map(|pieces| pieces.concat()).collect();
        read(&pieces.concat(), &params);
    }

    /// A layout that is right, with a piece cut out and another put in.
    #[test]
    fn a_changed_layout_is_read_or_refused(
        which in 0..7_usize,
        at in any::<prop::sample::Index>(),
        cut in 0..30_usize,
        new in prop::collection::vec(piece(), 0..4),
    ) {
        let name = Source::builtin_names().nth(which).expect("seven");
        let text = Source::builtin(name).expect("its own name").text().to_owned();
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let mut mangled: String = chars[..at].iter().collect();
        mangled.push_str(&new.concat());
        mangled.extend(&chars[(at + cut).min(chars.len())..]);
        read(&mangled, &[]);
    }
}

#[test]
fn what_is_nested_or_repeated_without_end_is_refused() {
    let deep = [
        "a.".repeat(100_000) + "a = 1",
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(60_000)),
        "[a]\n".repeat(50_000),
        "[[nodes]]\n".repeat(25_000),
        format!("widths = [{}]", "1,".repeat(100_000)),
        format!("clients = [{}]", "\"a\",".repeat(50_000)),
        format!("description = \"{}\"", "{{N}}".repeat(50_000)),
        format!("nodes.alice.env = {{ A = \"{}\" }}", "x".repeat(250_000)),
    ];
    for text in deep {
        read(&text, &["a.".repeat(100_000) + "a=1"]);
    }
}

#[test]
fn what_is_no_text_or_too_long_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("x.toml");
    let refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("written");
        Source::read(&path).expect_err("refused").to_string()
    };
    let binary = refused(b"width = 1\n\xff\xfe");
    assert!(binary.ends_with("x.toml:2: this is not UTF-8"), "{binary}");
    let large = refused(&vec![b'#'; 256 * 1024 + 1]);
    assert!(large.ends_with("it has more than 262144 bytes"), "{large}");
    assert!(Source::read(dir.path()).is_err(), "a folder");
    let missing = Source::find("./no-such.toml").expect_err("missing");
    assert!(missing.hint().is_some_and(|hint| hint.contains("layout init")), "{missing}");
    let unknown = Source::find("bussy").expect_err("no such layout");
    assert_eq!(unknown.to_string(), "there is neither a layout nor a file named `bussy`");
    assert!(unknown.hint().is_some_and(|hint| hint.starts_with("did you mean `busy`?")));
}
