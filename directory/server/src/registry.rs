//! What the directory knows: who is present, and what mixnodes reported.
//!
//! A pure engine. It has no clock, no sockets and no tasks: each call is told what time it is and
//! gives back the updates that subscribers should hear. [`Registry::expire`] belongs into a timer
//! that follows [`Registry::next_wake`]; reads are right without it, because they leave out what is
//! due.

use contract::Time;
use directory_api::{
    CocoNodePresence, CocoNodeReport, GatewayPresence, MixMetric, MixMetricReport, MixNodePresence,
    MixNodeReport, MixProviderPresence, MixProviderReport, Topology, Update,
};

use crate::limits::{self, Refusal};
use crate::list::{List, Presence};
use crate::windows::Windows;

/// A moment, by both clocks of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: it decides who is late and who is gone.
    pub time: Time,
    /// The wall clock, nanoseconds since 1970: what `lastSeen` and `timestamp` say.
    pub unix: i64,
}

/// The lists of those who are present, and two windows of metrics.
#[derive(Debug)]
pub struct Registry {
    coco_nodes: List<CocoNodePresence>,
    mix_nodes: List<MixNodePresence>,
    mix_providers: List<MixProviderPresence>,
    gateways: List<GatewayPresence>,
    metrics: Windows,
    revision: u64,
}

impl Registry {
    /// An empty registry. The windows of its metrics are counted from `now`.
    pub fn new(now: Time) -> Self {
        Self {
            coco_nodes: List::new("coconode", limits::MAX_COCONODES, |node| Update::CocoNode {
                node,
            }),
            mix_nodes: List::new("mixnode", limits::MAX_MIXNODES, Update::MixNode),
            mix_providers: List::new("mixprovider", limits::MAX_PROVIDERS, Update::MixProvider),
            gateways: List::new("gateway", limits::MAX_PROVIDERS, Update::Gateway),
            metrics: Windows::new(now),
            revision: 0,
        }
    }

    /// A validator is present.
    pub fn announce_coconode(
        &mut self,
        now: Now,
        report: CocoNodeReport,
    ) -> Result<Vec<Update>, Refusal> {
        let CocoNodeReport { host, pub_key, version, location, kind } = report;
        limits::check_node(&pub_key, &version, &location)?;
        limits::check_text("host", &host)?;
        limits::check_text("type", &kind)?;
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
        self.announce(now, |registry| &mut registry.mix_providers, presence)
    }

    /// A provider is present, as gateway (v0.7).
    pub fn announce_gateway(
        &mut self,
        now: Now,
        report: MixProviderReport,
    ) -> Result<Vec<Update>, Refusal> {
        let presence = provider(now, report)?;
        self.announce(now, |registry| &mut registry.gateways, presence)
    }

    /// The node with this key leaves, from every list. Nothing happens if it is in none.
    pub fn leave(&mut self, now: Now, pub_key: &str) -> Vec<Update> {
        let mut updates = self.expire(now.time);
        let was_there = [
            self.coco_nodes.remove(pub_key),
            self.mix_nodes.remove(pub_key),
            self.mix_providers.remove(pub_key),
            self.gateways.remove(pub_key),
        ];
        if was_there.contains(&true) {
            self.revision += 1;
            updates.push(Update::Left { pub_key: pub_key.into() });
        }
        updates
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
        let mut updates = self.expire(now.time);
        updates.push(Update::Metric(metric));
        Ok(updates)
    }

    /// Marks as late and takes out what is due.
    pub fn expire(&mut self, now: Time) -> Vec<Update> {
        let mut updates = Vec::new();
        self.coco_nodes.expire(now, &mut updates);
        self.mix_nodes.expire(now, &mut updates);
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

    /// Everything that is present, sorted by key.
    pub fn topology(&self, now: Time) -> Topology {
        Topology {
            coco_nodes: self.coco_nodes.present(now),
            mix_nodes: self.mix_nodes.present(now),
            mix_provider_nodes: self.mix_providers.present(now),
            gateway_nodes: self.gateways.present(now),
        }
    }

    /// The metrics of the last whole window, in the order in which they came.
    pub fn metrics(&mut self, now: Time) -> &[MixMetric] {
        self.metrics.last_whole(now)
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
        self.revision += 1;
        Ok(updates)
    }
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
