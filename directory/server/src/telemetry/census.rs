//! What the registry knows at one moment, as far as it is measured.

use std::collections::BTreeMap;

use directory_api::ListName;
use prometheus::proto::MetricFamily;

use super::family::{self, Family, number};
use crate::history::Totals;
use crate::list::Presence;

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

/// What the registry knows at one moment, as far as it is measured.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// Who is in the topology; each list sorted by key.
    pub(crate) residents: Vec<Resident>,
    /// What mixnodes reported, by key.
    pub(crate) totals: BTreeMap<String, Totals>,
}

/// A node that is present.
#[derive(Debug)]
pub(crate) struct Resident {
    /// The list that it is in.
    pub(crate) list: ListName,
    pub(crate) pub_key: String,
    /// Its location, which in a devnet is its name.
    pub(crate) name: String,
    /// When it was last heard: nanoseconds since 1970.
    pub(crate) last_seen: i64,
    pub(crate) kind: Kind,
}

/// What only some nodes have.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A mixnode.
    MixNode {
        /// Its layer, from 1.
        layer: u64,
    },
    /// A provider.
    Provider {
        /// How many clients it announced.
        clients: usize,
    },
    /// A validator.
    CocoNode,
}

impl Resident {
    /// The node of this record.
    pub(crate) fn new(list: ListName, presence: &impl Presence, kind: Kind) -> Self {
        Self {
            list,
            pub_key: presence.pub_key().into(),
            name: presence.location().into(),
            last_seen: presence.last_seen(),
            kind,
        }
    }
}

impl Census {
    /// As metrics. Packets are those of the mixnodes that are present: a series whose name and layer
    /// are known for a while only would be two.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let mixnodes = self.residents.iter().filter_map(|resident| {
            let Kind::MixNode { layer } = resident.kind else { return None };
            let totals = self.totals.get(&resident.pub_key)?;
            Some((resident, layer.to_string(), totals))
        });
        let mixnodes: Vec<_> = mixnodes.collect();
        let packets = |name, help, of: fn(&Totals) -> u64| {
            let labels = ["pub_key", "name", "layer"];
            let samples = mixnodes.iter().map(|(resident, layer, totals)| {
                ([resident.pub_key.as_str(), &resident.name, layer], number(of(totals)))
            });
            Family { kind: family::Kind::Counter, name, help, labels }.of(samples)
        };
        let of_list = |list| self.residents.iter().filter(move |resident| resident.list == list);
        vec![
            Family {
                kind: family::Kind::Gauge,
                name: "nym_directory_nodes",
                help: "Nodes in the topology. A provider may be in two lists.",
                labels: ["list"],
            }
            .of(ListName::ALL.map(|list| ([list.as_str()], number(of_list(list).count() as u64)))),
            packets(
                "nym_mixnode_packets_received_total",
                "Packets that the mixnode reported to have taken; from zero again after an hour without a report.",
                |totals| totals.received,
            ),
            packets(
                "nym_mixnode_packets_sent_total",
                "Packets that the mixnode reported to have passed on; from zero again after an hour without a report.",
                |totals| totals.sent,
            ),
            Family {
                kind: family::Kind::Gauge,
                name: "nym_node_last_seen_timestamp_seconds",
                help: "When the node last announced itself, in seconds since 1970.",
                labels: ["list", "pub_key", "name"],
            }
            .of(self.residents.iter().map(|resident| {
                let nanos = number(resident.last_seen.unsigned_abs());
                ([resident.list.as_str(), &resident.pub_key, &resident.name], nanos / NANOS)
            })),
            Family {
                kind: family::Kind::Gauge,
                name: "nym_provider_registered_clients",
                help: "Clients that the provider announced.",
                labels: ["list", "pub_key", "name"],
            }
            .of(self.residents.iter().filter_map(|resident| {
                let Kind::Provider { clients } = resident.kind else { return None };
                let labels = [resident.list.as_str(), &resident.pub_key, &resident.name];
                Some((labels, number(clients as u64)))
            })),
        ]
    }
}
