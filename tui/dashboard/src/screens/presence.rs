//! Presence: heartbeats as they arrive, and how old the latest of each node is.

use directory_api::{ListName, PRESENCE_TIMEOUT};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::copy_or_say;
use crate::action::Action;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::screens::nodes;
use crate::state::{Announcer, Beat, BeatKind, Devnet, Mark, Standing};
use crate::text;

/// Columns of the list of heartbeats: a time, a name and what happened.
const BEATS_WIDTH: u16 = 54;

/// Columns of an age.
const AGE_WIDTH: usize = 9;

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Heartbeats.
    Beats,
    /// The age of each node's latest.
    #[default]
    Ages,
}

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    pane: Pane,
    /// The selected heartbeat; none to follow the newest.
    beat: Option<u64>,
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let view = &mut model.screens.presence;
    match action {
        Action::NextPane | Action::PreviousPane => {
            view.pane = if view.pane == Pane::Beats { Pane::Ages } else { Pane::Beats };
        }
        Action::Follow => {
            let newest = model
                .devnet()
                .and_then(|devnet| devnet.presence.beats().next_back())
                .map(|beat| beat.number);
            let view = &mut model.screens.presence;
            view.beat = if view.beat.is_some() { None } else { newest };
        }
        Action::Open => match meant(model) {
            Some(name) => model.overlays.push(Overlay::card(name)),
            None => model.say(Tone::Warning, "select a node first"),
        },
        Action::Copy => match beat(model).map(|beat| beat.key.clone()) {
            Some(key) => return copy_or_say(model, Some(key), "the key", ""),
            None => return nodes::copy(model),
        },
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

/// The selected heartbeat, if heartbeats have the keys.
fn beat(model: &Model) -> Option<&Beat> {
    let view = &model.screens.presence;
    let mut beats = model.devnet()?.presence.beats();
    match (view.pane, view.beat) {
        (Pane::Ages, _) => None,
        (Pane::Beats, None) => beats.next_back(),
        (Pane::Beats, Some(number)) => beats.find(|beat| beat.number == number),
    }
}

/// The process that the selected row is about.
fn meant(model: &Model) -> Option<String> {
    match beat(model) {
        Some(beat) => model.devnet()?.presence.get(&beat.key)?.name.clone(),
        None => model.selected_node().map(|node| node.name().to_owned()),
    }
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.presence;
    match view.pane {
        Pane::Ages => {
            let names: Vec<String> =
                announcers(devnet).iter().filter_map(|(_, node)| node.name.clone()).collect();
            model.selected = motion::step(&names, model.selected.as_ref(), motion);
        }
        Pane::Beats => {
            let beats: Vec<u64> = devnet.presence.beats().map(|beat| beat.number).collect();
            model.screens.presence.beat =
                motion::step_following(&beats, view.beat.as_ref(), motion);
        }
    }
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: &Target) {
    let view = &mut model.screens.presence;
    match target {
        Target::Beat(number) => {
            view.pane = Pane::Beats;
            view.beat = Some(*number);
        }
        Target::Presence(pane) => view.pane = *pane,
        _ => {}
    }
}

/// Announcers with their keys: this devnet's processes in their order, then strangers.
fn announcers(devnet: &Devnet) -> Vec<(&str, &Announcer)> {
    let place = |announcer: &Announcer| {
        let name = announcer.name.as_deref()?;
        devnet.nodes.iter().position(|node| node.name() == name)
    };
    let mut all: Vec<_> = devnet.presence.announcers().collect();
    all.sort_by_key(|(_, announcer)| place(announcer).unwrap_or(usize::MAX));
    all
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let [left, right] = if area.width >= 100 {
        Layout::horizontal([Constraint::Length(BEATS_WIDTH), Constraint::Min(0)]).areas(area)
    } else {
        let ages = u16::try_from(announcers(devnet).len()).unwrap_or(u16::MAX).saturating_add(2);
        let ages = ages.clamp(3, area.height / 2 + 1);
        let [ages, beats] =
            Layout::vertical([Constraint::Length(ages), Constraint::Min(0)]).areas(area);
        [beats, ages]
    };
    let in_beats = model.screens.presence.pane == Pane::Beats;
    let left = scene.zoomed(area, left, in_beats);
    let right = scene.zoomed(area, right, !in_beats);
    draw_ages(model, devnet, right, scene);
    draw_beats(&model.screens.presence, devnet, left, scene);
}

fn draw_beats(view: &View, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let focused = view.pane == Pane::Beats;
    scene.regions.add(area, Target::Presence(Pane::Beats));
    let inner = scene.pane(area, "Heartbeats", focused);
    let following = view.beat.is_none();
    let note = if following {
        Span::styled("following", scene.theme.ok)
    } else {
        Span::styled(format!("{} follows", scene.key(Action::Follow)), scene.theme.muted)
    };
    scene.edge_note(area, false, note);
    let beats: Vec<&Beat> = devnet.presence.beats().collect();
    if beats.is_empty() {
        scene.nothing_yet(inner, "no heartbeat yet: nodes announce themselves every 1.5 s");
        return;
    }
    let row = match view.beat {
        None => beats.len() - 1,
        Some(number) => beats.iter().position(|beat| beat.number >= number).unwrap_or(0),
    };
    let highlight = if following { Highlight::None } else { Highlight::focused(focused) };
    scene.list(inner, beats.len(), Some(row), highlight, |scene, row, place| {
        scene.put(place, 0, beat_line(devnet, beats[row], scene));
        Some(Target::Beat(beats[row].number))
    });
}

fn beat_line(devnet: &Devnet, beat: &Beat, scene: &Scene<'_>) -> Line<'static> {
    let announcer = devnet.presence.get(&beat.key);
    let name = who(&beat.key, announcer, scene);
    let (word, style) = match beat.kind {
        BeatKind::Announced => ("here", scene.theme.muted),
        BeatKind::Joined => ("joined the topology", scene.theme.ok),
        BeatKind::Changed => ("announces something new", scene.theme.accent),
        BeatKind::Late => ("late", scene.theme.warn),
        BeatKind::Left => ("leaves", scene.theme.warn),
        BeatKind::Gone => ("gone from the topology", scene.theme.bad),
        BeatKind::Disallowed => ("disallowed by the directory", scene.theme.bad),
    };
    Line::from(vec![
        Span::styled(format!("{}  ", text::clock_ms(beat.unix_ms, scene.zone)), scene.theme.muted),
        Span::raw(format!("{:<12} ", text::fit(&name, 12, scene.symbols))),
        Span::styled(format!("{word} "), style),
        Span::styled(beat.list.map_or("", ListName::as_str), scene.theme.muted),
    ])
}

/// The name of an announcer, or the ends of its key if it is a stranger.
fn who(key: &str, announcer: Option<&Announcer>, scene: &Scene<'_>) -> String {
    match announcer.and_then(|announcer| announcer.name.as_deref()) {
        Some(name) => text::visible(name, scene.symbols),
        None => text::short_key(key, scene.symbols),
    }
}

fn lists(announcer: &Announcer) -> String {
    let lists: Vec<&str> = announcer.lists.iter().map(|list| list.as_str()).collect();
    lists.join(", ")
}

fn draw_ages(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let focused = model.screens.presence.pane == Pane::Ages;
    scene.regions.add(area, Target::Presence(Pane::Ages));
    let inner = scene.pane(area, "Last heard", focused);
    let limit = "full bar: forgotten after 10 s";
    scene.edge_note(area, false, Line::styled(limit, scene.theme.muted));
    let all = announcers(devnet);
    if all.is_empty() {
        scene.nothing_yet(inner, "waiting for the first node to announce itself");
        return;
    }
    let selected = all
        .iter()
        .position(|(_, announcer)| announcer.name.is_some() && announcer.name == model.selected);
    scene.list(inner, all.len(), selected, Highlight::None, |scene, row, place| {
        let (key, announcer) = all[row];
        let name = draw_age(key, announcer, place, scene);
        if selected == Some(row) {
            // Not the bar: it says something by its colours.
            scene.select(name, Highlight::focused(focused));
        }
        announcer.name.clone().map(Target::Node)
    });
}

/// Draws a row. Returns the part of it with the name.
fn draw_age(key: &str, announcer: &Announcer, place: Rect, scene: &mut Scene<'_>) -> Rect {
    let (mark, word, age) = match announcer.standing(scene.now) {
        Standing::Present(age) => (Mark::Ready, "here", age),
        Standing::Late(age) => (Mark::Late, "late", age),
        Standing::Gone(age) => (Mark::Gone, "gone", age),
        Standing::Left(age) => (Mark::Stopped, "left", age),
    };
    let style = scene.theme.mark(mark);
    let name = who(key, Some(announcer), scene);
    let head = Line::from(vec![
        Span::styled(format!("{} {word} ", scene.symbols.mark(mark)), style),
        Span::raw(format!("{:<12} ", text::fit(&name, 12, scene.symbols))),
        Span::raw(format!("{:>AGE_WIDTH$} ", text::age(age))),
    ]);
    let used = u16::try_from(head.width()).unwrap_or(u16::MAX);
    scene.put(place, 0, head);
    let rest =
        Rect { x: place.x.saturating_add(used), width: place.width.saturating_sub(used), ..place };
    // What the lists are comes after the bar, where there is room for both.
    let bar = rest.width.min(20);
    let share = age.as_secs_f64() / PRESENCE_TIMEOUT.as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 20")]
    let filled = (share.min(1.0) * f64::from(bar)).round() as u16;
    let spans = vec![
        Span::styled(scene.symbols.full.repeat(filled.into()), style),
        Span::styled(scene.symbols.empty.repeat((bar - filled).into()), scene.theme.muted),
        Span::styled(format!(" {}", lists(announcer)), scene.theme.muted),
    ];
    scene.put(rest, 0, Line::from(spans));
    Rect { width: used.min(place.width), ..place }
}
