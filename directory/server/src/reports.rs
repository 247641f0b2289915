//! The bodies that the writing routes take.

use directory_api::{
    CocoNodeReport, Departure, MixMetricReport, MixNodeReport, MixProviderReport, RegisteredClient,
};

use crate::fields::{BadBody, Fields};

/// A validator's announcement.
pub(crate) fn coconode(body: &[u8]) -> Result<CocoNodeReport, BadBody> {
    let mut fields = Fields::read("CocoHostInfo", body)?;
    let report = CocoNodeReport {
        host: fields.text("host")?,
        pub_key: fields.text("pubKey")?,
        version: fields.text("version")?,
        location: location(&mut fields)?,
        kind: fields.text("type")?,
    };
    fields.require("HostInfo.PubKey", !report.pub_key.is_empty());
    fields.require("HostInfo.Version", !report.version.is_empty());
    fields.require("Type", !report.kind.is_empty());
    fields.checked(report)
}

/// A mixnode's announcement.
pub(crate) fn mixnode(body: &[u8]) -> Result<MixNodeReport, BadBody> {
    let mut fields = Fields::read("MixHostInfo", body)?;
    let report = MixNodeReport {
        host: fields.text("host")?,
        pub_key: fields.text("pubKey")?,
        version: fields.text("version")?,
        location: location(&mut fields)?,
        layer: fields.number("layer")?.unwrap_or(0),
    };
    fields.require("HostInfo.PubKey", !report.pub_key.is_empty());
    fields.require("HostInfo.Version", !report.version.is_empty());
    fields.require("Layer", report.layer != 0);
    fields.checked(report)
}

/// A provider's announcement as mixprovider.
pub(crate) fn mixprovider(body: &[u8]) -> Result<MixProviderReport, BadBody> {
    provider("MixProviderHostInfo", body)
}

/// A provider's announcement as gateway.
pub(crate) fn gateway(body: &[u8]) -> Result<MixProviderReport, BadBody> {
    provider("GatewayHostInfo", body)
}

/// A node leaves.
pub(crate) fn departure(body: &[u8]) -> Result<Departure, BadBody> {
    let mut fields = Fields::read("Departure", body)?;
    let departure = Departure { pub_key: fields.text("pubKey")? };
    fields.require("PubKey", !departure.pub_key.is_empty());
    fields.checked(departure)
}

/// A mixnode's counts.
pub(crate) fn metric(body: &[u8]) -> Result<MixMetricReport, BadBody> {
    let mut fields = Fields::read("MixMetric", body)?;
    let pub_key = fields.text("pubKey")?;
    let sent = fields.numbers("sent")?;
    let received = fields.number("received")?;
    fields.require("PubKey", !pub_key.is_empty());
    fields.require("Sent", sent.is_some());
    fields.require("Received", received.is_some());
    fields.checked(MixMetricReport {
        pub_key,
        sent: sent.unwrap_or_default(),
        received: received.unwrap_or_default(),
    })
}

fn provider(model: &'static str, body: &[u8]) -> Result<MixProviderReport, BadBody> {
    let mut fields = Fields::read(model, body)?;
    let clients = fields.objects("registeredClients", "RegisteredClient")?;
    let report = MixProviderReport {
        client_listener: fields.text("clientListener")?,
        mixnet_listener: fields.text("mixnetListener")?,
        pub_key: fields.text("pubKey")?,
        version: fields.text("version")?,
        location: location(&mut fields)?,
        registered_clients: Vec::new(),
    };
    fields.require("PubKey", !report.pub_key.is_empty());
    fields.require("Version", !report.version.is_empty());
    fields.require("RegisteredClients", clients.is_some());
    let clients = clients.unwrap_or_default().into_iter().enumerate();
    let registered_clients = clients
        .map(|(index, mut client)| {
            let pub_key = client.text("pubKey")?;
            let path = format!("RegisteredClients[{index}].PubKey");
            fields.require(&path, !pub_key.is_empty());
            Ok(RegisteredClient { pub_key })
        })
        .collect::<Result<_, BadBody>>()?;
    fields.checked(MixProviderReport { registered_clients, ..report })
}

/// v0.5 required a location, v0.7 did not; a node without one is somewhere unknown.
fn location(fields: &mut Fields) -> Result<String, BadBody> {
    let location = fields.text("location")?;
    Ok(if location.is_empty() { "unknown".into() } else { location })
}
