//! Colours by meaning, and the themes to choose from.

mod themes;

use std::fmt;
use std::str::FromStr;

use ratatui::style::Style;

use crate::state::Mark;

pub(crate) use themes::MONOCHROME;

/// Curves and bars of a chart that can be told apart.
pub(crate) const SERIES: usize = 8;

/// Steps from cold to hot.
pub(crate) const HEAT: usize = 5;

/// A theme to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ThemeName {
    /// The terminal's own sixteen colours.
    #[default]
    Default,
    /// Dark on light, whatever the terminal's background is.
    Light,
    /// For who does not see green: blue, yellow and vermilion on dark.
    Deuteranopia,
    /// For who does not see blue: cyan, rose and red on dark.
    Tritanopia,
    /// No colour: weight, reverse and underline.
    Monochrome,
}

impl ThemeName {
    /// All of them, in the order in which they are tried out.
    pub const ALL: [Self; 5] =
        [Self::Default, Self::Light, Self::Deuteranopia, Self::Tritanopia, Self::Monochrome];

    /// Its name on the command line, in files and in the palette.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Light => "light",
            Self::Deuteranopia => "deuteranopia",
            Self::Tritanopia => "tritanopia",
            Self::Monochrome => "monochrome",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Default => "the terminal's own sixteen colours",
            Self::Light => "dark on light, in true colour",
            Self::Deuteranopia => "safe without green; true colour on dark",
            Self::Tritanopia => "safe without blue; true colour on dark",
            Self::Monochrome => "weight, reverse and underline, no colour",
        }
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|other| *other == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// What each meaning looks like in it.
    pub(crate) fn theme(self) -> &'static Theme {
        match self {
            Self::Default => &themes::SIXTEEN,
            Self::Light => &themes::LIGHT,
            Self::Deuteranopia => &themes::DEUTERANOPIA,
            Self::Tritanopia => &themes::TRITANOPIA,
            Self::Monochrome => &MONOCHROME,
        }
    }
}

impl fmt::Display for ThemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no theme of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no theme `{0}`")]
pub struct NoSuchTheme(String);

impl FromStr for ThemeName {
    type Err = NoSuchTheme;

    fn from_str(name: &str) -> Result<Self, NoSuchTheme> {
        let found = Self::ALL.into_iter().find(|theme| theme.name() == name);
        found.ok_or_else(|| NoSuchTheme(name.to_owned()))
    }
}

/// What each meaning looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    /// Everything that has no meaning of its own: the terminal's own colours, or both set, so that
    /// the others are known to be readable on it.
    pub(crate) base: Style,
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
    /// Letters that were looked for, in what was found.
    pub(crate) found: Style,
    /// Curves and bars of a chart, told apart by more than these: by a name or a glyph.
    pub(crate) series: [Style; SERIES],
    /// From cold to hot.
    pub(crate) heat: [Style; HEAT],
}

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

#[cfg(test)]
mod tests;
