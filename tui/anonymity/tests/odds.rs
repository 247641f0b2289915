//! Are the odds on the board right? Of suspects who are given odds p that part writes, over many networks
//! and messages; and where nobody writes nobody stands out.

use std::time::Duration;

use anonymity::simulate::{Conversation, Happening, Setup, Simulator};
use anonymity::{Finding, Observer, Suspects};

const WINDOW: Duration = Duration::from_secs(60);

/// The chance that is given to each suspect, the one who writes first, after each of some times.
fn chances(setup: &Setup, seed: u64, times: &[f64]) -> Vec<Vec<f64>> {
    let (alice, bob) = (setup.sender(0), setup.sender(1));
    let mut observer = setup.observer();
    let mut suspects = Suspects::new(bob, Some(WINDOW));
    let mut simulator = Simulator::new(setup, seed);
    times
        .iter()
        .map(|until| {
            run(&mut simulator, &mut observer, &mut suspects, Duration::from_secs_f64(*until));
            let mut ranking = suspects.ranking();
            ranking.sort_by_key(|suspect| suspect.node != alice);
            ranking.iter().map(|suspect| suspect.probability).collect()
        })
        .collect()
}

fn run(
    simulator: &mut Simulator,
    observer: &mut Observer,
    suspects: &mut Suspects,
    until: Duration,
) {
    for happening in simulator {
        let Happening { link, .. } = happening;
        happening.tell(observer);
        observer.advance(link.t, &mut |finding| match finding {
            Finding::CameOut { came, posterior } => suspects.came_out(came.t, &posterior),
            Finding::Delivered { came, recipient, posterior } => {
                suspects.delivered(came.t, recipient, &posterior);
            }
            _ => {}
        });
        if link.t >= until {
            break;
        }
    }
}

fn network(senders: u16, delay: f64, acks: bool, rate: Option<f64>) -> Setup {
    let talk = |rate| Conversation { from: 0, to: 1, rate, covered: true };
    Setup { delay, acks, conversation: rate.map(talk), ..Setup::classic(senders, 2, 3) }
}

fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("few"))
}

/// Chances between these.
const CLASSES: [f64; 9] = [0.0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.8, 1.01];

/// Of suspects, those who are given a chance of a class: how many, what chance on average, what part of
/// them writes. Only classes of which there are enough to tell.
fn classes(runs: &[Vec<Vec<f64>>]) -> Vec<[f64; 3]> {
    let of_class = |class: &[f64]| {
        let (mut count, mut given, mut writes) = (0.0, 0.0, 0.0);
        for (place, p) in runs.iter().flatten().flat_map(|chances| chances.iter().enumerate()) {
            if (class[0]..class[1]).contains(p) {
                count += 1.0;
                given += p;
                writes += if place == 0 { 1.0 } else { 0.0 };
            }
        }
        [count, given / count, writes / count]
    };
    CLASSES.windows(2).map(of_class).filter(|[count, ..]| *count >= 20.0).collect()
}

/// Different delays, crowds and widths. Neither they nor the seeds were used to choose anything in the model;
/// `benches/odds.rs` does the same at length.
fn networks(acks: bool, rate: Option<f64>) -> Vec<Setup> {
    let cases = [(15, 3, 0.1), (12, 1, 0.3), (30, 2, 0.15), (25, 4, 0.4), (70, 3, 0.05)];
    let network = |(senders, width, delay)| Setup { width, ..network(senders, delay, acks, rate) };
    cases.map(network).to_vec()
}

/// Given odds are right, or modest: also of those who write so little that it is hard to tell.
#[test]
fn of_those_who_are_given_odds_that_part_writes() {
    for acks in [true, false] {
        for (rate, seeds) in [(0.3, 3000..3016), (1.5, 4000..4008)] {
            let mut runs = Vec::new();
            for setup in networks(acks, Some(rate)) {
                runs.extend(seeds.clone().map(|seed| chances(&setup, seed, &[15.0, 40.0, 75.0])));
            }
            let classes = classes(&runs);
            println!("acknowledgements: {acks}; {rate}/s; suspects, given, true: {classes:.3?}");
            assert!(classes.len() >= 4, "{classes:?}");
            for [count, given, writes] in classes {
                let margin = 2.0 * (given * (1.0 - given) / count).sqrt();
                let odds = |p: f64| p / (1.0 - p).max(1e-9);
                // The least of them has a chance of 1 in 11 if nothing is known, the largest of 1 in 69.
                if given < 0.014 {
                    assert!(writes - margin < given, "too sure of innocence: {given}, {writes}");
                } else if given > 0.1 {
                    assert!(writes + margin > given, "too bold: {given}, {writes}");
                    assert!(odds(writes - margin) < 100.0 * odds(given), "too shy: {given}");
                }
            }
        }
    }
}

/// Where nobody writes somebody is first all the same, and hardly ever with odds that would convince.
#[test]
fn where_nobody_writes_nobody_stands_out() {
    let mut most = Vec::new();
    for setup in [true, false].iter().flat_map(|acks| networks(*acks, None)) {
        let runs = (5000..5012).flat_map(|seed| chances(&setup, seed, &[15.0, 40.0, 75.0]));
        most.extend(runs.map(|chances| chances.into_iter().fold(0.0, f64::max)));
    }
    let part = |p: f64| real(most.iter().filter(|most| **most > p).count()) / real(most.len());
    println!("above 0.35: {}, above 0.5: {}, of {}", part(0.35), part(0.5), most.len());
    assert!(part(0.35) < 0.03 && part(0.5) < 0.01, "{most:?}");
    assert!(part(0.9) <= 0.0, "{most:?}");
}

/// At 20 ms alice is found; a minute after the delay is 200 ms again she is hidden as if nothing had been.
#[test]
fn she_is_hidden_again_when_packets_wait_again() {
    let runs = 20_u32;
    let (mut found, mut hidden, mut chance) = (0, 0, 0.0);
    for seed in 0..u64::from(runs) {
        let setup = network(20, 0.02, true, Some(1.0));
        let (alice, bob) = (setup.sender(0), setup.sender(1));
        let mut observer = setup.observer();
        let mut suspects = Suspects::new(bob, Some(WINDOW));
        let mut simulator = Simulator::new(&setup, seed);
        run(&mut simulator, &mut observer, &mut suspects, Duration::from_secs(60));
        let first = suspects.ranking()[0];
        found += u32::from(first.node == alice && first.odds() > 9.0);
        simulator.set_delay(0.2);
        observer.set_delay(Some(Duration::from_millis(200)));
        // Those that were underway are out by then.
        run(&mut simulator, &mut observer, &mut suspects, Duration::from_secs(60 + 62));
        let ranking = suspects.ranking();
        let suspect = ranking.iter().find(|suspect| suspect.node == alice).expect("she is there");
        chance += suspect.probability / f64::from(runs);
        hidden += u32::from(suspect.odds() < 3.0);
    }
    println!("found {found}, hidden {hidden} of {runs}, chance {chance}");
    assert!(found >= 15 && hidden >= 18 && chance < 0.2, "{found} {hidden} {chance}");
}

/// Probabilities are some, and those of all suspects are one.
#[test]
fn chances_are_one_together() {
    for senders in [2, 3, 20] {
        let setup = network(senders, 0.02, true, Some(2.0));
        for chances in chances(&setup, 1, &[0.01, 1.0, 60.0, 130.0]) {
            assert!(chances.len() == usize::from(senders) - 1 || chances.is_empty());
            assert!(chances.iter().all(|p| (0.0..=1.0).contains(p)), "{chances:?}");
            let sum: f64 = chances.iter().sum();
            assert!(chances.is_empty() || (sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
