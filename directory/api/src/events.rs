//! The frames of `/ws/events`: a snapshot first, then updates numbered per subscription.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    CocoNodePresence, GatewayPresence, MixMetric, MixNodePresence, MixProviderPresence, Topology,
};

/// What a subscriber wants to hear: `/ws/events?topics=topology,metrics`. Without the parameter,
/// everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A node joined, changed, left or is gone.
    Topology,
    /// Every announcement.
    Presence,
    /// Every metric report.
    Metrics,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Topology, Self::Presence, Self::Metrics];

    /// Its word in the query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Presence => "presence",
            Self::Metrics => "metrics",
        }
    }

    /// The topic of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }
}

/// A list of the topology. A provider may be in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ListName {
    /// Validators.
    CocoNode,
    /// Providers as v0.7 announced them.
    Gateway,
    /// Mixnodes.
    MixNode,
    /// Providers as v0.5 announced them.
    MixProvider,
}

impl ListName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CocoNode, Self::Gateway, Self::MixNode, Self::MixProvider];

    /// Its word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CocoNode => "coconode",
            Self::Gateway => "gateway",
            Self::MixNode => "mixnode",
            Self::MixProvider => "mixprovider",
        }
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One text frame of `/ws/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Frame {
    /// 0 for the first frame of a subscription, then one more each. A reader that sees a number
    /// skipped has missed something; the directory then sends a snapshot by itself.
    pub seq: u64,
    /// The directory's time: nanoseconds since 1970. In JSON `time`, because a metric, which stands
    /// beside it, has a `timestamp` of its own.
    #[serde(rename = "time")]
    pub timestamp: i64,
    /// What happened.
    #[serde(flatten)]
    pub update: Update,
}

/// What happened. A node is named by the key that it announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Update {
    /// Everything that is present. The first frame, and again after frames were missed.
    Snapshot {
        /// What is present.
        topology: Topology,
    },
    /// Topic `topology`: a mixnode is new, or announced something else than before.
    MixNode(MixNodePresence),
    /// Topic `topology`: a provider, as mixprovider, is new or announced something else.
    MixProvider(MixProviderPresence),
    /// Topic `topology`: a provider, as gateway, is new or announced something else.
    Gateway(GatewayPresence),
    /// Topic `topology`: a validator is new or announced something else.
    CocoNode {
        /// What it announced. Not beside the tag as with the others, because it has a `type` too.
        node: CocoNodePresence,
    },
    /// Topic `topology`: a node said that it leaves; it is in no list any more.
    #[serde(rename_all = "camelCase")]
    Left {
        /// Its key.
        pub_key: String,
    },
    /// Topic `topology`: a mixnode is kept out of the topology from now on. Its announcements are not
    /// heard of until it is allowed again; then it comes as new. Its packet reports are.
    #[serde(rename_all = "camelCase")]
    Disallowed {
        /// Its key.
        pub_key: String,
    },
    /// Topic `topology`: a node was not heard for [`PRESENCE_TIMEOUT`](crate::PRESENCE_TIMEOUT).
    #[serde(rename_all = "camelCase")]
    Gone {
        /// Its key.
        pub_key: String,
        /// The list that it is gone from.
        list: ListName,
        /// When it was last heard: nanoseconds since 1970.
        last_seen: i64,
    },
    /// Topic `presence`: a node announced itself.
    #[serde(rename_all = "camelCase")]
    Seen {
        /// Its key.
        pub_key: String,
        /// The list it belongs to.
        list: ListName,
    },
    /// Topic `presence`: a node was not heard for [`LATE_AFTER`](crate::LATE_AFTER).
    #[serde(rename_all = "camelCase")]
    Late {
        /// Its key.
        pub_key: String,
        /// The list that it was to be heard for.
        list: ListName,
        /// When it was last heard: nanoseconds since 1970.
        last_seen: i64,
    },
    /// Topic `metrics`: a mixnode reported its packets.
    Metric(MixMetric),
}

impl Update {
    /// The topic that it belongs to; none for a snapshot, which everybody gets.
    pub fn topic(&self) -> Option<Topic> {
        match self {
            Self::Snapshot { .. } => None,
            Self::MixNode(_)
            | Self::MixProvider(_)
            | Self::Gateway(_)
            | Self::CocoNode { .. }
            | Self::Left { .. }
            | Self::Disallowed { .. }
            | Self::Gone { .. } => Some(Topic::Topology),
            Self::Seen { .. } | Self::Late { .. } => Some(Topic::Presence),
            Self::Metric(_) => Some(Topic::Metrics),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Frames put several objects into one: a name that stands in two of them would be lost.
    #[test]
    fn every_frame_is_read_as_it_was_written() {
        let provider = MixProviderPresence {
            client_listener: "ws://127.0.0.1:9000".into(),
            mixnet_listener: "127.0.0.1:4000".into(),
            pub_key: "p".into(),
            version: "0.1.0".into(),
            location: "provider-1".into(),
            registered_clients: vec![crate::RegisteredClient { pub_key: "c".into() }],
            last_seen: 1,
        };
        let mixnode = MixNodePresence {
            host: "127.0.0.1:9980".into(),
            pub_key: "m".into(),
            version: "0.1.0".into(),
            location: "mix-1-1".into(),
            layer: 1,
            last_seen: 2,
        };
        let coconode = CocoNodePresence {
            host: String::new(),
            pub_key: "v".into(),
            version: "0.1.0".into(),
            location: "unknown".into(),
            kind: "validator".into(),
            last_seen: 3,
        };
        let sent = BTreeMap::from([("127.0.0.1:9981".into(), 5)]);
        let metric = MixMetric { pub_key: "m".into(), sent, received: 6, timestamp: 4 };
        let (key, list) = (|| "k".to_owned(), ListName::MixNode);
        let topology = Topology {
            coco_nodes: vec![coconode.clone()],
            mix_nodes: vec![mixnode.clone()],
            mix_provider_nodes: vec![provider.clone()],
            gateway_nodes: vec![provider.clone()],
        };
        for update in [
            Update::Snapshot { topology },
            Update::MixNode(mixnode),
            Update::MixProvider(provider.clone()),
            Update::Gateway(provider),
            Update::CocoNode { node: coconode },
            Update::Left { pub_key: key() },
            Update::Disallowed { pub_key: key() },
            Update::Gone { pub_key: key(), list, last_seen: 7 },
            Update::Seen { pub_key: key(), list },
            Update::Late { pub_key: key(), list, last_seen: 8 },
            Update::Metric(metric),
        ] {
            let frame = Frame { seq: 9, timestamp: 10, update };
            let json = serde_json::to_string(&frame).expect("JSON");
            assert_eq!(serde_json::from_str::<Frame>(&json).expect(&json), frame, "{json}");
        }
        let gone = Update::Gone { pub_key: key(), list, last_seen: 7 };
        assert_eq!(
            serde_json::to_string(&Frame { seq: 9, timestamp: 10, update: gone }).expect("JSON"),
            r#"{"seq":9,"time":10,"type":"gone","pubKey":"k","list":"mixnode","lastSeen":7}"#
        );
    }

    #[test]
    fn a_list_is_known_by_its_word() {
        for list in ListName::ALL {
            assert_eq!(serde_json::to_value(list).expect("JSON"), list.as_str());
        }
    }

    #[test]
    fn a_topic_is_known_by_its_word() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()), Some(topic));
            assert_eq!(serde_json::to_value(topic).expect("JSON"), topic.as_str());
        }
        assert_eq!(Topic::parse("weather"), None);
    }
}
