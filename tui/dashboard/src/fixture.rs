//! A devnet for tests: two mixnodes in each of three layers, at a moment and with rates that are
//! written down here.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod history;
pub(crate) mod journeys;
#[cfg(test)]
mod observed;
mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Content, Endpoint, Role, Time};
use control::{
    DevnetInfo, DirectoryState, Envelope, LogLine, MessageState, MessageStatus, NodeStatus,
    PacketStatus, ReceivedMessage, Snapshot, State, StreamEvent,
};
use directory_api::{MixNodePresence, MixProviderPresence, Topology};

#[cfg(test)]
pub(crate) use attacks::{attacked, underway};
#[cfg(test)]
pub(crate) use history::history;
#[cfg(test)]
pub(crate) use observed::Observed;

/// When the devnet was started: 2026-11-21 12:00:00 UTC.
pub(crate) const STARTED_UNIX_MS: u64 = 1_795_262_400_000;

/// Where the supervisor's monotonic clock stood then.
const STARTED: Time = Time::from_nanos(5_000_000_000_000);

/// A network to show.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) widths: Vec<u16>,
    pub(crate) clients: Vec<&'static str>,
    pub(crate) crowd: u16,
    /// Whether nodes tell what became of each packet.
    pub(crate) trace: bool,
    /// Nodes that say nothing.
    pub(crate) silent: Vec<&'static str>,
    seq: u64,
}

impl Fixture {
    /// Two mixnodes in each of three layers, alice, bob and a crowd of eight.
    pub(crate) fn two_by_three() -> Self {
        Self {
            widths: vec![2; 3],
            clients: vec!["alice", "bob"],
            crowd: 8,
            trace: true,
            silent: vec![],
            seq: 0,
        }
    }

    /// So many mixnodes in each of so many layers.
    pub(crate) fn sized(width: u16, layers: usize) -> Self {
        Self { widths: vec![width; layers], ..Self::two_by_three() }
    }

    /// An event so long after the start.
    pub(crate) fn at(&mut self, after: Duration, event: StreamEvent) -> Envelope {
        self.seq += 1;
        Envelope { seq: self.seq, t: STARTED + after, unix_ms: unix_ms(after), event }
    }

    fn names(&self) -> Vec<(String, Role, Option<u8>)> {
        let mut names = vec![("directory".to_owned(), Role::Directory, None)];
        for (layer, &width) in (1..).zip(&self.widths) {
            let mixes = (1..=width).map(|index| format!("mix-{layer}-{index}"));
            names.extend(mixes.map(|name| (name, Role::Mixnode, Some(layer))));
        }
        names.push(("provider-1".to_owned(), Role::Provider, None));
        names.extend(self.clients.iter().map(|name| ((*name).to_owned(), Role::Client, None)));
        if self.crowd > 0 {
            names.push(("crowd".to_owned(), Role::Crowd, None));
        }
        names
    }

    /// The processes, all of them ready.
    pub(crate) fn nodes(&self) -> Vec<NodeStatus> {
        (0..)
            .zip(self.names())
            .map(|(index, (name, role, layer))| self.node(index, &name, role, layer))
            .collect()
    }

    /// A process by its name, ready.
    #[cfg(test)]
    pub(crate) fn status(&self, name: &str) -> NodeStatus {
        let nodes = self.nodes();
        nodes.into_iter().find(|node| node.name == name).expect("a node of the fixture")
    }

    fn node(&self, index: u16, name: &str, role: Role, layer: Option<u8>) -> NodeStatus {
        let address = |port: u16| ([127, 0, 0, 1], port).into();
        let addresses = match role {
            Role::Directory => BTreeMap::from([(Endpoint::Http, address(8080))]),
            Role::Mixnode => BTreeMap::from([(Endpoint::Mix, address(9979 + index))]),
            Role::Provider => {
                BTreeMap::from([(Endpoint::Mix, address(4000)), (Endpoint::Clients, address(9000))])
            }
            Role::Client => BTreeMap::from([(Endpoint::App, address(1977 + index))]),
            Role::Crowd => BTreeMap::new(),
        };
        let public_keys = match role {
            Role::Directory => vec![],
            Role::Crowd => (0..self.crowd).map(|index| key(&format!("crowd-{index}"))).collect(),
            _ => vec![key(name)],
        };
        let reason = match role {
            Role::Directory => "it answers",
            Role::Mixnode | Role::Provider => "the directory lists it",
            Role::Client => "a probe packet came back after 3 ms",
            Role::Crowd => "8 of 8 registered, a probe packet came back after 4 ms",
        };
        NodeStatus {
            name: name.into(),
            role,
            layer,
            state: State::Ready,
            reason: reason.into(),
            since_unix_ms: STARTED_UNIX_MS + 300,
            pid: Some(4700 + u32::from(index)),
            started_unix_ms: Some(STARTED_UNIX_MS + 10),
            restarts: 0,
            last_exit: None,
            fatal: None,
            addresses,
            address: (role == Role::Client).then(|| format!("{}@{}", key(name), key("provider-1"))),
            public_keys,
            log_file: format!("/tmp/devnet/logs/{name}.log").into(),
        }
    }

    fn topology(&self, after: Duration) -> Topology {
        let last_seen = nanos(after);
        let mut topology = Topology::default();
        for node in self.nodes() {
            let address = |endpoint| node.addresses.get(&endpoint).map(ToString::to_string);
            let host = address(Endpoint::Mix).unwrap_or_default();
            let (pub_key, version) = (key(&node.name), "0.1.0".to_owned());
            let location = node.name.clone();
            if let Some(layer) = node.layer {
                let layer = layer.into();
                let mix = MixNodePresence { host, pub_key, version, location, layer, last_seen };
                topology.mix_nodes.push(mix);
            } else if node.role == Role::Provider {
                let provider = MixProviderPresence {
                    client_listener: address(Endpoint::Clients).unwrap_or_default(),
                    mixnet_listener: host,
                    pub_key,
                    version,
                    location,
                    registered_clients: vec![],
                    last_seen,
                };
                topology.mix_provider_nodes.push(provider.clone());
                topology.gateway_nodes.push(provider);
            }
        }
        topology
    }

    /// Who sends to whom.
    #[cfg(feature = "measure")]
    pub(crate) fn routes(&self) -> Vec<(String, Vec<String>)> {
        let layer = |layer: usize| match self.widths.get(layer) {
            Some(width) => (1..=*width).map(|index| format!("mix-{}-{index}", layer + 1)).collect(),
            None => vec!["provider-1".to_owned()],
        };
        let senders = self.nodes().into_iter().filter(|node| node.role != Role::Directory);
        senders.map(|node| (node.name, layer(node.layer.unwrap_or(0).into()))).collect()
    }

    /// The state so long after the start, with everything ready and nothing sent.
    pub(crate) fn snapshot(&self, after: Duration) -> Snapshot {
        Snapshot {
            devnet: DevnetInfo {
                name: "default".into(),
                supervisor_pid: 4699,
                folder: "/tmp/devnet".into(),
                started_unix_ms: STARTED_UNIX_MS,
                layers: u8::try_from(self.widths.len()).expect("at most four layers"),
                widths: self.widths.clone(),
                clients: u16::try_from(self.clients.len()).expect("few clients"),
                crowd: self.crowd,
                profile: "classic".into(),
                hop_delay_ms: 200.0,
                slot_ms: 500.0,
                loop_cover_ms: 1000.0,
                slot_cover: true,
                acks: true,
                trace: self.trace,
                cores: 2,
                faithful: false,
                seed: None,
                resumed: false,
                attached: true,
                control_address: None,
                notices: vec![],
            },
            nodes: self.nodes(),
            directory: DirectoryState::Live,
            topology: Some(self.topology(after)),
            metrics: BTreeMap::new(),
            rates: BTreeMap::new(),
            usage: BTreeMap::new(),
            messages: vec![],
            journeys: vec![],
            attacks: Vec::new(),
            received: vec![],
            logs: vec![],
        }
    }
}

/// Something that looks like a key and is known by its name.
pub(crate) fn key(name: &str) -> String {
    format!("{:A<44}", name.replace('-', ""))
}

/// The supervisor's wall clock so long after the start.
pub(crate) fn unix_ms(after: Duration) -> u64 {
    STARTED_UNIX_MS + u64::try_from(after.as_millis()).expect("a short time")
}

fn nanos(after: Duration) -> i64 {
    i64::try_from(unix_ms(after)).expect("a time") * 1_000_000
}

/// A message that has just been accepted.
pub(crate) fn message(from: &str, to: &str, text: &str) -> MessageStatus {
    MessageStatus {
        id: format!("{:0>32}", text.len()),
        from: from.into(),
        to: to.into(),
        content: Content::Text(text.into()),
        bytes: text.len() as u64,
        state: MessageState::Queued,
        accepted_unix_ms: STARTED_UNIX_MS + 5000,
        sent_ms: None,
        delivered_ms: None,
        acknowledged_ms: None,
        packets: vec![PacketStatus::default()],
        error: None,
    }
}

/// The same after it arrived and was acknowledged.
pub(crate) fn acknowledged(message: MessageStatus) -> MessageStatus {
    let route = ["mix-1-2", "mix-2-1", "mix-3-1", "provider-1"].map(str::to_owned).to_vec();
    MessageStatus {
        state: MessageState::Acknowledged,
        sent_ms: Some(104.2),
        delivered_ms: Some(711.6),
        acknowledged_ms: Some(1432.0),
        packets: vec![PacketStatus { attempts: 1, route, acknowledged: true }],
        ..message
    }
}

/// The same with a packet on its way, for the second time.
pub(crate) fn sent(message: MessageStatus) -> MessageStatus {
    let route = ["mix-1-1", "mix-2-1", "mix-3-2", "provider-1"].map(str::to_owned).to_vec();
    MessageStatus {
        state: MessageState::Sent,
        sent_ms: Some(377.0),
        packets: vec![PacketStatus { attempts: 2, route, acknowledged: false }],
        ..message
    }
}

/// The same after the sender gave up.
pub(crate) fn failed(message: MessageStatus) -> MessageStatus {
    MessageStatus {
        state: MessageState::Failed,
        error: Some("no acknowledgement of fragment 0 after 10 attempts".into()),
        ..sent(message)
    }
}

/// What the recipient gets.
pub(crate) fn received(client: &str, text: &str) -> StreamEvent {
    StreamEvent::Received(ReceivedMessage {
        client: client.into(),
        id: format!("{:0>32}", text.len()),
        unix_ms: STARTED_UNIX_MS + 5712,
        content: Content::Text(text.into()),
    })
}

/// A log line.
pub(crate) fn log(node: &str, after: Duration, line: &str) -> StreamEvent {
    StreamEvent::Log(LogLine { node: node.into(), unix_ms: unix_ms(after), line: line.into() })
}
