//! Presence: what nodes announce, and what the directory keeps of it.

use serde::{Deserialize, Serialize};

fn unknown() -> String {
    "unknown".into()
}

/// What a mixnode posts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixNodeReport {
    /// Where it takes packets, `host:port`.
    #[serde(default)]
    pub host: String,
    /// Its Sphinx key, base58 of 32 bytes.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text; a devnet puts the node's name here.
    #[serde(default = "unknown")]
    pub location: String,
    /// Its layer, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub layer: u64,
}

/// A mixnode that is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixNodePresence {
    /// Where it takes packets, `host:port`.
    pub host: String,
    /// Its Sphinx key, base58 of 32 bytes.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text; a devnet puts the node's name here.
    pub location: String,
    /// Its layer, from 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub layer: u64,
    /// When it was last heard: nanoseconds since 1970.
    pub last_seen: i64,
}

/// What a validator of the original network posts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CocoNodeReport {
    /// `host:port`.
    #[serde(default)]
    pub host: String,
    /// Its key, base58.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text.
    #[serde(default = "unknown")]
    pub location: String,
    /// What kind of validator.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A validator that is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CocoNodePresence {
    /// `host:port`.
    pub host: String,
    /// Its key, base58.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text.
    pub location: String,
    /// What kind of validator.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was last heard: nanoseconds since 1970.
    pub last_seen: i64,
}

/// A client of a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RegisteredClient {
    /// The client's key, base58. Empty if it was not announced: the original did not insist.
    #[serde(default)]
    pub pub_key: String,
}

/// What a provider posts, as mixprovider (v0.5) or as gateway (v0.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixProviderReport {
    /// Where clients connect: `host:port` for a mixprovider, `ws://host:port` for a gateway.
    #[serde(default)]
    pub client_listener: String,
    /// Where it takes packets, `host:port`.
    #[serde(default)]
    pub mixnet_listener: String,
    /// Its Sphinx key, base58 of 32 bytes.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text; a devnet puts the node's name here.
    #[serde(default = "unknown")]
    pub location: String,
    /// Its clients.
    pub registered_clients: Vec<RegisteredClient>,
}

/// A provider that is present, as mixprovider (v0.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixProviderPresence {
    /// Where clients connect: `host:port` for a mixprovider, `ws://host:port` for a gateway.
    pub client_listener: String,
    /// Where it takes packets, `host:port`.
    pub mixnet_listener: String,
    /// Its Sphinx key, base58 of 32 bytes.
    pub pub_key: String,
    /// Version of its software.
    pub version: String,
    /// Free text; a devnet puts the node's name here.
    pub location: String,
    /// Its clients.
    pub registered_clients: Vec<RegisteredClient>,
    /// When it was last heard: nanoseconds since 1970.
    pub last_seen: i64,
}

/// A provider that is present, as gateway (v0.7): the same fields.
pub type GatewayPresence = MixProviderPresence;

/// A node says that it leaves. Not in the original.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Departure {
    /// The key that it announced.
    pub pub_key: String,
}

/// Names a mixnode that is allowed or disallowed (v0.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixNodeKey {
    /// Its key. An empty one names nobody.
    #[serde(default)]
    pub pub_key: String,
}

/// Everything that is present. Empty lists are `[]`, never missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Topology {
    /// Validators.
    pub coco_nodes: Vec<CocoNodePresence>,
    /// Mixnodes.
    pub mix_nodes: Vec<MixNodePresence>,
    /// Providers as v0.5 announced them.
    pub mix_provider_nodes: Vec<MixProviderPresence>,
    /// Providers as v0.7 announced them.
    pub gateway_nodes: Vec<GatewayPresence>,
}
