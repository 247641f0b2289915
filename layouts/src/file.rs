//! The format of a layout file. The schema, the reference in `docs/layouts.md` and the errors come from
//! these types: what is said of a field here is what users read.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::kinds::{Clients, Count, PortsWord, Time};
use crate::layout::{MAX_HOP_DELAY_MS, MAX_INTERVAL_MS, MIN_INTERVAL_MS};
use crate::{MAX_CROWD, MAX_LAYERS, MAX_PROVIDERS, MAX_WIDTH, Profile, Restart};

/// Mixnodes of a layer.
pub(crate) type Width = Count<1, { MAX_WIDTH as u64 }>;
/// Mean delay at a mixnode.
pub(crate) type HopDelay = Time<0, MAX_HOP_DELAY_MS>;
/// Mean interval of a stream of packets.
pub(crate) type Interval = Time<MIN_INTERVAL_MS, MAX_INTERVAL_MS>;
/// Layers of mixnodes.
type Layers = Count<1, { MAX_LAYERS as u64 }>;
/// Providers.
type Providers = Count<1, { MAX_PROVIDERS as u64 }>;
/// Identities of the crowd.
type Crowd = Count<0, { MAX_CROWD as u64 }>;
/// A seed: what is not negative of TOML's whole numbers.
type Seed = Count<0, { i64::MAX as u64 }>;

/// A devnet's layout: how many of what, and what is different for single nodes. Every field can be left
/// out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LayoutFile {
    /// What the layout shows, in one sentence.
    pub(crate) description: Option<String>,
    /// Mixnodes in each layer. Default: 1.
    #[schema(inline)]
    pub(crate) width: Option<Width>,
    /// Layers of mixnodes. Default: 3.
    #[schema(inline)]
    pub(crate) layers: Option<Layers>,
    /// Mixnodes in each layer, first layer first, where layers differ: `[2, 2, 1]`. In place of `width`
    /// and `layers`.
    #[schema(inline, min_items = 1, max_items = 4)]
    pub(crate) widths: Option<Vec<Width>>,
    /// Providers. Default: 1.
    #[schema(inline)]
    pub(crate) providers: Option<Providers>,
    /// Named clients, each a process with a socket for applications: how many, or a list of their names.
    /// Clients are spread over the providers in turn. Default: 2, which are `alice` and `bob`.
    #[schema(inline)]
    pub(crate) clients: Option<Clients>,
    /// Identities that only send cover traffic, all in one process: the people to hide among. Default:
    /// 8, none in the profile `fast`.
    #[schema(inline)]
    pub(crate) crowd: Option<Crowd>,
    /// Where the rates come from: `classic` as in 2020 (200, 500 and 1000 ms mean hop delay, send slot and
    /// loop cover), `current` as today (15, 20, 200), `fast` for tests (10, 5, 20). Default: `classic`.
    #[schema(inline)]
    pub(crate) profile: Option<Profile>,
    /// Mean delay that clients ask of a mixnode. Default: that of the profile.
    #[schema(inline)]
    pub(crate) hop_delay: Option<HopDelay>,
    /// Mean interval of a client's send slots. A slot carries a real packet if one waits, else cover.
    /// Default: that of the profile.
    #[schema(inline)]
    pub(crate) slot: Option<Interval>,
    /// Mean interval of a client's loop cover. Default: that of the profile.
    #[schema(inline)]
    pub(crate) loop_cover: Option<Interval>,
    /// Whether packets carry a prepared acknowledgement. Default: `true`.
    pub(crate) acks: Option<bool>,
    /// Whether mixnodes report their packets to the directory. Default: `true`.
    pub(crate) metrics: Option<bool>,
    /// Whether nodes tell what became of each packet, so that the way of a message can be shown: what
    /// a mixnet exists to hide. Default: `true`.
    pub(crate) trace: Option<bool>,
    /// Whether nodes leave out what the originals of 2020 did not have: refusing replays, skipped layers and
    /// strangers at mailboxes. Default: `false`.
    pub(crate) faithful: Option<bool>,
    /// When a process that ended by itself is started again: `no`, `on-failure` (it ended with another
    /// exit code than 0) or `always`. Default: `on-failure`.
    #[schema(inline)]
    pub(crate) restart: Option<Restart>,
    /// Fixes keys and names, and each node's sequence of routes, delays and intervals; not timings. Whoever
    /// knows the number knows the keys. Default: none, everything is drawn anew.
    #[schema(inline)]
    pub(crate) seed: Option<Seed>,
    /// Ports: `preferred`, those of the original network where they are free; `auto`, any free ones;
    /// `base:PORT`, exactly those counted up from there. Default: `preferred`.
    #[schema(inline)]
    pub(crate) ports: Option<PortsWord>,
    /// What is different for single nodes, by name: `[nodes.mix-1-2]`. Names are `directory`, `mix-LAYER-NUMBER`,
    /// `provider-NUMBER`, those of the clients, and `crowd`.
    pub(crate) nodes: Option<BTreeMap<String, NodeFile>>,
}

/// What is different for one node. What is not named is as for all.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NodeFile {
    /// Clients and crowd: mean delay that they ask of a mixnode.
    #[schema(inline)]
    pub(crate) hop_delay: Option<HopDelay>,
    /// Clients and crowd: mean interval of send slots.
    #[schema(inline)]
    pub(crate) slot: Option<Interval>,
    /// Clients and crowd: mean interval of loop cover.
    #[schema(inline)]
    pub(crate) loop_cover: Option<Interval>,
    /// Clients and crowd: the name of their provider.
    pub(crate) provider: Option<String>,
    /// Mixnodes: whether they report their packets to the directory.
    pub(crate) metrics: Option<bool>,
    /// When it is started again: `no`, `on-failure` or `always`.
    #[schema(inline)]
    pub(crate) restart: Option<Restart>,
    /// Variables of its environment, besides those that it inherits.
    pub(crate) env: Option<BTreeMap<String, String>>,
    /// Mixnodes, providers and clients: a command to run in its place, and its arguments. Filled in are
    /// `{host}` and `{port}` (where it shall listen), `{layer}` and `{layers}` (a mixnode's own, and how
    /// many there are), `{directory}` (its URL), `{key_dir}` (the node's own folder, for its keys),
    /// `{name}`, and `{layout_dir}` (the folder of the layout's file).
    #[schema(min_items = 1)]
    pub(crate) command: Option<Vec<String>>,
}
