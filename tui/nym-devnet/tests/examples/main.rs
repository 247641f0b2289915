//! Every example in `examples/`, run against a devnet with the packages that it is written for.

#[path = "../common/mod.rs"]
mod common;
mod packages;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Lab, Running};
use crate::packages::{examples, python, typescript_in};

/// How long an example may take; most of it is starting the interpreter.
const SECONDS: u64 = 60;

/// A message of thirteen packets, not all of it UTF-8.
const FILE_BYTES: usize = 20_000;

/// A devnet, and everything that runs an example against it.
struct Workshop {
    devnet: Lab,
    python: PathBuf,
    /// The TypeScript examples and their packages, and files that are sent.
    folder: TempDir,
    /// What has been run, as `folder/file`.
    run: BTreeSet<String>,
}

impl Workshop {
    fn open() -> Self {
        let (python, folder) = (python(), tempfile::tempdir().expect("a folder"));
        typescript_in(folder.path());
        let devnet = Lab::new();
        devnet.run("up --detach --ports auto --profile current --crowd 0 --name ex").expect(0);
        Self { devnet, python, folder, run: BTreeSet::new() }
    }

    /// Starts an example by its name, such as `python/text.py`.
    fn start(&mut self, example: &str, arguments: &[&str]) -> Running {
        self.run.insert(example.to_owned());
        let mut command = if let Some(file) = example.strip_prefix("typescript/") {
            let mut command = Command::new(self.folder.path().join("node_modules/.bin/tsx"));
            command.arg(file);
            command
        } else {
            let mut command = Command::new(&self.python);
            command.arg(examples().join(example));
            command
        };
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A proxy that is set for the rest of the world has no way to loopback.
        command.env("no_proxy", "*").current_dir(self.folder.path());
        Running { child: command.spawn().expect("it starts") }
    }

    /// Runs an example to its end, and gives back what it printed.
    #[track_caller]
    fn finish(&mut self, example: &str, arguments: &[&str]) -> String {
        self.start(example, arguments).wait(SECONDS).expect(0).stdout
    }

    fn client(&self, name: &str) -> Client {
        let node = self.devnet.node("ex", name);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Client {
            url: format!("ws://{}", text(&node["addresses"]["app"])),
            address: text(&node["address"]),
            key: text(&node["public_keys"][0]),
        }
    }
}

/// A client of the devnet.
struct Client {
    url: String,
    address: String,
    /// Its address without its provider: all that the older interface knows.
    key: String,
}

#[test]
fn every_example_does_what_it_says() {
    let mut workshop = Workshop::open();
    let (alice, bob) = (workshop.client("alice"), workshop.client("bob"));
    for (language, end) in [("python", "py"), ("typescript", "ts")] {
        something_waits(&workshop);
        text_comes_back(&mut workshop, &format!("{language}/text.{end}"), &alice);
        something_waits(&workshop);
        bytes_come_back(&mut workshop, &format!("{language}/binary.{end}"), &alice);
    }
    questions_are_answered(&mut workshop, "python/reply.py", "typescript/reply.ts", &alice, &bob);
    questions_are_answered(&mut workshop, "typescript/reply.ts", "python/reply.py", &alice, &bob);
    the_older_interface_sends_and_fetches(&mut workshop, &alice, &bob);
    assert_eq!(workshop.run, all_examples(), "every example was run");
    the_readme_has_one_that_works(&mut workshop, &alice);
    workshop.devnet.run("down ex").expect(0);
}

/// alice has a message that no application has taken: it comes between an example's request and its
/// answer.
#[track_caller]
fn something_waits(workshop: &Workshop) {
    workshop.devnet.run("send alice alice waits --wait --name ex").expect(0);
}

fn text_comes_back(workshop: &mut Workshop, example: &str, alice: &Client) {
    let printed = workshop.finish(example, &[&alice.url]);
    let expected =
        format!("connected to {}\naccepted\nreceived: through three mixnodes\n", alice.address);
    assert_eq!(printed, expected, "{example}");
}

fn bytes_come_back(workshop: &mut Workshop, example: &str, alice: &Client) {
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(FILE_BYTES).collect();
    let file = workshop.folder.path().join("file");
    let copy = workshop.folder.path().join("file.received");
    fs::write(&file, &content).expect("written");
    let printed = workshop.finish(example, &["file", &alice.url]);
    assert!(printed.contains(&format!("received {FILE_BYTES} bytes")), "{example}: {printed}");
    assert!(fs::read(&copy).expect("a copy") == content, "{example}: not the same bytes");
    fs::remove_file(copy).expect("removed");
}

fn questions_are_answered(
    workshop: &mut Workshop,
    asks: &str,
    answers: &str,
    alice: &Client,
    bob: &Client,
) {
    let mut answering = workshop.start(answers, &["--client", &bob.url, "answer"]);
    let printed = answering.until_printed(&bob.address);
    assert!(printed.starts_with("waiting for questions at "), "{answers}: {printed}");
    let question = "is anybody there";
    let ask = ["--client", &alice.url, "ask", &bob.address, question];
    let printed = workshop.finish(asks, &ask);
    assert!(printed.ends_with("answered: is anybody there has 3 words\n"), "{asks}: {printed}");
    answering.signal(Signal::TERM);
    let ended = answering.wait(SECONDS);
    assert_eq!(ended.stderr, "", "{answers}");
}

fn the_older_interface_sends_and_fetches(workshop: &mut Workshop, alice: &Client, bob: &Client) {
    let path = |client: &Client| format!("{}/mix", client.url);
    // Once with the bare key, which is looked up, once with the whole address.
    for (to, text) in [(&bob.key, "to a key"), (&bob.address, "to an address")] {
        let sent = workshop.finish("typescript/send.ts", &[to, text, &path(alice)]);
        assert_eq!(sent, "accepted\n");
        let fetched = workshop.finish("typescript/fetch.ts", &[&path(bob)]);
        assert_eq!(fetched, format!("fetched: {text}\n"));
    }
}

/// The program in the README of the whole.
fn the_readme_has_one_that_works(workshop: &mut Workshop, alice: &Client) {
    let readme = fs::read_to_string(examples().join("../README.md")).expect("a file");
    let (_, program) = readme.split_once("```python\n").expect("a program");
    let (program, _) = program.split_once("```").expect("its end");
    assert!(program.contains("ws://localhost:1977"), "{program}");
    let program = program.replace("ws://localhost:1977", &alice.url);
    let file = workshop.folder.path().join("readme.py");
    fs::write(&file, program).expect("written");
    let printed = workshop.finish(file.to_str().expect("UTF-8"), &[]);
    assert_eq!(printed, "{\"type\":\"send\"}\nhello\n");
}

/// Every program below the folder of examples, as `folder/file`.
fn all_examples() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for folder in ["python", "typescript"] {
        for entry in fs::read_dir(examples().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "py" || end == "ts") {
                let file = path.file_name().and_then(OsStr::to_str).expect("UTF-8");
                all.insert(format!("{folder}/{file}"));
            }
        }
    }
    all
}

#[test]
fn types_are_right() {
    let folder = tempfile::tempdir().expect("a folder");
    typescript_in(folder.path());
    let tsc = folder.path().join("node_modules/.bin/tsc");
    let output = Command::new(tsc).current_dir(folder.path()).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Packages come from whatever registry is configured where they are installed.
#[test]
fn the_lock_file_names_no_host() {
    let lock = fs::read_to_string(examples().join("typescript/package-lock.json")).expect("a file");
    let lock: Value = serde_json::from_str(&lock).expect("JSON");
    let packages = lock["packages"].as_object().expect("packages");
    assert!(packages.len() > 1);
    for (name, package) in packages {
        assert!(package.get("resolved").is_none(), "{name}");
        assert!(name.is_empty() || package["integrity"].is_string(), "{name}");
    }
}

#[test]
fn the_readme_says_how_to_run_each() {
    let readme = fs::read_to_string(examples().join("README.md")).expect("a file");
    for example in all_examples() {
        let file = Path::new(&example).file_name().and_then(OsStr::to_str).expect("UTF-8");
        assert!(readme.contains(&format!(" {file}")), "{example} is not in the README");
    }
}

/// The shell script of the README's section on CI.
fn ci_job() -> String {
    let readme = fs::read_to_string(examples().join("../README.md")).expect("the README");
    let (_, section) = readme.split_once("\n## A CI job\n").expect("the section");
    let section = section.split("\n## ").next().expect("split gives one");
    let script = section.split("```").nth(1).expect("a block");
    script.strip_prefix("shell\n").expect("a shell script").to_owned()
}

#[test]
fn the_readmes_ci_job_tests_an_application_and_leaves_nothing() {
    let lab = Lab::new();
    let programs = [Path::new(env!("CARGO_BIN_EXE_nym-devnet")), &python()];
    let folders = programs.map(|program| program.parent().expect("a folder").to_owned());
    let path = std::env::var_os("PATH").expect("a path");
    let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)));
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(examples().join(".."));
        command.env("PATH", path.as_ref().expect("a path")).env("no_proxy", "*");
        command.env("NYM_DEVNET_STATE_DIR", lab.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = Running { child: command.spawn().expect("a shell") }.wait(SECONDS);
        assert!(!lab.folder("ci").exists(), "{done:?}");
        done
    };
    let job = ci_job();
    let passed = run(&job).expect(0);
    assert!(passed.stdout.contains("received: through three mixnodes"), "{}", passed.stdout);
    // What fails is told, and nothing stays behind either.
    let application = job.lines().last().expect("lines");
    let failed = run(&job.replace(application, "exit 7")).expect(7);
    assert!(failed.stdout.contains("`ci` is down; deleted "), "{}", failed.stdout);
}
