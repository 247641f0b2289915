//! Packets that wait for one next hop, and writing them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use contract::Time;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::{Frame, FrameStore, Passing, clock};

/// Packets that are written at once.
pub(super) const MAX_BATCH: usize = 32;

/// Between packets of one write.
const NEXT: Duration = Duration::from_nanos(1);

/// A packet that waits to be written.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) frame: Frame,
    /// Which identity of the process sends it, if there are many.
    pub(super) from: Option<u32>,
    /// When it should have left; none if that does not matter.
    pub(super) due: Option<Time>,
    /// What is told of it when it has left, if anything.
    pub(super) passing: Option<Box<Passing>>,
}

/// Packets for one hop, oldest first.
#[derive(Debug)]
pub(super) struct Queue {
    packets: VecDeque<Waiting>,
    /// Bytes of the first that are written.
    begun: usize,
    /// None while there is no connection.
    stream: Option<Arc<TcpStream>>,
    /// The system takes no more for now: the link's task waits until it does.
    is_blocked: bool,
    /// Why the connection broke, for the link's task.
    error: Option<io::Error>,
    /// When bytes were last written, or the connection was made.
    written_at: Time,
    /// Whether the connection has taken anything.
    has_written: bool,
    /// Calls the link's task.
    signal: Arc<Notify>,
}

/// A packet that is wholly written.
#[derive(Debug)]
pub(super) struct Left {
    /// The moment before the write that took the last of it. The next hop may have it before the write
    /// returns, and nobody shall read that it came before it left. Packets of one write leave one
    /// nanosecond after the other, so that on each link a moment is that of one packet.
    pub(super) t: Time,
    /// When that write returned.
    pub(super) written: Time,
    /// Which identity of the process sent it, if there are many.
    pub(super) from: Option<u32>,
    /// When it should have left; none if that does not matter.
    pub(super) due: Option<Time>,
    /// What is told of it, if anything.
    pub(super) passing: Option<Box<Passing>>,
}

/// How writing ended.
pub(super) enum Written {
    /// All is written, or nobody can write now.
    Enough,
    /// The system took no more, or the connection broke: the link's task has to see to it.
    Stopped,
}

impl Queue {
    /// An empty one of a link whose task listens to this signal.
    pub(super) fn new(signal: Arc<Notify>) -> Self {
        Self {
            packets: VecDeque::new(),
            begun: 0,
            stream: None,
            is_blocked: false,
            error: None,
            written_at: clock::now(),
            has_written: false,
            signal,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn push(&mut self, packet: Waiting) {
        self.packets.push_back(packet);
    }

    /// Calls the link's task.
    pub(super) fn call(&self) {
        self.signal.notify_one();
    }

    /// Takes a new connection. What was not wholly written to the one before goes again: a packet that
    /// arrives twice does no harm, one that never arrives has to be sent anew.
    pub(super) fn connected(&mut self, stream: Arc<TcpStream>) {
        self.begun = 0;
        self.stream = Some(stream);
        self.is_blocked = false;
        self.error = None;
        self.written_at = clock::now();
        self.has_written = false;
    }

    /// The connection is gone. Says whether it took anything.
    pub(super) fn disconnected(&mut self) -> bool {
        self.stream = None;
        self.has_written
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// The system takes bytes again.
    pub(super) fn unblock(&mut self) {
        self.is_blocked = false;
    }

    /// Why the connection broke, if it did.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// When bytes were last written, or the connection was made.
    pub(super) fn written_at(&self) -> Time {
        self.written_at
    }

    /// Writes as much as the system takes. `left` is told of each packet that is wholly written.
    pub(super) fn write(&mut self, frames: &mut FrameStore, mut left: impl FnMut(Left)) -> Written {
        if self.is_blocked || self.error.is_some() {
            return Written::Enough;
        }
        let Some(stream) = &self.stream else { return Written::Enough };
        while !self.packets.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_BATCH];
            let mut count = 0;
            for (slice, Waiting { frame, .. }) in slices.iter_mut().zip(&self.packets) {
                let begun = if count == 0 { self.begun } else { 0 };
                *slice = IoSlice::new(&frames.bytes(frame)[begun..]);
                count += 1;
            }
            let mut t = clock::now();
            match write_unless_closed(stream, &slices[..count]) {
                Ok(bytes) => {
                    let written = clock::now();
                    self.written_at = written;
                    self.has_written = true;
                    let mut bytes = self.begun + bytes;
                    while let Some(Waiting { frame, .. }) = self.packets.front()
                        && bytes >= frames.bytes(frame).len()
                    {
                        bytes -= frames.bytes(frame).len();
                        if let Some(Waiting { frame, from, due, passing }) =
                            self.packets.pop_front()
                        {
                            frames.release(frame);
                            left(Left { t, written, from, due, passing });
                            t = t + NEXT;
                        }
                    }
                    self.begun = bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if error.kind() == io::ErrorKind::WouldBlock {
                        self.is_blocked = true;
                    } else {
                        self.error = Some(error);
                    }
                    return Written::Stopped;
                }
            }
        }
        Written::Enough
    }

    /// What waits in it.
    pub(super) fn into_packets(self) -> impl Iterator<Item = Waiting> {
        self.packets.into_iter()
    }

    /// Gives memory back that a burst has left.
    pub(super) fn give_back(&mut self) {
        if self.packets.is_empty() {
            self.packets.shrink_to(MAX_BATCH);
        }
    }
}

/// Nobody sends on a link backwards: if anything can be read, be it the end, the other side is gone,
/// and what is written now would be lost. Asks the system only if the runtime has heard something.
fn write_unless_closed(stream: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match stream.try_read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
        Ok(_) => return Err(io::ErrorKind::ConnectionReset.into()),
    }
    stream.try_write_vectored(slices)
}
