//! Anonymity: how well the network hides who sent a packet, from whom, and what the knobs do about it. In
//! the adversary's view the same network is shown as an observer of its links has it.

mod adversary;
mod bits;
mod curve;
mod knobs;
mod pools;
mod turned;

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use vantage::{Report, WINDOW, Who};

pub(crate) use turned::{Knob, Turned};

use super::Screen;
use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::regions::Target;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::state::traffic::Window;
use crate::text;

/// From this size on pools have a pane of their own.
const WITH_POOLS: (u16, u16) = (110, 28);

/// Rows of the figures and the knobs, frame included.
const UPPER: u16 = 14;

/// Rows below which a curve says nothing.
const LEAST_CURVE: u16 = 5;

/// What this screen remembers.
#[derive(Debug)]
pub(crate) struct View {
    /// How far the curve goes back.
    window: Window,
    /// The knob that the keys turn.
    pub(crate) knob: Knob,
    /// Knobs that were turned and not applied.
    turned: Turned,
    /// Whether the adversary's view is shown, and from where.
    adversary: Option<Screen>,
    /// Whether the truth is shown beside it.
    reveals: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            window: Window::default(),
            knob: Knob::HopDelay,
            turned: Turned::default(),
            adversary: None,
            reveals: false,
        }
    }
}

impl View {
    /// Whether the adversary's view is shown.
    pub(crate) fn is_adversary(&self) -> bool {
        self.adversary.is_some()
    }

    /// Whether the truth is shown beside the guess.
    pub(crate) fn reveals(&self) -> bool {
        self.reveals
    }
}

/// Shows the adversary's view, or goes back to where it was opened.
pub(crate) fn toggle_adversary(model: &mut Model) {
    let from = model.screen;
    let back = model.screens.anonymity.adversary.take();
    if let Some(back) = back.filter(|_| from == Screen::Anonymity) {
        model.screen = back;
        return;
    }
    model.overlays.clear();
    model.screens.anonymity.adversary = Some(from);
    model.screen = Screen::Anonymity;
    adversary::open(model);
}

/// The screen was chosen by its key or its tab: the figures, not the adversary's view.
pub(crate) fn show_figures(model: &mut Model) {
    model.screens.anonymity.adversary = None;
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if model.screens.anonymity.is_adversary() {
        return adversary::act(model, action);
    }
    match action {
        Action::Window => {
            model.screens.anonymity.window = model.screens.anonymity.window.next();
        }
        Action::Left => turn(model, false),
        Action::Right => turn(model, true),
        Action::Apply => return apply(model),
        Action::Back => {
            let view = &mut model.screens.anonymity;
            if view.turned == Turned::default() {
                return Vec::new();
            }
            view.turned = Turned::default();
            model.say(Tone::Good, "the knobs are as the network is");
        }
        Action::Copy => return copy(model),
        _ => {
            let page = model.page();
            if let Some(motion) = Motion::of(action, page) {
                let view = &mut model.screens.anonymity;
                view.knob = motion::step(&Knob::ALL, Some(&view.knob), motion).unwrap_or(view.knob);
            }
        }
    }
    Vec::new()
}

/// The report as the programs have it.
fn copy(model: &mut Model) -> Vec<Effect> {
    let report = model.devnet().and_then(report);
    let json = report.and_then(|report| serde_json::to_string_pretty(&report).ok());
    super::copy_or_say(model, json, "the figures, as JSON", "there are no figures yet")
}

/// What the observer knows now.
pub(crate) fn report(devnet: &Devnet) -> Option<Report> {
    devnet.watch.vantage().report(WINDOW)
}

/// Turns a knob. Nothing of the network changes.
fn turn(model: &mut Model, up: bool) {
    let Some(live) = &model.live else { return };
    let view = &mut model.screens.anonymity;
    view.turned.turn(view.knob, &live.info, up);
}

/// Lets the nodes that work for the observer tell what they know.
pub(crate) fn confide(model: &Model) -> Vec<Effect> {
    let nodes = model.live.as_ref().map(|live| live.watch.accomplices()).unwrap_or_default();
    if nodes.is_empty() { Vec::new() } else { vec![Effect::Confide(nodes)] }
}

/// Makes the network as the knobs stand.
fn apply(model: &mut Model) -> Vec<Effect> {
    let turned = model.screens.anonymity.turned;
    let Some(wanted) = model.live.as_ref().map(|live| turned.wanted(live)) else {
        return Vec::new();
    };
    if wanted.is_empty() {
        model.say(Tone::Warning, "no knob was turned");
        return Vec::new();
    }
    let command = wanted.commands().map(|words| model.command(&words)).collect::<Vec<_>>();
    model.did(command.join(" && "));
    model.screens.anonymity.turned = Turned::default();
    vec![Effect::Change(Box::new(wanted))]
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: &Target) {
    if let Target::Knob(knob) = target {
        model.screens.anonymity.knob = *knob;
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    if model.screens.anonymity.is_adversary() {
        return adversary::draw(model, devnet, area, scene);
    }
    let Some(report) = report(devnet) else {
        // A devnet has come with a snapshot, which says what it is.
        let inner = scene.pane(area, "Anonymity", true);
        scene.nothing_yet(inner, "nothing is known of the network yet");
        return;
    };
    let upper = if area.height >= UPPER + LEAST_CURVE { UPPER } else { area.height };
    let [upper, lower] =
        Layout::vertical([Constraint::Length(upper), Constraint::Min(0)]).areas(area);
    let [figures, knobs] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(knobs::width(area.width))])
            .areas(upper);
    bits::draw(&report, figures, scene);
    knobs::draw(model, devnet, &report, knobs, scene);
    if lower.height < LEAST_CURVE {
        return;
    }
    if area.width >= WITH_POOLS.0 && area.height >= WITH_POOLS.1 {
        let [curve, pools] =
            Layout::horizontal([Constraint::Min(0), Constraint::Length(pools::WIDTH)]).areas(lower);
        curve::draw(model, devnet, &report, curve, scene);
        pools::draw(&report, pools, scene);
    } else {
        curve::draw(model, devnet, &report, lower, scene);
    }
}

/// A pane whose title says whose figures it has, and over how long, in as many words as there is room for. Returns its
/// inside.
fn pane(first: &str, who: &Who, window: &str, area: Rect, scene: &mut Scene<'_>) -> Rect {
    // Corners, and a space at either side.
    let room = usize::from(area.width.saturating_sub(4));
    let dot = scene.symbols.dot;
    let [long, short, brief] =
        [who.words(), who.short(), who.brief()].map(|who| text::visible(&who, scene.symbols));
    let whose = [&long, &short, &brief].map(|whose| format!(" {dot} {whose} {dot} {window}"));
    let fits = |rest: &String| text::width(first) + text::width(rest) <= room;
    let is_whole = whose.iter().any(fits);
    let rest = whose.into_iter().find(fits).unwrap_or_else(|| format!(" {dot} {window}"));
    let title = vec![
        Span::raw(text::fit(first, room, scene.symbols)),
        Span::styled(if fits(&rest) { rest } else { String::new() }, scene.theme.muted),
    ];
    let inner = padded(scene.pane(area, Line::from(title), false));
    if !is_whole {
        let brief = text::fit(&brief, room, scene.symbols);
        scene.edge_note(area, true, Line::styled(brief, scene.theme.muted));
    }
    inner
}

/// Over how long the figures are, in words: less than the window while there was less to watch, or since
/// somebody turned a knob.
fn watched(report: &Report) -> String {
    if let Some(changed) = &report.changed {
        format!("{:.0} s since {} changed", report.watched_s, changed.what)
    } else if report.watched_s + 1.0 < report.window_s {
        format!("{:.0} of {:.0} s", report.watched_s, report.window_s)
    } else {
        format!("{:.0} s", report.window_s)
    }
}

/// The inside of a pane with a column free at either side.
fn padded(inner: Rect) -> Rect {
    Rect { x: inner.x.saturating_add(1), width: inner.width.saturating_sub(2), ..inner }
}
