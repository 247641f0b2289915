//! A devnet for tests: two mixnodes in each of three layers, at a moment and with rates that are
//! written down here.

#[cfg(test)]
mod history;
#[cfg(test)]
pub(crate) mod journeys;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{
    Content, Endpoint, Lateness, LinkEvent, MailboxCounters, NodeMetrics, Role, Time,
    TrafficCounters,
};
use control::{
    DevnetInfo, DirectoryState, Envelope, LogLine, MessageState, MessageStatus, NodeStatus,
    PacketStatus, ProcessUsage, ReceivedMessage, Snapshot, State, StreamEvent,
};
use directory_api::{ListName, MixMetric, MixNodePresence, MixProviderPresence, Topology, Update};

#[cfg(test)]
pub(crate) use history::history;

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
            received: vec![],
            logs: vec![],
        }
    }

    /// Everything that a devnet says in one second of traffic.
    pub(crate) fn second(&mut self, second: u64) -> Vec<Envelope> {
        let after = Duration::from_secs(second);
        let mut events = Vec::new();
        let silent = self.silent.clone();
        for node in self.nodes().iter().filter(|node| !silent.contains(&node.name.as_str())) {
            events.push(usage(node));
            match node.role {
                Role::Directory => {}
                Role::Mixnode => events.extend(self.mixnode_second(node, second)),
                Role::Provider => events.extend(self.provider_second(second)),
                Role::Client | Role::Crowd => events.extend(self.client_second(node, second)),
            }
        }
        events.into_iter().map(|event| self.at(after, event)).collect()
    }

    fn mixnode_second(&self, node: &NodeStatus, second: u64) -> Vec<StreamEvent> {
        let layer = node.layer.expect("a mixnode has a layer");
        // A busy and a quiet node, and a little unrest over time.
        let own = u64::from(node.name.ends_with('1')) * 18 + second * 7 % 5;
        let received = 22 + own;
        let next = match self.widths.get(usize::from(layer)) {
            Some(width) => (1..=*width).map(|index| format!("mix-{}-{index}", layer + 1)).collect(),
            None => vec!["provider-1".to_owned()],
        };
        let share = received / next.len() as u64;
        let sent = next
            .iter()
            .map(|name| {
                let address = self.status(name).addresses[&Endpoint::Mix];
                (address.to_string(), share)
            })
            .collect();
        let pub_key = key(&node.name);
        let after = Duration::from_secs(second);
        let metric =
            MixMetric { pub_key: pub_key.clone(), sent, received, timestamp: nanos(after) };
        let metrics = NodeMetrics {
            t: STARTED + after,
            received: received * second,
            sent: received * second,
            dropped: BTreeMap::from([("mac".into(), 0), ("replay".into(), 2)]),
            pool: Some(12 + second % 3),
            lateness: Some(Lateness { packets: 30, median_us: 72, p99_us: 340 }),
            replay_window: Some(second),
            reports_metrics: Some(true),
            ..NodeMetrics::default()
        };
        let name = Some(node.name.clone());
        let step = second + u64::from(layer) + own;
        let packet = LinkEvent {
            t: before(STARTED + after, 150 + 170 * step % 500),
            dst: next[usize::from(step % 2 == 1) % next.len()].clone(),
            bytes: 2396,
        };
        vec![
            StreamEvent::Links { src: node.name.clone(), links: vec![packet] },
            StreamEvent::Directory { node: name.clone(), update: Update::Metric(metric) },
            StreamEvent::Metrics { node: node.name.clone(), metrics },
            StreamEvent::Directory {
                node: name,
                update: Update::Seen { pub_key, list: ListName::MixNode },
            },
        ]
    }

    fn provider_second(&self, second: u64) -> Vec<StreamEvent> {
        let t = STARTED + Duration::from_secs(second);
        let mailbox = MailboxCounters {
            clients: 10,
            online: 10,
            stored: 60 * second,
            delivered: 60 * second,
            waiting: 3,
        };
        let metrics = NodeMetrics {
            t,
            received: 62 * second,
            sent: 30 * second,
            mailbox: Some(mailbox),
            ..NodeMetrics::default()
        };
        let seen = |list| StreamEvent::Directory {
            node: Some("provider-1".into()),
            update: Update::Seen { pub_key: key("provider-1"), list },
        };
        // Two of three packets are delivered, the third is an acknowledgement.
        let crowd = (self.crowd > 0).then(|| "crowd".to_owned());
        let clients: Vec<String> =
            self.clients.iter().map(|name| (*name).to_owned()).chain(crowd).collect();
        let width = usize::from(self.widths[0]);
        let links = (0..45_u8)
            .map(|packet| {
                let at = usize::from(packet);
                let dst = match packet % 3 {
                    0 => format!("mix-1-{}", at / 3 % width + 1),
                    _ => clients[at % clients.len()].clone(),
                };
                LinkEvent { t: before(t, 900 - 20 * u64::from(packet)), dst, bytes: 2396 }
            })
            .collect();
        vec![
            StreamEvent::Links { src: "provider-1".into(), links },
            StreamEvent::Metrics { node: "provider-1".into(), metrics },
            seen(ListName::MixProvider),
            seen(ListName::Gateway),
        ]
    }

    fn client_second(&self, node: &NodeStatus, second: u64) -> Vec<StreamEvent> {
        let sent = if node.role == Role::Crowd { 24 + second % 3 } else { 3 };
        let t = STARTED + Duration::from_secs(second);
        let width = u64::from(self.widths[0]);
        let links = (0..sent)
            .map(|packet| LinkEvent {
                t: before(t, 150 + 130 * packet % 500),
                dst: format!("mix-1-{}", packet % width + 1),
                bytes: 2396,
            })
            .collect();
        let traffic = TrafficCounters {
            real: 1,
            cover: 2 * second,
            loops: second,
            loops_returned: second,
            acks_returned: 1,
            ..TrafficCounters::default()
        };
        let metrics = NodeMetrics {
            t,
            received: sent * second,
            sent: sent * second,
            traffic: Some(traffic),
            ..NodeMetrics::default()
        };
        vec![
            StreamEvent::Links { src: node.name.clone(), links },
            StreamEvent::Metrics { node: node.name.clone(), metrics },
        ]
    }
}

fn usage(node: &NodeStatus) -> StreamEvent {
    let (memory_bytes, cpu_percent) = match node.role {
        Role::Directory => (3_900_000, 0.4),
        Role::Mixnode => (1_100_000, 1.2),
        Role::Provider => (4_200_000, 2.1),
        Role::Client => (2_000_000, 0.8),
        Role::Crowd => (5_300_000, 6.4),
    };
    StreamEvent::Usage {
        node: node.name.clone(),
        usage: ProcessUsage { memory_bytes, cpu_percent },
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

/// The moment so many milliseconds earlier.
fn before(t: Time, ms: u64) -> Time {
    Time::from_nanos(t.as_nanos() - ms * 1_000_000)
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
