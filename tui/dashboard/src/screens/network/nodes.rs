//! Nodes of the map: boxes, lines or glyphs.

use contract::Role;
use directory_api::PRESENCE_TIMEOUT;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use super::Column;
use super::layout::{Look, Placement};
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Mark, Node, Standing};
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
        let mut title = vec![Span::styled(column.title.clone(), scene.theme.muted)];
        if place.look == Look::Glyph {
            title.push(Span::styled(
                format!(" {} {}", scene.symbols.times, column.nodes.len()),
                scene.theme.muted,
            ));
        }
        let indent = u16::from(place.look >= Look::Box);
        let heading = Rect {
            x: place.area.x + indent,
            width: place.area.width.saturating_sub(indent) + 3,
            ..place.area
        };
        scene.put(heading, 0, Line::from(title));
        for (node, &slot) in column.nodes.iter().zip(&place.slots) {
            let is_selected = selected == Some(node.name());
            match place.look {
                Look::Glyph => draw_glyph(devnet, node, slot, is_selected, scene),
                Look::Line | Look::Lines => draw_lines(devnet, node, slot, is_selected, scene),
                Look::Box | Look::TallBox => draw_box(devnet, node, slot, is_selected, scene),
            }
            scene.regions.add(slot, Target::Node(node.name().to_owned()));
        }
        if place.look == Look::Glyph
            && let Some(last) = place.slots.last()
        {
            let below = Rect { y: last.y + 1, height: 1, ..place.area };
            let ready = column
                .nodes
                .iter()
                .filter(|node| devnet.health(node, scene.now).mark == Mark::Ready);
            let words = format!("{} ready", ready.count());
            scene.put(below, 0, Line::styled(words, scene.theme.muted));
        }
    }
}

fn draw_glyph(devnet: &Devnet, node: &Node, slot: Rect, selected: bool, scene: &mut Scene<'_>) {
    let mark = devnet.health(node, scene.now).mark;
    let (symbol, style) = (scene.symbols.mark(mark), scene.theme.mark(mark));
    scene.glyph((slot.x, slot.y), symbol, style);
    if selected {
        scene.select(slot, Highlight::Strong);
    }
}

/// Glyph and name.
fn name_line(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Line<'static> {
    let mark = devnet.health(node, scene.now).mark;
    let glyph = Span::styled(format!("{} ", scene.symbols.mark(mark)), scene.theme.mark(mark));
    let mut spans = vec![glyph, Span::raw(node.name().to_owned())];
    if node.status.role == Role::Crowd {
        let size = node.status.public_keys.len().max(usize::from(devnet.info.crowd));
        let times = scene.symbols.times;
        spans.push(Span::styled(format!(" {times}{size}"), scene.theme.muted));
    }
    Line::from(spans)
}

/// The rate that says most about a node: what a client sends, what others take.
fn rate(node: &Node, scene: &Scene<'_>) -> String {
    let meter = match node.status.role {
        Role::Client | Role::Crowd => &node.sent,
        _ => &node.received,
    };
    text::per_second(meter.rate(scene.now.t))
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

fn draw_lines(devnet: &Devnet, node: &Node, slot: Rect, selected: bool, scene: &mut Scene<'_>) {
    Clear.render(slot.intersection(scene.buffer.area), scene.buffer);
    scene.put(slot, 0, name_line(devnet, node, scene));
    let second = match trouble(devnet, node, scene) {
        Some(trouble) => trouble,
        None => Span::raw(rate(node, scene)),
    };
    // What is wrong may reach into the gap: it matters more than the links there.
    let width = u16::try_from(second.width()).unwrap_or(u16::MAX);
    let below = Rect { x: slot.x + 2, width, ..slot };
    if slot.height > 1 {
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
    let mut name = name_line(devnet, node, scene);
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
        scene.put(text, 2, Line::styled(reason, scene.theme.muted));
        return;
    }
    let rate = rate(node, scene);
    let meter = match node.status.role {
        Role::Client | Role::Crowd => &node.sent,
        _ => &node.received,
    };
    // The curve begins at the same column whatever the rate is.
    let head = format!("{rate:<6}");
    let columns = usize::from(text.width).saturating_sub(text::width(&head));
    let history: Vec<f64> = meter.history(columns).collect();
    let curve = text::curve(&history, columns, scene.symbols);
    scene.put(text, 1, Line::from(vec![Span::raw(head), Span::styled(curve, scene.theme.accent)]));
    scene.put(text, 2, Line::styled(third_line(devnet, node), scene.theme.muted));
}

fn third_line(devnet: &Devnet, node: &Node) -> String {
    let metrics = node.metrics.as_ref();
    match node.status.role {
        Role::Client => format!("inbox {}", devnet.letters.inbox(node.name()).count()),
        Role::Crowd => "only cover".to_owned(),
        Role::Provider => match metrics.and_then(|metrics| metrics.mailbox) {
            Some(mailbox) => text::plural(mailbox.online, "client"),
            None => String::new(),
        },
        _ if node.reports_no_metrics() => "no metrics".to_owned(),
        _ => match metrics.and_then(|metrics| metrics.pool) {
            Some(pool) => format!("pool {pool}"),
            None => String::new(),
        },
    }
}
