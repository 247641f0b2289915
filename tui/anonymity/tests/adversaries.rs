//! What different adversaries make of the same network: helped by mixnodes and providers, seeing one
//! link, or watching for long.

use std::collections::BTreeSet;
use std::time::Duration;

use anonymity::simulate::{Conversation, Happening, Outcome, Setup, Simulator, simulate};
use anonymity::{
    Adversary, Filed, Finding, NodeId, Observation, Observer, Role, SendingTest, Sends, Settings,
    Suspects,
};

#[track_caller]
fn assert_near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} ± {tolerance}");
}

/// Twenty clients, three mixnodes a layer: bits of the packet, and what the true sender is given.
#[test]
fn corrupt_mixnodes() {
    let corrupt = |nodes: &[(u8, u16)]| {
        let setup = Setup { corrupt: nodes.to_vec(), ..Setup::classic(20, 3, 3) };
        simulate(&setup, 1, 20, 600)
    };
    let bits = |outcome: &Outcome| outcome.packet_bits.mean().expect("some were followed");
    let least = |outcome: &Outcome| {
        let calibrated = outcome.calibrated.expect("some came out");
        // It is right about how much more it knows.
        assert_near(calibrated.given, calibrated.expected, 0.02 * calibrated.expected);
        calibrated.given
    };
    let honest = corrupt(&[]);
    assert_near(bits(&honest), 6.06, 0.1);
    assert_near(least(&honest), 0.067, 0.002);
    for (layer, expected) in [(1, 5.84), (2, 5.90), (3, 5.83)] {
        let one = corrupt(&[(layer, 0)]);
        assert_near(bits(&one), expected, 0.1);
        assert_near(least(&one), 0.072, 0.002);
    }
    let each = corrupt(&[(1, 0), (2, 1), (3, 2)]);
    assert_near(bits(&each), 5.07, 0.1);
    assert_near(least(&each), 0.130, 0.005);
}

/// Who holds all mixnodes needs no mixing to be undone.
#[test]
fn all_mixnodes() {
    let all = (1..=3).flat_map(|layer| [(layer, 0), (layer, 1)]).collect();
    let outcome = simulate(&Setup { corrupt: all, ..Setup::classic(20, 2, 3) }, 1, 20, 60);
    assert_near(outcome.sender_bits.mean().expect("some came out"), 0.0, 1e-9);
    assert_near(outcome.packet_bits.mean().expect("some were followed"), 0.0, 1e-9);
    assert_near(outcome.calibrated.expect("some came out").given, 1.0, 1e-9);
    assert_near(outcome.mix_bits, 0.0, 1e-9);
    assert_near(outcome.pool, 6.0, 0.5);
}

/// A corrupt mixnode that says nothing is as good as an honest one.
#[test]
fn a_corrupt_mixnode_that_does_not_tell() {
    let setup = Setup { corrupt: vec![(1, 0), (2, 0), (3, 0)], ..Setup::classic(20, 1, 3) };
    let mut observer = setup.observer();
    for happening in Simulator::new(&setup, 1).take(20_000) {
        observer.take(Observation::Link(happening.link));
        observer.advance(happening.link.t, &mut |_| {});
    }
    let window = Duration::from_secs(60);
    let silent = observer.figures().sender_bits.over(observer.now(), window).mean();
    let honest = simulate(&Setup { corrupt: Vec::new(), ..setup }, 1, 20, 60).sender_bits.mean();
    assert_near(silent.expect("some"), honest.expect("some"), 0.05);
    assert!(observer.trust().untold > 0);
}

struct Chat {
    setup: Setup,
    /// Whether the provider tells messages from cover.
    filters: bool,
}

impl Chat {
    /// Alice writes to bob once a second; nineteen others do not.
    fn new(delay: f64) -> Self {
        let conversation = Conversation { from: 0, to: 1, rate: 1.0, covered: true };
        let setup = Setup { delay, conversation: Some(conversation), ..Setup::classic(20, 2, 3) };
        Self { setup, filters: false }
    }

    /// Alice's mean rank among the nineteen who might write to bob, after so many messages, over 24 runs.
    fn rank_after(&self, messages: u32) -> f64 {
        let runs = 24;
        (0..runs).map(|seed| self.rank(seed, messages)).sum::<f64>() / 24.0
    }

    fn rank(&self, seed: u64, messages: u32) -> f64 {
        let (alice, bob) = (self.setup.sender(0), self.setup.sender(1));
        let mut observer = self.setup.observer();
        let mut suspects = Suspects::new(bob, None);
        let mut real = 0;
        for happening in Simulator::new(&self.setup, seed) {
            happening.tell(&mut observer);
            let is_counted = happening.known.is_real || !self.filters;
            observer.advance(happening.link.t, &mut |finding| match finding {
                Finding::CameOut { came, posterior } => suspects.came_out(came.t, &posterior),
                Finding::Delivered { came, recipient, posterior } if is_counted => {
                    suspects.delivered(came.t, recipient, &posterior);
                    real += u32::from(happening.known.is_real);
                }
                _ => {}
            });
            if real == messages {
                break;
            }
        }
        let ranking = suspects.ranking();
        assert_eq!(ranking.len(), 19, "bob is not among them");
        let place = ranking.iter().position(|suspect| suspect.node == alice);
        f64::from(u32::try_from(place.expect("she is known") + 1).expect("few"))
    }
}

/// With cover and 20 ms a hop alice is first after ten messages, with 200 ms after a hundred or more, with
/// 500 ms after some hundred. Chance is ten.
///
/// The usual description takes the mean of packets in general as it is when a packet comes, and needs three
/// times as many messages or more (place 4 to 6 after a hundred at 200 ms, 1 to 2 after 300). Here it is the mean
/// of the time that is looked at, known afterwards: who happened to send more than before is not suspected of
/// it. That is the whole difference; with the usual share of one in four instead of several places are the same.
#[test]
fn delay_hides_who_writes_to_whom() {
    let classic = Chat::new(0.2);
    assert!(classic.rank_after(10) > 4.0);
    assert!((2.0..5.0).contains(&classic.rank_after(30)));
    assert!((1.2..2.5).contains(&classic.rank_after(100)));
    assert!(classic.rank_after(300) < 1.2);
    assert!(Chat::new(0.02).rank_after(10) < 1.2);
    let slow = Chat::new(0.5);
    assert!(slow.rank_after(30) > 4.0);
    assert!((1.7..5.0).contains(&slow.rank_after(100)));
}

/// Without cover ten messages are enough.
#[test]
fn cover_hides_who_writes_to_whom() {
    let mut open = Chat::new(0.2);
    open.setup.rate = 0.3;
    if let Some(conversation) = &mut open.setup.conversation {
        conversation.covered = false;
    }
    assert!(open.rank_after(10) < 2.0);
}

/// A provider that tells messages from cover needs a third of the messages.
#[test]
fn a_provider_that_sees_cover() {
    let filtering = |delay| Chat { filters: true, ..Chat::new(delay) };
    assert!(filtering(0.2).rank_after(30) < 3.5);
    assert!(filtering(0.2).rank_after(100) < 1.3);
    assert!(filtering(0.5).rank_after(300) < 2.0);
}

/// Two senders are the easier told apart, the shorter delays are and the fewer the hops.
#[test]
fn telling_two_senders_apart() {
    let apart = |layers, delay| {
        let setup = Setup { rate: 2.0, delay, ..Setup::classic(100, 3, layers) };
        let (one, other) = (setup.sender(0), setup.sender(1));
        let mut observer = setup.observer();
        let (mut sum, mut count) = (0.0, 0.0);
        for happening in Simulator::new(&setup, 1).take(150_000) {
            happening.tell(&mut observer);
            let Happening { link, known, .. } = happening;
            observer.advance(link.t, &mut |finding| {
                if let Finding::CameOut { came, posterior } = finding
                    && (known.origin == one || known.origin == other)
                    && came.t > Duration::from_secs(30)
                {
                    let wrong = if known.origin == one { other } else { one };
                    sum += posterior.likelier(known.origin, wrong).unwrap_or(0.0);
                    count += 1.0;
                }
            });
        }
        assert!(count > 200.0);
        sum / count
    };
    let (slow, middle, fast) = (apart(3, 5.0), apart(3, 1.0), apart(3, 0.5));
    assert!(0.0 < slow && slow < 0.5 * middle && middle < 0.7 * fast, "{slow} {middle} {fast}");
    let (one, two, three) = (apart(1, 1.0), apart(2, 1.0), middle);
    assert!(one > 3.0 * two && two > three, "{one} {two} {three}");
}

/// The link of a client tells when it sends, and nothing of packets elsewhere.
#[test]
fn one_link() {
    let setup = Setup::classic(3, 1, 1);
    let (alice, mix) = (setup.sender(0), setup.mix(1, 0));
    let mut observer = Observer::new(Settings {
        adversary: Adversary::OneLink(alice, mix),
        reorder: Duration::ZERO,
        delay: None,
    });
    let senders = (0..3).map(|n| setup.sender(n));
    for (node, role) in [(mix, Role::Mix { layer: 1 }), (setup.provider(0), Role::Provider)]
        .into_iter()
        .chain(senders.map(|sender| (sender, Role::Sender { provider: setup.provider(0) })))
    {
        observer.take(Observation::Joined { t: Duration::ZERO, node, role });
    }
    let mut test = SendingTest::new(1.0, 3.0, Duration::ZERO);
    let mut sent = 0;
    for happening in Simulator::new(&setup, 1).take(2000) {
        happening.tell(&mut observer);
        observer.advance(happening.link.t, &mut |finding| match finding {
            Finding::Sent { sent: packet } => {
                assert_eq!(packet.src, alice);
                test.sent(packet.t);
                sent += 1;
            }
            other => panic!("{other:?}"),
        });
    }
    assert!(sent > 100);
    assert_eq!(test.answer(observer.now()), Sends::Yes);
    assert!(observer.figures().sender_bits.over(observer.now(), observer.now()).mean().is_none());
}

/// A curious provider names recipients also of those who are not there to be pushed anything.
#[test]
fn a_curious_provider() {
    let setup = Setup::classic(5, 1, 1);
    let mut observer = setup.observer();
    let curious = BTreeSet::from([setup.provider(0)]);
    observer.set_adversary(Adversary::Global { corrupt: BTreeSet::new(), curious });
    let mut delivered: Vec<(NodeId, NodeId)> = Vec::new();
    let mut filed = 0;
    for happening in Simulator::new(&setup, 1).take(5000) {
        happening.tell(&mut observer);
        let (link, recipient) = (happening.link, happening.known.recipient);
        if link.dst == setup.provider(0) {
            observer.take(Observation::Filed(Filed { came: link.sighting(), recipient }));
            filed += 1;
        }
        observer.advance(link.t, &mut |finding| {
            if let Finding::Delivered { recipient: told, .. } = finding {
                delivered.push((told, recipient));
            }
        });
    }
    assert_eq!(delivered.len(), filed);
    assert!(delivered.iter().all(|(told, recipient)| told == recipient));
    assert_eq!(observer.trust().unpaired, 0);
}
