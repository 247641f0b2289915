//! A process in words: the facts that the map's details, the table and the card all show.

use std::time::Duration;

use contract::{MailboxCounters, NodeMetrics, Role, TrafficCounters};
use directory_api::{PRESENCE_INTERVAL, PRESENCE_TIMEOUT};
use ratatui::text::{Line, Span};

use crate::scene::Scene;
use crate::state::{Devnet, Health, Mark, Moment, Node, Standing, as_ms};
use crate::text::{self, UNKNOWN};

/// Something known about a process.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// What.
    pub(crate) label: &'static str,
    /// The value.
    pub(crate) value: String,
}

fn fact(label: &'static str, value: impl Into<String>) -> Fact {
    Fact { label, value: value.into() }
}

/// Glyph and word of a state, coloured.
pub(crate) fn health_spans(health: Health, scene: &Scene<'_>) -> [Span<'static>; 2] {
    let style = scene.theme.mark(health.mark);
    [
        Span::styled(format!("{} ", scene.symbols.mark(health.mark)), style),
        Span::styled(health.word, style),
    ]
}

/// State, and the reason for it in a sentence.
pub(crate) fn headline(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Line<'static> {
    let health = devnet.health(node, scene.now);
    let mut spans = health_spans(health, scene).to_vec();
    let standing =
        devnet.standing(node, scene.now).filter(|_| matches!(health.mark, Mark::Late | Mark::Gone));
    let reason = match standing {
        Some(Standing::Late(age)) => format!(
            "last presence {} ago (it beats every {}); forgotten in {}",
            text::age(age),
            text::age(PRESENCE_INTERVAL),
            text::age(PRESENCE_TIMEOUT.saturating_sub(age))
        ),
        Some(Standing::Gone(age)) => {
            format!("last presence {} ago; the directory has forgotten it", text::age(age))
        }
        Some(Standing::Left(age)) => {
            format!("it told the directory {} ago that it leaves", text::age(age))
        }
        Some(Standing::Present(_)) | None => text::visible(&node.status.reason, scene.symbols),
    };
    if !reason.is_empty() {
        spans.push(Span::raw(format!(": {reason}")));
    }
    Line::from(spans)
}

/// What a process is: `mixnode, layer 2`.
pub(crate) fn role(node: &Node) -> String {
    match node.status.layer {
        Some(layer) => format!("{}, layer {layer}", node.status.role),
        None => node.status.role.to_string(),
    }
}

/// The packets that a process gave up, by reason.
pub(crate) fn dropped(metrics: &NodeMetrics, scene: &Scene<'_>) -> String {
    let reasons: Vec<String> = metrics
        .dropped
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| format!("{} {count}", text::visible(reason, scene.symbols)))
        .collect();
    if reasons.is_empty() { "0".into() } else { reasons.join(", ") }
}

/// Where a process listens, the most interesting socket first.
pub(crate) fn address(node: &Node) -> String {
    match node.status.addresses.values().next() {
        Some(address) => address.to_string(),
        None => UNKNOWN.into(),
    }
}

/// How long the running process has run.
pub(crate) fn up(node: &Node, scene: &Scene<'_>) -> String {
    match node.status.started_unix_ms {
        Some(started) if node.status.state.is_running() => {
            text::age(scene.now.since_unix_ms(started))
        }
        _ => UNKNOWN.into(),
    }
}

/// How many packets a mixnode is expected to hold: as many as arrive within the mean delay, λ·θ. None
/// where its rate is not known.
pub(crate) fn expected_pool(devnet: &Devnet, node: &Node, now: Moment) -> Option<f64> {
    if node.status.role != Role::Mixnode {
        return None;
    }
    Some(node.received.rate(now.t)? * devnet.info.hop_delay_ms / 1000.0)
}

/// Who sends to a process, and how many packets per second; the busiest first.
pub(crate) fn senders<'a>(devnet: &'a Devnet, node: &Node, now: Moment) -> Vec<LinkRate<'a>> {
    let links = devnet.nodes.iter().filter_map(|other| {
        let rate = other.links.get(node.name())?.meter.rate(now.t);
        Some((other.name(), rate))
    });
    sorted(links.collect())
}

/// Whom a process sends to, and how many packets per second; the busiest first.
pub(crate) fn receivers(node: &Node, now: Moment) -> Vec<LinkRate<'_>> {
    let links = node.links.iter().map(|(next, link)| (next.as_str(), link.meter.rate(now.t)));
    sorted(links.collect())
}

/// The other end of a link, and its packets per second.
type LinkRate<'a> = (&'a str, Option<f64>);

fn sorted(mut links: Vec<LinkRate<'_>>) -> Vec<LinkRate<'_>> {
    links.sort_by(|(_, a), (_, b)| b.unwrap_or(-1.0).total_cmp(&a.unwrap_or(-1.0)));
    links
}

/// Links in a line, as many as fit: `from alice 3.0/s, bob 2.9/s and 8 more`.
pub(crate) fn links_line(
    label: &'static str,
    links: &[LinkRate<'_>],
    columns: u16,
    scene: &Scene<'_>,
) -> Line<'static> {
    /// Columns that the count of those left out may need.
    const MORE: usize = 14;
    let mut spans = vec![Span::styled(format!("{label} "), scene.theme.muted)];
    if links.is_empty() {
        spans.push(Span::styled("nobody yet", scene.theme.muted));
    }
    let mut used = text::width(label) + 1;
    for (at, (name, rate)) in links.iter().enumerate() {
        let gap = if at == 0 { "" } else { ", " };
        let words = format!("{gap}{name} {}", text::per_second(*rate));
        let last = at + 1 == links.len();
        used += text::width(&words);
        if used + if last { 0 } else { MORE } > usize::from(columns) {
            let words = format!(" and {} more", links.len() - at);
            spans.push(Span::styled(words, scene.theme.muted));
            break;
        }
        spans.push(Span::raw(words));
    }
    Line::from(spans)
}

/// Facts about the process itself.
pub(crate) fn process_facts(node: &Node, scene: &Scene<'_>) -> Vec<Fact> {
    let status = &node.status;
    let mut facts = vec![
        fact("pid", status.pid.map_or_else(|| UNKNOWN.into(), |pid| pid.to_string())),
        fact("up", up(node, scene)),
        fact("restarts", status.restarts.to_string()),
    ];
    if let Some(exit) = &status.last_exit {
        // `last exit: exit code 0` would say it twice.
        let exit = exit.strip_prefix("exit ").unwrap_or(exit);
        facts.push(fact("last exit", text::visible(exit, scene.symbols)));
    }
    if let Some(fatal) = &status.fatal {
        facts.push(fact("it said", text::visible(&fatal.message, scene.symbols)));
    }
    if let Some(usage) = node.usage {
        facts.push(fact("cpu", format!("{:.1} %", usage.cpu_percent)));
        facts.push(fact("memory", text::bytes(usage.memory_bytes)));
    }
    facts
}

/// Facts about its place in the network.
pub(crate) fn network_facts(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Vec<Fact> {
    let mut facts = place_facts(node, scene);
    if let Some(Standing::Present(age) | Standing::Late(age) | Standing::Gone(age)) =
        devnet.standing(node, scene.now)
    {
        facts.push(fact("presence", format!("{} ago", text::age(age))));
    }
    facts.extend(late_fact(node));
    facts
}

/// Where it is and who.
pub(crate) fn place_facts(node: &Node, scene: &Scene<'_>) -> Vec<Fact> {
    let status = &node.status;
    let mut facts = Vec::new();
    for (endpoint, address) in &status.addresses {
        let label = match endpoint {
            contract::Endpoint::Http => "http",
            contract::Endpoint::Mix => "packets",
            contract::Endpoint::Clients => "clients",
            contract::Endpoint::App => "app",
            contract::Endpoint::SecondApp => "and app",
        };
        facts.push(fact(label, address.to_string()));
    }
    match status.public_keys.as_slice() {
        [] => {}
        [key] => facts.push(fact("key", text::visible(key, scene.symbols))),
        keys => facts.push(fact("keys", format!("{}, one of each client", keys.len()))),
    }
    if let Some(address) = &status.address {
        facts.push(fact("address", text::visible(address, scene.symbols)));
    }
    facts
}

/// Facts about how long packets wait, and for how long they are remembered.
pub(crate) fn delay_facts(devnet: &Devnet, node: &Node) -> Vec<Fact> {
    let mut facts = Vec::new();
    if node.status.role == Role::Mixnode {
        let mean = text::millis(devnet.info.hop_delay_ms);
        facts.push(fact("asked", format!("{mean} on average, by the senders")));
        if let Some(waits) = devnet.journeys.waits(node.name()) {
            let ms = |time: Duration| format!("{:.1}", as_ms(time));
            let (waited, asked) = (ms(waits.waited), ms(waits.asked));
            let packets = text::plural(waits.packets, "packet");
            // Of others nobody tells how long they waited.
            facts.push(fact("followed", format!("{waited} of {asked} ms asked, {packets}")));
        }
    }
    if node.reports_no_metrics() {
        facts.push(fact("rates", "unknown: it reports no metrics"));
    }
    facts.extend(late_fact(node));
    if let Some(seconds) = node.metrics.as_ref().and_then(|metrics| metrics.replay_window) {
        let window = text::age(Duration::from_secs(seconds));
        facts.push(fact("replays", format!("remembers {window}, until a restart")));
    }
    facts
}

/// How much later packets left than they asked.
fn late_fact(node: &Node) -> Option<Fact> {
    let late = node.metrics.as_ref()?.lateness?;
    let [median, p99] = [late.median_us, late.p99_us].map(text::micros);
    Some(fact("late by", format!("{median}, 1 in 100 over {p99}")))
}

/// Facts about its packets.
pub(crate) fn packet_facts(node: &Node, scene: &Scene<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    if node.status.role != Role::Directory && !node.reports_no_metrics() {
        facts.push(fact("in", text::per_second(node.received.rate(scene.now.t))));
        let label = if node.status.role == Role::Provider { "acks out" } else { "out" };
        facts.push(fact(label, text::per_second(node.sent.rate(scene.now.t))));
    }
    let Some(metrics) = &node.metrics else { return facts };
    if let Some(pool) = metrics.pool {
        facts.push(fact("pool", pool.to_string()));
    }
    if let Some(mailbox) = metrics.mailbox {
        facts.extend(mailbox_facts(mailbox));
    }
    if let Some(traffic) = metrics.traffic {
        facts.extend(traffic_facts(traffic));
    }
    if node.status.role != Role::Directory {
        facts.push(fact("dropped", dropped(metrics, scene)));
    }
    facts
}

fn mailbox_facts(mailbox: MailboxCounters) -> [Fact; 4] {
    [
        fact("online", format!("{} of {}", mailbox.online, mailbox.clients)),
        fact("stored", mailbox.stored.to_string()),
        fact("delivered", mailbox.delivered.to_string()),
        fact("waiting", mailbox.waiting.to_string()),
    ]
}

fn traffic_facts(traffic: TrafficCounters) -> [Fact; 6] {
    [
        fact("real", traffic.real.to_string()),
        fact("sent again", traffic.retransmitted.to_string()),
        fact("cover", traffic.cover.saturating_add(traffic.loops).to_string()),
        fact("cover back", traffic.loops_returned.to_string()),
        fact("acks back", traffic.acks_returned.to_string()),
        fact("queued", traffic.queued.to_string()),
    ]
}

/// Facts in a line, as many as fit.
pub(crate) fn facts_line(facts: &[Fact], columns: u16, scene: &Scene<'_>) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for fact in facts {
        let gap = if spans.is_empty() { 0 } else { 3 };
        let wide = gap + text::width(fact.label) + 1 + text::width(&fact.value);
        if used + wide > usize::from(columns) {
            continue;
        }
        used += wide;
        if gap > 0 {
            spans.push(Span::raw("   "));
        }
        spans.push(Span::styled(format!("{} ", fact.label), scene.theme.muted));
        spans.push(Span::raw(fact.value.clone()));
    }
    Line::from(spans)
}
