//! Whether themes can be read, and told apart by everybody.

use ratatui::style::{Color, Style};

use super::{SERIES, Theme, ThemeName};

/// Themes that set their background too, so that what stands on it is known.
const TRUE_COLOUR: [ThemeName; 3] =
    [ThemeName::Light, ThemeName::Deuteranopia, ThemeName::Tritanopia];

/// Least contrast of text, as WCAG 2.2 asks for it (success criterion 1.4.3).
const TEXT_CONTRAST: f64 = 4.5;

/// The same of lines and bars (1.4.11).
const LINE_CONTRAST: f64 = 3.0;

/// Distance in CIELAB from which two colours are told apart at a glance.
const APART: f64 = 20.0;

/// How somebody without cones for green sees linear RGB: Machado, Oliveira, Fernandes (2009),
/// severity 1.0.
const WITHOUT_GREEN: [[f64; 3]; 3] = [
    [0.367_322, 0.860_646, -0.227_968],
    [0.280_085, 0.672_501, 0.047_413],
    [-0.011_820, 0.042_940, 0.968_881],
];

/// The same without cones for blue.
const WITHOUT_BLUE: [[f64; 3]; 3] = [
    [1.255_528, -0.076_749, -0.178_779],
    [-0.078_411, 0.930_809, 0.147_602],
    [0.004_733, 0.691_367, 0.303_900],
];

/// Linear sRGB to CIE XYZ (IEC 61966-2-1), as shares of the white D65.
const TO_XYZ: [[f64; 3]; 3] = [
    [0.4124 / 0.950_47, 0.3576 / 0.950_47, 0.1805 / 0.950_47],
    [0.2126, 0.7152, 0.0722],
    [0.0193 / 1.088_83, 0.1192 / 1.088_83, 0.9505 / 1.088_83],
];

const EVERYTHING: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Linear RGB of a colour in sRGB.
fn linear(colour: Color) -> [f64; 3] {
    let Color::Rgb(r, g, b) = colour else { panic!("{colour} is not a true colour") };
    [r, g, b].map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance(colour: Color) -> f64 {
    let [r, g, b] = linear(colour);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// CIELAB (D65) of a colour as somebody sees it.
fn lab(colour: Color, eyes: [[f64; 3]; 3]) -> [f64; 3] {
    let real = linear(colour);
    let product = |rows: [[f64; 3]; 3], with: [f64; 3]| {
        rows.map(|row| row.iter().zip(with).map(|(row, part)| row * part).sum::<f64>())
    };
    let seen = product(eyes, real).map(|part| part.clamp(0.0, 1.0));
    let [x, y, z] = product(TO_XYZ, seen)
        .map(|part| if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: Color, b: Color, eyes: [[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(a, eyes), lab(b, eyes));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn fg(style: Style) -> Color {
    style.fg.expect("it has a colour")
}

fn bg(style: Style) -> Color {
    style.bg.expect("it has a background")
}

#[test]
fn true_colours_can_be_read_on_their_background() {
    for name in TRUE_COLOUR {
        let theme = name.theme();
        let ground = bg(theme.base);
        let texts = [
            theme.base,
            theme.ok,
            theme.warn,
            theme.bad,
            theme.muted,
            theme.accent,
            theme.title,
            theme.packet,
            theme.cargo,
            theme.stale,
            theme.found,
        ];
        for text in texts {
            let found = contrast(fg(text), ground);
            assert!(found >= TEXT_CONTRAST, "{name}: {text:?} has {found:.1}");
        }
        let found = contrast(fg(theme.selection), bg(theme.selection));
        assert!(found >= TEXT_CONTRAST, "{name}: the selection has {found:.1}");
        let lines = theme.link.iter().chain(&theme.series).chain(&theme.heat);
        for &line in lines.chain([&theme.selected_link]) {
            let found = contrast(fg(line), ground);
            assert!(found >= LINE_CONTRAST, "{name}: {line:?} has {found:.1}");
        }
    }
}

/// Every two of these as somebody sees them.
fn assert_apart(name: ThemeName, styles: &[Style], eyes: [[f64; 3]; 3]) {
    for (index, &one) in styles.iter().enumerate() {
        for &other in &styles[index + 1..] {
            let found = distance(fg(one), fg(other), eyes);
            assert!(found >= APART, "{name}: {one:?} and {other:?} are {found:.0} apart");
        }
    }
}

#[test]
fn states_and_curves_are_told_apart_by_those_whom_the_theme_is_for() {
    for (name, eyes) in [
        (ThemeName::Light, EVERYTHING),
        (ThemeName::Deuteranopia, WITHOUT_GREEN),
        (ThemeName::Tritanopia, WITHOUT_BLUE),
    ] {
        let theme = name.theme();
        assert_apart(name, &[theme.ok, theme.warn, theme.bad, theme.muted], eyes);
        assert_apart(name, &theme.series, eyes);
    }
}

#[test]
fn heat_only_ever_grows_brighter_on_dark_and_darker_on_light() {
    for name in TRUE_COLOUR {
        let theme = name.theme();
        let ground = bg(theme.base);
        let steps = theme.heat.map(|step| contrast(fg(step), ground));
        assert!(steps.is_sorted(), "{name}: {steps:?}");
    }
}

#[test]
fn without_colour_every_curve_and_every_step_has_a_weight_of_its_own() {
    let theme: &Theme = ThemeName::Monochrome.theme();
    for styles in [&theme.series[..], &theme.heat[..]] {
        let weights: std::collections::HashSet<_> =
            styles.iter().map(|style| style.add_modifier).collect();
        assert_eq!(weights.len(), styles.len());
        assert!(styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
    }
    assert_eq!(theme.series.len(), SERIES);
}

#[test]
fn a_theme_is_found_by_its_name_and_the_last_is_followed_by_the_first() {
    for name in ThemeName::ALL {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
    assert!("solarized".parse::<ThemeName>().is_err());
    let mut name = ThemeName::Default;
    for _ in ThemeName::ALL {
        name = name.next();
    }
    assert_eq!(name, ThemeName::Default);
}
