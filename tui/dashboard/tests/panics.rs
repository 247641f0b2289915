//! A panic in the dashboard, from its beginning in a real terminal to the end of its process: the terminal
//! is given back, a report is there, and nobody told the supervisor anything. The program has no panic that
//! could be asked for, so this file is both: without arguments it is the test, with arguments a process
//! that runs the dashboard and panics when it is told to.

#[path = "../../nym-devnet/tests/pty/mod.rs"]
mod pty;

use std::fs;
use std::future::{Future as _, poll_fn};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use control::ControlClient;
use dashboard::{Error, Options};
use pty::Terminal;
use tokio::sync::oneshot;

/// What the process ends with when the dashboard says that a part of it panicked.
const TOLD: u8 = 70;

/// What a process ends with whose first thread panics.
const UNWOUND: u8 = 101;

/// Where a panic begins, and how the process ends then.
const PLACES: [(&str, u8); 3] = [("thread", TOLD), ("task", TOLD), ("loop", UNWOUND)];

/// What the panic says. The quoted part is somebody's.
const SAID: &str = "found no end of `dear bob`";

/// The supervisor, and what the process waits for, in the folder of the test.
const CONTROL: &str = "control.sock";
const TRIGGER: &str = "trigger.sock";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", place, ends] => return run(place, ends == "ends"),
        // A runner may ask what there is.
        [.., "--list"] | ["--list", ..] => println!("panics: test"),
        _ => {
            for (place, code) in PLACES {
                for ends in [false, true] {
                    panics(place, code, ends);
                    println!("a panic in a {place}, the devnet ends: {ends} ... ok");
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// The dashboard, as the program runs it, with a panic in it.
fn run(place: &str, stops_on_quit: bool) -> ExitCode {
    let folder = PathBuf::from(std::env::var_os("NYM_DEVNET_STATE_DIR").expect("a folder"));
    let client = ControlClient::new(folder.join(CONTROL)).expect("a client");
    let mut trigger = UnixStream::connect(folder.join(TRIGGER)).expect("somebody to wait for");
    let options = Options { stops_on_quit, folder: Some(folder), ..Options::default() };
    let (now, mut is_now) = oneshot::channel::<()>();
    let in_thread = place == "thread";
    thread::spawn(move || {
        let _ = trigger.read(&mut [0]);
        assert!(!in_thread, "{SAID}");
        let _ = now.send(());
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.expect("a runtime").block_on(async move {
        let mut dashboard = pin!(dashboard::run(client, options));
        if place != "loop" {
            if place == "task" {
                tokio::spawn(async move {
                    let _ = is_now.await;
                    panic!("{SAID}");
                });
            }
            return dashboard.await;
        }
        poll_fn(|context| {
            assert!(!pin!(&mut is_now).poll(context).is_ready(), "{SAID}");
            dashboard.as_mut().poll(context)
        })
        .await
    });
    match ended {
        Err(Error::Panicked) => ExitCode::from(TOLD),
        other => panic!("{other:?}"),
    }
}

/// A dashboard that panics in a place, and what is left of it.
fn panics(place: &str, code: u8, ends: bool) {
    let folder = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
    let asked = supervise(folder.path());
    let trigger = UnixListener::bind(folder.path().join(TRIGGER)).expect("a socket");
    let program = std::env::current_exe().expect("a program");
    let arguments = format!("run {place} {}", if ends { "ends" } else { "stays" });
    // So wide that what is said at the end takes one row.
    let mut terminal = Terminal::start(&program, &arguments, folder.path(), 24, 300);
    terminal.wait("a dashboard", limit(), |screen| {
        (screen.alternate_screen() && screen.contents().contains("live")).then_some(())
    });
    let (told, _) = trigger.accept().expect("the process waits");
    drop(told);
    assert_eq!(terminal.wait_end(limit()), u32::from(code), "{place}");
    let said = if ends { "the devnet ends with it" } else { "the devnet goes on" };
    terminal.wait_text(&format!("the dashboard panicked; {said}. A report is in"), limit());
    terminal.is_restored(limit()).expect("restored");

    let reports = fs::read_dir(folder.path().join(".reports")).expect("a folder of reports");
    let reports: Vec<PathBuf> = reports.map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let report = fs::read_to_string(&reports[0]).expect("a report");
    for part in ["screen: Network", "panic: found no end of", "panics.rs:"] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!report.contains("dear bob"), "{report}");
    let asked = asked.lock().expect("not poisoned");
    assert!(asked.iter().all(|line| line.starts_with("GET ")), "{asked:?}");
}

/// How long something may take.
fn limit() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(10).mul_f64(factor)
}

/// A supervisor without a process, which has nothing but its state to tell. Returns what it is asked.
fn supervise(folder: &Path) -> Arc<Mutex<Vec<String>>> {
    let listener = UnixListener::bind(folder.join(CONTROL)).expect("a socket");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&asked);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (connection, lines) = (connection.expect("a connection"), Arc::clone(&lines));
            thread::spawn(move || answer(connection, &lines));
        }
    });
    asked
}

/// Answers one request, and holds on to the connection until the other side lets go of it.
fn answer(mut connection: UnixStream, asked: &Mutex<Vec<String>>) {
    const SNAPSHOT: &str = r#"{"seq":1,"t":1000000000,"unix_ms":5,"event":{"type":"snapshot","devnet":{"name":"t1","supervisor_pid":1,"folder":"/t1","started_unix_ms":0,"layers":0,"widths":[],"clients":0,"crowd":0,"profile":"classic","hop_delay_ms":0.0,"slot_ms":0.0,"loop_cover_ms":0.0,"acks":false,"attached":true,"notices":[]},"nodes":[],"directory":{"link":"connecting"},"topology":null,"metrics":{},"usage":{},"messages":[],"received":[],"logs":[]}}"#;
    let mut input = BufReader::new(connection.try_clone().expect("the same connection"));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head).unwrap_or_default() == 0 {
            return;
        }
    }
    let first = head.lines().next().unwrap_or_default().to_owned();
    let answer = if first.contains("/v1/events") {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{SNAPSHOT}\n")
    } else {
        "HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned()
    };
    asked.lock().expect("not poisoned").push(first);
    if connection.write_all(answer.as_bytes()).is_ok() {
        let _ = input.read_to_end(&mut Vec::new());
    }
}
