//! How right the odds of suspects are: of all who are given such a chance, what part writes?
//!
//! ```text
//! cargo bench -p anonymity --bench odds
//! cargo bench -p anonymity --bench odds -- 2000 24      # other seeds, 24 of them for each network
//! ```
//!
//! No time is measured, so that another run gives the same figures.

use std::time::Duration;

use anonymity::simulate::{Conversation, Setup, Simulator};
use anonymity::{Finding, Suspects};

/// Seconds after which it is asked who writes. The last two have no packet in common.
const ASKED: [f64; 4] = [15.0, 40.0, 75.0, 140.0];

const WINDOW: Duration = Duration::from_secs(60);

/// Chances between these are taken together.
const CLASSES: [f64; 10] = [0.0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.8, 0.95, 1.01];

/// Of fewer there is nothing to tell.
const ENOUGH: f64 = 20.0;

/// How one writes to another in networks of some kind.
struct Kind {
    senders: &'static [u16],
    widths: &'static [u16],
    /// Seconds a hop.
    delays: &'static [f64],
    /// Messages per second, with one table each. Nobody writes at zero.
    rates: &'static [f64],
}

/// Those by which the likelihood of shares and the least overlap were chosen, with seeds 900 000 and above.
const GRID: Kind = Kind {
    senders: &[10, 20, 50, 100],
    widths: &[1, 2, 4],
    delays: &[0.05, 0.2, 0.5],
    rates: &[0.3, 1.0, 3.0],
};

/// Of these nothing was looked at before.
const OTHERS: Kind =
    Kind { senders: &[15, 35, 70], widths: &[3], delays: &[0.1, 0.35], rates: &[0.1, 0.5, 2.0] };

fn main() {
    // Cargo adds `--bench`, which is none.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let first = numbers.next().unwrap_or(7000);
    let count = numbers.next().unwrap_or(6);
    let seeds = first..first + count;
    println!("seeds {seeds:?}; in brackets: how many suspects");
    for (name, kind) in [("the grid", GRID), ("other networks", OTHERS)] {
        for acks in [true, false] {
            println!("\n{name}, acknowledgements: {acks}\n");
            kind.table(acks, &seeds);
        }
    }
}

/// Suspects who are given a chance of one class.
#[derive(Clone, Copy, Default)]
struct Class {
    suspects: f64,
    /// Their chances, added up.
    given: f64,
    writes: f64,
    /// What each would be given if nothing was known, added up.
    chance: f64,
}

impl Class {
    /// Given, true, twice the deviation of chance, how many; and on which side it is wrong, if it is.
    fn cell(&self) -> String {
        if self.suspects < ENOUGH {
            return "-".to_owned();
        }
        let [given, writes, chance] =
            [self.given, self.writes, self.chance].map(|sum| sum / self.suspects);
        let margin = 2.0 * (given * (1.0 - given) / self.suspects).sqrt();
        // Whoever is given less than chance is said to be innocent: to be sure of that is bold too.
        let modest = if given > chance { writes - given } else { given - writes };
        let verdict = match modest {
            modest if modest < -margin => " **bold**",
            modest if modest > margin => " modest",
            _ => "",
        };
        format!("{given:.3} → {writes:.3} ± {margin:.3} ({}){verdict}", self.suspects)
    }
}

impl Kind {
    fn networks(&self, acks: bool, rate: f64) -> Vec<Setup> {
        let conversation =
            (rate > 0.0).then_some(Conversation { from: 0, to: 1, rate, covered: true });
        let mut networks = Vec::new();
        for senders in self.senders {
            for width in self.widths {
                for delay in self.delays {
                    let classic = Setup::classic(*senders, *width, 3);
                    networks.push(Setup { delay: *delay, acks, conversation, ..classic });
                }
            }
        }
        networks
    }

    fn table(&self, acks: bool, seeds: &std::ops::Range<u64>) {
        let mut columns = Vec::new();
        for rate in self.rates {
            let mut classes = [Class::default(); CLASSES.len() - 1];
            for setup in self.networks(acks, *rate) {
                for seed in seeds.clone() {
                    for chances in chances(&setup, seed) {
                        add(&mut classes, &chances);
                    }
                }
            }
            columns.push(classes);
        }
        let rates: Vec<_> = self.rates.iter().map(|rate| format!("{rate} messages/s")).collect();
        println!("| chance | {} |\n|---|{}", rates.join(" | "), "---|".repeat(rates.len()));
        for (row, bounds) in CLASSES.windows(2).enumerate() {
            let cells: Vec<_> = columns.iter().map(|classes| classes[row].cell()).collect();
            println!("| {} to {} | {} |", bounds[0], bounds[1].min(1.0), cells.join(" | "));
        }
        let (mut rankings, mut half, mut most) = (0_u32, 0_u32, 0_u32);
        for setup in self.networks(acks, 0.0) {
            for chances in seeds.clone().flat_map(|seed| chances(&setup, seed)) {
                let first = chances.into_iter().fold(0.0, f64::max);
                rankings += 1;
                half += u32::from(first > 0.5);
                most += u32::from(first > 0.9);
            }
        }
        println!("\nnobody writes: above 0.5 in {half}, above 0.9 in {most} of {rankings}");
    }
}

/// The first is the one who writes.
fn add(classes: &mut [Class], chances: &[f64]) {
    let chance = f64::from(u32::try_from(chances.len()).unwrap_or(u32::MAX)).recip();
    for (place, p) in chances.iter().enumerate() {
        let index = CLASSES[1..].partition_point(|bound| p >= bound);
        if let Some(class) = classes.get_mut(index) {
            class.suspects += 1.0;
            class.given += p;
            class.writes += if place == 0 { 1.0 } else { 0.0 };
            class.chance += chance;
        }
    }
}

/// The chance that is given to each suspect, the one who may write first, whenever it is asked.
fn chances(setup: &Setup, seed: u64) -> Vec<Vec<f64>> {
    let (alice, bob) = (setup.sender(0), setup.sender(1));
    let mut observer = setup.observer();
    let mut suspects = Suspects::new(bob, Some(WINDOW));
    let mut asked = ASKED.iter().peekable();
    let mut answers = Vec::new();
    for happening in Simulator::new(setup, seed) {
        let t = happening.link.t;
        happening.tell(&mut observer);
        observer.advance(t, &mut |finding| match finding {
            Finding::CameOut { came, posterior } => suspects.came_out(came.t, &posterior),
            Finding::Delivered { came, recipient, posterior } => {
                suspects.delivered(came.t, recipient, &posterior);
            }
            _ => {}
        });
        let Some(next) = asked.peek() else { break };
        if t.as_secs_f64() >= **next {
            asked.next();
            let mut ranking = suspects.ranking();
            ranking.sort_by_key(|suspect| suspect.node != alice);
            answers.push(ranking.iter().map(|suspect| suspect.probability).collect());
        }
    }
    answers
}
