//! Packets per second over time: a strip for each layer, all to the same scale, and one for the
//! selected node.
//!
//! Layers have strips of their own and not a common plot, because in a network that works their
//! curves lie upon each other.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::Stage;
use super::plot::{self, axis_end};
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::traffic::{Flow, Window, second};
use crate::state::{Devnet, Node};
use crate::text;

/// Columns for the name of a strip and its rate.
const NAME: u16 = 11;

/// Columns for the numbers of an axis.
const AXIS: u16 = 8;

/// Columns of the list of nodes.
const LIST: u16 = 42;

/// From this width on there is room for the list.
const WITH_LIST: u16 = 100;

/// Columns of a name in it.
const NAME_WIDTH: usize = 12;

/// A strip.
struct Strip {
    name: String,
    values: Vec<Option<f64>>,
    /// The rate that every other screen shows.
    now: Option<f64>,
    selected: bool,
}

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    area: Rect,
    focused: bool,
    scene: &mut Scene<'_>,
) {
    let window = model.screens.traffic.window;
    let inner = scene.pane(area, "Rates", focused);
    let title = Line::styled(format!("packets per second, {}", window.words()), scene.theme.muted);
    scene.edge_note(area, false, title);
    let layers = strips(devnet, window, scene);
    if layers.iter().all(|strip| strip.values.iter().all(Option::is_none)) {
        scene.nothing_yet(inner, nothing(devnet));
        note(model, devnet, area, scene);
        return;
    }
    let mut inner = inner;
    if inner.width >= WITH_LIST {
        inner.width -= LIST;
        let list = Rect { x: inner.right() + 1, width: LIST - 1, ..inner };
        draw_list(model, devnet, list, focused, scene);
    }
    let selected = model.selected_node().filter(|node| node.status.role != Role::Directory);
    draw_strips(layers, selected.map(|node| strip_of(devnet, node, window, scene)), inner, scene);
    draw_time(window, inner, scene);
    note(model, devnet, area, scene);
}

fn nothing(devnet: &Devnet) -> &'static str {
    let mut mixnodes = devnet.nodes.iter().filter(|node| node.status.role == Role::Mixnode);
    if mixnodes.all(Node::reports_no_metrics) {
        "no mixnode reports to the directory: this devnet was told so"
    } else {
        "no mixnode has reported to the directory yet: each does once a second"
    }
}

/// What the picture is made of, where that is not all that it could be.
fn note(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.traffic;
    let now = second(scene.now);
    let known = devnet.traffic.rates.known_since(view.window, now).unwrap_or(now);
    let is_whole =
        now.saturating_sub(known) + 30 > i64::try_from(view.window.seconds()).unwrap_or(0);
    let since = || {
        let known = u64::try_from(known).unwrap_or(0).saturating_mul(1000);
        text::clock(known, scene.zone)
    };
    let (words, style) = match (&view.recall.stage, model.playback.is_some()) {
        (_, true) => ("no history in a recording: it fills".to_owned(), scene.theme.muted),
        (Stage::Failed(why), _) => {
            let why = text::visible(why, scene.symbols);
            (format!("no history: {why}"), scene.theme.warn)
        }
        (Stage::Wanted | Stage::Asked, _) => {
            ("asking the directory for what was before".to_owned(), scene.theme.muted)
        }
        (Stage::Known, _) if is_whole => return,
        (Stage::Known, _) => (format!("first report {}", since()), scene.theme.muted),
    };
    let words = text::fit(&words, usize::from(area.width).saturating_sub(6), scene.symbols);
    scene.edge_note(area, true, Line::styled(words, style));
}

/// A strip of each layer.
fn strips(devnet: &Devnet, window: Window, scene: &Scene<'_>) -> Vec<Strip> {
    let now = second(scene.now);
    let layers = 1..=devnet.info.layers;
    let strip = |layer: u8| {
        let nodes = || devnet.nodes.iter().filter(move |node| node.status.layer == Some(layer));
        let rates = nodes().filter_map(|node| node.received.rate(scene.now.t));
        let names = nodes().map(Node::name);
        Strip {
            name: format!("layer {layer}"),
            values: devnet.traffic.rates.curve(names, Flow::In, window, now),
            now: rates.fold(None, |sum, rate| Some(sum.unwrap_or(0.0) + rate)),
            selected: false,
        }
    };
    layers.map(strip).collect()
}

/// The strip of a node: what a mixnode or a provider takes, and what a client sends.
fn strip_of(devnet: &Devnet, node: &Node, window: Window, scene: &Scene<'_>) -> Strip {
    let (flow, word) = flow(node.status.role);
    let rates = &devnet.traffic.rates;
    let meter = if flow == Flow::In { &node.received } else { &node.sent };
    Strip {
        name: format!("{} {word}", text::fit(node.name(), 12, scene.symbols)),
        values: rates.curve([node.name()], flow, window, second(scene.now)),
        now: meter.rate(scene.now.t),
        selected: true,
    }
}

fn flow(role: Role) -> (Flow, &'static str) {
    match role {
        Role::Client | Role::Crowd => (Flow::Out, "out"),
        Role::Directory | Role::Mixnode | Role::Provider => (Flow::In, "in"),
    }
}

/// The last row is that of the time. Layers have the same height, since they have the same scale.
fn draw_strips(layers: Vec<Strip>, node: Option<Strip>, inner: Rect, scene: &mut Scene<'_>) {
    let highest = |strips: &[Strip]| {
        let values = strips.iter().flat_map(|strip| strip.values.iter().flatten());
        axis_end(values.copied().fold(0.0, f64::max))
    };
    let top = highest(&layers);
    let rows = usize::from(inner.height.saturating_sub(1));
    let nodes = usize::from(node.is_some());
    // Where there is no room for all, the selected node is there before the last layer is.
    let shown = layers.len().min(rows.saturating_sub(nodes));
    let height = ((rows - nodes.min(rows)) / shown.max(1)).max(1);
    let strips = layers.into_iter().take(shown).map(|strip| (strip, top, height));
    let node = node.filter(|_| rows > 0).map(|strip| {
        let top = highest(std::slice::from_ref(&strip));
        // Not higher than a layer, or it would seem to matter more.
        (strip, top, (rows - height * shown).min(height))
    });
    let mut y = inner.y;
    for (strip, top, height) in strips.chain(node) {
        let height = u16::try_from(height).unwrap_or(inner.height);
        draw_strip(&strip, top, Rect { y, height, ..inner }, scene);
        y += height;
    }
}

fn draw_strip(strip: &Strip, top: f64, place: Rect, scene: &mut Scene<'_>) {
    let name = Rect { width: NAME.min(place.width), ..place };
    let style = if strip.selected { scene.theme.accent } else { ratatui::style::Style::new() };
    let rate = text::per_second(strip.now);
    let one_row = place.height == 1;
    let plot = plot_of(place);
    if one_row {
        let words = Rect { width: (NAME + AXIS).saturating_sub(1).min(place.width), ..place };
        let left = scene.put_right(words, 0, Line::from(rate));
        let words = Rect { width: left.saturating_sub(1), ..words };
        let fitting = text::fit(&strip.name, words.width.into(), scene.symbols);
        scene.put(words, 0, Line::styled(fitting, style));
    } else {
        let fitting = text::fit(&strip.name, name.width.into(), scene.symbols);
        scene.put(name, 0, Line::styled(fitting, style));
        scene.put(name, 1, Line::from(rate));
        let axis = Rect { x: name.right(), width: AXIS.saturating_sub(1), ..place };
        let end = Line::styled(text::per_second(Some(top)), scene.theme.muted);
        scene.put_right(axis, 0, end);
        scene.put_right(axis, place.height - 1, Line::styled("0", scene.theme.muted));
    }
    let values = plot::resample(&strip.values, plot.width.into());
    let style = if strip.selected { scene.theme.accent } else { scene.theme.link[1] };
    plot::area(scene, plot, &values, top, style);
}

/// Where the curve of a strip is.
fn plot_of(place: Rect) -> Rect {
    let left = (NAME + AXIS).min(place.width);
    Rect { x: place.x + left, width: place.width - left, ..place }
}

/// The axis of time below the strips.
fn draw_time(window: Window, inner: Rect, scene: &mut Scene<'_>) {
    let plot = plot_of(inner);
    let row = inner.height.saturating_sub(1);
    let (begin, middle) = match window {
        Window::Minute => ("1 min ago", "30 s ago"),
        Window::FiveMinutes => ("5 min ago", "150 s ago"),
        Window::Hour => ("60 min ago", "30 min ago"),
    };
    let muted = |words| Line::styled(words, scene.theme.muted);
    let (begin, middle, end) = (muted(begin), muted(middle), muted("now"));
    let room = usize::from(plot.width);
    if room >= begin.width() + end.width() + 2 {
        if room >= 3 * begin.width() + middle.width() {
            let x = plot.x + plot.width / 2;
            scene.put(Rect { x, width: plot.right() - x, ..plot }, row, middle);
        }
        scene.put(plot, row, begin);
        scene.put_right(plot, row, end);
    }
}

/// Every node with its rates of now and a small curve, as far as there is room.
fn draw_list(model: &Model, devnet: &Devnet, list: Rect, focused: bool, scene: &mut Scene<'_>) {
    let window = model.screens.traffic.window;
    let nodes: Vec<&Node> =
        devnet.nodes.iter().filter(|node| node.status.role != Role::Directory).collect();
    let head = format!("{:<NAME_WIDTH$} {:>6} {:>6}  {}", "node", "in/s", "out/s", window.words());
    scene.put(list, 0, Line::styled(head, scene.theme.muted));
    let body = Rect { y: list.y + 1, height: list.height.saturating_sub(1), ..list };
    let selected = nodes.iter().position(|node| Some(node.name()) == model.selected.as_deref());
    let now = second(scene.now);
    scene.list(body, nodes.len(), selected, Highlight::focused(focused), |scene, row, place| {
        let node = nodes[row];
        let name = text::fit(node.name(), NAME_WIDTH, scene.symbols);
        let (taken, sent) = (node.received.rate(scene.now.t), node.sent.rate(scene.now.t));
        let (flow, _) = flow(node.status.role);
        let curve = devnet.traffic.rates.curve([node.name()], flow, window, now);
        let columns = usize::from(place.width).saturating_sub(NAME_WIDTH + 16);
        let line = Line::from(vec![
            Span::raw(format!(
                "{name:<NAME_WIDTH$} {:>6} {:>6}  ",
                text::rate(taken),
                text::rate(sent)
            )),
            Span::styled(small_curve(&plot::resample(&curve, columns), scene), scene.theme.link[1]),
        ]);
        scene.put(place, 0, line);
        Some(Target::Node(node.name().to_owned()))
    });
}

/// A curve a row high, to a scale of its own.
fn small_curve(values: &[Option<f64>], scene: &Scene<'_>) -> String {
    let top = values.iter().flatten().copied().fold(0.0, f64::max) * 1.25;
    let curve = scene.symbols.curve;
    let glyph = |value: &Option<f64>| match value {
        None => " ",
        Some(value) if top > 0.0 => curve[plot::steps(value / top, 1, curve).max(1) - 1],
        Some(_) => curve[0],
    };
    values.iter().map(glyph).collect()
}
