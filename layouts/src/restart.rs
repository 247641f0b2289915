//! What happens to a process that ended by itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a process that ended by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// It stays ended.
    No,
    /// It is started again unless it ended with exit code 0.
    #[default]
    OnFailure,
    /// It is started again.
    Always,
}
