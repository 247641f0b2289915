//! Telling what happens: to a supervisor as lines on stdout, to people as log lines.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use contract::{Event, MessageStage};
use tokio_util::sync::CancellationToken;

/// Events that wait to be written. A supervisor reads all the time; one that hangs for some seconds
/// loses events, and is told how many, rather than holding up packets.
const MAX_WAITING: usize = 4096;

/// Of these, so many are kept for what is told only once, such as readiness and answers. Counters and
/// links come again.
const RESERVED: usize = 1024;

/// How long the end of the process waits for the last events to be written.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The thread only writes lines.
const STACK_BYTES: usize = 256 << 10;

/// Takes events from anywhere in a process. Never blocks. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    take: Arc<dyn Fn(Event) + Send + Sync>,
    takes_links: bool,
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

impl Reporter {
    /// Hands every event to this function, which must not block.
    pub fn new(take: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self { take: Arc::new(take), takes_links: true }
    }

    /// Reports an event.
    pub fn report(&self, event: Event) {
        (self.take)(event);
    }

    /// Whether anything comes of [`Event::Links`] and [`Event::Packets`]. If not, packets need not be
    /// noted one by one.
    pub fn takes_links(&self) -> bool {
        self.takes_links
    }

    /// For people: what matters to them goes to the log.
    pub fn for_people() -> Self {
        Self { takes_links: false, ..Self::new(|event| log(&event)) }
    }

    /// For a supervisor: the log, and lines on stdout, written by a thread of their own. The
    /// returned handle waits until all that was reported is written. A supervisor that is gone ends
    /// the process through `gone`.
    pub(crate) fn for_supervisor(gone: CancellationToken) -> io::Result<(Self, Flush)> {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let lost = Arc::<Lost>::default();
        let lost_by_writer = Arc::clone(&lost);
        let waiting = Arc::new(AtomicUsize::new(0));
        let waiting_of_writer = Arc::clone(&waiting);
        let writer = thread::Builder::new().name("stdout".into()).stack_size(STACK_BYTES);
        writer.spawn(move || write_lines(&receiver, &waiting_of_writer, &lost_by_writer, &gone))?;
        let flush = Flush(sender.clone());
        let reporter = Self::new(move |event| {
            log(&event);
            let comes_again =
                matches!(event, Event::Metrics(_) | Event::Links { .. } | Event::Packets { .. });
            let room = if comes_again { MAX_WAITING - RESERVED } else { MAX_WAITING };
            let links = match &event {
                Event::Links { links, lost } => links.len() as u64 + lost,
                _ => 0,
            };
            // Counted before it is there, so that the writer never counts below zero.
            let fits = waiting.fetch_add(1, Ordering::Relaxed) < room
                && sender.try_send(Line::Event(Box::new(event))).is_ok();
            if !fits {
                waiting.fetch_sub(1, Ordering::Relaxed);
                lost.events.fetch_add(1, Ordering::Relaxed);
                lost.links.fetch_add(links, Ordering::Relaxed);
            }
        });
        Ok((reporter, flush))
    }
}

/// What matters to people, as log lines.
fn log(event: &Event) {
    match event {
        Event::Listening(listening) => match listening.instead_of {
            Some(port) => tracing::info!(
                "listening on {} ({}; port {port} is taken)",
                listening.address,
                listening.endpoint
            ),
            None => {
                tracing::info!("listening on {} ({})", listening.address, listening.endpoint);
            }
        },
        Event::Identity(identity) => {
            let new = if identity.new { ", made just now" } else { "" };
            match (&identity.address, identity.public_keys.as_slice()) {
                // The key was told before, and is a part of it.
                (Some(address), _) => tracing::info!("address {address}"),
                (None, [key]) => tracing::info!("public key {key}{new}"),
                (None, keys) => tracing::info!("{} identities{new}", keys.len()),
            }
        }
        Event::Waiting { reason } => tracing::info!("waiting: {reason}"),
        Event::Ready { reason } => tracing::info!("ready: {reason}"),
        Event::Stopping { reason } => tracing::info!("stopping: {reason}"),
        Event::Message(event) => match &event.stage {
            MessageStage::Accepted { .. } => {
                tracing::info!("message {} accepted", event.message);
            }
            MessageStage::Failed { reason } => {
                tracing::warn!("message {} failed: {reason}", event.message);
            }
            MessageStage::Received { .. } => {
                tracing::info!("message {} received", event.message);
            }
            MessageStage::Sent { .. } | MessageStage::Acknowledged { .. } => {}
        },
        // Whoever ends the process prints why.
        Event::Fatal(_)
        | Event::Hello(_)
        | Event::Metrics(_)
        | Event::Links { .. }
        | Event::Packets { .. }
        | Event::Answer(_)
        | Event::Lost { .. } => {}
    }
}

/// What found no room, and nobody has been told of.
#[derive(Debug, Default)]
struct Lost {
    events: AtomicU64,
    /// Packets of which they told.
    links: AtomicU64,
}

impl Lost {
    fn take(&self) -> Option<Event> {
        let [count, links] =
            [&self.events, &self.links].map(|lost| lost.swap(0, Ordering::Relaxed));
        (count > 0 || links > 0).then_some(Event::Lost { count, links })
    }
}

enum Line {
    Event(Box<Event>),
    /// Tell this sender when everything before is written.
    Flush(SyncSender<()>),
}

/// Waits until all that was reported is written.
#[derive(Debug)]
pub(crate) struct Flush(SyncSender<Line>);

impl Flush {
    /// Waits, but not for ever: a supervisor that hangs reads nothing any more.
    pub(crate) fn wait(self) {
        self.wait_at_most(LAST_WAIT);
    }

    fn wait_at_most(self, limit: Duration) {
        let (done, written) = sync_channel(1);
        // On a thread of its own, because a full queue makes it wait. It fails when the writer has
        // ended: then nothing can be waited for.
        let asker = thread::Builder::new().name("flush".into()).stack_size(STACK_BYTES);
        if asker.spawn(move || self.0.send(Line::Flush(done))).is_ok() {
            let _ = written.recv_timeout(limit);
        }
    }
}

fn write_lines(
    lines: &Receiver<Line>,
    waiting: &AtomicUsize,
    lost: &Lost,
    gone: &CancellationToken,
) {
    let mut buffer = Vec::new();
    for line in lines {
        match line {
            Line::Event(event) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                buffer.clear();
                if let Some(lost) = lost.take() {
                    push_line(&mut buffer, &lost);
                }
                push_line(&mut buffer, &event);
                let mut stdout = io::stdout().lock();
                if stdout.write_all(&buffer).and_then(|()| stdout.flush()).is_err() {
                    gone.cancel();
                    return;
                }
            }
            Line::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

fn push_line(buffer: &mut Vec<u8>, event: &Event) {
    serde_json::to_writer(&mut *buffer, event).expect("events are JSON, and a vector takes all");
    buffer.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_found_no_room_is_told_once_with_its_packets() {
        let lost = Lost::default();
        assert_eq!(lost.take(), None);
        lost.events.fetch_add(2, Ordering::Relaxed);
        lost.links.fetch_add(300, Ordering::Relaxed);
        assert_eq!(lost.take(), Some(Event::Lost { count: 2, links: 300 }));
        assert_eq!(lost.take(), None);
    }

    #[test]
    fn the_last_events_are_waited_for_and_a_reader_that_hangs_is_not() {
        let (sender, lines) = sync_channel(1);
        let flush = Flush(sender.clone());
        let writer = thread::spawn(move || {
            let mut read = 0;
            while let Ok(line) = lines.recv() {
                match line {
                    Line::Event(_) => read += 1,
                    Line::Flush(done) => {
                        done.send(()).expect("it waits");
                        return (read, lines);
                    }
                }
            }
            unreachable!("the sender lives");
        });
        let event = || Line::Event(Box::new(Event::Lost { count: 1, links: 0 }));
        sender.send(event()).expect("it reads");
        flush.wait_at_most(Duration::MAX);
        let (read, lines) = writer.join().expect("it reads");
        assert_eq!(read, 1);

        // From here on nobody reads: full before the question, and full after it.
        sender.send(event()).expect("there is room for one");
        Flush(sender.clone()).wait_at_most(Duration::from_millis(1));
        drop(lines.recv());
        Flush(sender).wait_at_most(Duration::from_millis(1));
    }
}
