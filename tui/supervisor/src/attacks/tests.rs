//! Attacks against nodes that are only told of: what they tell, in any order, and what is made of it.

use contract::{Outcome, PacketPart, PacketTrace, Print};
use control::Sighting;

use super::*;
use crate::child::NodeId;
use crate::journeys::Batch;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> Moment {
    Moment { t: Time::from_nanos(ms * MS), unix_ns: ms * MS }
}

fn print(number: u8) -> Print {
    Print { header: [number; 8], first: [number; 16] }
}

fn source(number: u64) -> Source {
    Source { node: NodeId(number), generation: 1 }
}

/// A supervisor's ears, with an attack that has just begun.
struct Ears {
    attacks: Attacks,
    names: Names,
    metrics: BTreeMap<String, NodeMetrics>,
}

impl Ears {
    fn new() -> Self {
        let mut names = Names::default();
        let nodes = ["mix-1-1", "mix-2-1", "mix-2-2", "mix-3-1", "provider-1"];
        for (port, node) in (1..).zip(nodes) {
            names.learn(&format!("127.0.0.1:{port}"), node);
        }
        names.learn("bobs-key", "bob");
        Self { attacks: Attacks::default(), names, metrics: BTreeMap::new() }
    }

    fn begin(&mut self, plan: AttackPlan, trace: bool) -> u64 {
        self.begin_by(plan, trace, &["asked"])
    }

    /// Those who are asked have the sources and requests 1, 2 and so on.
    fn begin_by(&mut self, plan: AttackPlan, trace: bool, by: &[&str]) -> u64 {
        let asked = (1..).zip(by).map(|(number, node)| Asked {
            source: source(number),
            request: number,
            node: (*node).into(),
        });
        let begin = Begin {
            plan,
            asked: asked.collect(),
            not_held: Vec::new(),
            trace,
            takes: Duration::from_secs(10),
            patience: Duration::from_secs(5),
            metrics: &self.metrics,
        };
        self.attacks.begin(at(0), begin)
    }

    fn answer(&mut self, ms: u64, number: u64, outcome: Outcome) {
        let answer = Answer { id: number, outcome };
        let rest = self.attacks.answered(at(ms).t, source(number), answer, &self.names);
        assert_eq!(rest, None, "it is one to an attack");
    }

    fn done(&mut self, ms: u64, deed: Deed) {
        self.answer(ms, 1, Outcome::Attacked { deed });
    }

    fn tell(&mut self, ms: u64, node: &str, trace: PacketTrace) {
        let batch = Batch::new(vec![trace], 0);
        self.attacks.hear_packets(at(ms).t, node, &batch.packets, &self.names);
    }

    fn count(&mut self, ms: u64, node: &str, reason: &str, packets: u64) {
        let dropped = BTreeMap::from([(reason.to_owned(), packets)]);
        let metrics = NodeMetrics { dropped, ..NodeMetrics::default() };
        self.attacks.hear_metrics(at(ms).t, node, &metrics);
        self.metrics.insert(node.into(), metrics);
    }

    fn status(&self, id: u64) -> &AttackStatus {
        self.attacks.get(id).expect("it is remembered")
    }

    fn verdict(&self, id: u64) -> Option<Verdict> {
        self.status(id).verdict()
    }
}

fn passed(before: u8, after: u8, to: u16, came: u64, pool: u32) -> PacketTrace {
    PacketTrace::Passed {
        came: at(came).t,
        left: at(came + 100).t,
        asked_us: 100_000,
        before: print(before),
        after: print(after),
        to: format!("127.0.0.1:{to}"),
        pool,
    }
}

fn dropped(before: u8, reason: &str) -> PacketTrace {
    PacketTrace::Dropped { t: at(50).t, before: print(before), reason: reason.into() }
}

fn kept(before: u8, noise: Option<&str>) -> PacketTrace {
    PacketTrace::Kept {
        came: at(400).t,
        stored: at(401).t,
        before: print(before),
        client: "bobs-key".into(),
        ack: None,
        noise: noise.map(String::from),
    }
}

fn noise(identifier: &str, dropped: Option<&str>) -> PacketTrace {
    let (identifier, dropped) = (identifier.into(), dropped.map(String::from));
    PacketTrace::Noise { t: at(500).t, identifier, dropped }
}

fn replay(times: u32) -> AttackPlan {
    AttackPlan::Replay { from: "mix-1-1".into(), to: "mix-2-1".into(), times }
}

fn flip(part: PacketPart, bit: u32) -> AttackPlan {
    AttackPlan::Flip { from: "mix-1-1".into(), to: "mix-2-1".into(), part, bit: Some(bit) }
}

fn replayed(copies: u32) -> Deed {
    Deed::Replayed { t: at(10).t, packet: print(1), copies, last: at(300).t }
}

fn flipped(after: u8) -> Deed {
    Deed::Flipped { t: at(10).t, before: print(1), after: print(after) }
}

#[test]
fn copies_that_are_dropped_are_an_answer_also_before_the_packet_itself_has_left() {
    let mut ears = Ears::new();
    let id = ears.begin(replay(2), true);
    // Of other nodes and packets, and of the copies before it is known that they are.
    ears.tell(60, "mix-2-2", dropped(1, "replay"));
    ears.tell(70, "mix-2-1", dropped(9, "replay"));
    ears.tell(80, "mix-2-1", dropped(1, "replay"));
    ears.done(310, replayed(2));
    assert_eq!(ears.verdict(id), None, "one copy is missing");
    ears.tell(320, "mix-2-1", dropped(1, "replay"));
    assert_eq!(ears.verdict(id), Some(Verdict::Stopped));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("from mix-1-1 to mix-2-1 was sent again, twice"), "{told}");
    assert!(told.contains("mix-2-1 dropped all 2 copies: replay"), "{told}");
    assert!(ears.status(id).is_as_expected());
    assert_eq!(ears.attacks.next_deadline(), None);
}

#[test]
fn a_node_that_takes_copies_shows_the_way_of_the_packet() {
    let mut ears = Ears::new();
    let id = ears.begin(replay(1), true);
    ears.done(310, replayed(1));
    ears.tell(320, "mix-2-1", passed(1, 2, 4, 20, 3));
    assert_eq!(ears.verdict(id), None, "that is the packet itself");
    ears.tell(330, "mix-2-1", passed(1, 2, 4, 120, 3));
    assert_eq!(ears.verdict(id), Some(Verdict::Through));
    assert!(!ears.status(id).is_as_expected());
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("mix-2-1 took it twice, and each time for mix-3-1."), "{told}");
}

#[test]
fn a_changed_header_is_dropped_by_the_next_hop() {
    let mut ears = Ears::new();
    let id = ears.begin(flip(PacketPart::Header, 384), true);
    // Somebody else sends the changed one again.
    ears.tell(15, "mix-2-1", dropped(7, "replay"));
    ears.tell(20, "mix-2-1", dropped(7, "mac"));
    ears.done(30, flipped(7));
    assert_eq!(ears.verdict(id), Some(Verdict::Stopped));
    let dropped = Sighting::Dropped { node: "mix-2-1".into(), t: at(50).t, reason: "mac".into() };
    assert_eq!(ears.status(id).seen, [dropped]);
    assert!(ears.status(id).sentences()[1].starts_with("mix-2-1 dropped the packet: mac"));
}

#[test]
fn the_one_bit_that_nobody_checks_is_told_apart_from_a_node_that_checks_nothing() {
    for (bit, verdict) in [(248, Verdict::Harmless), (249, Verdict::Through)] {
        let mut ears = Ears::new();
        let id = ears.begin(flip(PacketPart::Header, bit), true);
        ears.done(30, flipped(7));
        for (node, trace) in [
            ("mix-2-1", passed(7, 8, 4, 30, 0)),
            ("mix-3-1", passed(8, 9, 5, 200, 0)),
            ("provider-1", kept(9, None)),
        ] {
            assert_eq!(ears.verdict(id), None);
            ears.tell(500, node, trace);
        }
        assert_eq!(ears.verdict(id), Some(verdict), "{bit}");
    }
}

#[test]
fn a_changed_payload_goes_unnoticed_to_whoever_opens_it() {
    let way = [
        ("bob", noise("ab", Some("unknown-ack"))),
        ("provider-1", kept(3, Some("ab"))),
        ("mix-3-1", passed(2, 3, 5, 200, 0)),
        ("mix-2-1", passed(1, 2, 4, 30, 0)),
    ];
    // Nodes tell at different moments: in whatever order.
    for turn in 0..way.len() {
        let mut ears = Ears::new();
        let id = ears.begin(flip(PacketPart::Payload, 0), true);
        ears.done(30, flipped(1));
        for step in 0..way.len() {
            assert_eq!(ears.verdict(id), None);
            let (node, trace) = way[(turn + step) % way.len()].clone();
            ears.tell(500, node, trace);
        }
        assert_eq!(ears.verdict(id), Some(Verdict::Stopped), "{turn}");
        let told = ears.status(id).sentences().join("\n");
        assert!(
            told.contains("mix-2-1 and mix-3-1 passed it on, provider-1 stored it for bob"),
            "{told}"
        );
        assert!(told.contains("bob could not open it and dropped it (unknown-ack)"), "{told}");
    }
}

#[test]
fn noise_cannot_be_damaged() {
    let mut ears = Ears::new();
    let id = ears.begin(flip(PacketPart::Payload, 0), true);
    ears.done(30, flipped(1));
    ears.tell(500, "mix-2-1", passed(1, 2, 5, 30, 0));
    ears.tell(510, "provider-1", kept(2, Some("ab")));
    assert_eq!(ears.verdict(id), None, "the client has not told");
    ears.tell(520, "crowd", noise("ab", None));
    assert_eq!(ears.verdict(id), Some(Verdict::Harmless));
    assert!(ears.status(id).sentences().join("\n").contains("crowd took it"));
}

#[test]
fn a_layer_is_left_out_and_the_hop_before_it_refuses() {
    let skip = |layer| AttackPlan::Skip { client: "alice".into(), layer: Some(layer) };
    let route = |ports: &[u16]| ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let mut ears = Ears::new();
    let id = ears.begin(skip(2), true);
    ears.done(5, Deed::Skipped { t: at(5).t, packet: print(1), route: route(&[1, 4, 5]) });
    ears.tell(1400, "mix-1-1", dropped(1, "layer"));
    assert_eq!(ears.verdict(id), Some(Verdict::Stopped));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("over mix-1-1 → mix-3-1 → provider-1, without layer 2"), "{told}");
    assert!(told.contains("mix-1-1 dropped the packet: layer"), "{told}");

    // Whoever enters at the second layer cannot be told from the first.
    let mut ears = Ears::new();
    let id = ears.begin(skip(1), true);
    ears.done(5, Deed::Skipped { t: at(5).t, packet: print(1), route: route(&[2, 5]) });
    ears.tell(500, "mix-2-1", passed(1, 2, 5, 30, 0));
    ears.tell(510, "provider-1", kept(2, None));
    assert_eq!(ears.verdict(id), Some(Verdict::Through));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("not authenticated"), "{told}");
}

fn isolate() -> AttackPlan {
    AttackPlan::Isolate { mix: "mix-1-1".into(), target: "alice".into(), for_ms: 2000 }
}

fn held(from: u64, until: u64, packets: u64, lost: u64) -> Outcome {
    let (from, until) = (at(from).t, at(until).t);
    Outcome::Attacked { deed: Deed::Held { from, until, packets, lost } }
}

fn sent(ears: &mut Ears, node: &str, ms: &[u64]) {
    let links = ms.iter().map(|ms| LinkEvent {
        t: at(*ms).t,
        from: None,
        dst: "mix-1-1".into(),
        bytes: 2396,
    });
    ears.attacks.hear_links(node, &links.collect::<Vec<_>>());
}

#[test]
fn a_mixnode_from_which_all_others_are_kept_hides_nobody() {
    let mut ears = Ears::new();
    let id = ears.begin_by(isolate(), true, &["bob", "crowd", "provider-1"]);
    // Two that wait since before, one of alice among them, and two of alice later.
    for came in [10, 160, 900, 1500] {
        let pool = u32::from(came == 160);
        ears.tell(2000, "mix-1-1", passed(1, 2, 2, came, pool));
    }
    sent(&mut ears, "alice", &[159, 899, 1501]);
    sent(&mut ears, "bob", &[10]);
    ears.answer(2010, 1, held(100, 2100, 4, 0));
    assert_eq!(ears.verdict(id), None, "others still hold back");
    ears.answer(2020, 2, held(105, 2105, 9, 1));
    let reason = "it has none".into();
    ears.answer(2030, 3, Outcome::Refused { reason });
    ears.tell(2200, "mix-1-1", dropped(9, "mac"));
    assert_eq!(ears.verdict(id), None, "what came last may be told later");
    ears.tell(2700, "mix-1-1", dropped(9, "mac"));
    assert_eq!(ears.verdict(id), Some(Verdict::Through));
    let status = ears.status(id);
    let isolation = status.isolation.clone().expect("of this kind");
    // The first left after 110 ms; the cut was at 105.
    assert_eq!((isolation.pool, isolation.drained_us), (1, 5000));
    assert_eq!((isolation.sent, isolation.came), (3, 3));
    let alone = isolation.alone.expect("a packet was alone");
    assert_eq!((alone.came, alone.to.as_str()), (at(900).t, "mix-2-1"));
    let Some(AttackDeed::Held { nodes, packets, lost, not_held, .. }) = &status.deed else {
        panic!("{status:?}")
    };
    assert_eq!((nodes.as_slice(), *packets, *lost), (&["bob".into(), "crowd".into()][..], 13, 1));
    assert_eq!(not_held.as_slice(), ["provider-1"]);
    assert!(status.is_as_expected(), "nothing stands against it");
    assert!(status.sentences().join("\n").contains("a packet of alice came into an empty pool"));
}

#[test]
fn what_came_alone_and_is_not_of_the_target_shows_nothing() {
    let mut ears = Ears::new();
    let id = ears.begin_by(isolate(), true, &["bob"]);
    ears.tell(2000, "mix-1-1", passed(1, 2, 2, 900, 0));
    ears.answer(2010, 1, held(100, 2000, 4, 0));
    ears.tell(2800, "mix-1-1", dropped(9, "mac"));
    assert_eq!(ears.verdict(id), None);
    ears.attacks.expire(at(10_000).t);
    assert_eq!(ears.verdict(id), Some(Verdict::Unknown));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("alice sent nothing to mix-1-1"), "{told}");
}

#[test]
fn without_traces_counters_speak_and_it_is_said_what_they_do_not_tell() {
    let mut ears = Ears::new();
    ears.count(0, "mix-2-1", "replay", 5);
    let id = ears.begin(replay(2), false);
    ears.done(300, replayed(2));
    ears.count(1000, "mix-2-1", "replay", 6);
    ears.count(1000, "mix-2-2", "replay", 9);
    assert_eq!(ears.verdict(id), None, "one copy is missing");
    ears.count(2000, "mix-2-1", "replay", 7);
    assert_eq!(ears.verdict(id), Some(Verdict::Stopped));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("mix-2-1 has counted 2 dropped since: replay"), "{told}");
    assert!(told.contains("--trace off"), "{told}");

    // Of a payload no counter of one node tells.
    let id = ears.begin(flip(PacketPart::Payload, 0), false);
    ears.done(300, flipped(1));
    ears.count(1000, "bob", "unknown-ack", 1);
    assert_eq!(ears.verdict(id), None);
    let deadline = ears.attacks.next_deadline().expect("one");
    assert_eq!(deadline, at(5300).t);
    ears.attacks.expire(deadline);
    assert_eq!(ears.verdict(id), Some(Verdict::Unknown));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("1 by bob (unknown-ack)") && told.contains("--trace off"), "{told}");
}

#[test]
fn a_link_without_packets_and_processes_that_end_are_told() {
    let mut ears = Ears::new();
    let id = ears.begin(replay(1), true);
    let reason = "no packet went to 127.0.0.1:2 within 15 s".into();
    ears.answer(15_000, 1, Outcome::Refused { reason });
    assert_eq!(ears.verdict(id), Some(Verdict::NotDone));
    let expected = ["Nothing was done: no packet went to mix-2-1 within 15 s."];
    assert_eq!(ears.status(id).sentences(), expected);

    let id = ears.begin(replay(1), true);
    ears.attacks.process_ended(at(20).t, source(1), "mix-1-1", "killed by SIGKILL");
    assert_eq!(ears.verdict(id), Some(Verdict::NotDone));
    assert!(ears.status(id).sentences()[0].contains("`mix-1-1` ended before: killed by SIGKILL"));

    // The next hop forgets what it knew.
    let id = ears.begin(replay(1), true);
    ears.done(300, replayed(1));
    ears.attacks.process_ended(at(310).t, source(7), "mix-2-1", "killed by SIGKILL");
    assert_eq!(ears.verdict(id), None);
    ears.attacks.expire(at(5300).t);
    assert_eq!(ears.verdict(id), Some(Verdict::Unknown));
    let told = ears.status(id).sentences().join("\n");
    assert!(told.contains("Meanwhile ended: mix-2-1"), "{told}");

    // Who never answers is not waited for.
    let id = ears.begin(replay(1), true);
    ears.attacks.expire(at(13_000).t);
    assert_eq!(ears.verdict(id), Some(Verdict::NotDone));
    assert!(ears.status(id).sentences()[0].contains("`asked` did not answer"));

    let id = ears.begin(replay(1), true);
    ears.attacks.give_up(at(20).t, "the devnet is going down");
    assert_eq!(ears.verdict(id), Some(Verdict::NotDone));
}

#[test]
fn two_attacks_at_once_are_followed_each_by_its_own_packet() {
    let mut ears = Ears::new();
    let first = ears.begin(replay(1), true);
    let second = ears.begin_by(flip(PacketPart::Header, 384), true, &["x", "mix-1-1"]);
    ears.done(300, replayed(1));
    ears.answer(300, 2, Outcome::Attacked { deed: flipped(7) });
    ears.tell(310, "mix-2-1", dropped(7, "mac"));
    assert_eq!((ears.verdict(first), ears.verdict(second)), (None, Some(Verdict::Stopped)));
    ears.tell(320, "mix-2-1", dropped(1, "replay"));
    assert_eq!(ears.verdict(first), Some(Verdict::Stopped));
}

#[test]
fn what_is_underway_and_what_is_remembered_is_bounded_and_each_step_is_told_once() {
    let mut ears = Ears::new();
    for number in 0..MAX_ATTACKS {
        assert!(!ears.attacks.is_full(), "{number}");
        ears.begin(replay(1), true);
    }
    assert!(ears.attacks.is_full());
    assert_eq!(ears.attacks.take_news().len(), MAX_ATTACKS);
    ears.tell(10, "mix-2-1", dropped(3, "mac"));
    assert_eq!(ears.attacks.take_news(), [], "nothing of it");
    ears.attacks.expire(at(60_000).t);
    assert_eq!(ears.attacks.take_news().len(), MAX_ATTACKS);
    for _ in 0..2 * REMEMBERED_ATTACKS {
        ears.begin(replay(1), true);
        ears.attacks.expire(at(60_000).t);
    }
    assert_eq!(ears.attacks.all().len(), REMEMBERED_ATTACKS);
    let unknown = Answer { id: 99, outcome: Outcome::Done };
    let names = Names::default();
    assert_eq!(ears.attacks.answered(at(0).t, source(1), unknown.clone(), &names), Some(unknown));
}
