//! How many packets on links an observer takes in, beside the additions that following them needs.
//!
//! ```text
//! cargo bench -p anonymity --bench events
//! ```
//!
//! Following a packet over L layers takes L·(N + K) multiplications and additions, for N senders and K
//! packets that are followed. The floor does just these, between the same vectors in the same order.

use std::cmp::Ordering;
use std::hint::black_box;
use std::time::Duration;

use anonymity::simulate::{Setup, Simulator};
use anonymity::{Finding, LinkEvent, MAX_TARGETS, Observation, Suspects};
use rustix::time::{ClockId, clock_gettime};

/// Packets on links of one turn.
const EVENTS: u32 = 200_000;

/// Turns; the median counts.
const TURNS: usize = 9;

/// Processes tell so often.
const BATCH: Duration = Duration::from_millis(100);

fn main() {
    println!(
        "| senders | mixnodes | events/s | ns/event | floor, ns/event | ratio | with suspects, ns/event | ms in a second at the classic rates |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for senders in [10, 100, 1000] {
        for width in [2, 33] {
            row(&Setup::classic(senders, width, 3));
        }
    }
    for entries in [50, 100, 200] {
        sparse_steps(entries);
    }
}

/// What a step takes with dense vectors for a thousand sources, and with sparse ones of this many.
fn sparse_steps(entries: u16) {
    let spread = |first: u16| {
        let sources = (0..entries).map(move |i| first + i * (1000 / entries));
        sources.map(|source| (source, f64::from(entries).recip())).collect::<Vec<_>>()
    };
    // Two in three are of one vector or the other, as of two mixnodes' likeliest senders.
    let (to, from) = (spread(0), [spread(0), spread(1), spread(2)]);
    let mut merged = Vec::with_capacity(usize::from(2 * entries));
    let sparse = measure(|| {
        for event in 0..EVENTS as usize {
            merge(&to, &from[event % 3], &mut merged);
            black_box(&merged);
        }
    });
    let (mut to, from) = (vec![1e-3_f64; 1000 + MAX_TARGETS], vec![2e-3_f64; 1000 + MAX_TARGETS]);
    let dense = measure(|| {
        for _ in 0..EVENTS {
            for (to, from) in to.iter_mut().zip(&from) {
                *to += 0.125 * (from - *to);
            }
            black_box(&to);
        }
    });
    println!(
        "a step of {entries} sparse entries: {sparse:.0} ns; of 1000 dense ones: {dense:.0} ns"
    );
}

/// Takes an eighth of one vector into the other; both are sorted.
fn merge(to: &[(u16, f64)], from: &[(u16, f64)], merged: &mut Vec<(u16, f64)>) {
    merged.clear();
    let (mut to, mut from) = (to.iter().peekable(), from.iter().peekable());
    loop {
        let order = match (to.peek(), from.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(to), Some(from)) => to.0.cmp(&from.0),
        };
        let kept = if order.is_le() { to.next() } else { None };
        let come = if order.is_ge() { from.next() } else { None };
        let source = kept.or(come).map_or(0, |entry| entry.0);
        let p =
            0.875 * kept.map_or(0.0, |entry| entry.1) + 0.125 * come.map_or(0.0, |entry| entry.1);
        if p > 1e-4 {
            merged.push((source, p));
        }
    }
}

fn row(setup: &Setup) {
    let events: Vec<LinkEvent> =
        Simulator::new(setup, 1).map(|happening| happening.link).take(EVENTS as usize).collect();
    let seconds = events.last().expect("some").t.as_secs_f64();
    let (mut whole, mut board, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    // Turn by turn, so that what else the machine does meets all of them.
    for _ in 0..TURNS {
        whole.push(observe(setup, &events, false));
        board.push(observe(setup, &events, true));
        floors.push(floor(setup, &events));
    }
    let [(whole, least, most), (board, ..), (floor, ..)] = [whole, board, floors].map(summary);
    println!(
        "| {} | {}×{} | {:.1} million | {whole:.0} ({least:.0} to {most:.0}) | {floor:.0} | {:.2} | {board:.0} | {:.2} |",
        setup.senders,
        setup.width,
        setup.layers,
        1e3 / whole,
        whole / floor,
        whole * 1e-6 * f64::from(EVENTS) / seconds,
    );
}

/// Median, least and most.
fn summary(mut turns: Vec<f64>) -> (f64, f64, f64) {
    turns.sort_by(f64::total_cmp);
    (turns[turns.len() / 2], turns[0], turns[turns.len() - 1])
}

/// Nanoseconds of this process for one event.
fn measure(work: impl FnOnce()) -> f64 {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    let begin = now();
    work();
    now().saturating_sub(begin).as_secs_f64() * 1e9 / f64::from(EVENTS)
}

/// The observer as a devnet drives it: batches, half a second for them to come in.
fn observe(setup: &Setup, events: &[LinkEvent], has_board: bool) -> f64 {
    let mut observer = setup.observer();
    let mut suspects = Suspects::new(setup.sender(0), Some(Duration::from_secs(60)));
    measure(|| {
        let mut told = Duration::ZERO;
        for event in events {
            if event.t > told + BATCH {
                told = event.t;
                observer.advance(told, &mut |finding| match finding {
                    Finding::CameOut { came, posterior } if has_board => {
                        suspects.came_out(came.t, &posterior);
                    }
                    Finding::Delivered { came, recipient, posterior } if has_board => {
                        suspects.delivered(came.t, recipient, &posterior);
                    }
                    finding => drop(black_box(finding)),
                });
            }
            observer.take(Observation::Link(*event));
        }
    })
}

/// Each mixnode's vector moves towards that of the node a packet comes from.
fn floor(setup: &Setup, events: &[LinkEvent]) -> f64 {
    let width = usize::from(setup.senders) + MAX_TARGETS;
    let mixes = usize::from(setup.provider(0).0);
    let mut rows = vec![vec![0.0_f64; width]; mixes + 1];
    rows[mixes][0] = 1.0;
    let elapsed = measure(|| {
        for event in events {
            let (src, dst) = (usize::from(event.src.0).min(mixes), usize::from(event.dst.0));
            if dst >= mixes {
                continue;
            }
            let [to, from] = rows.get_disjoint_mut([dst, src]).expect("two nodes");
            for (to, from) in to.iter_mut().zip(&*from) {
                *to += 0.125 * (from - *to);
            }
        }
    });
    black_box(rows);
    elapsed
}
