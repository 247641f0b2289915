//! What came of attacks since a lesson began.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{AttackPlan, AttackStatus, Sighting};

use super::Known;

/// Attacks that are remembered: a lesson runs a handful.
const MAX_ATTACKS: usize = 64;

/// Attacks by their numbers.
#[derive(Debug, Default)]
pub(super) struct Attacks(BTreeMap<u64, AttackStatus>);

impl Attacks {
    pub(super) fn hear(&mut self, status: &AttackStatus) {
        if self.0.len() < MAX_ATTACKS || self.0.contains_key(&status.id) {
            self.0.insert(status.id, status.clone());
        }
    }

    /// What is known of those that are over.
    pub(super) fn tell(&self, known: &mut Known) {
        let mut ended: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let mut latest: BTreeMap<&str, &AttackStatus> = BTreeMap::new();
        let mut alone: BTreeMap<&str, u64> = BTreeMap::new();
        for status in self.0.values() {
            let Some(verdict) = status.verdict() else { continue };
            let name = name(&status.plan);
            *ended.entry((name, verdict.word())).or_default() += 1;
            latest.insert(name, status);
            let Some(isolation) = &status.isolation else { continue };
            known.set("isolated_pool", isolation.pool);
            let drained = Duration::from_micros(isolation.drained_us);
            known.set("isolated_drain_s", drained.as_secs_f64());
            if let AttackPlan::Isolate { target, .. } = &status.plan {
                *alone.entry(target).or_default() += u64::from(isolation.alone.is_some());
            }
        }
        for ((name, verdict), count) in ended {
            known.set_of("attacks", &[name, verdict], count);
        }
        for (client, count) in alone {
            known.set_of("isolated_alone", &[client], count);
        }
        for (name, status) in latest {
            let mut passed_on = 0_u64;
            for sighting in &status.seen {
                match sighting {
                    Sighting::Passed { .. } => passed_on += 1,
                    Sighting::Dropped { node, .. } => {
                        known.set_of("stopped_by", &[name], node.as_str());
                    }
                    Sighting::Kept { .. } | Sighting::Acknowledged { .. } => {}
                }
            }
            known.set_of("passed_on", &[name], passed_on);
        }
    }
}

/// As lessons call it.
fn name(plan: &AttackPlan) -> &'static str {
    match plan {
        AttackPlan::Replay { .. } => "replay",
        AttackPlan::Flip { .. } => "flip",
        AttackPlan::Skip { .. } => "skip",
        AttackPlan::Isolate { .. } => "isolate",
    }
}
