//! How long tests wait.

use std::time::Duration;

/// How long what should happen soon may take. `NYM_DEVNET_TEST_TIMEOUT_FACTOR` gives a slow machine
/// more time.
pub(crate) fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR");
    let factor: u32 = factor.ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    Duration::from_secs(10) * factor
}
