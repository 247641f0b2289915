//! What nodes told of packets while an attack is underway, so that the attacked one can be found among
//! them in whatever order they tell.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use contract::{Print, Time};
use control::Sighting;

use crate::journeys::{Dropped, Header, Kept, Noise, Passed, Record};
use crate::names::Names;

/// How many records are kept: of a hundred nodes with 3000 packets a second those of three seconds, of a
/// usual devnet those of several minutes. The oldest go first.
const MAX_RECORDS: usize = 1 << 15;

/// More hops than a header has room for.
const MAX_HOPS: usize = 8;

/// What one node did with one packet.
#[derive(Debug)]
struct Told {
    node: Arc<str>,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    Passed { came: Time, left: Time, after: Header, to: String },
    Kept { t: Time, client: String, noise: Option<Box<str>> },
    Dropped { t: Time, reason: Box<str> },
}

/// What a client made of noise.
#[derive(Debug)]
struct Ended {
    node: Arc<str>,
    t: Time,
    dropped: Option<Box<str>>,
}

/// Records of packets.
#[derive(Debug, Default)]
pub(super) struct Seen {
    packets: HashMap<Header, Vec<Told>>,
    noise: HashMap<Box<str>, Ended>,
    /// By when they came.
    order: VecDeque<Key>,
}

#[derive(Debug)]
enum Key {
    Packet(Header),
    Noise(Box<str>),
}

/// A packet's way from one link on.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) sightings: Vec<Sighting>,
    pub(super) end: Option<TrailEnd>,
}

/// Where a way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrailEnd {
    /// A node gave it up.
    Dropped,
    /// It was an acknowledgement, and came back.
    Acknowledged,
    /// A provider stored it, as something that its client can open.
    Delivered,
    /// A provider stored it, and what its client makes of the noise in it is not told yet.
    Stored,
}

impl Seen {
    /// A node told this.
    pub(super) fn add(&mut self, node: &Arc<str>, record: &Record, names: &Names) {
        let (before, fate) = match record {
            Record::Passed(Passed { came, left, before, after, to, .. }) => {
                let to = names.name_or_self(&to.to_string());
                (before, Fate::Passed { came: *came, left: *left, after: after.header, to })
            }
            Record::Kept(Kept { stored, before, client, noise, .. }) => {
                let client = names.name_or_self(client);
                (before, Fate::Kept { t: *stored, client, noise: noise.clone() })
            }
            Record::Dropped(Dropped { t, before, reason }) => {
                (before, Fate::Dropped { t: *t, reason: reason.clone() })
            }
            Record::Noise(Noise { t, identifier, dropped }) => {
                let ended = Ended { node: node.clone(), t: *t, dropped: dropped.clone() };
                self.noise.insert(identifier.clone(), ended);
                return self.remember(Key::Noise(identifier.clone()));
            }
            Record::Covered(_) | Record::Opened(_) | Record::Unknown => return,
        };
        let told = Told { node: node.clone(), fate };
        self.packets.entry(before.header).or_default().push(told);
        self.remember(Key::Packet(before.header));
    }

    fn remember(&mut self, key: Key) {
        self.order.push_back(key);
        if self.order.len() > MAX_RECORDS {
            match self.order.pop_front() {
                Some(Key::Packet(header)) => drop(self.packets.remove(&header)),
                Some(Key::Noise(identifier)) => drop(self.noise.remove(&identifier)),
                None => {}
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What this node did with packets of this print, each time that one came.
    pub(super) fn at(&self, node: &str, packet: Print) -> Vec<Sighting> {
        let told = self.packets.get(&packet.header).into_iter().flatten();
        told.filter(|told| &*told.node == node).map(Told::sighting).collect()
    }

    /// The way of a packet that had this print on a link.
    pub(super) fn follow(&self, packet: Print) -> Trail {
        let mut trail = Trail::default();
        let mut header = packet.header;
        for _ in 0..MAX_HOPS {
            // A copy is not the packet, whoever sent it.
            let mut told = self.packets.get(&header).into_iter().flatten();
            let Some(told) = told.find(|told| !told.is_copy()) else { break };
            trail.sightings.push(told.sighting());
            match &told.fate {
                Fate::Passed { after, .. } => header = *after,
                Fate::Dropped { .. } => {
                    trail.end = Some(TrailEnd::Dropped);
                    break;
                }
                Fate::Kept { noise, .. } => {
                    trail.end = Some(match noise {
                        None => TrailEnd::Delivered,
                        Some(identifier) => self.end_of_noise(identifier, &mut trail.sightings),
                    });
                    break;
                }
            }
        }
        trail
    }

    fn end_of_noise(&self, identifier: &str, sightings: &mut Vec<Sighting>) -> TrailEnd {
        let Some(Ended { node, t, dropped }) = self.noise.get(identifier) else {
            return TrailEnd::Stored;
        };
        let (node, t) = (String::from(&**node), *t);
        if let Some(reason) = dropped {
            sightings.push(Sighting::Dropped { node, t, reason: String::from(&**reason) });
            TrailEnd::Dropped
        } else {
            sightings.push(Sighting::Acknowledged { node, t });
            TrailEnd::Acknowledged
        }
    }
}

impl Told {
    /// Whether a packet with the same header had come to this node before.
    fn is_copy(&self) -> bool {
        matches!(&self.fate, Fate::Dropped { reason, .. } if &**reason == "replay")
    }

    fn sighting(&self) -> Sighting {
        let node = String::from(&*self.node);
        match &self.fate {
            Fate::Passed { came, left, to, .. } => {
                Sighting::Passed { node, came: *came, left: *left, to: to.clone() }
            }
            Fate::Kept { t, client, .. } => Sighting::Kept { node, t: *t, client: client.clone() },
            Fate::Dropped { t, reason } => {
                Sighting::Dropped { node, t: *t, reason: String::from(&**reason) }
            }
        }
    }
}
