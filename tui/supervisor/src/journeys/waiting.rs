//! Records of packets whose owner is not known, or not yet.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use contract::Time;

use super::record::{Dropped, Kept, Opened, Passed};

/// By what a packet is known on a link.
pub(crate) type Header = [u8; 8];

/// How long a record waits. Nodes report every tenth of a second, each through a pipe of its own, and
/// on a busy machine some are slow to: this is thirty times as long. What belongs to a message and
/// comes later still is told as missing.
const MAX_AGE: Duration = Duration::from_secs(3);

/// How many wait. A hundred nodes through which 3000 packets a second go tell 12 000 records a second,
/// so this is what comes in 2.4 s. It is also what fills a table of 2^15 places, with 5 MB.
const MAX_PACKETS: usize = (1 << 15) / 8 * 7;

/// How many opened parts of messages wait: only those of messages, so there are few.
const MAX_OPENED: usize = 256;

/// What one node told of one packet, but for the kind that says whose it is.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Its name, which all records of a batch share.
    pub(super) node: Arc<str>,
    pub(super) what: Fate,
}

#[derive(Clone, Debug)]
pub(super) enum Fate {
    Passed(Passed),
    Kept(Kept),
    Dropped(Dropped),
}

impl Fate {
    pub(super) fn header(&self) -> Header {
        match self {
            Self::Passed(Passed { before, .. })
            | Self::Kept(Kept { before, .. })
            | Self::Dropped(Dropped { before, .. }) => before.header,
        }
    }
}

/// A part of a message that was opened, by the client of that name.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) node: Arc<str>,
    pub(super) opened: Opened,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    packets: HashMap<Header, Place>,
    /// By when they came.
    order: VecDeque<(Time, Header)>,
    opened: VecDeque<(Time, Arrived)>,
}

/// Where a record waits.
#[derive(Debug)]
struct Place {
    told: Told,
    /// Whether its owner has it. It stays all the same, for whoever only wants to see it.
    is_taken: bool,
}

impl Waiting {
    /// Forgets what has waited too long, and gives back those parts of messages among it.
    pub(super) fn expire(&mut self, now: Time) -> Vec<Arrived> {
        let is_old = |came: Time| now.saturating_since(came) > MAX_AGE;
        while let Some((came, header)) = self.order.front()
            && is_old(*came)
        {
            self.packets.remove(header);
            self.order.pop_front();
        }
        let fresh = self.opened.partition_point(|(came, _)| is_old(*came));
        let old = fresh.max(self.opened.len().saturating_sub(MAX_OPENED));
        self.opened.drain(..old).map(|(_, arrived)| arrived).collect()
    }

    /// One more. The first record of a header counts: a node that looks for no replays passes on what
    /// comes again, too.
    pub(super) fn add(&mut self, now: Time, told: Told) {
        self.put(now, told, false);
    }

    /// One more, which its owner has already.
    pub(super) fn add_taken(&mut self, now: Time, told: Told) {
        self.put(now, told, true);
    }

    fn put(&mut self, now: Time, told: Told, is_taken: bool) {
        let header = told.what.header();
        if let Entry::Vacant(place) = self.packets.entry(header) {
            place.insert(Place { told, is_taken });
            self.order.push_back((now, header));
            if self.order.len() > MAX_PACKETS
                && let Some((_, oldest)) = self.order.pop_front()
            {
                self.packets.remove(&oldest);
            }
        }
    }

    /// What was told of the packet with this header, for its owner: once.
    pub(super) fn take(&mut self, header: Header) -> Option<Told> {
        let place = self.packets.get_mut(&header).filter(|place| !place.is_taken)?;
        place.is_taken = true;
        Some(place.told.clone())
    }

    /// What was told of the packet with this header.
    pub(super) fn look(&self, header: Header) -> Option<&Told> {
        self.packets.get(&header).map(|place| &place.told)
    }

    /// One more part of a message.
    pub(super) fn add_opened(&mut self, now: Time, arrived: Arrived) {
        self.opened.push_back((now, arrived));
    }

    /// The first arrival of this part of a message since its packet was at the provider.
    pub(super) fn take_opened(
        &mut self,
        message: &str,
        fragment: u32,
        since: Time,
    ) -> Option<Arrived> {
        let is_it = |(_, Arrived { opened, .. }): &(Time, Arrived)| {
            (opened.fragment, &*opened.message) == (fragment, message) && opened.t >= since
        };
        let index = self.opened.iter().position(is_it)?;
        self.opened.remove(index).map(|(_, arrived)| arrived)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let waiting = self.packets.values().filter(|place| !place.is_taken);
        (waiting.count(), self.opened.len())
    }
}
