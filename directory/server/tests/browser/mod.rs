//! A real Chromium without a window, driven through chromedriver. Both end with the value, also when
//! the test panics.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::deadline::deadline;
use crate::support::soon;

/// Starting a browser takes longer than anything that it is asked afterwards.
const START: u32 = 6;

/// Where Chromium is, by the names of Debian, other distributions and macOS.
const CHROMIUM: [&str; 5] = [
    "chromium",
    "chromium-headless-shell",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A browser with one page.
pub(crate) struct Browser {
    pub(crate) page: Client,
    session: String,
    // In this order: processes end before their folder goes.
    driver: Driver,
    _profile: TempDir,
}

/// chromedriver and what it started, in a process group of their own.
struct Driver {
    process: Child,
    /// Kept open: chromedriver writes there now and then.
    output: Option<BufReader<ChildStdout>>,
    url: String,
}

impl Browser {
    /// Starts one. None if there is no Chromium on this machine, which is a failure where the
    /// variable `CI` is set.
    pub(crate) async fn start() -> Option<Self> {
        let found = (
            program("NYM_DEVNET_CHROMEDRIVER", &["chromedriver"]),
            program("NYM_DEVNET_CHROMIUM", &CHROMIUM),
        );
        let (Some(chromedriver), Some(chromium)) = found else {
            let missing = "Chromium and chromedriver are needed in PATH, or in NYM_DEVNET_CHROMIUM \
                           and NYM_DEVNET_CHROMEDRIVER";
            assert!(env::var_os("CI").is_none(), "{missing}");
            eprintln!("not tested: {missing}");
            return None;
        };
        let driver = soon(tokio::task::spawn_blocking(move || Driver::start(&chromedriver)));
        let driver = driver.await.expect("chromedriver starts");
        let profile = tempfile::tempdir().expect("a folder");
        let mut arguments = vec![
            "--headless".to_owned(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--window-size=1280,1000".into(),
            // The browser ends when chromedriver does, whatever ends that.
            "--remote-debugging-pipe".into(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if geteuid().is_root() {
            arguments.push("--no-sandbox".into());
        }
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("an object");
        };
        let opening = tokio::time::timeout(deadline() * START, open(&driver.url, capabilities));
        let page = opening.await.expect("a session within the deadline");
        let session = page.session_id().await.expect("an answer").expect("a session");
        Some(Self { page, session, driver, _profile: profile })
    }

    /// Waits until the expression is true in the page. It is looked at whenever the page is drawn.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0];
             const look = () => ({expression}) ? done(true) : requestAnimationFrame(look);
             look();"
        );
        if let Err(error) = self.page.execute_async(&script, vec![]).await {
            let shown = self.get("document.body.innerText").await;
            panic!(
                "never true: {expression}\n{error}\nThe page shows:\n{}",
                shown.as_str().unwrap_or("")
            );
        }
    }

    /// The value of an expression in the page.
    pub(crate) async fn get(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.page
            .execute(&script, vec![])
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// What the browser wrote to its console since this was asked last: errors, requests that
    /// failed, and whatever the page's policy forbade.
    pub(crate) async fn console(&self) -> Vec<String> {
        let url = format!("{}/session/{}/se/log", self.driver.url, self.session);
        let request = reqwest::Client::new().post(url).json(&json!({ "type": "browser" }));
        let answer = request.send().await.expect("an answer").json::<Value>().await.expect("JSON");
        let entries = answer["value"].as_array().unwrap_or_else(|| panic!("no log: {answer}"));
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or("").to_owned()).collect()
    }

    /// Ends both, and waits until they have ended.
    pub(crate) async fn close(self) {
        let Self { page, driver, .. } = self;
        soon(page.close()).await.expect("the session ends");
        drop(driver);
    }
}

async fn open(driver: &str, capabilities: Map<String, Value>) -> Client {
    let mut builder = ClientBuilder::new(HttpConnector::new());
    let page = builder.capabilities(capabilities).connect(driver).await.expect("a session");
    let patience = TimeoutConfiguration::new(Some(deadline()), Some(deadline()), None);
    page.update_timeouts(patience).await.expect("other timeouts");
    page
}

impl Driver {
    /// Starts it on a free port, which it says on its standard output.
    fn start(chromedriver: &PathBuf) -> Self {
        let process = Command::new(chromedriver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", chromedriver.display()));
        let mut driver = Self { process, output: None, url: String::new() };
        let mut output = BufReader::new(driver.process.stdout.take().expect("piped"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(output.read_line(&mut line).expect("a line") > 0, "chromedriver ended");
            let port = line.split_once("successfully on port ").map(|(_, rest)| rest);
            if let Some(port) = port {
                break port.trim().trim_end_matches('.').to_owned();
            }
        };
        driver.output = Some(output);
        driver.url = format!("http://127.0.0.1:{port}");
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Nobody has waited for it yet, so that the number is still its own.
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

/// The program that the variable names, or the first of these names that is a file or in `PATH`.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates =
        names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}
