//! What the directory lists, as its event stream tells it.

use directory_api::{Frame, ListName, Topology, Update};

/// The directory's view, kept up to date.
#[derive(Debug, Default)]
pub struct Presence {
    topology: Option<Topology>,
}

impl Presence {
    /// What is listed; none before the first snapshot.
    pub fn topology(&self) -> Option<&Topology> {
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
    pub fn apply(&mut self, frame: &Frame) {
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
                for list in ListName::ALL {
                    remove(topology, list, pub_key);
                }
            }
            Update::Disallowed { pub_key } => remove(topology, ListName::MixNode, pub_key),
            Update::Gone { pub_key, list, .. } => remove(topology, *list, pub_key),
            Update::Seen { pub_key, list } => {
                if let Some(last_seen) = last_seen_in(topology, *list, pub_key) {
                    *last_seen = frame.timestamp;
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

/// When this list's node with this key was last seen, to be set.
fn last_seen_in<'a>(topology: &'a mut Topology, list: ListName, key: &str) -> Option<&'a mut i64> {
    let providers = match list {
        ListName::CocoNode => {
            let node = topology.coco_nodes.iter_mut().find(|node| node.pub_key == key);
            return node.map(|node| &mut node.last_seen);
        }
        ListName::MixNode => {
            let node = topology.mix_nodes.iter_mut().find(|node| node.pub_key == key);
            return node.map(|node| &mut node.last_seen);
        }
        ListName::MixProvider => &mut topology.mix_provider_nodes,
        ListName::Gateway => &mut topology.gateway_nodes,
    };
    providers.iter_mut().find(|node| node.pub_key == key).map(|node| &mut node.last_seen)
}

fn remove(topology: &mut Topology, list: ListName, key: &str) {
    match list {
        ListName::MixNode => topology.mix_nodes.retain(|node| node.pub_key != key),
        ListName::MixProvider => topology.mix_provider_nodes.retain(|node| node.pub_key != key),
        ListName::Gateway => topology.gateway_nodes.retain(|node| node.pub_key != key),
        ListName::CocoNode => topology.coco_nodes.retain(|node| node.pub_key != key),
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
    use directory_api::{CocoNodePresence, MixNodePresence, MixProviderPresence};

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
        let seen = |list| Update::Seen { pub_key: "k".into(), list };
        presence.apply(&frame(5, seen(ListName::Gateway)));
        assert_eq!(presence.last_seen(&keys), Some(3), "that was another list");
        presence.apply(&frame(6, seen(ListName::MixNode)));
        assert_eq!(presence.last_seen(&keys), Some(6));
        presence.apply(&frame(7, Update::Left { pub_key: "k".into() }));
        assert_eq!(presence.last_seen(&keys), None);
        assert_eq!(presence.topology().map(|topology| topology.mix_nodes.len()), Some(1));
    }

    #[test]
    fn a_validator_is_seen_as_well() {
        let mut presence = Presence::default();
        presence.apply(&frame(1, Update::Snapshot { topology: Topology::default() }));
        let node = CocoNodePresence {
            host: String::new(),
            pub_key: "v".into(),
            version: "1".into(),
            location: "unknown".into(),
            kind: "validator".into(),
            last_seen: 2,
        };
        presence.apply(&frame(2, Update::CocoNode { node }));
        presence.apply(&frame(3, Update::Seen { pub_key: "v".into(), list: ListName::CocoNode }));
        let nodes = presence.topology().map(|topology| topology.coco_nodes.as_slice());
        assert!(matches!(nodes, Some([node]) if node.last_seen == 3), "{nodes:?}");
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
        let gone =
            |list, last_seen| frame(5, Update::Gone { pub_key: "p".into(), list, last_seen });
        presence.apply(&gone(ListName::MixProvider, 4));
        assert_eq!(presence.last_seen(&["p".into()]), Some(2));
        presence.apply(&gone(ListName::Gateway, 2));
        assert_eq!(presence.last_seen(&["p".into()]), None);
    }
}
