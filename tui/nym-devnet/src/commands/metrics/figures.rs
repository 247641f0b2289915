//! Figures of a devnet for people and programs: links, clients, providers, and what is real.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contract::{Lateness, MailboxCounters, NodeMetrics, Role, TrafficCounters};
use control::NodeRates;
use serde::Serialize;

use crate::output::{Cell, Output, UNKNOWN, or_unknown, table};

/// Everything that is shown.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    nodes: Vec<Node>,
    /// Of all packets that entered the mixnet; none before the first.
    share: Option<Share>,
}

/// A node with what it has counted since it was started. What it has not reported is missing.
#[derive(Debug, PartialEq, Serialize)]
struct Node {
    name: String,
    role: Role,
    rates: Option<NodeRates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<NodeMetrics>,
}

/// Percentages of the packets that clients and providers have sent into layer 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the unit is part of what programs read")]
struct Share {
    /// Pieces of messages, first and again.
    real_percent: f64,
    /// Cover of either kind.
    cover_percent: f64,
    /// Acknowledgements that providers sent.
    ack_percent: f64,
}

impl Figures {
    pub(super) fn new(
        nodes: &[(String, Role)],
        metrics: &BTreeMap<String, NodeMetrics>,
        rates: &BTreeMap<String, NodeRates>,
    ) -> Self {
        let nodes: Vec<Node> = nodes
            .iter()
            // A directory handles no packets.
            .filter(|(_, role)| *role != Role::Directory)
            .map(|(name, role)| Node {
                name: name.clone(),
                role: *role,
                rates: rates.get(name).copied(),
                metrics: metrics.get(name).cloned(),
            })
            .collect();
        let share = share(&nodes);
        Self { nodes, share }
    }

    /// Tables, of which those without rows are left out.
    pub(super) fn text(&self, output: Output) -> String {
        let mut text = self.links(output);
        for part in [self.traffic(output), self.mailboxes(output)].into_iter().flatten() {
            text.push_str("\n\n");
            text.push_str(&part);
        }
        if let Some(Share { real_percent, cover_percent, ack_percent }) = self.share {
            // Writing into a string cannot fail.
            let _ = write!(
                text,
                "\n\nof all packets into layer 1: {real_percent:.1} % real, {cover_percent:.1} % \
                 cover, {ack_percent:.1} % acknowledgements"
            );
        }
        text
    }

    fn links(&self, output: Output) -> String {
        let heads = ["NAME", "IN/s", "OUT/s", "IN", "OUT", "POOL", "LATE", "99 %", "DROPPED"];
        let numbers = &heads[1..8];
        let rows = self.nodes.iter().map(|node| {
            let count =
                |count: fn(&NodeMetrics) -> u64| or_unknown(node.metrics.as_ref().map(count));
            let rate = |rate: fn(&NodeRates) -> f64| {
                or_unknown(node.rates.as_ref().map(|rates| format!("{:.1}", rate(rates))))
            };
            let lateness = node.metrics.as_ref().and_then(|metrics| metrics.lateness);
            let late =
                |late: fn(Lateness) -> u64| or_unknown(lateness.map(|l| milliseconds(late(l))));
            vec![
                node.name.as_str().into(),
                rate(|rates| rates.received_per_s),
                rate(|rates| rates.sent_per_s),
                count(|metrics| metrics.received),
                count(|metrics| metrics.sent),
                or_unknown(node.metrics.as_ref().and_then(|metrics| metrics.pool)),
                late(|lateness| lateness.median_us),
                late(|lateness| lateness.p99_us),
                dropped(node.metrics.as_ref()).into(),
            ]
        });
        table(output, &heads, numbers, &rows.collect::<Vec<_>>())
    }

    fn traffic(&self, output: Output) -> Option<String> {
        let heads =
            ["CLIENT", "REAL", "AGAIN", "COVER", "LOOPS", "BACK", "ACKS", "QUEUED", "UNACKED"];
        let rows = self.nodes.iter().filter_map(|node| {
            let traffic = node.metrics.as_ref()?.traffic?;
            let TrafficCounters { real, retransmitted, cover, loops, .. } = traffic;
            let TrafficCounters { loops_returned, acks_returned, queued, unacknowledged, .. } =
                traffic;
            let counts = [
                real,
                retransmitted,
                cover,
                loops,
                loops_returned,
                acks_returned,
                queued,
                unacknowledged,
            ];
            Some(row(&node.name, &counts))
        });
        some_table(output, &heads, &rows.collect::<Vec<_>>())
    }

    fn mailboxes(&self, output: Output) -> Option<String> {
        let heads = ["PROVIDER", "CLIENTS", "ONLINE", "STORED", "DELIVERED", "WAITING"];
        let rows = self.nodes.iter().filter_map(|node| {
            let MailboxCounters { clients, online, stored, delivered, waiting } =
                node.metrics.as_ref()?.mailbox?;
            Some(row(&node.name, &[clients, online, stored, delivered, waiting]))
        });
        some_table(output, &heads, &rows.collect::<Vec<_>>())
    }
}

fn row(name: &str, counts: &[u64]) -> Vec<Cell> {
    let counts = counts.iter().map(|count| Cell::Text(count.to_string()));
    [name.into()].into_iter().chain(counts).collect()
}

fn some_table(output: Output, heads: &[&str], rows: &[Vec<Cell>]) -> Option<String> {
    (!rows.is_empty()).then(|| table(output, heads, &heads[1..], rows))
}

/// `3 mac, 1 replay`.
fn dropped(metrics: Option<&NodeMetrics>) -> String {
    let Some(metrics) = metrics else { return UNKNOWN.into() };
    let dropped = metrics.dropped.iter().filter(|(_, count)| **count > 0);
    let dropped: Vec<String> =
        dropped.map(|(reason, count)| format!("{count} {}", control::visible(reason))).collect();
    if dropped.is_empty() { "none".into() } else { dropped.join(", ") }
}

/// `1.24 ms` out of microseconds.
fn milliseconds(us: u64) -> String {
    format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
}

fn share(nodes: &[Node]) -> Option<Share> {
    let mut packets = control::Share::default();
    for node in nodes {
        let Some(metrics) = &node.metrics else { continue };
        packets += metrics.traffic.as_ref().map(control::Share::of_client).unwrap_or_default();
        if node.role == Role::Provider {
            packets += control::Share::of_provider(metrics.sent);
        }
    }
    Some(Share {
        real_percent: packets.percent(packets.real + packets.retransmitted)?,
        cover_percent: packets.percent(packets.cover + packets.loops)?,
        ack_percent: packets.percent(packets.acks)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_by_kind_of_node_and_the_share_is_of_all_packets() {
        let node = |name: &str, role| (name.to_owned(), role);
        let nodes = [
            node("directory", Role::Directory),
            node("mix-1-1", Role::Mixnode),
            node("provider-1", Role::Provider),
            node("alice", Role::Client),
            node("bob", Role::Client),
        ];
        let mix = NodeMetrics {
            received: 10,
            sent: 7,
            pool: Some(2),
            dropped: [("mac".into(), 1), ("layer".into(), 0)].into(),
            lateness: Some(Lateness { packets: 7, median_us: 60, p99_us: 1240 }),
            ..NodeMetrics::default()
        };
        let provider = NodeMetrics {
            sent: 25,
            mailbox: Some(MailboxCounters { clients: 2, stored: 30, ..Default::default() }),
            ..NodeMetrics::default()
        };
        let traffic = TrafficCounters {
            real: 4,
            retransmitted: 1,
            cover: 40,
            loops: 30,
            ..TrafficCounters::default()
        };
        let alice = NodeMetrics { traffic: Some(traffic), ..NodeMetrics::default() };
        let metrics = [("mix-1-1", mix), ("provider-1", provider), ("alice", alice)];
        let metrics = metrics.map(|(name, metrics)| (name.into(), metrics)).into();
        let rates = NodeRates { received_per_s: 3.25, sent_per_s: 2.0 };
        let figures = Figures::new(&nodes, &metrics, &[("mix-1-1".into(), rates)].into());
        let share = Share { real_percent: 5.0, cover_percent: 70.0, ack_percent: 25.0 };
        assert_eq!(figures.share, Some(share));
        insta::assert_snapshot!(figures.text(Output::plain()), @r"
        NAME        IN/s  OUT/s  IN  OUT  POOL     LATE     99 %  DROPPED
        mix-1-1      3.2    2.0  10    7     2  0.06 ms  1.24 ms  1 mac
        provider-1     -      -   0   25     -        -        -  none
        alice          -      -   0    0     -        -        -  none
        bob            -      -   -    -     -        -        -  -

        CLIENT  REAL  AGAIN  COVER  LOOPS  BACK  ACKS  QUEUED  UNACKED
        alice      4      1     40     30     0     0       0        0

        PROVIDER    CLIENTS  ONLINE  STORED  DELIVERED  WAITING
        provider-1        2       0      30          0        0

        of all packets into layer 1: 5.0 % real, 70.0 % cover, 25.0 % acknowledgements
        ");
    }

    #[test]
    fn before_the_first_report_nothing_is_made_up() {
        let nodes = [("alice".to_owned(), Role::Client)];
        let figures = Figures::new(&nodes, &BTreeMap::new(), &BTreeMap::new());
        assert_eq!(figures.share, None);
        let text = figures.text(Output::plain());
        assert_eq!(
            text.lines().last().expect("lines").split_whitespace().nth(1),
            Some("-"),
            "{text}"
        );
    }
}
