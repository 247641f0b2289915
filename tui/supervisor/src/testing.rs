//! What the tests of this crate share.

use std::time::Duration;

use rustix::process::Pid;

/// Waits for something under a deadline that a slow machine can stretch.
pub(crate) async fn within<T>(something: impl Future<Output = T>) -> T {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR")
        .ok()
        .and_then(|factor| factor.parse().ok())
        .unwrap_or(1);
    tokio::time::timeout(Duration::from_secs(20) * factor, something)
        .await
        .expect("it happens before the deadline")
}

/// Whether the process has ended and nobody has waited for it: in a container without an init
/// process, one that lost its parent stays like that.
pub(crate) fn is_zombie(pid: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    std::fs::read_to_string(path).is_ok_and(|stat| stat.contains(") Z "))
}
