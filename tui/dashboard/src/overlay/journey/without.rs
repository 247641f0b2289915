//! What is shown of a message whose packets nobody told of: why that is, and what is known all the same.

use control::{MessageState, State};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::View;
use crate::scene::Scene;
use crate::text;

pub(super) fn draw(view: &View<'_>, area: Rect, scene: &mut Scene<'_>) {
    let mut rows: Vec<(String, Style)> = Vec::new();
    for words in why(view) {
        rows.push((words, Style::new()));
        rows.push((String::new(), Style::new()));
    }
    for words in known(view, scene) {
        rows.push((words, scene.theme.muted));
    }
    let columns = usize::from(area.width);
    let lines = rows.into_iter().flat_map(|(words, style)| {
        let rows = text::wrap(&text::visible(&words, scene.symbols), columns);
        rows.into_iter().map(move |row| Line::styled(row, style))
    });
    for (row, line) in (0..area.height).zip(lines.collect::<Vec<_>>()) {
        scene.put(area, row, line);
    }
}

/// Why there is no journey, and what to do about it.
fn why(view: &View<'_>) -> Vec<String> {
    let info = &view.devnet.info;
    if !info.trace {
        return vec![
            "Tracing is off: no node tells what it saw of a single packet, as in a network for real \
             use. So nobody can put this message's way together, this dashboard neither."
                .to_owned(),
            "To see journeys, start a devnet with `nym-devnet up --trace on`.".to_owned(),
        ];
    }
    let sender = view.letter.and_then(|letter| view.devnet.node(&letter.from));
    match view.letter.map(|letter| letter.state) {
        Some(MessageState::Queued) if sender.is_some_and(|it| it.status.state != State::Ready) => {
            let reason = sender.map_or("", |sender| sender.status.reason.as_str());
            vec![format!(
                "No packet of it has left: its sender cannot send now ({reason}). It is kept on disk \
                 and goes as soon as there is a route."
            )]
        }
        Some(MessageState::Queued) => vec![format!(
            "No packet of it has left. A client sends at random moments, every {} on average, \
             whether there is something to say or not; a message waits for its turn.",
            text::millis(info.slot_ms)
        )],
        Some(MessageState::Sent) => {
            vec!["Its packets have left; no node has told of them yet.".to_owned()]
        }
        _ => vec![
            "The records of its packets are gone: only those of the latest messages are kept. A \
             message that is sent now can be followed."
                .to_owned(),
        ],
    }
}

/// What the message itself says.
fn known(view: &View<'_>, scene: &Scene<'_>) -> Vec<String> {
    let Some(letter) = view.letter else { return Vec::new() };
    let mut rows = Vec::new();
    for (what, ms) in [
        ("first packet sent after", letter.sent_ms),
        ("delivered after", letter.delivered_ms),
        ("acknowledged after", letter.acknowledged_ms),
    ] {
        rows.extend(ms.map(|ms| format!("{what} {}", text::millis(ms))));
    }
    for (index, packet) in letter.packets.iter().enumerate() {
        if packet.route.is_empty() {
            continue;
        }
        let names = std::iter::once(&letter.from).chain(&packet.route).chain([&letter.to]);
        let names: Vec<String> = names.map(|name| text::visible(name, scene.symbols)).collect();
        let route = names.join(&format!(" {} ", scene.symbols.hop));
        let again = match packet.attempts {
            0 | 1 => String::new(),
            attempts => format!(" (attempt {attempts})"),
        };
        rows.push(format!("packet {}{again}: {route}", index + 1));
    }
    rows.extend(letter.error.as_ref().map(|error| text::visible(error, scene.symbols)));
    rows
}
