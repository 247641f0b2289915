//! Servers take turns in a scenario.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use directory_server::limits::MAX_WINDOW_ENTRIES;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, timeout_at};

use crate::Cli;
use crate::drive::{Tally, Turn, drive};
use crate::floor::Floor;
use crate::http::Connection;
use crate::process::{self, Server, Usage};
use crate::readers::Readers;
use crate::scenarios::{Kind, Scenario, announcements};

/// Length of a turn.
const TURN: Duration = Duration::from_secs(1);

/// Entries of metrics in a turn. Our directory takes so many in a window of three seconds, and
/// refuses more; a tenth is left for what is sent before a turn.
const ENTRIES: usize = MAX_WINDOW_ENTRIES / 10 * 9;

/// Before and after a turn with metrics a server rests until a new window has begun.
const REST: Duration = Duration::from_millis(3100);

/// Readers that hear nothing new for this long will not hear what is missing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that has not answered a request after this long is stuck.
const STUCK: Duration = Duration::from_secs(30);

/// Bytes that a read of a busy websocket may bring.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// What came of a scenario at one server.
pub(crate) struct Row {
    pub(crate) server: String,
    /// The server has no such route.
    pub(crate) is_absent: bool,
    pub(crate) kinds: Vec<(&'static str, Tally)>,
    pub(crate) turns: Vec<Cost>,
    /// Messages that did not reach a reader, or came twice.
    pub(crate) missing: u64,
    /// Why it was given up.
    pub(crate) given_up: Option<String>,
    /// At the end.
    pub(crate) usage: Usage,
}

/// What a turn took.
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) elapsed: Duration,
    /// Processor time of the server, if it is known.
    pub(crate) cpu: Option<Duration>,
    /// Processor time of this program, which is the load.
    pub(crate) load_cpu: Option<Duration>,
}

/// Measures a scenario at all servers, in turn.
pub(crate) async fn contest(scenario: &Scenario, cli: &Cli) -> Vec<Row> {
    let ours = Server::ours();
    let mut contestants = Vec::new();
    // Floors have no websockets, and one answer each.
    if let ([kind], 0) = (scenario.kinds, scenario.readers) {
        let answer_bytes = answer_bytes(*kind, &ours).await;
        for floor in [Floor::Sockets, Floor::Hyper] {
            contestants.push(Contestant::new(Server::floor(floor, answer_bytes), scenario));
        }
    }
    contestants.push(Contestant::new(ours, scenario));
    contestants.extend(cli.others().map(|server| Contestant::new(server, scenario)));
    let several = scenario.kinds.len() > 1;
    let connections = if several { cli.connections / 4 } else { cli.connections };
    // The first turn of each is for warming up.
    for turn in 0..=cli.seconds {
        for contestant in &mut contestants {
            contestant.take_turn(scenario, connections, turn > 0).await;
        }
    }
    let rows = contestants.into_iter().map(|Contestant { server, mut row, .. }| {
        row.usage = server.usage();
        row
    });
    rows.collect()
}

/// Length of our answer, which a floor is to give as well. Nothing if there is none: that shows in
/// our own row.
async fn answer_bytes(kind: Kind, ours: &Server) -> usize {
    let ask = async {
        announce(ours).await?;
        Connection::open(ours.address).await?.exchange(&kind.requests()[0]).await
    };
    ask.await.map_or(0, |answer| answer.body_bytes)
}

/// Announces every mixnode.
async fn announce(server: &Server) -> io::Result<()> {
    let mut connection = Connection::open(server.address).await?;
    for request in &*announcements() {
        connection.exchange(request).await?;
    }
    Ok(())
}

/// A server in a scenario.
struct Contestant {
    server: Server,
    readers: Option<Readers>,
    /// Reports that the readers should have heard of.
    reported: u64,
    rests_until: Instant,
    row: Row,
}

impl Contestant {
    fn new(server: Server, scenario: &Scenario) -> Self {
        let row = Row {
            server: server.name.clone(),
            is_absent: false,
            kinds: scenario.kinds.iter().map(|kind| (kind.name(), Tally::default())).collect(),
            turns: Vec::new(),
            missing: 0,
            given_up: None,
            usage: Usage::default(),
        };
        Self { server, readers: None, reported: 0, rests_until: Instant::now() + REST, row }
    }

    /// Drives the server for a turn, unless it was given up before. The figures of a turn that does
    /// not count are forgotten, its failures are not.
    async fn take_turn(&mut self, scenario: &Scenario, connections: u16, counts: bool) {
        if self.row.is_absent || self.row.given_up.is_some() {
            return;
        }
        let entries = scenario.kinds.iter().map(|kind| kind.window_entries()).max().unwrap_or(0);
        if entries > 0 {
            sleep_until(self.rests_until.into()).await;
        }
        let opened = timeout(STUCK, self.open(scenario, connections)).await;
        match opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(Some(open)) => {
                let limit = ENTRIES.checked_div(entries).unwrap_or_default() as u64;
                self.drive(scenario, open, limit, counts).await;
            }
            Ok(None) => self.row.is_absent = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.row.is_absent = true,
            Err(error) => self.row.given_up = Some(error.to_string()),
        }
        self.rests_until = Instant::now() + REST;
    }

    /// Opens the connections, each with the index of its kind, and has one request answered on each,
    /// so that the server has taken them. None if it has no such route.
    async fn open(
        &mut self,
        scenario: &Scenario,
        connections: u16,
    ) -> io::Result<Option<Vec<(usize, Connection)>>> {
        let address = self.server.address;
        if self.readers.is_none() && scenario.readers > 0 {
            self.readers = Some(Readers::open(address, scenario.readers, READ_BUFFER_BYTES).await?);
        }
        if scenario.kinds.contains(&Kind::Topology) {
            announce(&self.server).await?;
        }
        let mut open = Vec::new();
        for (index, kind) in scenario.kinds.iter().enumerate() {
            let requests = kind.requests();
            for _ in 0..connections {
                let mut connection = Connection::open(address).await?;
                let answer = connection.exchange(&requests[0]).await?;
                if answer.status == 404 {
                    return Ok(None);
                }
                if !answer.is_success() {
                    return Err(io::Error::other(format!("status {}", answer.status)));
                }
                self.reported += u64::from(kind.window_entries() > 0);
                open.push((index, connection));
            }
        }
        self.hear_out().await;
        Ok(Some(open))
    }

    async fn drive(
        &mut self,
        scenario: &Scenario,
        open: Vec<(usize, Connection)>,
        limit: u64,
        counts: bool,
    ) {
        let load = || process::usage(std::process::id()).cpu;
        let (cpu, load_cpu) = (self.server.usage().cpu, load());
        let start = Instant::now();
        let turn = Turn::new(TURN, limit);
        let mut driving = JoinSet::new();
        for (first, (index, connection)) in open.into_iter().enumerate() {
            let (kind, turn) = (scenario.kinds[index], Arc::clone(&turn));
            let is_limited = kind.window_entries() > 0;
            let driven = drive(connection, kind.requests(), first, is_limited, turn);
            driving.spawn(async move { (index, driven.await) });
        }
        let mut requests = 0;
        let late = tokio::time::Instant::now() + TURN + STUCK;
        loop {
            let Ok(driven) = timeout_at(late, driving.join_next()).await else {
                self.row.given_up = Some(format!("{} requests are not answered", driving.len()));
                return;
            };
            let Some(driven) = driven else { break };
            let (index, mut tally) = driven.expect("the task does not panic");
            requests += tally.latencies.len() as u64;
            if scenario.kinds[index].window_entries() > 0 {
                self.reported += tally.succeeded();
            }
            if tally.broken {
                self.row.given_up = Some("a connection broke".into());
            }
            if !counts {
                tally.latencies.clear();
            }
            self.row.kinds[index].1.add(tally);
        }
        self.hear_out().await;
        let elapsed = start.elapsed();
        let since = |now: Option<Duration>, then: Option<Duration>| now?.checked_sub(then?);
        if counts {
            let (cpu, load_cpu) = (since(self.server.usage().cpu, cpu), since(load(), load_cpu));
            self.row.turns.push(Cost { requests, elapsed, cpu, load_cpu });
        }
    }

    /// Waits until the readers have heard of every report.
    async fn hear_out(&mut self) {
        let Some(readers) = &self.readers else { return };
        self.row.missing = readers.missing(self.reported, PATIENCE).await;
        if self.row.missing > 0 {
            self.row.given_up = Some("a reader did not hear everything".into());
        }
    }
}
