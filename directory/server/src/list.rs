//! One list of the topology: a record per key, with the time at which it was last heard.

use std::collections::BTreeMap;

use contract::Time;
use directory_api::{
    CocoNodePresence, LATE_AFTER, ListName, MixNodePresence, MixProviderPresence, PRESENCE_TIMEOUT,
    Update,
};

use crate::limits::Refusal;

/// What the records of the lists have in common.
pub(crate) trait Presence: Clone + PartialEq {
    /// The key that it was announced under.
    fn pub_key(&self) -> &str;
    /// Where it says it is; in a devnet, its name.
    fn location(&self) -> &str;
    /// When it was last heard: nanoseconds since 1970.
    fn last_seen(&self) -> i64;
    /// Sets what [`last_seen`](Self::last_seen) says.
    fn set_last_seen(&mut self, unix: i64);
}

macro_rules! presence {
    ($type:ty) => {
        impl Presence for $type {
            fn pub_key(&self) -> &str {
                &self.pub_key
            }

            fn location(&self) -> &str {
                &self.location
            }

            fn last_seen(&self) -> i64 {
                self.last_seen
            }

            fn set_last_seen(&mut self, unix: i64) {
                self.last_seen = unix;
            }
        }
    };
}

presence!(CocoNodePresence);
presence!(MixNodePresence);
presence!(MixProviderPresence);

/// The records of one list. A map ordered by key, so that two answers without a change between
/// them are the same text.
#[derive(Debug)]
pub(crate) struct List<P> {
    name: ListName,
    capacity: usize,
    update: fn(P) -> Update,
    records: BTreeMap<String, Record<P>>,
    /// Nothing is due before this. A lower bound: an announcement moves the moment of its record
    /// back without looking at the others.
    wake: Option<Time>,
}

#[derive(Debug)]
struct Record<P> {
    presence: P,
    heard: Time,
    /// Whether it was reported as late since it was heard.
    late: bool,
}

impl<P> Record<P> {
    /// The original takes out what is ten seconds old or older.
    fn is_gone(&self, now: Time) -> bool {
        now >= self.heard + PRESENCE_TIMEOUT
    }

    fn due(&self) -> Time {
        self.heard + if self.late { PRESENCE_TIMEOUT } else { LATE_AFTER }
    }
}

impl<P: Presence> List<P> {
    /// An empty list that is called `name` in events. `update` tells subscribers of a record.
    pub(crate) fn new(name: ListName, capacity: usize, update: fn(P) -> Update) -> Self {
        Self { name, capacity, update, records: BTreeMap::new(), wake: None }
    }

    /// Whether a record under this key may be put in: it replaces one, or there is room.
    pub(crate) fn check_room(&self, now: Time, pub_key: &str) -> Result<(), Refusal> {
        let present = || self.records.values().filter(|record| !record.is_gone(now)).count();
        if self.records.contains_key(pub_key)
            || self.records.len() < self.capacity
            || present() < self.capacity
        {
            return Ok(());
        }
        Err(Refusal::ListFull { list: self.name, capacity: self.capacity })
    }

    /// Puts a record in, or in the place of the one with the same key.
    pub(crate) fn announce(&mut self, now: Time, presence: P, updates: &mut Vec<Update>) {
        let seen = Update::Seen { pub_key: presence.pub_key().into(), list: self.name };
        if let Some(record) = self.records.get_mut(presence.pub_key()) {
            record.heard = now;
            record.late = false;
            record.presence.set_last_seen(presence.last_seen());
            if record.presence != presence {
                record.presence = presence.clone();
                updates.push((self.update)(presence));
            }
        } else {
            let record = Record { presence: presence.clone(), heard: now, late: false };
            self.records.insert(presence.pub_key().into(), record);
            updates.push((self.update)(presence));
        }
        updates.push(seen);
        let due = now + LATE_AFTER;
        self.wake = Some(self.wake.map_or(due, |wake| wake.min(due)));
    }

    /// Takes the record with this key out; whether there was one.
    pub(crate) fn remove(&mut self, pub_key: &str) -> bool {
        self.records.remove(pub_key).is_some()
    }

    /// The record under this key.
    pub(crate) fn get(&self, pub_key: &str) -> Option<&P> {
        self.records.get(pub_key).map(|record| &record.presence)
    }

    /// Takes out who is gone, and tells who is late.
    pub(crate) fn expire(&mut self, now: Time, updates: &mut Vec<Update>) {
        if self.wake.is_none_or(|wake| now < wake) {
            return;
        }
        let list = self.name;
        self.records.retain(|pub_key, record| {
            let (pub_key, last_seen) = (|| pub_key.clone(), record.presence.last_seen());
            if record.is_gone(now) {
                updates.push(Update::Gone { pub_key: pub_key(), list, last_seen });
                return false;
            }
            if !record.late && now >= record.due() {
                record.late = true;
                updates.push(Update::Late { pub_key: pub_key(), list, last_seen });
            }
            true
        });
        self.wake = self.records.values().map(Record::due).min();
    }

    /// Nothing is due before this.
    pub(crate) fn next_wake(&self) -> Option<Time> {
        self.wake
    }

    /// Who is present, sorted by key.
    pub(crate) fn present(&self, now: Time) -> Vec<P> {
        self.iter(now).cloned().collect()
    }

    /// The same one by one, without copies.
    pub(crate) fn iter(&self, now: Time) -> impl Iterator<Item = &P> {
        let present = self.records.values().filter(move |record| !record.is_gone(now));
        present.map(|record| &record.presence)
    }

    /// What it is called in events.
    pub(crate) fn name(&self) -> ListName {
        self.name
    }
}
