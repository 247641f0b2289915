//! What a card says of a process, part by part.

use std::time::Duration;

use contract::Role;
use ratatui::style::Style;
use ratatui::text::Line;

use super::messages;
use crate::describe::{self, Fact};
use crate::scene::Scene;
use crate::state::{Devnet, Node};
use crate::text;

/// How many links are listed each way; a node of a wide layer has as many as that has nodes.
const LINKS: usize = 12;

/// How many heartbeats are listed: enough to see the rhythm.
const BEATS: usize = 5;

/// Some facts under a heading.
#[derive(Debug)]
pub(super) struct Section {
    title: &'static str,
    title_style: Style,
    /// The facts.
    pub(super) fields: Vec<Field>,
}

impl Section {
    pub(super) fn heading(&self) -> Line<'static> {
        Line::styled(self.title, self.title_style)
    }
}

/// A fact that can be chosen.
#[derive(Debug)]
pub(super) struct Field {
    /// What it is about: no two of a card are about the same.
    pub(super) key: String,
    /// The words before it.
    pub(super) label: String,
    /// What these look like.
    pub(super) label_style: Style,
    /// What it says.
    pub(super) value: String,
    /// What that looks like.
    pub(super) style: Style,
    /// What copying it gives.
    pub(super) copied: String,
}

/// Everything known of a process, in two columns.
pub(super) fn of(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> [Vec<Section>; 2] {
    let section = |title, fields| Section { title, title_style: scene.theme.accent, fields };
    let facts = |facts: Vec<Fact>| -> Vec<Field> {
        facts.into_iter().map(|fact| field(fact.label, fact.value, scene)).collect()
    };
    let packets = describe::packet_facts(node, scene).into_iter();
    let packets = packets.filter(|fact| fact.label != "dropped" && fact.label != "pool").collect();
    let mut packets = facts(packets);
    packets.splice(packets.len().min(2)..packets.len().min(2), pool(devnet, node, scene));
    let process = facts(describe::process_facts(node, scene));
    let network = facts(describe::place_facts(node, scene));
    let left = vec![
        section("PACKETS", packets),
        section("DROPPED", dropped(node, scene)),
        section("DELAYS", facts(describe::delay_facts(devnet, node))),
        section("PROCESS", process),
    ];
    let right = vec![
        section("WHO AND WHERE", network),
        section("LINKS", links(devnet, node, scene)),
        section("MESSAGES THAT PASSED", messages::of(devnet, node, scene)),
        section("HEARTBEATS", beats(devnet, node, scene)),
    ];
    [left, right]
}

/// A fact whose label says what it is about.
pub(super) fn field(label: &str, value: String, scene: &Scene<'_>) -> Field {
    Field {
        key: label.to_owned(),
        label: label.to_owned(),
        label_style: scene.theme.muted,
        copied: value.clone(),
        value,
        style: Style::new(),
    }
}

/// What waits at a mixnode, beside what is expected to.
fn pool(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Option<Field> {
    let pool = node.metrics.as_ref()?.pool?;
    let words = match describe::expected_pool(devnet, node, scene.now) {
        Some(expected) => format!("{pool}, {expected:.1} expected: rate times delay"),
        None => pool.to_string(),
    };
    Some(Field { copied: pool.to_string(), ..field("pool", words, scene) })
}

/// Packets given up, a line a reason.
fn dropped(node: &Node, scene: &Scene<'_>) -> Vec<Field> {
    let Some(metrics) = node.metrics.as_ref().filter(|_| node.status.role != Role::Directory)
    else {
        return Vec::new();
    };
    let all: u64 = metrics.dropped.values().fold(0, |sum, count| sum.saturating_add(*count));
    let mut fields = vec![Field {
        key: "dropped".to_owned(),
        copied: all.to_string(),
        ..field("in all", text::plural(all, "packet"), scene)
    }];
    for (reason, count) in metrics.dropped.iter().filter(|(_, count)| **count > 0) {
        let reason = text::visible(reason, scene.symbols);
        let key = format!("dropped: {reason}");
        let style = scene.theme.warn;
        fields.push(Field { key, style, ..field(&reason, count.to_string(), scene) });
    }
    fields
}

/// Who sends to it and whom it sends to.
fn links(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Vec<Field> {
    let from = describe::senders(devnet, node, scene.now);
    let to = describe::receivers(node, scene.now);
    let mut fields = Vec::new();
    for (label, links) in [("from", from), ("to", to)] {
        let left = links.len().saturating_sub(LINKS);
        for (at, (other, rate)) in links.into_iter().take(LINKS).enumerate() {
            let words = format!("{other:<12} {:>7}", text::per_second(rate));
            let shown = if at == 0 { label } else { "" };
            let field = field(shown, words, scene);
            fields.push(Field {
                key: format!("link {label} {other}"),
                copied: format!("{other} {}", text::per_second(rate)),
                ..field
            });
        }
        if left > 0 {
            let words = format!("and {left} more");
            let key = format!("more links {label}");
            let style = scene.theme.muted;
            fields.push(Field { key, style, ..field("", words, scene) });
        }
    }
    fields
}

/// When it was heard last, the latest first.
fn beats(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Vec<Field> {
    let keys = &node.status.public_keys;
    // A crowd does not announce itself, and has many keys.
    if !matches!(node.status.role, Role::Mixnode | Role::Provider) {
        return Vec::new();
    }
    let beats = devnet.presence.beats().rev().filter(|beat| keys.contains(&beat.key));
    let beats: Vec<_> = beats.take(BEATS + 1).collect();
    let shown = beats.iter().take(BEATS).enumerate();
    let fields = shown.map(|(at, beat)| {
        let time = text::clock(beat.unix_ms, scene.zone);
        let list = beat.list.map_or_else(String::new, |list| format!(" as {}", list.as_str()));
        let before = beats.get(at + 1).map(|before| beat.unix_ms.saturating_sub(before.unix_ms));
        let after = before.filter(|ms| *ms > 0).map_or_else(String::new, |ms| {
            format!(" after {}", text::age(Duration::from_millis(ms)))
        });
        let words = format!("{}{list}{after}", beat.kind.words());
        Field {
            key: format!("heartbeat {}", beat.number),
            copied: format!("{time} {words}"),
            ..field(&time, words, scene)
        }
    });
    fields.collect()
}
