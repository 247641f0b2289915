//! What everybody knows: which nodes there are, and in which layer.

use std::collections::BTreeMap;
use std::time::Duration;

use anonymity::{NodeId, Observation, Role};
use control::{DevnetInfo, NodeStatus, Snapshot, State, identity_name};

use crate::names::Names;

/// The nodes of the devnet as the stream told of them last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Public {
    info: Option<DevnetInfo>,
    nodes: BTreeMap<String, NodeStatus>,
    /// What the observer was told.
    told: BTreeMap<NodeId, Role>,
}

impl Public {
    /// All of it is told anew.
    pub(crate) fn snapshot(&mut self, snapshot: &Snapshot) {
        self.info = Some(snapshot.devnet.clone());
        self.nodes =
            snapshot.nodes.iter().map(|status| (status.name.clone(), status.clone())).collect();
    }

    /// One node is told anew; says whether its process ended.
    pub(crate) fn node(&mut self, status: &NodeStatus) -> bool {
        let before = self.nodes.insert(status.name.clone(), status.clone());
        before.is_some_and(|before| before.pid.is_some() && before.pid != status.pid)
    }

    /// A node was taken out.
    pub(crate) fn remove(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// What the devnet is; none before the stream said so.
    pub(crate) fn info(&self) -> Option<&DevnetInfo> {
        self.info.as_ref()
    }

    /// Mixnodes and providers that do not work, in order of names.
    pub(crate) fn down(&self) -> impl Iterator<Item = &NodeStatus> {
        let carries = |status: &&NodeStatus| {
            matches!(status.role, contract::Role::Mixnode | contract::Role::Provider)
        };
        let works = |state| matches!(state, State::Ready | State::Present | State::Listening);
        self.nodes.values().filter(carries).filter(move |status| !works(status.state))
    }

    /// What changed for the observer.
    pub(crate) fn changes(&mut self, t: Duration, names: &mut Names) -> Vec<Observation> {
        let mut now = BTreeMap::new();
        for status in self.nodes.values().filter(|status| is_there(status.state)) {
            match (status.role, status.layer) {
                (contract::Role::Mixnode, Some(layer)) => {
                    now.extend(names.number(&status.name).map(|node| (node, Role::Mix { layer })));
                }
                (contract::Role::Provider, _) => {
                    now.extend(names.number(&status.name).map(|node| (node, Role::Provider)));
                }
                (contract::Role::Client, _) => {
                    let provider = self.provider_of(status, names);
                    let node = names.number(&status.name);
                    now.extend(node.zip(provider.map(|provider| Role::Sender { provider })));
                }
                (contract::Role::Crowd, _) => {
                    let provider = self.provider_of(status, names);
                    for number in (1..).take(status.public_keys.len()) {
                        let node = names.number(&identity_name(&status.name, number));
                        now.extend(node.zip(provider.map(|provider| Role::Sender { provider })));
                    }
                }
                _ => {}
            }
        }
        let joined = now.iter().filter(|(node, role)| self.told.get(node) != Some(role));
        let joined = joined.map(|(node, role)| Observation::Joined { t, node: *node, role: *role });
        let left = self.told.keys().filter(|node| !now.contains_key(node));
        let left = left.map(|node| Observation::Left { t, node: *node });
        let changes = joined.chain(left).collect();
        self.told = now;
        changes
    }

    /// The provider of a client: that of its address, else the first one, which is where a process goes
    /// that has not said.
    fn provider_of(&self, status: &NodeStatus, names: &mut Names) -> Option<NodeId> {
        let key = status.address.as_ref().and_then(|address| address.split_once('@'));
        let mut providers =
            self.nodes.values().filter(|node| node.role == contract::Role::Provider);
        let told = key.and_then(|(_, key)| {
            providers.clone().find(|node| node.public_keys.iter().any(|known| known == key))
        });
        names.number(&told.or_else(|| providers.next())?.name)
    }
}

/// Whether the directory would list it sooner or later.
fn is_there(state: State) -> bool {
    !matches!(state, State::Planned | State::Stopped | State::Failed)
}
