//! The stops of a packet, one a row, with a bar for the time that it spent at each.

use contract::{Print, Time};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Shown, View};
use crate::motion::first_visible;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Fate, Part, Stop, Whereabouts};
use crate::text::{self, UNKNOWN};

/// Columns of a stop's name, of what it did, and of a time.
const NAME: u16 = 13;
const WORD: u16 = 8;
const TIME: u16 = 8;

/// Columns of the bytes: all sixteen apart, all together, or the first eight with a mark.
const BYTES: [u16; 3] = [47, 32, 17];

/// Least columns of the bars.
const BAR: u16 = 12;

/// How the columns divide the width.
#[derive(Clone, Copy)]
struct Columns {
    asked: u16,
    pool: u16,
    bar: u16,
    bytes: u16,
}

impl Columns {
    /// Columns that come before the bar.
    fn before_bar(self) -> u16 {
        let gap = |columns: u16| if columns > 0 { columns + 1 } else { 0 };
        NAME + 1 + WORD + 1 + TIME + 1 + gap(self.asked) + gap(self.pool)
    }

    fn of(width: u16) -> Self {
        let rest = width.saturating_sub(NAME + 1 + WORD + 1 + TIME + 1);
        let fits = |wanted: u16, rest: u16| if rest > wanted { wanted } else { 0 };
        // The bytes are what this view is for; they shrink before the bar does.
        let spare = [40, 32, 0];
        let fits_beside = |&(bytes, spare): &(u16, u16)| rest > bytes + BAR + spare;
        let bytes = BYTES.into_iter().zip(spare).find(fits_beside).map_or(0, |(bytes, _)| bytes);
        let mut bar = rest.saturating_sub(if bytes > 0 { bytes + 1 } else { 0 });
        let asked = fits(TIME, bar.saturating_sub(BAR));
        bar -= if asked > 0 { asked + 1 } else { 0 };
        let pool = fits(6, bar.saturating_sub(2 * BAR));
        bar -= if pool > 0 { pool + 1 } else { 0 };
        Self { asked, pool, bar, bytes }
    }
}

pub(super) fn draw(view: &View<'_>, shown: &Shown<'_>, area: Rect, scene: &mut Scene<'_>) {
    let columns = Columns::of(area.width);
    let course = &shown.course;
    let end = course.end(scene.now.t);
    let scale = Scale { start: course.start, end, columns: columns.bar };
    head(view, columns, scale, area, scene);
    let rows = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    let stops = &course.stops;
    scene.list(rows, stops.len(), Some(shown.stop), Highlight::Strong, |scene, row, place| {
        let here = matches!(shown.whereabouts, Whereabouts::Underway(at) if at == row);
        draw_stop(&stops[row], here, columns, scale, place, scene);
        Some(Target::Stop(stops[row].id))
    });
    keep_bar(shown, columns, scale, rows, scene);
}

/// The selected row is marked, but not where its bar is: that would look like a bar of all the time.
fn keep_bar(shown: &Shown<'_>, columns: Columns, scale: Scale, rows: Rect, scene: &mut Scene<'_>) {
    let stops = &shown.course.stops;
    let first = first_visible(shown.stop, stops.len(), rows.height.into());
    let at = u16::try_from(shown.stop.saturating_sub(first)).unwrap_or(u16::MAX);
    let Some(stop) = stops.get(shown.stop).filter(|_| at < rows.height) else { return };
    let before = columns.before_bar();
    let place = Rect {
        x: rows.x.saturating_add(before),
        y: rows.y + at,
        width: columns.bar.min(rows.width.saturating_sub(before)),
        height: 1,
    };
    let here = matches!(shown.whereabouts, Whereabouts::Underway(at) if at == shown.stop);
    scene.bare(place);
    scene.put(place, 0, Line::from(bar(stop, here, scale, scene)));
}

fn head(view: &View<'_>, columns: Columns, scale: Scale, area: Rect, scene: &mut Scene<'_>) {
    let all = text::took(scale.end.saturating_since(scale.start));
    let bar = usize::from(columns.bar);
    let asked = if columns.asked > 0 { format!("{:>8} ", "asked") } else { String::new() };
    let pool = if columns.pool > 0 { format!("{:>6} ", "others") } else { String::new() };
    let axis = format!("0{all:>0$}", bar.saturating_sub(1));
    let waited = format!("{:<13} {:<8} {:>8} ", "stop", "", "waited");
    let mut line = format!("{waited}{asked}{pool}{axis:<bar$.bar$} ");
    if columns.bytes > 0 {
        let bytes = match view.devnet.packet_bytes {
            Some(bytes) if columns.bytes >= BYTES[1] => format!("goes on as: 16 of {bytes} bytes"),
            Some(bytes) => format!("8 of {bytes} bytes"),
            None => "goes on as".to_owned(),
        };
        line.push_str(&bytes);
    }
    scene.put(area, 0, Line::styled(line, scene.theme.muted));
}

/// How times become columns.
#[derive(Clone, Copy)]
struct Scale {
    start: Time,
    end: Time,
    columns: u16,
}

impl Scale {
    /// The column of a moment.
    fn at(self, t: Time) -> u16 {
        let last = u64::from(self.columns.saturating_sub(1));
        let all = self.end.saturating_since(self.start).as_nanos().max(1);
        let here = t.saturating_since(self.start).as_nanos().min(all);
        u16::try_from(here * u128::from(last) / all).unwrap_or(u16::MAX)
    }
}

fn draw_stop(
    stop: &Stop<'_>,
    here: bool,
    columns: Columns,
    scale: Scale,
    place: Rect,
    scene: &mut Scene<'_>,
) {
    let style = style(stop, scene);
    let name = stop.node.map_or_else(|| "?".to_owned(), |name| text::visible(name, scene.symbols));
    let name = text::fit(&name, usize::from(NAME) - 1, scene.symbols);
    let mark = mark(stop, here, scene);
    let pad = usize::from(NAME).saturating_sub(text::width(&name) + text::width(mark));
    let asked = stop
        .asked_us
        .map_or_else(String::new, |us| text::took_short(std::time::Duration::from_micros(us)));
    let (waited, pool, after) = match &stop.fate {
        Fate::Told(told) if matches!(stop.id.part, Part::Mixnode | Part::Mailbox) => {
            let waited = text::took_short(told.left.saturating_since(told.came));
            (waited, told.pool.map(|pool| pool.to_string()), told.after)
        }
        Fate::Told(told) => (String::new(), None, told.after),
        Fate::Silent if stop.id.part == Part::Mixnode => (UNKNOWN.into(), None, None),
        _ => (String::new(), None, None),
    };
    let mut spans = vec![
        Span::styled(format!("{mark}{name}{:pad$} ", ""), style),
        Span::styled(format!("{:<8} ", word(stop)), style),
        Span::raw(format!("{waited:>8} ")),
    ];
    if columns.asked > 0 {
        spans.push(Span::styled(format!("{asked:>8} "), scene.theme.muted));
    }
    if columns.pool > 0 {
        let pool = pool.unwrap_or_default();
        spans.push(Span::raw(format!("{pool:>6} ")));
    }
    spans.extend(bar(stop, here, scale, scene));
    if let (Some(print), true) = (after, columns.bytes > 0) {
        spans.push(Span::styled(
            format!(" {}", bytes(print, columns.bytes, scene)),
            scene.theme.accent,
        ));
    }
    scene.put(place, 0, Line::from(spans));
}

/// Before a stop: the packet where it is now, a mark where it ended.
fn mark(stop: &Stop<'_>, here: bool, scene: &Scene<'_>) -> &'static str {
    match stop.fate {
        _ if here => scene.symbols.packet,
        Fate::Dropped { .. } => scene.symbols.message[4],
        _ => " ",
    }
}

/// The style of a stop by what is known of it.
pub(super) fn style(stop: &Stop<'_>, scene: &Scene<'_>) -> Style {
    match stop.fate {
        Fate::Told(_) => Style::new(),
        Fate::Dropped { .. } => scene.theme.bad,
        Fate::Silent => scene.theme.warn,
        Fate::Ahead { .. } => scene.theme.muted,
    }
}

/// What happened to the packet at a stop, in a word.
pub(super) fn word(stop: &Stop<'_>) -> &'static str {
    match (&stop.fate, stop.id.part) {
        (Fate::Dropped { .. }, _) => "dropped",
        (Fate::Silent, _) => "silent",
        (Fate::Ahead { .. }, _) => "",
        (Fate::Told(_), Part::Sender) => "sent",
        (Fate::Told(_), Part::Mixnode) => "mixed",
        (Fate::Told(_), Part::Mailbox) => "stored",
        (Fate::Told(_), Part::Recipient) => "opened",
        (Fate::Told(_), Part::AckSource) => "sent ack",
        (Fate::Told(_), Part::Acknowledged) => "has ack",
    }
}

fn bar(stop: &Stop<'_>, here: bool, scale: Scale, scene: &Scene<'_>) -> Vec<Span<'static>> {
    let blank = |columns: u16| " ".repeat(columns.into());
    let (from, to, glyph, style) = match &stop.fate {
        Fate::Told(told) if told.came == told.left => {
            (told.came, told.left, scene.symbols.packet, scene.theme.ok)
        }
        Fate::Told(told) => (told.came, told.left, scene.symbols.full, scene.theme.ok),
        Fate::Dropped { t, .. } => (*t, *t, scene.symbols.message[4], scene.theme.bad),
        Fate::Ahead { due: Some((came, left)) } if came < left || here => {
            (*came, *left, scene.symbols.empty, scene.theme.muted)
        }
        Fate::Silent | Fate::Ahead { .. } => {
            return vec![Span::raw(blank(scale.columns))];
        }
    };
    let (first, last) = (scale.at(from), scale.at(to));
    let length = last.saturating_sub(first) + 1;
    let rest = scale.columns.saturating_sub(first + length);
    let mut spans = vec![Span::raw(blank(first))];
    let now = scale.at(scene.now.t);
    if here && (first..first + length).contains(&now) {
        spans.push(Span::styled(glyph.repeat((now - first).into()), style));
        spans.push(Span::styled(scene.symbols.packet, scene.theme.packet));
        spans.push(Span::styled(glyph.repeat((first + length - now - 1).into()), style));
    } else {
        spans.push(Span::styled(glyph.repeat(length.into()), style));
    }
    spans.push(Span::raw(blank(rest)));
    spans
}

/// The first bytes of a packet in this many columns.
fn bytes(print: Print, columns: u16, scene: &Scene<'_>) -> String {
    if columns >= BYTES[0] {
        return spaced(print);
    }
    let digits = spaced(print).replace(' ', "");
    match columns {
        32.. => digits,
        _ => format!("{}{}", &digits[..16], scene.symbols.ellipsis),
    }
}

/// The first bytes of a packet, apart.
pub(super) fn spaced(print: Print) -> String {
    let digits: Vec<String> = print.first.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
