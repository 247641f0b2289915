//! What the directory knows: who is present, and what mixnodes reported.
//!
//! A pure engine. It has no clock, no sockets and no tasks: each call is told what time it is and
//! gives back the updates that subscribers should hear. [`Registry::expire`] belongs into a timer
//! that follows [`Registry::next_wake`]; reads are right without it, because they leave out what is
//! due.

use std::collections::BTreeSet;
use std::net::IpAddr;

use contract::Time;
use directory_api::{
    CocoNodePresence, CocoNodeReport, GatewayPresence, ListName, MAX_LISTED_CLIENTS,
    MetricsHistory, MixMetric, MixMetricReport, MixNodePresence, MixNodeReport,
    MixProviderPresence, MixProviderReport, Topology, Update,
};

use crate::history::{BadQuery, History};
use crate::host;
use crate::limits::{self, Refusal};
use crate::list::{List, Presence};
use crate::telemetry::{Census, Kind, Resident};
use crate::windows::Windows;

/// A moment, by both clocks of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: it decides who is late and who is gone.
    pub time: Time,
    /// The wall clock, nanoseconds since 1970: what `lastSeen` and `timestamp` say.
    pub unix: i64,
}

/// The lists of those who are present, two windows of metrics, and an hour of history.
#[derive(Debug)]
pub struct Registry {
    coco_nodes: List<CocoNodePresence>,
    mix_nodes: List<MixNodePresence>,
    mix_providers: List<MixProviderPresence>,
    gateways: List<GatewayPresence>,
    /// Keys of mixnodes that are kept out of the topology, whether they are present or not.
    disallowed: BTreeSet<String>,
    metrics: Windows,
    history: History,
    revision: u64,
}

impl Registry {
    /// An empty registry. The windows of its metrics are counted from `now`.
    pub fn new(now: Time) -> Self {
        Self {
            coco_nodes: List::new(ListName::CocoNode, limits::MAX_COCONODES, |node| {
                Update::CocoNode { node }
            }),
            mix_nodes: List::new(ListName::MixNode, limits::MAX_MIXNODES, Update::MixNode),
            mix_providers: List::new(
                ListName::MixProvider,
                limits::MAX_PROVIDERS,
                Update::MixProvider,
            ),
            gateways: List::new(ListName::Gateway, limits::MAX_PROVIDERS, Update::Gateway),
            disallowed: BTreeSet::new(),
            metrics: Windows::new(now),
            history: History::default(),
            revision: 0,
        }
    }

    /// A validator is present. `peer` is where its announcement came from, which becomes its host
    /// unless that is loopback.
    pub fn announce_coconode(
        &mut self,
        now: Now,
        report: CocoNodeReport,
        peer: IpAddr,
    ) -> Result<Vec<Update>, Refusal> {
        let CocoNodeReport { host, pub_key, version, location, kind } = report;
        limits::check_node(&pub_key, &version, &location)?;
        limits::check_text("host", &host)?;
        limits::check_text("type", &kind)?;
        let host = host::seen_from(&host, peer);
        limits::check_text("host", &host)?;
        let last_seen = now.unix;
        let presence = CocoNodePresence { host, pub_key, version, location, kind, last_seen };
        self.announce(now, |registry| &mut registry.coco_nodes, presence)
    }

    /// A mixnode is present.
    pub fn announce_mixnode(
        &mut self,
        now: Now,
        report: MixNodeReport,
    ) -> Result<Vec<Update>, Refusal> {
        let MixNodeReport { host, pub_key, version, location, layer } = report;
        limits::check_node(&pub_key, &version, &location)?;
        limits::check_text("host", &host)?;
        let last_seen = now.unix;
        let presence = MixNodePresence { host, pub_key, version, location, layer, last_seen };
        self.announce(now, |registry| &mut registry.mix_nodes, presence)
    }

    /// A provider is present, as mixprovider (v0.5).
    pub fn announce_mixprovider(
        &mut self,
        now: Now,
        report: MixProviderReport,
    ) -> Result<Vec<Update>, Refusal> {
        let presence = provider(now, report)?;
        check_clients(&self.mix_providers, now, &presence)?;
        self.announce(now, |registry| &mut registry.mix_providers, presence)
    }

    /// A provider is present, as gateway (v0.7).
    pub fn announce_gateway(
        &mut self,
        now: Now,
        report: MixProviderReport,
    ) -> Result<Vec<Update>, Refusal> {
        let presence = provider(now, report)?;
        check_clients(&self.gateways, now, &presence)?;
        self.announce(now, |registry| &mut registry.gateways, presence)
    }

    /// The node with this key leaves, from every list. Nothing happens if it is in none.
    pub fn leave(&mut self, now: Now, pub_key: &str) -> Result<Vec<Update>, Refusal> {
        limits::check_key("pubKey", pub_key)?;
        let mut updates = self.expire(now.time);
        let is_hidden = self.disallowed.contains(pub_key);
        let was_there = [
            self.coco_nodes.remove(pub_key),
            self.mix_nodes.remove(pub_key) && !is_hidden,
            self.mix_providers.remove(pub_key),
            self.gateways.remove(pub_key),
        ];
        if was_there.contains(&true) {
            self.revision += 1;
            updates.push(Update::Left { pub_key: pub_key.into() });
        }
        Ok(updates)
    }

    /// Keeps the mixnode with this key out of the topology, until it is allowed again.
    pub fn disallow(&mut self, now: Now, pub_key: &str) -> Result<Vec<Update>, Refusal> {
        limits::check_key("pubKey", pub_key)?;
        let known = pub_key.is_empty() || self.disallowed.contains(pub_key);
        if !known && self.disallowed.len() >= limits::MAX_DISALLOWED {
            return Err(Refusal::TooManyDisallowed);
        }
        let mut updates = self.expire(now.time);
        if !known {
            self.disallowed.insert(pub_key.into());
            if self.mix_nodes.get(pub_key).is_some() {
                self.revision += 1;
                updates.push(Update::Disallowed { pub_key: pub_key.into() });
            }
        }
        Ok(updates)
    }

    /// Lets the mixnode with this key into the topology again. Nothing happens if it is not
    /// disallowed.
    pub fn allow(&mut self, now: Now, pub_key: &str) -> Result<Vec<Update>, Refusal> {
        limits::check_key("pubKey", pub_key)?;
        let mut updates = self.expire(now.time);
        if self.disallowed.remove(pub_key)
            && let Some(node) = self.mix_nodes.get(pub_key)
        {
            self.revision += 1;
            updates.push(Update::MixNode(node.clone()));
        }
        Ok(updates)
    }

    /// Mixnodes that are present and disallowed, sorted by key.
    pub fn disallowed(&self, now: Time) -> Vec<MixNodePresence> {
        let mut mix_nodes = self.mix_nodes.present(now);
        mix_nodes.retain(|node| self.disallowed.contains(&node.pub_key));
        mix_nodes
    }

    /// A mixnode says how many packets it took and passed on. It need not be present.
    pub fn report_metrics(
        &mut self,
        now: Now,
        report: MixMetricReport,
    ) -> Result<Vec<Update>, Refusal> {
        let MixMetricReport { pub_key, sent, received } = report;
        limits::check_key("pubKey", &pub_key)?;
        limits::check_count("next hops", sent.len(), limits::MAX_NEXT_HOPS)?;
        for hop in sent.keys() {
            limits::check_text("sent", hop)?;
        }
        let metric = MixMetric { pub_key, sent, received, timestamp: now.unix };
        self.metrics.add(now.time, metric.clone())?;
        self.history.record(now, &metric);
        let mut updates = self.expire(now.time);
        updates.push(Update::Metric(metric));
        Ok(updates)
    }

    /// Marks as late and takes out what is due.
    pub fn expire(&mut self, now: Time) -> Vec<Update> {
        let mut updates = Vec::new();
        self.coco_nodes.expire(now, &mut updates);
        self.mix_nodes.expire(now, &mut updates);
        self.hide_disallowed(&mut updates);
        self.mix_providers.expire(now, &mut updates);
        self.gateways.expire(now, &mut updates);
        if updates.iter().any(|update| matches!(update, Update::Gone { .. })) {
            self.revision += 1;
        }
        updates
    }

    /// When [`expire`](Self::expire) may have something to do; none if nobody is present. It may be
    /// too early, never too late.
    pub fn next_wake(&self) -> Option<Time> {
        let lists = [
            self.coco_nodes.next_wake(),
            self.mix_nodes.next_wake(),
            self.mix_providers.next_wake(),
            self.gateways.next_wake(),
        ];
        lists.into_iter().flatten().min()
    }

    /// Everything that is present and not disallowed, sorted by key.
    pub fn topology(&self, now: Time) -> Topology {
        let mut mix_nodes = self.mix_nodes.present(now);
        mix_nodes.retain(|node| !self.disallowed.contains(&node.pub_key));
        Topology {
            coco_nodes: self.coco_nodes.present(now),
            mix_nodes,
            mix_provider_nodes: self.mix_providers.present(now),
            gateway_nodes: self.gateways.present(now),
        }
    }

    /// The metrics of the last whole window, in the order in which they came.
    pub fn metrics(&mut self, now: Time) -> &[MixMetric] {
        self.metrics.last_whole(now)
    }

    /// What mixnodes reported since that moment (nanoseconds since 1970), in steps of so many
    /// seconds. Without them, the last hour in steps of ten.
    pub fn history(
        &self,
        now: Now,
        since: Option<i64>,
        step: Option<u64>,
    ) -> Result<MetricsHistory, BadQuery> {
        self.history.read(now, since, step)
    }

    /// What `/metrics` tells of those who are in the topology.
    pub(crate) fn census(&self, now: Now) -> Census {
        let mut residents = Vec::new();
        let list = self.coco_nodes.name();
        for node in self.coco_nodes.iter(now.time) {
            residents.push(Resident::new(list, node, Kind::CocoNode));
        }
        let list = self.mix_nodes.name();
        for node in self.mix_nodes.iter(now.time) {
            if !self.disallowed.contains(&node.pub_key) {
                residents.push(Resident::new(list, node, Kind::MixNode { layer: node.layer }));
            }
        }
        for providers in [&self.gateways, &self.mix_providers] {
            for node in providers.iter(now.time) {
                let clients = node.registered_clients.len();
                residents.push(Resident::new(providers.name(), node, Kind::Provider { clients }));
            }
        }
        Census { residents, totals: self.history.totals(now) }
    }

    /// Which window [`metrics`](Self::metrics) shows: what was made of them holds until this changes.
    pub fn metrics_window(&mut self, now: Time) -> u64 {
        self.metrics.number(now)
    }

    /// Changes whenever a record changes, be it only its `lastSeen`: what was made of
    /// [`topology`](Self::topology) right after [`expire`](Self::expire) holds until then.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Expires first, so that a node that was away is announced as new again.
    fn announce<P: Presence>(
        &mut self,
        now: Now,
        list: fn(&mut Self) -> &mut List<P>,
        presence: P,
    ) -> Result<Vec<Update>, Refusal> {
        list(self).check_room(now.time, presence.pub_key())?;
        let mut updates = self.expire(now.time);
        list(self).announce(now.time, presence, &mut updates);
        self.hide_disallowed(&mut updates);
        self.revision += 1;
        Ok(updates)
    }

    /// Takes out what subscribers shall not hear: a disallowed mixnode is not in their topology, and
    /// its announcements mean nothing to them. Its packet reports are passed on, as in v0.7.0.
    fn hide_disallowed(&self, updates: &mut Vec<Update>) {
        if self.disallowed.is_empty() {
            return;
        }
        updates.retain(|update| match update {
            Update::MixNode(node) => !self.disallowed.contains(&node.pub_key),
            Update::Seen { pub_key, list }
            | Update::Late { pub_key, list, .. }
            | Update::Gone { pub_key, list, .. } => {
                *list != ListName::MixNode || !self.disallowed.contains(pub_key)
            }
            _ => true,
        });
    }
}

/// Whether the list has room for this provider's clients, besides those of the others.
fn check_clients(
    list: &List<MixProviderPresence>,
    now: Now,
    presence: &MixProviderPresence,
) -> Result<(), Refusal> {
    let others = list.iter(now.time).filter(|other| other.pub_key != presence.pub_key);
    let others = others.map(|other| other.registered_clients.len()).sum();
    let (count, capacity) = (presence.registered_clients.len(), MAX_LISTED_CLIENTS);
    if count + others > capacity {
        return Err(Refusal::ClientsFull { list: list.name(), count, others, capacity });
    }
    Ok(())
}

fn provider(now: Now, report: MixProviderReport) -> Result<MixProviderPresence, Refusal> {
    let MixProviderReport {
        client_listener,
        mixnet_listener,
        pub_key,
        version,
        location,
        registered_clients,
    } = report;
    limits::check_node(&pub_key, &version, &location)?;
    limits::check_text("clientListener", &client_listener)?;
    limits::check_text("mixnetListener", &mixnet_listener)?;
    let count = registered_clients.len();
    limits::check_count("registered clients", count, directory_api::MAX_REGISTERED_CLIENTS)?;
    for client in &registered_clients {
        limits::check_key("registeredClients", &client.pub_key)?;
    }
    Ok(MixProviderPresence {
        client_listener,
        mixnet_listener,
        pub_key,
        version,
        location,
        registered_clients,
        last_seen: now.unix,
    })
}
