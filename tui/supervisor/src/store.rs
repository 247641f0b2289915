//! Everything that is known about a running devnet. Each change goes out as an event; together they
//! are the snapshot.

use std::collections::{BTreeMap, HashMap};

use contract::{Endpoint, LinkEvent, MessageEvent, NodeMetrics, Time};
use control::{
    DevnetInfo, DirectoryState, Inbox, LogLine, MessageStatus, NodeRates, NodeStatus, ProcessUsage,
    Snapshot, StreamEvent,
};
use directory_api::Frame;

use crate::clock::Moment;
use crate::hub::{Hub, Subscription};
use crate::messages::Messages;
use crate::names::Names;
use crate::presence::{Presence, key_of};
use crate::rates::RateWindow;
use crate::rings::{LogRing, ReceivedRing};

/// The state of a devnet and the stream of its changes.
#[derive(Debug)]
pub(crate) struct Store {
    devnet: DevnetInfo,
    devnet_changed: bool,
    /// In the order of the plan.
    nodes: Vec<NodeStatus>,
    directory: DirectoryState,
    presence: Presence,
    metrics: BTreeMap<String, NodeMetrics>,
    windows: HashMap<String, RateWindow>,
    rates: BTreeMap<String, NodeRates>,
    usage: BTreeMap<String, ProcessUsage>,
    messages: Messages,
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
            received: ReceivedRing::default(),
            logs: LogRing::default(),
            names: Names::default(),
            hub: Hub::new(),
        }
    }

    pub(crate) fn nodes(&self) -> &[NodeStatus] {
        &self.nodes
    }

    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    pub(crate) fn message(&self, id: &str) -> Option<&MessageStatus> {
        self.messages.get(id)
    }

    pub(crate) fn inbox(&self, client: &str) -> Inbox {
        self.received.inbox(client)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            devnet: self.devnet.clone(),
            nodes: self.nodes.clone(),
            directory: self.directory.clone(),
            topology: self.presence.topology().cloned(),
            metrics: self.metrics.clone(),
            rates: self.rates.clone(),
            usage: self.usage.clone(),
            messages: self.messages.all(),
            received: self.received.all(),
            logs: self.logs.all(),
        }
    }

    pub(crate) fn subscribe(&self, at: Moment) -> Subscription {
        self.hub.subscribe(at, self.snapshot())
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
            let snapshot = StreamEvent::Snapshot(Box::new(self.snapshot()));
            self.hub.publish(at, snapshot);
        }
    }

    /// Whether something changed that was not published yet.
    pub(crate) fn has_hidden_changes(&self) -> bool {
        self.devnet_changed || self.messages.has_changed()
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
        for known_by in status.public_keys.iter().chain(&status.address) {
            self.names.learn(known_by, &status.name);
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
        self.hub.publish(at, StreamEvent::Metrics { node: name.clone(), metrics });
    }

    pub(crate) fn usage(&mut self, at: Moment, node: usize, usage: ProcessUsage) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.usage.insert(name.clone(), usage);
        self.hub.publish(at, StreamEvent::Usage { node: name.clone(), usage });
    }

    pub(crate) fn links(&mut self, at: Moment, node: usize, mut links: Vec<LinkEvent>) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        for link in &mut links {
            if let Some(name) = self.names.find(&link.dst) {
                link.dst = name.into();
            }
        }
        self.hub.publish(at, StreamEvent::Links { src: name.clone(), links });
    }

    pub(crate) fn message_event(&mut self, at: Moment, node: usize, event: MessageEvent) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        if let Some(received) = self.messages.handle(at, name, event, &self.names) {
            self.received.push(received.clone());
            self.hub.publish(at, StreamEvent::Received(received));
        }
        self.show_messages(at, false);
    }

    /// A process ended, and with it the sender of its messages. Gives back the messages that failed.
    pub(crate) fn sender_ended(&mut self, at: Moment, node: usize, how: &str) -> Vec<String> {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return Vec::new() };
        let failed = self.messages.sender_ended(at.t, name, how);
        self.show_messages(at, false);
        failed
    }

    /// When [`give_up_messages`](Self::give_up_messages) has something to do.
    pub(crate) fn next_wake(&self) -> Option<Time> {
        self.messages.next_wake()
    }

    /// Gives up messages that went on without their sender for too long; gives back which.
    pub(crate) fn give_up_messages(&mut self, at: Moment) -> Vec<String> {
        let failed = self.messages.give_up(at.t);
        self.show_messages(at, false);
        failed
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

    pub(crate) fn lost(&mut self, at: Moment, node: usize, count: u64) {
        let Some(NodeStatus { name, .. }) = self.nodes.get(node) else { return };
        self.hub.publish(at, StreamEvent::Lost { node: name.clone(), count });
    }

    pub(crate) fn down(&mut self, at: Moment, reason: String) {
        self.hub.publish(at, StreamEvent::Down { reason });
    }
}
