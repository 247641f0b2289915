//! How long packets took, beside how long they should.

use contract::Transits;

use super::ring::{Ring, Window};
use super::theory::Erlang;
use crate::state::{as_f64, as_ms};

/// This share of packets has arrived when measuring begins anew: what was underway when the delays
/// were changed had others.
const SETTLED: f64 = 0.999;

/// With fewer packets nothing can be said.
const ENOUGH: u64 = 50;

/// Largest distance of two distribution functions by chance, times the root of the number of packets:
/// one sample in a hundred is further off (Kolmogorov's distribution).
const CHANCE: f64 = 1.63;

/// Links, timers and a busy machine take their time too. Up to this distance the curves look alike.
const ALIKE: f64 = 0.05;

/// How long packets took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delays {
    steps: Ring<Transits>,
    theory: Option<Erlang>,
    /// Since when what is counted had these delays, in seconds since 1970, and whether others were
    /// in force before.
    since: Option<(i64, bool)>,
}

/// What was measured in a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// Packets by how long they took.
    pub(crate) transits: Transits,
    /// How long they should have taken.
    pub(crate) theory: Erlang,
}

/// The slowest packets, of which there are so few that the distance does not show them …
const TAIL: f64 = 0.99;

/// … took so many times what they should: chance does that once in 2000 times with the fewest packets
/// that are compared.
const HELD: f64 = 2.0;

/// How well what was measured agrees with theory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Too few packets to say.
    TooFew,
    /// No further off than chance would have it.
    ByChance,
    /// A little off: what else takes time shows.
    Alike,
    /// As it should be, but for a few that something held up.
    Held,
    /// Later than it should be.
    Later,
    /// Earlier than it should be.
    Earlier,
}

impl Delays {
    /// Packets that leave from now on should take so long. Where that is new, gives back from when on
    /// what is measured can be compared with it.
    pub(super) fn expect(&mut self, theory: Erlang, now: i64) -> Option<i64> {
        let before = self.theory.replace(theory);
        if before == Some(theory) {
            return None;
        }
        let settled = before.map_or(now, |before| {
            let longest = before.quantile(SETTLED).max(theory.quantile(SETTLED)) / 1000.0;
            // A day is longer than anybody waits.
            #[expect(clippy::cast_possible_truncation, reason = "at most a day")]
            let seconds = longest.ceil().clamp(0.0, 86_400.0) as i64;
            now.saturating_add(seconds)
        });
        self.steps.clear();
        self.since = Some((settled, before.is_some()));
        Some(settled)
    }

    /// A process counted more packets than in its report before.
    pub(super) fn count(&mut self, at: i64, before: Option<&Transits>, now: &Transits) {
        if self.since.is_some_and(|(since, _)| at < since) {
            return;
        }
        let before = |bucket| before.and_then(|before| before.buckets.get(bucket)).copied();
        let more = now.buckets.iter().filter_map(|(bucket, count)| {
            let more = count.checked_sub(before(bucket).unwrap_or(0))?;
            (more > 0 && *bucket < Transits::BUCKETS).then_some((*bucket, more))
        });
        let more = Transits { buckets: more.collect() };
        if more.total() > 0 {
            self.steps.record(at).merge(&more);
        }
    }

    /// What was measured in a window; none before the devnet has said what to expect.
    pub(crate) fn measured(&self, window: Window, now: i64) -> Option<Measured> {
        let mut transits = Transits::default();
        self.steps.window(window, now).for_each(|step| transits.merge(step));
        Some(Measured { transits, theory: self.theory? })
    }

    /// Since when packets are counted, if the delays were changed before: seconds since 1970. It may
    /// be to come.
    pub(crate) fn changed(&self) -> Option<i64> {
        self.since.filter(|(_, changed)| *changed).map(|(since, _)| since)
    }
}

impl Measured {
    /// The delay in milliseconds that this share of packets did not exceed; none without packets. In
    /// a bucket they are taken to be spread evenly over the logarithm of their delay.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.transits.total();
        let wanted = share * as_f64(total);
        let mut before = 0.0;
        for (bucket, count) in &self.transits.buckets {
            let count = as_f64(*count);
            if before + count >= wanted && count > 0.0 {
                let from = as_ms(Transits::lower_edge(*bucket));
                let until = as_ms(Transits::lower_edge(bucket.saturating_add(1)));
                return Some(from * (until / from).powf((wanted - before) / count));
            }
            before += count;
        }
        None
    }

    /// Share of the packets in a bucket; zero without packets.
    pub(crate) fn in_bucket(&self, bucket: u8) -> f64 {
        let count = self.transits.buckets.get(&bucket).copied().unwrap_or(0);
        as_f64(count) / as_f64(self.transits.total().max(1))
    }

    /// How well it agrees with theory, by the largest distance of the two distribution functions at
    /// the edges of the buckets.
    pub(crate) fn fit(&self) -> Fit {
        let total = self.transits.total();
        if total < ENOUGH {
            return Fit::TooFew;
        }
        let (mut below, mut furthest) = (0, 0.0_f64);
        for bucket in 1..Transits::BUCKETS {
            below += self.transits.buckets.get(&(bucket - 1)).copied().unwrap_or(0);
            let distance = as_f64(below) / as_f64(total) - self.theory.below(bucket);
            if distance.abs() > furthest.abs() {
                furthest = distance;
            }
        }
        let slowest = self.quantile(TAIL).unwrap_or(0.0);
        match furthest.abs() {
            distance if distance <= ALIKE && slowest > HELD * self.theory.quantile(TAIL) => {
                Fit::Held
            }
            distance if distance <= CHANCE / as_f64(total).sqrt() => Fit::ByChance,
            distance if distance <= ALIKE => Fit::Alike,
            // More have arrived than should have.
            _ if furthest > 0.0 => Fit::Earlier,
            _ => Fit::Later,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CLASSIC: Erlang = Erlang { hops: 3, mean_ms: 200.0 };

    /// So many packets as theory has them, this much later.
    fn packets(count: u32, later: f64) -> Transits {
        let mut transits = Transits::default();
        for packet in 0..count {
            let share = (f64::from(packet) + 0.5) / f64::from(count);
            let ms = CLASSIC.quantile(share) + later;
            transits.add(Duration::from_secs_f64(ms / 1000.0));
        }
        transits
    }

    fn measured(transits: Transits) -> Measured {
        Measured { transits, theory: CLASSIC }
    }

    #[test]
    fn packets_as_theory_has_them_agree_and_have_its_quantiles() {
        let all = measured(packets(2000, 0.0));
        assert_eq!(all.fit(), Fit::ByChance);
        for share in [0.5, 0.99] {
            let (got, theory) = (all.quantile(share).expect("packets"), CLASSIC.quantile(share));
            assert!((got / theory - 1.0).abs() < 0.03, "{got} is not {theory}");
        }
        let sum: f64 = (0..Transits::BUCKETS).map(|bucket| all.in_bucket(bucket)).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert_eq!(measured(Transits::default()).quantile(0.5), None);
    }

    #[test]
    fn what_is_off_is_off_in_its_direction() {
        assert_eq!(measured(packets(49, 0.0)).fit(), Fit::TooFew);
        assert_eq!(measured(packets(400, 150.0)).fit(), Fit::Later);
        assert_eq!(measured(packets(20_000, 15.0)).fit(), Fit::Alike);
        let mut held = packets(1000, 0.0);
        for _ in 0..15 {
            held.add(Duration::from_secs(40));
        }
        assert_eq!(measured(held).fit(), Fit::Held, "the others are as they should be");
        let hasty =
            Measured { theory: Erlang { hops: 3, mean_ms: 300.0 }, ..measured(packets(400, 0.0)) };
        assert_eq!(hasty.fit(), Fit::Earlier);
    }

    #[test]
    fn measuring_begins_anew_when_what_was_underway_has_arrived() {
        let mut delays = Delays::default();
        assert_eq!(delays.expect(CLASSIC, 1000), Some(1000));
        assert_eq!(delays.changed(), None, "there was nothing before");
        let first = packets(100, 0.0);
        let more = |before: &Transits| {
            let mut more = packets(50, 0.0);
            more.merge(before);
            more
        };
        let (second, third) = (more(&first), more(&more(&first)));
        delays.count(1010, None, &first);
        delays.count(1011, Some(&first), &second);
        let total = |delays: &Delays, now| {
            delays.measured(Window::Minute, now).map(|measured| measured.transits.total())
        };
        assert_eq!(total(&delays, 1020), Some(second.total()));
        assert_eq!(total(&delays, 1100), Some(0), "it is longer ago than a minute");
        assert_eq!(delays.expect(CLASSIC, 1020), None, "nothing changed");
        assert_eq!(total(&delays, 1020), Some(second.total()));
        // 999 of 1000 packets took less than 11.2 times 200 ms.
        let fast = Erlang { mean_ms: 20.0, ..CLASSIC };
        assert_eq!(delays.expect(fast, 1020), Some(1023));
        assert_eq!(delays.changed(), Some(1023));
        delays.count(1022, Some(&second), &third);
        assert_eq!(total(&delays, 1022), Some(0), "those had the delays before");
        delays.count(1023, Some(&second), &third);
        let now = delays.measured(Window::Minute, 1023).expect("measured");
        assert_eq!((now.transits.total(), now.theory), (third.total() - second.total(), fast));
    }

    #[test]
    fn a_process_that_counts_less_than_before_counts_nothing() {
        let mut delays = Delays::default();
        delays.expect(CLASSIC, 0);
        delays.count(1, Some(&packets(50, 0.0)), &packets(10, 0.0));
        let now = delays.measured(Window::Minute, 1).expect("measured");
        assert_eq!(now.transits.total(), 0);
    }
}
