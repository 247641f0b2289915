//! Every process of a devnet is killed in turn while an application sends: what was accepted is not lost,
//! comes once, and is what was sent.
//!
//! `NYM_DEVNET_KILL_SECONDS` says for how long.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::common::{Lab, limit, until};

/// How long, unless the environment says otherwise.
const DEFAULT_SECONDS: usize = 8;

/// Messages that the application sends in a second.
const PER_SECOND: usize = 20;

/// Bytes of the longest of them.
const LONGEST: usize = 20_000;

/// A process that ends by itself five times within a minute is given up, so each has its turn four times
/// in a minute.
const SECONDS_OF_A_ROUND: usize = 15;

/// Between two looks whether something has come, and between two requests of the application that were
/// not answered.
const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn each_accepted_message_arrives_once_while_every_process_in_turn_is_killed() {
    let seconds = std::env::var("NYM_DEVNET_KILL_SECONDS").ok().and_then(|text| text.parse().ok());
    let seconds = seconds.unwrap_or(DEFAULT_SECONDS);
    let lab = Lab::new();
    lab.run(
        "up --detach --name t1 --ports auto --width 2 --layers 3 --profile fast --slot 10ms \
         --hop-delay 20ms --loop-cover 100ms",
    )
    .expect(0);
    let names: Vec<String> = lab.pids("t1").1.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    let mut follow = lab.spawn("inbox bob --follow -o json --name t1");
    let followed = Lines::of(follow.child.stdout.take().expect("piped"));

    let alice =
        lab.node("t1", "alice")["addresses"]["app"].as_str().expect("it listens").to_owned();
    let bob = lab.node("t1", "bob")["address"].as_str().expect("it has one").to_owned();
    let application = Application::start(format!("ws://{alice}/"), bob);
    let rounds = (seconds / SECONDS_OF_A_ROUND).max(1);
    let kills = rounds * names.len();
    for (done, name) in names.iter().cycle().take(kills).enumerate() {
        // Evenly over the messages, and each when the one before is back.
        let sent = done * seconds * PER_SECOND / kills;
        until("the application goes on", 60, || application.accepted().len() > sent);
        let restarts = lab.node("t1", name)["restarts"].as_u64().expect("a number");
        let pids = lab.pids("t1").1;
        let pid = pids.into_iter().find(|(other, _)| other == name).expect("it runs").1;
        let began = Instant::now();
        kill_process(pid, Signal::KILL).expect("it runs");
        until(&format!("{name} is started again"), 20, || {
            lab.node("t1", name)["restarts"] == restarts + 1
        });
        lab.run(&format!("wait --name t1 --timeout {}s", limit(60).as_secs())).expect(0);
        println!("{name}: all are ready again after {:.1} s", began.elapsed().as_secs_f64());
    }
    let all = seconds * PER_SECOND;
    until("the application has sent enough", 60, || application.accepted().len() >= all);
    let accepted = application.stop();
    println!("{} messages while processes were killed {kills} times", accepted.len());

    // Whatever was lost on the way is sent again after at most some seconds. What is not there by then
    // counts as lost.
    let deadline = Instant::now() + limit(90);
    while followed.count() < accepted.len() && Instant::now() < deadline {
        std::thread::park_timeout(PAUSE);
    }
    let inbox = lab.run("inbox bob -o json --name t1").expect(0).json();
    let messages = inbox["data"]["messages"].as_array().expect("a list");
    assert_each_once("in the inbox", &accepted, messages.iter());
    lab.run("down t1").expect(0);
    let done = follow.wait(10).expect(0);
    let lines = followed.all();
    assert!(lines.iter().all(|line| line["schema"] == "nym-devnet/inbox-message/v1"));
    assert_each_once(&done.stderr, &accepted, lines.iter().map(|line| &line["data"]));
}

/// Nothing lost, nothing twice, nothing changed.
fn assert_each_once<'a>(what: &str, accepted: &[u128], messages: impl Iterator<Item = &'a Value>) {
    let mut times = BTreeMap::new();
    let mut numbers = Vec::new();
    for message in messages {
        let id = u128::from_str_radix(message["id"].as_str().expect("an id"), 16).expect("digits");
        *times.entry(id).or_insert(0) += 1;
        let text = message["content"]["text"].as_str().expect("text");
        assert!(text == content(id), "{what}: {id:032x} is not what was sent: {text:.80}");
        numbers.push(message["number"].as_u64().expect("a number"));
    }
    let lost = accepted.iter().filter(|id| !times.contains_key(id)).count();
    let twice = times.values().filter(|&&times| times > 1).count();
    let all = accepted.len();
    assert_eq!((lost, twice), (0, 0), "{what}: lost, and twice, of {all}");
    assert_eq!(times.len(), all, "{what}: nothing else has come");
    assert!(numbers.is_sorted_by(|a, b| a < b), "{what}: {numbers:?}");
}

/// The message with this id.
fn content(id: u128) -> String {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&id.to_be_bytes());
    let mut rng = StdRng::from_seed(seed);
    // Short ones are as likely as long ones, so that the slots are enough for all.
    let longest = LONGEST >> rng.random_range(0..14);
    let length = rng.random_range(1..=longest);
    (0..length).map(|_| char::from(rng.random_range(b' '..=b'~'))).collect()
}

/// What a program prints, line by line.
#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<Value>>>);

impl Lines {
    fn of(stdout: std::process::ChildStdout) -> Self {
        let lines = Self(Arc::default());
        let printed = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("JSON lines");
                printed.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        lines
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An application that sends to bob all the time. Where its client goes away it asks again with the same
/// id when that is back, so each message is accepted once.
struct Application {
    accepted: Arc<Mutex<Vec<u128>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Application {
    fn start(url: String, recipient: String) -> Self {
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let sending = send(url, recipient, accepted.clone(), stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let thread = std::thread::spawn(move || runtime.expect("a runtime").block_on(sending));
        Self { accepted, stop, thread }
    }

    fn accepted(&self) -> Vec<u128> {
        assert!(!self.thread.is_finished(), "the application has given up");
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it when it has an answer for its last message.
    fn stop(self) -> Vec<u128> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it goes on until it is stopped");
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

type Connection = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn send(
    url: String,
    recipient: String,
    accepted: Arc<Mutex<Vec<u128>>>,
    stop: Arc<AtomicBool>,
) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(PER_SECOND).expect("small"));
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let id: u128 = rng.random();
        let request = json!({
            "type": "send",
            "id": format!("{id:032x}"),
            "recipient": recipient,
            "message": content(id),
        });
        let mut said = String::new();
        let until_accepted = async {
            let mut tries = interval(PAUSE);
            loop {
                tries.tick().await;
                match ask(&mut connection, &url, &request).await {
                    Ok(answer) if answer["type"] == "send" => return answer,
                    Ok(answer) => said = answer.to_string(),
                    // Its client is gone, perhaps with the answer.
                    Err(error) => {
                        connection = None;
                        said = error;
                    }
                }
            }
        };
        let answer = timeout(limit(60), until_accepted).await;
        let answer = answer.unwrap_or_else(|_| panic!("{id:032x} was not accepted: {said}"));
        assert_eq!(answer["id"], request["id"]);
        accepted.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }
}

/// Asks once, over a new connection if there is none, and waits for the answer.
async fn ask(
    connection: &mut Option<Connection>,
    url: &str,
    request: &Value,
) -> Result<Value, String> {
    let connection = if let Some(connection) = connection {
        connection
    } else {
        let connected = connect_async(url).await.map_err(|error| error.to_string())?.0;
        connection.insert(connected)
    };
    let request = Message::text(request.to_string());
    connection.send(request).await.map_err(|error| error.to_string())?;
    match connection.next().await {
        Some(Ok(Message::Text(answer))) => {
            serde_json::from_str(&answer).map_err(|error| error.to_string())
        }
        Some(Ok(other)) => Err(format!("it said {other:?}")),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("it closed the connection".into()),
    }
}
