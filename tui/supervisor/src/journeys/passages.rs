//! What nodes know of packets that pass through them, for those who play that nodes work for them.
//!
//! A mixnode tells how a packet looked before and after. Who sent it there, and when it was seen on
//! that link, is joined here: where a mixnode sent it, by the print; where a packet began, by the link
//! event before it came. Two packets of one sender that are underway on one link at a time may be taken for each other, which
//! is no mistake to somebody who asks who sent them. While nobody asks, nothing is kept.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use contract::{LinkEvent, MessageEvent, MessageStage, Time};
use control::{Came, Passage, identity_name};

use super::record::{Ack, Covered, Kept, Passed, Record};
use super::waiting::Header;
use crate::names::Names;

/// How long it is known who sent a packet: six of the longest mean delays that can be asked for, for it is told
/// when the packet has waited.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Of how many packets: 270 a second for that long.
const MAX_SENT: usize = 1 << 14;

/// Packets on one link whose passage was not told yet: what enters one mixnode from one sender while it
/// waits there.
const MAX_ON_LINK: usize = 64;

/// Links that packets enter by: those of a thousand senders and four mixnodes.
const MAX_LINKS: usize = 4096;

/// How long a passage waits for somebody who tells where the packet came from. Nodes tell ten times a
/// second, and an observer waits half a second for what is late: after this and the tenth of a second
/// before it, it is still in time to say that nothing more is known.
const PATIENCE: Duration = Duration::from_millis(300);

/// Passages that wait: of a hundred mixnodes with 4000 packets a second those of that time.
const MAX_WAITING: usize = 4096;

/// Who sent a packet that is on its way to a node that tells.
#[derive(Clone, Debug)]
enum Sent {
    /// A mixnode, and the moment of its link event.
    Passed(Arc<str>, Time),
    /// Whoever made it. When it left is to be found among link events.
    Made(Arc<str>),
}

/// A passage of which it is not known yet how the packet came.
#[derive(Debug)]
struct Pending {
    since: Time,
    node: Arc<str>,
    header: Header,
    came: Time,
    went: Went,
}

#[derive(Clone, Debug)]
enum Went {
    On { left: Time, to: String },
    Filed { client: String },
}

/// What is known of packets near the nodes that somebody asked about.
#[derive(Debug, Default)]
pub(crate) struct Passages {
    sent: HashMap<Header, Sent>,
    /// By when it was told.
    order: VecDeque<(Time, Header)>,
    /// By sender and recipient, the moments of link events that no passage was found for, oldest first.
    entered: HashMap<(String, String), VecDeque<Time>>,
    pending: VecDeque<Pending>,
}

impl Passages {
    /// Nobody asks any more.
    pub(crate) fn forget(&mut self) {
        if !self.order.is_empty() || !self.entered.is_empty() || !self.pending.is_empty() {
            *self = Self::default();
        }
    }

    /// A client told that a packet of a message left.
    pub(crate) fn hear_message(&mut self, now: Time, node: &str, event: &MessageEvent) {
        if let MessageStage::Sent { trace: Some(trace), .. } = &event.stage {
            self.sent(now, trace.packet.header, Sent::Made(node.into()));
        }
    }

    /// Packets left a process, for nodes of these names.
    pub(crate) fn hear_links(
        &mut self,
        process: &str,
        links: &[LinkEvent],
        is_asked: impl Fn(&str) -> bool,
    ) {
        for link in links.iter().filter(|link| is_asked(&link.dst)) {
            let src = match link.from {
                Some(number) => identity_name(process, number),
                None => process.to_owned(),
            };
            let key = (src, link.dst.clone());
            if self.entered.len() == MAX_LINKS && !self.entered.contains_key(&key) {
                // Those of nodes that nobody asks about any more are among them.
                self.entered.clear();
            }
            let events = self.entered.entry(key).or_default();
            if events.len() == MAX_ON_LINK {
                events.pop_front();
            }
            events.push_back(link.t);
        }
    }

    /// A node told what became of packets.
    pub(crate) fn hear_packets(
        &mut self,
        now: Time,
        node: &str,
        records: &[Record],
        names: &Names,
        is_asked: impl Fn(&str) -> bool,
    ) {
        let node: Arc<str> = node.into();
        let tells = is_asked(&node);
        for record in records {
            match record {
                Record::Covered(Covered { packet, from }) => {
                    let from = match from {
                        Some(number) => identity_name(&node, *number).into(),
                        None => node.clone(),
                    };
                    self.sent(now, packet.header, Sent::Made(from));
                }
                Record::Passed(Passed { came, left, before, after, to, .. }) => {
                    let to = names.name_or_self(&to.to_string());
                    if is_asked(&to) {
                        self.sent(now, after.header, Sent::Passed(node.clone(), *left));
                    }
                    if tells {
                        let went = Went::On { left: *left, to };
                        self.pending(now, &node, before.header, *came, went);
                    }
                }
                Record::Kept(Kept { came, before, client, ack, .. }) => {
                    if let Some(ack) = ack {
                        let Ack { packet, .. } = &**ack;
                        self.sent(now, packet.header, Sent::Made(node.clone()));
                    }
                    if tells {
                        let went = Went::Filed { client: names.name_or_self(client) };
                        self.pending(now, &node, before.header, *came, went);
                    }
                }
                Record::Dropped(_) | Record::Opened(_) | Record::Noise(_) | Record::Unknown => {}
            }
        }
    }

    /// What has become known, by node.
    pub(crate) fn known(&mut self, now: Time) -> BTreeMap<String, Vec<Passage>> {
        let mut known: BTreeMap<String, Vec<Passage>> = BTreeMap::new();
        for pending in std::mem::take(&mut self.pending) {
            let came = self.came(&pending);
            if came.is_none() && now.saturating_since(pending.since) < PATIENCE {
                self.pending.push_back(pending);
                continue;
            }
            let passage = match (pending.went, came) {
                (Went::On { left, to }, came) => Passage::Mixed { came, left, to },
                (Went::Filed { client }, Some(came)) => Passage::Filed { came, client },
                (Went::Filed { .. }, None) => continue,
            };
            known.entry(String::from(&*pending.node)).or_default().push(passage);
        }
        known
    }

    /// How a packet came to the node, if that is known.
    fn came(&mut self, pending: &Pending) -> Option<Came> {
        let (from, sent) = match self.sent.get(&pending.header)? {
            Sent::Passed(from, left) => (String::from(&**from), *left),
            Sent::Made(from) => {
                let key = (String::from(&**from), String::from(&*pending.node));
                let events = self.entered.get_mut(&key)?;
                let last = events.iter().rposition(|t| *t <= pending.came)?;
                (key.0, events.remove(last)?)
            }
        };
        self.sent.remove(&pending.header);
        Some(Came { sent, from })
    }

    fn sent(&mut self, now: Time, header: Header, sent: Sent) {
        while let Some((since, oldest)) = self.order.front()
            && (self.order.len() >= MAX_SENT || now.saturating_since(*since) > MAX_AGE)
        {
            self.sent.remove(oldest);
            self.order.pop_front();
        }
        self.order.push_back((now, header));
        self.sent.insert(header, sent);
    }

    fn pending(&mut self, now: Time, node: &Arc<str>, header: Header, came: Time, went: Went) {
        if self.pending.len() == MAX_WAITING {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { since: now, node: node.clone(), header, came, went });
    }
}

#[cfg(test)]
mod tests;
