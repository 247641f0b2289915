//! A report for people.

use std::fmt::Write as _;

use control::visible;
use vantage::{Bits, Guess, Inside, PoolReport, Report, Sending, odds_in_words};

use crate::output::{Cell, Output, or_unknown, table};

/// Suspects that are listed: who stands lower is none.
const LISTED: usize = 8;

/// A line for each figure, a table of pools, and one of suspects.
pub(super) fn text(report: &Report, output: Output) -> String {
    let mut lines = vec![
        ("adversary", format!("{}; over the last {}", report.adversary.words(), span(report))),
        ("who sent it", report.sender.as_ref().map_or_else(nothing, |bits| who(bits, report))),
        ("worst case", report.sender.as_ref().map_or_else(nothing, worst)),
        ("expected", expected(report)),
    ];
    if let Some(bits) = report.packet_bits {
        lines.push(("which packet", format!("{bits:.2} bits")));
    }
    if let Some(told) = report.inside.as_ref().filter(|told| told.corrupt() > 0) {
        lines.push(("they tell", inside(told)));
    }
    lines.push(("pool", pool(report)));
    for (index, limit) in report.limits.iter().enumerate() {
        lines.push((if index == 0 { "limited by" } else { "" }, visible(&limit.to_string())));
    }
    let doubts = report.doubts.iter().map(|doubt| visible(doubt));
    let sound = report.doubts.is_empty().then(|| sound(report));
    for (index, reason) in sound.into_iter().chain(doubts).enumerate() {
        lines.push((if index == 0 { "trust" } else { "" }, reason));
    }
    lines.push(("price", price(report)));
    if let Some(sending) = &report.sending {
        lines.push(("is it sending", whether(sending)));
    }
    let mut text = String::new();
    for (name, line) in lines {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{}  {line}", output.heading(&format!("{name:<13}")));
    }
    text.push('\n');
    text.push_str(&pools(&report.pools, output));
    if let Some(guess) = &report.guess {
        text.push_str("\n\n");
        text.push_str(&suspects(guess, output));
    }
    text
}

fn nothing() -> String {
    "nothing has come out yet".into()
}

fn span(report: &Report) -> String {
    let seconds = format!("{:.0} s", report.watched_s.min(report.window_s));
    match &report.changed {
        Some(changed) => format!("{seconds}, since {} changed", changed.what),
        None => seconds,
    }
}

fn who(bits: &Bits, report: &Report) -> String {
    format!(
        "{:.2} bits of {:.2}: like {:.1} of {} senders",
        bits.bits, report.most_bits, bits.like, report.senders
    )
}

fn worst(bits: &Bits) -> String {
    let share = bits.top_share * 100.0;
    format!("{:.2} bits: naming the likeliest is right in {share:.0} % of cases", bits.worst_bits)
}

fn expected(report: &Report) -> String {
    let mut text = format!("{:.2} bits by formula for what is set", report.expected.sender_bits);
    if let Some(measured) = report.expected_as_measured {
        let rate = report.rate + report.acks;
        let _ = write!(text, ", {:.2} for the {rate:.0} packets/s measured", measured.sender_bits);
    }
    if report.inside.is_some() {
        text.push_str("; if no node worked for the observer");
    }
    if !report.expected.is_reliable {
        text.push_str("; pools are too small for the formula, which promises too much");
    }
    text
}

fn pool(report: &Report) -> String {
    let measured = report.pool.map_or_else(|| "-".into(), |pool| format!("{pool:.1}"));
    format!("{measured} packets wait at a mixnode (λ·θ = {:.1})", report.expected.pool)
}

/// What speaks for the figures, if nothing speaks against them.
fn sound(report: &Report) -> String {
    let calibration = report.calibration.map(|counted| {
        format!(
            "true senders were given {:.3}, expected {:.3} ({} packets)",
            counted.given, counted.expected, counted.packets
        )
    });
    let delays =
        report.delay_distance.map(|distance| format!("delays are exponential ({distance:.2} off)"));
    let all: Vec<String> = [calibration, delays].into_iter().flatten().collect();
    if all.is_empty() { "nothing speaks against it".into() } else { all.join("; ") }
}

fn whether(sending: &Sending) -> String {
    let Sending { name, odds, answer, idle_rate, active_rate, packets, watched_s, .. } = sending;
    if sending.seen <= 0.0 {
        return format!("{name}: nobody can tell who does not see its links");
    }
    if !sending.can_be_told() {
        return format!(
            "{name}: nobody can tell; {idle_rate:.1} packets/s are seen whether it has something to \
             say or not"
        );
    }
    let odds = odds_in_words(*odds);
    let took = match (sending.decided, sending.expected_s) {
        (Some(decided), _) => {
            format!(", decided after {} packets in {:.1} s", decided.packets, decided.seconds)
        }
        (None, Some(seconds)) => format!(", which takes about {seconds:.0} s"),
        (None, None) => String::new(),
    };
    format!(
        "{name}: {answer}, {odds}{took}; {packets} packets in {watched_s:.0} s ({idle_rate:.1}/s if \
         not, {active_rate:.1}/s if so)"
    )
}

/// What nodes that work for the observer tell.
fn inside(inside: &Inside) -> String {
    let mut text = format!(
        "which packet became which at {} of {} mixnodes: all of them on {:.1} % of routes",
        inside.corrupt(),
        inside.mixnodes(),
        inside.routes * 100.0
    );
    if let Some(certain) = inside.certain {
        let _ = write!(text, "; {:.1} % of senders known for certain", certain * 100.0);
    }
    if let Some(messages) = inside.messages_until_even {
        let _ = write!(text, "; even odds that one of {messages:.1} messages is");
    }
    text
}

fn price(report: &Report) -> String {
    format!(
        "{:.2} s on average from sending to arriving; {:.1} kB/s a client",
        report.expected.latency_s,
        report.expected.cost_bytes_per_s / 1000.0
    )
}

fn pools(pools: &[PoolReport], output: Output) -> String {
    let heads = ["MIXNODE", "POOL", "MEAN", "λ·θ", "BITS"];
    let figure = |value: Option<f64>| or_unknown(value.map(|value| format!("{value:.1}")));
    let rows: Vec<Vec<Cell>> = pools
        .iter()
        .map(|pool| {
            vec![
                pool.node.as_str().into(),
                or_unknown(Some(pool.now)),
                figure(pool.mean),
                figure(pool.expected),
                figure(pool.bits),
            ]
        })
        .collect();
    table(output, &heads, &heads[1..], &rows)
}

fn suspects(guess: &Guess, output: Output) -> String {
    let heads = ["WHO WRITES", "ODDS", "CHANCE"];
    let rows: Vec<Vec<Cell>> = guess
        .ranking
        .iter()
        .take(LISTED)
        .map(|ranked| {
            vec![
                ranked.name.as_str().into(),
                odds_in_words(ranked.odds).as_str().into(),
                format!("{:.1} %", ranked.probability * 100.0).as_str().into(),
            ]
        })
        .collect();
    let (name, packets) = (&guess.recipient, guess.packets);
    let title = format!("who writes to {name}? {packets} packets went there\n");
    title + &table(output, &heads, &heads[1..], &rows)
}
