//! What each theme looks like.

#![expect(clippy::unreadable_literal, reason = "colours as everybody writes them")]

use ratatui::style::{Color, Modifier, Style};

use super::Theme;

const fn colour(rgb: u32) -> Color {
    Color::from_u32(rgb)
}

const fn fg(rgb: u32) -> Style {
    Style::new().fg(colour(rgb))
}

/// The terminal's own sixteen colours, so that it looks like the rest of the terminal.
pub(super) static SIXTEEN: Theme = Theme {
    base: Style::new(),
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
    found: Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
    series: [
        Style::new().fg(Color::Cyan),
        Style::new().fg(Color::Yellow),
        Style::new().fg(Color::Green),
        Style::new().fg(Color::Magenta),
        Style::new().fg(Color::LightBlue),
        Style::new().fg(Color::LightRed),
        Style::new().fg(Color::White),
        Style::new().fg(Color::LightGreen),
    ],
    heat: [
        Style::new().fg(Color::Blue),
        Style::new().fg(Color::Cyan),
        Style::new().fg(Color::Green),
        Style::new().fg(Color::Yellow),
        Style::new().fg(Color::LightRed),
    ],
};

/// Without colour: weight, reverse and underline carry the meanings.
pub(crate) static MONOCHROME: Theme = Theme {
    base: Style::new(),
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
    found: Style::new().add_modifier(Modifier::UNDERLINED),
    series: [
        Style::new(),
        Style::new().add_modifier(Modifier::BOLD),
        Style::new().add_modifier(Modifier::DIM),
        Style::new().add_modifier(Modifier::UNDERLINED),
        Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
        Style::new().add_modifier(Modifier::DIM).add_modifier(Modifier::UNDERLINED),
        Style::new().add_modifier(Modifier::ITALIC),
        Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::ITALIC),
    ],
    heat: [
        Style::new().add_modifier(Modifier::DIM),
        Style::new(),
        Style::new().add_modifier(Modifier::BOLD),
        Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
        Style::new().add_modifier(Modifier::REVERSED),
    ],
};

/// Dark on light.
pub(super) static LIGHT: Theme = Theme {
    base: fg(0x1f2328).bg(colour(0xffffff)),
    ok: fg(0x116329),
    warn: fg(0x8a4b00),
    bad: fg(0xb3131e).add_modifier(Modifier::BOLD),
    muted: fg(0x59636e),
    accent: fg(0x0550ae),
    selection: fg(0xffffff).bg(colour(0x0550ae)),
    faint_selection: Style::new().add_modifier(Modifier::BOLD),
    title: fg(0x0550ae).add_modifier(Modifier::BOLD),
    link: [fg(0x858e98), fg(0x2f81c7), fg(0x0a3d7a)],
    selected_link: fg(0x0550ae).add_modifier(Modifier::BOLD),
    packet: fg(0x6a1fa3).add_modifier(Modifier::BOLD),
    cargo: fg(0xa3195b).add_modifier(Modifier::BOLD),
    stale: fg(0x59636e),
    found: fg(0xb3131e).add_modifier(Modifier::BOLD),
    series: [
        fg(0x0550ae),
        fg(0xb35900),
        fg(0x116329),
        fg(0xb3131e),
        fg(0x6a3fc0),
        fg(0x7a4a2b),
        fg(0xb0257f),
        fg(0x4a5560),
    ],
    heat: [fg(0x6e8fb8), fg(0x4579b5), fg(0x1f5fa8), fg(0x0b4488), fg(0x032a5c)],
};

/// Blue is well, yellow is worth a look, vermilion is wrong: without green these differ in hue and in
/// brightness.
pub(super) static DEUTERANOPIA: Theme = Theme {
    base: fg(0xe6e6e6).bg(colour(0x11151a)),
    ok: fg(0x5cb3ff),
    warn: fg(0xffe566),
    bad: fg(0xe05a2b).add_modifier(Modifier::BOLD),
    muted: fg(0x9aa4ae),
    accent: fg(0x9cd3ff),
    selection: fg(0x11151a).bg(colour(0x9cd3ff)),
    faint_selection: Style::new().add_modifier(Modifier::BOLD),
    title: fg(0x9cd3ff).add_modifier(Modifier::BOLD),
    link: [fg(0x6b7683), fg(0x3f8fd6), fg(0x7cc0ff)],
    selected_link: fg(0x9cd3ff).add_modifier(Modifier::BOLD),
    packet: fg(0xffffff).add_modifier(Modifier::BOLD),
    cargo: fg(0xffb347).add_modifier(Modifier::BOLD),
    stale: fg(0x9aa4ae),
    found: fg(0xffe566).add_modifier(Modifier::BOLD),
    series: [
        fg(0xe69f00),
        fg(0x56b4e9),
        fg(0x48fcb4),
        fg(0x246cfc),
        fg(0xd84848),
        fg(0xb46c90),
        fg(0xfcfc90),
        fg(0x6cfcfc),
    ],
    heat: [fg(0x4673b8), fg(0x6f86a3), fg(0x9fa28a), fg(0xd0c25a), fg(0xffe945)],
};

/// Cyan is well, pale rose is worth a look, red is wrong: without blue these differ in hue and in
/// brightness.
pub(super) static TRITANOPIA: Theme = Theme {
    base: fg(0xe6e6e6).bg(colour(0x11151a)),
    ok: fg(0x3cc8d8),
    warn: fg(0xffd9e0),
    bad: fg(0xff5a5a).add_modifier(Modifier::BOLD),
    muted: fg(0x9aa4ae),
    accent: fg(0x7fe3ee),
    selection: fg(0x11151a).bg(colour(0x7fe3ee)),
    faint_selection: Style::new().add_modifier(Modifier::BOLD),
    title: fg(0x7fe3ee).add_modifier(Modifier::BOLD),
    link: [fg(0x6b7683), fg(0x2a9dab), fg(0x5fdce8)],
    selected_link: fg(0x7fe3ee).add_modifier(Modifier::BOLD),
    packet: fg(0xffffff).add_modifier(Modifier::BOLD),
    cargo: fg(0xff7de0).add_modifier(Modifier::BOLD),
    stale: fg(0x9aa4ae),
    found: fg(0xff5a5a).add_modifier(Modifier::BOLD),
    series: [
        fg(0x3cc8d8),
        fg(0xff6b6b),
        fg(0xb46cfc),
        fg(0xd8fc00),
        fg(0xfcb448),
        fg(0xfc0000),
        fg(0x6c9000),
        fg(0xd800fc),
    ],
    heat: [fg(0xa84848), fg(0xc24f4f), fg(0xf07070), fg(0xffa8a0), fg(0xffe3dc)],
};
