//! The knobs: values in steps that are good to compare, what is turned and not applied yet, and the requests
//! and commands that make a network so.

use control::{AddRequest, DevnetInfo, SetRequest};
use vantage::Settings;

use crate::message::Wanted;
use crate::state::Devnet;

/// Times to choose from, in milliseconds: what is between them tells nothing new.
const TIMES_MS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];

/// Sizes of a crowd to choose from.
const CROWDS: [f64; 10] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// The widest that can be chosen: each step is a process for each layer.
const MAX_WIDTH: u16 = 16;

/// Something that decides about anonymity and can be changed while the network runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knob {
    /// Mean delay at a mixnode.
    HopDelay,
    /// Mean interval of loop cover.
    LoopCover,
    /// Mean interval of send slots.
    Slot,
    /// Whether slots without a message carry cover: 1 or 0.
    SlotCover,
    /// Identities of the crowd.
    Crowd,
    /// Mixnodes of a layer.
    Width,
}

impl Knob {
    /// All of them, in the order of the screen.
    pub(crate) const ALL: [Self; 6] =
        [Self::HopDelay, Self::LoopCover, Self::Slot, Self::SlotCover, Self::Crowd, Self::Width];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HopDelay => "hop delay",
            Self::LoopCover => "loop cover",
            Self::Slot => "send slot",
            Self::SlotCover => "slot cover",
            Self::Crowd => "crowd",
            Self::Width => "width",
        }
    }

    /// How it stands in the network.
    pub(super) fn value(self, info: &DevnetInfo) -> f64 {
        match self {
            Self::HopDelay => info.hop_delay_ms,
            Self::LoopCover => info.loop_cover_ms,
            Self::Slot => info.slot_ms,
            Self::SlotCover => f64::from(u8::from(info.slot_cover)),
            Self::Crowd => info.crowd.into(),
            Self::Width => info.widths.iter().copied().min().unwrap_or(1).into(),
        }
    }

    /// The next value to choose, or the one before.
    fn step(self, value: f64, up: bool) -> f64 {
        let steps: &[f64] = match self {
            Self::HopDelay | Self::LoopCover | Self::Slot => &TIMES_MS,
            Self::Crowd => &CROWDS,
            Self::SlotCover => &[0.0, 1.0],
            Self::Width => {
                let step = if up { value + 1.0 } else { value - 1.0 };
                return step.clamp(1.0, value.max(MAX_WIDTH.into()));
            }
        };
        let next = if up {
            steps.iter().copied().find(|step| *step > value)
        } else {
            steps.iter().copied().rev().find(|step| *step < value)
        };
        next.unwrap_or(value)
    }
}

/// Knobs that were turned and not applied, in the units of [`Knob::value`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Turned([Option<f64>; Knob::ALL.len()]);

impl Turned {
    /// How a knob stands here, if it was turned away from how it stands in the network.
    pub(super) fn of(&self, knob: Knob, info: &DevnetInfo) -> Option<f64> {
        #[expect(
            clippy::float_cmp,
            reason = "values that were chosen, and none that were reckoned"
        )]
        self.0[knob as usize].filter(|value| *value != knob.value(info))
    }

    /// Turns a knob by a step.
    pub(super) fn turn(&mut self, knob: Knob, info: &DevnetInfo, up: bool) {
        let value = self.of(knob, info).unwrap_or_else(|| knob.value(info));
        self.0[knob as usize] = Some(knob.step(value, up));
    }

    /// The settings as they would be.
    pub(super) fn would_be(&self, now: Settings, info: &DevnetInfo) -> Option<Settings> {
        let mut settings = now;
        let mut has_turned = false;
        for knob in Knob::ALL {
            let Some(value) = self.of(knob, info) else { continue };
            has_turned = true;
            match knob {
                Knob::HopDelay => settings.hop_delay_s = value / 1000.0,
                Knob::LoopCover => settings.loop_cover_s = value / 1000.0,
                Knob::Slot => settings.slot_s = value / 1000.0,
                Knob::SlotCover => settings.slot_cover = is_on(value),
                Knob::Crowd => {
                    // Who is no identity of the crowd stays.
                    let others = settings.senders.saturating_sub(info.crowd.into());
                    settings.senders = others.saturating_add(whole(value).into());
                }
                Knob::Width => settings.width = whole(value).into(),
            }
        }
        has_turned.then_some(settings)
    }

    /// What has to be asked for so that the network is as the knobs stand.
    pub(super) fn wanted(&self, devnet: &Devnet) -> Wanted {
        let info = &devnet.info;
        let set = SetRequest {
            hop_delay_ms: self.of(Knob::HopDelay, info),
            slot_ms: self.of(Knob::Slot, info),
            loop_cover_ms: self.of(Knob::LoopCover, info),
            slot_cover: self.of(Knob::SlotCover, info).map(is_on),
            crowd: self.of(Knob::Crowd, info).map(whole),
        };
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        let width = self.of(Knob::Width, info).map(|width| usize::from(whole(width)));
        for (layer, width) in (1..=info.layers).zip(std::iter::repeat(width)) {
            let Some(width) = width else { break };
            let nodes = devnet.nodes.iter().filter(|node| node.status.layer == Some(layer));
            let names: Vec<&str> = nodes.map(crate::state::Node::name).collect();
            for _ in names.len()..width {
                add.push(AddRequest::Mixnode { layer });
            }
            // The last ones go: the first have been there longest.
            remove.extend(names.iter().skip(width).map(|name| (*name).to_owned()));
        }
        Wanted { set, add, remove }
    }
}

/// What a switch stands on.
pub(super) fn is_on(value: f64) -> bool {
    value > 0.5
}

/// A count that was chosen among whole numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a chosen step")]
fn whole(value: f64) -> u16 {
    value.clamp(0.0, f64::from(u16::MAX)).round() as u16
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_knob_goes_from_any_value_to_the_next_good_one_and_stops_at_the_ends() {
        use Knob::{Crowd, HopDelay, LoopCover, Slot, SlotCover, Width};
        for (knob, from, up, to) in [
            (HopDelay, 200.0, false, "100"),
            (HopDelay, 137.5, true, "200"),
            (HopDelay, 137.5, false, "100"),
            (Slot, 1.0, false, "1"),
            (LoopCover, 10_000.0, true, "10000"),
            (SlotCover, 1.0, false, "0"),
            (SlotCover, 1.0, true, "1"),
            (Crowd, 8.0, true, "10"),
            (Crowd, 0.0, false, "0"),
            (Width, 1.0, false, "1"),
            (Width, 16.0, true, "16"),
            // One that is wider already stays.
            (Width, 33.0, true, "33"),
        ] {
            assert_eq!(knob.step(from, up).to_string(), to, "{knob:?} from {from}");
        }
    }

    #[test]
    fn what_is_turned_back_is_not_turned() {
        let info = Fixture::two_by_three().snapshot(Duration::ZERO).devnet;
        let mut turned = Turned::default();
        turned.turn(Knob::HopDelay, &info, false);
        assert_eq!(turned.of(Knob::HopDelay, &info), Some(100.0));
        turned.turn(Knob::HopDelay, &info, true);
        assert_eq!(turned.of(Knob::HopDelay, &info), None);
        let settings = Settings::of(&info, 10);
        assert_eq!(turned.would_be(settings, &info), None);
        turned.turn(Knob::Crowd, &info, true);
        turned.turn(Knob::Width, &info, true);
        let would_be = turned.would_be(settings, &info).expect("turned");
        assert_eq!((would_be.senders, would_be.width), (12, 3));
    }
}
