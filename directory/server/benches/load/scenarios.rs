//! What is measured: which requests, and who listens meanwhile.

use std::sync::Arc;

use crate::http::request;

/// Mixnodes that announce themselves: a large devnet.
const MIXNODES: u32 = 100;

/// Requests, and readers of `/ws` meanwhile.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) kinds: &'static [Kind],
    /// Readers of `/ws`.
    pub(crate) readers: usize,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Healthcheck,
    /// A mixnode announces itself: a hundred of them in rotation.
    Presence,
    Topology,
    /// A mixnode reports what it sent to so many others.
    Metrics(u16),
}

/// What is measured under load. The last one killed the original at once.
pub(crate) const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "GET healthcheck", kinds: &[Kind::Healthcheck], readers: 0 },
    Scenario { name: "POST presence of 100 mixnodes", kinds: &[Kind::Presence], readers: 0 },
    Scenario { name: "GET topology of 100 mixnodes", kinds: &[Kind::Topology], readers: 0 },
    Scenario { name: "POST metrics, 1 next hop", kinds: &[Kind::Metrics(1)], readers: 0 },
    Scenario { name: "POST metrics, 33 next hops", kinds: &[Kind::Metrics(33)], readers: 0 },
    Scenario {
        name: "POST metrics, 1 next hop, 50 readers of /ws",
        kinds: &[Kind::Metrics(1)],
        readers: 50,
    },
    Scenario {
        name: "all at once, 50 readers of /ws",
        kinds: &[Kind::Presence, Kind::Topology, Kind::Metrics(1)],
        readers: 50,
    },
];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthcheck => "GET healthcheck",
            Self::Presence => "POST presence",
            Self::Topology => "GET topology",
            Self::Metrics(_) => "POST metrics",
        }
    }

    /// What is sent, in rotation.
    pub(crate) fn requests(self) -> Arc<[Vec<u8>]> {
        match self {
            Self::Healthcheck => Arc::new([request("GET", "/api/healthcheck", "")]),
            Self::Presence => announcements(),
            Self::Topology => Arc::new([request("GET", "/api/presence/topology", "")]),
            Self::Metrics(next_hops) => {
                let hops = (0..next_hops).map(|hop| format!(r#""127.0.0.1:{}":3"#, 10_000 + hop));
                let sent = hops.collect::<Vec<_>>().join(",");
                let body = format!(r#"{{"pubKey":"{}","sent":{{{sent}}},"received":5}}"#, key(0));
                Arc::new([request("POST", "/api/metrics/mixes", &body)])
            }
        }
    }

    /// What a request takes of a window of metrics.
    pub(crate) fn window_entries(self) -> usize {
        if let Self::Metrics(next_hops) = self { 1 + usize::from(next_hops) } else { 0 }
    }
}

/// What every mixnode says of itself.
pub(crate) fn announcements() -> Arc<[Vec<u8>]> {
    let bodies = (0..MIXNODES).map(|number| {
        let (port, key, layer) = (10_000 + number, key(number), 1 + number % 3);
        format!(
            r#"{{"host":"127.0.0.1:{port}","pubKey":"{key}","version":"0.7.0","location":"mix-{layer}-{number}","layer":{layer}}}"#
        )
    });
    bodies.map(|body| request("POST", "/api/presence/mixnodes", &body)).collect()
}

/// A key as long as base58 of 32 bytes.
fn key(number: u32) -> String {
    format!("4VbDvfCq1MTXNh7bWyHvPYhGYUdHJXsbWqjrf{:07}", 1_111_111 + number)
}
