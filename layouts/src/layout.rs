//! How many of what.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Profile, Rates, Restart, client_name};

/// Most mix layers: a Sphinx header has room for five hops, and the last is the provider.
pub const MAX_LAYERS: u8 = 4;
/// Most mixnodes in a layer: 4 × 64 is what two cores start within a few seconds.
pub const MAX_WIDTH: u16 = 64;
/// Most providers.
pub const MAX_PROVIDERS: u16 = 16;
/// Most named clients, a process each.
pub const MAX_CLIENTS: u16 = 100;
/// Most identities of the crowd, all in one process.
pub const MAX_CROWD: u16 = 1000;
/// The longest mean delay at a mixnode, in milliseconds: ten times what anybody uses, and clients take
/// no more.
pub(crate) const MAX_HOP_DELAY_MS: u64 = 10_000;
/// The shortest mean interval of a stream, in milliseconds: a thousand packets a second, more than a
/// core builds.
pub(crate) const MIN_INTERVAL_MS: u64 = 1;
/// The longest mean interval of a stream, in milliseconds. With it a client says nothing for hours.
pub(crate) const MAX_INTERVAL_MS: u64 = 3_600_000;

/// The network that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Layout {
    /// Mixnodes in each layer, first layer first.
    pub widths: Vec<u16>,
    /// Providers.
    pub providers: u16,
    /// Named clients.
    pub clients: u16,
    /// What the first of them are called. The rest have the usual names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_names: Vec<String>,
    /// Identities that only send cover traffic.
    pub crowd: u16,
    /// Where the rates come from.
    pub profile: Profile,
    /// The rates themselves.
    pub rates: Rates,
    /// Whether packets carry a prepared acknowledgement.
    pub acks: bool,
    /// Whether mixnodes report their packets to the directory.
    #[serde(default = "yes")]
    pub metrics: bool,
    /// Whether nodes tell what became of each packet, so that the way of a message can be shown.
    #[serde(default = "yes")]
    pub trace: bool,
    /// Whether nodes leave out what the originals of 2020 did not have: refusing replays, skipped
    /// layers and strangers at mailboxes.
    #[serde(default)]
    pub faithful: bool,
    /// When a process that ended by itself is started again.
    #[serde(default)]
    pub restart: Restart,
    /// Fixes keys and the random choices of nodes, not their timing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What is different for single nodes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeLayout>,
}

/// What is different for one node. What is not named is as for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLayout {
    /// Clients and crowd: mean delay that they ask of a mixnode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_delay: Option<Duration>,
    /// Clients and crowd: mean interval of send slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Duration>,
    /// Clients and crowd: mean interval of loop cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_cover: Option<Duration>,
    /// Clients and crowd: name of their provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Mixnodes: whether they report their packets to the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    /// When it is started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Variables of its environment, besides those that it inherits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// A command to run in its place, and its arguments. Filled in are `{host}` and `{port}` (where it
    /// shall listen), `{layer}` and `{layers}` (a mixnode's own, and how many there are),
    /// `{directory}` (its address as a URL), `{key_dir}` (the node's own folder, for its keys),
    /// `{name}`, and `{layout_dir}` (the folder of the layout's file).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

/// What a layout means that was written before the field existed.
fn yes() -> bool {
    true
}

impl Default for Layout {
    /// What `up` alone means: one mixnode in each of three layers, one provider, two clients and
    /// eight people to hide among.
    fn default() -> Self {
        let profile = Profile::default();
        Self {
            widths: vec![1; 3],
            providers: 1,
            clients: 2,
            client_names: Vec::new(),
            crowd: profile.crowd(),
            profile,
            rates: profile.rates(),
            acks: true,
            metrics: true,
            trace: true,
            faithful: false,
            restart: Restart::default(),
            seed: None,
            nodes: BTreeMap::new(),
        }
    }
}

/// Why a layout cannot be a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found} is not between {least} and {most}")]
pub struct LayoutError {
    /// What is wrong, such as `layers`.
    pub what: String,
    /// What was asked for.
    pub found: usize,
    /// The least that is allowed.
    pub least: usize,
    /// The most that is allowed.
    pub most: usize,
}

impl Layout {
    /// Mix layers.
    pub fn layers(&self) -> u8 {
        u8::try_from(self.widths.len()).unwrap_or(u8::MAX)
    }

    /// Whether it can be a network.
    pub fn check(&self) -> Result<(), LayoutError> {
        let within = |what: &str, found: usize, least: usize, most: usize| {
            if (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(LayoutError { what: what.into(), found, least, most })
            }
        };
        within("layers", self.widths.len(), 1, MAX_LAYERS.into())?;
        for (index, &width) in self.widths.iter().enumerate() {
            within(&format!("width of layer {}", index + 1), width.into(), 1, MAX_WIDTH.into())?;
        }
        within("providers", self.providers.into(), 1, MAX_PROVIDERS.into())?;
        within("clients", self.clients.into(), 0, MAX_CLIENTS.into())?;
        within("crowd", self.crowd.into(), 0, MAX_CROWD.into())?;
        let Rates { hop_delay, slot, loop_cover, slot_cover: _ } = self.rates;
        for (what, rate, least, most) in [
            ("hop delay", hop_delay, 0, MAX_HOP_DELAY_MS),
            ("slot", slot, MIN_INTERVAL_MS, MAX_INTERVAL_MS),
            ("loop cover", loop_cover, MIN_INTERVAL_MS, MAX_INTERVAL_MS),
        ] {
            let what = format!("{what} in milliseconds");
            // A part of a millisecond counts: it makes one that is too long longer than the bound.
            let is_long = rate > Duration::from_millis(most);
            let rate = if is_long { rate.saturating_add(ALMOST_A_MILLISECOND) } else { rate };
            let [least, most] = [least, most].map(Duration::from_millis).map(milliseconds);
            within(&what, milliseconds(rate), least, most)?;
        }
        Ok(())
    }

    /// Name of the client with this index, from 0.
    pub fn client_name(&self, index: u16) -> String {
        self.client_names.get(usize::from(index)).cloned().unwrap_or_else(|| client_name(index))
    }

    /// The profile's name, and whether rates differ from it.
    pub fn profile_name(&self) -> String {
        let name = self.profile.name();
        if self.rates == self.profile.rates() { name.into() } else { format!("{name}, changed") }
    }
}

/// What rounds a time up to whole milliseconds.
const ALMOST_A_MILLISECOND: Duration = Duration::from_nanos(999_999);

fn milliseconds(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_up_alone_means_is_a_network() {
        assert_eq!(Layout::default().check(), Ok(()));
    }

    #[test]
    fn an_impossible_network_is_refused_with_what_is_allowed() {
        let refused = |change: fn(&mut Layout)| {
            let mut layout = Layout::default();
            change(&mut layout);
            layout.check().expect_err("refused").to_string()
        };
        assert_eq!(refused(|l| l.widths = vec![1; 5]), "layers: 5 is not between 1 and 4");
        assert_eq!(refused(|l| l.widths = vec![]), "layers: 0 is not between 1 and 4");
        assert_eq!(refused(|l| l.widths[1] = 0), "width of layer 2: 0 is not between 1 and 64");
        assert_eq!(refused(|l| l.providers = 0), "providers: 0 is not between 1 and 16");
        assert_eq!(refused(|l| l.crowd = 1001), "crowd: 1001 is not between 0 and 1000");
        assert_eq!(
            refused(|l| l.rates.hop_delay = Duration::from_secs(11)),
            "hop delay in milliseconds: 11000 is not between 0 and 10000"
        );
        assert_eq!(
            refused(|l| l.rates.slot = Duration::from_micros(999)),
            "slot in milliseconds: 0 is not between 1 and 3600000"
        );
        assert_eq!(
            refused(|l| l.rates.hop_delay = Duration::new(10, 1)),
            "hop delay in milliseconds: 10001 is not between 0 and 10000"
        );
        assert_eq!(
            refused(|l| l.rates.loop_cover = Duration::MAX),
            format!("loop cover in milliseconds: {} is not between 1 and 3600000", usize::MAX)
        );
    }
}
