//! Lints over what was counted and measured.

use std::time::Duration;

use contract::Role;
use control::{MessageState, State};

use super::figures::Change;
use super::{Finding, Lint, Look, Severity};
use crate::drops::DropReason;
use crate::state::{Node, Standing, WINDOW, as_f64};
use crate::text;

/// After so many reports that did not come a process says nothing any more; they come once a second.
const SPEECHLESS: Duration = Duration::from_secs(5);

/// A node of which so many packets are expected within the window of a rate and none comes is silent:
/// by chance that happens once in 20 000 times.
const EXPECTED: f64 = 10.0;

/// From so many packets on a share of lost ones says something …
const MIN_COUNT: f64 = 100.0;

/// … and of so many, one in ten, something is wrong with the link: fewer are at its two ends when the
/// counters are read.
const LOSSY: f64 = 0.1;

/// The time over which both ends of links are compared.
const COMPARED: Duration = Duration::from_secs(30);

/// Given up at least, in a minute: one replay or one stray packet is no problem …
const MIN_DROPS: u64 = 3;

/// … unless it is one in so many …
const DROPS: f64 = 0.001;

/// … and bad if it is one in twenty.
const BAD_DROPS: f64 = 0.05;

/// Of packets that carried nothing new one in a hundred is worth a note.
const SPARE: f64 = 0.01;

/// One packet in ten sent again is more than mixing explains.
const AGAIN: f64 = 0.1;

/// So much of the cores is all of it: something else runs there too.
const FULL: f64 = 0.9;

/// All but one in a hundred packets should leave within this share of the mean delay after they are
/// asked to: then what the machine adds is lost in what mixing adds.
const LATE: f64 = 0.1;

/// Below this nobody is late, however short the delays are: a timer of a busy machine is no better.
const MIN_LATE_US: f64 = 5000.0;

/// Where the devnet's processes use less of the cores than this, others keep them busy.
const OWN: f64 = 0.5;

/// The longest time between two packets that can be set, in milliseconds: an hour.
const MOST_MS: f64 = 3_600_000.0;

/// How long a message that was not delivered, and a clock that was set, are told of.
const TOLD_FOR: Duration = Duration::from_secs(5 * 60);

/// Messages that were not delivered and are told of, the latest ones.
const MAX_MESSAGES: usize = 10;

/// How far the directory's clock may be off, in milliseconds: what it says takes a second at most.
const OFF_MS: u64 = 2000;

/// Nodes that are there and take no packets, or say nothing any more.
pub(super) fn silent(look: &Look<'_>) -> Vec<Finding> {
    let t = look.now.t;
    let layers = look.devnet.info.layers;
    let of_layer = |layer: u8| {
        let nodes = look.devnet.nodes.iter();
        nodes.filter(move |node| node.status.layer == Some(layer))
    };
    let rate = |layer: u8| of_layer(layer).filter_map(|node| node.received.rate(t)).sum::<f64>();
    // What enters one layer leaves it for the next, so the busiest tells what all get.
    let through = (1..=layers).map(rate).fold(0.0, f64::max);
    let window = WINDOW.as_secs_f64();
    let silent = look.devnet.nodes.iter().filter_map(|node| {
        // A rate needs its window to pass before it says something of a process that has just started.
        let settled = look.now.since_unix_ms(node.status.since_unix_ms) >= WINDOW;
        if node.status.state != State::Ready || !settled {
            return None;
        }
        let finding = Finding::of(Lint::Silent, Severity::Bad, node);
        let told = node.metrics.as_ref().map(|metrics| t.saturating_since(metrics.t));
        if let Some(age) = told.filter(|age| *age > SPEECHLESS) {
            let why = format!("its process runs and has told nothing for {}", text::age(age));
            let advice = "it stands still, or has no processor time: start it anew";
            let command = format!("restart {}", node.name());
            return Some(finding.why(why).advice(advice).command(command));
        }
        let layer = node.status.layer?;
        let present = look.devnet.standing(node, look.now);
        let is_present = matches!(present, Some(Standing::Present(_)));
        let width = u32::try_from(of_layer(layer).count()).unwrap_or(u32::MAX).max(1);
        let expected = through / f64::from(width);
        // One that has just come up has reported less than the window.
        let is_counted = node.received.told_for(WINDOW).is_some();
        let is_silent = is_counted && node.received.rate(t) == Some(0.0);
        let is_silent = is_silent && !node.reports_no_metrics();
        (is_silent && is_present && expected * window >= EXPECTED).then(|| {
            finding
                .why(format!(
                    "it announces itself and took no packet for {window} s; as one of {width} in \
                     layer {layer} it should get {expected:.1} pkt/s"
                ))
                .advice("its link may be stuck, or its address wrong; its log says more")
                .command(format!("logs {}", node.name()))
        })
    });
    silent.collect()
}

/// Messages that their senders gave up.
pub(super) fn undelivered(look: &Look<'_>) -> Vec<Finding> {
    let is_recent = |accepted: u64| look.now.since_unix_ms(accepted) <= TOLD_FOR;
    let failed = look.devnet.letters.sent().rev().filter(|letter| {
        letter.state == MessageState::Failed && is_recent(letter.accepted_unix_ms)
    });
    let failed = failed.take(MAX_MESSAGES).map(|letter| {
        let id = letter.id.get(..8).unwrap_or(&letter.id);
        let about = format!("{} to {}, {id}", letter.from, letter.to);
        let why = letter.error.clone().unwrap_or_else(|| "its sender gave up".into());
        Finding::new(Lint::Undelivered, Severity::Bad, about)
            .why(why)
            .advice("see on Messages how far its packets came; then send it again")
    });
    failed.collect()
}

/// Packets that are dropped for this reason are missed by nobody.
fn is_spare(reason: &str) -> bool {
    DropReason::of(reason).is_some_and(DropReason::is_spare)
}

/// Nodes that drop packets.
pub(super) fn drops(look: &Look<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in &look.devnet.nodes {
        let Some(change) = look.figures.change(node, look.now.t) else { continue };
        let Change { over, received, dropped, .. } = change;
        let add = |sum: u64, (_, count): &(String, u64)| sum.saturating_add(*count);
        let all = dropped.iter().fold(0, add);
        let spare = dropped.iter().filter(|(reason, _)| is_spare(reason)).fold(0, add);
        let of = received.max(all);
        let is_much = |count, least| count >= MIN_DROPS && share(count, of) >= least;
        let severity = match all - spare {
            lost if is_much(lost, BAD_DROPS) => Severity::Bad,
            lost if is_much(lost, DROPS) => Severity::Warning,
            _ if is_much(spare, SPARE) => Severity::Note,
            _ => continue,
        };
        // What is lost comes before what is only spare, however much of that there is.
        let meant = |reason: &str| is_spare(reason) == (severity == Severity::Note);
        let worst = dropped.iter().filter(|(reason, _)| meant(reason));
        let Some((worst, _)) = worst.max_by_key(|(_, count)| *count) else { continue };
        let reasons: Vec<String> =
            dropped.iter().map(|(reason, count)| format!("{count} as {reason}")).collect();
        let why = format!(
            "{} dropped in {}, {:.1} % of what it took: {}",
            text::plural(all, "packet"),
            text::age(over),
            share(all, of) * 100.0,
            reasons.join(", ")
        );
        let finding = Finding::of(Lint::Drops, severity, node).why(why);
        let advice = DropReason::of(worst).map_or("its log says more", DropReason::advice);
        found.push(finding.advice(advice).command(format!("logs {}", node.name())));
    }
    found
}

/// Mixnodes that take fewer packets than are sent to them.
pub(super) fn lossy(look: &Look<'_>) -> Vec<Finding> {
    // Up to when and whether a node has counted all that time: reports come once a second, so its own
    // end is the latest of them.
    let until = |node: &Node| {
        let is_told = node.status.role == Role::Mixnode && !node.reports_no_metrics();
        node.received.told_for(COMPARED).filter(|_| is_told)
    };
    let mut sent = std::collections::HashMap::<&str, f64>::new();
    for (next, link) in look.devnet.nodes.iter().flat_map(|node| &node.links) {
        if let Some(until) = look.devnet.node(next).and_then(until) {
            *sent.entry(next.as_str()).or_default() += link.meter.counted(until, COMPARED);
        }
    }
    let lossy = look.devnet.with_role(&[Role::Mixnode]).filter_map(|node: &Node| {
        let received = node.received.counted(until(node)?, COMPARED);
        let sent = sent.get(node.name()).copied().filter(|sent| *sent >= MIN_COUNT)?;
        let lost = 1.0 - received / sent;
        (received > 0.0 && lost >= LOSSY).then(|| {
            Finding::of(Lint::Lossy, Severity::Warning, node)
                .why(format!(
                    "of {sent:.0} packets that left for it in {} s it took {received:.0}: \
                     {:.0} % were lost",
                    COMPARED.as_secs(),
                    lost * 100.0
                ))
                .advice(
                    "a connection that breaks loses what is in it: see in the logs of its \
                     neighbours how often they connect",
                )
                .command(format!("logs {}", node.name()))
        })
    });
    lossy.collect()
}

/// Clients that send many packets again.
pub(super) fn again(look: &Look<'_>) -> Vec<Finding> {
    let clients = look.devnet.with_role(&[Role::Client]);
    let again = clients.filter_map(|node| {
        let Change { over, real, again, .. } = look.figures.change(node, look.now.t)?;
        let share = share(again, real.saturating_add(again));
        (again >= MIN_DROPS && share >= AGAIN).then(|| {
            Finding::of(Lint::Again, Severity::Warning, node)
                .why(format!(
                    "{} sent again in {}, {:.0} % of those with messages: their acknowledgements \
                     did not come in time",
                    text::plural(again, "packet"),
                    text::age(over),
                    share * 100.0
                ))
                .advice("follow one of its messages hop by hop, and see where it ends")
                .command(format!("logs {}", node.name()))
        })
    });
    again.collect()
}

/// A machine that is too slow for the rates.
pub(super) fn machine(look: &Look<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let cores = f64::from(look.devnet.info.cores);
    let calm = "make the network smaller, or let clients send half as often";
    let command = slower(&look.devnet.info);
    if let Some(cpu) = look.figures.cpu().filter(|cpu| cores > 0.0 && *cpu >= FULL * cores * 100.0)
    {
        let used = cpu / 100.0;
        let why = format!(
            "its processes use {used:.1} of {cores} cores over 10 s: delays then measure the \
             machine, not the mixing"
        );
        let finding = Finding::new(Lint::Overload, Severity::Bad, "processors").why(why);
        found.push(finding.advice(calm).command(command.clone()));
    }
    let most = (look.devnet.info.hop_delay_ms * 1000.0 * LATE).max(MIN_LATE_US);
    if let Some(late) = look.figures.late_us().filter(|late| *late >= most) {
        let why = format!(
            "in the median mixnode one packet in a hundred left more than {:.1} ms later than its \
             header asked, over 10 s",
            late / 1000.0
        );
        let finding = Finding::new(Lint::Lateness, Severity::Warning, "mixnodes").why(why);
        let others = look.figures.cpu().is_some_and(|cpu| cpu < OWN * cores * 100.0);
        let advice = if others {
            "other programs keep the processors busy: end them, or let clients send half as often"
        } else {
            calm
        };
        found.push(finding.advice(advice).command(command));
    }
    found
}

/// The command after which clients send half as often as they do now.
fn slower(info: &control::DevnetInfo) -> String {
    // What is below a millisecond now is a millisecond then.
    let twice = |ms: f64| format!("{:.0}ms", (2.0 * ms).clamp(1.0, MOST_MS));
    format!("set slot={} cover={}", twice(info.slot_ms), twice(info.loop_cover_ms))
}

/// Clocks that differ, or were set.
pub(super) fn clocks(look: &Look<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let seconds = |ms: i64| Duration::from_millis(ms.unsigned_abs()).as_secs_f64();
    let ahead = look.figures.directory_ahead_ms();
    if ahead.unsigned_abs() > OFF_MS {
        let which = if ahead > 0 { "ahead of" } else { "behind" };
        let why = format!(
            "the directory's clock is {:.1} s {which} the supervisor's: ages of nodes are off by \
             as much",
            seconds(ahead)
        );
        let finding = Finding::new(Lint::Clock, Severity::Warning, "directory").why(why);
        found.push(finding.advice("see whether the directory stands still, or is fed by hand"));
    }
    let recent =
        look.figures.set().filter(|set| look.now.since_unix_ms(set.at_unix_ms) <= TOLD_FOR);
    if let Some(set) = recent {
        let which = if set.by_ms > 0 { "forward" } else { "back" };
        let why = format!(
            "the machine's clock was set {which} by {:.1} s: times of day before and after cannot \
             be compared; delays can, they have a clock of their own",
            seconds(set.by_ms)
        );
        let finding = Finding::new(Lint::Clock, Severity::Note, "machine").why(why);
        let advice =
            "nothing, if somebody or the time service meant it; a machine that slept does so too";
        found.push(finding.advice(advice).since(set.at_unix_ms));
    }
    found
}

/// Events that nobody here heard of.
pub(super) fn lost(look: &Look<'_>) -> Vec<Finding> {
    let lost = look.figures.lost();
    if lost == 0 {
        return Vec::new();
    }
    let why = format!(
        "{} in the last minute, {} in all: what is shown of packets has gaps, counters do not",
        text::plural(lost, "event"),
        look.devnet.lost
    );
    let finding = Finding::new(Lint::Lost, Severity::Warning, "stream").why(why);
    vec![finding.advice("lower rates, or no tracing (`up --trace off`), leave fewer to tell")]
}

/// Which part of them.
fn share(part: u64, all: u64) -> f64 {
    as_f64(part) / as_f64(all.max(1))
}
