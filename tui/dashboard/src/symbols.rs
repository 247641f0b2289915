//! Glyphs: one set for terminals that show Unicode, one for those that do not.

use ratatui::symbols::border;

use crate::state::Mark;

/// The glyphs of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbols {
    /// Whether text from the network may be shown with other characters than ASCII.
    pub(crate) unicode: bool,
    /// Border of a pane.
    pub(crate) pane: border::Set<'static>,
    /// Border of a node that is selected.
    pub(crate) selected: border::Set<'static>,
    /// Between parts of a line.
    pub(crate) dot: &'static str,
    /// Where a link ends.
    pub(crate) arrow: &'static str,
    /// A packet on a link.
    pub(crate) packet: &'static str,
    /// Where a way back leads.
    pub(crate) back: &'static str,
    /// A packet of a message on a link, and the acknowledgement of one.
    pub(crate) cargo: [&'static str; 2],
    /// Lines of a way back: across, down, its corners at the left and at the right, and where one leaves
    /// another.
    pub(crate) rail: [&'static str; 6],
    /// The links between two crowded columns together, from idle to heavy.
    pub(crate) trunk: [&'static str; 4],
    /// How much a node does beside the others, least first. The first is nothing at all.
    pub(crate) heat: &'static [&'static str],
    /// In a written route.
    pub(crate) hop: &'static str,
    /// Before the selected row.
    pub(crate) cursor: &'static str,
    /// What was left out.
    pub(crate) ellipsis: &'static str,
    /// Filled part of a bar.
    pub(crate) full: &'static str,
    /// Empty part of a bar.
    pub(crate) empty: &'static str,
    /// A curve's steps, lowest first.
    pub(crate) curve: &'static [&'static str],
    /// Of a wide and high network.
    pub(crate) times: &'static str,
    /// A received message.
    pub(crate) letter: &'static str,
    /// Sorted upwards and downwards.
    pub(crate) sorted: [&'static str; 2],
    /// The Enter key.
    pub(crate) enter: &'static str,
    /// The arrow keys left, right, up, down.
    pub(crate) arrows: [&'static str; 4],
    /// The prompt of an input line.
    pub(crate) prompt: &'static str,
    /// States of a message: queued, sent, delivered, acknowledged, failed.
    pub(crate) message: [&'static str; 5],
}

/// The ASCII border: what terminals of all times show.
const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

const ASCII_SELECTED_BORDER: border::Set<'static> = border::Set {
    top_left: "#",
    top_right: "#",
    bottom_left: "#",
    bottom_right: "#",
    vertical_left: "#",
    vertical_right: "#",
    horizontal_top: "=",
    horizontal_bottom: "=",
};

/// For terminals that show Unicode.
pub(crate) static UNICODE: Symbols = Symbols {
    unicode: true,
    pane: border::ROUNDED,
    selected: border::THICK,
    dot: "·",
    arrow: "▶",
    packet: "•",
    back: "◀",
    cargo: ["◆", "◇"],
    rail: ["─", "│", "╰", "╯", "┤", "┴"],
    trunk: ["╌", "─", "━", "━"],
    heat: &["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    hop: "→",
    cursor: "▸",
    ellipsis: "…",
    full: "█",
    empty: "░",
    curve: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    times: "×",
    letter: "✉",
    sorted: ["▲", "▼"],
    enter: "↵",
    arrows: ["←", "→", "↑", "↓"],
    prompt: "›",
    message: ["◌", "◌", "✓", "✓✓", "✗"],
};

/// For terminals that do not.
pub(crate) static ASCII: Symbols = Symbols {
    unicode: false,
    pane: ASCII_BORDER,
    selected: ASCII_SELECTED_BORDER,
    dot: "|",
    arrow: ">",
    packet: "o",
    back: "<",
    cargo: ["@", "&"],
    rail: ["-", "|", "+", "+", "+", "+"],
    trunk: [".", "-", "=", "#"],
    heat: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    hop: "->",
    cursor: ">",
    ellipsis: "~",
    full: "#",
    empty: ".",
    curve: &["_", ".", "-", "=", "*", "#"],
    times: "x",
    letter: "in",
    sorted: ["^", "v"],
    enter: "enter",
    arrows: ["left", "right", "up", "down"],
    prompt: ">",
    message: [".", "o", "v", "vv", "x"],
};

impl Symbols {
    /// The glyph of a state. Each is different: colour is never the only difference.
    pub(crate) fn mark(&self, mark: Mark) -> &'static str {
        let (unicode, ascii) = match mark {
            Mark::Ready => ("●", "*"),
            Mark::Starting => ("◔", ":"),
            Mark::Late => ("◐", "?"),
            Mark::BackingOff => ("↻", "~"),
            Mark::Gone => ("◌", "!"),
            Mark::Failed => ("✗", "x"),
            Mark::Paused => ("‖", "="),
            Mark::Stopped => ("○", "-"),
        };
        if self.unicode { unicode } else { ascii }
    }
}

/// Whether the environment says that the terminal shows UTF-8. `look` finds a variable.
pub fn locale_is_utf8(look: impl Fn(&str) -> Option<String>) -> bool {
    let first = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(look)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_lowercase();
    first.contains("utf-8") || first.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let of = |set: &'static [(&str, &str)]| {
            locale_is_utf8(|name| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(of(&[("LANG", "en_US.UTF-8")]));
        assert!(of(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!of(&[]));
    }

    #[test]
    fn every_state_has_its_own_glyph() {
        use Mark::{BackingOff, Failed, Gone, Late, Paused, Ready, Starting, Stopped};
        for symbols in [&UNICODE, &ASCII] {
            let all = [Ready, Starting, Late, BackingOff, Gone, Failed, Paused, Stopped];
            let glyphs: std::collections::BTreeSet<_> =
                all.into_iter().map(|mark| symbols.mark(mark)).collect();
            assert_eq!(glyphs.len(), all.len());
        }
    }

    #[test]
    fn the_ascii_set_is_ascii() {
        assert!(format!("{ASCII:?}").is_ascii());
    }
}
