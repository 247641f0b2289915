//! Drawing of curves and bars in cells: a block of eight heights a cell, or what ASCII has for it.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::scene::Scene;

/// Numbers that are good to read at the end of an axis, between one and ten.
const ROUND: [f64; 9] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

/// The end of an axis for values up to this one: a little more, and round.
pub(in crate::screens) fn axis_end(highest: f64) -> f64 {
    if !highest.is_finite() || highest <= 0.0 {
        return 1.0;
    }
    let wanted = highest * 1.05;
    let decade = 10_f64.powf(wanted.log10().floor());
    let round = ROUND.into_iter().find(|round| round * decade >= wanted);
    round.unwrap_or(10.0) * decade
}

/// As many values as there are columns: means of what falls into one, or each as often as it takes.
/// What is unknown is left out of a mean, and where nothing is known there is a gap.
pub(in crate::screens) fn resample(values: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    let column = |column: usize| {
        let from = column * values.len() / columns;
        let until = ((column + 1) * values.len() / columns).max(from + 1);
        let known = values.get(from..until.min(values.len()))?.iter().flatten();
        let (count, sum) = known.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
        (count > 0).then(|| sum / f64::from(count))
    };
    (0..columns).map(column).collect()
}

/// How high something is in an area, in the steps of its cells.
pub(in crate::screens) fn steps(share: f64, rows: u16, symbols: &[&str]) -> usize {
    let most = usize::from(rows) * symbols.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of the steps of a screen"
    )]
    let steps = (share.clamp(0.0, 1.0) * most as f64).round() as usize;
    steps
}

/// Fills the area below a curve, a value a column. Zero is the lowest line, a gap is nothing.
pub(in crate::screens) fn area(
    scene: &mut Scene<'_>,
    place: Rect,
    values: &[Option<f64>],
    top: f64,
    style: Style,
) {
    let curve = scene.symbols.curve;
    for (x, value) in (place.x..place.right()).zip(values) {
        let Some(value) = value else { continue };
        column(scene, (x, place), steps(value / top, place.height, curve).max(1), style);
    }
}

/// Fills a column of an area up to a height.
pub(in crate::screens) fn column(
    scene: &mut Scene<'_>,
    (x, place): (u16, Rect),
    mut height: usize,
    style: Style,
) {
    let curve = scene.symbols.curve;
    for y in (place.y..place.bottom()).rev() {
        let Some(last) = height.min(curve.len()).checked_sub(1) else { return };
        scene.glyph((x, y), curve[last], style);
        height = height.saturating_sub(curve.len());
    }
}

/// A bar from the left, and a mark in it.
pub(in crate::screens) fn bar(
    scene: &mut Scene<'_>,
    place: Rect,
    share: f64,
    mark: Option<f64>,
    style: Style,
) {
    let full = cells(share, place.width);
    let (filled, empty) = (scene.symbols.full, scene.symbols.empty);
    for (x, cell) in (place.x..place.right()).zip(0..) {
        if cell < full {
            scene.glyph((x, place.y), filled, style);
        } else {
            scene.glyph((x, place.y), empty, scene.theme.muted);
        }
    }
    if let Some(mark) = mark {
        let at = cells(mark, place.width).min(place.width.saturating_sub(1));
        let sign = if scene.symbols.unicode { "┃" } else { "|" };
        if place.width > 0 {
            scene.glyph((place.x + at, place.y), sign, scene.theme.packet);
        }
    }
}

/// So much of a width, in whole cells.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a screen's width"
)]
pub(in crate::screens) fn cells(share: f64, width: u16) -> u16 {
    (share.clamp(0.0, 1.0) * f64::from(width)).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_above_everything() {
        let ends = [0.0, 0.7, 9.0, 62.0, 96.0, 1234.0, f64::NAN].map(axis_end);
        let shown = ends.map(|end| format!("{end:.1}"));
        assert_eq!(shown, ["1.0", "0.8", "10.0", "80.0", "150.0", "1500.0", "1.0"]);
    }

    #[test]
    fn gaps_stay_gaps_at_any_width() {
        let values = [Some(1.0), Some(3.0), None, None, Some(5.0), None];
        assert_eq!(resample(&values, 3), [Some(2.0), None, Some(5.0)]);
        let wide = resample(&values, 12);
        assert_eq!(wide[..5], [Some(1.0), Some(1.0), Some(3.0), Some(3.0), None]);
        assert_eq!(resample(&[], 2), [None, None]);
        assert!(resample(&values, 0).is_empty());
    }
}
