//! Rates: how fast packets are sent and how long they wait.

use std::time::Duration;

use contract::Rates;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named set of rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Nym v0.5 to v0.7, 2020: 200, 500 and 1000 ms.
    #[default]
    Classic,
    /// Today's Nym: 15, 20 and 200 ms.
    Current,
    /// The fast mode of Nym v0.7, for tests: 10, 5 and 20 ms.
    Fast,
}

impl Profile {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Current => "current",
            Self::Fast => "fast",
        }
    }

    /// Its rates.
    pub fn rates(self) -> Rates {
        let [hop_delay, slot, loop_cover] = match self {
            Self::Classic => [200, 500, 1000],
            Self::Current => [15, 20, 200],
            Self::Fast => [10, 5, 20],
        }
        .map(Duration::from_millis);
        Rates { hop_delay, slot, loop_cover, slot_cover: true }
    }

    /// How many identities the crowd has unless somebody says otherwise. At the fast rates each
    /// sends 250 packets a second, which would fill a small machine.
    pub fn crowd(self) -> u16 {
        match self {
            Self::Classic | Self::Current => 8,
            Self::Fast => 0,
        }
    }
}
