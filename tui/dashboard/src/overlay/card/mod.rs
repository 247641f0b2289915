//! Everything about one process, with the end of its log. Each line can be chosen and copied.

mod fields;
mod messages;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Overlay;
use crate::action::Action;
use crate::describe;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::scene::{Highlight, Scene, centered};
use crate::screens::logs;
use crate::state::{Devnet, Entry, Node, Wanted};
use crate::text;

use fields::{Field, Section};

/// Width of a card, where the terminal has it.
const WIDTH: u16 = 116;

/// From this many columns on, there are two columns of facts.
const TWO_COLUMNS: u16 = 90;

/// Width of the first of them, and the air before the second.
const FIRST_COLUMN: u16 = 50;
const AIR: u16 = 2;

/// Columns of a label.
const LABEL: usize = 10;

/// How many of the newest log lines can be reached: the whole log has a screen.
const LOG_LINES: usize = 200;

/// The card of a process.
#[derive(Debug)]
pub(crate) struct Card {
    /// Its name.
    pub(super) node: String,
    /// What is chosen; nothing at first.
    pub(super) chosen: Option<Chosen>,
}

/// A line of a card, by what it is about: lines come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// A fact.
    Field(String),
    /// A line of the log, by its number.
    Log(u64),
}

pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if action == Action::Close {
        model.overlays.pop();
        return Some(Vec::new());
    }
    let page = model.page() / 2;
    let Some(Overlay::Card(card)) = model.overlays.last() else { return None };
    let devnet = model.devnet()?;
    if action == Action::Copy {
        let found = devnet.node(&card.node).and_then(|node| card.copy(model, devnet, node));
        if let Some((text, what)) = found {
            return Some(vec![Effect::Copy { text, what }]);
        }
        let words = format!("{} has no address and no key; choose a line", card.node);
        model.say(Tone::Warning, words);
        return Some(Vec::new());
    }
    let motion = Motion::of(action, page)?;
    let lines = devnet.node(&card.node).map_or_else(Vec::new, |node| {
        let sections = sections(model, devnet, node);
        let fields = sections.iter().flatten().flat_map(|section| &section.fields);
        let fields = fields.map(|field| Chosen::Field(field.key.clone()));
        fields.chain(log(devnet, node).iter().map(|entry| Chosen::Log(entry.number))).collect()
    });
    let chosen = motion::step(&lines, card.chosen.as_ref(), motion);
    if let Some(Overlay::Card(card)) = model.overlays.last_mut() {
        card.chosen = chosen;
    }
    Some(Vec::new())
}

/// What is known of a process, without a place to draw it.
fn sections(model: &Model, devnet: &Devnet, node: &Node) -> [Vec<Section>; 2] {
    let mut nowhere = Buffer::empty(Rect::ZERO);
    fields::of(devnet, node, &Scene::new(model, &mut nowhere))
}

/// The latest lines of its log, oldest first.
fn log<'a>(devnet: &'a Devnet, node: &Node) -> Vec<&'a Entry> {
    let lines = devnet.logs.wanted(Wanted { node: Some(node.name()), ..Wanted::default() });
    let mut lines: Vec<&Entry> = lines.rev().take(LOG_LINES).collect();
    lines.reverse();
    lines
}

/// What copying a process gives and what that is: what a program needs to speak to it. None if it has
/// neither an address nor a key.
pub(crate) fn copied(node: &Node) -> Option<(String, String)> {
    let status = &node.status;
    let addresses: Vec<String> = status.addresses.values().map(ToString::to_string).collect();
    let keys = match &status.address {
        Some(address) => std::slice::from_ref(address),
        None => status.public_keys.as_slice(),
    };
    let what = match (addresses.len(), keys.len()) {
        (0, 0) => return None,
        (_, 0) => "address".to_owned(),
        (0, keys) => text::plural(u64::try_from(keys).unwrap_or(u64::MAX), "key"),
        _ => "address and key".to_owned(),
    };
    let text = [addresses.as_slice(), keys].concat().join(" ");
    Some((text, format!("{what} of {}", node.name())))
}

impl Card {
    /// The chosen line and what it is; what identifies the process if nothing is chosen.
    fn copy(&self, model: &Model, devnet: &Devnet, node: &Node) -> Option<(String, String)> {
        match &self.chosen {
            None => copied(node),
            Some(Chosen::Log(number)) => {
                let entry = log(devnet, node).into_iter().find(|entry| entry.number == *number)?;
                Some((entry.line.line.clone(), format!("a log line of {}", node.name())))
            }
            Some(Chosen::Field(key)) => {
                let sections = sections(model, devnet, node);
                let mut fields = sections.iter().flatten().flat_map(|section| &section.fields);
                let field = fields.find(|field| field.key == *key)?;
                Some((field.copied.clone(), format!("{key} of {}", node.name())))
            }
        }
    }

    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let place = centered(area, WIDTH, area.height.saturating_sub(2));
        let Some((devnet, node)) =
            model.devnet().and_then(|devnet| Some((devnet, devnet.node(&self.node)?)))
        else {
            let inner = scene.window(place, self.node.as_str());
            scene.nothing_yet(inner, "this process is not part of the devnet any more");
            return;
        };
        let title = format!("{} {} {}", node.name(), scene.symbols.dot, describe::role(node));
        let inner = scene.window(place, title);
        scene.put(inner, 0, describe::headline(devnet, node, scene));
        let below = |area: Rect, rows: u16| Rect {
            y: area.y.saturating_add(rows),
            height: area.height.saturating_sub(rows),
            ..area
        };
        let rest = below(inner, 2);
        let rows = rows(&fields::of(devnet, node, scene), rest.width);
        let all = rows.iter().map(Row::bottom).max().unwrap_or(0);
        // The log has a third if it needs that, and what facts do not need.
        let lines = u16::try_from(log(devnet, node).len().max(1)).unwrap_or(u16::MAX);
        let least = lines.saturating_add(2).min(rest.height / 3);
        let facts = all.min(rest.height - least);
        let hidden = self.draw_facts(&rows, Rect { height: facts, ..rest }, scene);
        if hidden {
            let [_, _, up, down] = scene.symbols.arrows;
            let words = format!("{up} {down} scroll");
            scene.edge_note(place, false, Line::styled(words, scene.theme.muted));
        }
        self.draw_log(devnet, node, below(rest, facts.saturating_add(1)), scene);
    }

    /// Facts, scrolled to the chosen one. Says whether some are out of sight.
    fn draw_facts(&self, rows: &[Row], area: Rect, scene: &mut Scene<'_>) -> bool {
        let all = rows.iter().map(Row::bottom).max().unwrap_or(0);
        let chosen = rows.iter().find(|row| row.is(self.chosen.as_ref()));
        let first = match (chosen, &self.chosen) {
            (Some(row), _) => {
                let middle = usize::from(row.y);
                motion::first_visible(middle, all.into(), area.height.into())
            }
            // Somebody who reads the log has passed all facts.
            (None, Some(Chosen::Log(_))) => usize::from(all.saturating_sub(area.height)),
            (None, _) => 0,
        };
        let first = u16::try_from(first).unwrap_or(0);
        for row in rows {
            for (line, words) in (row.y..).zip(&row.lines) {
                let Some(y) = line.checked_sub(first).filter(|y| *y < area.height) else {
                    continue;
                };
                let width = row.width.min(area.width.saturating_sub(row.x));
                let place = Rect { x: area.x + row.x, y: area.y + y, width, height: 1 };
                scene.put(place, 0, words.clone());
                if row.is(self.chosen.as_ref()) {
                    scene.select(place, Highlight::Strong);
                }
            }
        }
        all > area.height
    }

    fn draw_log(&self, devnet: &Devnet, node: &Node, area: Rect, scene: &mut Scene<'_>) {
        if area.height < 2 {
            return;
        }
        let path = text::visible(&node.status.log_file.display().to_string(), scene.symbols);
        let line = Line::from(vec![
            Span::styled("LOG ", scene.theme.accent),
            Span::styled(path, scene.theme.muted),
        ]);
        scene.put(area, 0, line);
        let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let lines = log(devnet, node);
        if lines.is_empty() {
            scene.nothing_yet(rows, "it has written nothing to its log yet");
            return;
        }
        let chosen = match self.chosen {
            Some(Chosen::Log(number)) => lines.iter().position(|entry| entry.number == number),
            _ => None,
        };
        let highlight = if chosen.is_some() { Highlight::Strong } else { Highlight::None };
        let row = chosen.unwrap_or(lines.len() - 1);
        scene.list(rows, lines.len(), Some(row), highlight, |scene, row, place| {
            scene.put(place, 0, logs::line(lines[row], None, 0, scene));
            None
        });
    }
}

/// A fact or a heading in its place, counted from the card's upper left corner.
struct Row {
    /// What it is about; none for a heading.
    key: Option<String>,
    x: u16,
    y: u16,
    width: u16,
    lines: Vec<Line<'static>>,
}

impl Row {
    fn bottom(&self) -> u16 {
        self.y + u16::try_from(self.lines.len()).unwrap_or(u16::MAX)
    }

    fn is(&self, chosen: Option<&Chosen>) -> bool {
        matches!((chosen, &self.key), (Some(Chosen::Field(chosen)), Some(key)) if chosen == key)
    }
}

/// All facts in their places: in two columns where there is room, else one below the other.
fn rows(sections: &[Vec<Section>; 2], width: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    let two = width >= TWO_COLUMNS;
    let mut y = 0;
    for (column, sections) in sections.iter().enumerate() {
        let (x, columns) = match (two, column) {
            (false, _) => (0, width),
            (true, 0) => (0, FIRST_COLUMN),
            (true, _) => {
                y = 0;
                (FIRST_COLUMN + AIR, width - FIRST_COLUMN - AIR)
            }
        };
        for section in sections.iter().filter(|section| !section.fields.is_empty()) {
            // Air between sections.
            y += u16::from(y > 0);
            rows.push(Row { key: None, x, y, width: columns, lines: vec![section.heading()] });
            y += 1;
            for field in &section.fields {
                let lines = lines(field, columns);
                let row = Row { key: Some(field.key.clone()), x, y, width: columns, lines };
                y = row.bottom();
                rows.push(row);
            }
        }
    }
    rows
}

/// The lines of a fact: what is long goes on below.
fn lines(field: &Field, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns).saturating_sub(LABEL + 1);
    let mut lines = text::wrap(&field.value, columns);
    if lines.is_empty() {
        lines.push(String::new());
    }
    let labelled = |(at, words): (usize, String)| {
        let label = if at == 0 { field.label.as_str() } else { "" };
        let gap = " ".repeat((LABEL + 1).saturating_sub(text::width(label)).max(1));
        Line::from(vec![
            Span::styled(format!("{label}{gap}"), field.label_style),
            Span::styled(words, field.style),
        ])
    };
    lines.into_iter().enumerate().map(labelled).collect()
}
