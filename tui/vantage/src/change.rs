//! When somebody changed the settings, and from when on figures are of the new ones alone.

use std::time::Duration;

use control::DevnetInfo;
use serde::Serialize;

/// Mean delays, beside one for each layer, after which packets of before are out: of three layers one in
/// seventy takes longer.
const DELAYS: u32 = 5;

/// Until processes have taken up new settings.
const TAKEN_UP: Duration = Duration::from_secs(1);

/// After packets of before are out, figures need so long until they rest on anything.
const MEASURED: Duration = Duration::from_secs(2);

/// The last change of settings, as a report tells of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// Which settings, in words.
    pub what: String,
    /// How many seconds ago.
    pub ago_s: f64,
    /// Whether figures are of packets sent since then alone.
    pub is_settled: bool,
}

/// A change of settings.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    at: Duration,
    settles: Duration,
    what: String,
    /// Whether packets of before were told to be out.
    pub(crate) is_out: bool,
}

impl Change {
    /// What somebody changed `now`; none if nothing.
    pub(crate) fn between(before: &DevnetInfo, after: &DevnetInfo, now: Duration) -> Option<Self> {
        let differs = |one: f64, other: f64| (one - other).abs() > f64::EPSILON;
        let knobs = [
            ("hop delay", differs(before.hop_delay_ms, after.hop_delay_ms)),
            ("loop cover", differs(before.loop_cover_ms, after.loop_cover_ms)),
            ("send slot", differs(before.slot_ms, after.slot_ms)),
            ("slot cover", before.slot_cover != after.slot_cover),
            ("crowd", before.crowd != after.crowd),
            ("width", before.widths != after.widths),
        ];
        let what: Vec<&str> =
            knobs.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name).collect();
        let delay = before.hop_delay_ms.max(after.hop_delay_ms) / 1000.0;
        let delay = Duration::try_from_secs_f64(delay).unwrap_or_default();
        let delays = u32::from(before.layers.max(after.layers)) + DELAYS;
        let settles = delay.saturating_mul(delays).saturating_add(TAKEN_UP);
        let what = what.join(", ");
        (!what.is_empty()).then_some(Self { at: now, settles, what, is_out: false })
    }

    /// Whether packets of before are out.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        self.ago(now) >= self.settles
    }

    /// Whether figures are of the new settings alone.
    fn is_settled(&self, now: Duration) -> bool {
        self.ago(now) >= self.settles.saturating_add(MEASURED)
    }

    /// From when on to measure: until packets of before are out, the later half of the time since.
    pub(crate) fn begins(&self, now: Duration) -> Duration {
        let left = if self.is_settled(now) { self.settles } else { self.ago(now) / 2 };
        self.at.saturating_add(left)
    }

    pub(crate) fn tell(&self, now: Duration) -> Changed {
        Changed {
            what: self.what.clone(),
            ago_s: self.ago(now).as_secs_f64(),
            is_settled: self.is_settled(now),
        }
    }

    fn ago(&self, now: Duration) -> Duration {
        now.saturating_sub(self.at)
    }
}
