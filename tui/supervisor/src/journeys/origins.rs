//! Whose packets leave the last layer: the truth, of a sample of all packets.
//!
//! Who sends a packet tells how it looked, as for a message; here cover and acknowledgements count as
//! well. A packet is in the sample by the hash of its first header alone, so that nothing about it
//! makes that more or less likely: neither who sent it, nor when, nor how long it was to wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::Time;
use control::{Carried, Origin};

use super::record::Passed;
use super::waiting::{Fate, Header, Told, Waiting};

/// As many packets a second are in the sample if there are more than that, or half as many: a mean over
/// half a minute is then good to a twentieth of its deviation, and a recording grows by a sixth.
const WANTED_A_SECOND: u64 = 32;

/// No more are told in a second, whatever came together: a mixnode that was stopped tells all at once.
const MAX_A_SECOND: u64 = 2 * WANTED_A_SECOND;

/// So long a packet is followed: three hops of the longest mean delay that can be asked for, 10 s, take
/// longer once in two thousand times.
const MAX_AGE: Duration = Duration::from_secs(120);

/// How many are followed: twice as many as begin in that time.
const MAX_FOLLOWED: usize = 8192;

/// Nodes on a way. A header has room for five hops; who tells of more makes something up.
const MAX_STEPS: usize = 8;

const SECOND: Duration = Duration::from_secs(1);

/// Packets of the sample that are underway.
#[derive(Debug, Default)]
pub(super) struct Origins {
    sample: Sample,
    /// By the header that will be told next.
    followed: HashMap<Header, Followed>,
    /// The second in which something was told last, and how much.
    told: (Time, u64),
}

#[derive(Debug)]
struct Followed {
    began: Time,
    origin: String,
    carried: Carried,
    /// The mixnode that passed it on last, and when.
    last: Option<(Arc<str>, Time)>,
}

/// Decides which packets are in the sample: those whose header's hash begins with so many zeros.
#[derive(Debug, Default)]
struct Sample {
    zeros: u32,
    /// Since when packets have been counted, and how many.
    counted: (Time, u64),
}

impl Sample {
    fn takes(&mut self, now: Time, header: Header) -> bool {
        let (since, count) = &mut self.counted;
        let elapsed = now.saturating_since(*since);
        if elapsed >= SECOND {
            let per_second = u128::from(*count) * SECOND.as_nanos() / elapsed.as_nanos();
            let is_enough = |zeros: &u32| per_second >> zeros <= u128::from(WANTED_A_SECOND);
            self.zeros = (0..u64::BITS).find(is_enough).unwrap_or(u64::BITS);
            (*since, *count) = (now, 0);
        }
        *count += 1;
        // There are suddenly many more than in the second before.
        if *count >> self.zeros > MAX_A_SECOND {
            self.zeros += 1;
        }
        u64::from_be_bytes(header).leading_zeros() >= self.zeros
    }
}

impl Origins {
    /// A packet with this header began. What was told of it already is in `waiting`.
    pub(super) fn begin(
        &mut self,
        now: Time,
        header: Header,
        origin: impl FnOnce() -> String,
        carried: Carried,
        waiting: &Waiting,
    ) -> Option<Origin> {
        if !self.sample.takes(now, header) {
            return None;
        }
        let followed = Followed { began: now, origin: origin(), carried, last: None };
        self.follow(now, header, followed, waiting)
    }

    /// Something was told of a packet.
    pub(super) fn hear(&mut self, now: Time, told: &Told, waiting: &Waiting) -> Option<Origin> {
        let mut followed = self.followed.remove(&told.what.header())?;
        match followed.step(told) {
            Step::Goes(next) => self.follow(now, next, followed, waiting),
            Step::Ends(origin) => origin.filter(|_| self.may_tell(now)),
        }
    }

    /// Follows a packet as far as what was told of it reaches.
    fn follow(
        &mut self,
        now: Time,
        mut header: Header,
        mut followed: Followed,
        waiting: &Waiting,
    ) -> Option<Origin> {
        for _ in 0..MAX_STEPS {
            let Some(told) = waiting.look(header) else {
                self.expect(now, header, followed);
                return None;
            };
            match followed.step(told) {
                Step::Goes(next) => header = next,
                Step::Ends(origin) => return origin.filter(|_| self.may_tell(now)),
            }
        }
        None
    }

    fn expect(&mut self, now: Time, header: Header, followed: Followed) {
        if self.followed.len() == MAX_FOLLOWED {
            self.followed.retain(|_, followed| now.saturating_since(followed.began) < MAX_AGE);
        }
        if self.followed.len() < MAX_FOLLOWED {
            self.followed.insert(header, followed);
        }
    }

    fn may_tell(&mut self, now: Time) -> bool {
        let (since, count) = &mut self.told;
        if now.saturating_since(*since) >= SECOND {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= MAX_A_SECOND
    }
}

enum Step {
    /// It went on and has this header now.
    Goes(Header),
    /// It is at a provider, or was given up before it came to one.
    Ends(Option<Origin>),
}

impl Followed {
    fn step(&mut self, Told { node, what }: &Told) -> Step {
        match what {
            Fate::Passed(Passed { left, after, .. }) => {
                self.last = Some((Arc::clone(node), *left));
                Step::Goes(after.header)
            }
            Fate::Kept(_) => Step::Ends(self.last.take().map(|(mix, left)| Origin {
                left,
                mix: String::from(&*mix),
                provider: String::from(&**node),
                origin: std::mem::take(&mut self.origin),
                carried: self.carried,
            })),
            Fate::Dropped(_) => Step::Ends(None),
        }
    }
}

#[cfg(test)]
mod tests;
