//! How much passes a link, and what the lines, packets and cells of the map mean.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::scene::Scene;

/// From this many packets per second on, a link is drawn thick; a tenth of it makes it medium.
const THICK: f64 = 100.0;
const MEDIUM: f64 = 10.0;
/// Below this, nothing has passed within the window.
const IDLE: f64 = 0.05;

/// How much passes a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Nothing, or not known.
    Idle,
    Thin,
    Medium,
    Thick,
}

impl Weight {
    pub(super) const ALL: [Self; 4] = [Self::Idle, Self::Thin, Self::Medium, Self::Thick];

    pub(super) fn of(rate: Option<f64>) -> Self {
        match rate {
            Some(rate) if rate >= THICK => Self::Thick,
            Some(rate) if rate >= MEDIUM => Self::Medium,
            Some(rate) if rate >= IDLE => Self::Thin,
            _ => Self::Idle,
        }
    }

    pub(super) fn style(self, scene: &Scene<'_>) -> Style {
        let [light, medium, heavy] = scene.theme.link;
        match self {
            Self::Idle => scene.theme.muted,
            Self::Thin => light,
            Self::Medium => medium,
            Self::Thick => heavy,
        }
    }

    /// Dots above and below the line's own, in quarters of a row.
    pub(super) fn spread(self) -> std::ops::RangeInclusive<i32> {
        match self {
            Self::Idle | Self::Thin => 0..=0,
            Self::Medium => 0..=1,
            Self::Thick => -1..=1,
        }
    }

    pub(super) fn ascii(self, slope: i32) -> &'static str {
        match (self, slope) {
            (_, 1) => "\\",
            (_, -1) => "/",
            (Self::Idle, _) => ".",
            (Self::Thin, _) => "-",
            (Self::Medium, _) => "=",
            (Self::Thick, _) => "#",
        }
    }

    /// A straight line of many links together.
    pub(super) fn trunk(self, scene: &Scene<'_>) -> &'static str {
        let at = Self::ALL.iter().position(|weight| *weight == self).unwrap_or(0);
        scene.symbols.trunk[at]
    }
}

/// What the map shows beside nodes and links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// Packets of messages can be told from others.
    pub(super) cargo: bool,
    /// Nodes are cells whose height is their rate.
    pub(super) cells: bool,
}

/// What is drawn means this, as much of it as fits: packets first, weights last.
pub(super) fn legend(shown: Shown, columns: u16, scene: &Scene<'_>) -> Line<'static> {
    let symbols = scene.symbols;
    let muted = |words: &'static str| Span::styled(words, scene.theme.muted);
    let mut parts = vec![vec![Span::styled(symbols.packet, scene.theme.packet), muted(" packet")]];
    if shown.cargo {
        let [message, ack] = symbols.cargo;
        parts.push(vec![Span::styled(message, scene.theme.cargo), muted(" message")]);
        parts.push(vec![Span::styled(ack, scene.theme.cargo), muted(" ack")]);
    }
    if shown.cells {
        let heat = symbols.heat;
        let sample = [heat[1], heat[heat.len() / 2], heat[heat.len() - 1]].concat();
        let [_, medium, _] = scene.theme.link;
        parts.push(vec![Span::styled(sample, medium), muted(" rate of a node")]);
    }
    let samples = if symbols.unicode {
        ["⠂ ⠂", "⠒⠒⠒", "⠶⠶⠶", "⠿⠿⠿"]
    } else {
        ["...", "---", "===", "###"]
    };
    let words = [" idle", " under 10/s", " 10/s", " 100/s"];
    for ((sample, word), weight) in samples.into_iter().zip(words).zip(Weight::ALL) {
        parts.push(vec![Span::styled(sample, weight.style(scene)), muted(word)]);
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for part in parts {
        let gap = if spans.is_empty() { 0 } else { 2 };
        let width: usize = part.iter().map(Span::width).sum();
        if used + gap + width > usize::from(columns) {
            break;
        }
        if gap > 0 {
            spans.push(Span::raw("  "));
        }
        spans.extend(part);
        used += gap + width;
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_weighs_nothing() {
        assert_eq!(Weight::of(None), Weight::Idle);
        assert_eq!(Weight::of(Some(0.0)), Weight::Idle);
        assert_eq!(Weight::of(Some(0.2)), Weight::Thin);
        assert_eq!(Weight::of(Some(10.0)), Weight::Medium);
        assert_eq!(Weight::of(Some(100.0)), Weight::Thick);
    }
}
