//! What the directory lists, as its event stream tells it.

use directory_api::{Frame, Topology, Update};

/// The directory's view, kept up to date.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    topology: Option<Topology>,
}

impl Presence {
    /// What is listed; none before the first snapshot.
    pub(crate) fn topology(&self) -> Option<&Topology> {
        self.topology.as_ref()
    }

    /// When the owner of one of these keys was last heard: nanoseconds since 1970, by the
    /// directory's clock, which is this machine's.
    pub(crate) fn last_seen(&self, keys: &[String]) -> Option<i64> {
        let topology = self.topology.as_ref()?;
        let mixnodes = topology.mix_nodes.iter().map(|node| (&node.pub_key, node.last_seen));
        let providers = topology.mix_provider_nodes.iter().chain(&topology.gateway_nodes);
        let providers = providers.map(|node| (&node.pub_key, node.last_seen));
        mixnodes
            .chain(providers)
            .filter(|(key, _)| keys.contains(key))
            .map(|(_, last_seen)| last_seen)
            .max()
    }

    /// Takes in what the directory said.
    pub(crate) fn apply(&mut self, frame: &Frame) {
        if let Update::Snapshot { topology } = &frame.update {
            self.topology = Some(topology.clone());
            return;
        }
        let Some(topology) = &mut self.topology else { return };
        match &frame.update {
            Update::MixNode(node) => {
                put(&mut topology.mix_nodes, node, |other| other.pub_key == node.pub_key);
            }
            Update::MixProvider(node) => {
                put(&mut topology.mix_provider_nodes, node, |other| other.pub_key == node.pub_key);
            }
            Update::Gateway(node) => {
                put(&mut topology.gateway_nodes, node, |other| other.pub_key == node.pub_key);
            }
            Update::CocoNode { node } => {
                put(&mut topology.coco_nodes, node, |other| other.pub_key == node.pub_key);
            }
            Update::Left { pub_key } => {
                for list in ["mixnode", "mixprovider", "gateway", "coconode"] {
                    remove(topology, list, pub_key);
                }
            }
            Update::Disallowed { pub_key } => remove(topology, "mixnode", pub_key),
            Update::Gone { pub_key, list, .. } => remove(topology, list, pub_key),
            Update::Seen { pub_key, list } => {
                let at = frame.timestamp;
                let mixnodes = topology.mix_nodes.iter_mut().filter(|_| list == "mixnode");
                for node in mixnodes.filter(|node| node.pub_key == *pub_key) {
                    node.last_seen = at;
                }
                let providers = match list.as_str() {
                    "mixprovider" => topology.mix_provider_nodes.as_mut_slice(),
                    "gateway" => topology.gateway_nodes.as_mut_slice(),
                    _ => &mut [],
                };
                for node in providers.iter_mut().filter(|node| node.pub_key == *pub_key) {
                    node.last_seen = at;
                }
            }
            Update::Snapshot { .. } | Update::Late { .. } | Update::Metric(_) => {}
        }
    }
}

/// The key that an update is about.
pub(crate) fn key_of(update: &Update) -> Option<&str> {
    Some(match update {
        Update::Snapshot { .. } => return None,
        Update::MixNode(node) => &node.pub_key,
        Update::MixProvider(node) | Update::Gateway(node) => &node.pub_key,
        Update::CocoNode { node } => &node.pub_key,
        Update::Left { pub_key }
        | Update::Disallowed { pub_key }
        | Update::Gone { pub_key, .. }
        | Update::Seen { pub_key, .. }
        | Update::Late { pub_key, .. } => pub_key,
        Update::Metric(metric) => &metric.pub_key,
    })
}

fn remove(topology: &mut Topology, list: &str, key: &str) {
    match list {
        "mixnode" => topology.mix_nodes.retain(|node| node.pub_key != key),
        "mixprovider" => topology.mix_provider_nodes.retain(|node| node.pub_key != key),
        "gateway" => topology.gateway_nodes.retain(|node| node.pub_key != key),
        "coconode" => topology.coco_nodes.retain(|node| node.pub_key != key),
        _ => {}
    }
}

fn put<T: Clone>(list: &mut Vec<T>, node: &T, same: impl Fn(&T) -> bool) {
    match list.iter_mut().find(|other| same(other)) {
        Some(place) => place.clone_from(node),
        None => list.push(node.clone()),
    }
}

#[cfg(test)]
mod tests {
    use directory_api::{MixNodePresence, MixProviderPresence};

    use super::*;

    fn frame(timestamp: i64, update: Update) -> Frame {
        Frame { seq: 0, timestamp, update }
    }

    fn mixnode(key: &str, last_seen: i64) -> MixNodePresence {
        MixNodePresence {
            host: "127.0.0.1:9980".into(),
            pub_key: key.into(),
            version: "1".into(),
            location: "mix-1-1".into(),
            layer: 1,
            last_seen,
        }
    }

    #[test]
    fn a_node_is_seen_until_it_left() {
        let mut presence = Presence::default();
        let keys = ["k".to_owned()];
        presence.apply(&frame(1, Update::MixNode(mixnode("k", 1))));
        assert_eq!(presence.topology(), None, "nothing is known before a snapshot");
        presence.apply(&frame(2, Update::Snapshot { topology: Topology::default() }));
        assert_eq!(presence.last_seen(&keys), None);
        presence.apply(&frame(3, Update::MixNode(mixnode("k", 3))));
        presence.apply(&frame(3, Update::MixNode(mixnode("other", 9))));
        assert_eq!(presence.last_seen(&keys), Some(3));
        let seen = |list: &str| Update::Seen { pub_key: "k".into(), list: list.into() };
        presence.apply(&frame(5, seen("gateway")));
        assert_eq!(presence.last_seen(&keys), Some(3), "that was another list");
        presence.apply(&frame(6, seen("mixnode")));
        assert_eq!(presence.last_seen(&keys), Some(6));
        presence.apply(&frame(7, Update::Left { pub_key: "k".into() }));
        assert_eq!(presence.last_seen(&keys), None);
        assert_eq!(presence.topology().map(|topology| topology.mix_nodes.len()), Some(1));
    }

    #[test]
    fn a_provider_in_two_lists_is_seen_in_either() {
        let mut presence = Presence::default();
        presence.apply(&frame(1, Update::Snapshot { topology: Topology::default() }));
        let provider = |last_seen| MixProviderPresence {
            client_listener: String::new(),
            mixnet_listener: String::new(),
            pub_key: "p".into(),
            version: "1".into(),
            location: "provider-1".into(),
            registered_clients: Vec::new(),
            last_seen,
        };
        presence.apply(&frame(2, Update::Gateway(provider(2))));
        presence.apply(&frame(4, Update::MixProvider(provider(4))));
        assert_eq!(presence.last_seen(&["p".into()]), Some(4));
        let gone = |list: &str, last_seen| {
            let list = list.into();
            frame(5, Update::Gone { pub_key: "p".into(), list, last_seen })
        };
        presence.apply(&gone("mixprovider", 4));
        assert_eq!(presence.last_seen(&["p".into()]), Some(2));
        presence.apply(&gone("gateway", 2));
        assert_eq!(presence.last_seen(&["p".into()]), None);
    }
}
