//! What the directory says, and what the supervisor makes of it.

use contract::{Endpoint, Event, Identity, Listening};
use directory_api::{Frame, MixNodePresence, Topology, Update};
use directory_client::SubscriptionEvent;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn unix_ns(at: Moment) -> i64 {
    i64::try_from(at.unix_ns).expect("before 2262")
}

/// The directory says this, and its clock is ours.
fn hear(devnet: &mut Devnet, at: Moment, update: Update) {
    let frame = Frame { seq: 0, timestamp: unix_ns(at), update };
    devnet.directory_event(at, SubscriptionEvent::Update(frame));
}

fn hear_mixnode(devnet: &mut Devnet, at: Moment) {
    let update = Update::MixNode(MixNodePresence {
        host: "127.0.0.1:9980".into(),
        pub_key: "mix-1-1-key".into(),
        version: "0".into(),
        location: "mix-1-1".into(),
        layer: 1,
        last_seen: unix_ns(at),
    });
    hear(devnet, at, update);
}

fn index(devnet: &Devnet, name: &str) -> usize {
    devnet.store.nodes().iter().position(|node| node.name == name).expect(name)
}

fn state(devnet: &Devnet, name: &str) -> State {
    devnet.store.nodes()[index(devnet, name)].state
}

/// The running process of a node opens a port, tells its key and says that it is ready.
fn open(devnet: &mut Devnet, at: Moment, name: &str, endpoint: Endpoint) {
    let source = devnet.source(index(devnet, name));
    let address = ([127, 0, 0, 1], 1).into();
    for event in [
        Event::Listening(Listening { endpoint, address, instead_of: None }),
        Event::Identity(Identity {
            public_keys: vec![format!("{name}-key")],
            address: None,
            new: true,
            seed: None,
        }),
        Event::Ready { reason: "it says so".into() },
    ] {
        devnet.child_event(at, source, ChildEvent::Event(Box::new(event)));
    }
}

#[tokio::test]
async fn a_clock_that_is_set_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let start = Moment::now();
    // So long after the start, while somebody has set the clock.
    let later = |pause: Duration, set: i64| Moment {
        t: start.t + pause,
        unix_ns: start
            .unix_ns
            .saturating_add_signed(set)
            .saturating_add(u64::try_from(pause.as_nanos()).expect("short")),
    };
    devnet.directory_opened(start, "http://127.0.0.1:1".into());
    hear(&mut devnet, start, Update::Snapshot { topology: Topology::default() });
    open(&mut devnet, start, "mix-1-1", Endpoint::Mix);
    assert_eq!(state(&devnet, "mix-1-1"), State::Listening);

    let hour = i64::try_from(HOUR.as_nanos()).expect("short");
    for set in [0, -hour, hour] {
        let at = later(Duration::from_secs(1), set);
        hear_mixnode(&mut devnet, at);
        assert_eq!(state(&devnet, "mix-1-1"), State::Ready, "{set}");
        hear(&mut devnet, at, Update::Left { pub_key: "mix-1-1-key".into() });
        assert_eq!(state(&devnet, "mix-1-1"), State::Listening, "{set}");
        // What an earlier process said a moment before this one was made does not count.
        let before = Moment { t: start.t, unix_ns: at.unix_ns - 1_500_000_000 };
        let update = Update::MixNode(MixNodePresence {
            host: "127.0.0.1:9980".into(),
            pub_key: "mix-1-1-key".into(),
            version: "0".into(),
            location: "mix-1-1".into(),
            layer: 1,
            last_seen: unix_ns(before),
        });
        hear(&mut devnet, at, update);
        assert_eq!(state(&devnet, "mix-1-1"), State::Listening, "{set}");
    }
}

#[tokio::test]
async fn a_directory_is_ready_when_it_has_told_what_it_lists() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let now = Moment::now();
    devnet.give_role(now, Role::Directory, &Input::Start);
    open(&mut devnet, now, "directory", Endpoint::Http);
    assert_eq!(state(&devnet, "directory"), State::Listening);
    hear(&mut devnet, now, Update::Snapshot { topology: Topology::default() });
    assert_eq!(state(&devnet, "directory"), State::Ready);
    open(&mut devnet, now, "mix-1-1", Endpoint::Mix);
    hear_mixnode(&mut devnet, now);
    assert_eq!(state(&devnet, "mix-1-1"), State::Ready);

    // It ends and is made again. What the one before it listed is no sign of anything.
    let source = devnet.source(index(&devnet, "directory"));
    devnet.child_event(now, source, ChildEvent::Exited(Exit::Signal(9)));
    let due =
        devnet.nodes[index(&devnet, "directory")].process.next_wake().expect("it starts again");
    let later = Moment { t: due, ..now };
    devnet.wake(later);
    open(&mut devnet, later, "directory", Endpoint::Http);
    assert_eq!(state(&devnet, "directory"), State::Listening);
    hear(&mut devnet, later, Update::Snapshot { topology: Topology::default() });
    let states = (state(&devnet, "directory"), state(&devnet, "mix-1-1"));
    assert_eq!(states, (State::Ready, State::Listening));
}
