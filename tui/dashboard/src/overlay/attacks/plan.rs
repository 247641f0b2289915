//! What can be chosen of an attack: which, against whom, and the plan that comes of it.

use contract::{MAX_COPIES, PacketPart, Role};
use control::AttackPlan;

use crate::state::{Devnet, Node};

/// The names of rows. That of attacks is always there.
pub(super) const KIND: &str = "attack";
const FROM: &str = "from";
const TO: &str = "to";
const COPIES: &str = "copies";
const CLIENT: &str = "client";
const LAYER: &str = "without";
const MIX: &str = "mixnode";
const TARGET: &str = "for";

/// For how long packets are held back, in milliseconds: as the command does.
const HOLD_MS: u64 = 2000;

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Send a packet again.
    Replay,
    /// Change a bit of a header.
    Header,
    /// Change a bit of a payload.
    Payload,
    /// Leave out a layer.
    Skip,
    /// Keep all others from a mixnode.
    Isolate,
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Replay, Self::Header, Self::Payload, Self::Skip, Self::Isolate];

    /// Its name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Header => "flip header",
            Self::Payload => "flip payload",
            Self::Skip => "skip layer",
            Self::Isolate => "isolate",
        }
    }

    /// What it does, and what is to be expected.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Replay => {
                "The next packet on this link is sent again. A node that took it twice would send \
                 both on to the same place after the same delay, and so show which one it was. \
                 Nodes keep tags of what they took: the copy should be dropped."
            }
            Self::Header => {
                "One bit of a header is changed on this link, to send the packet elsewhere. Each \
                 hop checks a MAC over the header before anything else: the next hop should drop it."
            }
            Self::Payload => {
                "Tagging: one bit of a payload is changed on this link, to know the packet again \
                 further on. That makes noise of all of it at the next hop, so nothing can be \
                 recognised, and whoever it is for drops it."
            }
            Self::Skip => {
                "A client sends itself a packet that leaves out a layer. Mixnodes send only to the \
                 next layer; but links are not authenticated, so nobody notices who leaves out the \
                 first."
            }
            Self::Isolate => {
                "n−1: for two seconds only one client reaches a mixnode of the first layer, all \
                 others are held back. When its pool is empty, that client's next packet is alone \
                 there. Nothing is changed, so no node can notice."
            }
        }
    }
}

/// A row: its name, and what is chosen in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// What was chosen. What was not, or is gone, is what is likely to be meant.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) kind: Kind,
    /// The process that was selected when this was opened.
    selected: Option<String>,
    from: Option<String>,
    to: Option<String>,
    client: Option<String>,
    mix: Option<String>,
    layer: Option<u8>,
    copies: u32,
}

impl Choice {
    /// Nothing but what was selected.
    pub(super) fn new(selected: Option<String>) -> Self {
        let kind = Kind::Replay;
        let (from, to, client, mix, layer) = (None, None, None, None, None);
        Self { kind, selected, from, to, client, mix, layer, copies: 1 }
    }

    /// The rows of the attack that is chosen.
    pub(super) fn rows(&self, devnet: &Devnet) -> Vec<Row> {
        let row = |name, value: Option<String>| {
            let value = value.unwrap_or_else(|| crate::text::UNKNOWN.to_owned());
            Row { name, value }
        };
        let mut rows = vec![row(KIND, Some(self.kind.word().to_owned()))];
        match self.kind {
            Kind::Replay | Kind::Header | Kind::Payload => {
                let from = self.from(devnet);
                let to = from.as_deref().and_then(|from| self.to(devnet, from));
                rows.extend([row(FROM, from), row(TO, to)]);
                if self.kind == Kind::Replay {
                    rows.push(row(COPIES, Some(self.copies.to_string())));
                }
            }
            Kind::Skip => {
                let layer = format!("layer {}", self.layer(devnet));
                rows.extend([row(CLIENT, self.client(devnet)), row(LAYER, Some(layer))]);
            }
            Kind::Isolate => {
                rows.extend([row(MIX, self.mix(devnet)), row(TARGET, self.client(devnet))]);
            }
        }
        rows
    }

    /// Another choice in a row.
    pub(super) fn turn(&mut self, devnet: &Devnet, row: &str, forward: bool) {
        match row {
            KIND => self.kind = next(&Kind::ALL, Some(self.kind), forward).unwrap_or(self.kind),
            FROM => {
                self.from = next(&senders(devnet), self.from(devnet), forward);
                self.to = None;
            }
            TO => {
                let Some(from) = self.from(devnet) else { return };
                let to = self.to(devnet, &from);
                (self.to, self.from) = (next(&hops(devnet, &from), to, forward), Some(from));
            }
            COPIES => {
                let copies = if forward { self.copies + 1 } else { self.copies.saturating_sub(1) };
                self.copies = copies.clamp(1, MAX_COPIES);
            }
            CLIENT | TARGET => {
                self.client = next(&clients(devnet), self.client(devnet), forward);
            }
            LAYER => {
                let layers: Vec<u8> = (1..=devnet.info.layers).collect();
                self.layer = next(&layers, Some(self.layer(devnet)), forward);
            }
            MIX => self.mix = next(&in_layer(devnet, 1), self.mix(devnet), forward),
            _ => {}
        }
    }

    /// The plan, or why there is none.
    pub(super) fn plan(&self, devnet: &Devnet) -> Result<AttackPlan, &'static str> {
        let link = || -> Result<(String, String), &'static str> {
            let from = self.from(devnet).ok_or("nobody sends packets yet")?;
            let to = self.to(devnet, &from).ok_or("its packets go nowhere yet")?;
            Ok((from, to))
        };
        let client = || self.client(devnet).ok_or("there is no client with a name to attack as");
        let flip = |part| {
            let (from, to) = link()?;
            Ok(AttackPlan::Flip { from, to, part, bit: None })
        };
        match self.kind {
            Kind::Replay => {
                let (from, to) = link()?;
                Ok(AttackPlan::Replay { from, to, times: self.copies })
            }
            Kind::Header => flip(PacketPart::Header),
            Kind::Payload => flip(PacketPart::Payload),
            Kind::Skip => {
                Ok(AttackPlan::Skip { client: client()?, layer: Some(self.layer(devnet)) })
            }
            Kind::Isolate => {
                let mix = self.mix(devnet).ok_or("there is no mixnode in the first layer yet")?;
                Ok(AttackPlan::Isolate { mix, target: client()?, for_ms: HOLD_MS })
            }
        }
    }

    fn selected<'d>(&self, devnet: &'d Devnet) -> Option<&'d Node> {
        devnet.node(self.selected.as_deref()?)
    }

    /// Who sends on the link. A client that was selected is where packets come from; a mixnode or a
    /// provider is likely to be where they should be dropped.
    fn from(&self, devnet: &Devnet) -> Option<String> {
        if let Some(from) = self.from.clone().filter(|from| !hops(devnet, from).is_empty()) {
            return Some(from);
        }
        let status = self.selected(devnet).map(|node| &node.status);
        let before = match status.map(|status| (status.role, status.layer)) {
            Some((Role::Client | Role::Crowd, _)) => self.selected.clone(),
            Some((Role::Mixnode, Some(layer))) if layer > 1 => first(in_layer(devnet, layer - 1)),
            Some((Role::Provider, _)) => first(in_layer(devnet, devnet.info.layers)),
            _ => None,
        };
        before.or_else(|| first(senders(devnet)))
    }

    fn to(&self, devnet: &Devnet, from: &str) -> Option<String> {
        self.one_of(hops(devnet, from), self.to.as_ref())
    }

    fn client(&self, devnet: &Devnet) -> Option<String> {
        self.one_of(clients(devnet), self.client.as_ref())
    }

    fn mix(&self, devnet: &Devnet) -> Option<String> {
        self.one_of(in_layer(devnet, 1), self.mix.as_ref())
    }

    /// The one that was chosen, else the one that was selected, else the first.
    fn one_of(&self, all: Vec<String>, chosen: Option<&String>) -> Option<String> {
        let meant = [chosen, self.selected.as_ref()];
        let known = meant.into_iter().flatten().find(|name| all.contains(name)).cloned();
        known.or_else(|| first(all))
    }

    /// The second, where a mixnode that looks stands in front of it.
    fn layer(&self, devnet: &Devnet) -> u8 {
        let layers = devnet.info.layers.max(1);
        self.layer.filter(|layer| *layer <= layers).unwrap_or(layers.min(2))
    }
}

/// The one after, or before, around the ends; the first if none was chosen.
fn next<T: Clone + PartialEq>(all: &[T], now: Option<T>, forward: bool) -> Option<T> {
    let at = now.and_then(|now| all.iter().position(|one| *one == now));
    let count = all.len().max(1);
    let step = if forward { 1 } else { count - 1 };
    all.get(at.map_or(0, |at| (at + step) % count)).cloned()
}

fn first(names: Vec<String>) -> Option<String> {
    names.into_iter().next()
}

fn names(devnet: &Devnet, is_it: impl Fn(&Node) -> bool) -> Vec<String> {
    devnet.nodes.iter().filter(|node| is_it(node)).map(|node| node.name().to_owned()).collect()
}

fn clients(devnet: &Devnet) -> Vec<String> {
    names(devnet, |node| node.status.role == Role::Client)
}

fn in_layer(devnet: &Devnet, layer: u8) -> Vec<String> {
    names(devnet, |node| node.status.layer == Some(layer))
}

/// Everybody who sends packets, clients first.
fn senders(devnet: &Devnet) -> Vec<String> {
    let roles = [Role::Client, Role::Crowd, Role::Mixnode, Role::Provider];
    roles.into_iter().flat_map(|role| names(devnet, |node| node.status.role == role)).collect()
}

/// To whom packets go from there.
fn hops(devnet: &Devnet, from: &str) -> Vec<String> {
    let Some(node) = devnet.node(from) else { return Vec::new() };
    match (node.status.role, node.status.layer) {
        (Role::Client | Role::Crowd | Role::Provider, _) => in_layer(devnet, 1),
        (Role::Mixnode, Some(layer)) if layer < devnet.info.layers => in_layer(devnet, layer + 1),
        (Role::Mixnode, _) => names(devnet, |node| node.status.role == Role::Provider),
        (Role::Directory, _) => Vec::new(),
    }
}
