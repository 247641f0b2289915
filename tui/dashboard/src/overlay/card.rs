//! Everything about one process, with the end of its log.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Overlay;
use crate::action::Action;
use crate::describe::{self, Fact};
use crate::message::Effect;
use crate::model::Model;
use crate::motion::Motion;
use crate::scene::{Scene, centered};
use crate::screens::logs;
use crate::state::{Devnet, Node};
use crate::text;

/// Width of a card, where the terminal has it.
const WIDTH: u16 = 110;

/// Columns of a label.
const LABEL: usize = 10;

/// The card of a process.
#[derive(Debug)]
pub(crate) struct Card {
    /// Its name.
    pub(super) node: String,
    /// How many of the newest log lines are below the card's lower edge.
    pub(super) back: usize,
}

pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let page = model.page() / 2;
    let name = model.overlays.last().and_then(Overlay::node)?;
    let devnet = model.devnet();
    let lines = devnet.map_or(0, |devnet| devnet.logs.matching(Some(&name), "").count());
    if action == Action::Copy {
        let text = devnet.and_then(|devnet| devnet.node(&name)).map(copied)?;
        return Some(vec![Effect::Copy { text, what: format!("address and key of {name}") }]);
    }
    let Some(Overlay::Card(card)) = model.overlays.last_mut() else { return None };
    if action == Action::Close {
        model.overlays.pop();
        return Some(Vec::new());
    }
    let motion = Motion::of(action, page)?;
    // Rows count from the newest line upwards.
    let motion = match motion {
        Motion::By(rows) => Motion::By(-rows),
        Motion::First => Motion::Last,
        Motion::Last => Motion::First,
    };
    card.back = motion.from(card.back, lines);
    Some(Vec::new())
}

/// What copying a process gives: what a program needs to speak to it.
pub(crate) fn copied(node: &Node) -> String {
    let addresses = node.status.addresses.values().map(ToString::to_string);
    let keys = match &node.status.address {
        Some(address) => vec![address.clone()],
        None => node.status.public_keys.clone(),
    };
    addresses.chain(keys).collect::<Vec<_>>().join(" ")
}

impl Card {
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
        let top =
            Rect { y: inner.y.saturating_add(2), height: inner.height.saturating_sub(2), ..inner };
        let used = draw_facts(devnet, node, top, scene);
        let log =
            Rect { y: top.y.saturating_add(used), height: top.height.saturating_sub(used), ..top };
        self.draw_log(devnet, node, log, scene);
    }

    fn draw_log(&self, devnet: &Devnet, node: &Node, area: Rect, scene: &mut Scene<'_>) {
        if area.height < 2 {
            return;
        }
        let path = text::visible(&node.status.log_file.display().to_string(), scene.symbols);
        let line = Line::from(vec![
            Span::styled("log ", scene.theme.accent),
            Span::styled(path, scene.theme.muted),
        ]);
        scene.put(area, 0, line);
        let rows = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let lines: Vec<_> = devnet.logs.matching(Some(node.name()), "").collect();
        if lines.is_empty() {
            scene.nothing_yet(rows, "it has written nothing to its log yet");
            return;
        }
        let height = usize::from(rows.height);
        let end = lines.len().saturating_sub(self.back).max(height.min(lines.len()));
        let shown = &lines[end.saturating_sub(height)..end];
        for (row, entry) in (0..rows.height).zip(shown) {
            scene.put(rows, row, logs::line(entry, None, 0, scene));
        }
    }
}

/// Facts in columns. Returns the rows used.
fn draw_facts(devnet: &Devnet, node: &Node, area: Rect, scene: &mut Scene<'_>) -> u16 {
    let groups = [
        describe::packet_facts(node, scene),
        describe::process_facts(node, scene),
        describe::network_facts(devnet, node, scene),
    ];
    let narrow = area.width < 100;
    let widths = if narrow { [26, 34, 0] } else { [26, 32, area.width - 58] };
    let columns = if narrow { &groups[..2] } else { &groups[..] };
    let mut x = area.x;
    let mut used = 0;
    for (facts, width) in columns.iter().zip(widths) {
        let column = Rect { x, width: width.min(area.right().saturating_sub(x)), ..area };
        used = used.max(put_facts(facts, column, scene));
        x += width;
    }
    if narrow {
        let below = Rect {
            y: area.y.saturating_add(used),
            height: area.height.saturating_sub(used),
            ..area
        };
        used += put_facts(&groups[2], below, scene);
    }
    used + 1
}

fn put_facts(facts: &[Fact], area: Rect, scene: &mut Scene<'_>) -> u16 {
    let mut used = 0;
    for (row, fact) in (0..area.height).zip(facts) {
        let columns = usize::from(area.width).saturating_sub(LABEL + 2);
        let line = Line::from(vec![
            Span::styled(format!("{:<LABEL$} ", fact.label), scene.theme.muted),
            Span::raw(text::fit(&fact.value, columns, scene.symbols)),
        ]);
        scene.put(area, row, line);
        used = row + 1;
    }
    used
}
