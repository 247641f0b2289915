//! What surrounds every screen: header, tabs and the hint line.

use std::time::Duration;

use control::DirectoryState;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::action::{self, Action};
use crate::connection::Connection;
use crate::model::{Model, Tone};
use crate::playback::Playback;
use crate::regions::Target;
use crate::scene::Scene;
use crate::screens::Screen;
use crate::state::{Devnet, Mark};
use crate::text;

/// The header: what is shown, whether it is current, and how it fares.
pub(crate) fn header(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let wide = area.width >= 110;
    let (connection, style) = connection(model, scene);
    let mut right = vec![Span::styled(connection, style)];
    if let Some(devnet) = model.devnet() {
        if model.connection == Connection::Live && devnet.directory != DirectoryState::Live {
            let words = format!("  {} directory not heard", scene.symbols.mark(Mark::BackingOff));
            right.push(Span::styled(words, scene.theme.warn));
        }
        let mut counts = counts(devnet, wide, scene);
        if model.connection != Connection::Live {
            for count in &mut counts {
                count.style = scene.theme.stale;
            }
        }
        right.extend(counts);
    }
    if model.is_frozen() && model.playback.is_none() {
        right.push(Span::raw("  "));
        right.push(Span::styled(" PAUSED ", scene.theme.selection));
    }
    if model.settings.read_only && model.playback.is_none() {
        right.push(Span::styled("  read-only", scene.theme.warn));
    }
    right.push(Span::raw(" "));
    // Whether it is current matters more than what it is called.
    let left = scene.put_right(area, 0, Line::from(right.clone()));
    if left == area.width {
        scene.put(area, 0, Line::from(right));
        return;
    }
    let name = Rect { x: area.x + 1, width: left.saturating_sub(2), ..area };
    if let Some(line) =
        names(model, scene).into_iter().find(|line| line.width() <= name.width.into())
    {
        scene.put(name, 0, line);
    }
}

/// Ways to say what is shown, the longest first.
fn names(model: &Model, scene: &Scene<'_>) -> Vec<Line<'static>> {
    let program = Span::styled("nym-devnet", scene.theme.muted);
    let Some(devnet) = model.devnet() else { return vec![Line::from(program)] };
    let info = &devnet.info;
    let dot = scene.symbols.dot;
    let name = text::visible(&info.name, scene.symbols);
    let name = Span::styled(name, scene.theme.accent.add_modifier(Modifier::BOLD));
    let first = info.widths.first().copied().unwrap_or(0);
    let shape = if info.widths.iter().all(|&width| width == first) {
        format!("{first}{}{}", scene.symbols.times, info.layers)
    } else {
        info.widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
    };
    let profile = text::visible(&info.profile, scene.symbols);
    let acks = if info.acks { "on" } else { "off" };
    let faithful = if info.faithful { format!(" {dot} faithful") } else { String::new() };
    let long = format!(" {dot} {shape} {dot} {profile} {dot} acks {acks}{faithful}");
    vec![
        Line::from(vec![program, Span::raw(" "), name.clone(), Span::raw(long)]),
        Line::from(vec![name.clone(), Span::raw(format!(" {shape} {profile}"))]),
        Line::from(vec![name.clone(), Span::raw(format!(" {shape}"))]),
        Line::from(name),
    ]
}

fn counts(devnet: &Devnet, wide: bool, scene: &Scene<'_>) -> Vec<Span<'static>> {
    let (ready, all) = (devnet.ready(scene.now), devnet.nodes.len());
    let style = if ready == all { Style::new() } else { scene.theme.warn };
    let of = if wide { format!("{ready} of {all} ready") } else { format!("{ready}/{all} ready") };
    let rate = text::rate(devnet.packets_per_second(scene.now));
    let clients = usize::from(devnet.info.clients) + usize::from(devnet.info.crowd);
    let clients = text::plural(clients, "client");
    let gap = if wide { "   " } else { "  " };
    let mut spans = vec![
        Span::raw(gap),
        Span::styled(of, style),
        Span::raw(format!("{gap}{rate} pkt/s{gap}{clients}")),
    ];
    if devnet.lost > 0 {
        spans.push(Span::styled(format!("{gap}{} events lost", devnet.lost), scene.theme.warn));
    }
    spans
}

fn connection(model: &Model, scene: &Scene<'_>) -> (String, Style) {
    let mark = |mark: Mark| scene.symbols.mark(mark);
    if let Some(playback) = &model.playback {
        let style = if model.is_paused() { scene.theme.selection } else { scene.theme.accent };
        return (played(playback, model, scene), style);
    }
    match &model.connection {
        Connection::Connecting => {
            (format!("{} connecting", mark(Mark::Starting)), scene.theme.warn)
        }
        Connection::Lost { retry_at, .. } => {
            let wait = retry_at.saturating_since(model.now);
            let when = if wait.is_zero() {
                "now".to_owned()
            } else {
                format!("in {} s", wait.as_secs() + 1)
            };
            (format!("{} reconnecting {when}", mark(Mark::BackingOff)), scene.theme.bad)
        }
        Connection::Live => match model.stale() {
            Some(silent) => {
                (format!("{} stale {} s", mark(Mark::Late), silent.as_secs()), scene.theme.warn)
            }
            None => (format!("{} live", mark(Mark::Ready)), scene.theme.ok),
        },
    }
}

/// How much of a recording was played, and how: `PLAYBACK 0:12/1:30 ×2`.
fn played(playback: &Playback, model: &Model, scene: &Scene<'_>) -> String {
    let minutes = |time: Duration| format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60);
    let position = if model.devnet().is_some() {
        model.moment().t.saturating_since(playback.first)
    } else {
        Duration::ZERO
    };
    let length = playback.length.map_or_else(|| "?".into(), |length| minutes(length.max(position)));
    let word = match &playback.ended {
        Some(_) => "END",
        None if playback.pace.paused => "PAUSED",
        None => "PLAYBACK",
    };
    let speed = playback.pace.speed.words(scene.symbols);
    format!("{word} {}/{length} {speed}", minutes(position))
}

/// The tabs.
pub(crate) fn tabs(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let mut x = area.x + 1;
    for screen in Screen::ALL {
        let Some(spec) = screen.action().spec() else {
            continue;
        };
        let key = spec.keys.first().map(|key| key.word()).unwrap_or_default();
        let words = format!(" {key} {} ", screen.context().title());
        let width = u16::try_from(text::width(&words)).unwrap_or(u16::MAX);
        let style = if screen == model.screen { scene.theme.selection } else { Style::new() };
        let place = Rect { x, width: width.min(area.right().saturating_sub(x)), ..area };
        scene.put(place, 0, Line::styled(words, style));
        scene.regions.add(place, Target::Screen(screen));
        x = x.saturating_add(width + 1);
    }
    let help = Rect { x: area.right().saturating_sub(8), width: 8.min(area.width), ..area };
    if help.x >= x {
        let line = Line::from(vec![Span::styled("?", scene.theme.accent), Span::raw(" help ")]);
        scene.put_right(area, 0, line);
        scene.regions.add(help, Target::Action(Action::Help));
    }
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
    if let Connection::Lost { reason, .. } = &model.connection {
        let words = format!("connection lost: {}", text::visible(reason, scene.symbols));
        let words = text::fit(&words, area.width.into(), scene.symbols);
        scene.put(area, 0, Line::styled(words, scene.theme.bad));
        return;
    }
    if let Some(why) = model.playback.as_ref().and_then(|playback| playback.ended.as_ref()) {
        let words = text::visible(why, scene.symbols);
        let half = usize::from(area.width) / 2;
        let line = Line::styled(text::fit(&words, half, scene.symbols), scene.theme.warn);
        area.width = scene.put_right(area, 0, line).saturating_sub(2);
    }
    // On a narrow terminal the keys need the room again after a while.
    let shown = model.last_command().filter(|(_, just_now)| *just_now || area.width >= 110);
    if let Some((command, _)) = shown {
        let words = format!("last: {}", text::visible(command, scene.symbols));
        let half = usize::from(area.width) / 2;
        let line = Line::styled(text::fit(&words, half, scene.symbols), scene.theme.muted);
        area.width = scene.put_right(area, 0, line).saturating_sub(2);
    }
    keys(model, area, scene);
}

fn keys(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let context = model.context();
    let all: Vec<_> = action::in_context(context)
        .filter(|spec| !spec.label.is_empty() && model.allows(spec.action))
        .collect();
    let hint = |key: &str, word: &str| {
        Line::from(vec![
            Span::styled(format!("{key} "), scene.theme.accent),
            Span::raw(word.to_owned()),
        ])
    };
    let more = all.iter().any(|spec| spec.action == Action::Palette).then(|| hint(":", "more"));
    let reserved = more.as_ref().map_or(0, Line::width);
    let mut x = area.x;
    for (index, spec) in all.iter().enumerate() {
        let key = spec.keys.first().map(|key| key.label(scene.symbols)).unwrap_or_default();
        let line = hint(&key, spec.label);
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let left = area.right().saturating_sub(x);
        let needed = if index + 1 == all.len() { 0 } else { reserved + 2 };
        if usize::from(width) + needed > usize::from(left) {
            if let Some(more) = more {
                let place = Rect { x, width: left, ..area };
                scene.put(place, 0, more);
                scene.regions.add(place, Target::Action(Action::Palette));
            }
            return;
        }
        let place = Rect { x, width, ..area };
        scene.put(place, 0, line);
        scene.regions.add(place, Target::Action(spec.action));
        x += width + 2;
    }
}
