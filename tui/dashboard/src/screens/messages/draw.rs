//! How the Messages screen looks.

use control::{MessageState, MessageStatus, ReceivedMessage, State};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Pane, View};
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::Devnet;
use crate::text;

/// Columns of the lists of clients, where the terminal has them and where it has not.
const CLIENTS_WIDTH: u16 = 18;
const NARROW_CLIENTS_WIDTH: u16 = 14;

/// Bytes of a message that fit into one packet.
const BYTES_PER_PACKET: usize = 1589;

/// Draws this screen.
pub(crate) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.messages;
    let clients = if area.width < 100 { NARROW_CLIENTS_WIDTH } else { CLIENTS_WIDTH };
    let [left, right] =
        Layout::horizontal([Constraint::Length(clients), Constraint::Min(20)]).areas(area);
    let [from, to] =
        Layout::vertical([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(left);
    let [top, input] = Layout::vertical([Constraint::Min(3), Constraint::Length(3)]).areas(right);
    let detail = if top.height >= 16 { 6 } else { 4 };
    let wide = right.width >= 130;
    let (list, inbox) = if wide {
        let [list, inbox] =
            Layout::horizontal([Constraint::Min(60), Constraint::Length(38)]).areas(top);
        (list, inbox)
    } else {
        let inbox = (top.height / 4).max(3);
        let [list, inbox] =
            Layout::vertical([Constraint::Min(3), Constraint::Length(inbox)]).areas(top);
        (list, inbox)
    };
    let zoomed = |pane: Rect, focused: bool| scene.zoomed(area, pane, focused);
    let (from, to) = (zoomed(from, view.pane == Pane::From), zoomed(to, view.pane == Pane::To));
    let list = zoomed(list, view.pane == Pane::Sent);
    let (inbox, input) = (zoomed(inbox, false), zoomed(input, view.pane == Pane::Input));
    let (sender, recipient) = view.parties(devnet);
    draw_clients(view, devnet, Side::From(sender), from, scene);
    draw_clients(view, devnet, Side::To(recipient), to, scene);
    draw_letters(view, devnet, list, detail, scene);
    draw_inbox(devnet, recipient, inbox, scene);
    draw_input(model, sender, recipient, input, scene);
}

#[derive(Clone, Copy)]
enum Side<'a> {
    From(Option<&'a str>),
    To(Option<&'a str>),
}

fn draw_clients(view: &View, devnet: &Devnet, side: Side<'_>, area: Rect, scene: &mut Scene<'_>) {
    let (title, chosen, pane) = match side {
        Side::From(chosen) => ("from", chosen, Pane::From),
        Side::To(chosen) => ("to", chosen, Pane::To),
    };
    let focused = view.pane == pane;
    scene.regions.add(area, Target::Messages(pane));
    let inner = scene.pane(area, title, focused);
    let clients = devnet.clients();
    if clients.is_empty() {
        scene.nothing_yet(inner, "no named client");
        return;
    }
    let selected = clients.iter().position(|name| Some(*name) == chosen);
    scene.list(inner, clients.len(), selected, Highlight::focused(focused), |scene, row, place| {
        let name = clients[row];
        let cursor = if selected == Some(row) { scene.symbols.cursor } else { " " };
        let received = devnet.letters.inbox(name).count();
        let note = format!("{} {received}", scene.symbols.letter);
        let columns = usize::from(place.width).saturating_sub(text::width(&note) + 2);
        let name = text::fit(name, columns, scene.symbols);
        scene.put(place, 0, format!("{cursor}{name}"));
        scene.put_right(place, 0, Line::styled(note, scene.theme.muted));
        Some(match pane {
            Pane::From => Target::Sender(clients[row].to_owned()),
            _ => Target::Recipient(clients[row].to_owned()),
        })
    });
}

fn draw_letters(view: &View, devnet: &Devnet, area: Rect, detail: u16, scene: &mut Scene<'_>) {
    let focused = view.pane == Pane::Sent;
    scene.regions.add(area, Target::Messages(Pane::Sent));
    let inner = scene.pane(area, "Messages", focused);
    let letters: Vec<&MessageStatus> = devnet.letters.sent().collect();
    if letters.is_empty() {
        scene.nothing_yet(inner, "nothing sent yet: m writes a message");
        return;
    }
    let row = match &view.letter {
        None => letters.len() - 1,
        Some(id) => letters.iter().position(|letter| letter.id == *id).unwrap_or(0),
    };
    let detail = detail.min(inner.height.saturating_sub(2));
    let [rows, below] =
        Layout::vertical([Constraint::Min(1), Constraint::Length(detail)]).areas(inner);
    let names = devnet.clients().iter().map(|name| text::width(name)).max().unwrap_or(0);
    scene.list(rows, letters.len(), Some(row), Highlight::focused(focused), |scene, row, place| {
        draw_letter(devnet, letters[row], names, place, scene);
        Some(Target::Letter(letters[row].id.clone()))
    });
    draw_detail(devnet, letters[row], below, scene);
}

/// Columns of a state in words, and of a delay.
const STATE_WIDTH: usize = 12;
const DELAY_WIDTH: usize = 8;

/// How the recipient of a reply is called, which nobody knows; the id of the message that it answers
/// follows. The list has no room for that.
const SENDER_OF: &str = "the sender of ";

/// Below this width the list shows a state by its glyph alone; the details have the word.
const ROOM_FOR_WORDS: u16 = 56;

/// How far a message has come, in a word.
pub(crate) fn word(devnet: &Devnet, status: &MessageStatus) -> &'static str {
    let is_stored =
        !status.packets.is_empty() && status.packets.iter().all(|packet| packet.acknowledged);
    let sender = devnet.node(&status.from);
    match status.state {
        // Its sender keeps it until it can send.
        MessageState::Queued if sender.is_some_and(|node| node.status.state != State::Ready) => {
            "held"
        }
        // The provider has it, and the recipient is away.
        MessageState::Sent if is_stored => "stored",
        state => state.word(),
    }
}

/// Glyph, word and style of how far a message has come.
pub(crate) fn progress(
    devnet: &Devnet,
    status: &MessageStatus,
    scene: &Scene<'_>,
) -> (&'static str, &'static str, Style) {
    let [queued, sent, delivered, acknowledged, failed] = scene.symbols.message;
    let everything_stored =
        !status.packets.is_empty() && status.packets.iter().all(|packet| packet.acknowledged);
    let sender = devnet.node(&status.from);
    let (glyph, style) = match status.state {
        // Its sender keeps it until it can send.
        MessageState::Queued if sender.is_some_and(|node| node.status.state != State::Ready) => {
            return (queued, "held", scene.theme.warn);
        }
        MessageState::Queued => (queued, scene.theme.muted),
        // The provider has it, and the recipient is away.
        MessageState::Sent if everything_stored => return (sent, "stored", scene.theme.warn),
        MessageState::Sent => (sent, scene.theme.warn),
        MessageState::Delivered => (delivered, scene.theme.ok),
        MessageState::Acknowledged => (acknowledged, scene.theme.ok),
        MessageState::Failed => (failed, scene.theme.bad),
    };
    (glyph, status.state.word(), style)
}

/// The delay that says most about a message now.
fn delay(status: &MessageStatus) -> Option<f64> {
    match status.state {
        MessageState::Delivered | MessageState::Acknowledged => status.delivered_ms,
        MessageState::Queued | MessageState::Sent | MessageState::Failed => None,
    }
}

fn draw_letter(
    devnet: &Devnet,
    status: &MessageStatus,
    names: usize,
    place: Rect,
    scene: &mut Scene<'_>,
) {
    let (glyph, word, style) = progress(devnet, status, scene);
    let delay = delay(status).map_or_else(String::new, text::millis);
    let state = if place.width >= ROOM_FOR_WORDS {
        format!(" {glyph:<2} {word:<STATE_WIDTH$}")
    } else {
        format!(" {glyph:<2}")
    };
    let state = vec![Span::styled(state, style), Span::raw(format!("{delay:>DELAY_WIDTH$}"))];
    let left = scene.put_right(place, 0, Line::from(state));
    let party = |name: &str| {
        let name = text::fit(&text::visible(name, scene.symbols), names, scene.symbols);
        format!("{name:<names$}")
    };
    let head = format!(
        "{} {} {} {}  ",
        text::clock(status.accepted_unix_ms, scene.zone),
        party(&status.from),
        scene.symbols.hop,
        party(if status.to.starts_with(SENDER_OF) { "reply" } else { &status.to }),
    );
    let words = text::visible(&status.content.preview(), scene.symbols);
    let line = Line::from(vec![Span::styled(head, scene.theme.muted), Span::raw(words)]);
    scene.put(Rect { width: left, ..place }, 0, line);
}

/// Times, packets and routes of the selected message.
fn draw_detail(devnet: &Devnet, status: &MessageStatus, area: Rect, scene: &mut Scene<'_>) {
    if area.height == 0 {
        return;
    }
    let rule = scene.symbols.pane.horizontal_top.repeat(area.width.into());
    scene.put(area, 0, Line::styled(rule, scene.theme.muted));
    let (glyph, word, style) = progress(devnet, status, scene);
    let mut times = vec![Span::styled(format!("{glyph} {word}"), style)];
    for (what, ms) in [
        ("left", status.sent_ms),
        ("arrived", status.delivered_ms),
        ("acknowledged", status.acknowledged_ms),
    ] {
        if let Some(ms) = ms {
            times.push(Span::styled(format!("   {what} after "), scene.theme.muted));
            times.push(Span::raw(text::millis(ms)));
        }
    }
    // What keeps a message that was not sent yet is what keeps its sender.
    if let (MessageState::Queued, Some(sender)) = (status.state, devnet.node(&status.from))
        && sender.status.state != State::Ready
    {
        times.push(Span::styled(format!("   {}: ", status.from), scene.theme.muted));
        times.push(Span::raw(text::visible(&sender.status.reason, scene.symbols)));
    }
    scene.put(area, 1, Line::from(times));

    let packets = status.packets.len();
    let acknowledged = status.packets.iter().filter(|packet| packet.acknowledged).count();
    let attempts: u32 = status.packets.iter().map(|packet| packet.attempts).sum();
    let sent = match attempts {
        0 => "not sent yet".to_owned(),
        1 => "sent once".to_owned(),
        _ => format!("sent {attempts} times"),
    };
    let packets = text::plural(packets, "packet");
    let counts = format!("{} B in {packets}, {sent}, {acknowledged} acknowledged", status.bytes);
    scene.put(area, 2, counts);

    let mut row = 3;
    if let Some(error) = &status.error {
        let words = text::visible(error, scene.symbols);
        scene.put(area, row, Line::styled(words, scene.theme.bad));
        row += 1;
    }
    for (packet, rest) in status.packets.iter().zip(row..area.height) {
        let mut hops = vec![status.from.as_str()];
        hops.extend(packet.route.iter().map(String::as_str));
        hops.push(&status.to);
        let route = hops
            .iter()
            .map(|hop| text::visible(hop, scene.symbols))
            .collect::<Vec<_>>()
            .join(&format!(" {} ", scene.symbols.hop));
        if packet.route.is_empty() {
            continue;
        }
        let line = Line::from(vec![Span::styled("route ", scene.theme.muted), Span::raw(route)]);
        scene.put(area, rest, line);
    }
}

fn draw_inbox(devnet: &Devnet, client: Option<&str>, area: Rect, scene: &mut Scene<'_>) {
    let Some(client) = client else { return };
    let inner = scene.pane(area, format!("Inbox of {client}"), false);
    let inbox: Vec<&ReceivedMessage> = devnet.letters.inbox(client).collect();
    if inbox.is_empty() {
        scene.nothing_yet(inner, "nothing received yet");
        return;
    }
    let last = inbox.len() - 1;
    scene.list(inner, inbox.len(), Some(last), Highlight::None, |scene, row, place| {
        let message = inbox[row];
        let words = text::visible(&message.content.preview(), scene.symbols);
        let columns = usize::from(place.width).saturating_sub(10);
        let line = Line::from(vec![
            Span::styled(
                format!("{}  ", text::clock(message.unix_ms, scene.zone)),
                scene.theme.muted,
            ),
            Span::raw(text::fit(&words, columns, scene.symbols)),
        ]);
        scene.put(place, 0, line);
        None
    });
}

fn draw_input(
    model: &Model,
    from: Option<&str>,
    to: Option<&str>,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let view = &model.screens.messages;
    let focused = view.is_writing();
    scene.regions.add(area, Target::Messages(Pane::Input));
    let parties = match (from, to) {
        (Some(from), Some(to)) => format!("{from} {} {to}", scene.symbols.hop),
        _ => "no named client".to_owned(),
    };
    let inner = scene.pane(area, parties, focused);
    let value = view.input.value();
    if view.handing_over > 0 {
        let waiting = text::plural(view.handing_over, "message");
        let note = format!("{waiting} handed over, not accepted yet");
        scene.edge_note(area, false, Line::styled(note, scene.theme.warn));
    }
    if focused {
        let packets = value.len().div_ceil(BYTES_PER_PACKET).max(1);
        let note = format!("{} B, {}", value.len(), text::plural(packets, "packet"));
        scene.edge_note(area, true, Line::styled(note, scene.theme.muted));
    }
    let prompt = format!("{} ", scene.symbols.prompt);
    let columns = usize::from(inner.width).saturating_sub(text::width(&prompt) + 1);
    let scroll = view.input.visual_scroll(columns);
    let hint = match (focused, model.settings.read_only) {
        (_, true) if model.playback.is_some() => "a recording: nothing can be sent from here",
        (_, true) => "read-only: messages cannot be sent from here",
        (true, _) => "type a message; enter sends it",
        (false, _) => "m writes a message",
    };
    let (words, style) = if value.is_empty() {
        (hint.to_owned(), scene.theme.muted)
    } else {
        let words = text::visible(value, scene.symbols);
        (text::skip(&words, scroll).to_owned(), Style::new())
    };
    let line = Line::from(vec![
        Span::styled(prompt.clone(), scene.theme.accent),
        Span::styled(words, style),
    ]);
    scene.put(inner, 0, line);
    if focused && inner.height > 0 {
        let at = text::width(&prompt) + view.input.visual_cursor().saturating_sub(scroll);
        let at = u16::try_from(at).unwrap_or(u16::MAX).min(inner.width.saturating_sub(1));
        scene.cursor = Some((inner.x + at, inner.y).into());
    }
}
