//! Network: the map of who sends to whom, and the details of one process.

mod canvas;
mod cargo;
mod cells;
mod details;
mod layout;
mod links;
mod list;
mod nodes;
mod rails;
mod weight;

use contract::Role;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::describe;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::Motion;
use crate::overlay::{self, Overlay};
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Moment, Node};
use crate::text;

use layout::Placement;
use links::Over;
use rails::Rail;
use weight::Shown;

/// Rows that a page step moves: layers are rarely longer than a screen.
const PAGE: usize = 8;

/// Rows of the screen that are not this one's: header, tabs, hints.
const AROUND: u16 = 3;

/// Who is in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Clients and the crowd.
    Clients,
    /// The mixnodes of a layer.
    Layer(u8),
    /// Providers.
    Providers,
}

impl Kind {
    /// Its heading.
    fn title(self) -> String {
        match self {
            Self::Clients => "CLIENTS".to_owned(),
            Self::Layer(layer) => format!("LAYER {layer}"),
            Self::Providers => "PROVIDERS".to_owned(),
        }
    }
}

/// A column of the map: nodes at the same distance from the sender.
pub(super) struct Column<'a> {
    /// Who they are.
    kind: Kind,
    /// Its nodes, in order.
    nodes: Vec<&'a Node>,
}

/// The columns of a devnet, from the clients to the providers.
fn columns(devnet: &Devnet) -> Vec<Column<'_>> {
    let column = |kind: Kind| {
        let is_of = move |node: &&Node| match kind {
            Kind::Clients => matches!(node.status.role, Role::Client | Role::Crowd),
            Kind::Layer(layer) => node.status.layer == Some(layer),
            Kind::Providers => node.status.role == Role::Provider,
        };
        Column { kind, nodes: devnet.nodes.iter().filter(is_of).collect() }
    };
    let layers = (1..=devnet.info.layers).map(Kind::Layer);
    let kinds = std::iter::once(Kind::Clients).chain(layers).chain([Kind::Providers]);
    kinds.map(column).filter(|column| !column.nodes.is_empty()).collect()
}

/// Whether something moves on the map: packets do, until they are where they go.
pub(crate) fn moves(devnet: &Devnet, now: Moment) -> bool {
    let mut links = devnet.nodes.iter().flat_map(|node| node.links.values());
    links.any(|link| link.packets(now.t).next().is_some())
        || !devnet.journeys.underway(now.t).is_empty()
}

fn directory(devnet: &Devnet) -> Option<&Node> {
    devnet.nodes.iter().find(|node| node.status.role == Role::Directory)
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => match &model.selected {
            Some(name) => model.overlays.push(Overlay::card(name.clone())),
            None => model.say(Tone::Warning, "select a node with the arrow keys first"),
        },
        Action::Back => model.selected = None,
        Action::Copy => return super::nodes::copy(model),
        Action::Journey => journey(model),
        action => {
            let place = (model.size, model.is_zoomed());
            if let Some(devnet) = model.devnet()
                && let Some(next) = next(devnet, place, model.selected.as_deref(), action)
            {
                model.selected = Some(next);
            }
        }
    }
    Vec::new()
}

/// Opens the way of the newest message that passed the selected process, else of the newest at all.
fn journey(model: &mut Model) {
    let newest = model.devnet().and_then(|devnet| {
        let passed = model.selected.as_deref().and_then(|node| devnet.newest_past(node));
        let newest = passed.or_else(|| devnet.letters.sent().next_back());
        newest.map(|letter| letter.id.clone())
    });
    if let Some(message) = newest {
        overlay::open_journey(model, message);
    } else {
        let key = model.key(Action::Write);
        model.say(Tone::Warning, format!("no message was sent yet: {key} writes one"));
    }
}

/// The process to select after a step over the map. The directory lies below all columns.
fn next(
    devnet: &Devnet,
    place: (Size, bool),
    selected: Option<&str>,
    action: Action,
) -> Option<String> {
    let (size, zoomed) = place;
    let columns = columns(devnet);
    let directory = directory(devnet).map(Node::name);
    let at = selected.and_then(|name| {
        columns.iter().enumerate().find_map(|(column, nodes)| {
            let row = nodes.nodes.iter().position(|node| node.name() == name)?;
            Some((column, row))
        })
    });
    let name = |column: usize, index: usize| {
        columns.get(column)?.nodes.get(index).map(|node| node.name().to_owned())
    };
    let Some((column, index)) = at else {
        // From the directory, or from nowhere: to the mixnodes.
        let first = usize::from(columns.len() > 1);
        let last = columns.get(first)?.nodes.len().saturating_sub(1);
        return match (action, selected) {
            (Action::Left, Some(_)) => name(0, 0),
            (Action::Right, Some(_)) => name(columns.len().saturating_sub(1), 0),
            (Action::Up, Some(_)) => name(first, last),
            (Action::Down, Some(_)) => None,
            (Action::Left | Action::Right, None) => name(first, 0),
            (action, _) => Motion::of(action, PAGE).and_then(|_| name(first, 0)),
        };
    };
    let body = Rect { height: size.height.saturating_sub(AROUND), ..size.into() };
    let map = Parts::of(devnet, body, zoomed);
    let placement = Placement::new(&columns, map.columns);
    let per_line = |column: usize| {
        let placed = placement.as_ref().and_then(|placement| placement.columns.get(column));
        placed.map_or(1, layout::PlacedColumn::per_line)
    };
    let (own, nodes) = (per_line(column), columns[column].nodes.len());
    let (line, lines) = (index / own, nodes.div_ceil(own));
    match action {
        Action::Left if index % own > 0 => name(column, index - 1),
        Action::Right if index % own + 1 < own && index + 1 < nodes => name(column, index + 1),
        Action::Left | Action::Right => {
            let step = if action == Action::Left { -1 } else { 1 };
            let next = column.saturating_add_signed(step).min(columns.len() - 1);
            if next == column {
                return None;
            }
            // The node at the same height: columns are centred against each other. And the nearest
            // of those beside each other.
            let (others, beside) = (columns[next].nodes.len(), per_line(next));
            let other_lines = others.div_ceil(beside);
            let other = ((2 * line + 1) * other_lines / (2 * lines)).min(other_lines - 1);
            let near = if action == Action::Left { beside - 1 } else { 0 };
            name(next, (other * beside + near).min(others - 1))
        }
        Action::Down if line + 1 == lines => directory.map(ToOwned::to_owned),
        Action::Down => name(column, (index + own).min(nodes - 1)),
        Action::Up => name(column, index.checked_sub(own)?),
        action => name(column, Motion::of(action, PAGE)?.from(index, nodes)),
    }
}

/// The parts of this screen.
struct Parts {
    /// The map with its border.
    map: Rect,
    /// Where the columns lie.
    columns: Rect,
    /// Where the ways back begin, and how many rows they have.
    rails: (u16, u16),
    /// The directory.
    footer: Rect,
    /// What is selected.
    details: Rect,
}

impl Parts {
    fn of(devnet: &Devnet, area: Rect, zoomed: bool) -> Self {
        let details = match area.height {
            0..14 => 3,
            14..24 => 4,
            24..34 => 6,
            _ => 8,
        };
        // While the map is zoomed, it has everything.
        let details = if zoomed { 0 } else { details };
        let [map, details] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(details)]).areas(area);
        let inside = Rect {
            x: map.x.saturating_add(2),
            y: map.y.saturating_add(1),
            width: map.width.saturating_sub(4),
            height: map.height.saturating_sub(3),
        };
        let footer = Rect { y: inside.bottom(), height: 1, ..inside };
        let rows = Rail::rows(devnet, inside.height);
        let columns = Rect { height: inside.height.saturating_sub(rows), ..inside };
        Self { map, columns, rails: (columns.bottom(), rows), footer, details }
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let parts = Parts::of(devnet, area, scene.zoomed);
    draw_map(model, devnet, &parts, scene);
    details::draw(model, devnet, parts.details, scene);
}

fn draw_map(model: &Model, devnet: &Devnet, parts: &Parts, scene: &mut Scene<'_>) {
    let inner = scene.pane(parts.map, "Network", true);
    scene.edge_note(parts.map, false, Line::styled("rates over 5 s", scene.theme.muted));
    let columns = columns(devnet);
    let selected = model.selected.as_deref();
    let Some(placement) = Placement::new(&columns, parts.columns) else {
        return list::draw(devnet, selected, inner, scene);
    };
    let rails = Rail::place(devnet, &columns, &placement, parts.rails);
    let mut over = Over::default();
    links::draw(&columns, &placement, parts.columns, selected, &mut over, scene);
    rails::draw(devnet, &rails, selected, &mut over, scene);
    over.draw(scene);
    nodes::draw(devnet, &columns, &placement, selected, scene);
    cargo::draw(devnet, &columns, &placement, &rails, scene);
    draw_directory(devnet, selected, parts.footer, scene);
    let shown = Shown {
        cargo: devnet.info.trace,
        cells: placement.columns.iter().any(|column| column.cells.is_some()),
    };
    let legend = weight::legend(shown, parts.map.width.saturating_sub(6), scene);
    scene.edge_note(parts.map, true, legend);
}

fn draw_directory(devnet: &Devnet, selected: Option<&str>, area: Rect, scene: &mut Scene<'_>) {
    let Some(node) = directory(devnet) else { return };
    let health = devnet.health(node, scene.now);
    let mut spans = describe::health_spans(health, scene).to_vec();
    spans.insert(1, Span::raw("directory "));
    if let Some(address) = node.status.addresses.values().next() {
        spans.push(Span::styled(format!("  http://{address}"), scene.theme.muted));
    }
    let present = devnet.presence.announcers().filter(|(_, node)| node.departed.is_none()).count();
    spans.push(Span::styled(format!("  lists {present} nodes"), scene.theme.muted));
    if let control::DirectoryState::Reconnecting { error, .. } = &devnet.directory {
        let error = text::visible(error, scene.symbols);
        spans.push(Span::styled(format!("  not heard: {error}"), scene.theme.warn));
    }
    let line = Line::from(spans);
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width);
    let place = Rect { width, ..area };
    scene.put(place, 0, line);
    if selected == Some(node.name()) {
        scene.select(place, Highlight::Strong);
    }
    scene.regions.add(place, Target::Node(node.name().to_owned()));
}
