//! Steps of equal length, the latest of them, and the windows that look at them.

use std::collections::VecDeque;

/// Seconds of a step where there is no finer ring: an hour in 360 of them, as the directory has it.
pub(crate) const COARSE: u64 = 10;

/// Seconds from 1970 that no clock is asked about: 30 000 years. What is said to be later is then.
const FARTHEST: i64 = 1 << 40;

/// How far back the screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Window {
    /// One minute, by seconds.
    Minute,
    /// Five minutes, by seconds.
    #[default]
    FiveMinutes,
    /// An hour, in steps of ten seconds.
    Hour,
}

impl Window {
    /// The next one, and after the longest the shortest.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Minute => Self::FiveMinutes,
            Self::FiveMinutes => Self::Hour,
            Self::Hour => Self::Minute,
        }
    }

    /// Its length.
    pub(crate) fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }

    /// Seconds of its steps.
    pub(crate) fn step(self) -> u64 {
        match self {
            Self::Minute | Self::FiveMinutes => 1,
            Self::Hour => COARSE,
        }
    }

    /// How it is called.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Minute => "1 min",
            Self::FiveMinutes => "5 min",
            Self::Hour => "60 min",
        }
    }
}

/// The latest steps, one after the other without a gap; what is in none was never recorded.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    /// Seconds of a step.
    length: i64,
    /// How many are kept.
    kept: usize,
    /// Number of the last cell's step: seconds since 1970 by the length.
    newest: i64,
    cells: VecDeque<T>,
}

/// An hour in coarse steps.
impl<T: Default> Default for Ring<T> {
    fn default() -> Self {
        Self::new(COARSE, 360)
    }
}

impl<T: Default> Ring<T> {
    /// An empty ring of so many steps of so many seconds.
    pub(crate) fn new(length: u64, kept: usize) -> Self {
        let length = i64::try_from(length).unwrap_or(i64::MAX).max(1);
        Self { length, kept: kept.max(1), newest: 0, cells: VecDeque::new() }
    }

    /// The step of a second.
    pub(crate) fn step(&self, second: i64) -> i64 {
        second.clamp(-FARTHEST, FARTHEST).div_euclid(self.length)
    }

    /// The cell of this second, for something that happens now. One that is older than everything
    /// kept means that the clock was set back: then everything begins anew.
    pub(crate) fn record(&mut self, second: i64) -> &mut T {
        let step = self.step(second);
        if self.newest.saturating_sub(step) >= self.span() {
            self.cells.clear();
        }
        let index = self.reach(step).unwrap_or(0);
        &mut self.cells[index]
    }

    /// The cell of this second, for something that is told of the past; none if it is forgotten.
    pub(crate) fn recall(&mut self, second: i64) -> Option<&mut T> {
        let index = self.reach(self.step(second))?;
        self.cells.get_mut(index)
    }

    fn span(&self) -> i64 {
        i64::try_from(self.kept).unwrap_or(i64::MAX)
    }

    /// Makes the cell of a step, if it may have one, and tells where it is.
    fn reach(&mut self, step: i64) -> Option<usize> {
        let ahead = step.saturating_sub(self.newest);
        if self.cells.is_empty() || ahead >= self.span() {
            self.cells.clear();
            self.cells.push_back(T::default());
            self.newest = step;
            return Some(0);
        }
        for _ in 0..ahead {
            if self.cells.len() == self.kept {
                self.cells.pop_front();
            }
            self.cells.push_back(T::default());
        }
        self.newest = self.newest.max(step);
        let back = usize::try_from(self.newest.saturating_sub(step)).ok()?;
        if back >= self.kept {
            return None;
        }
        while self.cells.len() <= back {
            self.cells.push_front(T::default());
        }
        Some(self.cells.len() - 1 - back)
    }

    /// The cell of a step.
    pub(crate) fn get(&self, step: i64) -> Option<&T> {
        let back = usize::try_from(self.newest.checked_sub(step)?).ok()?;
        self.cells.get(self.cells.len().checked_sub(back + 1)?)
    }

    /// The cells of a window that ends now: as many whole steps as it has, the present one included.
    pub(crate) fn window(&self, window: Window, now: i64) -> impl Iterator<Item = &T> {
        let last = self.step(now);
        let steps = i64::try_from(window.seconds()).unwrap_or(i64::MAX) / self.length;
        (last - steps + 1..=last).filter_map(|step| self.get(step))
    }

    /// The cells with their steps, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        let first = self.newest - i64::try_from(self.cells.len()).unwrap_or(0) + 1;
        (first..).zip(&self.cells)
    }

    /// The cells, to be changed.
    pub(crate) fn cells_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.cells.iter_mut()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(ring: &Ring<u32>) -> Vec<(i64, u32)> {
        ring.iter().filter(|(_, value)| **value > 0).map(|(step, value)| (step, *value)).collect()
    }

    #[test]
    fn the_latest_steps_are_kept_in_any_order_of_telling() {
        let mut ring = Ring::new(10, 4);
        *ring.record(1005) = 1;
        *ring.record(1025) += 3;
        *ring.record(1029) += 1;
        assert_eq!(filled(&ring), [(100, 1), (102, 4)]);
        *ring.recall(995).expect("there is room for one before") = 9;
        assert!(ring.recall(985).is_none(), "and for no other");
        *ring.record(1031) = 5;
        assert_eq!(filled(&ring), [(100, 1), (102, 4), (103, 5)]);
        assert_eq!((ring.get(101), ring.get(99), ring.get(104)), (Some(&0), None, None));
        *ring.record(5000) = 7;
        assert_eq!(filled(&ring), [(500, 7)]);
    }

    #[test]
    fn a_clock_that_is_set_begins_anew_and_moments_at_the_ends_of_time_do_no_harm() {
        let mut ring = Ring::new(1, 4);
        for second in [100, 50, i64::MAX, i64::MIN, 0, -7] {
            *ring.record(second) = 1;
            assert_eq!(filled(&ring), [(second.clamp(-FARTHEST, FARTHEST), 1)]);
            ring.recall(i64::MIN);
            assert_eq!(
                ring.window(Window::Minute, 50).count(),
                usize::from((-9..=50).contains(&second))
            );
        }
    }

    #[test]
    fn a_window_has_its_last_steps() {
        let mut ring: Ring<u32> = Ring::default();
        for second in 0..3600 {
            *ring.record(second) += 1;
        }
        let sum = |window| ring.window(window, 3599).sum::<u32>();
        assert_eq!([Window::Minute, Window::FiveMinutes, Window::Hour].map(sum), [60, 300, 3600]);
        assert_eq!(ring.window(Window::Minute, 3600).sum::<u32>(), 50, "one has just begun");
    }
}
