//! Everything known of one message: its times, its way, its size.

use ratatui::text::{Line, Span};

use super::letter::{Look, sent_again};
use crate::state::Letter;
use crate::text;

/// Packets of which the details show the route; there is a screen for all of them.
const ROUTES: usize = 3;

/// Everything known of a message, in lines of this width. What matters most comes first.
pub(super) fn details(letter: &Letter, look: &Look<'_>) -> Vec<Line<'static>> {
    let muted = |words: String| Span::styled(words, look.theme.muted);
    let fact = |what: &str, value: String| vec![muted(format!("{what} ")), Span::raw(value)];
    let mut lines = Vec::new();
    let mut facts = Vec::new();
    if let Some(status) = &letter.status {
        let (glyph, word, style) = look.progress(status);
        facts.push(vec![Span::styled(format!("{glyph} {word}"), style)]);
        for (what, ms) in [
            ("left after", status.sent_ms),
            ("arrived after", status.delivered_ms),
            ("acknowledged after", status.acknowledged_ms),
        ] {
            facts.extend(ms.map(|ms| fact(what, text::millis(ms))));
        }
    }
    facts.extend(letter.arrival.as_ref().filter(|_| letter.status.is_none()).map(|arrival| {
        let client = text::visible(&arrival.client, look.symbols);
        fact("received by", format!("{client} at {}", text::clock_ms(arrival.unix_ms, look.zone)))
    }));
    lines.extend(flow(facts, "   ", look.columns));
    if let Some(status) = &letter.status {
        for packet in status.packets.iter().filter(|packet| !packet.route.is_empty()).take(ROUTES) {
            let to = look.devnet.letters.recipient(letter).unwrap_or(&status.to);
            let hops = packet.route.iter().map(String::as_str).chain([to]);
            let hop = |name: &str| {
                let arrow = muted(format!("{} ", look.symbols.hop));
                vec![arrow, Span::raw(text::visible(name, look.symbols))]
            };
            let from = text::visible(&status.from, look.symbols);
            let parts = [fact("route", from)].into_iter().chain(hops.map(hop)).collect();
            lines.extend(flow(parts, " ", look.columns));
        }
    }
    let mut facts = Vec::new();
    let size = format!("{} B", text::grouped(letter.body.bytes()));
    if let Some(status) = &letter.status {
        let packets = text::plural(status.packets.len(), "packet");
        let attempts: u32 = status.packets.iter().map(|packet| packet.attempts).sum();
        let acknowledged = status.packets.iter().filter(|packet| packet.acknowledged).count();
        facts.push(vec![Span::raw(format!("{size} in {packets}"))]);
        facts.push(vec![Span::raw(match (status.packets.len(), sent_again(status)) {
            _ if attempts == 0 => "not sent yet".to_owned(),
            (1, 0) => "sent once".to_owned(),
            (1, _) => format!("sent {attempts} times"),
            (_, again) => format!("sent {attempts}, {again} of them again"),
        })]);
        facts.push(vec![Span::raw(format!("{acknowledged} acknowledged"))]);
        let accepted = text::clock_ms(status.accepted_unix_ms, look.zone);
        facts.push(fact("accepted", accepted));
    } else {
        facts.push(vec![Span::raw(size)]);
    }
    facts.push(fact("id", text::visible(&letter.id, look.symbols)));
    lines.extend(flow(facts, "   ", look.columns));
    if letter.status.is_none() {
        let words = [
            "it does not say who sent it,".to_owned(),
            "and no client here has since the devnet was started".to_owned(),
        ];
        lines.extend(flow(words.map(|words| vec![muted(words)]).to_vec(), " ", look.columns));
    }
    if let (Some(from), Some(arrival)) = (letter.from(), &letter.arrival)
        && from != arrival.client
    {
        let client = text::visible(&arrival.client, look.symbols);
        let words = format!("{client} was not told who sent it; the supervisor hears both ends");
        lines.push(Line::from(muted(words)));
    }
    lines
}

/// Parts one after the other, in as many lines as they need. No part is torn.
fn flow(parts: Vec<Vec<Span<'static>>>, between: &str, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut line = Line::default();
    for part in parts {
        let width: usize = part.iter().map(Span::width).sum();
        if line.width() > 0 && line.width() + text::width(between) + width > columns {
            lines.push(std::mem::take(&mut line));
        }
        if line.width() > 0 {
            line.push_span(between.to_owned());
        }
        line.spans.extend(part);
    }
    if line.width() > 0 {
        lines.push(line);
    }
    lines
}
