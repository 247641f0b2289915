//! Colours by meaning.

use ratatui::style::{Color, Modifier, Style};

use crate::state::Mark;

/// What each meaning looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    /// As it should be.
    pub(crate) ok: Style,
    /// Worth a look.
    pub(crate) warn: Style,
    /// Wrong.
    pub(crate) bad: Style,
    /// There if wanted: borders, units, what is idle.
    pub(crate) muted: Style,
    /// Names, titles, keys: what the eye should find.
    pub(crate) accent: Style,
    /// The selected row, in the pane that has the keys.
    pub(crate) selection: Style,
    /// The selected row, in a pane that has not.
    pub(crate) faint_selection: Style,
    /// The name of the pane that has the keys, and of the screen shown.
    pub(crate) title: Style,
    /// Links by weight, lightest first.
    pub(crate) link: [Style; 3],
    /// Links of the selected node.
    pub(crate) selected_link: Style,
    /// A packet on a link.
    pub(crate) packet: Style,
    /// A packet of a message that somebody sent, and its acknowledgement.
    pub(crate) cargo: Style,
    /// Old data while the connection is lost.
    pub(crate) stale: Style,
}

/// The terminal's own sixteen colours, so that it looks like the rest of the terminal.
pub(crate) static COLOUR: Theme = Theme {
    ok: Style::new().fg(Color::Green),
    warn: Style::new().fg(Color::Yellow),
    bad: Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    muted: Style::new().fg(Color::DarkGray),
    accent: Style::new().fg(Color::Cyan),
    selection: Style::new().fg(Color::Black).bg(Color::Cyan),
    faint_selection: Style::new().add_modifier(Modifier::BOLD),
    title: Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
    link: [
        Style::new().fg(Color::DarkGray),
        Style::new().fg(Color::Blue),
        Style::new().fg(Color::LightBlue),
    ],
    selected_link: Style::new().fg(Color::Cyan),
    packet: Style::new().fg(Color::White).add_modifier(Modifier::BOLD),
    cargo: Style::new().fg(Color::LightMagenta).add_modifier(Modifier::BOLD),
    stale: Style::new().fg(Color::DarkGray),
};

/// Without colour: weight, reverse and underline carry the meanings.
pub(crate) static MONOCHROME: Theme = Theme {
    ok: Style::new(),
    warn: Style::new().add_modifier(Modifier::BOLD),
    bad: Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
    muted: Style::new().add_modifier(Modifier::DIM),
    accent: Style::new().add_modifier(Modifier::BOLD),
    selection: Style::new().add_modifier(Modifier::REVERSED),
    faint_selection: Style::new().add_modifier(Modifier::BOLD),
    title: Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
    link: [
        Style::new().add_modifier(Modifier::DIM),
        Style::new(),
        Style::new().add_modifier(Modifier::BOLD),
    ],
    selected_link: Style::new().add_modifier(Modifier::BOLD),
    packet: Style::new().add_modifier(Modifier::BOLD),
    cargo: Style::new().add_modifier(Modifier::REVERSED),
    stale: Style::new().add_modifier(Modifier::DIM),
};

impl Theme {
    /// The style of a state.
    pub(crate) fn mark(&self, mark: Mark) -> Style {
        match mark {
            Mark::Ready => self.ok,
            Mark::Starting | Mark::Late | Mark::BackingOff | Mark::Paused => self.warn,
            Mark::Gone | Mark::Failed => self.bad,
            Mark::Stopped => self.muted,
        }
    }
}
