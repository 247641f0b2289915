//! What a lesson can know of the running devnet: the closed set of facts that expressions name.
//!
//! [`Facts`] hears the event stream like a screen does, and counts from the moment at which the lesson
//! began. [`Known`] is what it knows at one moment. There is no clock: time is that of the events.

mod attacks;
mod counts;
mod known;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::{Role, Time};
use control::{DevnetInfo, Envelope, NodeStatus, Snapshot, State, StreamEvent};
use directory_api::Update;
use vantage::{Vantage, WINDOW, Who};

pub use known::Known;
pub use list::{FACTS, Fact, Missing};

use counts::Counts;

/// How many mean ways a network takes to forget what it was before a change: of four all but two packets in
/// a hundred of three hops are out.
const SETTLED_WAYS: f64 = 2.0;

/// What is known of a devnet since a lesson began.
#[derive(Debug, Default)]
pub struct Facts {
    vantage: Vantage,
    info: Option<DevnetInfo>,
    nodes: BTreeMap<String, NodeStatus>,
    /// Nodes that the directory lists, by name.
    listed: BTreeSet<String>,
    counts: Counts,
    now: Option<Time>,
    began: Option<Time>,
    /// When rates, or the nodes that carry packets, changed last.
    changed: Option<Time>,
}

impl Facts {
    /// The stream says something.
    pub fn hear(&mut self, envelope: &Envelope) {
        self.now = Some(envelope.t);
        self.vantage.hear(envelope);
        match &envelope.event {
            StreamEvent::Snapshot(snapshot) => self.snapshot(snapshot),
            StreamEvent::Node(status) => {
                if self.nodes.get(&status.name).map(|known| known.state) != Some(status.state) {
                    self.change();
                }
                self.nodes.insert(status.name.clone(), status.clone());
            }
            StreamEvent::Removed { node } => {
                self.nodes.remove(node);
                self.listed.remove(node);
                self.change();
            }
            StreamEvent::Directory { node, update } => self.directory(node.as_deref(), update),
            event => {
                let layer = |name: &str| self.nodes.get(name).and_then(|node| node.layer);
                self.counts.hear(event, layer);
            }
        }
    }

    fn change(&mut self) {
        self.changed = self.now;
        self.counts.change(self.now.unwrap_or_default());
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        if self.info.as_ref().map(parameters) != Some(parameters(&snapshot.devnet)) {
            self.change();
        }
        self.info = Some(snapshot.devnet.clone());
        self.nodes = snapshot.nodes.iter().map(|node| (node.name.clone(), node.clone())).collect();
        if let Some(topology) = &snapshot.topology {
            self.list(topology);
        }
        self.counts.snapshot(snapshot);
    }

    fn directory(&mut self, node: Option<&str>, update: &Update) {
        match (node, update) {
            (_, Update::Snapshot { topology }) => self.list(topology),
            (Some(node), Update::MixNode(_) | Update::Gateway(_)) => {
                self.listed.insert(node.into());
            }
            (Some(node), Update::Left { .. } | Update::Gone { .. } | Update::Disallowed { .. }) => {
                self.listed.remove(node);
            }
            _ => {}
        }
    }

    fn list(&mut self, topology: &directory_api::Topology) {
        let keys = topology.mix_nodes.iter().map(|node| node.pub_key.as_str());
        let keys: BTreeSet<&str> =
            keys.chain(topology.gateway_nodes.iter().map(|node| node.pub_key.as_str())).collect();
        let is_listed =
            |node: &&NodeStatus| node.public_keys.iter().any(|key| keys.contains(key.as_str()));
        self.listed = self.nodes.values().filter(is_listed).map(|node| node.name.clone()).collect();
    }

    /// The lesson begins: from now on it is counted.
    pub fn begin(&mut self) {
        self.began = self.now;
        self.counts.begin();
    }

    /// Who watches; says whether its nodes are known.
    pub fn watch_as(&mut self, who: Who) -> bool {
        self.vantage.set_who(who)
    }

    /// The observer begins to look for whoever writes to this client; says whether it is known.
    pub fn look_for_who_writes_to(&mut self, recipient: &str) -> bool {
        self.vantage.look_for_who_writes_to(recipient)
    }

    /// The observer begins to ask whether this client has something to say; says whether it is known.
    pub fn look_whether_it_sends(&mut self, client: &str) -> bool {
        self.vantage.look_whether_it_sends(client)
    }

    /// Messages accepted since the lesson began that have not left their senders.
    pub fn queued(&self) -> usize {
        self.counts.queued()
    }

    /// The devnet, once it is known.
    pub fn devnet(&self) -> Option<&DevnetInfo> {
        self.info.as_ref()
    }

    /// Its processes.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeStatus> + Clone {
        self.nodes.values()
    }

    /// Whether the observer knows of everybody who sends. It puts in order what it hears, so that it learns of
    /// it a moment later.
    pub fn knows_everybody(&self) -> bool {
        let senders = self.nodes.values().map(|node| match node.role {
            Role::Client => 1,
            Role::Crowd => node.public_keys.len(),
            _ => 0,
        });
        self.vantage.senders().len() >= senders.sum()
    }

    /// The observer behind the facts: what it sees and what is true.
    pub fn vantage(&self) -> &Vantage {
        &self.vantage
    }

    /// Everything that is known now.
    pub fn known(&self) -> Arc<Known> {
        let mut known = Known::default();
        if let Some(info) = &self.info {
            of_settings(info, &mut known);
        }
        self.of_nodes(&mut known);
        self.of_observer(&mut known);
        self.counts.tell(self.now.unwrap_or_default(), &mut known);
        Arc::new(known)
    }

    fn of_nodes(&self, known: &mut Known) {
        let mut are_ready = !self.nodes.is_empty();
        for node in self.nodes.values() {
            known.set_of("state", &[&node.name], node.state.word());
            known.set_of("is_listed", &[&node.name], u8::from(self.listed.contains(&node.name)));
            known.set_of("restarts", &[&node.name], node.restarts);
            are_ready &= node.state == State::Ready;
        }
        known.set("all_ready", are_ready);
    }

    fn of_observer(&self, known: &mut Known) {
        let Some(settings) = self.vantage.settings() else { return };
        let since = |time: Option<Time>| {
            let now = self.now.unwrap_or_default().as_nanos();
            Duration::from_nanos(now.saturating_sub(time.unwrap_or_default().as_nanos()))
        };
        let way = f64::from(settings.layers) * settings.hop_delay_s;
        let settle = Duration::try_from_secs_f64(SETTLED_WAYS * way).unwrap_or_default();
        let settled = since(self.changed.max(self.began)).saturating_sub(settle);
        known.set("settled_s", settled.as_secs_f64());
        known.set("lesson_s", since(self.began).as_secs_f64());
        let Some(report) = self.vantage.report(settled.min(WINDOW)) else { return };
        known.set("senders", report.settings.senders);
        known.set("most_bits", report.most_bits);
        known.set("rate_of_one", report.settings.rate_of_one());
        known.set("expected_rate", report.expected.rate);
        known.set("expected_way_s", way);
        known.set("expected_latency_s", report.expected.latency_s);
        known.set("cost_bytes_per_s", report.expected.cost_bytes_per_s);
        if let Some(guess) = &report.guess {
            known.set("suspect_packets", guess.packets);
            for (place, ranked) in (1_u32..).zip(&guess.ranking) {
                known.set_of("rank", &[&ranked.name], place);
                known.set_of("odds", &[&ranked.name], ranked.odds);
            }
        }
        if let Some(sending) = &report.sending {
            known.set("sending", sending.answer);
            known.set("sending_odds", sending.odds);
        }
        let of_measured = report.expected_as_measured.unwrap_or(report.expected);
        known.set("pool_expected", of_measured.pool);
        known.set("expected_bits", of_measured.sender_bits);
        known.set("expected_packet_bits", of_measured.packet_bits);
        if settled.is_zero() {
            return;
        }
        known.set("rate", report.rate);
        known.set("acks_rate", report.acks);
        known.set("measured", report.sender.map_or(0, |sender| sender.packets));
        known.set_if("pool", report.pool);
        known.set_if("packet_bits", report.packet_bits);
        known.set_if("delay_distance", report.delay_distance);
        if let Some(sender) = report.sender {
            known.set("sender_bits", sender.bits);
            known.set("worst_bits", sender.worst_bits);
            known.set("like", sender.like);
            known.set("top_share", sender.top_share);
        }
        for pool in &report.pools {
            if let Some(mean) = pool.mean {
                known.set_of("pool_of", &[&pool.node], mean);
            }
        }
    }
}

/// What it is set to.
fn of_settings(info: &DevnetInfo, known: &mut Known) {
    known.set("layers", info.layers);
    known.set("width", info.widths.iter().copied().min().unwrap_or(0));
    let mixes = info.widths.iter().copied().map(u32::from).sum::<u32>();
    known.set("mixes", mixes);
    known.set("routes", info.widths.iter().copied().map(f64::from).product::<f64>());
    known.set("clients", info.clients);
    known.set("crowd", info.crowd);
    known.set("hop_delay_s", info.hop_delay_ms / 1000.0);
    known.set("slot_s", info.slot_ms / 1000.0);
    known.set("loop_cover_s", info.loop_cover_ms / 1000.0);
    known.set("presence_timeout_s", directory_api::PRESENCE_TIMEOUT.as_secs_f64());
    known.set("slot_cover", info.slot_cover);
    known.set("acks", info.acks);
    known.set("faithful", info.faithful);
}

/// What of a devnet decides how packets travel.
fn parameters(info: &DevnetInfo) -> (&[u16], u16, [u64; 3], bool) {
    let rates = [info.hop_delay_ms, info.slot_ms, info.loop_cover_ms].map(f64::to_bits);
    (&info.widths, info.crowd, rates, info.slot_cover)
}
