//! Nodes of the map: boxes, lines or cells.

use contract::Role;
use directory_api::PRESENCE_TIMEOUT;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::layout::{Look, Placement};
use super::{Column, cells};
use crate::describe;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Mark, Meter, Node, Standing};
use crate::text;

/// Draws all nodes with the headings of their columns.
pub(super) fn draw(
    devnet: &Devnet,
    columns: &[Column<'_>],
    placement: &Placement,
    selected: Option<&str>,
    scene: &mut Scene<'_>,
) {
    for (column, place) in columns.iter().zip(&placement.columns) {
        let mut title = column.kind.title();
        if place.look == Look::Cell {
            title = format!("{title} {} {}", scene.symbols.times, column.nodes.len());
        }
        let indent = u16::from(place.look >= Look::Box);
        let heading = Rect {
            x: place.area.x + indent,
            width: place.area.width.saturating_sub(indent) + 3,
            ..place.area
        };
        scene.put(heading, 0, Line::styled(title, scene.theme.muted));
        if place.look == Look::Cell {
            cells::draw(devnet, column, place, selected, scene);
        }
        for (node, &slot) in column.nodes.iter().zip(&place.slots) {
            let is_selected = selected == Some(node.name());
            match place.look {
                Look::Cell => {}
                Look::Line | Look::Lines => draw_lines(devnet, node, slot, is_selected, scene),
                Look::Box | Look::TallBox | Look::GrandBox => {
                    draw_box(devnet, node, slot, is_selected, scene);
                }
            }
            scene.regions.add(slot, Target::Node(node.name().to_owned()));
        }
    }
}

/// Glyph and name.
fn name_line(devnet: &Devnet, node: &Node, mark: Mark, scene: &Scene<'_>) -> Line<'static> {
    let glyph = Span::styled(format!("{} ", scene.symbols.mark(mark)), scene.theme.mark(mark));
    let mut spans = vec![glyph, Span::raw(node.name().to_owned())];
    if node.status.role == Role::Crowd {
        let size = node.status.public_keys.len().max(usize::from(devnet.info.crowd));
        let times = scene.symbols.times;
        spans.push(Span::styled(format!(" {times}{size}"), scene.theme.muted));
    }
    Line::from(spans)
}

/// What says most about a node: what a client sends, what others take.
pub(super) fn meter(node: &Node) -> &Meter {
    match node.status.role {
        Role::Client | Role::Crowd => &node.sent,
        _ => &node.received,
    }
}

/// What is wrong, if something is: a word, and an age where there is one.
fn trouble(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Option<Span<'static>> {
    let health = devnet.health(node, scene.now);
    if health.mark == Mark::Ready {
        return None;
    }
    let words = match devnet.standing(node, scene.now) {
        Some(Standing::Late(age) | Standing::Gone(age))
            if matches!(health.mark, Mark::Late | Mark::Gone) =>
        {
            format!("{} {}", health.word, text::age(age))
        }
        _ => health.word.to_owned(),
    };
    Some(Span::styled(words, scene.theme.mark(health.mark)))
}

/// A rate, dim where it is not known or nothing passes.
fn rate_span(node: &Node, scene: &Scene<'_>) -> Span<'static> {
    let rate = meter(node).rate(scene.now.t);
    let style = if rate.is_some_and(|rate| rate > 0.0) { Style::new() } else { scene.theme.muted };
    Span::styled(text::per_second(rate), style)
}

fn draw_lines(devnet: &Devnet, node: &Node, slot: Rect, selected: bool, scene: &mut Scene<'_>) {
    Clear.render(slot.intersection(scene.buffer.area), scene.buffer);
    let trouble = trouble(devnet, node, scene);
    let mark = devnet.health(node, scene.now).mark;
    let name = name_line(devnet, node, mark, scene);
    let second = trouble.unwrap_or_else(|| rate_span(node, scene));
    if slot.height == 1 && name.width() + 1 + second.width() <= usize::from(slot.width) {
        scene.put_right(slot, 0, Line::from(second.clone()));
    }
    scene.put(slot, 0, name);
    if slot.height > 1 {
        // What is wrong may reach into the gap: it matters more than the links there.
        let width = u16::try_from(second.width()).unwrap_or(u16::MAX);
        let below = Rect { x: slot.x + 2, width, ..slot };
        scene.put(below, 1, Line::from(second));
    }
    if selected {
        scene.select(Rect { height: slot.height.min(1), ..slot }, Highlight::Strong);
    }
}

fn draw_box(devnet: &Devnet, node: &Node, slot: Rect, selected: bool, scene: &mut Scene<'_>) {
    let mark = devnet.health(node, scene.now).mark;
    let (border, style) = match (selected, mark) {
        (true, _) => (scene.symbols.selected, scene.theme.accent),
        (false, Mark::Ready) => (scene.symbols.pane, Style::new()),
        (false, mark) => (scene.symbols.pane, scene.theme.mark(mark)),
    };
    Clear.render(slot.intersection(scene.buffer.area), scene.buffer);
    let block = Block::bordered().border_set(border).border_style(style);
    let inner = block.inner(slot);
    block.render(slot, scene.buffer);
    let mut name = name_line(devnet, node, mark, scene);
    if selected {
        name = name.patch_style(Style::new().add_modifier(Modifier::BOLD));
    }
    scene.put(inner, 0, name);
    let text = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), ..inner };
    if let Some(trouble) = trouble(devnet, node, scene) {
        scene.put(text, 1, Line::from(trouble));
        let reason = match devnet.standing(node, scene.now) {
            Some(Standing::Late(age)) if mark == Mark::Late => {
                format!("gone in {} s", PRESENCE_TIMEOUT.saturating_sub(age).as_secs())
            }
            _ => text::visible(&node.status.reason, scene.symbols),
        };
        let below = Rect { y: text.y + 2, height: text.height.saturating_sub(2), ..text };
        let rows = text::wrap(&reason, below.width.into());
        for (row, words) in (0..below.height).zip(rows) {
            scene.put(below, row, Line::styled(words, scene.theme.muted));
        }
        return;
    }
    let rate = rate_span(node, scene);
    // The curve begins at the same column whatever the rate is, and never touches it.
    let head = format!("{:<6} ", rate.content);
    let columns = usize::from(text.width).saturating_sub(text::width(&head));
    let history: Vec<f64> = meter(node).history(columns).collect();
    let curve = text::curve(&history, columns, scene.symbols);
    let line = vec![Span::styled(head, rate.style), Span::styled(curve, scene.theme.accent)];
    scene.put(text, 1, Line::from(line));
    let [third, fourth] = more(devnet, node, scene);
    scene.put(text, 2, Line::styled(third, scene.theme.muted));
    scene.put(text, 3, Line::styled(fourth, scene.theme.muted));
}

/// What a tall box says, and what a grand one says below.
fn more(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> [String; 2] {
    let metrics = node.metrics.as_ref();
    match node.status.role {
        Role::Client => {
            let inbox = devnet.letters.inbox(node.name()).all;
            let queued = metrics.and_then(|metrics| metrics.traffic).map(|traffic| traffic.queued);
            let queue = queued.map_or_else(String::new, |queued| format!("queue {queued}"));
            [format!("inbox {inbox}"), queue]
        }
        Role::Crowd => ["only cover".to_owned(), String::new()],
        Role::Provider => match metrics.and_then(|metrics| metrics.mailbox) {
            Some(mailbox) => {
                [text::plural(mailbox.online, "client"), format!("waiting {}", mailbox.waiting)]
            }
            None => [String::new(), String::new()],
        },
        _ if node.reports_no_metrics() => ["no metrics".to_owned(), String::new()],
        _ => match metrics.and_then(|metrics| metrics.pool) {
            Some(pool) => {
                let expected = describe::expected_pool(devnet, node, scene.now);
                let words = expected.map(|pool| format!("expect {pool:.1}"));
                [format!("pool {pool}"), words.unwrap_or_default()]
            }
            None => [String::new(), String::new()],
        },
    }
}
