//! What the tests of this crate share.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{DevnetInfo, DirectoryState, Snapshot};
use rustix::process::Pid;

use crate::folder::StateDir;

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

/// Where devnets of a test are, in a folder that goes with the first of the two.
pub(crate) fn state_dir() -> (tempfile::TempDir, StateDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let state = StateDir::find(Some(dir.path().join("state"))).expect("a path");
    (dir, state)
}

/// What is known of a devnet without processes.
pub(crate) fn empty_snapshot() -> Snapshot {
    Snapshot {
        devnet: DevnetInfo {
            name: "t1".into(),
            supervisor_pid: 1,
            folder: "/t1".into(),
            started_unix_ms: 0,
            layers: 0,
            widths: Vec::new(),
            clients: 0,
            crowd: 0,
            profile: "classic".into(),
            hop_delay_ms: 0.0,
            slot_ms: 0.0,
            loop_cover_ms: 0.0,
            slot_cover: true,
            acks: false,
            trace: false,
            cores: 2,
            faithful: false,
            seed: None,
            resumed: false,
            attached: true,
            control_address: None,
            notices: Vec::new(),
        },
        nodes: Vec::new(),
        directory: DirectoryState::Connecting,
        topology: None,
        metrics: BTreeMap::new(),
        rates: BTreeMap::new(),
        usage: BTreeMap::new(),
        messages: Vec::new(),
        journeys: Vec::new(),
        attacks: Vec::new(),
        received: Vec::new(),
        logs: Vec::new(),
    }
}
