//! Asking for the directory's history: when somebody begins to look, and again when it failed or
//! events were missed.

use std::time::Duration;

use contract::Time;
use control::History;

use crate::connection::Connection;
use crate::message::{Effect, Problem};
use crate::model::Model;

/// The parts of the history that are asked for: windows and steps, in seconds.
pub(crate) const PARTS: [(u64, u64); 2] = [(300, 1), (3600, 10)];

/// Shortest time between two questions. The directory may be about to start.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What became of the directory's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recall {
    /// How far it is.
    pub(crate) stage: Stage,
    /// When it was asked for last.
    asked_at: Option<Time>,
    /// Events that had been missed then.
    missed: u64,
}

/// How far asking is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To be asked for.
    #[default]
    Wanted,
    /// Asked for.
    Asked,
    /// Here.
    Known,
    /// Not given, and why. It is asked for again.
    Failed(String),
}

/// The event stream is open: what happened before it is wanted.
pub(crate) fn connected(model: &mut Model) {
    model.screens.traffic.recall = Recall::default();
}

/// Asks for the history if it is wanted now.
pub(crate) fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(live) = &model.live else { return Vec::new() };
    // A recording has none: it fills as it plays.
    if model.playback.is_some() || model.connection != Connection::Live {
        return Vec::new();
    }
    let recall = &mut model.screens.traffic.recall;
    let is_wanted = match &recall.stage {
        Stage::Wanted | Stage::Failed(_) => true,
        Stage::Asked => false,
        Stage::Known => live.lost > recall.missed,
    };
    let waits = recall.asked_at.is_some_and(|at| model.now.saturating_since(at) < AGAIN_AFTER);
    if !is_wanted || waits {
        return Vec::new();
    }
    *recall = Recall { stage: Stage::Asked, asked_at: Some(model.now), missed: live.lost };
    vec![Effect::History]
}

/// The supervisor answered, or did not.
pub(crate) fn answered(model: &mut Model, result: Result<Vec<History>, Problem>) {
    let stage = match (result, &mut model.live) {
        (Ok(parts), Some(live)) => {
            for part in parts {
                live.recall(&part);
            }
            Stage::Known
        }
        (Ok(_), None) => Stage::Wanted,
        (Err(Problem(why)), _) => Stage::Failed(why),
    };
    model.screens.traffic.recall.stage = stage;
}
