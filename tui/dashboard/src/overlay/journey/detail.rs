//! Everything about the selected stop: the bytes in and out, what it knew, among how many the packet was.

use std::time::Duration;

use contract::Print;
use control::Way;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Shown, View, chart, knowledge};
use crate::drops::DropReason;
use crate::scene::Scene;
use crate::state::{Fate, Part, Stop};
use crate::text;

/// Columns of a label.
const LABEL: usize = 14;

/// Columns from which on there is room for what every stop knew.
const ROOM_FOR_EVERYBODY: u16 = 110;

/// Rows that the details take of an area, at least.
pub(super) fn rows(area: Rect) -> u16 {
    match area.height {
        0..10 => 0,
        10..17 => 4,
        17..22 => 5,
        _ => 9,
    }
}

pub(super) fn draw(view: &View<'_>, shown: &Shown<'_>, area: Rect, scene: &mut Scene<'_>) {
    let Some(stop) = shown.course.stops.get(shown.stop) else { return };
    let mut rows = Vec::new();
    if area.height > 6 {
        rows.push(heading(view, stop, scene));
    }
    rows.extend(bytes(shown, stop, area, scene));
    rows.extend(fate(stop, area, scene));
    let knowledge = knowledge::of(&shown.course, shown.stop);
    if let Some(knowledge) = knowledge.filter(|_| !matches!(stop.fate, Fate::Dropped { .. })) {
        let (knew, hidden) = match stop.fate {
            Fate::Ahead { .. } => ("will know", "will not know"),
            _ => ("knew", "could not know"),
        };
        rows.extend(labelled(knew, &knowledge.knew, area, scene));
        rows.extend(labelled(hidden, &knowledge.hidden, area, scene));
    }
    let used = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    for (row, line) in (0..area.height).zip(rows) {
        scene.put(area, row, line);
    }
    let left = area.height.saturating_sub(used.saturating_add(1));
    let below = Rect { y: area.bottom().saturating_sub(left), height: left, ..area };
    everybody(shown, below, scene);
}

/// What each stop knew and what not, one below the other, where the terminal has the room.
fn everybody(shown: &Shown<'_>, area: Rect, scene: &mut Scene<'_>) {
    let stops = &shown.course.stops;
    let there = stops.iter().filter(|stop| stop.id.way == Way::There).count();
    let room = usize::from(area.height).saturating_sub(1);
    let rows = if room >= stops.len() { stops.len() } else { there };
    if room < rows || area.width < ROOM_FOR_EVERYBODY {
        return;
    }
    let columns = usize::from(area.width) - LABEL - 3;
    // What was hidden takes more words than what was known.
    let known = columns / 2 - 1;
    let line = |name: &str, knew: &str, hidden: &str, scene: &Scene<'_>| {
        let fit = |words: &str, columns: usize| {
            let words = text::fit(&text::visible(words, scene.symbols), columns, scene.symbols);
            let pad = columns.saturating_sub(text::width(&words));
            format!("{words}{:pad$}", "")
        };
        [fit(name, LABEL), fit(knew, known), fit(hidden, columns - known)]
    };
    let [name, knew, hidden] = line("stop", "knew", "could not know", scene);
    let head = format!("{name} {knew}  {hidden}");
    scene.put(area, 0, Line::styled(head, scene.theme.muted));
    for (row, at) in (1..area.height).zip(0..rows) {
        let Some(knowledge) = knowledge::of(&shown.course, at) else { continue };
        let name = stops[at].node.unwrap_or("?");
        let [name, knew, hidden] = line(name, &knowledge.knew, &knowledge.hidden, scene);
        let style = if at == shown.stop { scene.theme.accent } else { Style::new() };
        let spans = vec![
            Span::styled(format!("{name} {knew}  "), style),
            Span::styled(hidden, scene.theme.muted),
        ];
        scene.put(area, row, Line::from(spans));
    }
}

fn heading(view: &View<'_>, stop: &Stop<'_>, scene: &Scene<'_>) -> Line<'static> {
    let name = stop.node.map_or_else(|| "?".into(), |name| text::visible(name, scene.symbols));
    let node = stop.node.and_then(|name| view.devnet.node(name));
    let role = node.map(|node| format!(" {} {}", scene.symbols.dot, crate::describe::role(node)));
    Line::from(vec![
        Span::styled(name, scene.theme.title),
        Span::styled(role.unwrap_or_default(), scene.theme.muted),
    ])
}

/// The packet as it came and as it went.
fn bytes(shown: &Shown<'_>, stop: &Stop<'_>, area: Rect, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let before = shown.course.came_from(shown.stop).and_then(|before| match &before.fate {
        Fate::Told(told) => told.after,
        _ => None,
    });
    let (before, after) = match &stop.fate {
        Fate::Told(told) => (told.before.or(before), told.after),
        _ => (before, None),
    };
    let label = |label: &str| Span::styled(format!("{label:<LABEL$} "), scene.theme.muted);
    let shown = |print: Print| Span::styled(chart::spaced(print), scene.theme.accent);
    match (stop.id.part, before, after) {
        (Part::Recipient, ..) => labelled(
            "took",
            "no Sphinx packet: its provider hands over what was sealed inside",
            area,
            scene,
        ),
        (Part::Acknowledged, ..) => {
            labelled("took", "what its provider had stored, like any other packet", area, scene)
        }
        (_, Some(before), Some(after)) => {
            let same = before.first.iter().zip(after.first).filter(|(a, b)| **a == *b).count();
            let differ = match same {
                0 => "  all differ".to_owned(),
                same => format!("  {} differ", before.first.len() - same),
            };
            vec![
                Line::from(vec![label("in"), shown(before)]),
                Line::from(vec![
                    label("out"),
                    shown(after),
                    Span::styled(differ, scene.theme.muted),
                ]),
            ]
        }
        (_, Some(before), None) => vec![Line::from(vec![label("in"), shown(before)])],
        (_, None, Some(after)) => vec![Line::from(vec![label("out"), shown(after)])],
        (_, None, None) => Vec::new(),
    }
}

/// What became of the packet there.
fn fate(stop: &Stop<'_>, area: Rect, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let label = |label: &str| Span::styled(format!("{label:<LABEL$} "), scene.theme.muted);
    let asked = stop.asked_us.map(text::micros);
    match &stop.fate {
        Fate::Told(told) if stop.id.part == Part::Mixnode => {
            let took = told.left.saturating_since(told.came);
            let took = text::micros(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            let asked = asked.unwrap_or_else(|| text::UNKNOWN.into());
            let mut lines = Vec::new();
            if area.height > 6 {
                let words = format!("{took}; its header asked for {asked}");
                lines.push(Line::from(vec![label("waited"), Span::raw(words)]));
            }
            let among = told.pool.map(among);
            lines.extend(among.map(|among| Line::from(vec![label("among"), Span::raw(among)])));
            lines
        }
        Fate::Dropped { reason, .. } => {
            let word = text::visible(reason, scene.symbols);
            let why = DropReason::of(reason).map_or("a reason of its own", DropReason::meaning);
            vec![Line::from(vec![
                label("dropped"),
                Span::styled(format!("{word}: {why}"), scene.theme.bad),
            ])]
        }
        Fate::Silent => vec![Line::from(vec![
            label("told"),
            Span::styled("nothing, though it was there: it was seen later", scene.theme.warn),
        ])],
        Fate::Ahead { due: Some((came, left)) } if stop.id.part == Part::Mixnode => {
            let wait = left.saturating_since(*came);
            let until = came.saturating_since(scene.now.t);
            let due = if until > Duration::ZERO {
                format!("due in {}, to wait {}", text::took_short(until), text::took_short(wait))
            } else {
                format!("due now, to wait {}", text::took_short(wait))
            };
            vec![Line::from(vec![label("ahead"), Span::raw(due)])]
        }
        _ => Vec::new(),
    }
}

/// Among how many packets this one was, and how well that hides it.
fn among(others: u32) -> String {
    if others == 0 {
        return "no other that waited when it came: only later ones could hide it".to_owned();
    }
    let all = others.saturating_add(1);
    format!(
        "{} that waited: any of {all} could leave next, {:.1} bits",
        text::plural(others, "other"),
        f64::from(all).log2()
    )
}

/// A label and words behind it, in as many rows as they need.
fn labelled(label: &str, words: &str, area: Rect, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let columns = usize::from(area.width).saturating_sub(LABEL + 1);
    let words = text::visible(words, scene.symbols);
    let rows = text::wrap(&words, columns);
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    labels
        .zip(rows)
        .map(|(label, row)| {
            Line::from(vec![
                Span::styled(format!("{label:<LABEL$} "), scene.theme.muted),
                Span::raw(row),
            ])
        })
        .collect()
}
