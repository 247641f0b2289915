//! What every node process shares: the supervisor's streams, keys on disk, the clock and precise
//! wake-ups, links to other nodes, presence, and the view of the network.

mod accept;
pub mod clock;
mod directory;
mod double;
pub mod drops;
mod frames;
mod keys;
mod lateness;
mod links;
mod listen;
mod logging;
mod network;
mod process;
mod receive;
mod reporter;
mod seed;
mod timer;
mod traces;

pub use accept::{ConnectionPlace, accept, accept_into_places};
pub use directory::{announce, follow_topology, leave_directory, with_causes};
pub use double::Double;
pub use frames::{Frame, FrameStore, MAX_FRAMES};
pub use keys::{KeyFiles, LoadedKey, load_or_create, write_whole};
pub use lateness::LatenessHistogram;
pub use links::{Adversary, Batch, LINKS_INTERVAL, Links, report_links};
pub use listen::{AnnounceAs, AnnounceAsError, Fallback, ListenOn, listen};
pub use logging::{LogFormat, log_to_stderr};
pub use network::{
    MixEntry, Network, Place, Places, ProviderEntry, TopologyFollower, VANISHED_GRACE,
};
pub use process::{Process, run_process, run_to_exit_code};
pub use receive::{
    Intake, MAX_READ, MalformedFrames, Received, accept_packets, read_packets, receive_packets,
};
pub use reporter::Reporter;
pub use seed::{NodeSeed, load_key};
pub use timer::{Sleep, Timer};
pub use traces::{MAX_TRACES, Passing, Traces, digits, micros};
