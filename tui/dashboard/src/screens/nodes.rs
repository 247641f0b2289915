//! Nodes: every process in a table.

use std::cmp::Ordering;

use contract::Role;
use ratatui::layout::Rect;
use ratatui::style::Style;
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
use crate::screens::logs::draw_filter;
use crate::state::{Devnet, Mark, Meter, Moment, Node};
use crate::text;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Its name.
    Name,
    /// What it is.
    Role,
    /// Its layer.
    Layer,
    /// Its state, and why.
    State,
    /// How long it has run.
    Up,
    /// How often it was started again.
    Restarts,
    /// Its process id.
    Pid,
    /// Where it listens.
    Address,
    /// Packets taken per second.
    Received,
    /// Packets passed on per second.
    Sent,
    /// Packets that wait.
    Pool,
    /// Share of a core.
    Cpu,
    /// Resident memory.
    Memory,
}

impl Column {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Name,
        Self::Role,
        Self::Layer,
        Self::State,
        Self::Up,
        Self::Restarts,
        Self::Pid,
        Self::Address,
        Self::Received,
        Self::Sent,
        Self::Pool,
        Self::Cpu,
        Self::Memory,
    ];
}

/// How a column is laid out.
struct Shape {
    column: Column,
    title: &'static str,
    width: u16,
    right: bool,
    /// Columns with a high number go first when the terminal is narrow.
    rank: u8,
}

const fn shape(column: Column, title: &'static str, width: u16, right: bool, rank: u8) -> Shape {
    Shape { column, title, width, right, rank }
}

/// All columns, in order. The state's width is its least; it takes what is left. Each has room for its
/// title and the arrow of the one that rows are sorted by.
const COLUMNS: [Shape; 13] = [
    shape(Column::Name, "NAME", 11, false, 0),
    shape(Column::Role, "ROLE", 9, false, 9),
    shape(Column::Layer, "LAYER", 6, true, 10),
    shape(Column::State, "STATE", 24, false, 0),
    shape(Column::Up, "UP", 9, true, 4),
    shape(Column::Restarts, "RESTARTS", 9, true, 6),
    shape(Column::Pid, "PID", 7, true, 7),
    shape(Column::Address, "ADDRESS", 15, false, 8),
    shape(Column::Received, "IN/s", 6, true, 1),
    shape(Column::Sent, "OUT/s", 6, true, 2),
    shape(Column::Pool, "POOL", 5, true, 3),
    shape(Column::Cpu, "CPU %", 6, true, 6),
    shape(Column::Memory, "MEM", 8, true, 5),
];

/// Columns of a higher rank than this are worth less than the reason for a state, which has so many
/// columns before they come.
const MOST_WANTED: u8 = 8;
const WIDE_STATE: u16 = 34;

/// Most columns of a name: clients and layouts name things as they like.
const MOST_NAME: u16 = 24;

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

fn compare(column: Column, a: &Node, b: &Node, devnet: &Devnet, now: Moment) -> Ordering {
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

/// Below this many rows of nodes, there is no room for what they have together.
const ROWS_FOR_TOTALS: u16 = 4;

/// Names with their numbers as numbers: `mix-1-10` comes after `mix-1-9`.
fn natural(name: &str) -> Vec<(u64, &str)> {
    name.split('-').map(|part| (part.parse().unwrap_or(u64::MAX), part)).collect()
}

fn pool(node: &Node) -> Option<u64> {
    let metrics = node.metrics.as_ref()?;
    metrics.pool.or(metrics.mailbox.map(|mailbox| mailbox.waiting))
}

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
    match crate::overlay::copied(node) {
        Some((text, what)) => vec![Effect::Copy { text, what }],
        None => {
            model.say(Tone::Warning, format!("{name} has no address and no key to copy"));
            Vec::new()
        }
    }
}

/// The columns that fit, with their widths, where the longest name has so many columns.
fn shown(width: u16, longest: u16) -> Vec<(&'static Shape, u16)> {
    let inside = width.saturating_sub(2);
    let least = |shape: &Shape, rank: u8| match shape.column {
        Column::Name => shape.width.max(longest.min(MOST_NAME)),
        Column::State if rank > MOST_WANTED => WIDE_STATE,
        _ => shape.width,
    };
    let mut ranks: Vec<u8> = COLUMNS.iter().map(|shape| shape.rank).collect();
    ranks.sort_unstable();
    let needed = |rank: u8| -> u16 {
        COLUMNS.iter().filter(|shape| shape.rank <= rank).map(|shape| least(shape, rank) + 1).sum()
    };
    let rank = ranks.into_iter().rev().find(|&rank| needed(rank) <= inside).unwrap_or(0);
    let rest = inside.saturating_sub(needed(rank));
    COLUMNS
        .iter()
        .filter(|shape| shape.rank <= rank)
        .map(|shape| {
            let width = match shape.column {
                Column::State => least(shape, rank) + rest,
                _ => least(shape, rank),
            };
            (shape, width)
        })
        .collect()
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
    if view.filter.is_edited() || !view.filter.is_empty() {
        draw_filter(&view.filter, Rect { height: inner.height.min(1), ..inner }, scene);
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
        draw_cells(&columns, place, scene, |column, scene| total(column, devnet, &rows, scene));
    }
    if rows.is_empty() {
        scene.nothing_yet(body, "no process has this in its name, role, state or address");
    }
    let selected = rows.iter().position(|node| Some(node.name()) == model.selected.as_deref());
    scene.list(body, rows.len(), selected, Highlight::Strong, |scene, row, place| {
        draw_cells(&columns, place, scene, |column, scene| cell(column, devnet, rows[row], scene));
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
    cell: impl Fn(Column, &Scene<'_>) -> Line<'static>,
) {
    let mut x = area.x;
    for &(shape, width) in columns {
        let place = Rect { x, width, ..area };
        let line = cell(shape.column, scene);
        if shape.right {
            scene.put_right(place, 0, line);
        } else {
            scene.put(place, 0, line);
        }
        x = x.saturating_add(width + 1);
    }
}

/// What the rows have together.
fn total(column: Column, devnet: &Devnet, rows: &[&Node], scene: &Scene<'_>) -> Line<'static> {
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

fn cell(column: Column, devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Line<'static> {
    let status = &node.status;
    let unknown = || text::UNKNOWN.to_owned();
    let not_of_directory = |value: String| {
        if status.role == Role::Directory { String::new() } else { value }
    };
    let words = match column {
        Column::State => return describe::headline(devnet, node, scene),
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
    fn columns_go_by_rank_and_the_state_takes_what_is_left() {
        let all: Vec<Column> = shown(200, 0).iter().map(|(shape, _)| shape.column).collect();
        assert_eq!(all.len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|shape| shape.title.len() < shape.width.into()));
        for width in 0..250 {
            let columns = shown(width, 0);
            let names: Vec<Column> = columns.iter().map(|(shape, _)| shape.column).collect();
            assert!(names.contains(&Column::Name) && names.contains(&Column::State));
            let used: u16 = columns.iter().map(|(_, width)| width + 1).sum();
            assert!(width < 60 || used == width - 2, "{used} columns used at {width}");
        }
    }

    #[test]
    fn names_sort_by_their_numbers() {
        let mut names = ["mix-1-10", "mix-1-9", "alice", "mix-2-1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["alice", "mix-1-9", "mix-1-10", "mix-2-1"]);
    }
}
