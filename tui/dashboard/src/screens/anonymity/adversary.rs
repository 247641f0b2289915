//! The adversary's view: the same network as somebody has it who sees links and nothing else; and, when
//! asked for, the truth beside it, which nobody has who watches.

mod board;
mod eyes;
mod one;
mod sending;
mod ticker;
mod truth;

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use vantage::Report;

use super::{padded, report};
use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::overlay::Overlay;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::text;

/// Rows of what says who watches.
const HEAD: u16 = 4;

/// One more where nodes work for who watches.
const WITH_NODES: u16 = 5;

/// Rows of what is known of one packet.
const ONE: u16 = 8;

/// Rows of the panes beside each other, as long as there is so much room below.
const BESIDE: u16 = SENDING + LEAST_TICKER;

/// Columns of the ticker.
const TICKER: u16 = 44;

/// Rows of whether somebody sends, and those that are left to the ticker at least.
const SENDING: u16 = 5;
const LEAST_TICKER: u16 = 4;

/// The view was opened: there is somebody to ask about.
pub(super) fn open(model: &mut Model) {
    let Some(live) = &mut model.live else { return };
    let victims = victims(live);
    if live.watch.vantage().looks_for().is_none()
        && let Some(victim) = victims.get(1).or(victims.last())
    {
        live.watch.look_for(victim);
    }
    if live.watch.vantage().watches().is_none()
        && let Some(client) = victims.first()
    {
        live.watch.ask_whether(client);
    }
}

/// An action of this view.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Reveal => {
            let view = &mut model.screens.anonymity;
            view.reveals = !view.reveals;
        }
        Action::NextObserver => return eyes::other(model, true),
        Action::PreviousObserver => return eyes::other(model, false),
        Action::MoreCorrupt => return eyes::corrupt(model, true),
        Action::LessCorrupt => return eyes::corrupt(model, false),
        Action::NextClient => other_client(model, true),
        Action::PreviousClient => other_client(model, false),
        Action::Attacks => model.overlays.push(Overlay::attacks(model)),
        Action::Down => other_victim(model, true),
        Action::Up => other_victim(model, false),
        Action::Back => super::toggle_adversary(model),
        Action::Copy => return super::copy(model),
        _ => {}
    }
    Vec::new()
}

/// Whom one can ask about: clients with a name, else all that send.
fn victims(devnet: &Devnet) -> Vec<String> {
    let clients: Vec<String> = devnet.clients().into_iter().map(str::to_owned).collect();
    if clients.is_empty() {
        devnet.watch.vantage().senders().into_iter().map(str::to_owned).collect()
    } else {
        clients
    }
}

/// Asks about somebody else. What was found out about the one before is forgotten.
fn other_victim(model: &mut Model, forward: bool) {
    let Some(live) = &mut model.live else { return };
    let victims = victims(live);
    let now = live.watch.vantage().looks_for();
    let at = victims.iter().position(|victim| Some(victim.as_str()) == now);
    let next = at.map_or(0, |at| turned(at, victims.len(), forward));
    let Some(victim) = victims.get(next).filter(|_| Some(next) != at) else { return };
    if live.watch.look_for(victim) {
        model.say(Tone::Good, format!("who writes to {victim}? the evidence begins now"));
    }
}

/// Asks about somebody else whether that one sends. What was found out about the one before is forgotten.
fn other_client(model: &mut Model, forward: bool) {
    let Some(live) = &mut model.live else { return };
    let clients = victims(live);
    let now = live.watch.vantage().watches();
    let at = clients.iter().position(|client| Some(client.as_str()) == now);
    let next = at.map_or(0, |at| turned(at, clients.len(), forward));
    let Some(client) = clients.get(next).filter(|_| Some(next) != at) else { return };
    if live.watch.ask_whether(client) {
        model.say(Tone::Good, format!("is {client} sending? the evidence begins now"));
    }
}

/// The one after, or before, around the ends.
fn turned(at: usize, count: usize, forward: bool) -> usize {
    let count = count.max(1);
    (at + if forward { 1 } else { count - 1 }) % count
}

/// Draws this view.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let report = report(devnet);
    let has_nodes = report.as_ref().is_some_and(|report| report.inside.is_some());
    let head = if has_nodes { WITH_NODES } else { HEAD };
    let [head, rest] = Layout::vertical([Constraint::Length(head), Constraint::Min(0)]).areas(area);
    draw_head(model, devnet, report.as_ref(), head, scene);
    let one = if rest.height >= ONE + BESIDE {
        ONE
    } else if rest.height > BESIDE + LEAST_TICKER {
        rest.height - BESIDE
    } else {
        rest.height / 2
    };
    let [upper, lower] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(one)]).areas(rest);
    let [board, right] = Layout::horizontal([
        Constraint::Min(0),
        Constraint::Length(TICKER.min(rest.width / 2 + 1)),
    ])
    .areas(upper);
    let sending = if upper.height >= BESIDE { SENDING } else { 0 };
    let [ticker, sending] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(sending)]).areas(right);
    let guess = report.as_ref().and_then(|report| report.guess.as_ref());
    board::draw(model, devnet, guess, board, scene);
    ticker::draw(devnet, ticker, scene);
    if sending.height > 0 {
        let told = report.as_ref().and_then(|report| report.sending.as_ref());
        sending::draw(told, sending, scene);
    }
    if model.screens.anonymity.reveals {
        truth::draw(devnet, report.as_ref(), lower, scene);
    } else {
        one::draw(devnet, lower, scene);
    }
}

/// Who watches, and what that one knows of the network as a whole.
fn draw_head(
    model: &Model,
    devnet: &Devnet,
    report: Option<&Report>,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let inner = padded(scene.pane(area, "The adversary's view: you see links, not packets", true));
    let vantage = devnet.watch.vantage();
    let room = usize::from(inner.width.saturating_sub(25));
    let long = vantage.who().words();
    let who = if text::width(&long) <= room { long } else { vantage.who().short() };
    let who = text::visible(&who, scene.symbols);
    let line = Line::from(vec![
        Span::styled("you are     ", scene.theme.muted),
        Span::styled(format!("somebody who {who}"), scene.theme.accent),
    ]);
    scene.put(inner, 0, line);
    let Some(report) = report else { return };
    let words = match &report.sender {
        Some(sender) => format!(
            "{} of {:.2} bits of a sender in {:.0} s; first guess right: {:.0} %",
            super::bits::bits(sender.bits),
            report.most_bits,
            report.watched_s,
            sender.top_share * 100.0
        ),
        None => format!(
            "{} packets that enter; nothing of who sent them",
            // A second is counted as soon as it was watched from its begin.
            text::per_second((report.watched_s >= 1.0).then_some(report.rate))
        ),
    };
    let line = Line::from(vec![Span::styled("you know    ", scene.theme.muted), Span::raw(words)]);
    scene.put(inner, 1, line);
    if let Some(inside) = &report.inside {
        let (name, words) = eyes::worth(inside);
        let name = Span::styled(format!("{name:<12}"), scene.theme.muted);
        let line = Line::from(vec![name, Span::raw(words)]);
        scene.put(inner, 2, line);
    }
    if !report.doubts.is_empty() {
        scene.edge_note(area, false, Line::styled("doubtful", scene.theme.warn));
    }
    let note = if model.screens.anonymity.reveals {
        Span::styled("the truth is shown: no observer has it", scene.theme.warn)
    } else {
        Span::styled(format!("{} shows the truth", scene.key(Action::Reveal)), scene.theme.muted)
    };
    scene.edge_note(area, true, Line::from(note));
}
