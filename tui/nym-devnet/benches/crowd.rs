//! What a crowd costs: processor time and memory of its process, at the rates of `classic` in a 1×3
//! network with one provider, all of them processes of their own.
//!
//! ```text
//! cargo bench -p nym-devnet --bench crowd
//! cargo bench -p nym-devnet --bench crowd -- 1000    # only so many identities
//! ```
//!
//! Linux only: it reads `/proc`.

mod devnet;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use contract::{Event, NodeMetrics, TrafficCounters};

use crate::devnet::Devnet;

/// Identities of a crowd.
const SIZES: [u64; 3] = [100, 1000, 5000];

/// Packets that an identity sends in a second: a slot every 500 ms, loop cover every second.
const RATE: f64 = 3.0;

/// How long identities may take to get their probes back. If more of them wait then, they are too
/// many for this machine, and it is measured what happens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long after that everything is as it stays: nodes of the network have their tables, and what was
/// sent at first has come back.
const SETTLE: Duration = Duration::from_secs(5);

/// How long is measured.
const MEASURED: Duration = Duration::from_secs(20);

fn main() {
    let asked = std::env::args().filter_map(|argument| argument.parse().ok());
    let asked: Vec<u64> = asked.collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, {MEASURED:?} each; processor time in cores");
    println!(
        "{:>10} {:>6} {:>8} {:>9} {:>9} {:>8} {:>9} {:>8} {:>9} {:>9} {:>10}",
        "identities",
        "ready",
        "crowd",
        "MB",
        "sent/s",
        "asked",
        "back/s",
        "µs/packet",
        "overload",
        "mixnode",
        "provider"
    );
    for identities in sizes {
        measure(identities);
    }
}

fn measure(identities: u64) {
    // The crowd of the devnet itself may not be that large.
    let devnet = Devnet::up("--width 1 --layers 3 --clients 0 --crowd 0");
    let pid = |role: &str| devnet.nodes(role).next().and_then(|node| node["pid"].as_u64());
    let mixnode = pid("mixnode").expect("it runs");
    let provider = pid("provider").expect("it runs");
    let directory = devnet.nodes("directory").next().expect("there is one");
    let directory = directory["addresses"]["http"].as_str().expect("it listens");

    let mut crowd = Crowd::start(devnet.folder(), directory, identities);
    let took = crowd.until_ready();
    crowd.listen(SETTLE);
    let before = [crowd.pid(), mixnode, provider].map(processor_time);
    let (begin, first) = (Instant::now(), crowd.metrics.clone());
    crowd.listen(MEASURED);
    let seconds = begin.elapsed().as_secs_f64();
    let after = [crowd.pid(), mixnode, provider].map(processor_time);
    let memory = proportional_set_mb(crowd.pid());
    let last = crowd.metrics.clone();
    drop(crowd);

    let counted = last.t.saturating_since(first.t).as_secs_f64();
    let per_second =
        |count: fn(&NodeMetrics) -> u64| (float(count(&last)) - float(count(&first))) / counted;
    let [crowd_cores, mixnode_cores, provider_cores] =
        [0, 1, 2].map(|i: usize| after[i].saturating_sub(before[i]).as_secs_f64() / seconds);
    let sent = per_second(|metrics| metrics.sent);
    println!(
        "{identities:>10} {:>6} {crowd_cores:>8.2} {memory:>9.1} {sent:>9.0} {:>8.0} {:>9.0} {:>9.0} \
         {:>8.0} {mixnode_cores:>9.2} {provider_cores:>10.2}",
        took.map_or("no".into(), |took| format!("{:.1} s", took.as_secs_f64())),
        RATE * float(identities),
        per_second(|metrics| traffic(metrics).loops_returned),
        crowd_cores / sent * 1e6,
        per_second(|metrics| metrics.dropped.get("overload").copied().unwrap_or(0)),
    );
}

fn traffic(metrics: &NodeMetrics) -> TrafficCounters {
    metrics.traffic.expect("a crowd tells it")
}

#[expect(clippy::cast_precision_loss, reason = "counters are small")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The process that is measured, and what it told last. It ends with this.
struct Crowd {
    child: Child,
    events: Receiver<Event>,
    ready: bool,
    metrics: NodeMetrics,
}

impl Crowd {
    fn start(folder: &Path, directory: &str, identities: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nym-devnet"))
            .args(["node", "client", "--supervised", "--name", "crowd"])
            .args(["--crowd", &identities.to_string()])
            .args(["--directory", &format!("http://{directory}")])
            .arg("--home")
            .arg(folder.join("crowd"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("crowd.log")).expect("a log"))
            .spawn()
            .expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, events) = channel();
        // What it tells has to be read all the time, or it would have to throw it away.
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("lines are events");
                if !matches!(event, Event::Links { .. }) && sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, events, ready: false, metrics: NodeMetrics::default() }
    }

    fn pid(&self) -> u64 {
        self.child.id().into()
    }

    /// How long it took until every identity had its probe back; none if that does not come.
    fn until_ready(&mut self) -> Option<Duration> {
        let begin = Instant::now();
        while !self.ready {
            self.take(READY_WITHIN.checked_sub(begin.elapsed())?);
        }
        Some(begin.elapsed())
    }

    fn listen(&mut self, time: Duration) {
        let begin = Instant::now();
        while let Some(left) = time.checked_sub(begin.elapsed()) {
            self.take(left);
        }
    }

    fn take(&mut self, within: Duration) {
        match self.events.recv_timeout(within) {
            Ok(Event::Ready { .. }) => self.ready = true,
            Ok(Event::Metrics(metrics)) => self.metrics = metrics,
            Ok(Event::Fatal(fatal)) => panic!("the crowd gave up: {fatal}"),
            Ok(_) | Err(_) => {}
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // The end of its lifeline; it has nothing to lose.
        drop(self.child.stdin.take());
        self.child.wait().expect("it was started");
    }
}

/// Processor time of a process since its start.
fn processor_time(pid: u64) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // Behind the name, which may have spaces in it.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut ticks = || fields.next().and_then(Result::ok).expect("a number");
    // Linux tells programs hundredths of a second, whatever its own clock does.
    Duration::from_millis((ticks() + ticks()) * 10)
}

/// The process's share of memory: its own pages, and of shared ones its part.
fn proportional_set_mb(pid: u64) -> f64 {
    let file = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("it runs");
    let line = file.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a sum");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1000.0
}
