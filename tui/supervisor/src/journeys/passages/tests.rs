//! What nodes know is told of those that were asked about, as far as it can be known, and of no others.

use contract::{AckTrace, PacketTrace, Print};

use super::super::Batch;
use super::*;

fn at(ms: u64) -> Time {
    Time::from_nanos(1_000_000_000 + ms * 1_000_000)
}

fn print(number: u8) -> Print {
    Print { header: [number; 8], first: [0; 16] }
}

fn names() -> Names {
    let mut names = Names::default();
    for (port, name) in [(1, "mix-1-1"), (2, "mix-2-1"), (9, "provider-1")] {
        names.learn(&format!("127.0.0.1:{port}"), name);
    }
    names.learn("bobkey", "bob");
    names
}

fn passed(before: u8, came: u64, left: u64, to: u16) -> PacketTrace {
    PacketTrace::Passed {
        came: at(came),
        left: at(left),
        asked_us: 1,
        before: print(before),
        after: print(before + 1),
        to: format!("127.0.0.1:{to}"),
        pool: 0,
    }
}

fn kept(before: u8, came: u64, ack: Option<u8>) -> PacketTrace {
    let ack =
        ack.map(|number| AckTrace { t: at(came), packet: print(number), to: "127.0.0.1:1".into() });
    let (came, client) = (at(came), "bobkey".into());
    PacketTrace::Kept { came, stored: came, before: print(before), client, ack, noise: None }
}

fn covered(number: u8, from: Option<u32>) -> PacketTrace {
    PacketTrace::Covered { t: at(0), packet: print(number), from }
}

fn link(ms: u64, from: Option<u32>, dst: &str) -> LinkEvent {
    LinkEvent { t: at(ms), from, dst: dst.into(), bytes: 2396 }
}

/// Somebody asked about these.
struct Rig {
    passages: Passages,
    asked: &'static [&'static str],
}

impl Rig {
    fn new(asked: &'static [&'static str]) -> Self {
        Self { passages: Passages::default(), asked }
    }

    fn packets(&mut self, now: u64, node: &str, packets: Vec<PacketTrace>) {
        let records = Batch::new(packets, 0).packets;
        let asked = self.asked;
        let is_asked = |name: &str| asked.contains(&name);
        self.passages.hear_packets(at(now), node, &records, &names(), is_asked);
    }

    fn links(&mut self, node: &str, links: &[LinkEvent]) {
        let asked = self.asked;
        self.passages.hear_links(node, links, |name| asked.contains(&name));
    }

    fn known(&mut self, now: u64) -> Vec<(String, Vec<Passage>)> {
        self.passages.known(at(now)).into_iter().collect()
    }
}

fn mixed(came: Option<(u64, &str)>, left: u64, to: &str) -> Passage {
    let came = came.map(|(sent, from)| Came { sent: at(sent), from: from.into() });
    Passage::Mixed { came, left: at(left), to: to.into() }
}

#[test]
fn a_mixnode_tells_where_a_packet_came_from_and_went() {
    let mut rig = Rig::new(&["mix-1-1", "mix-2-1", "provider-1"]);
    rig.packets(100, "crowd", vec![covered(1, Some(3))]);
    rig.links("crowd", &[link(5, Some(3), "mix-1-1"), link(6, Some(4), "mix-1-1")]);
    rig.packets(200, "mix-1-1", vec![passed(1, 8, 150, 2)]);
    let first = ("mix-1-1".to_owned(), vec![mixed(Some((5, "crowd-3")), 150, "mix-2-1")]);
    assert_eq!(rig.known(200), [first]);
    rig.packets(300, "mix-2-1", vec![passed(2, 151, 250, 9)]);
    let second = ("mix-2-1".to_owned(), vec![mixed(Some((150, "mix-1-1")), 250, "provider-1")]);
    assert_eq!(rig.known(300), [second]);
    rig.packets(310, "provider-1", vec![kept(3, 251, None)]);
    let came = Came { sent: at(250), from: "mix-2-1".into() };
    let filed = Passage::Filed { came, client: "bob".into() };
    assert_eq!(rig.known(310), [("provider-1".to_owned(), vec![filed])]);
    assert_eq!(rig.known(9000), [], "once");
}

#[test]
fn processes_tell_in_any_order() {
    let mut rig = Rig::new(&["mix-1-1"]);
    rig.packets(100, "mix-1-1", vec![passed(1, 8, 50, 2), passed(5, 9, 60, 2)]);
    assert_eq!(rig.known(100), []);
    // A client tells of its packet before it tells of its link, and a provider of an acknowledgement.
    rig.packets(110, "alice", vec![covered(1, None)]);
    rig.packets(110, "provider-1", vec![kept(4, 6, Some(5))]);
    assert_eq!(rig.known(110), []);
    rig.links("alice", &[link(7, None, "mix-1-1")]);
    rig.links("provider-1", &[link(6, None, "mix-1-1")]);
    let passages = vec![
        mixed(Some((7, "alice")), 50, "mix-2-1"),
        mixed(Some((6, "provider-1")), 60, "mix-2-1"),
    ];
    assert_eq!(rig.known(120), [("mix-1-1".to_owned(), passages)]);
}

/// The observer has to hear of it before it counts the packet as one that left.
#[test]
fn what_nobody_tells_is_said_to_be_unknown_in_time() {
    let mut rig = Rig::new(&["mix-1-1", "provider-1"]);
    rig.packets(100, "mix-1-1", vec![passed(1, 8, 90, 2)]);
    rig.packets(100, "provider-1", vec![kept(7, 8, None)]);
    assert_eq!(rig.known(399), []);
    assert_eq!(rig.known(400), [("mix-1-1".to_owned(), vec![mixed(None, 90, "mix-2-1")])]);
}

/// Who asks about one node hears nothing of another, though that tells all the same.
#[test]
fn a_node_that_nobody_asked_about_tells_nothing() {
    let mut rig = Rig::new(&["mix-2-1"]);
    rig.packets(100, "alice", vec![covered(1, None)]);
    rig.links("alice", &[link(5, None, "mix-1-1")]);
    rig.packets(200, "mix-1-1", vec![passed(1, 8, 150, 2)]);
    assert_eq!(rig.known(900), []);
    rig.packets(1000, "mix-2-1", vec![passed(2, 151, 250, 9)]);
    let passage = mixed(Some((150, "mix-1-1")), 250, "provider-1");
    assert_eq!(rig.known(1000), [("mix-2-1".to_owned(), vec![passage])]);
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let mut rig = Rig::new(&["mix-1-1"]);
    for n in 0..u32::try_from(MAX_SENT).expect("small") + 100 {
        let mut header = [0; 8];
        header[..4].copy_from_slice(&n.to_be_bytes());
        rig.passages.sent(at(0), header, Sent::Made("alice".into()));
        rig.links("crowd", &[link(5, Some(n), "mix-1-1")]);
        rig.passages.pending(
            at(0),
            &"mix-1-1".into(),
            header,
            at(9),
            Went::Filed { client: "bob".into() },
        );
    }
    (0..1000).for_each(|_| rig.links("alice", &[link(5, None, "mix-1-1")]));
    let Passages { sent, order, entered, pending } = &rig.passages;
    assert_eq!((sent.len(), order.len(), pending.len()), (MAX_SENT, MAX_SENT, MAX_WAITING));
    assert!(entered.len() <= MAX_LINKS);
    assert!(entered.values().all(|events| events.len() <= MAX_ON_LINK));
    rig.passages.sent(at(61_000), [255; 8], Sent::Made("alice".into()));
    assert_eq!(rig.passages.sent.len(), 1, "what is old is forgotten");
    rig.passages.forget();
    assert!(rig.passages.order.is_empty() && rig.passages.entered.is_empty());
}
