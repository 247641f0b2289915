//! How the Messages screen looks.

use contract::MESSAGE_BYTES_PER_PACKET;
use control::State;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::conversation;
use super::details::details;
use super::letter::Look;
use super::{Pane, View};
use crate::action::Action;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::screens;
use crate::state::{Devnet, Inbox, Letter};
use crate::text;

/// Columns of the lists of clients, where the terminal has them and where it has not.
const CLIENTS_WIDTH: u16 = 20;
const NARROW_CLIENTS_WIDTH: u16 = 16;

/// Rows that the text that is typed takes at most, and rows that it leaves to the conversation.
const MAX_COMPOSER_ROWS: u16 = 8;
const MIN_CONVERSATION_ROWS: u16 = 8;

/// What lies where on this screen.
pub(super) struct Frame {
    from: Rect,
    to: Rect,
    conversation: Rect,
    /// Inside of the conversation: its messages …
    pub(super) rows: Rect,
    /// … and what is known of the selected one.
    detail: Rect,
    lines: Vec<Line<'static>>,
    composer: Rect,
}

/// Where this screen is, while no frame is drawn.
pub(super) fn area(model: &Model) -> Rect {
    screens::area(model)
}

/// Columns in which the text that is typed is shown: without its prompt, and with a place for the
/// cursor behind it.
pub(super) fn composer_columns(model: &Model) -> usize {
    let area = area(model);
    let [_, right] = halves(area);
    columns_of(if model.is_zoomed() { area } else { right })
}

fn columns_of(composer: Rect) -> usize {
    usize::from(composer.width).saturating_sub(5).max(1)
}

fn halves(area: Rect) -> [Rect; 2] {
    let clients = if area.width < 100 { NARROW_CLIENTS_WIDTH } else { CLIENTS_WIDTH };
    Layout::horizontal([Constraint::Length(clients), Constraint::Min(20)]).areas(area)
}

impl Frame {
    pub(super) fn new(model: &Model, devnet: &Devnet, area: Rect) -> Self {
        let view = &model.screens.messages;
        let [left, right] = halves(area);
        let [from, to] =
            Layout::vertical([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(left);
        let typed = view.composer.page(columns_of(right), model.symbols()).rows.len();
        let most = right.height.saturating_sub(MIN_CONVERSATION_ROWS + 2).min(MAX_COMPOSER_ROWS);
        let typed = u16::try_from(typed).unwrap_or(u16::MAX).min(most).max(1);
        let [conversation, composer] =
            Layout::vertical([Constraint::Min(3), Constraint::Length(typed + 2)]).areas(right);
        let zoomed = |pane: Rect, name: Pane| match (model.is_zoomed(), view.pane == name) {
            (false, _) => pane,
            (true, true) => area,
            (true, false) => Rect { width: 0, height: 0, ..area },
        };
        let (from, to) = (zoomed(from, Pane::From), zoomed(to, Pane::To));
        let conversation = zoomed(conversation, Pane::Sent);
        let composer = zoomed(composer, Pane::Input);
        let inner = Rect {
            x: conversation.x + 1,
            y: conversation.y + 1,
            width: conversation.width.saturating_sub(2),
            height: conversation.height.saturating_sub(2),
        };
        let mut frame = Self {
            from,
            to,
            conversation,
            rows: inner,
            detail: Rect { height: 0, ..inner },
            lines: Vec::new(),
            composer,
        };
        if let Some(letter) = view.chosen(Some(devnet)) {
            frame.lines = details(letter, &frame.look(model, devnet));
            let rows = u16::try_from(frame.lines.len()).unwrap_or(u16::MAX).saturating_add(1);
            // The conversation keeps half.
            let rows = rows.min(inner.height / 2);
            let [above, below] =
                Layout::vertical([Constraint::Min(0), Constraint::Length(rows)]).areas(inner);
            (frame.rows, frame.detail) = (above, below);
        }
        frame
    }

    pub(super) fn look<'a>(&self, model: &'a Model, devnet: &'a Devnet) -> Look<'a> {
        let (own, _) = model.screens.messages.parties(devnet);
        Look {
            devnet,
            theme: model.theme(),
            symbols: model.symbols(),
            zone: &model.settings.zone,
            keymap: &model.settings.keymap,
            own: own.unwrap_or_default(),
            columns: self.rows.width.into(),
        }
    }
}

/// Draws this screen.
pub(crate) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.messages;
    let frame = Frame::new(model, devnet, area);
    let (sender, recipient) = view.parties(devnet);
    draw_clients(view, devnet, Side::From(sender), frame.from, scene);
    draw_clients(view, devnet, Side::To(recipient), frame.to, scene);
    draw_conversation(model, devnet, &frame, scene);
    draw_composer(model, devnet, frame.composer, scene);
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
        scene.nothing_yet(inner, "no client");
        return;
    }
    // Below the upper list, which stands for both.
    if pane == Pane::From {
        let words = format!("{} new/all", scene.symbols.letter);
        scene.edge_note(area, true, Line::styled(words, scene.theme.muted));
    }
    let selected = clients.iter().position(|name| Some(*name) == chosen);
    scene.list(inner, clients.len(), selected, Highlight::focused(focused), |scene, row, place| {
        let name = clients[row];
        let cursor = if selected == Some(row) { scene.symbols.cursor } else { " " };
        let Inbox { all, new } = devnet.letters.inbox(name);
        let (note, style) = match new {
            0 => (format!("{} {all}", scene.symbols.letter), scene.theme.muted),
            _ => (format!("{} {new}/{all}", scene.symbols.letter), scene.theme.title),
        };
        let left = scene.put_right(place, 0, Line::styled(note, style));
        let mut spans = vec![Span::raw(cursor)];
        if let Some(node) = devnet.node(name) {
            let mark = devnet.health(node, scene.now).mark;
            spans.push(Span::styled(scene.symbols.mark(mark), scene.theme.mark(mark)));
        }
        let columns = usize::from(left).saturating_sub(4);
        spans.push(Span::raw(format!(" {}", text::fit(name, columns, scene.symbols))));
        scene.put(Rect { width: left, ..place }, 0, Line::from(spans));
        Some(match pane {
            Pane::From => Target::Sender(name.to_owned()),
            _ => Target::Recipient(name.to_owned()),
        })
    });
}

fn draw_conversation(model: &Model, devnet: &Devnet, frame: &Frame, scene: &mut Scene<'_>) {
    let view = &model.screens.messages;
    let focused = view.pane == Pane::Sent;
    scene.regions.add(frame.conversation, Target::Messages(Pane::Sent));
    let (from, to) = view.parties(devnet);
    let title = match (from, to) {
        (Some(from), Some(to)) if from == to => format!("{from} to itself"),
        (Some(from), Some(to)) => format!("{from} and {to}"),
        _ => "Messages".to_owned(),
    };
    scene.pane(frame.conversation, title, focused);
    let letters: Vec<&Letter> = view.conversation(devnet).collect();
    if letters.is_empty() {
        let sentence = match (from, to) {
            (None, _) => "no named client: nym-devnet add client makes one".to_owned(),
            (Some(from), Some(to)) if !model.settings.read_only => {
                let key = scene.key(Action::Write);
                format!("nothing sent yet: {key} writes from {from} to {to}")
            }
            _ => "nothing sent yet".to_owned(),
        };
        scene.nothing_yet(frame.rows, &sentence);
        return;
    }
    let all = letters.len();
    let count = text::plural(all, "message");
    let note = match view.letter {
        None => format!("{count}, the newest"),
        Some(_) => format!("{count}, {} to the newest", scene.key(Action::Last)),
    };
    scene.edge_note(frame.conversation, false, Line::styled(note, scene.theme.muted));
    let look = frame.look(model, devnet);
    let height = usize::from(frame.rows.height);
    let mut y = frame.rows.y;
    let selection = conversation::held(view, &letters);
    let block =
        |index: usize| look.block(letters[index], view.unfolded.contains(&letters[index].id));
    for shown in selection.window(all, height, block, |block| block.rows.len()) {
        let is_selected = selection.index(all) == Some(shown.index);
        for (row, line) in shown.block.rows.into_iter().enumerate().skip(shown.above) {
            if y >= frame.rows.bottom() {
                break;
            }
            let place = Rect { y, height: 1, ..frame.rows };
            scene.put(place, 0, line);
            if row == 0 {
                scene.put_right(place, 0, shown.block.state.clone());
            }
            if is_selected && (row == 0 || row == shown.above) {
                scene.put(place, 0, scene.symbols.cursor);
                let head = u16::try_from(shown.block.head).unwrap_or(u16::MAX).saturating_sub(2);
                let head = Rect { width: head.min(place.width), ..place };
                scene.select(head, Highlight::focused(focused));
            }
            scene.regions.add(place, Target::Letter(letters[shown.index].id.clone()));
            y += 1;
        }
    }
    if frame.detail.height > 0 {
        let rule = scene.symbols.pane.horizontal_top.repeat(frame.detail.width.into());
        scene.put(frame.detail, 0, Line::styled(rule, scene.theme.muted));
        for (row, line) in (1..).zip(&frame.lines) {
            scene.put(frame.detail, row, line.clone());
        }
    }
}

fn draw_composer(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.messages;
    let focused = view.is_writing();
    scene.regions.add(area, Target::Messages(Pane::Input));
    let (from, to) = view.parties(devnet);
    let parties = match (from, to) {
        (Some(from), Some(to)) => format!("{from} {} {to}", scene.symbols.hop),
        _ => "no named client".to_owned(),
    };
    let inner = scene.pane(area, parties, focused);
    let room = area.width / 2;
    let note = if view.handing_over > 0 {
        let waiting = text::plural(view.handing_over, "message");
        Some(format!("{waiting} handed over, not accepted yet"))
    } else {
        let sender = from.and_then(|from| devnet.node(from));
        sender.filter(|node| node.status.state != State::Ready).map(|node| {
            let reason = text::visible(&node.status.reason, scene.symbols);
            format!("{} {}: {reason}", node.name(), node.status.state.phrase())
        })
    };
    if let Some(note) = note {
        let note = text::fit(&note, room.into(), scene.symbols);
        scene.edge_note(area, false, Line::styled(note, scene.theme.warn));
    }
    let typed = view.composer.text();
    if focused || !typed.is_empty() {
        let packets = view.composer.packets();
        let (bytes, room) = (typed.len(), packets * MESSAGE_BYTES_PER_PACKET);
        let (bytes, room) = (text::grouped(bytes), text::grouped(room));
        let note = format!("{bytes} of {room} B, {}", text::plural(packets, "packet"));
        scene.edge_note(area, true, Line::styled(note, scene.theme.muted));
    }
    let prompt = format!("{} ", scene.symbols.prompt);
    let indent = u16::try_from(text::width(&prompt)).unwrap_or(u16::MAX);
    scene.put(inner, 0, Line::styled(prompt, scene.theme.accent));
    let inside = Rect {
        x: inner.x + indent.min(inner.width),
        width: inner.width.saturating_sub(indent),
        ..inner
    };
    let page = view.composer.page(columns_of(area), scene.symbols);
    let first = page.row.saturating_sub(usize::from(inside.height).saturating_sub(1));
    if typed.is_empty() {
        let hint = match (focused, model.settings.read_only) {
            (_, true) if model.playback.is_some() => {
                "a recording: nothing can be sent from here".to_owned()
            }
            (_, true) => "read-only: messages cannot be sent from here".to_owned(),
            (true, _) => {
                let [send, new_line] = [Action::Send, Action::NewLine].map(|key| scene.key(key));
                format!("type a message; {send} sends it, {new_line} begins a new line")
            }
            (false, _) => format!("{} writes a message", scene.key(Action::Write)),
        };
        scene.put(inside, 0, Line::styled(hint, scene.theme.muted));
    } else {
        let style = if focused { Style::new() } else { scene.theme.muted };
        for (row, words) in (0..inside.height).zip(page.rows.iter().skip(first)) {
            scene.put(inside, row, Line::styled(words.trim_end().to_owned(), style));
        }
    }
    if focused && inside.height > 0 && inside.width > 0 {
        let row = u16::try_from(page.row - first).unwrap_or(u16::MAX);
        let column = u16::try_from(page.column).unwrap_or(u16::MAX).min(inside.width - 1);
        scene.cursor = Some((inside.x + column, inside.y + row).into());
    }
}
