//! The header: what is shown, whether it is current, and how it fares. What matters least goes
//! first when the terminal is narrow.

use std::time::Duration;

use control::DirectoryState;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::connection::Connection;
use crate::model::{Missed, Model};
use crate::playback::Playback;
use crate::scene::Scene;
use crate::screens;
use crate::state::{Devnet, Mark};
use crate::text;

/// Columns between two parts, where there is room and where there is not.
const GAP: usize = 3;
const NARROW_GAP: usize = 2;

/// Terminals from this width on have room for the wide gap.
const WIDE: u16 = 110;

/// A part of the header.
pub(crate) struct Part {
    /// How much it is worth: what has the highest rank is shortened and left out first.
    rank: u8,
    /// Ways to say it, the longest first.
    forms: Vec<String>,
    style: Style,
    /// Its last form is always said.
    needed: bool,
    /// Which of the forms is shown; none of them if it is their number.
    form: usize,
}

impl Part {
    /// A part that may be said in these ways, the longest first.
    pub(crate) fn new<const N: usize>(rank: u8, style: Style, forms: [String; N]) -> Self {
        Self { rank, forms: forms.into(), style, needed: false, form: 0 }
    }

    /// The same, and its last form is always said.
    pub(crate) fn needed<const N: usize>(rank: u8, style: Style, forms: [String; N]) -> Self {
        Self { needed: true, ..Self::new(rank, style, forms) }
    }

    fn words(&self) -> Option<&str> {
        self.forms.get(self.form).map(String::as_str)
    }
}

/// How wide these parts are.
fn width(parts: &[Part], gap: usize) -> usize {
    parts.iter().filter_map(Part::words).map(|words| text::width(words) + gap).sum()
}

/// Shortens and leaves out until everything has room, or nothing but what is needed is left.
fn fold(parts: &mut [Part], gap: usize, room: usize) {
    while width(parts, gap) > room {
        let can = |part: &&mut Part| part.form + usize::from(part.needed) < part.forms.len();
        let Some(least) = parts.iter_mut().filter(can).max_by_key(|part| part.rank) else { return };
        least.form += 1;
    }
}

/// Draws the header.
pub(crate) fn draw(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let wide = area.width >= WIDE;
    let gap = if wide { GAP } else { NARROW_GAP };
    let mut parts = names(model, scene);
    let names = parts.len();
    parts.extend(facts(model, wide, scene));
    // One column at each end.
    fold(&mut parts, gap, usize::from(area.width.saturating_sub(2)) + gap);
    let line = |parts: &[Part], gap: usize| {
        let mut spans = Vec::new();
        for part in parts {
            let Some(words) = part.words() else { continue };
            if !spans.is_empty() {
                spans.push(Span::raw(" ".repeat(gap)));
            }
            spans.push(Span::styled(words.to_owned(), part.style));
        }
        Line::from(spans)
    };
    let (names, facts) = parts.split_at(names);
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let facts = line(facts, gap);
    // Whether it is current matters more than what it is called.
    if facts.width() > usize::from(inside.width) {
        scene.put(inside, 0, facts);
        return;
    }
    let left = scene.put_right(inside, 0, facts);
    let place = Rect { width: left.saturating_sub(1), ..inside };
    scene.put(place, 0, line(names, 1));
}

/// What is shown.
fn names(model: &Model, scene: &Scene<'_>) -> Vec<Part> {
    let program = Part::new(9, scene.theme.muted, ["nym-devnet".to_owned()]);
    let Some(devnet) = model.devnet() else { return vec![program] };
    let info = &devnet.info;
    let dot = scene.symbols.dot;
    let name = text::visible(&info.name, scene.symbols);
    let first = info.widths.first().copied().unwrap_or(0);
    let shape = if info.widths.iter().all(|&width| width == first) {
        format!("{first}{}{}", scene.symbols.times, info.layers)
    } else {
        info.widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
    };
    let profile = text::visible(&info.profile, scene.symbols);
    let mut parts = vec![
        program,
        // A long name keeps its beginning.
        Part::new(
            1,
            scene.theme.accent.add_modifier(Modifier::BOLD),
            [name.clone(), text::fit(&name, 12, scene.symbols)],
        ),
        Part::new(4, Style::new(), [format!("{dot} {shape}"), shape]),
        Part::new(6, Style::new(), [format!("{dot} {profile}"), profile]),
    ];
    let acks = if info.acks { "on" } else { "off" };
    parts.push(Part::new(10, Style::new(), [format!("{dot} acks {acks}")]));
    if info.faithful {
        parts.push(Part::new(8, Style::new(), [format!("{dot} faithful")]));
    }
    parts
}

/// Whether it is current, and how it fares.
fn facts(model: &Model, wide: bool, scene: &Scene<'_>) -> Vec<Part> {
    let mut parts = vec![connection(model, scene)];
    let plays = model.playback.is_some();
    if let Some(missed) = model.missed().filter(|_| !plays) {
        parts.push(paused(missed, scene));
    }
    if let Some(devnet) = model.devnet() {
        let over = model.playback.as_ref().is_some_and(|playback| playback.ended.is_some());
        if model.connection == Connection::Live && devnet.directory != DirectoryState::Live && !over
        {
            let mark = scene.symbols.mark(Mark::BackingOff);
            parts.push(Part::new(
                3,
                scene.theme.warn,
                [format!("{mark} directory not heard"), format!("{mark} directory")],
            ));
        }
        parts.extend(problems(devnet, scene));
        let mut counts = counts(devnet, wide, scene);
        if model.connection != Connection::Live {
            for count in &mut counts {
                count.style = scene.theme.stale;
            }
        }
        parts.extend(counts);
    }
    if model.settings.read_only && !plays {
        parts.push(Part::new(5, scene.theme.warn, ["read-only".to_owned()]));
    }
    parts
}

/// The view stands still, and what was missed since.
fn paused(missed: Missed, scene: &Scene<'_>) -> Part {
    let Missed { events, packets, messages } = missed;
    let (messages, events) = (text::plural(messages, "message"), text::plural(events, "event"));
    Part::needed(
        3,
        scene.theme.selection,
        [
            format!(" PAUSED, missed {packets} packets, {messages}, {events} "),
            format!(" PAUSED, missed {packets} packets, {messages} "),
            format!(" PAUSED, missed {events} "),
            " PAUSED ".to_owned(),
        ],
    )
}

/// How much is wrong, and what is worst of it.
fn problems(devnet: &Devnet, scene: &Scene<'_>) -> Option<Part> {
    let problems = &devnet.problems;
    let worst = &problems.open().first().filter(|_| problems.count() > 0)?.finding;
    let (style, glyph) = screens::problems::look(worst.severity, scene.theme, scene.symbols);
    let count = text::plural(problems.count(), "problem");
    let most = worst.lint.headline(problems.alike(worst));
    let short = format!("{glyph} {}", problems.count());
    let forms = [format!("{glyph} {count}: {most}"), format!("{glyph} {count}"), short];
    Some(Part::needed(8, style, forms))
}

fn counts(devnet: &Devnet, wide: bool, scene: &Scene<'_>) -> Vec<Part> {
    let (ready, all) = (devnet.ready(scene.now), devnet.nodes.len());
    let style = if ready == all { Style::new() } else { scene.theme.warn };
    let rate = text::rate(devnet.packets_per_second(scene.now));
    let clients = usize::from(devnet.info.clients) + usize::from(devnet.info.crowd);
    let of = if wide { format!("{ready} of {all} ready") } else { format!("{ready}/{all} ready") };
    let mut parts = vec![
        Part::new(2, style, [of]),
        Part::new(5, Style::new(), [format!("{rate} pkt/s")]),
        Part::new(7, Style::new(), [text::plural(clients, "client")]),
    ];
    if devnet.lost > 0 {
        let lost = devnet.lost;
        let forms = [format!("{lost} events lost"), format!("{lost} lost")];
        parts.push(Part::new(3, scene.theme.warn, forms));
    }
    parts
}

/// Whether what is shown is current; if not, of when it is.
fn connection(model: &Model, scene: &Scene<'_>) -> Part {
    let mark = |mark: Mark| scene.symbols.mark(mark);
    let since = || text::clock(scene.now.unix_ms, scene.zone);
    if let Some(playback) = &model.playback {
        let style = if model.is_paused() { scene.theme.selection } else { scene.theme.accent };
        return Part::needed(0, style, [played(playback, model, scene)]);
    }
    match &model.connection {
        Connection::Connecting => {
            let words = format!("{} connecting", mark(Mark::Starting));
            Part::needed(0, scene.theme.warn, [words])
        }
        Connection::Lost { retry_at, .. } => {
            let wait = retry_at.saturating_since(model.now);
            let when = if wait.is_zero() {
                "now".to_owned()
            } else {
                format!("in {} s", wait.as_secs() + 1)
            };
            let words = format!("{} reconnecting {when}", mark(Mark::BackingOff));
            let dated = model.devnet().map(|_| format!("{words}, as of {}", since()));
            let dated = dated.unwrap_or_else(|| words.clone());
            Part::needed(2, scene.theme.bad, [dated, words])
        }
        Connection::Live => match model.stale() {
            Some(silent) => {
                let words = format!("{} stale {} s", mark(Mark::Late), silent.as_secs());
                let dated = format!("{words}, as of {}", since());
                Part::needed(2, scene.theme.warn, [dated, words])
            }
            None => Part::needed(0, scene.theme.ok, [format!("{} live", mark(Mark::Ready))]),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(parts: &[Part]) -> Vec<&str> {
        parts.iter().filter_map(Part::words).collect()
    }

    #[test]
    fn what_matters_least_is_shortened_and_left_out_first() {
        let forms = |forms: [&str; 2]| forms.map(String::from);
        let part = |rank, words| Part::new(rank, Style::new(), forms(words));
        let mut parts = vec![
            Part::needed(0, Style::new(), forms(["live", "l"])),
            part(2, ["clients", "c"]),
            part(1, ["12", ""]),
        ];
        fold(&mut parts, 1, 16);
        assert_eq!(said(&parts), ["live", "clients", "12"]);
        fold(&mut parts, 1, 15);
        assert_eq!(said(&parts), ["live", "c", "12"]);
        fold(&mut parts, 1, 8);
        assert_eq!(said(&parts), ["live", "12"]);
        fold(&mut parts, 1, 0);
        assert_eq!(said(&parts), ["l"], "what is current is always said");
    }
}
