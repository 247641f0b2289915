//! Lists whose items have different heights: which part of them is shown, and how a selection moves
//! through them.
//!
//! There may be thousands of items: only those near the selected one are ever laid out.

use std::collections::VecDeque;

use crate::motion::Motion;

/// The selection of a list that grows at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Its end is followed.
    End,
    /// This item is held, and so many of its rows are above the pane where it is higher than that.
    Item(usize, usize),
}

/// An item that is shown.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    /// Which one.
    pub(crate) index: usize,
    /// How it looks.
    pub(crate) block: T,
    /// Rows of it that are above the pane.
    pub(crate) above: usize,
}

impl Held {
    /// The item that the keys act on, of so many.
    pub(crate) fn index(self, count: usize) -> Option<usize> {
        let last = count.checked_sub(1)?;
        Some(match self {
            Self::End => last,
            Self::Item(index, _) => index.min(last),
        })
    }

    /// Rows of that item above a pane of this height, if it has so many.
    fn above(self, rows: usize, height: usize) -> usize {
        let most = rows.saturating_sub(height);
        match self {
            Self::End => most,
            Self::Item(_, above) => above.min(most),
        }
    }

    /// After a step in a pane of this height. `rows` tells the height of an item.
    pub(crate) fn step(
        self,
        count: usize,
        height: usize,
        motion: Motion,
        rows: impl Fn(usize) -> usize,
    ) -> Self {
        let Some(mut index) = self.index(count) else { return Self::End };
        let step = match motion {
            Motion::First => return Self::Item(0, 0),
            Motion::Last => return Self::End,
            Motion::By(step) => step,
        };
        // Through an item that is higher than the pane, then to the next one.
        let above = self.above(rows(index), height);
        let most = rows(index).saturating_sub(height);
        let inside = above.saturating_add_signed(step).min(most);
        if inside != above {
            return Self::Item(index, inside);
        }
        let was_last = index + 1 == count;
        let mut left = step.unsigned_abs();
        while left > 0 {
            let next = if step < 0 { index.checked_sub(1) } else { Some(index + 1) };
            let Some(next) = next.filter(|&next| next < count) else { break };
            index = next;
            // A page is as many items as have its rows; a single step is one item.
            left = if step.unsigned_abs() == 1 { 0 } else { left.saturating_sub(rows(index)) };
        }
        if was_last && index + 1 == count && step > 0 {
            return Self::End;
        }
        let most = rows(index).saturating_sub(height);
        Self::Item(index, if step < 0 { most } else { 0 })
    }

    /// What is shown in a pane of this height, from its top. `show` lays an item out, `rows` tells
    /// how high that is.
    pub(crate) fn window<T>(
        self,
        count: usize,
        height: usize,
        mut show: impl FnMut(usize) -> T,
        rows: impl Fn(&T) -> usize,
    ) -> Vec<Placed<T>> {
        let Some(selected) = self.index(count) else { return Vec::new() };
        let mut place = |index| {
            let block = show(index);
            (rows(&block), Placed { index, block, above: 0 })
        };
        let (own, mut middle) = place(selected);
        if own >= height {
            middle.above = self.above(own, height);
            return vec![middle];
        }
        // As many on either side as could be needed; then cut where the selected one is in the
        // middle, or as near to it as the ends allow.
        let mut around = VecDeque::from([(own, middle)]);
        let (mut before, mut after) = (0, 0);
        for index in (0..selected).rev() {
            if before >= height - own {
                break;
            }
            let placed = place(index);
            before += placed.0;
            around.push_front(placed);
        }
        for index in selected + 1..count {
            if after >= height - own {
                break;
            }
            let placed = place(index);
            after += placed.0;
            around.push_back(placed);
        }
        let all = before + own + after;
        let middle = (before + own / 2).saturating_sub(height / 2);
        let mut above = middle.min(all.saturating_sub(height));
        while let Some((rows, mut first)) = around.pop_front() {
            if above < rows {
                first.above = above;
                around.push_front((rows, first));
                break;
            }
            above -= rows;
        }
        around.into_iter().map(|(_, placed)| placed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows that are shown, as (item, row of it).
    fn shown(held: Held, heights: &[usize], height: usize) -> Vec<(usize, usize)> {
        let window = held.window(heights.len(), height, |index| heights[index], |rows| *rows);
        let rows = window
            .into_iter()
            .flat_map(|placed| (placed.above..placed.block).map(move |row| (placed.index, row)));
        rows.take(height).collect()
    }

    #[test]
    fn the_selected_item_is_always_shown_and_the_pane_is_full_if_it_can_be() {
        let heights = [1, 3, 1, 9, 2, 1, 1];
        let all: usize = heights.iter().sum();
        for height in 1..=all + 2 {
            for selected in 0..heights.len() {
                let rows = shown(Held::Item(selected, 0), &heights, height);
                let wanted = heights[selected].min(height);
                let own = rows.iter().filter(|(index, _)| *index == selected).count();
                assert_eq!(own, wanted, "item {selected} in {height} rows: {rows:?}");
                assert_eq!(rows.len(), height.min(all), "{rows:?}");
            }
            let last = shown(Held::End, &heights, height).pop();
            assert_eq!(last, Some((6, 0)), "the end is shown where it is followed");
        }
        assert_eq!(shown(Held::End, &[], 5), []);
    }

    #[test]
    fn a_step_goes_through_what_is_higher_than_the_pane() {
        let heights = [1, 6, 1];
        let step = |held: Held, by| held.step(3, 4, Motion::By(by), |index| heights[index]);
        let mut held = Held::Item(0, 0);
        let mut way = Vec::new();
        for _ in 0..5 {
            held = step(held, 1);
            way.push(held);
        }
        let item = Held::Item;
        assert_eq!(way, [item(1, 0), item(1, 1), item(1, 2), item(2, 0), Held::End]);
        assert_eq!(step(Held::End, -1), item(1, 2), "from below its end is seen first");
        assert_eq!(step(item(1, 2), -4), item(1, 0));
        assert_eq!(step(item(0, 0), -1), item(0, 0));
        assert_eq!(step(item(0, 0), 4), item(1, 0), "a page");
        assert_eq!(Held::End.step(0, 4, Motion::First, |_| 1), Held::End);
    }
}
