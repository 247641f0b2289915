//! Network: the map of who sends to whom, and the details of one process.

mod details;
mod layout;
mod links;
mod list;
mod nodes;

use contract::Role;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::describe;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::Motion;
use crate::overlay::{self, Overlay};
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Node};
use crate::text;

use layout::Placement;

/// Rows that a page step moves: layers are rarely longer than a screen.
const PAGE: usize = 8;

/// A column of the map: nodes at the same distance from the sender.
pub(super) struct Column<'a> {
    /// Its heading.
    title: String,
    /// Its nodes, in order.
    nodes: Vec<&'a Node>,
}

/// The columns of a devnet, from the clients to the providers.
fn columns(devnet: &Devnet) -> Vec<Column<'_>> {
    let of_layer = |layer: u8| {
        let nodes = devnet.nodes.iter().filter(move |node| node.status.layer == Some(layer));
        Column { title: format!("LAYER {layer}"), nodes: nodes.collect() }
    };
    let of_roles = |title: &str, roles: &[Role]| Column {
        title: title.to_owned(),
        nodes: devnet.with_role(roles).collect(),
    };
    let mut columns = vec![of_roles("CLIENTS", &[Role::Client, Role::Crowd])];
    columns.extend((1..=devnet.info.layers).map(of_layer));
    columns.push(of_roles("PROVIDERS", &[Role::Provider]));
    columns.retain(|column| !column.nodes.is_empty());
    columns
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
            if let Some(devnet) = model.devnet()
                && let Some(next) = next(devnet, model.selected.as_deref(), action)
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
    match newest {
        Some(message) => overlay::open_journey(model, message),
        None => model.say(Tone::Warning, "no message was sent yet: m writes one"),
    }
}

/// The process to select after a step over the map. The directory lies below all columns.
fn next(devnet: &Devnet, selected: Option<&str>, action: Action) -> Option<String> {
    let columns = columns(devnet);
    let directory = directory(devnet).map(Node::name);
    let at = selected.and_then(|name| {
        columns.iter().enumerate().find_map(|(column, nodes)| {
            let row = nodes.nodes.iter().position(|node| node.name() == name)?;
            Some((column, row))
        })
    });
    let name = |column: usize, row: usize| {
        columns.get(column)?.nodes.get(row).map(|node| node.name().to_owned())
    };
    let Some((column, row)) = at else {
        // From the directory, or from nowhere: to the mixnodes.
        let first = usize::from(columns.len() > 1);
        let last_row = columns.get(first)?.nodes.len().saturating_sub(1);
        return match (action, selected) {
            (Action::Left, Some(_)) => name(0, 0),
            (Action::Right, Some(_)) => name(columns.len().saturating_sub(1), 0),
            (Action::Up, Some(_)) => name(first, last_row),
            (Action::Down, Some(_)) => None,
            (Action::Left | Action::Right, None) => name(first, 0),
            (action, _) => Motion::of(action, PAGE).and_then(|_| name(first, 0)),
        };
    };
    let rows = columns[column].nodes.len();
    match action {
        Action::Left | Action::Right => {
            let step = if action == Action::Left { -1 } else { 1 };
            let next = column.saturating_add_signed(step).min(columns.len() - 1);
            // The node at the same height: columns are centred against each other.
            let others = columns[next].nodes.len();
            name(next, ((2 * row + 1) * others / (2 * rows)).min(others - 1))
        }
        Action::Down if row + 1 == rows => directory.map(ToOwned::to_owned),
        action => name(column, Motion::of(action, PAGE)?.from(row, rows)),
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let details = match area.height {
        0..14 => 3,
        14..24 => 4,
        _ => 6,
    };
    let layout = Layout::vertical([Constraint::Min(0), Constraint::Length(details)]);
    let [map, below] = scene.panes(&layout, area, 0);
    draw_map(model, devnet, map, scene);
    details::draw(model, devnet, below, scene);
}

fn draw_map(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let inner = scene.pane(area, "Network", true);
    scene.edge_note(area, false, Line::styled("rates over 5 s", scene.theme.muted));
    let columns = columns(devnet);
    let mut map = Rect { height: inner.height.saturating_sub(1), ..inner };
    map.x = map.x.saturating_add(1);
    map.width = map.width.saturating_sub(2);
    let selected = model.selected.as_deref();
    match Placement::new(&columns, map) {
        Some(placement) => {
            links::draw(&columns, &placement, map, selected, scene);
            nodes::draw(devnet, &columns, &placement, selected, scene);
            let footer = Rect { y: map.bottom(), height: 1, ..map };
            draw_directory(devnet, selected, footer, scene);
            scene.edge_note(area, true, links::legend(scene));
        }
        None => list::draw(devnet, selected, inner, scene),
    }
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
