//! A devnet that does at once what it is asked for, as its event stream tells it.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Content, LinkEvent, Role, Time};
use control::{
    DevnetInfo, DirectoryState, Envelope, MessageState, MessageStatus, NodeAction, NodeStatus,
    Snapshot, State, StreamEvent,
};
use lessons::{Action, End, Input, Output, Play, Show};

/// When somebody begins to listen: the devnet has run for a while.
const BEGIN: Duration = Duration::from_secs(1);

/// The devnet.
pub(crate) struct Devnet {
    pub(crate) info: DevnetInfo,
    pub(crate) nodes: BTreeMap<String, NodeStatus>,
    /// Nobody sends anything.
    pub(crate) is_silent: bool,
    seq: u64,
}

impl Devnet {
    /// Two mixnodes in each of three layers, alice and bob, and nobody else.
    pub(crate) fn new() -> Self {
        let info = DevnetInfo {
            name: "lab".into(),
            supervisor_pid: 1,
            folder: "/lab".into(),
            started_unix_ms: 7,
            layers: 3,
            widths: vec![2; 3],
            clients: 2,
            crowd: 8,
            profile: "classic".into(),
            hop_delay_ms: 200.0,
            slot_ms: 500.0,
            loop_cover_ms: 1000.0,
            acks: true,
            trace: true,
            ..serde_json::from_value(serde_json::json!({
                "name": "lab", "supervisor_pid": 1, "folder": "/lab", "started_unix_ms": 7,
                "layers": 3, "widths": [2, 2, 2], "clients": 2, "crowd": 8, "profile": "classic",
                "hop_delay_ms": 200.0, "slot_ms": 500.0, "loop_cover_ms": 1000.0, "acks": true,
                "attached": false, "notices": []
            }))
            .expect("a devnet")
        };
        let mut devnet = Self { info, nodes: BTreeMap::new(), is_silent: false, seq: 0 };
        for layer in 1..=3 {
            for place in 1..=2 {
                devnet.join(&format!("mix-{layer}-{place}"), Role::Mixnode, Some(layer));
            }
        }
        devnet.join("provider-1", Role::Provider, None);
        devnet.join("alice", Role::Client, None);
        devnet.join("bob", Role::Client, None);
        devnet
    }

    fn join(&mut self, name: &str, role: Role, layer: Option<u8>) {
        let status = NodeStatus {
            name: name.into(),
            role,
            layer,
            state: State::Ready,
            reason: "it works".into(),
            since_unix_ms: 0,
            pid: Some(1),
            started_unix_ms: Some(0),
            restarts: 0,
            last_exit: None,
            fatal: None,
            addresses: BTreeMap::new(),
            public_keys: vec![format!("key of {name}")],
            address: None,
            log_file: "/log".into(),
        };
        self.nodes.insert(name.into(), status);
    }

    pub(crate) fn envelope(&mut self, now: Duration, event: StreamEvent) -> Envelope {
        self.seq += 1;
        let t = Time::from_nanos(u64::try_from(now.as_nanos()).expect("soon"));
        Envelope { seq: self.seq, t, unix_ms: 0, event }
    }

    pub(crate) fn snapshot(&mut self, now: Duration) -> Envelope {
        let snapshot = Snapshot {
            devnet: self.info.clone(),
            nodes: self.nodes.values().cloned().collect(),
            directory: DirectoryState::Live,
            topology: None,
            metrics: BTreeMap::new(),
            rates: BTreeMap::new(),
            usage: BTreeMap::new(),
            messages: Vec::new(),
            journeys: Vec::new(),
            attacks: Vec::new(),
            received: Vec::new(),
            logs: Vec::new(),
        };
        self.envelope(now, StreamEvent::Snapshot(Box::new(snapshot)))
    }

    /// Each client that is there sends a packet.
    pub(crate) fn traffic(&mut self, now: Duration) -> Vec<Envelope> {
        if self.is_silent {
            return Vec::new();
        }
        let t = Time::from_nanos(u64::try_from(now.as_nanos()).expect("soon"));
        let link = || LinkEvent { t, from: None, dst: "mix-1-1".into(), bytes: 2396 };
        let clients = self.nodes.values().filter(|node| node.role == Role::Client);
        let clients = clients.filter(|node| node.state == State::Ready);
        let events: Vec<StreamEvent> = clients
            .map(|node| StreamEvent::Links { src: node.name.clone(), links: vec![link()] })
            .collect();
        events.into_iter().map(|event| self.envelope(now, event)).collect()
    }

    /// Does it, and says what the stream tells of it.
    /// A message of alice's waits for a slot, or has left.
    pub(crate) fn queue(&mut self, now: Duration, has_left: bool) -> Envelope {
        let state = if has_left { MessageState::Sent } else { MessageState::Queued };
        let mut status = message("queued", "alice", "bob", state);
        status.sent_ms = has_left.then_some(1.0);
        self.envelope(now, StreamEvent::Message(status))
    }

    pub(crate) fn act(&mut self, now: Duration, action: &Action) -> Vec<Envelope> {
        if let Some((node, ask)) = action.of_node() {
            let status = self.nodes.get_mut(node).expect(node);
            status.state = match ask {
                NodeAction::Stop => State::Stopped,
                NodeAction::Pause => State::Paused,
                _ => State::Ready,
            };
            let event = StreamEvent::Node(status.clone());
            return vec![self.envelope(now, event)];
        }
        match action {
            Action::Send(send) => {
                let arrives = self.nodes[&send.to].state == State::Ready;
                let messages = (0..send.count).map(|number| {
                    let state = if arrives { MessageState::Delivered } else { MessageState::Sent };
                    let id = format!("{}-{number}", self.seq);
                    StreamEvent::Message(message(&id, &send.from, &send.to, state))
                });
                let messages: Vec<StreamEvent> = messages.collect();
                messages.into_iter().map(|event| self.envelope(now, event)).collect()
            }
            Action::Set(set) => {
                let info = &mut self.info;
                info.hop_delay_ms = set.hop.map_or(info.hop_delay_ms, lessons::Span::ms);
                info.slot_ms = set.slot.map_or(info.slot_ms, lessons::Span::ms);
                info.loop_cover_ms = set.cover.map_or(info.loop_cover_ms, lessons::Span::ms);
                info.slot_cover = set.slot_cover.unwrap_or(info.slot_cover);
                info.crowd = set.crowd.unwrap_or(info.crowd);
                vec![self.snapshot(now)]
            }
            Action::AddMix(layer) => {
                let place = (1..=99)
                    .find(|place| !self.nodes.contains_key(&format!("mix-{layer}-{place}")));
                let name = format!("mix-{layer}-{}", place.expect("a number"));
                self.join(&name, Role::Mixnode, Some(*layer));
                self.info.widths[usize::from(*layer) - 1] += 1;
                vec![self.snapshot(now)]
            }
            Action::AddClient(name) => {
                self.join(name, Role::Client, None);
                vec![self.snapshot(now)]
            }
            Action::Remove(name) => {
                let gone = self.nodes.remove(name).expect(name);
                if let Some(layer) = gone.layer {
                    self.info.widths[usize::from(layer) - 1] -= 1;
                }
                let event = StreamEvent::Removed { node: name.clone() };
                vec![self.envelope(now, event), self.snapshot(now)]
            }
            other => panic!("{other:?}"),
        }
    }
}

fn message(id: &str, from: &str, to: &str, state: MessageState) -> MessageStatus {
    MessageStatus {
        id: id.into(),
        from: from.into(),
        to: to.into(),
        content: Content::Text("hello".into()),
        bytes: 5,
        state,
        accepted_unix_ms: 0,
        sent_ms: Some(1.0),
        delivered_ms: (state == MessageState::Delivered).then_some(2.0),
        acknowledged_ms: None,
        packets: Vec::new(),
        error: None,
    }
}

/// Somebody who plays.
pub(crate) struct Table {
    pub(crate) play: Play,
    pub(crate) devnet: Devnet,
    pub(crate) now: Duration,
    pub(crate) shown: Vec<Show>,
    pub(crate) end: Option<End>,
    /// What was done.
    pub(crate) done: Vec<Action>,
}

impl Table {
    pub(crate) fn new(play: Play, mut devnet: Devnet) -> Self {
        let first = devnet.snapshot(BEGIN);
        let mut table =
            Self { play, devnet, now: BEGIN, shown: Vec::new(), end: None, done: Vec::new() };
        let outputs = table.play.tell(BEGIN, Input::Heard(&first));
        table.take(outputs);
        table.pass(1);
        table
    }

    /// Somebody else does something.
    pub(crate) fn act(&mut self, action: &Action) {
        for envelope in self.devnet.act(self.now, action) {
            let outputs = self.play.tell(self.now, Input::Heard(&envelope));
            self.take(outputs);
        }
    }

    /// A message of alice's waits for a slot, or has left.
    pub(crate) fn queue(&mut self, has_left: bool) {
        let envelope = self.devnet.queue(self.now, has_left);
        let outputs = self.play.tell(self.now, Input::Heard(&envelope));
        self.take(outputs);
    }

    pub(crate) fn line(&mut self, line: &str) {
        let outputs = self.play.tell(self.now, Input::Line(line));
        self.take(outputs);
        self.pass(1);
    }

    /// So many seconds pass.
    pub(crate) fn pass(&mut self, seconds: u32) {
        for _ in 0..10 * seconds {
            self.now += Duration::from_millis(100);
            for envelope in self.devnet.traffic(self.now) {
                let outputs = self.play.tell(self.now, Input::Heard(&envelope));
                self.take(outputs);
            }
            let outputs = self.play.tell(self.now, Input::Tick);
            self.take(outputs);
        }
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Show(show) => self.shown.push(show),
                Output::Over(end) => self.end = Some(end),
                Output::Do(actions) => {
                    for action in &actions {
                        self.act(action);
                    }
                    self.done.extend(actions);
                    let outputs = self.play.tell(self.now, Input::Did(Ok(())));
                    self.take(outputs);
                }
            }
        }
    }
}
