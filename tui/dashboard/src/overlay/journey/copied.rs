//! The journey of a packet as text, for somebody to keep.

use std::fmt::Write as _;
use std::time::Duration;

use control::Way;

use super::{View, chart};
use crate::state::{Fate, as_ms};
use crate::text::UNKNOWN;

/// A line for each stop: when, which way, where, what, how long it waited and was asked to, how many
/// others waited, and the bytes as it went on.
pub(super) fn text(view: &View<'_>) -> Option<String> {
    let shown = view.shown.as_ref()?;
    let packet = view.packets[shown.at];
    let mut out = format!(
        "message {}, packet {}, attempt {}\n",
        packet.message,
        packet.fragment + 1,
        packet.attempt
    );
    let unknown = || UNKNOWN.to_owned();
    let _ = writeln!(
        out,
        "{:>9}  {:<5} {:<14} {:<8} {:>9} {:>9} {:>6}  goes on as",
        "at ms", "way", "stop", "", "waited ms", "asked ms", "others"
    );
    for stop in &shown.course.stops {
        let way = match stop.id.way {
            Way::There => "there",
            Way::Back => "back",
        };
        let (at, waited, others, after) = match &stop.fate {
            Fate::Told(told) => {
                let at = as_ms(told.left.saturating_since(shown.course.start));
                let waited = told.left.saturating_since(told.came);
                let waited = (!waited.is_zero()).then(|| format!("{:.2}", as_ms(waited)));
                (Some(at), waited, told.pool, told.after)
            }
            Fate::Dropped { t, .. } => {
                (Some(as_ms(t.saturating_since(shown.course.start))), None, None, None)
            }
            Fate::Silent | Fate::Ahead { .. } => (None, None, None, None),
        };
        let reason = match &stop.fate {
            Fate::Dropped { reason, .. } => (*reason).to_owned(),
            _ => String::new(),
        };
        let asked =
            stop.asked_us.map(Duration::from_micros).map(|asked| format!("{:.2}", as_ms(asked)));
        let line = format!(
            "{:>9}  {way:<5} {:<14} {:<8} {:>9} {:>9} {:>6}  {}{reason}",
            at.map_or_else(unknown, |at| format!("{at:.2}")),
            stop.node.unwrap_or("?"),
            chart::word(stop),
            waited.unwrap_or_default(),
            asked.unwrap_or_default(),
            others.map_or_else(String::new, |others| others.to_string()),
            after.map(chart::spaced).unwrap_or_default(),
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    Some(out)
}
