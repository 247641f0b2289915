//! What a client draws by lot: when packets leave, which way they take and how long they wait. With a
//! seed this is the same in every run.
//!
//! Each purpose has a sequence of its own, so that what happens in one does not shift another: when
//! cover leaves does not depend on how many messages there are, nor on when somebody sent them.

use rand::rngs::StdRng;
use rand::{CryptoRng, SeedableRng};
use runtime::NodeSeed;

/// What something is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The time to the next slot.
    SlotInterval,
    /// The time to the next loop cover.
    LoopInterval,
    /// The way of a probe, and so on for other packets; that of their acknowledgement with it.
    Probe,
    /// Of cover in a slot.
    Cover,
    /// Of loop cover.
    Loop,
    /// Of a ping.
    Ping,
    /// Of a packet of a message that goes for the first time.
    Message,
    /// Of one that goes again.
    Again,
    /// Of a reply to this client.
    Reply,
    /// Of a packet that leaves out a layer.
    Skip,
}

impl Purpose {
    const COUNT: usize = Self::Skip as usize + 1;

    /// Its word in the derivation. Another word is another sequence.
    fn word(self) -> &'static str {
        match self {
            Self::SlotInterval => "slot interval",
            Self::LoopInterval => "loop interval",
            Self::Probe => "probe",
            Self::Cover => "cover",
            Self::Loop => "loop",
            Self::Ping => "ping",
            Self::Message => "message",
            Self::Again => "again",
            Self::Reply => "reply",
            Self::Skip => "skip",
        }
    }
}

/// Where choices come from: the system, or a seed.
#[derive(Debug, Default)]
pub(crate) struct Choices(Option<Box<Seeded>>);

#[derive(Debug)]
struct Seeded {
    seed: NodeSeed,
    /// How many there were for each purpose.
    made: [u64; Purpose::COUNT],
}

impl Choices {
    /// From this seed, beginning with the first.
    pub(crate) fn of(seed: Option<NodeSeed>) -> Self {
        Self(seed.map(|seed| Box::new(Seeded { seed, made: [0; Purpose::COUNT] })))
    }

    /// Random numbers for the next choice. Without a seed they come from `rng`.
    pub(crate) fn next(&mut self, purpose: Purpose, rng: &mut impl CryptoRng) -> StdRng {
        let Some(seeded) = &mut self.0 else { return StdRng::from_rng(rng) };
        let made = &mut seeded.made[purpose as usize];
        let choice = seeded.seed.choice(purpose.word(), *made);
        *made += 1;
        choice
    }
}
