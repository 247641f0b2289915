//! Who announces itself at the directory, and when it did last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use directory_api::{LATE_AFTER, ListName, PRESENCE_TIMEOUT, Topology, Update};

use super::Moment;

/// How many heartbeats the scrolling list keeps: a devnet of a dozen nodes beats eight times a
/// second, so this is about two minutes.
const MAX_BEATS: usize = 1000;

/// How many announcers are kept. A devnet has at most 272; anybody on the machine can announce
/// more at its directory.
const MAX_ANNOUNCERS: usize = 1000;

/// Something that the directory said about one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// Counts up by one.
    pub(crate) number: u64,
    /// When: milliseconds since 1970.
    pub(crate) unix_ms: u64,
    /// The node's key.
    pub(crate) key: String,
    /// The list that it is about; none for all.
    pub(crate) list: Option<ListName>,
    /// What happened.
    pub(crate) kind: BeatKind,
}

/// What happened to a node's presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BeatKind {
    /// It announced itself.
    Announced,
    /// It is new in the topology.
    Joined,
    /// It announced something else than before.
    Changed,
    /// It missed two announcements.
    Late,
    /// It said that it leaves.
    Left,
    /// The directory forgot it.
    Gone,
    /// The directory keeps it out of the topology, because somebody asked for it.
    Disallowed,
}

impl BeatKind {
    /// What happened, in a few words behind which the list can stand.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Joined => "joined",
            Self::Changed => "changed",
            Self::Late => "late: missed 2",
            Self::Left => "said it leaves",
            Self::Gone => "gone: forgotten",
            Self::Disallowed => "disallowed",
        }
    }
}

/// A node that announces itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announcer {
    /// Its name, where it is a process of this devnet.
    pub(crate) name: Option<String>,
    /// Where it takes packets.
    pub(crate) host: String,
    /// The lists it stands in.
    pub(crate) lists: BTreeSet<ListName>,
    /// When it was last heard: milliseconds since 1970.
    pub(crate) heard_unix_ms: u64,
    /// It said that it leaves, or was forgotten.
    pub(crate) departed: Option<BeatKind>,
}

/// What the presence of a node is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Heard this long ago.
    Present(Duration),
    /// Two announcements missed; heard this long ago.
    Late(Duration),
    /// The directory has forgotten it; heard this long ago.
    Gone(Duration),
    /// It said so itself, this long ago.
    Left(Duration),
}

impl Standing {
    /// One word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Present(_) => "here",
            Self::Late(_) => "late",
            Self::Gone(_) => "gone",
            Self::Left(_) => "left",
        }
    }
}

impl Announcer {
    /// What its presence is worth now.
    pub(crate) fn standing(&self, now: Moment) -> Standing {
        let age = now.since_unix_ms(self.heard_unix_ms);
        match self.departed {
            Some(BeatKind::Left) => Standing::Left(age),
            Some(_) => Standing::Gone(age),
            None if age >= PRESENCE_TIMEOUT => Standing::Gone(age),
            None if age >= LATE_AFTER => Standing::Late(age),
            None => Standing::Present(age),
        }
    }
}

/// Everything known about presence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    beats: VecDeque<Beat>,
    next: u64,
    announcers: BTreeMap<String, Announcer>,
}

impl Presence {
    /// Takes over what the directory lists now.
    pub(crate) fn list(&mut self, topology: &Topology) {
        let mut present = BTreeSet::new();
        let mut listed = |key: &str, host: &str, list, last_seen: i64| {
            if let Some(announcer) = self.announcer(key) {
                announcer.listed(host, list, unix_ms(last_seen));
                present.insert(key.to_owned());
            }
        };
        for node in &topology.mix_nodes {
            listed(&node.pub_key, &node.host, ListName::MixNode, node.last_seen);
        }
        for node in &topology.mix_provider_nodes {
            listed(&node.pub_key, &node.mixnet_listener, ListName::MixProvider, node.last_seen);
        }
        for node in &topology.gateway_nodes {
            listed(&node.pub_key, &node.mixnet_listener, ListName::Gateway, node.last_seen);
        }
        for node in &topology.coco_nodes {
            listed(&node.pub_key, &node.host, ListName::CocoNode, node.last_seen);
        }
        for (key, announcer) in &mut self.announcers {
            if !present.contains(key) && announcer.departed.is_none() {
                announcer.departed = Some(BeatKind::Gone);
            }
        }
    }

    /// The directory said something at this moment. `name` is the node's, where it is known.
    pub(crate) fn hear(&mut self, unix_ms: u64, name: Option<String>, update: &Update) {
        let (key, list, kind) = match update {
            Update::Snapshot { topology } => return self.list(topology),
            Update::Metric(_) => return,
            Update::MixNode(node) => {
                let (key, list) = (&node.pub_key, ListName::MixNode);
                (key, Some(list), self.announced(key, &node.host, list, unix_ms))
            }
            Update::MixProvider(node) => {
                let (key, list) = (&node.pub_key, ListName::MixProvider);
                (key, Some(list), self.announced(key, &node.mixnet_listener, list, unix_ms))
            }
            Update::Gateway(node) => {
                let (key, list) = (&node.pub_key, ListName::Gateway);
                (key, Some(list), self.announced(key, &node.mixnet_listener, list, unix_ms))
            }
            Update::CocoNode { node } => {
                let (key, list) = (&node.pub_key, ListName::CocoNode);
                (key, Some(list), self.announced(key, &node.host, list, unix_ms))
            }
            Update::Seen { pub_key, list } => {
                if let Some(announcer) = self.announcer(pub_key) {
                    announcer.listed("", *list, unix_ms);
                }
                (pub_key, Some(*list), BeatKind::Announced)
            }
            Update::Late { pub_key, list, .. } => (pub_key, Some(*list), BeatKind::Late),
            Update::Left { pub_key } => {
                if let Some(announcer) = self.announcers.get_mut(pub_key) {
                    announcer.departed = Some(BeatKind::Left);
                }
                (pub_key, None, BeatKind::Left)
            }
            Update::Disallowed { pub_key } => {
                if let Some(announcer) = self.announcers.get_mut(pub_key) {
                    announcer.departed = Some(BeatKind::Disallowed);
                }
                (pub_key, Some(ListName::MixNode), BeatKind::Disallowed)
            }
            Update::Gone { pub_key, list, .. } => {
                if let Some(announcer) = self.announcers.get_mut(pub_key) {
                    announcer.lists.remove(list);
                    // A provider is gone when the last of its lists has forgotten it.
                    if announcer.lists.is_empty() {
                        announcer.departed = Some(BeatKind::Gone);
                    }
                }
                (pub_key, Some(*list), BeatKind::Gone)
            }
        };
        if let (Some(name), Some(announcer)) = (name, self.announcers.get_mut(key)) {
            announcer.name = Some(name);
        }
        if self.beats.len() == MAX_BEATS {
            self.beats.pop_front();
        }
        self.beats.push_back(Beat { number: self.next, unix_ms, key: key.clone(), list, kind });
        self.next += 1;
    }

    /// Heartbeats and changes, oldest first.
    pub(crate) fn beats(&self) -> impl DoubleEndedIterator<Item = &Beat> + ExactSizeIterator {
        self.beats.iter()
    }

    /// Every announcer, with its key.
    pub(crate) fn announcers(&self) -> impl Iterator<Item = (&str, &Announcer)> {
        self.announcers.iter().map(|(key, announcer)| (key.as_str(), announcer))
    }

    /// The announcer with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Announcer> {
        self.announcers.get(key)
    }

    /// Gives announcers the names of the processes that have their keys.
    pub(crate) fn name(&mut self, key: &str, name: &str) {
        if let Some(announcer) = self.announcers.get_mut(key) {
            announcer.name = Some(name.to_owned());
        }
    }

    fn announced(&mut self, key: &str, host: &str, list: ListName, unix_ms: u64) -> BeatKind {
        let known = self.announcers.get(key).is_some_and(|announcer| {
            announcer.departed.is_none() && announcer.lists.contains(&list)
        });
        if let Some(announcer) = self.announcer(key) {
            announcer.listed(host, list, unix_ms);
        }
        if known { BeatKind::Changed } else { BeatKind::Joined }
    }

    /// The announcer with this key, new if need be; none when there are too many.
    fn announcer(&mut self, key: &str) -> Option<&mut Announcer> {
        if !self.announcers.contains_key(key) {
            if self.announcers.len() >= MAX_ANNOUNCERS {
                let longest_gone = self
                    .announcers
                    .iter()
                    .filter(|(_, announcer)| announcer.departed.is_some())
                    .min_by_key(|(_, announcer)| announcer.heard_unix_ms)
                    .map(|(key, _)| key.clone())?;
                self.announcers.remove(&longest_gone);
            }
            self.announcers.insert(key.to_owned(), Announcer::default());
        }
        self.announcers.get_mut(key)
    }
}

impl Announcer {
    fn listed(&mut self, host: &str, list: ListName, unix_ms: u64) {
        if !host.is_empty() {
            host.clone_into(&mut self.host);
        }
        self.lists.insert(list);
        self.heard_unix_ms = self.heard_unix_ms.max(unix_ms);
        self.departed = None;
    }
}

/// The directory speaks in nanoseconds.
fn unix_ms(nanos: i64) -> u64 {
    u64::try_from(nanos / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(key: &str) -> Update {
        Update::Seen { pub_key: key.into(), list: ListName::MixNode }
    }

    fn at(unix_ms: u64) -> Moment {
        Moment { unix_ms, ..Moment::default() }
    }

    #[test]
    fn age_decides_until_the_directory_says_so() {
        let mut presence = Presence::default();
        presence.hear(10_000, Some("mix-1-1".into()), &seen("k"));
        let standing = |presence: &Presence, now| {
            presence.get("k").map(|announcer| announcer.standing(at(now)))
        };
        let ms = Duration::from_millis;
        assert_eq!(standing(&presence, 11_500), Some(Standing::Present(ms(1500))));
        assert_eq!(standing(&presence, 13_750), Some(Standing::Late(ms(3750))));
        assert_eq!(standing(&presence, 20_000), Some(Standing::Gone(ms(10_000))));
        presence.hear(11_000, None, &Update::Left { pub_key: "k".into() });
        assert_eq!(standing(&presence, 11_500), Some(Standing::Left(ms(1500))));
        presence.hear(12_000, None, &seen("k"));
        assert_eq!(standing(&presence, 12_000), Some(Standing::Present(ms(0))));
        assert_eq!(
            presence.get("k").and_then(|announcer| announcer.name.as_deref()),
            Some("mix-1-1")
        );
    }

    #[test]
    fn who_is_not_in_a_snapshot_is_gone() {
        let mut presence = Presence::default();
        presence.hear(1, None, &seen("k"));
        presence.hear(2, None, &Update::Snapshot { topology: Topology::default() });
        assert_eq!(
            presence.get("k").map(|node| node.standing(at(3))),
            Some(Standing::Gone(Duration::from_millis(2)))
        );
    }

    #[test]
    fn strangers_do_not_fill_the_memory_and_do_not_push_out_who_is_present() {
        let mut presence = Presence::default();
        for number in 0..MAX_ANNOUNCERS + 50 {
            presence.hear(1, None, &seen(&number.to_string()));
        }
        assert_eq!(presence.announcers().count(), MAX_ANNOUNCERS);
        assert!(presence.get("0").is_some());
        let list = ListName::MixNode;
        presence.hear(2, None, &Update::Gone { pub_key: "0".into(), list, last_seen: 1 });
        presence.hear(3, None, &seen("late comer"));
        assert!(presence.get("0").is_none());
        assert!(presence.get("late comer").is_some());
        assert_eq!(presence.beats().len(), MAX_BEATS);
    }
}
