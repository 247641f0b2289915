//! The network that a lesson needs, how a running devnet becomes one, and how it becomes again what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::Role;
use control::{DevnetInfo, NodeStatus, State};
use serde::{Deserialize, Serialize};

use crate::action::{Action, Set, Span};
use crate::facts::Known;

/// The clients that every lesson has: who writes, and to whom.
pub const CLIENTS: [&str; 2] = ["alice", "bob"];

/// What a lesson needs. What is not named is as in [`Needs::default`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Needs {
    /// Layers. A running devnet cannot change them.
    pub layers: u8,
    /// Mixnodes in each layer.
    pub width: u16,
    /// Identities of the crowd.
    pub crowd: u16,
    /// Mean delay at a mixnode.
    pub hop: Span,
    /// Mean interval of send slots.
    pub slot: Span,
    /// Mean interval of loop cover.
    pub cover: Span,
    /// Whether packets are acknowledged; without it, as it is. A running devnet cannot change it.
    pub acks: Option<bool>,
    /// Whether nodes leave out checks, as those of 2020. Only a sabotage asks for that.
    #[serde(skip)]
    pub faithful: bool,
}

/// The network of most lessons: ten who send at the rates of 2020, of which eight are a crowd.
impl Default for Needs {
    fn default() -> Self {
        Self {
            layers: 3,
            width: 2,
            crowd: 8,
            hop: Span(Duration::from_millis(200)),
            slot: Span(Duration::from_millis(500)),
            cover: Span(Duration::from_secs(1)),
            acks: None,
            faithful: false,
        }
    }
}

/// Why a running devnet cannot be the network of a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What it has or lacks, as a sentence without a full stop.
    pub why: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unfit {}

impl Needs {
    /// The same, so many times faster: pools are as large, for delays are as much shorter as rates are
    /// greater.
    #[must_use]
    pub fn faster(&self, times: u32) -> Self {
        Self {
            hop: self.hop.faster(times),
            slot: self.slot.faster(times),
            cover: self.cover.faster(times),
            ..self.clone()
        }
    }

    /// Fields of the layout of such a network, and their values.
    pub fn layout(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("layers", self.layers.to_string()),
            ("width", self.width.to_string()),
            ("clients", CLIENTS.len().to_string()),
            ("crowd", self.crowd.to_string()),
            ("profile", "classic".into()),
            ("hop-delay", self.hop.to_string()),
            ("slot", self.slot.to_string()),
            ("loop-cover", self.cover.to_string()),
            ("trace", "true".into()),
            ("faithful", self.faithful.to_string()),
        ];
        if let Some(acks) = self.acks {
            fields.push(("acks", acks.to_string()));
        }
        fields
    }

    /// What is known of such a network before anything is measured.
    pub fn known(&self) -> Arc<Known> {
        let mut known = Known::default();
        let (layers, width) = (f64::from(self.layers), f64::from(self.width));
        let seconds = |span: Span| span.0.as_secs_f64();
        let clients = u8::try_from(CLIENTS.len()).unwrap_or(u8::MAX);
        known.set("layers", layers);
        known.set("width", width);
        known.set("mixes", layers * width);
        known.set("routes", width.powf(layers));
        known.set("clients", clients);
        known.set("crowd", self.crowd);
        known.set("senders", u16::from(clients) + self.crowd);
        known.set("hop_delay_s", seconds(self.hop));
        known.set("slot_s", seconds(self.slot));
        known.set("loop_cover_s", seconds(self.cover));
        // A client sends in each slot, and cover besides.
        known.set("rate_of_one", seconds(self.slot).recip() + seconds(self.cover).recip());
        known.set("presence_timeout_s", directory_api::PRESENCE_TIMEOUT.as_secs_f64());
        known.set_if("acks", self.acks);
        known.set("faithful", self.faithful);
        known.set("slot_cover", true);
        Arc::new(known)
    }

    /// What a running devnet lacks that cannot be changed while it runs.
    pub fn check(&self, info: &DevnetInfo) -> Result<(), Unfit> {
        let unfit = |why: String| Err(Unfit { why });
        if info.layers != self.layers {
            return unfit(format!("it has {} layers, not {}", info.layers, self.layers));
        }
        if let Some(acks) = self.acks.filter(|acks| *acks != info.acks) {
            let word = |is: bool| if is { "on" } else { "off" };
            return unfit(format!("it has --acks {}, not {}", word(info.acks), word(acks)));
        }
        if info.faithful && !self.faithful {
            return unfit("it has --faithful, and so leaves out checks that lessons show".into());
        }
        if self.faithful && !info.faithful {
            return unfit("it does not have --faithful".into());
        }
        if !info.trace {
            return unfit("it has --trace off, so that nodes do not tell of packets".into());
        }
        Ok(())
    }

    /// What makes a running devnet the one that is needed.
    pub fn fit<'a>(
        &self,
        info: &DevnetInfo,
        nodes: impl Iterator<Item = &'a NodeStatus> + Clone,
    ) -> Result<Vec<Action>, Unfit> {
        self.check(info)?;
        let mut actions = Vec::new();
        for name in CLIENTS {
            if !nodes.clone().any(|node| node.role == Role::Client && node.name == name) {
                actions.push(Action::AddClient(name.into()));
            }
        }
        for layer in 1..=self.layers {
            let mixes: BTreeMap<u16, &str> = nodes
                .clone()
                .filter(|node| node.layer == Some(layer))
                .filter_map(|node| Some((number(&node.name)?, node.name.as_str())))
                .collect();
            // Lessons name the first ones. Who is added gets the first number that is free.
            let missing = (1..=self.width).filter(|number| !mixes.contains_key(number));
            actions.extend(missing.map(|_| Action::AddMix(layer)));
            let others = mixes.range(self.width.saturating_add(1)..);
            actions.extend(others.map(|(_, name)| Action::Remove((*name).to_owned())));
        }
        for node in nodes.filter(|node| is_named(node.role)) {
            match node.state {
                State::Paused => actions.push(Action::Resume(node.name.clone())),
                State::Stopped | State::Failed => actions.push(Action::Start(node.name.clone())),
                _ => {}
            }
        }
        let differs = |wanted: Span, ms: f64| (wanted.ms() - ms).abs() > 1e-6;
        let set = Set {
            hop: differs(self.hop, info.hop_delay_ms).then_some(self.hop),
            slot: differs(self.slot, info.slot_ms).then_some(self.slot),
            cover: differs(self.cover, info.loop_cover_ms).then_some(self.cover),
            slot_cover: (!info.slot_cover).then_some(true),
            crowd: (info.crowd != self.crowd).then_some(self.crowd),
        };
        if !set.is_empty() {
            actions.push(Action::Set(set));
        }
        Ok(actions)
    }
}

/// What a devnet was before a lesson.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Before {
    /// When it was started, in milliseconds since 1970: another devnet of the name has another moment.
    pub started_unix_ms: u64,
    hop_delay_ms: f64,
    slot_ms: f64,
    loop_cover_ms: f64,
    slot_cover: bool,
    crowd: u16,
    nodes: BTreeMap<String, Node>,
}

/// A process that a devnet had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Node {
    role: Role,
    layer: Option<u8>,
    state: State,
}

impl Before {
    /// What it is now.
    pub fn of<'a>(info: &DevnetInfo, nodes: impl Iterator<Item = &'a NodeStatus>) -> Self {
        let nodes = nodes.filter(|node| is_named(node.role)).map(|node| {
            let NodeStatus { name, role, layer, state, .. } = node;
            (name.clone(), Node { role: *role, layer: *layer, state: *state })
        });
        Self {
            started_unix_ms: info.started_unix_ms,
            hop_delay_ms: info.hop_delay_ms,
            slot_ms: info.slot_ms,
            loop_cover_ms: info.loop_cover_ms,
            slot_cover: info.slot_cover,
            crowd: info.crowd,
            nodes: nodes.collect(),
        }
    }

    /// What makes it again what it was. Of nodes that came or went: who was removed comes back under the
    /// same name, and with its keys.
    pub fn restore<'a>(
        &self,
        info: &DevnetInfo,
        nodes: impl Iterator<Item = &'a NodeStatus>,
    ) -> Vec<Action> {
        let now: BTreeMap<&str, &NodeStatus> = nodes
            .filter(|node| is_named(node.role))
            .map(|node| (node.name.as_str(), node))
            .collect();
        let mut actions = Vec::new();
        // Who comes back first: no layer is empty meanwhile.
        let mut fillers = Vec::new();
        for group in self.nodes.values().filter_map(Node::group).collect::<BTreeSet<_>>() {
            let add = group.add();
            let came = group.come_back(&self.nodes, &now);
            actions.extend(came.iter().map(|_| add.clone()));
            fillers.extend(came.into_iter().filter(|name| !self.nodes.contains_key(name)));
        }
        for (name, node) in &self.nodes {
            let Some(now) = now.get(name.as_str()) else {
                if node.role == Role::Client {
                    actions.push(Action::AddClient(name.clone()));
                }
                continue;
            };
            let name = name.clone();
            match (node.state, now.state) {
                (State::Paused, State::Paused) | (State::Stopped, State::Stopped) => {}
                (State::Stopped, _) => actions.push(Action::Stop(name)),
                (State::Paused, _) => actions.push(Action::Pause(name)),
                (_, State::Paused) => actions.push(Action::Resume(name)),
                (_, State::Stopped | State::Failed) => actions.push(Action::Start(name)),
                _ => {}
            }
        }
        actions.extend(fillers.into_iter().map(Action::Remove));
        let is_new = |name: &&str| !self.nodes.contains_key(*name);
        actions.extend(
            now.keys().filter(|name| is_new(name)).map(|name| Action::Remove((*name).to_owned())),
        );
        let back = |then: f64, now: f64| ((then - now).abs() > 1e-6).then(|| Span::of_ms(then));
        let set = Set {
            hop: back(self.hop_delay_ms, info.hop_delay_ms),
            slot: back(self.slot_ms, info.slot_ms),
            cover: back(self.loop_cover_ms, info.loop_cover_ms),
            slot_cover: (self.slot_cover != info.slot_cover).then_some(self.slot_cover),
            crowd: (self.crowd != info.crowd).then_some(self.crowd),
        };
        if !set.is_empty() {
            actions.push(Action::Set(set));
        }
        actions
    }
}

/// Nodes that are numbered together, by which they are named. Who is added gets the first number that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Providers, before clients that need one.
    Providers,
    /// Mixnodes of a layer.
    Layer(u8),
}

impl Node {
    fn group(&self) -> Option<Group> {
        match (self.role, self.layer) {
            (Role::Mixnode, Some(layer)) => Some(Group::Layer(layer)),
            (Role::Provider, _) => Some(Group::Providers),
            _ => None,
        }
    }
}

impl Group {
    /// What adds one.
    fn add(self) -> Action {
        match self {
            Self::Layer(layer) => Action::AddMix(layer),
            Self::Providers => Action::AddProvider,
        }
    }

    fn name(self, number: u16) -> String {
        match self {
            Self::Layer(layer) => format!("mix-{layer}-{number}"),
            Self::Providers => format!("provider-{number}"),
        }
    }

    /// Who has to be added until all are there again, in order. Where numbers had gaps these are filled on
    /// the way: who was not there before goes again afterwards.
    fn come_back(
        self,
        before: &BTreeMap<String, Node>,
        now: &BTreeMap<&str, &NodeStatus>,
    ) -> Vec<String> {
        let own = before.iter().filter(|(_, node)| node.group() == Some(self));
        let missing = own.map(|(name, _)| name).filter(|name| !now.contains_key(name.as_str()));
        let last = missing.filter_map(|name| number(name)).max().unwrap_or_default();
        let names = (1..=last).map(|number| self.name(number));
        names.filter(|name| !now.contains_key(name.as_str())).collect()
    }
}

/// The number in the name of a mixnode or a provider.
fn number(name: &str) -> Option<u16> {
    name.rsplit('-').next()?.parse().ok()
}

/// Whether a process is added, stopped and removed by its name; a crowd is set.
fn is_named(role: Role) -> bool {
    matches!(role, Role::Mixnode | Role::Provider | Role::Client)
}
