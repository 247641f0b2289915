//! The log of a process: on stderr, for people or as JSON lines. Whoever logs never waits: a thread
//! of its own writes, and what nobody reads in time is counted instead.

use std::io::{self, IsTerminal as _, Write};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Bytes of lines that wait to be written: some ten thousand of the usual ones. A terminal that is
/// stopped for longer, or a pipe that nobody reads, loses lines.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// How long the end of the process waits for the last lines to be written.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The thread only writes lines.
const STACK_BYTES: usize = 256 << 10;

/// The log of this process.
static LOG: Log = Log::new();

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, text
    #[default]
    Text,
    /// For machines: one JSON object a line
    Json,
}

/// Sends the log of this process to stderr, at the level that `RUST_LOG` says, or else as `filter`
/// does, in the same words. To be called once.
pub fn log_to_stderr(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let writer = thread::Builder::new().name("stderr".into()).stack_size(STACK_BYTES);
    let writer = match writer.spawn(|| LOG.write_out(io::stderr())) {
        Ok(_) => BoxMakeWriter::new(|| &LOG),
        // A process that can have no thread will end soon, and its log tells why.
        Err(_) => BoxMakeWriter::new(io::stderr),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        // It would tell stderr that stderr cannot be written, and panic because of that.
        .log_internal_errors(false)
        // Which module says it matters to nobody who reads these.
        .with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// Waits until what was logged is written, but not for ever: perhaps nobody reads.
pub(crate) fn flush() {
    LOG.flush(LAST_WAIT);
}

/// Lines on their way to a stream.
struct Log {
    waiting: Mutex<Waiting>,
    /// Something came, or everything is written.
    changed: Condvar,
}

struct Waiting {
    lines: Vec<u8>,
    /// Lines that did not fit or could not be written, and of which nothing was said yet.
    lost: usize,
    /// The writer holds lines that it took from here.
    is_writing: bool,
}

impl Log {
    const fn new() -> Self {
        let waiting = Waiting { lines: Vec::new(), lost: 0, is_writing: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines as they come, for ever. A stream that takes none loses them: that it is closed
    /// is no reason to end, and a full disk has room again some time.
    fn write_out(&self, mut stream: impl Write) {
        let mut lines = Vec::new();
        loop {
            let mut waiting = self.lock();
            waiting.is_writing = false;
            self.changed.notify_all();
            while waiting.lines.is_empty() {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            mem::swap(&mut lines, &mut waiting.lines);
            waiting.is_writing = true;
            drop(waiting);

            let written = stream.write_all(&lines);
            let mut waiting = self.lock();
            let lost = if written.is_ok() {
                mem::take(&mut waiting.lost)
            } else {
                waiting.lost += lines.split(|byte| *byte == b'\n').count() - 1;
                0
            };
            drop(waiting);
            if lost > 0 {
                tracing::warn!("{lost} lines of the log are lost: nobody read them in time");
            }
            lines.clear();
        }
    }

    /// Waits until there is nothing to write, at most for so long.
    fn flush(&self, at_most: Duration) {
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        // Nothing can be done about lines that are still there.
        let _ = self.changed.wait_timeout_while(self.lock(), at_most, is_busy);
    }
}

/// Takes one whole line at a time, which is how `tracing_subscriber` writes.
impl Write for &Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > MAX_WAITING_BYTES {
            waiting.lost += 1;
        } else {
            // The writer sleeps only if nothing is there.
            let may_sleep = waiting.lines.is_empty();
            waiting.lines.extend_from_slice(line);
            drop(waiting);
            if may_sleep {
                self.changed.notify_all();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
