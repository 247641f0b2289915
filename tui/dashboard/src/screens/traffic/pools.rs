//! How many packets wait at each mixnode, beside how many should by Little's law: packets per second
//! times mean delay.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{foot, padded, plot};
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::traffic::{AVERAGED, Level, Pool, second};
use crate::state::{Devnet, Node};
use crate::text;

/// Columns of a name.
const NAME: u16 = 11;

/// Columns of the two numbers and the word.
const NUMBERS: u16 = 20;

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    area: Rect,
    focused: bool,
    scene: &mut Scene<'_>,
) {
    let inner = padded(scene.pane(area, "Pool per mixnode", focused));
    let rows = rows(devnet, scene);
    let law = if scene.symbols.unicode { "λ·θ" } else { "rate x delay" };
    let compared = format!("{AVERAGED} s average against {law}");
    scene.edge_note(area, false, Line::styled(compared, scene.theme.muted));
    let now = second(scene.now);
    let begins = devnet.traffic.pools.since(now);
    if begins > now {
        let words = format!("the delays were changed: pools settle for {} s", begins - now);
        scene.nothing_yet(inner, &words);
        return;
    }
    if rows.iter().all(|(_, pool)| pool.is_none()) {
        scene.nothing_yet(
            inner,
            "no mixnode has told yet how many packets wait: each does once a second",
        );
        return;
    }
    let (list, below) = foot(inner, u16::from(inner.height > 3));
    let (head, list) = {
        let (list, rest) = (Rect { height: list.height.min(1), ..list }, list);
        (list, Rect { y: rest.y + list.height, height: rest.height - list.height, ..rest })
    };
    let words = format!("{:>5} {:>5}        ", "pool", law_short(scene));
    scene.put_right(head, 0, Line::styled(words, scene.theme.muted));
    let most = rows.iter().flat_map(|(_, pool)| {
        pool.iter().flat_map(|pool| [pool.waiting, pool.expected.unwrap_or(0.0)])
    });
    let top = plot::axis_end(most.fold(0.0, f64::max));
    let selected = rows.iter().position(|(node, _)| Some(node.name()) == model.selected.as_deref());
    let highlight = Highlight::focused(focused);
    scene.list(list, rows.len(), selected, highlight, |scene, row, place| {
        let (node, waiting) = &rows[row];
        draw_row(node, *waiting, top, place, scene);
        Some(Target::Node(node.name().to_owned()))
    });
    let (words, style) = meaning(&rows, scene);
    scene.put(below, 0, Line::styled(text::fit(&words, below.width.into(), scene.symbols), style));
}

fn law_short(scene: &Scene<'_>) -> &'static str {
    if scene.symbols.unicode { "λ·θ" } else { "r x d" }
}

/// Every mixnode with its pool.
fn rows<'d>(devnet: &'d Devnet, scene: &Scene<'_>) -> Vec<(&'d Node, Option<Pool>)> {
    let now = second(scene.now);
    let pools = &devnet.traffic.pools;
    let since = pools.since(now);
    let mixnodes = devnet.nodes.iter().filter(|node| node.status.role == Role::Mixnode);
    mixnodes
        .map(|node| {
            let rate = devnet.traffic.rates.mean(node.name(), since, now);
            let hop_delay = devnet.info.hop_delay_ms / 1000.0;
            (node, pools.pool(node.name(), now, rate, hop_delay))
        })
        .collect()
}

fn draw_row(node: &Node, pool: Option<Pool>, top: f64, place: Rect, scene: &mut Scene<'_>) {
    let name = text::fit(node.name(), usize::from(NAME) - 1, scene.symbols);
    scene.put(Rect { width: NAME.min(place.width), ..place }, 0, Line::from(name));
    let Some(pool) = pool else {
        scene.put_right(place, 0, Line::from(format!("{:>5} {:>5}        ", "-", "-")));
        return;
    };
    let (word, style) = match pool.level {
        Level::Unknown => (text::UNKNOWN, scene.theme.muted),
        Level::AsExpected => ("ok", scene.theme.ok),
        Level::High => ("high", scene.theme.bad),
        Level::Low => ("low", scene.theme.warn),
    };
    let number = |packets: f64| {
        if packets < 99.95 { format!("{packets:.1}") } else { format!("{packets:.0}") }
    };
    let expected = pool.expected.map_or_else(|| text::UNKNOWN.into(), number);
    let numbers = Line::from(vec![
        Span::raw(format!("{:>5} {expected:>5}  ", number(pool.waiting))),
        Span::styled(format!("{word:<6}"), style),
    ]);
    scene.put_right(place, 0, numbers);
    let bar = Rect {
        x: place.x.saturating_add(NAME),
        width: place.width.saturating_sub(NAME + NUMBERS),
        ..place
    };
    let style = if pool.level == Level::High { scene.theme.bad } else { scene.theme.link[1] };
    plot::bar(scene, bar, pool.waiting / top, pool.expected.map(|expected| expected / top), style);
}

/// What is far off, and what that means.
fn meaning(rows: &[(&Node, Option<Pool>)], scene: &Scene<'_>) -> (String, ratatui::style::Style) {
    let of = |level| {
        rows.iter().find(|(_, pool)| pool.is_some_and(|pool| pool.level == level)).map(|row| row.0)
    };
    if let Some(node) = of(Level::High) {
        let words = format!("{}: packets wait longer than asked", node.name());
        return (words, scene.theme.bad);
    }
    if let Some(node) = of(Level::Low) {
        let words = format!("{}: packets wait less than asked", node.name());
        return (words, scene.theme.warn);
    }
    let mark = if scene.symbols.unicode { "┃" } else { "|" };
    (format!("{mark} should wait: rate times mean delay"), scene.theme.muted)
}
