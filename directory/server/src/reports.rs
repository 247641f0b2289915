//! The bodies that the writing routes take: a function for each.
//!
//! Whatever bytes come, they are read in one pass and bounded memory. That what was read fits into
//! the directory, such as the length of its texts, is for [`Registry`](crate::Registry) to say.

use directory_api::{
    CocoNodeReport, Departure, MixMetricReport, MixNodeKey, MixNodeReport, MixProviderReport,
    RegisteredClient,
};

pub use crate::fields::BadBody;
use crate::fields::Slot::{Clients, Count, Counts, Number, Text};
use crate::fields::{Field, Model};

static COCONODE: Model<CocoNodeReport> = Model::new(
    "CocoHostInfo",
    &[
        Field::optional("host", |report| Text(&mut report.host)),
        Field::required("pubKey", "HostInfo.PubKey", |report| Text(&mut report.pub_key)),
        Field::required("version", "HostInfo.Version", |report| Text(&mut report.version)),
        Field::optional("location", |report| Text(&mut report.location)),
        Field::required("type", "Type", |report| Text(&mut report.kind)),
    ],
);

static MIXNODE: Model<MixNodeReport> = Model::new(
    "MixHostInfo",
    &[
        Field::optional("host", |report| Text(&mut report.host)),
        Field::required("pubKey", "HostInfo.PubKey", |report| Text(&mut report.pub_key)),
        Field::required("version", "HostInfo.Version", |report| Text(&mut report.version)),
        Field::optional("location", |report| Text(&mut report.location)),
        Field::required("layer", "Layer", |report| Number(&mut report.layer)),
    ],
);

static MIXPROVIDER: Model<MixProviderReport> = Model::new("MixProviderHostInfo", PROVIDER);

static GATEWAY: Model<MixProviderReport> = Model::new("GatewayHostInfo", PROVIDER);

const PROVIDER: &[Field<MixProviderReport>] = &[
    Field::optional("clientListener", |report| Text(&mut report.client_listener)),
    Field::optional("mixnetListener", |report| Text(&mut report.mixnet_listener)),
    Field::required("pubKey", "PubKey", |report| Text(&mut report.pub_key)),
    Field::required("version", "Version", |report| Text(&mut report.version)),
    Field::optional("location", |report| Text(&mut report.location)),
    Field::required("registeredClients", "RegisteredClients", |report| {
        Clients(&mut report.registered_clients)
    }),
];

/// An entry of `registeredClients`. The original's checks did not reach into the list: `{}` is a
/// client with an empty key.
pub(crate) static CLIENT: Model<RegisteredClient> = Model::new(
    "RegisteredClient",
    &[Field::optional("pubKey", |client| Text(&mut client.pub_key))],
);

static DEPARTURE: Model<Departure> = Model::new(
    "Departure",
    &[Field::required("pubKey", "PubKey", |departure| Text(&mut departure.pub_key))],
);

static ALLOWANCE: Model<MixNodeKey> =
    Model::new("MixNodeID", &[Field::optional("pubKey", |node| Text(&mut node.pub_key))]);

static METRIC: Model<MixMetricReport> = Model::new(
    "MixMetric",
    &[
        Field::required("pubKey", "PubKey", |report| Text(&mut report.pub_key)),
        Field::required("sent", "Sent", |report| Counts(&mut report.sent)),
        Field::required("received", "Received", |report| Count(&mut report.received)),
    ],
);

/// A validator's announcement.
pub fn coconode(body: &[u8]) -> Result<CocoNodeReport, BadBody> {
    let report = COCONODE.read(body)?;
    Ok(CocoNodeReport { location: known(report.location), ..report })
}

/// A mixnode's announcement.
pub fn mixnode(body: &[u8]) -> Result<MixNodeReport, BadBody> {
    let report = MIXNODE.read(body)?;
    Ok(MixNodeReport { location: known(report.location), ..report })
}

/// A provider's announcement as mixprovider.
pub fn mixprovider(body: &[u8]) -> Result<MixProviderReport, BadBody> {
    let report = MIXPROVIDER.read(body)?;
    Ok(MixProviderReport { location: known(report.location), ..report })
}

/// A provider's announcement as gateway.
pub fn gateway(body: &[u8]) -> Result<MixProviderReport, BadBody> {
    let report = GATEWAY.read(body)?;
    Ok(MixProviderReport { location: known(report.location), ..report })
}

/// A node leaves.
pub fn departure(body: &[u8]) -> Result<Departure, BadBody> {
    DEPARTURE.read(body)
}

/// Which mixnode is to be shown again, or to be shown no more. The original did not
/// insist on it: a missing key is an empty one.
pub fn allowance(body: &[u8]) -> Result<MixNodeKey, BadBody> {
    ALLOWANCE.read(body)
}

/// A mixnode's counts.
pub fn metric(body: &[u8]) -> Result<MixMetricReport, BadBody> {
    METRIC.read(body)
}

/// v0.5 required a location, v0.7 did not; a node without one is somewhere unknown.
fn known(location: String) -> String {
    if location.is_empty() { "unknown".into() } else { location }
}
