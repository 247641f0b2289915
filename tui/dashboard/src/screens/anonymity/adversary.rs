//! The adversary's view: the same network as somebody has it who sees links and nothing else; and, when
//! asked for, the truth beside it, which nobody has who watches.

mod board;
mod one;
mod ticker;
mod truth;

use std::collections::BTreeSet;

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use vantage::Who;

use super::{padded, report};
use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::scene::Scene;
use crate::state::Devnet;
use crate::text;

/// Rows of what says who watches.
const HEAD: u16 = 4;

/// Rows of what is known of one packet.
const ONE: u16 = 8;

/// Columns of the ticker.
const TICKER: u16 = 44;

/// The view was opened: there is somebody to ask about.
pub(super) fn open(model: &mut Model) {
    let Some(live) = &mut model.live else { return };
    if live.watch.vantage().looks_for().is_none()
        && let Some(victim) = victims(live).into_iter().nth(1).or_else(|| victims(live).pop())
    {
        live.watch.look_for(&victim);
    }
}

/// An action of this view.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Reveal => {
            let view = &mut model.screens.anonymity;
            view.reveals = !view.reveals;
        }
        Action::NextObserver => other_eyes(model, true),
        Action::PreviousObserver => other_eyes(model, false),
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

/// The one after, or before, around the ends.
fn turned(at: usize, count: usize, forward: bool) -> usize {
    let count = count.max(1);
    (at + if forward { 1 } else { count - 1 }) % count
}

/// Who can watch: all links; the same with one provider that tells; or one link of the one who is asked about.
fn observers(devnet: &Devnet) -> Vec<Who> {
    use contract::Role;
    let names = |role: Role| {
        let nodes = devnet.nodes.iter().filter(move |node| node.status.role == role);
        nodes.map(|node| (node.name().to_owned(), node.status.layer))
    };
    let mut observers = vec![Who::default()];
    let curious = names(Role::Provider).map(|(provider, _)| Who::All {
        mixes: BTreeSet::new(),
        providers: BTreeSet::from([provider]),
    });
    observers.extend(curious);
    if let Some(victim) = devnet.watch.vantage().looks_for() {
        let entries = names(Role::Mixnode).filter(|(_, layer)| *layer == Some(1));
        observers.extend(entries.map(|(mix, _)| Who::Link(victim.to_owned(), mix)));
    }
    observers
}

fn other_eyes(model: &mut Model, forward: bool) {
    let Some(live) = &mut model.live else { return };
    let observers = observers(live);
    let at = observers.iter().position(|who| who == live.watch.vantage().who()).unwrap_or(0);
    let Some(who) = observers.get(turned(at, observers.len(), forward)).cloned() else { return };
    let words = who.words();
    if live.watch.become_who(who) {
        model.say(Tone::Good, format!("you are somebody who {words}"));
    } else {
        model.say(Tone::Warning, "the observer has not heard of that node yet");
    }
}

/// Draws this view.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let [head, rest] = Layout::vertical([Constraint::Length(HEAD), Constraint::Min(0)]).areas(area);
    draw_head(model, devnet, head, scene);
    let one = if rest.height >= ONE * 2 { ONE } else { rest.height / 2 };
    let [upper, lower] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(one)]).areas(rest);
    let [board, ticker] = Layout::horizontal([
        Constraint::Min(0),
        Constraint::Length(TICKER.min(rest.width / 2 + 1)),
    ])
    .areas(upper);
    board::draw(model, devnet, board, scene);
    ticker::draw(devnet, ticker, scene);
    if model.screens.anonymity.reveals {
        truth::draw(devnet, lower, scene);
    } else {
        one::draw(devnet, lower, scene);
    }
}

/// Who watches, and what that one knows of the network as a whole.
fn draw_head(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let inner = padded(scene.pane(area, "The adversary's view: you see links, not packets", true));
    let vantage = devnet.watch.vantage();
    let who = text::visible(&vantage.who().words(), scene.symbols);
    let line = Line::from(vec![
        Span::styled("you are     ", scene.theme.muted),
        Span::styled(format!("somebody who {who}"), scene.theme.accent),
    ]);
    scene.put(inner, 0, line);
    let Some(report) = report(devnet) else { return };
    let words = match &report.sender {
        Some(sender) => format!(
            "{} of {:.2} bits of a sender in {}; first guess right: {:.0} %",
            super::bits::bits(sender.bits),
            report.most_bits,
            super::watched(&report),
            sender.top_share * 100.0
        ),
        None => format!(
            "{} packets/s that enter; nothing of who sent them",
            text::rate(Some(report.rate))
        ),
    };
    let line = Line::from(vec![Span::styled("you know    ", scene.theme.muted), Span::raw(words)]);
    scene.put(inner, 1, line);
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
