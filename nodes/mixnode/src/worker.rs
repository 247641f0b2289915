//! A thread's part of a mixnode: an engine with its links, and the connections that feed it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use contract::Time;
use runtime::{
    ConnectionPlace, Intake, Links, MAX_READ, MalformedFrames, Network, Timer, clock, read_packets,
};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, yield_now};
use wire::WireProfile;

use crate::{Departure, Mixnode};

/// While there is more to read than a read brings, what leaves is collected for so long: a write of
/// many packets costs little more than one of a few. Packets that wait to be read wait longer.
const WRITE_INTERVAL: Duration = Duration::from_millis(1);

/// One of the workers of a mixnode. Cheap to clone.
///
/// What comes on a connection goes through the engine and out to the sockets of the next hops at once,
/// in one task: nothing is handed from one task to another, and nothing allocated for a packet.
#[derive(Clone)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// The thread that does the work; none if it is the one that started it.
    thread: Option<Arc<Thread>>,
}

struct Shared {
    state: Mutex<State>,
    links: Links,
    /// Told when there is something to do earlier than it was planned.
    changed: Notify,
    /// Told when the engine wants the topology.
    wants_topology: Arc<Notify>,
}

struct State {
    engine: Mixnode,
    /// When there is something to do; none if only packets can bring it.
    wakes_at: Option<Time>,
    /// Since when something has been collected that is to be written.
    unwritten_since: Option<Time>,
    /// There is a new view of the network, with which packets may leave that were held.
    has_new_view: bool,
}

impl State {
    fn next_wake(&self) -> Option<Time> {
        if self.has_new_view {
            return Some(Time::default());
        }
        let written_by = self.unwritten_since.map(|since| since + WRITE_INTERVAL);
        self.engine.next_wake().into_iter().chain(written_by).min()
    }
}

/// A thread with a runtime of its own. Ends when this is dropped.
struct Thread {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Worker {
    /// Starts a worker in this thread, as one of these tasks.
    pub(crate) fn start_here(
        engine: Mixnode,
        links: Links,
        wants_topology: Arc<Notify>,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let worker = Self::new(engine, links, wants_topology);
        tasks.spawn(worker.clone().wake(Timer::start()?));
        Ok(worker)
    }

    /// Starts a worker in a thread of its own.
    pub(crate) async fn start_thread(
        engine: Mixnode,
        links: Links,
        wants_topology: Arc<Notify>,
    ) -> io::Result<Self> {
        let worker = Self::new(engine, links, wants_topology);
        let (end, ended) = oneshot::channel();
        let (started, handle) = oneshot::channel();
        let woken = worker.clone();
        thread::Builder::new().name("worker".into()).spawn(move || {
            // Errors of sending and receiving: whoever started it is gone, which ends it.
            match woken.into_runtime() {
                Ok(runtime) => {
                    let _ = started.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(ended);
                }
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        let gone = |_| io::Error::other("the thread ended");
        let handle = handle.await.map_err(gone)??;
        Ok(Self { thread: Some(Arc::new(Thread { handle, _end: end })), ..worker })
    }

    fn new(engine: Mixnode, links: Links, wants_topology: Arc<Notify>) -> Self {
        let state = Mutex::new(State {
            engine,
            wakes_at: None,
            unwritten_since: None,
            has_new_view: false,
        });
        let shared = Shared { state, links, changed: Notify::new(), wants_topology };
        Self { shared: Arc::new(shared), thread: None }
    }

    /// A runtime in which this worker works.
    fn into_runtime(self) -> io::Result<Runtime> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let timer = {
            let _inside = runtime.enter();
            Timer::start()?
        };
        runtime.spawn(self.wake(timer));
        Ok(runtime)
    }

    /// Reads a connection to its end.
    pub(crate) async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionPlace,
        profile: WireProfile,
        malformed: MalformedFrames,
    ) {
        let intake = Connection { worker: Arc::clone(&self.shared), was_full: false };
        let Some(thread) = self.thread else {
            return read_packets(stream, peer, place, profile, intake, malformed).await;
        };
        // A socket belongs to the runtime that watches it.
        let Ok(stream) = stream.into_std() else { return };
        let reading = thread.handle.spawn(async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                read_packets(stream, peer, place, profile, intake, malformed).await;
            }
        });
        // An error: the thread is ending.
        let _ = reading.await;
    }

    /// Takes a new view of the network.
    pub(crate) fn set_network(&self, now: Time, network: &Network) {
        let mut state = self.shared.lock();
        state.engine.set_network(now, network);
        state.has_new_view = true;
        self.shared.changed.notify_one();
    }

    /// Looks at the engine.
    pub(crate) fn with_engine<T>(&self, look: impl FnOnce(&Mixnode) -> T) -> T {
        look(&self.shared.lock().engine)
    }

    pub(crate) fn links(&self) -> &Links {
        &self.shared.links
    }

    /// Lets packets leave when they are due, for ever.
    async fn wake(self, timer: Timer) {
        loop {
            let wakes_at = {
                let mut state = self.shared.lock();
                state.wakes_at = state.next_wake();
                state.wakes_at
            };
            tokio::select! {
                () = timer.at(wakes_at) => self.shared.work(clock::now(), &mut []),
                () = self.shared.changed.notified() => {}
            }
        }
    }
}

impl Shared {
    /// Takes packets, and lets go what is due.
    fn work(&self, now: Time, packets: &mut [&mut [u8]]) {
        let mut state = self.lock();
        let State { engine, unwritten_since, has_new_view, .. } = &mut *state;
        *has_new_view = false;
        let mut batch = self.links.batch();
        engine.take(now, packets, batch.frames());
        // Taking packets takes time: what has become due meanwhile goes along.
        let now = clock::now();
        while let Some(departure) = engine.next_departure(now, batch.frames()) {
            let Departure { to, frame, due, passing } = departure;
            batch.push(to, frame, due, passing);
        }
        if engine.wants_topology(now) {
            self.wants_topology.notify_one();
        }
        let is_more_to_read = packets.len() == MAX_READ;
        let since = unwritten_since.unwrap_or(now);
        if is_more_to_read && batch.is_unwritten() && now < since + WRITE_INTERVAL {
            *unwritten_since = Some(since);
        } else {
            *unwritten_since = None;
            batch.write();
        }
        let next = state.next_wake();
        if next.is_some_and(|next| state.wakes_at.is_none_or(|at| next < at)) {
            state.wakes_at = next;
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in an engine ends its task, and the process with it is no better off.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a worker.
struct Connection {
    worker: Arc<Shared>,
    /// There is probably more to read.
    was_full: bool,
}

impl Intake for Connection {
    fn take(&mut self, now: Time, packets: &mut [&mut [u8]]) {
        self.was_full = packets.len() == MAX_READ;
        self.worker.work(now, packets);
    }

    /// Lets other connections and links have their turn.
    async fn rest(&mut self) -> bool {
        if self.was_full {
            yield_now().await;
        }
        true
    }
}
