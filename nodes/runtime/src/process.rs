//! A node as a process: its streams, its signals, its end.

use std::io::{self, BufRead, Read};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use contract::{Event, Fatal, FatalCode, Hello, MAX_LINE_BYTES, Request, Role};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::reporter::Flush;
use crate::{Reporter, clock, logging};

/// Requests that wait. A supervisor sends them one at a time; a burst of messages comes through here
/// too, and waits in the pipe beyond this.
const MAX_WAITING_REQUESTS: usize = 64;

/// How long a process whose supervisor is gone may take to end by itself.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// Open files that macOS gives a process which asks for all that it may have (`OPEN_MAX`): there the
/// maximum is "unlimited", and to take it at its word is an error.
const MACOS_OPEN_MAX: u64 = 10_240;

/// The thread only reads lines.
const STACK_BYTES: usize = 256 << 10;

/// What a node is given by whoever runs it.
#[derive(Debug)]
pub struct Process {
    /// Takes events.
    pub reporter: Reporter,
    /// What the supervisor asks. Without a supervisor nothing ever comes.
    pub requests: mpsc::Receiver<Request>,
    /// Cancelled when the node has to stop at once.
    pub shutdown: CancellationToken,
}

impl Process {
    /// Whether nobody supervises it: then no request can come, and whoever stops it wants it to leave
    /// the network in order.
    pub fn is_alone(&self) -> bool {
        self.requests.is_closed()
    }
}

/// Runs a node as this process until it ends: `run` gets the streams, and its result becomes the
/// exit code.
///
/// With `supervised`, stdin is the lifeline and brings requests, stdout carries events; otherwise
/// the log tells people. SIGINT and SIGTERM stop the node in both cases.
pub fn run_process<F>(role: Role, supervised: bool, run: impl FnOnce(Process) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Fatal>>,
{
    run_to_exit_code(role, supervised, |process| {
        let running = run(process);
        async { running.await.map(|()| ExitCode::SUCCESS) }
    })
}

/// The same for what has an exit code of its own.
pub fn run_to_exit_code<F>(role: Role, supervised: bool, run: impl FnOnce(Process) -> F) -> ExitCode
where
    F: Future<Output = Result<ExitCode, Fatal>>,
{
    raise_file_limit();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Fatal::new(FatalCode::Other, format!("no runtime: {error}"))),
    };
    let shutdown = CancellationToken::new();
    let streams = if supervised { supervised_streams(&shutdown) } else { Ok(alone()) };
    let (reporter, requests, flush) = match streams {
        Ok(streams) => streams,
        Err(error) => return fail(&Fatal::new(FatalCode::Other, format!("no thread: {error}"))),
    };
    reporter.report(Event::Hello(Hello {
        contract: contract::VERSION,
        role,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").into(),
        monotonic: clock::now(),
        wall: clock::wall_nanos(),
    }));
    let process = Process { reporter: reporter.clone(), requests, shutdown: shutdown.clone() };
    let result = runtime.block_on(async {
        // From here on a signal is an orderly end, however early it comes.
        match Signals::listen() {
            Ok(signals) => drop(tokio::spawn(signals.cancel(shutdown, reporter.clone()))),
            Err(error) => tracing::warn!("cannot listen for signals: {error}"),
        }
        run(process).await
    });
    // A blocking call underway, such as a name look-up, does not hold up the end.
    runtime.shutdown_background();
    if let Err(fatal) = &result {
        reporter.report(Event::Fatal(fatal.clone()));
    }
    if let Some(flush) = flush {
        flush.wait();
    }
    result.map_or_else(
        |fatal| fail(&fatal),
        |code| {
            logging::flush();
            code
        },
    )
}

type Streams = (Reporter, mpsc::Receiver<Request>, Option<Flush>);

fn alone() -> Streams {
    // The sender is gone at once, so nothing ever comes.
    (Reporter::for_people(), mpsc::channel(1).1, None)
}

fn supervised_streams(shutdown: &CancellationToken) -> io::Result<Streams> {
    die_with_supervisor();
    let (reporter, flush) = Reporter::for_supervisor(shutdown.clone())?;
    let (sender, requests) = mpsc::channel(MAX_WAITING_REQUESTS);
    let lifeline = shutdown.clone();
    let reader = thread::Builder::new().name("stdin".into()).stack_size(STACK_BYTES);
    reader.spawn(move || {
        read_requests(io::stdin().lock(), &sender);
        lifeline.cancel();
        // Whatever the rest of the process is stuck in, nobody is left to notice.
        thread::sleep(LAST_GRACE);
        std::process::exit(1);
    })?;
    Ok((reporter, requests, Some(flush)))
}

/// Reads requests until the end of the stream. What is no request is logged and skipped.
fn read_requests(mut stdin: impl BufRead, requests: &mpsc::Sender<Request>) {
    let limit = MAX_LINE_BYTES as u64 + 1;
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        line.clear();
        match stdin.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.len() > MAX_LINE_BYTES && !line.ends_with(b"\n") => too_long = true,
            // The end of such a line.
            Ok(_) if too_long => {
                too_long = false;
                tracing::error!("skipped a request of more than {MAX_LINE_BYTES} bytes");
            }
            Ok(_) => match serde_json::from_slice(&line) {
                Ok(request) => {
                    if requests.blocking_send(request).is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!("not a request: {error}"),
            },
        }
    }
}

/// Lets this process have as many connections as the system allows it: the usual soft limit is
/// less than a busy node or a port scanner opens.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = raise(limit, |limit| setrlimit(Resource::Nofile, limit)) {
        let current = limit.current.unwrap_or(u64::MAX);
        tracing::warn!("cannot raise the limit of {current} open files: {error}");
    }
}

/// Sets the highest limit that is taken. `None` in it is no limit.
fn raise<E>(mut limit: Rlimit, set: impl Fn(Rlimit) -> Result<(), E>) -> Result<(), E> {
    let before = limit.current;
    limit.current = limit.maximum;
    set(limit).or_else(|error| {
        let most = limit.maximum.map_or(MACOS_OPEN_MAX, |maximum| maximum.min(MACOS_OPEN_MAX));
        if before.is_none_or(|before| before >= most) {
            return Err(error);
        }
        limit.current = Some(most);
        set(limit)
    })
}

/// The second line of defence beside the lifeline: the system kills this process when the thread
/// that started it ends. Also a process that is stopped, which reads no lifeline.
#[cfg(target_os = "linux")]
fn die_with_supervisor() {
    use rustix::process::{Signal, set_parent_process_death_signal};
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!("cannot ask to be ended with the supervisor: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_supervisor() {}

/// The signals that end a node.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        // A file that has grown to a limit (`ulimit -f`) is then an error like a full disk. Without this
        // it would end the process. It fails where the system has no such signal.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn cancel(mut self, shutdown: CancellationToken, reporter: Reporter) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        };
        // First: whatever becomes of the report, the node ends.
        shutdown.cancel();
        reporter.report(Event::Stopping { reason: format!("got {name}") });
    }
}

/// Says why on stderr.
fn fail(fatal: &Fatal) -> ExitCode {
    tracing::error!("{fatal}");
    if let Some(hint) = &fatal.hint {
        tracing::error!("hint: {hint}");
    }
    logging::flush();
    ExitCode::from(fatal.code.exit_code())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use contract::Command;

    use super::*;

    #[test]
    fn requests_are_read_up_to_the_end_and_nonsense_is_skipped() {
        let (sender, mut requests) = mpsc::channel(8);
        let input =
            b"{\"id\":1,\"command\":\"stop\"}\nnonsense\n{\"id\":2,\"command\":\"leave\"}\n";
        read_requests(&input[..], &sender);
        drop(sender);
        let got: Vec<Request> = std::iter::from_fn(|| requests.blocking_recv()).collect();
        let expected = [(1, Command::Stop), (2, Command::Leave)];
        assert_eq!(got, expected.map(|(id, command)| Request { id, command }));
    }

    /// As Linux and macOS answer: a limit that is too high for the system is not taken at all.
    #[test]
    fn the_limit_of_open_files_is_as_high_as_the_system_takes() {
        for (current, maximum, most, expected) in [
            (256, Some(4096), Some(1 << 20), Ok(Some(4096))),
            (256, None, None, Ok(None)),
            (256, None, Some(10_240), Ok(Some(10_240))),
            (256, Some(20_000), Some(10_240), Ok(Some(10_240))),
            (20_000, None, Some(20_000), Err("too many")),
            (256, None, Some(256), Err("too many")),
        ] {
            let set = Cell::new(Some(current));
            let limit = Rlimit { current: Some(current), maximum };
            let raised = raise(limit, |limit| {
                let limit = limit.current;
                let fits = most.is_none_or(|most| limit.is_some_and(|limit| limit <= most));
                if fits {
                    set.set(limit);
                }
                fits.then_some(()).ok_or("too many")
            });
            assert_eq!(raised.map(|()| set.get()), expected, "{current} of {maximum:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_longest_message_is_not() {
        let content = contract::Content::Text("\u{1}".repeat(contract::MAX_CONTENT_BYTES));
        let send =
            Request { id: 1, command: Command::Send { to: "x".into(), content, message: None } };
        let longest = serde_json::to_vec(&send).expect("JSON");
        let mut input = vec![b'x'; 3 * MAX_LINE_BYTES];
        input.push(b'\n');
        input.extend_from_slice(&longest);
        input.push(b'\n');
        let (sender, mut requests) = mpsc::channel(8);
        read_requests(input.as_slice(), &sender);
        drop(sender);
        assert_eq!(requests.blocking_recv(), Some(send));
        assert_eq!(requests.blocking_recv(), None);
    }
}
