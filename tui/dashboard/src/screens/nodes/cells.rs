//! What the table of nodes says in each column, and in which order that puts the rows.

use std::cmp::Ordering;

use contract::Role;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Column;
use crate::describe;
use crate::scene::Scene;
use crate::state::{Devnet, Mark, Meter, Moment, Node};
use crate::text;

/// Which of two processes comes first where rows are sorted by a column.
pub(super) fn compare(
    column: Column,
    a: &Node,
    b: &Node,
    devnet: &Devnet,
    now: Moment,
) -> Ordering {
    // The busiest, fattest and youngest first: that is what somebody who sorts looks for.
    let rate = |value: Option<f64>| value.unwrap_or(-1.0);
    match column {
        Column::Name => natural(a.name()).cmp(&natural(b.name())),
        Column::Role => a.status.role.cmp(&b.status.role),
        Column::Layer => a.status.layer.cmp(&b.status.layer),
        Column::State => devnet.health(b, now).mark.cmp(&devnet.health(a, now).mark),
        Column::Up => b.status.started_unix_ms.cmp(&a.status.started_unix_ms),
        Column::Restarts => b.status.restarts.cmp(&a.status.restarts),
        Column::Pid => a.status.pid.cmp(&b.status.pid),
        Column::Address => a.status.addresses.values().cmp(b.status.addresses.values()),
        Column::Received => rate(b.received.rate(now.t)).total_cmp(&rate(a.received.rate(now.t))),
        Column::Sent => rate(b.sent.rate(now.t)).total_cmp(&rate(a.sent.rate(now.t))),
        Column::Pool => pool(b).cmp(&pool(a)),
        Column::Cpu => {
            let cpu = |node: &Node| node.usage.map_or(-1.0, |usage| usage.cpu_percent);
            cpu(b).total_cmp(&cpu(a))
        }
        Column::Memory => {
            let memory = |node: &Node| node.usage.map(|usage| usage.memory_bytes);
            memory(b).cmp(&memory(a))
        }
    }
}

/// Names with their numbers as numbers: `mix-1-10` comes after `mix-1-9`.
fn natural(name: &str) -> Vec<(u64, &str)> {
    name.split('-').map(|part| (part.parse().unwrap_or(u64::MAX), part)).collect()
}

fn pool(node: &Node) -> Option<u64> {
    let metrics = node.metrics.as_ref()?;
    metrics.pool.or(metrics.mailbox.map(|mailbox| mailbox.waiting))
}

/// What the rows have together.
pub(super) fn total(
    column: Column,
    devnet: &Devnet,
    rows: &[&Node],
    scene: &Scene<'_>,
) -> Line<'static> {
    let rate = |rate: fn(&Node) -> &Meter| {
        let rates = rows.iter().filter_map(|node| rate(node).rate(scene.now.t));
        text::rate(rates.reduce(|sum, rate| sum + rate))
    };
    let usage = || rows.iter().filter_map(|node| node.usage);
    let words = match column {
        Column::Name => "together".to_owned(),
        Column::State => {
            let marks = rows.iter().map(|node| devnet.health(node, scene.now).mark);
            let ready = marks.filter(|mark| *mark == Mark::Ready).count();
            format!("{ready} of {} ready", rows.len())
        }
        Column::Restarts => {
            rows.iter().map(|node| u64::from(node.status.restarts)).sum::<u64>().to_string()
        }
        Column::Received => rate(|node| &node.received),
        Column::Sent => rate(|node| &node.sent),
        Column::Pool => {
            let pools = rows.iter().filter_map(|node| pool(node));
            let all = pools.reduce(u64::saturating_add);
            all.map_or_else(|| text::UNKNOWN.to_owned(), |all| all.to_string())
        }
        Column::Cpu => match usage().map(|usage| usage.cpu_percent).reduce(|sum, cpu| sum + cpu) {
            Some(cpu) => format!("{cpu:.1}"),
            None => text::UNKNOWN.to_owned(),
        },
        Column::Memory => {
            let all = usage().map(|usage| usage.memory_bytes).reduce(u64::saturating_add);
            all.map_or_else(|| text::UNKNOWN.to_owned(), text::bytes)
        }
        Column::Role | Column::Layer | Column::Up | Column::Pid | Column::Address => String::new(),
    };
    Line::styled(words, scene.theme.accent)
}

/// What a row says in a column.
pub(super) fn cell(
    column: Column,
    width: u16,
    devnet: &Devnet,
    node: &Node,
    scene: &Scene<'_>,
) -> Line<'static> {
    let status = &node.status;
    let unknown = || text::UNKNOWN.to_owned();
    let not_of_directory = |value: String| {
        if status.role == Role::Directory { String::new() } else { value }
    };
    let words = match column {
        Column::State => {
            let mut line = describe::headline(devnet, node, scene);
            // Why a process is ready is nothing to worry about, and is not worth half a sentence.
            let health = devnet.health(node, scene.now);
            if health.mark == Mark::Ready && line.width() > width.into() {
                line = Line::from(describe::health_spans(health, scene).to_vec());
            }
            return line;
        }
        Column::Name => {
            let mark = devnet.health(node, scene.now).mark;
            return Line::from(Span::styled(
                node.name().to_owned(),
                match mark {
                    Mark::Ready => Style::new(),
                    mark => scene.theme.mark(mark),
                },
            ));
        }
        Column::Role => status.role.to_string(),
        Column::Layer => status.layer.map_or_else(String::new, |layer| layer.to_string()),
        Column::Up => describe::up(node, scene),
        Column::Restarts => status.restarts.to_string(),
        Column::Pid => status.pid.map_or_else(unknown, |pid| pid.to_string()),
        Column::Address => describe::address(node),
        Column::Received => not_of_directory(text::rate(node.received.rate(scene.now.t))),
        Column::Sent => not_of_directory(text::rate(node.sent.rate(scene.now.t))),
        Column::Pool => match status.role {
            Role::Mixnode | Role::Provider => {
                pool(node).map_or_else(unknown, |pool| pool.to_string())
            }
            _ => String::new(),
        },
        Column::Cpu => node.usage.map_or_else(unknown, |usage| format!("{:.1}", usage.cpu_percent)),
        Column::Memory => node.usage.map_or_else(unknown, |usage| text::bytes(usage.memory_bytes)),
    };
    Line::from(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_their_numbers() {
        let mut names = ["mix-1-10", "mix-1-9", "alice", "mix-2-1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["alice", "mix-1-9", "mix-1-10", "mix-2-1"]);
    }
}
