//! Traffic: rates over time, what the packets are, how long they take, how many wait, and where they
//! are lost.

mod delays;
pub(crate) mod history;
mod losses;
pub(super) mod plot;
mod pools;
mod rates;
mod share;

use contract::Role;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::state::traffic::Window;
use history::Recall;

/// From this size on all panes are shown at once.
const ALL_AT_ONCE: (u16, u16) = (100, 28);

/// With fewer rows there is room for one pane.
const TWO_PANES: u16 = 17;

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Packets per second over time.
    #[default]
    Rates,
    /// What the packets are.
    Share,
    /// How long they take.
    Delays,
    /// How many wait at each mixnode.
    Pools,
    /// Where they are given up.
    Losses,
}

impl Pane {
    /// All of them, in the order of Tab.
    pub(crate) const ALL: [Self; 5] =
        [Self::Rates, Self::Share, Self::Delays, Self::Pools, Self::Losses];

    /// Its title.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Rates => "Rates",
            Self::Share => "Packets",
            Self::Delays => "Delay",
            Self::Pools => "Pools",
            Self::Losses => "Losses",
        }
    }

    /// The one so many places further.
    fn step(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What this screen remembers.
#[derive(Debug)]
pub(crate) struct View {
    /// The pane that has the keys.
    pub(crate) pane: Pane,
    /// What is shown below the rates where there is room for one more.
    below: Pane,
    /// How far back it looks.
    pub(crate) window: Window,
    /// What became of the directory's history.
    pub(crate) recall: Recall,
}

impl Default for View {
    fn default() -> Self {
        Self {
            pane: Pane::Rates,
            below: Pane::Delays,
            window: Window::default(),
            recall: Recall::default(),
        }
    }
}

impl View {
    fn focus(&mut self, pane: Pane) {
        self.pane = pane;
        if pane != Pane::Rates {
            self.below = pane;
        }
    }
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let view = &mut model.screens.traffic;
    match action {
        Action::NextPane => view.focus(view.pane.step(1)),
        Action::PreviousPane => view.focus(view.pane.step(Pane::ALL.len() - 1)),
        Action::Window => view.window = view.window.next(),
        Action::Open => match model.selected_node().map(|node| node.name().to_owned()) {
            Some(name) => model.overlays.push(Overlay::card(name)),
            None => model.say(Tone::Warning, "select a node first"),
        },
        Action::Copy => return super::nodes::copy(model),
        // Out of the selection: the rates are those of the layers again.
        Action::Back => model.selected = None,
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                let names = names(model);
                model.selected = motion::step(&names, model.selected.as_ref(), motion);
            }
        }
    }
    Vec::new()
}

/// What can be selected in the pane that has the keys.
fn names(model: &Model) -> Vec<String> {
    let Some(devnet) = model.devnet() else { return Vec::new() };
    let view = &model.screens.traffic;
    let mixnodes = |role| role == Role::Mixnode;
    let of = |wanted: fn(Role) -> bool| {
        let nodes = devnet.nodes.iter().filter(|node| wanted(node.status.role));
        nodes.map(|node| node.name().to_owned()).collect()
    };
    match view.pane {
        Pane::Pools => of(mixnodes),
        Pane::Losses => losses::names(devnet, view.window, model.moment()),
        Pane::Rates | Pane::Share | Pane::Delays => of(|role| role != Role::Directory),
    }
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: &Target) {
    if let Target::Traffic(pane) = target {
        model.screens.traffic.focus(*pane);
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.traffic;
    if scene.zoomed {
        draw_pane(view.pane, model, devnet, area, scene);
        others(view, area, scene);
    } else if area.width >= ALL_AT_ONCE.0 && area.height >= ALL_AT_ONCE.1 {
        let [upper, share, lower] = Layout::vertical([
            Constraint::Fill(11),
            Constraint::Length(share::HEIGHT),
            Constraint::Fill(9),
        ])
        .areas(area);
        let halves = [Constraint::Percentage(54), Constraint::Percentage(46)];
        let [rates, delays] = Layout::horizontal(halves).areas(upper);
        let [losses, pools] = Layout::horizontal(halves).areas(lower);
        let places = [rates, share, delays, pools, losses];
        for (pane, place) in Pane::ALL.into_iter().zip(places) {
            draw_pane(pane, model, devnet, place, scene);
        }
    } else if area.height >= TWO_PANES {
        let halves = [Constraint::Fill(10), Constraint::Fill(11)];
        let [upper, lower] = Layout::vertical(halves).areas(area);
        draw_pane(Pane::Rates, model, devnet, upper, scene);
        draw_pane(view.below, model, devnet, lower, scene);
        others(view, lower, scene);
    } else {
        draw_pane(view.pane, model, devnet, area, scene);
        others(view, area, scene);
    }
}

/// Which panes there are besides, where they have no room.
fn others(view: &View, area: Rect, scene: &mut Scene<'_>) {
    let mut words = vec![Span::styled(scene.key(Action::NextPane), scene.theme.accent)];
    for pane in Pane::ALL {
        let style = if pane == view.pane { scene.theme.title } else { scene.theme.muted };
        words.push(Span::raw(" "));
        words.push(Span::styled(pane.title(), style));
    }
    scene.edge_note(area, true, Line::from(words));
}

fn draw_pane(pane: Pane, model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.traffic;
    scene.regions.add(area, Target::Traffic(pane));
    let focused = view.pane == pane;
    match pane {
        Pane::Rates => rates::draw(model, devnet, area, focused, scene),
        Pane::Share => share::draw(view.window, devnet, area, focused, scene),
        Pane::Delays => delays::draw(view.window, devnet, area, focused, scene),
        Pane::Pools => pools::draw(model, devnet, area, focused, scene),
        Pane::Losses => losses::draw(model, devnet, area, focused, scene),
    }
}

/// The inside of a pane with a column free at either side.
fn padded(inner: Rect) -> Rect {
    Rect { x: inner.x.saturating_add(1), width: inner.width.saturating_sub(2), ..inner }
}

/// The last rows of an area, and what is above them.
fn foot(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let [above, foot] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(rows)]).areas(area);
    (above, foot)
}

/// How long counters have been compared, where that is shorter than the window.
fn so_far(window: Window, devnet: &Devnet, scene: &Scene<'_>) -> String {
    match devnet.traffic.counted_for(window, scene.now) {
        Some(seconds) if seconds + 5 < window.seconds() => {
            format!("{seconds} s so far of {}", window.words())
        }
        _ => window.words().to_owned(),
    }
}
