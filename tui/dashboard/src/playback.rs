//! Playing a recording: how fast, and which line is due when. Pure: no clock, no file.

use std::time::Duration;

use contract::Time;

use crate::symbols::Symbols;

/// How far behind what is played may be, on our clock, before it is no longer caught up with: the
/// machine was asleep, or cannot read as fast as it was asked to.
const MAX_LAG: Duration = Duration::from_secs(1);

/// How much faster than it was a recording is played: a power of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Speed(i8);

impl Speed {
    /// An eighth shows packets one by one.
    const SLOWEST: Self = Self(-3);
    /// An hour passes in a minute.
    const FASTEST: Self = Self(6);

    /// Half of it.
    pub(crate) fn slower(self) -> Self {
        Self((self.0 - 1).max(Self::SLOWEST.0))
    }

    /// Twice of it.
    pub(crate) fn faster(self) -> Self {
        Self((self.0 + 1).min(Self::FASTEST.0))
    }

    /// Seconds of the recording in one of ours.
    pub(crate) fn factor(self) -> f64 {
        2_f64.powi(self.0.into())
    }

    /// How it is written.
    pub(crate) fn words(self, symbols: &Symbols) -> String {
        let times = 1_u32 << self.0.unsigned_abs();
        if self.0 < 0 {
            format!("{}1/{times}", symbols.times)
        } else {
            format!("{}{times}", symbols.times)
        }
    }
}

/// How a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Not at all, for now.
    pub(crate) paused: bool,
    /// How fast.
    pub(crate) speed: Speed,
}

/// When a line is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Now.
    Now,
    /// After this long, unless the pace changes.
    In(Duration),
    /// Not before the pace changes.
    Paused,
}

/// Where in a recording its player is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Player {
    pace: Pace,
    /// By the recording's clock …
    position: Time,
    /// … at this moment of ours.
    at: Time,
}

impl Player {
    /// At the beginning.
    pub(crate) fn new(first: Time, now: Time) -> Self {
        Self { pace: Pace::default(), position: first, at: now }
    }

    /// Goes on like this.
    pub(crate) fn set_pace(&mut self, now: Time, pace: Pace) {
        self.position = self.position(now);
        self.at = now;
        self.pace = pace;
    }

    fn position(&self, now: Time) -> Time {
        if self.pace.paused {
            return self.position;
        }
        let played = now.saturating_since(self.at).as_secs_f64() * self.pace.speed.factor();
        // More than any clock shows is the end of time.
        self.position + Duration::try_from_secs_f64(played).unwrap_or(Duration::MAX)
    }

    /// When the next line is to be shown, which happened at `line`.
    pub(crate) fn due(&mut self, now: Time, line: Time) -> Due {
        let position = self.position(now);
        let factor = self.pace.speed.factor();
        if line > position && self.pace.paused {
            return Due::Paused;
        }
        if line > position {
            return Due::In(line.saturating_since(position).div_f64(factor));
        }
        if position.saturating_since(line).div_f64(factor) > MAX_LAG {
            self.position = line.max(self.position);
            self.at = now;
        }
        Due::Now
    }
}

/// What the screen knows of the recording that it shows.
#[derive(Clone, Debug)]
pub(crate) struct Playback {
    /// When it begins, by its own clock.
    pub(crate) first: Time,
    /// How long it is, as far as that is known.
    pub(crate) length: Option<Duration>,
    /// How it is played.
    pub(crate) pace: Pace,
    /// How it ended, once it has.
    pub(crate) ended: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::UNICODE;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn paced(paused: bool, doublings: i8) -> Pace {
        Pace { paused, speed: Speed(doublings) }
    }

    #[test]
    fn lines_come_at_the_pace_that_is_wanted() {
        // It begins at 5 s of its own clock, and at 100 s of ours.
        let mut player = Player::new(at(5000), at(100_000));
        assert_eq!(player.due(at(100_000), at(5000)), Due::Now);
        let wait = Duration::from_millis;
        assert_eq!(player.due(at(100_000), at(5400)), Due::In(wait(400)));
        assert_eq!(player.due(at(100_300), at(5400)), Due::In(wait(100)));
        player.set_pace(at(100_300), paced(false, 1));
        assert_eq!(player.due(at(100_300), at(5400)), Due::In(wait(50)));
        assert_eq!(player.due(at(100_350), at(5400)), Due::Now);
        player.set_pace(at(100_350), paced(true, 1));
        assert_eq!(player.due(at(900_000), at(5401)), Due::Paused);
        assert_eq!(player.due(at(900_000), at(5400)), Due::Now, "it was due before");
        // What passed meanwhile does not count.
        player.set_pace(at(900_000), paced(false, -3));
        assert_eq!(player.due(at(900_000), at(5410)), Due::In(wait(80)));
        assert_eq!(player.due(at(900_080), at(5410)), Due::Now);
    }

    #[test]
    fn what_was_slept_through_is_not_caught_up_with() {
        let mut player = Player::new(at(0), at(0));
        assert_eq!(player.due(at(900), at(0)), Due::Now);
        assert_eq!(player.due(at(900), at(500)), Due::Now, "a little is");
        assert_eq!(player.due(at(60_000), at(1000)), Due::Now);
        assert_eq!(player.due(at(60_000), at(1500)), Due::In(Duration::from_millis(500)));
        player.set_pace(at(60_000), paced(false, 6));
        assert_eq!(player.due(at(60_900), at(2000)), Due::Now);
        assert_eq!(player.due(at(60_900), at(50_000)), Due::Now, "57.6 s are a little at 64 times");
    }

    #[test]
    fn speeds_are_bounded_and_named() {
        let words = |speed: Speed| speed.words(&UNICODE);
        let mut speed = Speed::default();
        assert_eq!(words(speed), "×1");
        (0..20).for_each(|_| speed = speed.slower());
        assert_eq!((words(speed), speed.factor()), ("×1/8".into(), 0.125));
        (0..20).for_each(|_| speed = speed.faster());
        assert_eq!((words(speed), speed.factor()), ("×64".into(), 64.0));
    }
}
