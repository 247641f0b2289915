//! Everything that is known about a running devnet. Each change goes out as an event; together they
//! are the snapshot.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use contract::{Answer, Endpoint, LinkEvent, MessageEvent, NodeMetrics, Role, Time};
use control::{
    AttackStatus, DevnetInfo, DirectoryState, LogLine, MessageStatus, NodeRates, NodeStatus,
    ProcessUsage, Snapshot, StreamEvent,
};
use directory_api::Frame;

use crate::attacks::{Attacks, Begin};
use crate::child::Source;
use crate::clock::Moment;
use crate::hub::{Hub, Listener, Subscription};
use crate::journeys::{Batch, Journeys, News, Passages};
use crate::messages::Messages;
use crate::names::Names;
use crate::presence::{Presence, key_of};
use crate::rates::RateWindow;
use crate::rings::{LogRing, ReceivedRing};
use crate::waits::Waits;

/// Processes report their counters every second. After three reports that did not come, the rates
/// of the last ones say nothing about now.
const RATES_AGE: Duration = Duration::from_millis(3500);

/// The state of a devnet and the stream of its changes.
#[derive(Debug)]
pub(crate) struct Store {
    devnet: DevnetInfo,
    devnet_changed: bool,
    /// In the order in which they are shown.
    nodes: Vec<NodeStatus>,
    directory: DirectoryState,
    presence: Presence,
    metrics: BTreeMap<String, NodeMetrics>,
    windows: HashMap<String, RateWindow>,
    rates: BTreeMap<String, NodeRates>,
    usage: BTreeMap<String, ProcessUsage>,
    messages: Messages,
    journeys: Journeys,
    passages: Passages,
    waits: Waits,
    attacks: Attacks,
    received: ReceivedRing,
    logs: LogRing,
    names: Names,
    hub: Hub,
}

impl Store {
    pub(crate) fn new(devnet: DevnetInfo, nodes: Vec<NodeStatus>) -> Self {
        Self {
            devnet,
            devnet_changed: false,
            nodes,
            directory: DirectoryState::Connecting,
            presence: Presence::default(),
            metrics: BTreeMap::new(),
            windows: HashMap::new(),
            rates: BTreeMap::new(),
            usage: BTreeMap::new(),
            messages: Messages::default(),
            journeys: Journeys::default(),
            passages: Passages::default(),
            waits: Waits::default(),
            attacks: Attacks::default(),
            received: ReceivedRing::default(),
            logs: LogRing::default(),
            names: Names::default(),
            hub: Hub::default(),
        }
    }

    pub(crate) fn nodes(&self) -> &[NodeStatus] {
        &self.nodes
    }

    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeStatus> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The names by which nodes are known.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// One more node, in front of the one with this index.
    pub(crate) fn insert_node(&mut self, at: Moment, index: usize, status: NodeStatus) {
        self.nodes.insert(index, status.clone());
        self.hub.publish(at, StreamEvent::Node(status));
    }

    /// One node less. What it logged and what it sent stays.
    pub(crate) fn remove_node(&mut self, at: Moment, index: usize) {
        let NodeStatus { name, .. } = self.nodes.remove(index);
        self.metrics.remove(&name);
        self.windows.remove(&name);
        self.rates.remove(&name);
        self.usage.remove(&name);
        self.names.forget(&name);
        self.waits.forget(&name);
        self.hub.publish(at, StreamEvent::Removed { node: name });
    }

    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    pub(crate) fn message(&self, id: &str) -> Option<&MessageStatus> {
        self.messages.get(id)
    }

    /// Whether it is known what a node's process uses.
    pub(crate) fn has_usage(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| self.usage.contains_key(&node.name))
    }

    pub(crate) fn snapshot(&self, at: Moment) -> Snapshot {
        let is_recent = |name: &String| {
            let reported = self.metrics.get(name);
            reported.is_some_and(|metrics| at.t.saturating_since(metrics.t) <= RATES_AGE)
        };
        let rates = self.rates.iter().filter(|(name, _)| is_recent(name));
        Snapshot {
            devnet: self.devnet.clone(),
            nodes: self.nodes.clone(),
            directory: self.directory.clone(),
            topology: self.presence.topology().cloned(),
            metrics: self.metrics.clone(),
            rates: rates.map(|(name, rates)| (name.clone(), *rates)).collect(),
            usage: self.usage.clone(),
            messages: self.messages.all(),
            journeys: self.journeys.all(),
            attacks: self.attacks.all(),
            received: self.received.all(),
            logs: self.logs.all(),
        }
    }

    pub(crate) fn subscribe(&mut self, at: Moment) -> Subscription {
        if let Some(subscription) = self.hub.join() {
            return subscription;
        }
        let snapshot = self.snapshot(at);
        self.hub.subscribe(at, snapshot)
    }

    /// Whether everybody was told this of the devnet.
    pub(crate) fn has_notice(&self, notice: &str) -> bool {
        self.devnet.notices.iter().any(|told| told == notice)
    }

    /// Changes the devnet itself; [`show_devnet`](Self::show_devnet) makes it public.
    pub(crate) fn change_devnet(&mut self, change: impl FnOnce(&mut DevnetInfo)) {
        change(&mut self.devnet);
        self.devnet_changed = true;
    }

    /// Publishes a change of the devnet itself. There is no event for it, so everybody gets a
    /// snapshot: it happens a handful of times in a devnet's life.
    pub(crate) fn show_devnet(&mut self, at: Moment) {
        if std::mem::take(&mut self.devnet_changed) {
            let snapshot = StreamEvent::Snapshot(Box::new(self.snapshot(at)));
            self.hub.publish(at, snapshot);
        }
    }

    /// Whether something changed that was not published yet.
    pub(crate) fn has_hidden_changes(&self) -> bool {
        self.devnet_changed || self.messages.has_changed()
    }

    /// Packets of the messages that changed and were not published yet.
    pub(crate) fn hidden_packets(&self) -> usize {
        self.messages.changed_packets()
    }

    /// Changes what is known of a node.
    pub(crate) fn change_node(
        &mut self,
        at: Moment,
        node: usize,
        change: impl FnOnce(&mut NodeStatus),
    ) {
        let Some(status) = self.nodes.get_mut(node) else { return };
        let before = status.clone();
        change(status);
        if *status == before {
            return;
        }
        if status.state != before.state {
            status.since_unix_ms = at.unix_ms();
        }
        if status.pid != before.pid {
            // The figures were those of another process.
            self.metrics.remove(&status.name);
            self.windows.remove(&status.name);
            self.rates.remove(&status.name);
            self.usage.remove(&status.name);
        }
        if let Some(address) = status.addresses.get(&Endpoint::Mix) {
            self.names.learn(&address.to_string(), &status.name);
        }
        if status.role != Role::Crowd {
            for known_by in status.public_keys.iter().chain(&status.address) {
                self.names.learn(known_by, &status.name);
            }
        } else if status.public_keys != before.public_keys {
            self.names.learn_identities(&status.name, &status.public_keys);
        }
        let event = StreamEvent::Node(status.clone());
        self.hub.publish(at, event);
    }

    pub(crate) fn directory_link(&mut self, at: Moment, state: DirectoryState) {
        self.directory = state.clone();
        self.hub.publish(at, StreamEvent::DirectoryLink { state });
    }

    pub(crate) fn directory_frame(&mut self, at: Moment, frame: Frame) {
        self.presence.apply(&frame);
        let node = key_of(&frame.update).and_then(|key| self.names.find(key)).map(String::from);
        self.hub.publish(at, StreamEvent::Directory { node, update: frame.update });
    }

    pub(crate) fn metrics(&mut self, at: Moment, node: usize, metrics: NodeMetrics) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        if let Some(rates) = self.windows.entry(name.clone()).or_default().add(&metrics) {
            self.rates.insert(name.clone(), rates);
        }
        self.metrics.insert(name.clone(), metrics.clone());
        self.attacks.hear_metrics(at.t, name, &metrics);
        self.hub.publish(at, StreamEvent::Metrics { node: name.clone(), metrics });
        self.show_attacks(at);
    }

    pub(crate) fn usage(&mut self, at: Moment, node: usize, usage: ProcessUsage) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.usage.insert(name.clone(), usage);
        self.hub.publish(at, StreamEvent::Usage { node: name.clone(), usage });
    }

    /// Packets left a node, and more than it tells of.
    pub(crate) fn links(&mut self, at: Moment, node: usize, mut links: Vec<LinkEvent>, lost: u64) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        for link in &mut links {
            if let Some(name) = self.names.find(&link.dst) {
                link.dst = name.into();
            }
        }
        self.attacks.hear_links(name, &links);
        if self.hub.has_insiders() {
            self.passages.hear_links(name, &links, |node| self.hub.is_confided(node));
        }
        self.hub.publish(at, StreamEvent::Links { src: name.clone(), links });
        self.tell_passages(at);
        if lost > 0 {
            self.lost(at, node, lost, lost);
        }
    }

    /// Lets these nodes tell what they know of packets.
    pub(crate) fn confide(&mut self, nodes: &[String]) -> Listener {
        self.hub.confide(nodes)
    }

    /// Whether nodes tell of packets at all.
    pub(crate) fn traces(&self) -> bool {
        self.devnet.trace
    }

    /// Tells what nodes know of packets to those who listen to them.
    fn tell_passages(&mut self, at: Moment) {
        for (node, passages) in self.passages.known(at.t) {
            self.hub.tell(at, &node, passages);
        }
    }

    pub(crate) fn message_event(&mut self, at: Moment, node: usize, event: MessageEvent) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        if self.hub.has_insiders() {
            self.passages.hear_message(at.t, name, &event);
        }
        let news = self.journeys.hear_message(at.t, name, &event, &self.names);
        if let Some(received) = self.messages.handle(at, name, event, &self.names) {
            self.received.push(received.clone());
            self.hub.publish(at, StreamEvent::Received(received));
        }
        self.show_messages(at, false);
        // After the message itself: who reads in order knows whose way it is.
        self.tell_ways(at, news);
    }

    /// A node told what became of packets.
    pub(crate) fn packets(&mut self, at: Moment, node: usize, batch: Batch) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.attacks.hear_packets(at.t, name, &batch.packets, &self.names);
        if self.hub.has_insiders() {
            let is_asked = |node: &str| self.hub.is_confided(node);
            self.passages.hear_packets(at.t, name, &batch.packets, &self.names, is_asked);
        } else {
            self.passages.forget();
        }
        let waits = self.waits.hear(at.t, name, &batch.packets);
        let news = self.journeys.hear_packets(at.t, name, batch.packets, &self.names);
        if let Some(waits_us) = waits {
            self.hub.publish(at, StreamEvent::Waits { node: name.clone(), waits_us });
        }
        self.tell_ways(at, news);
        self.tell_passages(at);
        self.show_attacks(at);
        if batch.lost > 0 {
            self.lost(at, node, batch.lost, 0);
        }
    }

    /// An attack begins; what begins it is told what nodes have counted, and whether they tell of packets.
    pub(crate) fn begin_attack<'a>(
        &'a mut self,
        at: Moment,
        begin: impl FnOnce(&'a BTreeMap<String, NodeMetrics>, bool) -> Begin<'a>,
    ) -> u64 {
        self.attacks.begin(at, begin(&self.metrics, self.devnet.trace))
    }

    /// The attack with this id.
    pub(crate) fn attack(&self, id: u64) -> Option<&AttackStatus> {
        self.attacks.get(id)
    }

    /// Whether as many attacks are underway as may be.
    pub(crate) fn attacks_are_full(&self) -> bool {
        self.attacks.is_full()
    }

    /// Whether an attack keeps others from this mixnode.
    pub(crate) fn is_isolated(&self, mix: &str) -> bool {
        self.attacks.isolates(mix)
    }

    /// When something is due of attacks.
    pub(crate) fn attack_deadline(&self) -> Option<Time> {
        self.attacks.next_deadline()
    }

    /// Ends attacks of which nothing more will be heard.
    pub(crate) fn expire_attacks(&mut self, at: Moment) {
        self.attacks.expire(at.t);
        self.show_attacks(at);
    }

    /// A process answered. Gives back the answer if it is none to an attack.
    pub(crate) fn attack_answered(
        &mut self,
        at: Moment,
        source: Source,
        answer: Answer,
    ) -> Option<Answer> {
        let answer = self.attacks.answered(at.t, source, answer, &self.names);
        self.show_attacks(at);
        answer
    }

    /// The process of a node ended.
    pub(crate) fn attacked_ended(&mut self, at: Moment, source: Source, node: usize, why: &str) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.attacks.process_ended(at.t, source, name, why);
        self.show_attacks(at);
    }

    /// The devnet ends: so do attacks.
    pub(crate) fn give_up_attacks(&mut self, at: Moment, why: &str) {
        self.attacks.give_up(at.t, why);
        self.show_attacks(at);
    }

    /// Publishes what is new of attacks.
    pub(crate) fn show_attacks(&mut self, at: Moment) {
        for attack in self.attacks.take_news() {
            self.hub.publish(at, StreamEvent::Attack(attack));
        }
    }

    fn tell_ways(&mut self, at: Moment, News { steps, origins }: News) {
        for step in steps {
            self.hub.publish(at, StreamEvent::Journey(step));
        }
        if !origins.is_empty() {
            self.hub.publish(at, StreamEvent::Origins { packets: origins });
        }
    }

    /// Publishes messages that changed: every step of them, or only changes of state.
    pub(crate) fn show_messages(&mut self, at: Moment, all: bool) {
        for message in self.messages.take_changed(all) {
            self.hub.publish(at, StreamEvent::Message(message));
        }
    }

    pub(crate) fn log(&mut self, at: Moment, node: &str, line: String) {
        let line = LogLine { node: node.into(), unix_ms: at.unix_ms(), line };
        self.logs.push(line.clone());
        self.hub.publish(at, StreamEvent::Log(line));
    }

    /// Events of a node did not fit, and so many packets on links with them.
    pub(crate) fn lost(&mut self, at: Moment, node: usize, count: u64, links: u64) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.hub.publish(at, StreamEvent::Lost { node: name.clone(), count, links });
    }

    pub(crate) fn down(&mut self, at: Moment, reason: String) {
        self.hub.publish(at, StreamEvent::Down { reason });
    }
}

#[cfg(test)]
mod tests;
