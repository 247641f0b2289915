//! Ways that are told in every order, in part, among cover, and without end.

use contract::{AckPlan, AckTrace, PacketTrace, Print};
use control::LegEnd;
use proptest::prelude::*;

use super::*;

const LAYERS: u8 = 3;

/// Long after the last record was taken in.
const LATE_MS: u64 = 60_000;

fn at(ms: u64) -> Time {
    Time::from_nanos(1_000_000_000 + ms * 1_000_000)
}

/// How the packet of this attempt looks on a link: the n-th there, or back.
fn print(attempt: u32, way: Way, link: u8) -> Print {
    let attempt = u8::try_from(attempt).expect("small");
    let mark = [attempt, way as u8, link, 1, 0, 0, 0, 0];
    let mut first = [0; 16];
    first[..8].copy_from_slice(&mark);
    Print { header: mark, first }
}

fn names() -> Names {
    let mut names = Names::default();
    for layer in 1..=LAYERS {
        names.learn(&format!("127.0.0.1:{layer}"), &format!("mix-{layer}-1"));
    }
    names.learn("127.0.0.1:99", "provider-1");
    names.learn("bobkey", "bob");
    names.learn("alicekey", "alice");
    names
}

fn route() -> Vec<String> {
    (1..=LAYERS).chain([99]).map(|port| format!("127.0.0.1:{port}")).collect()
}

/// Something that a process tells, and which.
#[derive(Clone, Debug)]
enum Tell {
    Message(&'static str, MessageEvent),
    Packet(String, PacketTrace),
}

fn sent(attempt: u32, start: u64) -> Tell {
    let mut asked_us = vec![10_000; usize::from(LAYERS)];
    asked_us.push(0);
    let ack = AckPlan {
        packet: print(attempt, Way::Back, 0),
        route: route(),
        asked_us: asked_us.clone(),
    };
    let trace = SentTrace { packet: print(attempt, Way::There, 0), asked_us, ack: Some(ack) };
    let stage =
        MessageStage::Sent { fragment: 0, attempt, route: route(), trace: Some(Box::new(trace)) };
    Tell::Message("alice", MessageEvent { t: at(start), message: "m".into(), stage })
}

/// A way over all layers to the provider, link by link; it begins at the first link.
fn way(attempt: u32, way: Way, start: u64) -> Vec<Tell> {
    let mut tells = Vec::new();
    for layer in 1..=LAYERS {
        let came = start + u64::from(layer) * 20;
        let to = route()[usize::from(layer)].clone();
        let passed = PacketTrace::Passed {
            came: at(came),
            left: at(came + 10),
            asked_us: 10_000,
            before: print(attempt, way, layer - 1),
            after: print(attempt, way, layer),
            to,
            pool: 5,
        };
        tells.push(Tell::Packet(format!("mix-{layer}-1"), passed));
    }
    let (client, ack) = match way {
        Way::There => {
            let (packet, to) = (print(attempt, Way::Back, 0), route()[0].clone());
            ("bobkey", Some(AckTrace { t: at(start + 85), packet, to }))
        }
        Way::Back => ("alicekey", None),
    };
    let kept = PacketTrace::Kept {
        came: at(start + 80),
        stored: at(start + 81),
        before: print(attempt, way, LAYERS),
        client: client.into(),
        ack,
        noise: None,
    };
    tells.push(Tell::Packet("provider-1".into(), kept));
    tells
}

fn opened(t: u64) -> Tell {
    Tell::Packet("bob".into(), PacketTrace::Opened { t: at(t), message: "m".into(), fragment: 0 })
}

fn acknowledged(attempt: Option<u32>, t: u64) -> Tell {
    let stage = MessageStage::Acknowledged { fragment: 0, attempt };
    Tell::Message("alice", MessageEvent { t: at(t), message: "m".into(), stage })
}

/// Everything that there is to tell of an attempt, by time.
fn whole(attempt: u32, start: u64) -> Vec<Tell> {
    let mut tells = vec![sent(attempt, start)];
    tells.extend(way(attempt, Way::There, start));
    tells.push(opened(start + 84));
    tells.extend(way(attempt, Way::Back, start + 85));
    tells.push(acknowledged(Some(attempt), start + 170));
    tells
}

#[derive(Default)]
struct Watched {
    journeys: Journeys,
    news: Vec<JourneyEvent>,
    origins: Vec<Origin>,
}

impl Watched {
    fn tell(&mut self, now: u64, tell: Tell) {
        let names = names();
        let news = match tell {
            Tell::Message(node, event) => self.journeys.hear_message(at(now), node, &event, &names),
            Tell::Packet(node, packet) => {
                let records = Batch::new(vec![packet], 0).packets;
                self.journeys.hear_packets(at(now), &node, records, &names)
            }
        };
        self.news.extend(news.steps);
        self.origins.extend(news.origins);
    }

    fn tell_all(&mut self, tells: Vec<Tell>) {
        for tell in tells {
            self.tell(0, tell);
        }
    }

    /// What readers of the stream have made of it.
    fn shown(&self) -> Vec<Journey> {
        let mut shown: Vec<Journey> = Vec::new();
        for event in &self.news {
            match shown.iter_mut().find(|journey| journey.is_of(event)) {
                Some(journey) => journey.add(event.step.clone()),
                None => shown.push(Journey::begin(event.clone())),
            }
        }
        shown
    }
}

#[test]
fn a_packet_is_followed_there_and_back_by_names() {
    let mut watched = Watched::default();
    watched.tell_all(whole(1, 0));
    let journeys = watched.journeys.all();
    assert_eq!(journeys.len(), 1);
    assert_eq!((journeys[0].fragment, journeys[0].attempt), (0, 1));
    let line = journeys[0].timeline().expect("sent");
    assert!(line.is_complete(), "{line:#?}");
    assert_eq!(line.delay(), Some(std::time::Duration::from_millis(84)));
    let nodes: Vec<_> = line.there.stays().map(|stay| stay.node.as_str()).collect();
    assert_eq!(nodes, ["mix-1-1", "mix-2-1", "mix-3-1"]);
    let JourneyStep::Sent { route, back, .. } = &journeys[0].steps[0] else { panic!("sent") };
    assert_eq!((route[3].node.as_str(), route[3].asked_us), ("provider-1", Some(0)));
    assert_eq!((back.len(), back[0].asked_us), (4, Some(10_000)));
    assert_eq!(watched.shown(), journeys, "the stream tells the same");
    assert_eq!(watched.journeys.expected.len(), 0, "nothing more is awaited");
    // Both ways end at a provider, and the second begins there.
    let origin = |left, origin: &str, carried| Origin {
        left: at(left),
        mix: "mix-3-1".into(),
        provider: "provider-1".into(),
        origin: origin.into(),
        carried,
    };
    let there = origin(70, "alice", Carried::Message);
    assert_eq!(watched.origins, [there, origin(155, "provider-1", Carried::Ack)]);
}

impl Tell {
    fn node(&self) -> &str {
        match self {
            Self::Message(node, _) => node,
            Self::Packet(node, _) => node,
        }
    }
}

proptest! {
    #[test]
    fn in_whatever_order_nodes_tell_it_the_way_is_the_same(
        order in Just([whole(1, 0), whole(2, 1000)].concat()).prop_shuffle()
    ) {
        // What one node tells stays in order, and those of several mix in any way.
        let by_time = [whole(1, 0), whole(2, 1000)].concat();
        let mut of_node: HashMap<&str, VecDeque<&Tell>> = HashMap::new();
        for tell in &by_time {
            of_node.entry(tell.node()).or_default().push_back(tell);
        }
        let mut watched = Watched::default();
        for tell in &order {
            let next = of_node.get_mut(tell.node()).and_then(VecDeque::pop_front);
            watched.tell(0, next.expect("as many as there are").clone());
        }
        let mut expected = Watched::default();
        expected.tell_all(by_time.clone());
        prop_assert_eq!(watched.journeys.all(), expected.journeys.all());
        prop_assert_eq!(watched.shown(), expected.journeys.all());
        prop_assert_eq!(watched.journeys.waiting.len(), (0, 0));
        let mut origins = watched.origins;
        origins.sort_by_key(|origin| origin.left);
        prop_assert_eq!(origins, expected.origins);
    }
}

#[test]
fn cover_is_never_told_and_soon_forgotten() {
    let mut watched = Watched::default();
    watched.tell_all(way(7, Way::There, 0));
    watched.tell(0, opened(84));
    assert_eq!((watched.news.len(), watched.journeys.waiting.len()), (0, (4, 1)));
    // One more, long after, and the others are gone.
    watched.tell(LATE_MS, way(8, Way::There, LATE_MS).remove(0));
    assert_eq!((watched.news.len(), watched.journeys.waiting.len()), (0, (1, 0)));
    // Who is told too late is not heard.
    watched.tell(LATE_MS, sent(7, 0));
    assert_eq!(watched.news.len(), 1, "only that it was sent");
}

#[test]
fn what_waits_is_bounded() {
    let mut watched = Watched::default();
    let mut packet = way(1, Way::There, 0).remove(0);
    for number in 0..40_000_u64 {
        let Tell::Packet(_, PacketTrace::Passed { before, .. }) = &mut packet else { panic!() };
        before.header = number.to_be_bytes();
        watched.tell(0, packet.clone());
    }
    let (waiting, _) = watched.journeys.waiting.len();
    assert!((20_000..32_768).contains(&waiting), "{waiting}");
    for _ in 0..1000 {
        watched.tell(0, opened(84));
    }
    assert!(watched.journeys.waiting.len().1 <= 256);
}

#[test]
fn an_attempt_that_was_lost_leaves_the_arrival_to_the_next() {
    let mut watched = Watched::default();
    let mut first = vec![sent(1, 0)];
    first.extend(way(1, Way::There, 0).into_iter().take(1));
    let reason = "queue".to_owned();
    let before = print(1, Way::There, 1);
    let dropped = PacketTrace::Dropped { t: at(45), before, reason };
    first.push(Tell::Packet("mix-2-1".into(), dropped));
    watched.tell_all(first);
    watched.tell_all(whole(2, 1000));
    let lines: Vec<_> = watched.journeys.all().iter().filter_map(Journey::timeline).collect();
    let end = LegEnd::Dropped { node: "mix-2-1".into(), reason: "queue".into() };
    assert_eq!((&lines[0].there.end, &lines[0].back), (&end, &None));
    assert!(lines[1].is_complete());
}

#[test]
fn a_replay_does_not_take_the_place_of_the_packet() {
    let replay = |layer: u8| {
        let (reason, before) = ("replay".to_owned(), print(1, Way::There, layer - 1));
        let dropped = PacketTrace::Dropped { t: at(500), before, reason };
        Tell::Packet(format!("mix-{layer}-1"), dropped)
    };
    let mut tells = way(1, Way::There, 0);
    // A node tells of a packet when it has left, and of its replay at once.
    tells.insert(0, replay(1));
    tells.extend([sent(1, 0), replay(2)]);
    let mut watched = Watched::default();
    watched.tell_all(tells);
    let line = watched.journeys.all()[0].timeline().expect("sent");
    assert_eq!(line.there.stays().count(), 3);
    assert!(matches!(line.there.end, LegEnd::Open { .. }));
}

#[test]
fn who_is_silent_leaves_a_gap_that_the_arrival_closes() {
    let mut tells = whole(1, 0);
    let is_told = |tell: &Tell| match tell {
        Tell::Packet(node, _) => node != "provider-1",
        Tell::Message(..) => true,
    };
    tells.retain(is_told);
    let mut watched = Watched::default();
    watched.tell_all(tells);
    // That its provider told nothing is known when it is too late for it.
    watched.tell(LATE_MS, way(8, Way::There, LATE_MS).remove(0));
    let line = watched.journeys.all()[0].timeline().expect("sent");
    assert_eq!(line.delay(), Some(std::time::Duration::from_millis(84)));
    assert!(!line.is_complete());
    let back = line.back.expect("acknowledged");
    assert_eq!(back.stays().count(), 3, "its sender told how it would look");
}

#[test]
fn only_the_first_packets_of_the_latest_messages_are_followed() {
    let mut watched = Watched::default();
    let tell = |message: String, fragment, mark: u32| match sent(1, 0) {
        Tell::Message(node, mut event) => {
            event.message = message;
            let MessageStage::Sent { fragment: which, trace, .. } = &mut event.stage else {
                panic!("sent")
            };
            *which = fragment;
            let trace = trace.as_mut().expect("traced");
            trace.packet.header[4..].copy_from_slice(&mark.to_be_bytes());
            Tell::Message(node, event)
        }
        Tell::Packet(..) => panic!("sent"),
    };
    for fragment in 0..100 {
        watched.tell(0, tell("long".into(), fragment, fragment));
    }
    assert_eq!(watched.journeys.all().len(), 16);
    for number in 0..1000_u32 {
        watched.tell(0, tell(number.to_string(), number % 16, number));
    }
    let journeys = watched.journeys.all();
    assert_eq!((journeys.len(), journeys[0].message.as_str()), (MAX_JOURNEYS, "488"));
    assert!(watched.journeys.expected.len() <= 2 * MAX_JOURNEYS);
    assert!(watched.journeys.of_message.len() <= MAX_JOURNEYS);
    // What is still told of a forgotten one is cover like any other.
    let told = watched.news.len();
    watched.tell_all(way(1, Way::There, 0));
    assert_eq!(watched.news.len(), told);
}

#[test]
fn attempts_that_are_counted_anew_replace_the_old_ones() {
    let mut watched = Watched::default();
    watched.tell(0, sent(1, 0));
    watched.tell_all(way(1, Way::There, 0).into_iter().take(1).collect());
    let Tell::Message(node, mut again) = sent(1, 5000) else { panic!("sent") };
    let MessageStage::Sent { trace: Some(trace), .. } = &mut again.stage else { panic!("sent") };
    trace.packet = print(2, Way::There, 0);
    watched.tell(0, Tell::Message(node, again));
    watched.tell_all(way(2, Way::There, 5000));
    watched.tell_all(way(1, Way::There, 0).into_iter().skip(1).collect());
    let journeys = watched.journeys.all();
    assert_eq!(journeys.len(), 1);
    let line = journeys[0].timeline().expect("sent");
    assert_eq!((line.there.begin, line.there.stays().count()), (at(5000), 3));
}

#[test]
fn a_message_that_is_not_traced_has_no_journey() {
    let mut watched = Watched::default();
    let Tell::Message(node, mut event) = sent(1, 0) else { panic!("sent") };
    let MessageStage::Sent { trace, .. } = &mut event.stage else { panic!("sent") };
    *trace = None;
    watched.tell(0, Tell::Message(node, event));
    watched.tell(0, acknowledged(None, 100));
    assert_eq!((watched.news.len(), watched.journeys.all().len()), (0, 0));
}
