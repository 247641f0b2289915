//! What every node process shares: the supervisor's streams, keys on disk, the clock and precise
//! wake-ups, links to other nodes, presence, and the view of the network.

mod accept;
pub mod clock;
mod directory;
pub mod drops;
mod keys;
mod links;
mod listen;
mod logging;
mod network;
mod process;
mod receive;
mod reporter;
mod timer;

pub use accept::{ConnectionPlace, accept, accept_into_places};
pub use directory::{announce, follow_topology, leave_directory, with_causes};
pub use keys::{LoadedKey, load_or_create};
pub use links::{LINKS_INTERVAL, Links};
pub use listen::{ListenOn, listen};
pub use logging::{LogFormat, log_to_stderr};
pub use network::{
    MixEntry, Network, Place, Places, ProviderEntry, TopologyFollower, VANISHED_GRACE,
};
pub use process::{Process, run_process};
pub use receive::{MalformedFrames, Received, receive_packets};
pub use reporter::Reporter;
pub use timer::{Sleep, Timer};
