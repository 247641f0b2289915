//! What a supervisor is told when it starts, and what it leaves on disk for others to find.

use std::path::PathBuf;

use control::Failure;
use layouts::Plan;
use serde::{Deserialize, Serialize};

/// The first line on a supervisor's stdin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Name of the devnet.
    pub name: String,
    /// The folder of all devnets; the devnet's own is in it.
    pub state_dir: PathBuf,
    /// Whether the devnet's folder stays after a clean stop.
    pub keep: bool,
    /// The port of the control interface over TCP, on loopback; 0 for any. None for sockets only.
    #[serde(default)]
    pub control_port: Option<u16>,
    /// Where to write the event stream to; an absolute path to a file that is not there.
    #[serde(default)]
    pub record: Option<PathBuf>,
    /// Its processes.
    pub plan: Plan,
}

/// Every later line on a supervisor's stdin. The end of it without [`Detach`](Self::Detach) means
/// that the front end is gone: everything stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifeline {
    /// The devnet goes on without the front end.
    Detach,
    /// Keep the folder whatever the name: somebody was told to look into its logs.
    KeepFolder,
}

/// The only line on a supervisor's stdout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Started {
    /// The control interface answers.
    Ready {
        /// Its socket.
        socket: PathBuf,
    },
    /// The supervisor could not start, and ends.
    Failed(Failure),
}

/// `state.json` in the folder of a running devnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the devnet.
    pub name: String,
    /// Process id of its supervisor.
    pub pid: u32,
    /// When that process started, in seconds since 1970. Process ids come round again; the pair
    /// does not.
    pub pid_started: u64,
    /// The control socket.
    pub socket: PathBuf,
    /// When the devnet was started: milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Its processes.
    pub plan: Plan,
}
