//! How the Presence screen looks.

use directory_api::{ListName, PRESENCE_INTERVAL, PRESENCE_TIMEOUT};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::{Pane, View, announcers, beats};
use crate::action::Action;
use crate::filter;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Announcer, Beat, BeatKind, Devnet, Mark, Standing};
use crate::text;

/// Columns of the list of heartbeats: a time, a name and what happened.
const BEATS_WIDTH: u16 = 56;

/// Columns of an age.
const AGE_WIDTH: usize = 9;

/// Columns of a bar.
const BAR_WIDTH: u16 = 20;

/// Columns of a name, or of the ends of a key.
const NAME_WIDTH: usize = 12;

/// Draws this screen.
pub(crate) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.presence;
    let (bar, area) = if view.filter.is_shown() {
        let [bar, area] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        (Some(bar), area)
    } else {
        (None, area)
    };
    if let Some(bar) = bar {
        let bar = Rect { x: bar.x + 1, width: bar.width.saturating_sub(1), ..bar };
        view.filter.draw(filter::PROMPT, bar, scene);
    }
    let ages = announcers(view, devnet, scene.now);
    let [left, right] = if area.width >= 100 {
        Layout::horizontal([Constraint::Length(BEATS_WIDTH), Constraint::Min(0)]).areas(area)
    } else {
        let ages = u16::try_from(ages.len()).unwrap_or(u16::MAX).saturating_add(2);
        let ages = ages.clamp(3, area.height / 2 + 1);
        let [ages, beats] =
            Layout::vertical([Constraint::Length(ages), Constraint::Min(0)]).areas(area);
        [beats, ages]
    };
    let left = scene.zoomed(area, left, view.pane == Pane::Beats);
    let right = scene.zoomed(area, right, view.pane == Pane::Ages);
    draw_ages(view, &ages, right, scene);
    draw_beats(view, devnet, left, scene);
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
    let beats: Vec<&Beat> = beats(view, devnet);
    if beats.is_empty() {
        let sentence = if view.filter.is_empty() {
            let every = text::age(PRESENCE_INTERVAL);
            format!("no heartbeat yet: nodes announce themselves every {every}")
        } else {
            format!("no heartbeat is like this: {} drops the filter", scene.key(Action::Back))
        };
        scene.nothing_yet(inner, &sentence);
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
    let style = match beat.kind {
        BeatKind::Announced => scene.theme.muted,
        BeatKind::Joined => scene.theme.ok,
        BeatKind::Changed => scene.theme.accent,
        BeatKind::Late | BeatKind::Left => scene.theme.warn,
        BeatKind::Gone | BeatKind::Disallowed => scene.theme.bad,
    };
    let word = beat.kind.words();
    Line::from(vec![
        Span::styled(format!("{}  ", text::clock_ms(beat.unix_ms, scene.zone)), scene.theme.muted),
        Span::raw(padded(&name, scene)),
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

/// A name in its column, also one that is written in wide characters.
fn padded(name: &str, scene: &Scene<'_>) -> String {
    let name = text::fit(name, NAME_WIDTH, scene.symbols);
    let missing = NAME_WIDTH.saturating_sub(text::width(&name)) + 1;
    format!("{name}{}", " ".repeat(missing))
}

fn draw_ages(view: &View, all: &[(&str, &Announcer)], area: Rect, scene: &mut Scene<'_>) {
    let focused = view.pane == Pane::Ages;
    scene.regions.add(area, Target::Presence(Pane::Ages));
    let inner = scene.pane(area, "Last heard", focused);
    let limit = format!("full bar: forgotten after {}", text::age(PRESENCE_TIMEOUT));
    scene.edge_note(area, false, Line::styled(limit, scene.theme.muted));
    if all.is_empty() {
        let sentence = if view.filter.is_empty() {
            "waiting for the first node to announce itself".to_owned()
        } else {
            format!("no node is like this: {} drops the filter", scene.key(Action::Back))
        };
        scene.nothing_yet(inner, &sentence);
        return;
    }
    let selected = view.announcer.as_deref();
    let selected = all.iter().position(|(key, _)| Some(*key) == selected);
    scene.list(inner, all.len(), selected, Highlight::None, |scene, row, place| {
        let (key, announcer) = all[row];
        let name = draw_age(key, announcer, place, scene);
        if selected == Some(row) {
            // Not the bar: it says something by its colours.
            scene.select(name, Highlight::focused(focused));
        }
        Some(Target::Announcer(key.to_owned()))
    });
}

/// Draws a row. Returns the part of it with the name.
fn draw_age(key: &str, announcer: &Announcer, place: Rect, scene: &mut Scene<'_>) -> Rect {
    let now = announcer.standing(scene.now);
    let (mark, age) = match now {
        Standing::Present(age) => (Mark::Ready, age),
        Standing::Late(age) => (Mark::Late, age),
        Standing::Gone(age) => (Mark::Gone, age),
        Standing::Left(age) => (Mark::Stopped, age),
    };
    let word = now.word();
    let style = scene.theme.mark(mark);
    let name = who(key, Some(announcer), scene);
    let head = Line::from(vec![
        Span::styled(format!("{} {word} ", scene.symbols.mark(mark)), style),
        Span::raw(padded(&name, scene)),
        Span::raw(format!("{:>AGE_WIDTH$} ", text::age(age))),
    ]);
    let used = u16::try_from(head.width()).unwrap_or(u16::MAX);
    scene.put(place, 0, head);
    let rest =
        Rect { x: place.x.saturating_add(used), width: place.width.saturating_sub(used), ..place };
    // What the lists are comes after the bar, where there is room for both.
    let bar = rest.width.min(BAR_WIDTH);
    let share = age.as_secs_f64() / PRESENCE_TIMEOUT.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a bar's columns"
    )]
    let filled = (share.min(1.0) * f64::from(bar)).round() as u16;
    let spans = vec![
        Span::styled(scene.symbols.full.repeat(filled.into()), style),
        Span::styled(scene.symbols.empty.repeat((bar - filled).into()), scene.theme.muted),
        Span::styled(format!(" {}", lists(announcer)), scene.theme.muted),
    ];
    scene.put(rest, 0, Line::from(spans));
    Rect { width: used.min(place.width), ..place }
}
