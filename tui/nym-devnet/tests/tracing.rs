//! `--trace`: what the processes of a network tell of packets, and that without it they tell nothing.
//! Every line that they write is read.

mod common;
mod process;

use std::sync::{Arc, Mutex};

use contract::{
    Command, Content, Endpoint, Event, MessageStage, NodeMetrics, PacketTrace, Print, SentTrace,
};
use tempfile::TempDir;

use crate::process::Node;

/// Waiting for it says that all before it works.
const LIMIT_SECONDS: u64 = 30;

/// A process, and all that it has written.
struct Told {
    node: Node,
    lines: Arc<Mutex<Vec<(String, Event)>>>,
}

impl Told {
    fn start(folder: &TempDir, name: &str, arguments: &str) -> Self {
        let lines = Arc::<Mutex<Vec<_>>>::default();
        let read = Arc::clone(&lines);
        let home = folder.path().join(name);
        let arguments = format!("{arguments} --name {name} --home {} --port 0", home.display());
        let node = Node::start_reading(name, folder.path(), &arguments, move |line, event| {
            read.lock().expect("nobody panics").push((line.to_owned(), event.clone()));
        });
        Self { node, lines }
    }

    fn find<T>(&self, pick: impl FnMut(&Event) -> Option<T>) -> Option<T> {
        let lines = self.lines.lock().expect("nobody panics");
        lines.iter().map(|(_, event)| event).find_map(pick)
    }

    async fn until(&self, what: &str, is: impl Fn(&Event) -> bool) {
        let found = |event: &Event| is(event).then_some(());
        self.node.until(what, LIMIT_SECONDS, |_| self.find(found).is_some()).await;
    }

    /// Lets it stop, and returns all that it wrote.
    async fn stop(mut self) -> Vec<(String, Event)> {
        self.node.ask(Command::Stop);
        self.node.ended().await;
        std::mem::take(&mut *self.lines.lock().expect("nobody panics"))
    }
}

/// What the processes of a network of one mixnode have written, from their first line to their last.
struct All {
    client: Vec<(String, Event)>,
    crowd: Vec<(String, Event)>,
    mixnode: Vec<(String, Event)>,
    provider: Vec<(String, Event)>,
}

/// Starts a network, lets its client send a message to itself until that is acknowledged and cover has
/// come back, and stops it. `flag` is given to every node.
async fn run(flag: &str) -> All {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = Node::start("directory", folder.path(), "directory --port 0");
    let url = format!("http://{}", directory.address(Endpoint::Http).await);
    let start = |name: &str, role: &str| {
        Told::start(&folder, name, &format!("{role} --directory {url} {flag}"))
    };
    let mixnode = start("mix", "mixnode --layer 1 --layers 1");
    let provider = start("provider", "provider --clients-port 0");
    let client = "client --layers 1 --provider provider --hop-delay 5ms --slot 20ms \
                  --loop-cover 20ms";
    let crowd = start("crowd", &format!("{client} --crowd 2"));
    let client = start("alice", client);
    for process in [&mixnode, &provider, &crowd, &client] {
        process.until("ready", |event| matches!(event, Event::Ready { .. })).await;
    }
    let address = client.find(|event| match event {
        Event::Identity(identity) => identity.address.clone(),
        _ => None,
    });
    let to = address.expect("who is ready has an address");
    let content = Content::Text("to myself".into());
    let mut client = client;
    client.node.ask(Command::Send { to, content, message: None });
    let is_back = |event: &Event| {
        matches!(event, Event::Message(event)
            if matches!(event.stage, MessageStage::Acknowledged { .. }))
    };
    client.until("acknowledged", is_back).await;
    let has_cover_back = |event: &Event| {
        matches!(event, Event::Metrics(metrics)
            if metrics.traffic.is_some_and(|traffic| traffic.loops_returned > 0))
    };
    for process in [&client, &crowd] {
        process.until("cover comes back", has_cover_back).await;
    }
    All {
        client: client.stop().await,
        crowd: crowd.stop().await,
        mixnode: mixnode.stop().await,
        provider: provider.stop().await,
    }
}

fn last_metrics(lines: &[(String, Event)]) -> NodeMetrics {
    let metrics = lines.iter().rev().find_map(|(_, event)| match event {
        Event::Metrics(metrics) => Some(metrics.clone()),
        _ => None,
    });
    metrics.expect("counters come once a second, and at the end")
}

/// Everything that a process told of packets.
fn traces(lines: &[(String, Event)]) -> Vec<PacketTrace> {
    let packets = lines.iter().filter_map(|(_, event)| match event {
        Event::Packets { packets, lost: 0 } => Some(packets.clone()),
        Event::Packets { .. } => panic!("too few packets for any to be lost"),
        _ => None,
    });
    packets.flatten().collect()
}

fn sent_trace(lines: &[(String, Event)]) -> SentTrace {
    let sent = lines.iter().find_map(|(_, event)| match event {
        Event::Message(event) => match &event.stage {
            MessageStage::Sent { trace, .. } => trace.clone(),
            _ => None,
        },
        _ => None,
    });
    *sent.expect("the client tells how the packet looked")
}

#[tokio::test]
async fn without_the_flag_not_one_packet_is_told() {
    let All { client, crowd, mixnode, provider } = run("").await;
    for lines in [&client, &crowd, &mixnode, &provider] {
        assert!(last_metrics(lines).received > 0, "packets came");
        for (line, event) in lines {
            assert!(!matches!(event, Event::Packets { .. }), "{line}");
            // Whatever it is called: neither a print nor the field that has one.
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(!has_trace(&value), "{line}");
        }
    }
}

/// Whether there is a field of a trace, or a print, anywhere in a line.
fn has_trace(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(fields) => {
            fields.contains_key("trace") || fields.values().any(has_trace)
        }
        serde_json::Value::Array(values) => values.iter().any(has_trace),
        serde_json::Value::String(text) => text.parse::<Print>().is_ok(),
        _ => false,
    }
}

#[tokio::test]
async fn with_the_flag_a_message_can_be_followed() {
    let All { client, crowd, mixnode, provider } = run("--trace").await;
    let sent = sent_trace(&client);
    let ack = sent.ack.as_ref().expect("packets are acknowledged");
    let (passed, kept) = (traces(&mixnode), traces(&provider));
    let onward = |print: Print| {
        let after = passed.iter().find_map(|trace| match trace {
            PacketTrace::Passed { before, after, came, left, .. } if *before == print => {
                assert!(came < left, "{trace:?}");
                Some(*after)
            }
            _ => None,
        });
        after.expect("the mixnode passed it on")
    };
    let at_provider = |print: Print| {
        let ack = kept.iter().find_map(|trace| match trace {
            PacketTrace::Kept { before, ack, .. } if *before == print => Some(ack.clone()),
            _ => None,
        });
        ack.expect("the provider kept it")
    };
    let acknowledged = at_provider(onward(sent.packet)).expect("with its acknowledgement");
    assert_eq!(acknowledged.packet.header, ack.packet.header);
    assert_eq!(at_provider(onward(ack.packet)), None, "that is not acknowledged in turn");
    assert!(traces(&client).iter().any(|trace| matches!(trace, PacketTrace::Opened { .. })));

    // Cover is counted with or without.
    for lines in [&client, &crowd] {
        let metrics = last_metrics(lines);
        let returned = metrics.traffic.expect("counted").loops_returned;
        assert_eq!(metrics.transits.expect("counted").total(), returned);
        assert!(returned > 0);
    }
    // How it began is told too, and of a crowd whose it is.
    let of = |lines: &[(String, Event)]| {
        let covered = traces(lines).into_iter().filter_map(|trace| match trace {
            PacketTrace::Covered { packet, from, .. } => Some((packet, from)),
            _ => None,
        });
        covered.collect::<Vec<_>>()
    };
    let of_crowd = of(&crowd);
    assert!([1, 2].iter().all(|number| of_crowd.iter().any(|(_, from)| *from == Some(*number))));
    // Of a crowd there is nothing else to tell but which acknowledgements came back.
    let is_ack = |trace: &PacketTrace| matches!(trace, PacketTrace::Noise { dropped: None, .. });
    let acks = traces(&crowd).iter().filter(|trace| is_ack(trace)).count();
    assert!(acks > 0);
    assert_eq!(of_crowd.len() + acks, traces(&crowd).len());
    let of_client = of(&client);
    assert!(of_client.iter().all(|(_, from)| from.is_none()));
    let (first, _) = of_client[0];
    at_provider(onward(first));
}

#[tokio::test]
async fn nobody_but_a_supervisor_can_ask_for_it() {
    let lab = common::Lab::new();
    let home = lab.path().join("alone");
    for role in ["mixnode --layer 1", "provider", "client"] {
        let done = lab.run(&format!("node {role} --trace --home {}", home.display())).expect(2);
        assert!(done.stderr.contains("`--trace` tells a supervisor"), "{role}: {done:?}");
    }
}
