//! Nodes: every process in a table.

mod cells;
mod columns;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::describe;
use crate::explain::Topic;
use crate::filter::{self, Filter};
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Moment, Node};
use crate::text;

pub(crate) use columns::Column;

use cells::{cell, compare, total};
use columns::{COLUMNS, Shape, shown};

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// None for the supervisor's own order.
    sort: Option<Column>,
    reversed: bool,
    /// Narrows the rows.
    pub(crate) filter: Filter,
}

impl View {
    /// What the table is sorted by, if somebody chose.
    pub(crate) fn topic(&self) -> Option<Topic> {
        self.sort.map(Topic::Column)
    }

    /// Sorts by a column; the other way round if it does already.
    pub(crate) fn sort_by(&mut self, column: Column) {
        self.reversed = self.sort == Some(column) && !self.reversed;
        self.sort = Some(column);
    }

    /// The title of the column that is sorted by, empty for none, and whether the other way round.
    pub(crate) fn sorting(&self) -> (&'static str, bool) {
        let shape = COLUMNS.iter().find(|shape| Some(shape.column) == self.sort);
        (shape.map_or("", |shape| shape.title), self.reversed)
    }

    /// Sorts like this again. A title that no column has sorts by none.
    pub(crate) fn sort_like(&mut self, title: &str, reversed: bool) {
        let shape = COLUMNS.iter().find(|shape| shape.title == title);
        self.sort = shape.map(|shape| shape.column);
        self.reversed = reversed;
    }

    fn sort_by_next(&mut self, shown: &[Column]) {
        let next = match self.sort {
            None => shown.first(),
            Some(column) => {
                let at = shown.iter().position(|other| *other == column);
                at.and_then(|at| shown.get(at + 1))
            }
        };
        self.sort = next.copied();
        self.reversed = false;
    }

    /// The rows, narrowed and sorted.
    fn rows<'a>(&self, devnet: &'a Devnet, now: Moment) -> Vec<&'a Node> {
        let needle = self.filter.needle();
        let (needle, wanted) = filter::wanted(&needle);
        let matches = |node: &&Node| {
            let contains = needle.is_empty()
                || node.name().contains(needle)
                || node.status.role.to_string().contains(needle)
                || devnet.health(node, now).word.contains(needle)
                || node.status.pid.is_some_and(|pid| pid.to_string() == needle)
                || node.status.addresses.values().any(|own| own.to_string().contains(needle));
            contains == wanted
        };
        let mut rows: Vec<&Node> = devnet.nodes.iter().filter(matches).collect();
        if let Some(column) = self.sort {
            rows.sort_by(|a, b| compare(column, a, b, devnet, now));
        }
        if self.reversed {
            rows.reverse();
        }
        rows
    }
}

/// Below this many rows of nodes, there is no room for what they have together.
const ROWS_FOR_TOTALS: u16 = 4;

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let (page, width) = (model.page(), model.size.width);
    let view = &mut model.screens.nodes;
    match action {
        Action::Filter => view.filter.open(),
        Action::Accept => view.filter.accept(),
        Action::LeaveInput | Action::Back => {
            view.filter.drop();
        }
        Action::Sort => {
            let shown = shown(width, 0);
            let shown: Vec<Column> = shown.iter().map(|(shape, _)| shape.column).collect();
            view.sort_by_next(&shown);
        }
        Action::ReverseSort => view.reversed = !view.reversed,
        Action::Open => match &model.selected {
            Some(name) => model.overlays.push(Overlay::card(name.clone())),
            None => model.say(Tone::Warning, "select a node first"),
        },
        Action::Copy => return copy(model),
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                let names: Vec<String> = names(model);
                model.selected = motion::step(&names, model.selected.as_ref(), motion);
            }
        }
    }
    Vec::new()
}

/// Names of the processes in the order of the rows.
pub(crate) fn names(model: &Model) -> Vec<String> {
    let Some(devnet) = model.devnet() else { return Vec::new() };
    let rows = model.screens.nodes.rows(devnet, model.moment());
    rows.iter().map(|node| node.name().to_owned()).collect()
}

/// Copies where the selected process is and who.
pub(crate) fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(node) = model.selected_node() else {
        model.say(Tone::Warning, "select a node first");
        return Vec::new();
    };
    let name = node.name().to_owned();
    if let Some((text, what)) = crate::overlay::copied(node) {
        return vec![Effect::Copy { text, what }];
    }
    model.say(Tone::Warning, format!("{name} has no address and no key to copy"));
    Vec::new()
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.nodes;
    let rows = view.rows(devnet, scene.now);
    let mut inner = scene.pane(area, "Nodes", true);
    let count = if rows.len() == devnet.nodes.len() {
        format!("{} processes", rows.len())
    } else {
        format!("{} of {} processes", rows.len(), devnet.nodes.len())
    };
    scene.edge_note(area, false, Line::styled(count, scene.theme.muted));
    scene.edge_note(area, true, Line::styled("rates over 5 s", scene.theme.muted));
    if view.filter.is_shown() {
        let line = Rect { height: inner.height.min(1), ..inner };
        view.filter.draw(filter::PROMPT, line, scene);
        inner = below(inner);
    }
    let longest = rows.iter().map(|node| text::width(node.name())).max().unwrap_or(0);
    let columns = shown(area.width, u16::try_from(longest).unwrap_or(u16::MAX));
    draw_titles(view, &columns, inner, scene);
    let mut body = below(inner);
    if body.height >= ROWS_FOR_TOTALS {
        body.height -= 1;
        let place = Rect { y: body.bottom(), height: 1, ..body };
        // What has no room in the row.
        if let Some(node) = model.selected_node()
            && body.height >= ROWS_FOR_TOTALS
        {
            body.height -= 1;
            let mut line = describe::headline(devnet, node, scene);
            line.spans.insert(0, Span::styled(format!("{} ", node.name()), scene.theme.accent));
            scene.put(Rect { y: body.bottom(), height: 1, ..body }, 0, line);
        }
        draw_cells(&columns, place, scene, |column, _, scene| total(column, devnet, &rows, scene));
    }
    if rows.is_empty() {
        scene.nothing_yet(body, "no process has this in its name, role, state or address");
    }
    let selected = rows.iter().position(|node| Some(node.name()) == model.selected.as_deref());
    scene.list(body, rows.len(), selected, Highlight::Strong, |scene, row, place| {
        draw_cells(&columns, place, scene, |column, width, scene| {
            cell(column, width, devnet, rows[row], scene)
        });
        Some(Target::Node(rows[row].name().to_owned()))
    });
}

fn below(area: Rect) -> Rect {
    Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area }
}

fn draw_titles(view: &View, columns: &[(&Shape, u16)], area: Rect, scene: &mut Scene<'_>) {
    let mut x = area.x;
    for &(shape, width) in columns {
        let place = Rect { x, width, height: area.height.min(1), ..area };
        let (title, style) = if view.sort == Some(shape.column) {
            let arrow = scene.symbols.sorted[usize::from(view.reversed)];
            (format!("{}{arrow}", shape.title), scene.theme.title)
        } else {
            (shape.title.to_owned(), scene.theme.muted)
        };
        let line = Line::styled(title, style);
        if shape.right {
            scene.put_right(place, 0, line);
        } else {
            scene.put(place, 0, line);
        }
        scene.regions.add(place, Target::Column(shape.column));
        x = x.saturating_add(width + 1);
    }
}

fn draw_cells(
    columns: &[(&Shape, u16)],
    area: Rect,
    scene: &mut Scene<'_>,
    cell: impl Fn(Column, u16, &Scene<'_>) -> Line<'static>,
) {
    let mut x = area.x;
    for &(shape, width) in columns {
        let place = Rect { x, width, ..area };
        let line = cell(shape.column, width, scene);
        if shape.right {
            scene.put_right(place, 0, line);
        } else {
            scene.put(place, 0, line);
        }
        x = x.saturating_add(width + 1);
    }
}
