//! Puts together what an observer found out: figures over a window, and the curve of its uncertainty.

use std::time::Duration;

use anonymity::{Doubt, PoolFigures, STEP, Step};

use super::Vantage;
use crate::doubt::{changing, sentence};
use crate::guess::Guess;
use crate::inside::Inside;
use crate::limits::{Known, Limit};
use crate::report::{Bits, Counted, PoolReport, Report};
use crate::who::Who;

impl Vantage {
    /// The bits of uncertainty about senders second by second over so long, oldest first: a curve. None
    /// where somebody else watched, or nobody.
    pub fn curve(&self, over: Duration) -> impl Iterator<Item = Option<f64>> {
        let now = self.observer.now();
        let began = self.began.unwrap_or(now);
        let seconds = usize::try_from(now.saturating_sub(began).as_secs()).unwrap_or(usize::MAX);
        let steps = self.observer.figures().sender_bits.curve(now, over);
        let count = usize::try_from(over.as_secs()).unwrap_or(usize::MAX);
        // The second in which it began is part somebody else's.
        let others = count.saturating_sub(seconds.saturating_add(1));
        steps.enumerate().map(move |(at, step)| step.mean().filter(|_| at >= others))
    }

    /// All of it; none before the stream has told what the network is.
    pub fn report(&self, window: Duration) -> Option<Report> {
        let settings = self.settings()?;
        let observer = &self.observer;
        let (now, figures) = (observer.now(), observer.figures());
        let began = self.began.unwrap_or(now);
        let change = self.change.as_ref().filter(|change| {
            // Who began to watch later has seen nothing of before.
            let since = change.begins(now);
            since > began && now.saturating_sub(since) < window
        });
        let changed = change.map(|change| change.tell(now));
        let is_changing = changed.as_ref().is_some_and(|changed| !changed.is_settled);
        let began = change.map_or(began, |change| change.begins(now));
        let watched = now.saturating_sub(began).min(window);
        let (rate, acks) =
            (figures.sent.rate(now, window, began), figures.acknowledged.rate(now, window, began));
        let is_measured = watched > Duration::ZERO && rate > 0.0;
        let expected = settings.expected(self.packet_bytes);
        let pools = self.pools(watched, settings.hop_delay_s);
        let pool = mean(pools.iter().filter_map(|pool| pool.mean));
        // A step that began before is part somebody else's.
        let is_whole = watched >= STEP;
        let sender = bits(
            figures.sender_bits.over(now, watched),
            figures.worst_bits.over(now, watched),
            figures.most.over(now, watched),
        )
        .filter(|_| is_whole);
        let senders = self.senders();
        let doubts = observer.doubts(window);
        let changing_s = changed.as_ref().filter(|_| is_changing).map(|changed| changed.ago_s);
        let limits = Known {
            down: self
                .public
                .down()
                .map(|status| (status.name.clone(), status.state.word().to_owned()))
                .collect(),
            disturbed: doubts
                .iter()
                .find_map(|doubt| match doubt {
                    Doubt::Disturbed { at } => Some(now.saturating_sub(*at)),
                    _ => None,
                })
                .or(changing_s.map(Duration::from_secs_f64)),
            pool: pool.unwrap_or(expected.pool),
            bits: sender.map_or(expected.sender_bits, |sender| sender.bits),
            senders: senders.clone(),
        };
        let inside = self.inside(watched);
        let mut limits = limits.limits();
        if let Some(inside) = inside.as_ref().filter(|inside| inside.corrupt() > 0) {
            let (corrupt, mixnodes) = (inside.corrupt(), inside.mixnodes());
            limits.insert(0, Limit::Corrupt { corrupt, mixnodes, routes: inside.routes });
        }
        let calibrated = self.truth.calibrated(now, watched).filter(|_| is_whole);
        let delays = self.truth.delays();
        let other_doubts = [
            calibrated.and_then(|calibrated| calibrated.doubt()),
            delays
                .filter(|fit| !fit.is_exponential())
                .map(|fit| Doubt::Delays { distance: fit.distance }),
        ];
        // What stems from the change is told as that.
        let others = other_doubts.into_iter().flatten().filter(|_| !is_changing);
        let doubts = doubts.into_iter().chain(others);
        Some(Report {
            adversary: self.who.clone(),
            window_s: window.as_secs_f64(),
            watched_s: watched.as_secs_f64(),
            changed,
            senders: senders.len(),
            most_bits: f64::from(u32::try_from(senders.len().max(1)).unwrap_or(u32::MAX)).log2(),
            sender,
            packet_bits: figures.packet_bits.over(now, watched).mean().filter(|_| is_whole),
            settings,
            expected,
            expected_as_measured: is_measured
                .then(|| settings.expected_at(rate, acks, self.packet_bytes)),
            rate,
            acks,
            pool,
            pools,
            limits,
            doubts: changing_s
                .map(changing)
                .into_iter()
                .chain(doubts.map(|doubt| sentence(&doubt, now)))
                .collect(),
            calibration: calibrated.map(|calibrated| Counted {
                packets: calibrated.packets,
                given: calibrated.given,
                expected: calibrated.expected,
                hits: calibrated.hits,
                expected_hits: calibrated.most,
            }),
            delay_distance: delays.map(|fit| fit.distance),
            guess: self.suspects.as_ref().map(|suspects| Guess::of(suspects, &self.names)),
            inside,
            sending: self
                .watched
                .as_ref()
                .map(|watched| watched.tell(self.names.name(watched.node), now)),
        })
    }

    /// What nodes that work for it are worth; none if none does.
    fn inside(&self, over: Duration) -> Option<Inside> {
        let Who::All { mixes, providers } = &self.who else { return None };
        if mixes.is_empty() && providers.is_empty() {
            return None;
        }
        let is_corrupt = |node| self.observer.adversary().is_corrupt(node);
        let mixes = self.observer.mixes().map(|(node, layer, _)| (layer, is_corrupt(node)));
        let certain = self.observer.figures().certain.over(self.observer.now(), over);
        Some(Inside::of(mixes, certain.mean()))
    }

    fn pools(&self, window: Duration, hop_delay_s: f64) -> Vec<PoolReport> {
        let now = self.observer.now();
        let mut pools: Vec<PoolReport> = self
            .observer
            .mixes()
            .map(|(node, layer, pool)| {
                let figures: Option<PoolFigures> = pool.figures(now, window);
                PoolReport {
                    node: self.names.name(node).to_owned(),
                    layer,
                    now: pool.count(),
                    mean: figures.as_ref().map(|figures| figures.mean),
                    expected: figures.as_ref().map(|figures| figures.rate * hop_delay_s),
                    bits: figures.as_ref().map(|figures| figures.entropy),
                }
            })
            .collect();
        pools.sort_by(|one, other| (one.layer, &one.node).cmp(&(other.layer, &other.node)));
        pools
    }
}

fn bits(bits: Step, worst: Step, most: Step) -> Option<Bits> {
    let mean = bits.mean()?;
    Some(Bits {
        bits: mean,
        worst_bits: worst.mean()?,
        like: mean.exp2(),
        top_share: most.mean()?,
        packets: bits.count,
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    (count > 0.0).then(|| sum / count)
}
