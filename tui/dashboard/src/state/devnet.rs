//! A devnet as its event stream describes it.

use std::collections::HashSet;

use contract::{LinkEvent, NodeMetrics, Role, Time};
use control::{
    DevnetInfo, DirectoryState, Envelope, History, MessageStatus, NodeStatus, STOPS_WITH_ALL,
    Snapshot, State, StreamEvent, missed,
};
use directory_api::{MixMetric, Update};

use super::meter::WINDOW;
use super::names::Names;
use super::{
    Attacks, Journeys, Letter, Letters, Logs, Moment, Node, Presence, Problems, Traffic, Watch,
    traffic,
};

/// A devnet.
#[derive(Clone, Debug)]
pub(crate) struct Devnet {
    /// What it is.
    pub(crate) info: DevnetInfo,
    /// Its processes, in the order of the supervisor.
    pub(crate) nodes: Vec<Node>,
    names: Names,
    /// Whether the supervisor hears the directory.
    pub(crate) directory: DirectoryState,
    /// Who announces itself.
    pub(crate) presence: Presence,
    /// Messages underway and received.
    pub(crate) letters: Letters,
    /// The ways of their packets.
    pub(crate) journeys: Journeys,
    /// How long the packets are that leave clients and mixnodes, as the latest on a link was.
    pub(crate) packet_bytes: Option<u32>,
    /// The latest log lines.
    pub(crate) logs: Logs,
    /// What packets do over time.
    pub(crate) traffic: Traffic,
    /// Events that were lost because somebody did not read fast enough.
    pub(crate) lost: u64,
    /// What is wrong.
    pub(crate) problems: Problems,
    /// What an observer of the links makes of all this.
    pub(crate) watch: Watch,
    /// What somebody did to it, and what came of that.
    pub(crate) attacks: Attacks,
    /// The number of the latest event.
    seq: u64,
    /// The moment of the latest event.
    pub(crate) heard: Moment,
}

impl Devnet {
    /// The devnet of a snapshot. What a reader saw before the snapshot is kept where the snapshot
    /// cannot replace it: curves, heartbeats, log lines that the supervisor does not remember.
    pub(crate) fn new(snapshot: Snapshot, envelope: (u64, Moment), before: Option<Self>) -> Self {
        let (seq, heard) = envelope;
        let mut before = before.filter(|before| {
            before.info.supervisor_pid == snapshot.devnet.supervisor_pid
                && before.info.started_unix_ms == snapshot.devnet.started_unix_ms
        });
        let watch = before.as_mut().map(|before| {
            let watch = std::mem::take(&mut before.watch);
            if missed(before.seq, seq) == 0 { watch } else { watch.anew() }
        });
        let mut watch = watch.unwrap_or_default();
        watch.begin(heard.t, &snapshot);
        let nodes: Vec<Node> = snapshot.nodes.into_iter().map(Node::new).collect();
        let mut devnet = Self {
            info: snapshot.devnet,
            names: Names::of(&nodes),
            nodes,
            directory: snapshot.directory,
            presence: Presence::default(),
            letters: Letters::default(),
            journeys: Journeys::new(snapshot.journeys),
            packet_bytes: None,
            logs: Logs::default(),
            traffic: Traffic::default(),
            lost: 0,
            problems: Problems::default(),
            watch,
            attacks: Attacks::new(snapshot.attacks),
            seq,
            heard,
        };
        // What was there before anybody looked is not new to whoever looks first.
        let arrivals_are_new = before.is_some();
        if let Some(before) = before {
            devnet.letters = before.letters;
            devnet.lost = before.lost.saturating_add(missed(before.seq, seq));
            devnet.presence = before.presence;
            devnet.problems = before.problems;
            devnet.logs = before.logs;
            devnet.packet_bytes = before.packet_bytes;
            devnet.traffic = before.traffic;
            for mut known in before.nodes {
                if let Some(node) = devnet.node_mut(&known.status.name) {
                    known.update(node.status.clone());
                    *node = known;
                }
            }
        }
        devnet.traffic.asked(&devnet.info, heard);
        if let Some(topology) = &snapshot.topology {
            devnet.presence.list(topology);
        }
        devnet.name_announcers();
        devnet.logs.resume(snapshot.logs);
        devnet.letters.resume(snapshot.messages, snapshot.received, arrivals_are_new);
        for (name, metrics) in snapshot.metrics {
            devnet.count(&name, metrics);
        }
        for (name, usage) in snapshot.usage {
            if let Some(node) = devnet.node_mut(&name) {
                node.usage = Some(usage);
            }
        }
        devnet.look();
        devnet
    }

    /// The stream begins anew: what was in it meanwhile was missed.
    pub(crate) fn connected(&mut self) {
        self.watch = std::mem::take(&mut self.watch).anew();
    }

    /// Looks for what is wrong.
    fn look(&mut self) {
        let mut problems = std::mem::take(&mut self.problems);
        problems.look(self, self.heard);
        self.problems = problems;
    }

    /// Applies an event that is neither a snapshot nor the end.
    pub(crate) fn apply(&mut self, envelope: Envelope) {
        self.watch.hear(&envelope);
        self.seq = envelope.seq;
        self.heard = Moment { t: envelope.t, unix_ms: envelope.unix_ms };
        match envelope.event {
            StreamEvent::Snapshot(_)
            | StreamEvent::Origins { .. }
            | StreamEvent::Waits { .. }
            | StreamEvent::Passages { .. }
            | StreamEvent::Down { .. }
            | StreamEvent::Unknown => {}
            StreamEvent::Node(status) => self.update_node(status),
            StreamEvent::Removed { node } => self.remove_node(&node),
            StreamEvent::DirectoryLink { state } => self.directory = state,
            StreamEvent::Directory { node, update } => {
                if let Update::Metric(metric) = &update {
                    self.problems.directory_is_ahead(ahead_ms(envelope.unix_ms, metric));
                    self.mix_report(reported(self.heard, metric), node.as_deref(), metric);
                } else {
                    self.presence.hear(envelope.unix_ms, node, &update);
                    if matches!(update, Update::Snapshot { .. }) {
                        self.name_announcers();
                    }
                }
            }
            StreamEvent::Metrics { node, metrics } => self.count(&node, metrics),
            StreamEvent::Usage { node, usage } => {
                if let Some(node) = self.node_mut(&node) {
                    node.usage = Some(usage);
                }
            }
            StreamEvent::Links { src, links } => self.count_links(&src, &links),
            StreamEvent::Attack(status) => self.attacks.hear(status),
            StreamEvent::Message(status) => self.letters.update(status),
            StreamEvent::Journey(event) => self.journeys.hear(event),
            StreamEvent::Received(message) => self.letters.receive(message),
            StreamEvent::Log(line) => self.logs.push(line),
            StreamEvent::Lost { count, .. } => self.lost = self.lost.saturating_add(count),
        }
        if self.problems.is_due(self.heard.t) {
            self.look();
        }
    }

    /// The process of this name.
    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(self.names.place(name)?)
    }

    /// The newest message that this process sent, passed on, kept or received.
    pub(crate) fn newest_past(&self, node: &str) -> Option<&MessageStatus> {
        self.letters.sent().rev().find(|letter| {
            let route = letter.packets.iter().flat_map(|packet| &packet.route);
            letter.from == node || letter.to == node || route.into_iter().any(|hop| hop == node)
        })
    }

    /// Whether everything is being stopped, or is stopped.
    pub(crate) fn goes_down(&self) -> bool {
        self.nodes.iter().any(|node| {
            matches!(node.status.state, State::Stopping | State::Stopped)
                && node.status.reason.starts_with(STOPS_WITH_ALL)
        })
    }

    /// Processes of these roles, in order.
    pub(crate) fn with_role(&self, roles: &[Role]) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| roles.contains(&node.status.role))
    }

    /// Names of the clients that can send and receive.
    pub(crate) fn clients(&self) -> Vec<&str> {
        self.with_role(&[Role::Client]).map(Node::name).collect()
    }

    /// Whether a message belongs to what two clients write to each other: whichever of its ends is
    /// a client of this devnet is one of them. What has an end elsewhere is shown with the other.
    pub(crate) fn between<'a>(
        &'a self,
        (one, other): (&'a str, &'a str),
    ) -> impl Fn(&Letter) -> bool + 'a {
        let clients: HashSet<&str> = self.clients().into_iter().collect();
        let is_one = move |name: &str| name == one || name == other;
        move |letter| {
            let ends = [letter.from(), self.letters.recipient(letter)];
            let is_elsewhere = |name: &str| !clients.contains(name);
            ends.iter().flatten().any(|end| is_one(end))
                && ends.iter().flatten().all(|end| is_one(end) || is_elsewhere(end))
        }
    }

    /// What two clients wrote to each other is not new any more.
    pub(crate) fn look_between(&mut self, pair: (&str, &str)) {
        let between = self.between(pair);
        let seen = self.letters.all().filter(|letter| letter.is_new() && between(letter));
        let seen: Vec<String> = seen.map(|letter| letter.id.clone()).collect();
        drop(between);
        for id in seen {
            self.letters.look(&id);
        }
    }

    /// Packets that enter the mixnet per second: what the mixnodes of layer 1 take together. None
    /// while none of them reports, or if one is told not to.
    pub(crate) fn packets_per_second(&self, now: Moment) -> Option<f64> {
        let entry = || self.nodes.iter().filter(|node| node.status.layer == Some(1));
        if entry().any(Node::reports_no_metrics) {
            return None;
        }
        let rates = entry().filter_map(|node| node.received.rate(now.t));
        rates.fold(None, |sum, rate| Some(sum.unwrap_or(0.0) + rate))
    }

    fn node_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.nodes.get_mut(self.names.place(name)?)
    }

    fn update_node(&mut self, status: NodeStatus) {
        for key in &status.public_keys {
            self.presence.name(key, &status.name);
        }
        if let Some(node) = self.node_mut(&status.name) {
            let moved = node.status.addresses != status.addresses;
            node.update(status);
            if moved {
                self.names = Names::of(&self.nodes);
            }
            return;
        }
        // Beside those of its kind, before clients and crowd.
        let place = |status: &NodeStatus| (rank(status.role), status.layer);
        let new = place(&status);
        let at = self.nodes.partition_point(|node| place(&node.status) <= new);
        self.nodes.insert(at, Node::new(status));
        self.names = Names::of(&self.nodes);
    }

    /// The directory told what mixnodes reported before.
    pub(crate) fn recall(&mut self, history: &History) {
        let Self { traffic, names, .. } = self;
        traffic.recall(history, |name| names.place(name).is_some());
    }

    /// A process reported its counters.
    fn count(&mut self, name: &str, metrics: NodeMetrics) {
        let place = self.names.place(name);
        let Some(node) = place.and_then(|place| self.nodes.get_mut(place)) else { return };
        let who = (name, node.status.role);
        self.traffic.count(who, self.heard, node.metrics.as_ref(), &metrics);
        node.report(metrics);
    }

    /// It is not of the devnet any more, and nothing goes to it.
    fn remove_node(&mut self, name: &str) {
        self.traffic.forget(name);
        self.nodes.retain(|known| known.status.name != name);
        for node in &mut self.nodes {
            node.links.remove(name);
        }
        self.names = Names::of(&self.nodes);
    }

    fn name_announcers(&mut self) {
        let keys = self.nodes.iter().flat_map(|node| {
            node.status.public_keys.iter().map(|key| (key.as_str(), node.status.name.as_str()))
        });
        keys.for_each(|(key, name)| self.presence.name(key, name));
    }

    fn mix_report(&mut self, at: Time, name: Option<&str>, metric: &MixMetric) {
        let place = if let Some(name) = name {
            self.names.place(name)
        } else {
            let has_key = |node: &Node| node.status.public_keys.contains(&metric.pub_key);
            self.nodes.iter().position(has_key)
        };
        let Some(node) = place.and_then(|place| self.nodes.get_mut(place)) else { return };
        let hops: Vec<(String, u64)> = metric
            .sent
            .iter()
            .filter_map(|(address, &count)| Some((self.names.find(address)?.to_owned(), count)))
            .collect();
        for (next, count) in &hops {
            let link = node.link(next);
            link.pending = link.pending.saturating_add(*count);
        }
        let sent = metric.sent.values().fold(0, |sum: u64, &count| sum.saturating_add(count));
        let second = traffic::second(reported_unix(self.heard, at));
        self.traffic.mix_report(node.name(), second, (metric.received, sent), &hops);
        node.received.add(at, metric.received);
        node.sent.add(at, sent);
        // A report names only the hops that got a packet; the others got none.
        node.count_links(at);
    }

    fn count_links(&mut self, src: &str, links: &[LinkEvent]) {
        // What a provider sends to a client is no packet, but what was in one.
        if self.node(src).is_some_and(|node| node.status.role != Role::Provider)
            && let Some(link) = links.last()
        {
            self.packet_bytes = Some(link.bytes);
        }
        let place = self.names.place(src);
        let Some(node) = place.and_then(|place| self.nodes.get_mut(place)) else { return };
        // A mixnode's are counted as the directory reports them.
        let counted = u64::from(node.status.role != Role::Mixnode);
        for event in links {
            if let Some(next) = self.names.find(&event.dst) {
                let link = node.link(next);
                link.pending = link.pending.saturating_add(counted);
                link.left(event.t);
            }
        }
    }
}

/// In which order the supervisor lists roles.
fn rank(role: Role) -> u8 {
    match role {
        Role::Directory => 0,
        Role::Mixnode => 1,
        Role::Provider => 2,
        Role::Client => 3,
        Role::Crowd => 4,
    }
}

/// How far the directory's clock is ahead of the supervisor's, in milliseconds.
fn ahead_ms(unix_ms: u64, metric: &MixMetric) -> i64 {
    (metric.timestamp / 1_000_000).saturating_sub(i64::try_from(unix_ms).unwrap_or(i64::MAX))
}

/// When the directory got a report, by the supervisor's clock. Reports may reach us in a bunch, and
/// rates should not show that.
fn reported(heard: Moment, metric: &MixMetric) -> Time {
    let unix_ms = u64::try_from(metric.timestamp / 1_000_000).unwrap_or(heard.unix_ms);
    let lag = heard.since_unix_ms(unix_ms).min(WINDOW);
    let nanos = u64::try_from(lag.as_nanos()).unwrap_or(u64::MAX);
    Time::from_nanos(heard.t.as_nanos().saturating_sub(nanos))
}

/// The moment of a report, by both clocks.
fn reported_unix(heard: Moment, at: Time) -> Moment {
    let lag = u64::try_from(heard.t.saturating_since(at).as_millis()).unwrap_or(0);
    Moment { t: at, unix_ms: heard.unix_ms.saturating_sub(lag) }
}

#[cfg(test)]
mod tests;
