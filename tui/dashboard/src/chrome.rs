//! What surrounds every screen: header, tabs and the hint line.

mod header;

pub(crate) use header::draw as header;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::action::{self, Action, Context, Spec};
use crate::connection::Connection;
use crate::model::{Model, Tone};
use crate::regions::Target;
use crate::scene::Scene;
use crate::screens::{self, Screen};
use crate::text;
use crate::theme::Theme;
use crate::tour;

/// Columns of `: more  ? help`, with the space behind them.
const OTHERS_WIDTH: u16 = 17;

/// The tabs: with air between them, or without, or with short names, or mostly with none.
pub(crate) fn tabs(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let labels = |most: usize| -> Vec<(Screen, String)> {
        let label = |screen: Screen| {
            let key = screen.action().spec().and_then(|spec| scene.keys(spec).first());
            let key = key.map(|key| key.word() + " ").unwrap_or_default();
            let title = screen.context().title();
            let is_shown = screen == model.screen;
            let title =
                if most > 0 || is_shown { title.get(..most.max(4)).unwrap_or(title) } else { "" };
            let count = match screen {
                Screen::Problems => model.devnet().map_or(0, |devnet| devnet.problems.count()),
                _ => 0,
            };
            let count = if count == 0 { String::new() } else { format!(" {count}") };
            (screen, format!(" {key}{title}{count} "))
        };
        Screen::ALL.into_iter().map(label).collect()
    };
    let room = usize::from(area.width.saturating_sub(1));
    let width = |labels: &[(Screen, String)], gap: usize| -> usize {
        labels.iter().map(|(_, label)| text::width(label) + gap).sum()
    };
    // Four letters are enough to tell them apart; tests see to that. Where even these have no room, the one
    // that is shown has them alone.
    let (long, short) = (labels(usize::MAX), labels(4));
    let (labels, gap) = match () {
        () if width(&long, 1) <= room => (long, 1),
        () if width(&long, 0) <= room => (long, 0),
        () if width(&short, 0) <= room => (short, 0),
        () => (labels(0), 0),
    };
    let mut x = area.x + 1;
    for (screen, label) in labels {
        let width = u16::try_from(text::width(&label)).unwrap_or(u16::MAX);
        let style = if screen == model.screen { scene.theme.selection } else { Style::new() };
        let place = Rect { x, width: width.min(area.right().saturating_sub(x)), ..area };
        scene.put(place, 0, Line::styled(label, style));
        scene.regions.add(place, Target::Screen(screen));
        x = x.saturating_add(width + gap);
    }
    let key = Action::Help.spec().and_then(|spec| scene.keys(spec).first().copied());
    let Some(key) = key else { return };
    let line = Line::from(vec![
        Span::styled(key.label(scene.symbols), scene.theme.accent),
        Span::raw(" help "),
    ]);
    let width = u16::try_from(line.width() + 1).unwrap_or(u16::MAX);
    let help = Rect { x: area.right().saturating_sub(width), width: width.min(area.width), ..area };
    if help.x >= x {
        scene.put_right(area, 0, line);
        scene.regions.add(help, Target::Action(Action::Help));
    }
}

/// What stays in the hint line as long as it is so.
fn standing(model: &Model, theme: &Theme) -> Option<(String, Style)> {
    if let Connection::Lost { reason, .. } = &model.connection {
        return Some((format!("connection lost: {reason}"), theme.bad));
    }
    if let Some(playback) = &model.playback {
        return Some((playback.ended.clone()?, theme.warn));
    }
    let Some(why) = model.all_ended() else {
        return tour::offered(model).map(|words| (words, theme.accent));
    };
    let key = model.key(Action::StartAll);
    let offer = if model.allows(Action::StartAll) && !key.is_empty() {
        format!("; {key} starts everything")
    } else {
        String::new()
    };
    Some((why + &offer, theme.bad))
}

/// The hint line: a notice, or the keys that work now and the command for what was done last.
pub(crate) fn hints(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let mut area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(notice) = model.notice() {
        let style = match notice.tone {
            Tone::Good => scene.theme.ok,
            Tone::Warning => scene.theme.warn,
            Tone::Bad => scene.theme.bad,
        };
        let words = text::visible(&notice.text, scene.symbols);
        let words = text::fit(&words, area.width.into(), scene.symbols);
        scene.put(area, 0, Line::styled(words, style));
        return;
    }
    if let Some((words, style)) = standing(model, scene.theme) {
        // The words that say where the other keys are keep their room.
        let room = usize::from(area.width.saturating_sub(OTHERS_WIDTH));
        let words = text::fit(&text::visible(&words, scene.symbols), room, scene.symbols);
        let line = Line::styled(words, style);
        area.width = scene.put_right(area, 0, line).saturating_sub(2);
    }
    // On a narrow terminal the keys need the room again after a while.
    let shown = model.last_command().filter(|(_, just_now)| *just_now || area.width >= 110);
    let half = usize::from(area.width) / 2;
    // Beside what stands there already it has no room, or so little that it says nothing.
    if let Some((command, _)) = shown.filter(|_| half >= usize::from(OTHERS_WIDTH)) {
        let words = format!("last: {}", text::visible(command, scene.symbols));
        let line = Line::styled(text::fit(&words, half, scene.symbols), scene.theme.muted);
        area.width = scene.put_right(area, 0, line).saturating_sub(2);
    }
    keys(model, area, scene);
}

/// What an action is called in the hint line, which may depend on what it would do now.
fn label(model: &Model, spec: &Spec) -> &'static str {
    match spec.action {
        Action::Zoom if model.is_zoomed() => "unzoom",
        Action::Freeze if model.is_paused() => "go on",
        Action::Freeze if model.playback.is_some() => "pause",
        Action::Pause if model.is_selected_paused() => "go on",
        Action::GoOn => screens::lessons::go_on_label(model),
        Action::Hint => screens::lessons::hint_label(model),
        Action::LeaveInput if model.context() == Context::Answering => "leave the line",
        Action::Open if model.context() == Context::Messages => model.screens.messages.open_label(),
        _ => spec.label,
    }
}

/// Whether it is for a process that is selected.
fn is_about_node(action: Action) -> bool {
    matches!(
        action,
        Action::Open
            | Action::Start
            | Action::Stop
            | Action::Kill
            | Action::Restart
            | Action::Pause
            | Action::NodeLogs
    )
}

fn keys(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let context = model.context();
    // Elsewhere one selects with the next key; a problem may be about no node at all.
    let has_node = context != Context::Problems || screens::meant(model).is_some();
    let mut all: Vec<_> = action::in_context(context)
        .filter(|spec| !label(model, spec).is_empty() && model.allows(spec.action))
        .filter(|spec| has_node || !is_about_node(spec.action))
        .filter_map(|spec| Some((spec, scene.keys(spec).first()?.label(scene.symbols))))
        .collect();
    // How to end what is unusual comes first, then the way out of what one is in, and what a
    // selected message is there for.
    let is_message =
        context == Context::Messages && model.screens.messages.has_chosen(model.devnet());
    all.sort_by_key(|(spec, _)| match spec.action {
        Action::Zoom if model.is_zoomed() => 0,
        Action::Freeze if model.is_frozen() => 0,
        Action::Close | Action::Send | Action::Accept => 1,
        Action::Choose if context == Context::Searching => 1,
        Action::LeaveInput => 2,
        Action::Journey if is_message => 2,
        _ => 3,
    });
    let hint = |key: &str, word: &str| {
        Line::from(vec![
            Span::styled(format!("{key} "), scene.theme.accent),
            Span::raw(word.to_owned()),
        ])
    };
    let word = |action: Action| match action {
        Action::Palette => "more",
        _ => "help",
    };
    // Where there is no room for all of them, these say where the others are.
    let others: Vec<_> = all
        .iter()
        .filter(|(spec, _)| matches!(spec.action, Action::Palette | Action::Help))
        .map(|(spec, key)| (spec.action, hint(key, word(spec.action))))
        .collect();
    let reserved = others.iter().map(|(_, line)| line.width() + 2).sum::<usize>();
    let mut x = area.x;
    for (index, (spec, key)) in all.iter().enumerate() {
        let line = hint(key, label(model, spec));
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let left = area.right().saturating_sub(x);
        let needed = if index + 1 == all.len() { 0 } else { reserved };
        if usize::from(width) + needed > usize::from(left) {
            for (action, line) in others {
                x = put_hint(action, line, Rect { x, ..area }, scene);
            }
            return;
        }
        x = put_hint(spec.action, line, Rect { x, ..area }, scene);
    }
}

/// A word of the hint line. Returns where the next one begins.
fn put_hint(action: Action, line: Line<'_>, area: Rect, scene: &mut Scene<'_>) -> u16 {
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let place = Rect { width, ..area }.intersection(scene.buffer.area);
    scene.put(place, 0, line);
    scene.regions.add(place, Target::Action(action));
    area.x.saturating_add(width).saturating_add(2)
}
