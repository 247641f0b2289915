//! Somebody on the links, behind the sockets of a process: the attacks that a devnet runs on itself.
//!
//! The node knows nothing of it. What it sends is changed, copied or held back where it waits to be
//! written, so that the next hop gets what it would get from a wire in wrong hands.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{
    Answer, Attack, Deed, Event, MAX_COPIES, MAX_HOLD_MS, MAX_WAIT_MS, Outcome, PacketPart, Print,
    Time,
};
use sphinx::print_of;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use wire::{HEADER_BYTES, NodeAddress, WireProfile};

use super::Links;
use crate::{Reporter, clock};

const _: () = assert!(
    PacketPart::Header.bits() as usize == 8 * HEADER_BYTES
        && PacketPart::Payload.bits() as usize == 8 * WireProfile::CURRENT.payload_bytes
);

/// From a packet to its copy, and from one copy to the next. A copy that came together with its original
/// would show less.
const BETWEEN_COPIES: Duration = Duration::from_millis(100);

/// Most attacks at once: more than a supervisor has underway.
const MAX_UNDERWAY: usize = 16;

/// Numbers taps, so that one can be taken away.
static NEXT_TAP: AtomicU64 = AtomicU64::new(0);

/// Something that lies in wait for the next packet to a hop.
#[derive(Debug)]
pub(super) struct Tap {
    number: u64,
    to: SocketAddr,
    /// The bit of a packet to change, if one is.
    flip: Option<usize>,
    /// Taken by the first packet that comes, on whichever of a process's links.
    caught: Arc<Mutex<Option<oneshot::Sender<Caught>>>>,
}

/// A packet that was waited for.
#[derive(Debug)]
struct Caught {
    t: Time,
    /// As the node sent it.
    before: Print,
    /// As it goes.
    packet: Vec<u8>,
}

/// A hop to which nothing leaves.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) to: SocketAddr,
    /// Packets that found no place meanwhile.
    pub(super) lost: u64,
}

/// A packet goes to this hop, with these bytes: gives it to the first who lies in wait for it.
pub(super) fn catch(taps: &mut Vec<Tap>, to: SocketAddr, packet: &mut [u8]) {
    while let Some(index) = taps.iter().position(|tap| tap.to == to) {
        let Tap { flip, caught, .. } = taps.remove(index);
        // It has gone if another link of the process was faster, or nobody waits any more.
        let waiting = caught.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(waiting) = waiting.filter(|waiting| !waiting.is_closed()) else { continue };
        let before = print_of(packet);
        if let Some(bit) = flip
            && let Some(byte) = packet.get_mut(bit / 8)
        {
            *byte ^= 0x80 >> (bit % 8);
        }
        // Whoever waits may just have stopped. Then it was changed all the same, and nobody says so.
        let _ = waiting.send(Caught { t: clock::now(), before, packet: packet.to_vec() });
        return;
    }
}

/// Attacks on the links of a process, each of which ends with this.
#[derive(Debug)]
pub struct Adversary {
    wire: Wire,
    reporter: Reporter,
    underway: JoinSet<()>,
}

impl Adversary {
    /// On these links: all those of a process with this reporter.
    pub fn new(links: impl IntoIterator<Item = Links>, reporter: Reporter) -> Self {
        let wire = Wire(links.into_iter().collect());
        Self { wire, reporter, underway: JoinSet::new() }
    }

    /// Begins with what a request of this id asks for, and answers it when that is done. Needs to be
    /// inside a runtime.
    pub fn begin(&mut self, id: u64, attack: Attack) {
        while self.underway.try_join_next().is_some() {}
        let (wire, reporter) = (self.wire.clone(), self.reporter.clone());
        let has_room = self.underway.len() < MAX_UNDERWAY;
        self.underway.spawn(async move {
            let done = if has_room {
                wire.carry_out(attack).await
            } else {
                Err(format!("{MAX_UNDERWAY} attacks are underway here already"))
            };
            let outcome = match done {
                Ok(deed) => Outcome::Attacked { deed },
                Err(reason) => Outcome::Refused { reason },
            };
            reporter.report(Event::Answer(Answer { id, outcome }));
        });
    }
}

/// All links of a process.
#[derive(Clone, Debug)]
struct Wire(Arc<[Links]>);

impl Wire {
    /// Does it, and says what was done; or why it was not, as a sentence without a full stop.
    async fn carry_out(&self, attack: Attack) -> Result<Deed, String> {
        match attack {
            Attack::Replay { to, times, wait_ms } => self.replay(to, times, wait_ms).await,
            Attack::Flip { to, part, bit, wait_ms } => self.flip(to, part, bit, wait_ms).await,
            Attack::Hold { to, for_ms } => self.hold(to, for_ms).await,
            Attack::Skip { .. } => Err("only a client chooses routes".into()),
        }
    }

    async fn replay(&self, to: SocketAddr, times: u32, wait_ms: u64) -> Result<Deed, String> {
        if !(1..=MAX_COPIES).contains(&times) {
            return Err(format!("{times} copies are not between 1 and {MAX_COPIES}"));
        }
        let Caught { t, before, packet } = self.next_packet(to, None, wait_ms).await?;
        let links = self.0.first().ok_or("this process has no links")?;
        for _ in 0..times {
            sleep(BETWEEN_COPIES).await;
            links.send_again(NodeAddress(to), &packet);
        }
        Ok(Deed::Replayed { t, packet: before, copies: times, last: clock::now() })
    }

    async fn flip(
        &self,
        to: SocketAddr,
        part: PacketPart,
        bit: u32,
        wait_ms: u64,
    ) -> Result<Deed, String> {
        let begin = match part {
            PacketPart::Header => 0,
            PacketPart::Payload => HEADER_BYTES,
        };
        let flip = usize::try_from(bit).ok().filter(|_| bit < part.bits());
        let flip = flip.ok_or_else(|| {
            format!("a {} has {} bits, from number 0; {bit} is none", part.word(), part.bits())
        })?;
        let Caught { t, before, packet } =
            self.next_packet(to, Some(8 * begin + flip), wait_ms).await?;
        Ok(Deed::Flipped { t, before, after: print_of(&packet) })
    }

    /// The next packet that goes there.
    async fn next_packet(
        &self,
        to: SocketAddr,
        flip: Option<usize>,
        wait_ms: u64,
    ) -> Result<Caught, String> {
        let wait = Duration::from_millis(wait_ms.min(MAX_WAIT_MS));
        let (sender, caught) = oneshot::channel();
        let sender = Arc::new(Mutex::new(Some(sender)));
        let number = NEXT_TAP.fetch_add(1, Ordering::Relaxed);
        for links in &*self.0 {
            let caught = Arc::clone(&sender);
            links.lock().taps.push(Tap { number, to, flip, caught });
        }
        let caught = timeout(wait, caught).await;
        for links in &*self.0 {
            links.lock().taps.retain(|tap| tap.number != number);
        }
        match caught {
            Ok(Ok(caught)) => Ok(caught),
            Ok(Err(_)) | Err(_) => {
                Err(format!("no packet went to {to} within {} s", wait.as_secs_f64()))
            }
        }
    }

    async fn hold(&self, to: SocketAddr, for_ms: u64) -> Result<Deed, String> {
        if !(1..=MAX_HOLD_MS).contains(&for_ms) {
            return Err(format!("packets are held for 1 to {MAX_HOLD_MS} ms, not {for_ms}"));
        }
        if self.0.iter().any(|links| links.lock().held.iter().any(|held| held.to == to)) {
            return Err(format!("what goes to {to} is held back already"));
        }
        // Given back also where this is dropped before its end.
        let holding = Holding { links: &self.0, to };
        for links in &*self.0 {
            links.lock().held.push(Held { to, lost: 0 });
        }
        let from = clock::now();
        sleep(Duration::from_millis(for_ms)).await;
        let until = clock::now();
        let (packets, lost) = holding.end();
        Ok(Deed::Held { from, until, packets, lost })
    }
}

/// Packets that are held back, until this is dropped.
struct Holding<'a> {
    links: &'a [Links],
    to: SocketAddr,
}

impl Holding<'_> {
    /// Lets them go; says how many, and how many found no place.
    fn end(&self) -> (u64, u64) {
        let (mut packets, mut lost) = (0, 0);
        for links in self.links {
            let mut shared = links.lock();
            lost += shared
                .held
                .extract_if(.., |held| held.to == self.to)
                .map(|held| held.lost)
                .sum::<u64>();
            if let Some(queue) = shared.queues.get(&self.to) {
                packets += queue.len() as u64;
                // The link's own task writes.
                queue.call();
            }
        }
        (packets, lost)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
