//! What is true of any events: probabilities are some, nothing gets lost, order matters where it should.

use std::collections::BTreeSet;
use std::time::Duration;

use anonymity::{
    Adversary, Filed, Finding, LinkEvent, NodeId, Observation, Observer, Passage, Role, Settings,
    Sighting, Suspects, TargetId,
};
use proptest::collection::vec;
use proptest::prelude::*;

const MIXES: u16 = 4;
const PROVIDERS: u16 = 2;
const SENDERS: u16 = 5;
const NODES: u16 = MIXES + PROVIDERS + SENDERS;

/// Something happens; numbers of nodes go one beyond what there is.
#[derive(Clone, Copy, Debug)]
enum Act {
    Link(u16, u16),
    Tell(u16, u16),
    File(u16),
    Join(u16),
    Leave(u16),
    Die(u16),
    Lose,
    Corrupt(u16),
    Watch(u16),
}

fn act() -> impl Strategy<Value = Act> {
    let node = 0..=NODES;
    let two = || (0..=NODES, 0..=NODES);
    let forward = (0..MIXES + PROVIDERS, 0..MIXES + PROVIDERS);
    prop_oneof![
        12 => (MIXES + PROVIDERS..NODES, 0..MIXES).prop_map(|(a, b)| Act::Link(a, b)),
        24 => forward.prop_map(|(a, b)| Act::Link(a, b)),
        4 => two().prop_map(|(a, b)| Act::Link(a, b)),
        4 => two().prop_map(|(a, b)| Act::Tell(a, b)),
        2 => node.clone().prop_map(Act::File),
        1 => node.clone().prop_map(Act::Join),
        1 => node.clone().prop_map(Act::Leave),
        1 => node.clone().prop_map(Act::Die),
        1 => Just(Act::Lose),
        1 => node.clone().prop_map(Act::Corrupt),
        2 => node.prop_map(Act::Watch),
    ]
}

fn role(node: u16) -> Role {
    match node {
        0..MIXES => Role::Mix { layer: u8::try_from(1 + node / 2).expect("small") },
        n if n < MIXES + PROVIDERS => Role::Provider,
        _ => Role::Sender { provider: NodeId(MIXES) },
    }
}

fn observer(delay: Option<Duration>) -> Observer {
    let settings = Settings { adversary: Adversary::passive(), reorder: Duration::ZERO, delay };
    let mut observer = Observer::new(settings);
    for node in 0..NODES {
        let joined =
            Observation::Joined { t: Duration::ZERO, node: NodeId(node), role: role(node) };
        observer.take(joined);
    }
    observer
}

/// Plays acts, 10 ms apart, and checks after each that everything adds up.
fn play(observer: &mut Observer, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut watched: Vec<TargetId> = Vec::new();
    let mut came = Sighting { t: Duration::ZERO, src: NodeId(0), dst: NodeId(0) };
    let mut corrupt = BTreeSet::new();
    let mut suspects = Suspects::new(NodeId(MIXES + PROVIDERS), Some(Duration::from_secs(1)));
    for (number, act) in (1_u64..).zip(acts) {
        let t = Duration::from_millis(10 * number);
        let id = NodeId;
        match *act {
            Act::Link(src, dst) => {
                let event = LinkEvent { t, src: id(src), dst: id(dst), bytes: 2413 };
                observer.take(Observation::Link(event));
                came = event.sighting();
            }
            // What is told may be nonsense.
            Act::Tell(src, dst) => {
                let left =
                    Sighting { t: t + Duration::from_millis(10), src: id(src), dst: id(dst) };
                observer.take(Observation::Passage(Passage { came, left }));
            }
            Act::File(recipient) => {
                let filed = Filed { came: Sighting { t, ..came }, recipient: id(recipient) };
                observer.take(Observation::Filed(filed));
            }
            Act::Join(node) => {
                observer.take(Observation::Joined { t, node: id(node), role: role(node) });
            }
            Act::Leave(node) => observer.take(Observation::Left { t, node: id(node) }),
            Act::Die(node) => observer.take(Observation::Died { t, node: id(node) }),
            Act::Lose => observer.take(Observation::Lost { t, events: 1 }),
            Act::Corrupt(node) => {
                if !corrupt.remove(&id(node)) {
                    corrupt.insert(id(node));
                }
                let (corrupt, curious) = (corrupt.clone(), corrupt.clone());
                observer.set_adversary(Adversary::Global { corrupt, curious });
            }
            Act::Watch(node) => watched.push(observer.watch(id(node))),
        }
        let mut found = Ok(());
        observer.advance(t, &mut |finding| {
            if found.is_ok() {
                found = check(&finding);
            }
            match finding {
                Finding::CameOut { came, posterior } => suspects.came_out(came.t, &posterior),
                Finding::Delivered { came, recipient, posterior } => {
                    suspects.delivered(came.t, recipient, &posterior);
                }
                _ => {}
            }
        });
        found?;
        check_ranking(&suspects)?;
        for &id in &watched {
            let waits: f64 = observer.whereabouts(id).iter().map(|(_, p)| p).sum();
            if let Some(target) = observer.target(id).filter(|t| t.sent.is_some() && !t.is_settled)
            {
                let mass = target.out + target.lost + waits;
                prop_assert!((mass - 1.0).abs() < 1e-9, "{mass} of a packet: {target:?}");
            }
        }
    }
    Ok(())
}

fn check_ranking(suspects: &Suspects) -> Result<(), TestCaseError> {
    let ranking = suspects.ranking();
    let mut sum = 0.0;
    for suspect in &ranking {
        prop_assert!(suspect.node != suspects.recipient() && suspect.score.is_finite());
        prop_assert!((0.0..=1.0).contains(&suspect.probability), "{suspect:?}");
        sum += suspect.probability;
    }
    prop_assert!(ranking.is_empty() || (sum - 1.0).abs() < 1e-9, "{sum}: {ranking:?}");
    prop_assert!(ranking.is_sorted_by(|one, other| one.score >= other.score));
    Ok(())
}

fn check(finding: &Finding<'_>) -> Result<(), TestCaseError> {
    let (Finding::CameOut { posterior, .. } | Finding::Delivered { posterior, .. }) = finding
    else {
        return Ok(());
    };
    let all = posterior.sent_share() + posterior.acknowledges() + posterior.unknown();
    prop_assert!((all - 1.0).abs() < 1e-9, "{all} of a sender");
    let mut senders = 0.0;
    for (_, p) in posterior.likeliest(usize::MAX) {
        prop_assert!((0.0..=1.0 + 1e-9).contains(&p), "probability {p}");
        senders += p;
    }
    if let Some(anonymity) = posterior.anonymity() {
        prop_assert!((senders - 1.0).abs() < 1e-9);
        // Σ p² ≤ max p; −log2 max p ≤ H; −log2 Σ p² ≤ H ≤ log2 N.
        let (most, collision) = (anonymity.most, anonymity.collision);
        prop_assert!(collision <= most + 1e-9 && most <= 1.0);
        prop_assert!(anonymity.worst_bits() <= anonymity.bits + 1e-9);
        prop_assert!(-collision.log2() <= anonymity.bits + 1e-9);
        prop_assert!((0.0..=f64::from(NODES).log2()).contains(&anonymity.bits));
    }
    Ok(())
}

proptest! {
    #[test]
    fn nothing_gets_lost(acts in vec(act(), 1..300)) {
        play(&mut observer(None), &acts)?;
    }

    /// Also when counts are mended on the way, every ten milliseconds of mean delay.
    #[test]
    fn nothing_gets_lost_when_counts_are_mended(acts in vec(act(), 1..300)) {
        play(&mut observer(Some(Duration::from_millis(5))), &acts)?;
    }

    /// What happens at different mixnodes may be told in any order.
    #[test]
    fn batches_may_come_in_any_order(
        links in vec((MIXES + PROVIDERS..NODES, 0..MIXES, 0..2_u8), 1..100),
        places in vec(any::<u32>(), 100),
    ) {
        let events: Vec<Observation> = (1_u64..)
            .zip(&links)
            .map(|(number, &(sender, mix, what))| {
                let (src, dst) = if what == 0 { (mix, MIXES) } else { (sender, mix) };
                let t = Duration::from_millis(number);
                Observation::Link(LinkEvent { t, src: NodeId(src), dst: NodeId(dst), bytes: 1 })
            })
            .collect();
        let mut shuffled: Vec<_> = places.iter().zip(&events).collect();
        shuffled.sort_by_key(|(place, _)| **place);
        let found = |events: &mut dyn Iterator<Item = Observation>| {
            let mut observer = observer(None);
            events.for_each(|event| observer.take(event));
            let mut found = Vec::new();
            observer.advance(Duration::from_secs(1), &mut |finding| {
                if let Finding::CameOut { came, posterior } = finding {
                    found.push((came, posterior.likeliest(usize::MAX)));
                }
            });
            found
        };
        let in_order = found(&mut events.iter().copied());
        prop_assert_eq!(in_order, found(&mut shuffled.iter().map(|(_, event)| **event)));
    }

    /// After a mixnode died nobody who sent before is a suspect for what leaves it.
    #[test]
    fn death_clears(
        before in vec(MIXES + PROVIDERS..NODES - 1, 1..20),
        left in 0..20_usize,
    ) {
        let mut observer = observer(None);
        let last = NodeId(NODES - 1);
        let (mix, provider) = (NodeId(0), NodeId(MIXES));
        let mut links: Vec<_> = before.iter().map(|&sender| (NodeId(sender), mix)).collect();
        links.extend((0..left.min(before.len())).map(|_| (mix, provider)));
        let mut t = Duration::ZERO;
        let mut tell = |observer: &mut Observer, (src, dst)| {
            t += Duration::from_millis(1);
            observer.take(Observation::Link(LinkEvent { t, src, dst, bytes: 1 }));
            t
        };
        let mut died = Duration::ZERO;
        for link in links {
            died = tell(&mut observer, link);
        }
        observer.take(Observation::Died { t: died, node: mix });
        tell(&mut observer, (last, mix));
        let end = tell(&mut observer, (mix, provider));
        let mut given = None;
        observer.advance(end, &mut |finding| {
            if let Finding::CameOut { posterior, .. } = finding {
                given = Some(posterior.of(last));
            }
        });
        prop_assert_eq!(given, Some(1.0));
    }
}
