//! Moving through lists whose items are held by identity, not by row.

use crate::action::Action;

/// A step through a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// By this many rows: up if negative.
    By(isize),
    /// To the first.
    First,
    /// To the last.
    Last,
}

impl Motion {
    /// The motion of an action, where a page has this many rows.
    pub(crate) fn of(action: Action, page: usize) -> Option<Self> {
        let page = isize::try_from(page.max(1)).unwrap_or(1);
        Some(match action {
            Action::Up => Self::By(-1),
            Action::Down => Self::By(1),
            Action::PageUp => Self::By(-page),
            Action::PageDown => Self::By(page),
            Action::First => Self::First,
            Action::Last => Self::Last,
            _ => return None,
        })
    }

    /// The row after this step.
    pub(crate) fn from(self, row: usize, rows: usize) -> usize {
        let last = rows.saturating_sub(1);
        match self {
            Self::By(step) => row.saturating_add_signed(step).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// The item after a step from `current`; from the first if that is not in the list.
pub(crate) fn step<T: PartialEq + Clone>(
    items: &[T],
    current: Option<&T>,
    motion: Motion,
) -> Option<T> {
    let row = current.and_then(|current| items.iter().position(|item| item == current));
    let next = match row {
        Some(row) => motion.from(row, items.len()),
        None if motion == Motion::Last => items.len().saturating_sub(1),
        None => 0,
    };
    items.get(next).cloned()
}

/// The same in a list that grows at its end, where no selection means: follow the newest.
pub(crate) fn step_following<T: PartialEq + Clone>(
    items: &[T],
    current: Option<&T>,
    motion: Motion,
) -> Option<T> {
    let last = items.len().checked_sub(1)?;
    let row = match current {
        None => last,
        // What was selected has been forgotten: it was older than all.
        Some(current) => items.iter().position(|item| item == current).unwrap_or(0),
    };
    let next = motion.from(row, items.len());
    let to_end = motion == Motion::Last || (next == last && row == last);
    if to_end { None } else { items.get(next).cloned() }
}

/// The first row to show so that `row` is visible, as near to the middle as the ends allow.
pub(crate) fn first_visible(row: usize, rows: usize, height: usize) -> usize {
    row.saturating_sub(height / 2).min(rows.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_in_the_list_and_start_at_its_first_item() {
        let items = ["a", "b", "c"];
        assert_eq!(step(&items, None, Motion::By(1)), Some("a"));
        assert_eq!(step(&items, Some(&"a"), Motion::By(-1)), Some("a"));
        assert_eq!(step(&items, Some(&"b"), Motion::By(9)), Some("c"));
        assert_eq!(step(&items, Some(&"gone"), Motion::By(1)), Some("a"));
        assert_eq!(step::<&str>(&[], None, Motion::Last), None);
    }

    #[test]
    fn going_up_lets_go_of_the_newest_and_going_past_it_takes_hold_again() {
        let items = [1, 2, 3];
        assert_eq!(step_following(&items, None, Motion::By(-1)), Some(2));
        assert_eq!(step_following(&items, Some(&2), Motion::By(1)), Some(3));
        assert_eq!(step_following(&items, Some(&3), Motion::By(1)), None);
        assert_eq!(step_following(&items, Some(&1), Motion::Last), None);
        assert_eq!(step_following(&items, Some(&0), Motion::By(-1)), Some(1));
        assert_eq!(step_following::<u8>(&[], None, Motion::By(1)), None);
    }

    #[test]
    fn the_selected_row_is_always_visible() {
        for rows in 0..30 {
            for height in 1..12 {
                for row in 0..rows {
                    let first = first_visible(row, rows, height);
                    assert!((first..first + height).contains(&row));
                    assert!(first == 0 || first + height <= rows);
                }
            }
        }
    }
}
