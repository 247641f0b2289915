//! What is counted since a lesson began: messages, links, drops, and how packets of messages changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::{LinkEvent, NodeMetrics, Time};
use control::{JourneyEvent, JourneyStep, MessageState, MessageStatus, Snapshot, StreamEvent, Way};

use super::Known;
use super::attacks::Attacks;

/// Messages that are remembered: a lesson sends dozens.
const MAX_MESSAGES: usize = 1024;

/// Different routes and links that are remembered: those of 4 layers of 16 mixnodes with all clients. More
/// are not counted.
const MAX_WAYS: usize = 4096;

/// Different sizes that are remembered; there should be one.
const MAX_SIZES: usize = 64;

/// Counts since the lesson began.
#[derive(Debug, Default)]
pub(super) struct Counts {
    counting: bool,
    /// Messages that were there before.
    old: BTreeSet<String>,
    messages: BTreeMap<String, MessageStatus>,
    routes: BTreeSet<Vec<String>>,
    links: BTreeSet<(u8, u8, String, String)>,
    sizes: BTreeSet<u32>,
    /// Counters of drops as they were told last, by node.
    counters: BTreeMap<String, NodeMetrics>,
    dropped: BTreeMap<(String, String), u64>,
    hops: Hops,
    attacks: Attacks,
    /// Packets that each process sent since the network changed last, and when that was.
    from: BTreeMap<String, u64>,
    changed: Time,
}

/// What hops did to packets of messages.
#[derive(Clone, Copy, Debug, Default)]
struct Hops {
    told: u64,
    kept: u64,
    bytes: u64,
    bytes_kept: u64,
    knowing_both: u64,
}

impl Counts {
    pub(super) fn begin(&mut self) {
        let old = std::mem::take(&mut self.messages).into_keys();
        let counters = std::mem::take(&mut self.counters);
        let known = std::mem::take(&mut self.old).into_iter();
        *self = Self {
            counting: true,
            old: known.chain(old).collect(),
            counters,
            from: std::mem::take(&mut self.from),
            changed: self.changed,
            ..Self::default()
        };
    }

    /// The network is another one from now on.
    pub(super) fn change(&mut self, now: Time) {
        self.from.clear();
        self.changed = now;
    }

    /// Packets a second of a process since then.
    fn rate_from(&self, process: &str, now: Time) -> Option<f64> {
        let count = self.from.get(process).copied().unwrap_or_default();
        let seconds = since(self.changed, now).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        (seconds > 0.0).then(|| count as f64 / seconds)
    }

    pub(super) fn snapshot(&mut self, snapshot: &Snapshot) {
        for (node, metrics) in &snapshot.metrics {
            self.metrics(node, metrics);
        }
        for message in &snapshot.messages {
            self.message(message);
        }
    }

    pub(super) fn hear(&mut self, event: &StreamEvent, layer: impl Fn(&str) -> Option<u8>) {
        match event {
            StreamEvent::Metrics { node, metrics } => self.metrics(node, metrics),
            StreamEvent::Message(message) => self.message(message),
            StreamEvent::Journey(journey) => self.journey(journey, layer),
            StreamEvent::Attack(status) if self.counting => self.attacks.hear(status),
            StreamEvent::Links { src, links } => self.links(src, links, layer),
            _ => {}
        }
    }

    /// A restarted node counts from zero again.
    fn metrics(&mut self, node: &str, metrics: &NodeMetrics) {
        let before = self.counters.insert(node.into(), metrics.clone()).unwrap_or_default();
        if !self.counting {
            return;
        }
        for (reason, count) in &metrics.dropped {
            let before = before.dropped.get(reason).copied().unwrap_or_default();
            let more = if *count >= before { count - before } else { *count };
            if more > 0 {
                *self.dropped.entry((node.into(), reason.clone())).or_default() += more;
            }
        }
    }

    fn message(&mut self, message: &MessageStatus) {
        if self.old.contains(&message.id) {
            return;
        }
        let has_room = self.messages.len() < MAX_MESSAGES;
        if has_room || self.messages.contains_key(&message.id) {
            self.messages.insert(message.id.clone(), message.clone());
        }
        if !self.counting {
            return;
        }
        for packet in &message.packets {
            if !packet.route.is_empty() && self.routes.len() < MAX_WAYS {
                // The last is a provider.
                let mixes = packet.route.split_last().map_or(&[][..], |(_, mixes)| mixes);
                self.routes.insert(mixes.to_vec());
            }
        }
    }

    fn journey(&mut self, event: &JourneyEvent, layer: impl Fn(&str) -> Option<u8>) {
        let JourneyStep::Passed { way: Way::There, node, before, after, to, .. } = &event.step
        else {
            return;
        };
        if !self.counting {
            return;
        }
        self.hops.told += 1;
        self.hops.kept += u64::from(before == after);
        let pairs = before.first.iter().zip(&after.first);
        self.hops.bytes += before.first.len() as u64;
        self.hops.bytes_kept += pairs.filter(|(one, other)| one == other).count() as u64;
        // Packets come to the first layer from their senders, and leave the last one for a provider.
        let is_both = layer(node) == Some(1) && layer(to).is_none();
        self.hops.knowing_both += u64::from(is_both);
    }

    fn links(&mut self, src: &str, links: &[LinkEvent], layer: impl Fn(&str) -> Option<u8>) {
        *self.from.entry(src.into()).or_default() += links.len() as u64;
        if !self.counting {
            return;
        }
        let from = layer(src);
        for link in links {
            let to = layer(&link.dst);
            if (from.is_some() || to.is_some()) && self.sizes.len() < MAX_SIZES {
                self.sizes.insert(link.bytes);
            }
            if let Some((from, to)) = from.zip(to)
                && self.links.len() < MAX_WAYS
            {
                self.links.insert((from, to, src.into(), link.dst.clone()));
            }
        }
    }

    /// Messages that wait for a slot of their senders.
    pub(super) fn queued(&self) -> usize {
        let waits = |message: &&MessageStatus| {
            let ended = message.state == MessageState::Failed || is_delivered(message.state);
            message.sent_ms.is_none() && !ended
        };
        self.messages.values().filter(waits).count()
    }

    /// What is known now.
    pub(super) fn tell(&self, now: Time, known: &mut Known) {
        for (node, metrics) in &self.counters {
            if let Some(mailbox) = metrics.mailbox {
                known.set_of("waiting", &[node], mailbox.waiting);
            }
        }
        let mut messages: BTreeMap<(&str, &str), [u64; 4]> = BTreeMap::new();
        let mut delays = (0.0, 0.0);
        for message in self.messages.values() {
            let counts = messages.entry((&message.from, &message.to)).or_default();
            counts[0] += u64::from(message.sent_ms.is_some());
            counts[1] += u64::from(is_delivered(message.state));
            counts[2] += u64::from(message.state == MessageState::Failed);
            let is_stored = |packet: &control::PacketStatus| packet.acknowledged;
            let has_packets = !message.packets.is_empty();
            counts[3] += u64::from(has_packets && message.packets.iter().all(is_stored));
            if let Some(delivered_ms) = message.delivered_ms {
                delays = (delays.0 + 1.0, delays.1 + delivered_ms / 1000.0);
            }
        }
        for ((from, to), [sent, delivered, failed, stored]) in messages {
            known.set_of("sent", &[from, to], sent);
            known.set_of("delivered", &[from, to], delivered);
            known.set_of("failed", &[from, to], failed);
            known.set_of("stored", &[from, to], stored);
        }
        known.set_if("delay_s", (delays.0 > 0.0).then(|| delays.1 / delays.0));
        known.set("routes_seen", self.routes.len() as u64);
        let mut links: BTreeMap<(u8, u8), u64> = BTreeMap::new();
        for (from, to, ..) in &self.links {
            *links.entry((*from, *to)).or_default() += 1;
        }
        let skipped = links.iter().filter(|((from, to), _)| from.checked_add(1) != Some(*to));
        known.set("layers_skipped", skipped.map(|(_, count)| count).sum::<u64>());
        for ((from, to), count) in &links {
            known.set_of("links", &[&from.to_string(), &to.to_string()], *count);
        }
        known.set("sizes", self.sizes.len() as u64);
        known.set_if("packet_bytes", self.sizes.last().copied());
        for ((node, reason), count) in &self.dropped {
            known.set_of("dropped", &[node, reason], *count);
        }
        known.set("hops_told", self.hops.told);
        known.set("prints_kept", self.hops.kept);
        known.set("hops_knowing_both", self.hops.knowing_both);
        if self.hops.bytes > 0 {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            known.set("bytes_kept", self.hops.bytes_kept as f64 / self.hops.bytes as f64);
        }
        self.attacks.tell(known);
        for process in self.from.keys() {
            known.set_of("packets_from", &[process], self.from[process]);
            if let Some(rate) = self.rate_from(process, now) {
                known.set_of("rate_from", &[process], rate);
            }
        }
    }
}

fn since(t: Time, now: Time) -> Duration {
    Duration::from_nanos(now.as_nanos().saturating_sub(t.as_nanos()))
}

fn is_delivered(state: MessageState) -> bool {
    matches!(state, MessageState::Delivered | MessageState::Acknowledged)
}
