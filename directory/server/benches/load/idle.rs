//! Thousands of websockets that are open and wait.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::time::timeout;

use crate::Cli;
use crate::figures::{micros, number};
use crate::http::Connection;
use crate::process::Server;
use crate::readers::Readers;
use crate::scenarios::Kind;

/// Name of the scenario.
pub(crate) const NAME: &str = "idle websockets";

/// Bytes that a read may bring: a message, and not more in thousands of buffers.
const READ_BUFFER_BYTES: usize = 1 << 10;

/// Readers that hear nothing new for this long will not hear what is missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that has not taken all websockets after this long will not.
const STUCK: Duration = Duration::from_secs(30);

/// How a server did. Memory is `Pss`, where it is known.
#[derive(Default, Serialize)]
pub(crate) struct Idle {
    pub(crate) server: String,
    pub(crate) has_no_such_route: bool,
    pub(crate) sockets: usize,
    pub(crate) pss_bytes_before: Option<u64>,
    pub(crate) pss_bytes_open: Option<u64>,
    /// After a message to all.
    pub(crate) pss_bytes_after: Option<u64>,
    /// Bytes that each websocket has added by then.
    pub(crate) pss_bytes_each: Option<u64>,
    /// How long it took until the message had reached everybody.
    pub(crate) reached_all_us: Option<f64>,
    /// Processor time of the server for each of them.
    pub(crate) cpu_us_each: Option<f64>,
    /// What went wrong.
    pub(crate) failures: Vec<String>,
}

/// Measures it at our directory and at all others.
pub(crate) async fn idle(cli: &Cli) -> Vec<Idle> {
    // Started with the limits that every user has; ours are raised after that.
    let ours = Server::ours();
    let mut results = Vec::new();
    let raised = raise_the_limit_of_open_files();
    for server in std::iter::once(ours).chain(cli.others()) {
        let mut idle = Idle { server: server.name.clone(), ..Idle::default() };
        let measured = timeout(STUCK, measure(&server, cli.sockets, &mut idle)).await;
        match measured.unwrap_or_else(|_| Err(io::Error::other("it takes no more websockets"))) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => idle.has_no_such_route = true,
            Err(error) => {
                idle.failures.push(error.to_string());
                if let Err(error) = &raised {
                    idle.failures.push(format!("the limit of open files stays low here: {error}"));
                }
            }
        }
        results.push(idle);
    }
    results
}

async fn measure(server: &Server, sockets: usize, idle: &mut Idle) -> io::Result<()> {
    // What a server takes once, for its first request, is not to be shared out among the sockets.
    report(server.address).await?;
    let before = server.usage();
    let readers = Readers::open(server.address, sockets, READ_BUFFER_BYTES).await?;
    let open = server.usage();
    let start = Instant::now();
    report(server.address).await?;
    let missing = readers.missing(1, PATIENCE).await;
    let took = start.elapsed();
    let after = server.usage();

    idle.sockets = sockets;
    idle.pss_bytes_before = before.memory;
    idle.pss_bytes_open = open.memory;
    idle.pss_bytes_after = after.memory;
    let added = after.memory.zip(before.memory);
    let added = added.map(|(after, before)| after.saturating_sub(before));
    idle.pss_bytes_each = added.and_then(|bytes| bytes.checked_div(sockets as u64));
    let cpu = after.cpu.zip(open.cpu).map(|(after, open)| after.saturating_sub(open));
    idle.cpu_us_each = cpu.map(|cpu| micros(cpu) / number(sockets as u64));
    if missing == 0 {
        idle.reached_all_us = Some(micros(took));
    } else {
        idle.failures.push(format!("{missing} messages did not reach their readers"));
    }
    Ok(())
}

/// A mixnode reports its metrics.
async fn report(address: SocketAddr) -> io::Result<()> {
    let request = &Kind::Metrics(1).requests()[0];
    let answer = Connection::open(address).await?.exchange(request).await?;
    match answer.status {
        404 => Err(io::ErrorKind::NotFound.into()),
        _ if answer.is_success() => Ok(()),
        status => Err(io::Error::other(format!("POST metrics: status {status}"))),
    }
}

fn raise_the_limit_of_open_files() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}
