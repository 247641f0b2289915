//! Links to other nodes: one connection per next hop, a bounded queue in front of each. All packets
//! that a process sends into the mixnet leave through here.

mod adversary;
mod connection;
mod queue;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{Event, LinkEvent, Print, Time};
use sphinx::print_of;
use tokio::sync::Notify;
use tokio::time::timeout;
use wire::{NodeAddress, WireProfile};

pub use self::adversary::Adversary;
use self::adversary::{Held, Tap};
use self::connection::Connection;
use self::queue::{Left, Queue, Waiting, Written};
use crate::{Frame, FrameStore, LatenessHistogram, Passing, Reporter, Traces, clock, drops};

/// Packets that wait for one next hop: 2.5 MB. When it is full, packets for that hop are dropped and
/// counted; others are not affected.
const MAX_QUEUED: usize = 1024;

/// When so many packets wait for all hops together, those that are stuck get no more, so that there is
/// always room for the others.
const MAX_QUEUED_IN_ALL: usize = 4 * MAX_QUEUED;

/// A hop with so many waiting packets is stuck: what a link that works writes at once.
const STUCK: usize = 2 * queue::MAX_BATCH;

/// Most links at once: more next hops than any layer has. Only who sends packets wherever they want to
/// go gets there.
const MAX_LINKS: usize = 4096;

/// How often a node reports what left on its links.
pub const LINKS_INTERVAL: Duration = Duration::from_millis(100);

/// Link events that wait to be taken; ten seconds of a thousand packets a second.
const MAX_EVENTS: usize = 10_000;

/// Reports packets that left, and how many more there were, if there is anything to report.
pub fn report_links(reporter: &Reporter, mut links: Vec<LinkEvent>, lost: u64) {
    if !links.is_empty() || lost > 0 {
        // Of several sources each is in order by itself.
        links.sort_by_key(|link| link.t);
        reporter.report(Event::Links { links, lost });
    }
}

/// The links of a process. Cheap to clone. Needs to be inside a runtime.
#[derive(Clone, Debug)]
pub struct Links {
    shared: Arc<Mutex<Shared>>,
    /// Told when nothing waits any more.
    all_written: Arc<Notify>,
    /// Which identity of the process sends here; none if the process is but one.
    from: Option<u32>,
}

#[derive(Debug)]
struct Shared {
    frames: FrameStore,
    queues: HashMap<SocketAddr, Queue>,
    /// Where packets were added that nobody has tried to write yet.
    fresh: Vec<SocketAddr>,
    counted: Counted,
    /// Packets that were taken and are neither written nor given up.
    waiting: usize,
    /// What lies in wait for packets; of all nodes that nobody attacks it is empty.
    taps: Vec<Tap>,
    /// Where nothing leaves for now, likewise.
    held: Vec<Held>,
}

/// What links have done.
#[derive(Debug)]
struct Counted {
    sent: u64,
    dropped: u64,
    /// Packets that left; not kept if nobody wants to know.
    departures: Option<Vec<Departure>>,
    /// How many more there were than are kept.
    lost: u64,
    lateness: LatenessHistogram,
    /// Takes what becomes of packets; none where tracing is off.
    traces: Option<Traces>,
}

/// A packet that left.
#[derive(Debug)]
struct Departure {
    t: Time,
    from: Option<u32>,
    to: SocketAddr,
}

impl Links {
    /// Links that carry packets of this format.
    pub fn new(profile: WireProfile) -> Self {
        let departures = Some(Vec::new());
        let lateness = LatenessHistogram::default();
        let shared = Shared {
            frames: FrameStore::new(profile),
            queues: HashMap::new(),
            fresh: Vec::new(),
            counted: Counted { sent: 0, dropped: 0, departures, lost: 0, lateness, traces: None },
            waiting: 0,
            taps: Vec::new(),
            held: Vec::new(),
        };
        Self { shared: Arc::new(Mutex::new(shared)), all_written: Arc::default(), from: None }
    }

    /// The same links for one of many identities of the process, counted from 1: what is sent through
    /// this handle is told as that identity's.
    #[must_use]
    pub fn of_identity(&self, number: u32) -> Self {
        Self { from: Some(number), ..self.clone() }
    }

    /// The same for a node with this reporter: if that takes no [`LinkEvent`]s, none are kept.
    #[must_use]
    pub fn reporting_to(self, reporter: &Reporter) -> Self {
        if !reporter.takes_links() {
            self.lock().counted.departures = None;
        }
        self
    }

    /// The same for a node where tracing is on, if it is: tells of packets that
    /// [pass](Batch::push), and of all that are dropped.
    #[must_use]
    pub fn tracing(self, traces: Option<Traces>) -> Self {
        self.lock().counted.traces = traces;
        self
    }

    /// Sends a packet, or drops and counts it if there is no room.
    pub fn send(&self, to: NodeAddress, packet: impl AsRef<[u8]>) {
        let mut batch = self.batch();
        batch.put(to, packet.as_ref());
        Self::send_soon(to, batch);
    }

    /// The same for a copy of a packet, for which nobody lies in wait.
    fn send_again(&self, to: NodeAddress, packet: &[u8]) {
        let mut batch = self.batch();
        let taps = std::mem::take(&mut batch.shared.taps);
        batch.put(to, packet);
        batch.shared.taps = taps;
        Self::send_soon(to, batch);
    }

    fn send_soon(to: NodeAddress, mut batch: Batch<'_>) {
        // The link's task writes: by then there may be more. Where much else is to be done it comes
        // late, so no more waits for it than it writes at once.
        if batch.is_full(to) {
            batch.shared.fresh.push(to.0);
            batch.write();
        } else {
            batch.for_later();
        }
    }

    /// For sending several packets at once.
    pub fn batch(&self) -> Batch<'_> {
        Batch { links: self, shared: self.lock() }
    }

    /// Waits until everything that was taken is written, but no longer than this.
    pub async fn flush(&self, limit: Duration) {
        let written = async {
            loop {
                // Before the look, so that what happens between is not missed.
                let all_written = self.all_written.notified();
                if self.lock().waiting == 0 {
                    return;
                }
                all_written.await;
            }
        };
        // Who is not reached by then will not be.
        let _ = timeout(limit, written).await;
    }

    /// Packets written to links since the start.
    pub fn sent(&self) -> u64 {
        self.lock().counted.sent
    }

    /// Packets dropped since the start because there was no room, or nobody to take them.
    pub fn dropped(&self) -> u64 {
        self.lock().counted.dropped
    }

    /// What left since this was last asked, oldest first. Each packet has the network's one length.
    pub fn take_events(&self) -> Vec<LinkEvent> {
        let mut shared = self.lock();
        let bytes = u32::try_from(shared.frames.profile().packet_bytes());
        let bytes = bytes.expect("a packet is small");
        let departures = shared.counted.departures.as_mut();
        let departures = departures.map(|departures| departures.drain(..));
        let event = |Departure { t, from, to }| LinkEvent { t, from, dst: to.to_string(), bytes };
        departures.into_iter().flatten().map(event).collect()
    }

    /// How many packets left since this was last asked of which [`take_events`](Self::take_events) has
    /// not told and will not.
    pub fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.lock().counted.lost)
    }

    /// How late packets left since this was last asked: those that had a moment to leave at.
    pub fn take_lateness(&self) -> LatenessHistogram {
        std::mem::take(&mut self.lock().counted.lateness)
    }

    /// Gives memory back that a burst has left; to be called now and then.
    pub fn give_memory_back(&self) {
        self.lock().give_back();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing in here can panic halfway through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever waits for it that nothing waits any more.
    fn tell_if_all_written(&self, shared: &Shared) {
        if shared.waiting == 0 {
            self.all_written.notify_waiters();
        }
    }
}

/// Packets that are sent together, while nobody else can. What is pushed stays where it is until
/// [`write`](Self::write), of this batch or the next.
#[derive(Debug)]
#[must_use = "what is pushed has to be written"]
pub struct Batch<'a> {
    links: &'a Links,
    shared: MutexGuard<'a, Shared>,
}

impl Batch<'_> {
    /// Where packets wait until they are pushed.
    pub fn frames(&mut self) -> &mut FrameStore {
        &mut self.shared.frames
    }

    /// Sends a packet, or drops and counts it if too many wait for that hop. By how much it leaves
    /// later than `due` is counted, if it is given; and what is known of it is told when it has left,
    /// if tracing is on.
    pub fn push(
        &mut self,
        to: NodeAddress,
        frame: Frame,
        due: Option<Time>,
        passing: Option<Box<Passing>>,
    ) {
        let packet = Waiting { frame, from: self.links.from, due, passing };
        let shared = &mut *self.shared;
        let links = shared.queues.len();
        let queue = match shared.queues.entry(to.0) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if links == MAX_LINKS => {
                shared.drop_packet(packet);
                return;
            }
            Entry::Vacant(entry) => {
                let connection = Connection::new(self.links.clone(), to.0);
                let queue = Queue::new(connection.signal());
                tokio::spawn(connection.run());
                entry.insert(queue)
            }
        };
        let most = if shared.waiting < MAX_QUEUED_IN_ALL { MAX_QUEUED } else { STUCK };
        if queue.len() < most {
            if queue.len() == 0 {
                shared.fresh.push(to.0);
            }
            if !shared.taps.is_empty() {
                adversary::catch(&mut shared.taps, to.0, shared.frames.packet_mut(&packet.frame));
            }
            queue.push(packet);
            shared.waiting += 1;
        } else {
            if let Some(held) = shared.held.iter_mut().find(|held| held.to == to.0) {
                held.lost += 1;
            }
            shared.drop_packet(packet);
        }
    }

    fn put(&mut self, to: NodeAddress, packet: &[u8]) {
        match self.frames().put(packet) {
            Some(frame) => self.push(to, frame, None, None),
            None => self.shared.counted.drop_packet(|| print_of(packet)),
        }
    }

    /// Whether as much waits for this hop as is written at once.
    fn is_full(&self, to: NodeAddress) -> bool {
        self.shared.queues.get(&to.0).is_some_and(|queue| queue.len() >= queue::MAX_BATCH)
    }

    /// Whether anything was pushed that was not tried to be written.
    pub fn is_unwritten(&self) -> bool {
        !self.shared.fresh.is_empty()
    }

    /// Writes what was pushed, as far as the system takes it at once. The rest follows.
    pub fn write(mut self) {
        while let Some(to) = self.shared.fresh.pop() {
            self.shared.write(to);
        }
        self.links.tell_if_all_written(&self.shared);
    }

    /// Leaves it to the tasks of the links.
    fn for_later(mut self) {
        while let Some(to) = self.shared.fresh.pop() {
            if let Some(queue) = self.shared.queues.get(&to) {
                queue.call();
            }
        }
    }
}

impl Shared {
    /// Writes what waits for a hop, as far as the system takes it.
    fn write(&mut self, to: SocketAddr) {
        if self.held.iter().any(|held| held.to == to) {
            return;
        }
        let Some(queue) = self.queues.get_mut(&to) else { return };
        let written = queue.write(&mut self.frames, |left| {
            self.waiting -= 1;
            self.counted.left(to, left);
        });
        if let Written::Stopped = written {
            queue.call();
        }
    }

    /// Nobody is there: drops and counts all that waits for a hop.
    fn give_up(&mut self, to: SocketAddr) {
        let Some(queue) = self.queues.remove(&to) else { return };
        self.waiting -= queue.len();
        queue.into_packets().for_each(|packet| self.drop_packet(packet));
    }

    fn drop_packet(&mut self, Waiting { frame, passing, .. }: Waiting) {
        // In front of a packet is the flag byte of its frame.
        let print = |frames: &FrameStore| print_of(&frames.bytes(&frame)[1..]);
        self.counted
            .drop_packet(|| passing.map_or_else(|| print(&self.frames), |passing| passing.before));
        self.frames.release(frame);
    }

    fn give_back(&mut self) {
        self.frames.give_back();
        self.queues.values_mut().for_each(Queue::give_back);
        if let Some(departures) = &mut self.counted.departures
            && departures.is_empty()
        {
            departures.shrink_to(0);
        }
    }
}

impl Counted {
    /// A packet has left.
    fn left(&mut self, to: SocketAddr, Left { t, written, from, due, passing }: Left) {
        self.sent += 1;
        if let Some(due) = due {
            self.lateness.add(written.saturating_since(due));
        }
        if let Some(departures) = &mut self.departures {
            if departures.len() < MAX_EVENTS {
                departures.push(Departure { t, from, to });
            } else {
                self.lost += 1;
            }
        }
        if let (Some(traces), Some(passing)) = (&self.traces, passing) {
            traces.push(passing.left(t, to));
        }
    }

    /// A packet was dropped that had this print when it came.
    fn drop_packet(&mut self, print: impl FnOnce() -> Print) {
        self.dropped += 1;
        if let Some(traces) = &self.traces {
            traces.dropped(clock::now(), print(), drops::QUEUE);
        }
    }
}
