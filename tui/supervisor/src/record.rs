//! Recording: the event stream as it is, into a file, on a thread of its own.
//!
//! A recording begins with a snapshot. Where lines had to be left out, because the disk did not keep
//! up, another snapshot follows: whoever reads it goes on from there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use control::{Failure, FailureCode};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::ask::Ask;
use crate::devnet::Outside;
use crate::hub::{Subscription, Taken};

/// Bytes that are put together before they are written, while more wait.
const BUFFER_BYTES: usize = 256 << 10;

/// A file to record into.
#[derive(Debug)]
pub(crate) struct Recorder {
    path: PathBuf,
    file: File,
}

/// What a recorder needs of the supervisor.
pub(crate) struct Stream {
    /// The stream from its beginning.
    pub(crate) begin: Subscription,
    /// Where to ask for it again after having fallen behind.
    pub(crate) asks: mpsc::Sender<Ask>,
    /// Where to say that recording has ended too early.
    pub(crate) outside: mpsc::Sender<Outside>,
}

impl Recorder {
    /// Makes the file, which nobody else can read: messages are in it. One that exists is left alone.
    pub(crate) fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => {
                let shown = path.display();
                let message = format!("cannot record into `{shown}`: {error}");
                Err(if error.kind() == io::ErrorKind::AlreadyExists {
                    Failure::new(FailureCode::FileExists, message)
                        .hint("name another file, or delete this one; nothing is overwritten")
                } else {
                    Failure::new(FailureCode::Environment, message)
                        .hint("name a file in a folder that you can write to")
                })
            }
        }
    }

    /// What everybody who looks at the devnet should know.
    pub(crate) fn notice(&self) -> String {
        format!("recording into `{}`, messages and logs included", self.path.display())
    }

    /// Records until the devnet ends, or the disk takes no more. The receiver hears when the last line
    /// is written.
    pub(crate) fn begin(self, stream: Stream) -> oneshot::Receiver<()> {
        let (done, ended) = oneshot::channel();
        let runtime = Handle::current();
        let (path, outside) = (self.path.clone(), stream.outside.clone());
        let thread = thread::Builder::new().name("recording".into());
        let begun = thread.spawn(move || {
            if let Err(error) = write(&self.file, &stream, &runtime) {
                let why = stopped(&self.path, &error);
                // The loop is gone only when the devnet is.
                drop(stream.outside.blocking_send(Outside::Notice(why)));
            }
            drop(done);
        });
        if let Err(error) = begun {
            // The queue has room: the devnet has not begun.
            drop(outside.try_send(Outside::Notice(stopped(&path, &error))));
        }
        ended
    }
}

fn stopped(path: &Path, error: &io::Error) -> String {
    format!("stopped recording into `{}`: {error}; the devnet goes on", path.display())
}

/// Writes what comes. What is written is on its way to the disk as soon as nothing more waits, so that
/// a recording can be looked at while it grows, and lacks little when the supervisor is killed.
fn write(file: &File, stream: &Stream, runtime: &Handle) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
    out.write_all(&stream.begin.snapshot)?;
    let mut anew;
    let mut events = &stream.begin.events;
    loop {
        if events.is_empty() {
            out.flush()?;
        }
        match runtime.block_on(events.next()) {
            Taken::Line(line) => out.write_all(&line)?,
            Taken::Overrun => {
                let (reply, answer) = oneshot::channel();
                let asked = stream.asks.blocking_send(Ask::Subscribe(reply));
                // Nobody answers: the devnet has ended.
                let (Ok(()), Ok(Ok(subscription))) = (asked, answer.blocking_recv()) else { break };
                anew = subscription;
                out.write_all(&anew.snapshot)?;
                events = &anew.events;
            }
            Taken::Closed => break,
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use control::{Envelope, LogLine, StreamEvent};

    use super::*;
    use crate::clock::Moment;
    use crate::hub::{Hub, MAX_BEHIND};
    use crate::testing::{empty_snapshot, within};

    fn log(hub: &mut Hub, count: usize) {
        for _ in 0..count {
            let line = LogLine { node: "x".into(), unix_ms: 0, line: "x".into() };
            hub.publish(Moment::now(), StreamEvent::Log(line));
        }
    }

    #[tokio::test]
    async fn what_it_misses_is_followed_by_a_snapshot() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("recording");
        let recorder = Recorder::create(path.clone()).expect("a file");
        let mut hub = Hub::default();
        let (asks, mut asked) = mpsc::channel(1);
        let (outside, _) = mpsc::channel(1);
        let begin = hub.subscribe(Moment::now(), empty_snapshot());
        // Before the thread can take any of them.
        log(&mut hub, 2 * MAX_BEHIND);
        let ended = recorder.begin(Stream { begin, asks, outside });
        let Some(Ask::Subscribe(reply)) = within(asked.recv()).await else { panic!("it asks") };
        drop(reply.send(Ok(hub.subscribe(Moment::now(), empty_snapshot()))));
        log(&mut hub, 3);
        drop(hub);
        within(ended).await.expect_err("it has nothing to say but that it ended");

        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).expect("a recording");
        let events: Vec<Envelope> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let seqs: Vec<usize> =
            events.iter().map(|event| usize::try_from(event.seq).expect("small")).collect();
        let anew = 2 * MAX_BEHIND;
        assert_eq!(seqs, [0, anew, anew + 1, anew + 2, anew + 3]);
        for snapshot in &events[..2] {
            assert!(matches!(snapshot.event, StreamEvent::Snapshot(_)));
        }
        let failure = Recorder::create(path).expect_err("it is there");
        assert_eq!(failure.code.exit_code(), 4, "{failure}");
    }

    /// `/dev/full` takes nothing, as a full disk does.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_full_disk_ends_the_recording_and_says_so_once() {
        let file = OpenOptions::new().write(true).open("/dev/full").expect("a device");
        let recorder = Recorder { path: "/dev/full".into(), file };
        let mut hub = Hub::default();
        let (asks, _asked) = mpsc::channel(1);
        let (outside, mut said) = mpsc::channel(1);
        let begin = hub.subscribe(Moment::now(), empty_snapshot());
        let ended = recorder.begin(Stream { begin, asks, outside });
        let Some(Outside::Notice(notice)) = within(said.recv()).await else { panic!("it says so") };
        assert!(notice.starts_with("stopped recording into `/dev/full`: "), "{notice}");
        within(ended).await.expect_err("it ended");
        log(&mut hub, 1);
        assert!(said.recv().await.is_none(), "once");
    }
}
