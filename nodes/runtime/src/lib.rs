//! What every node process shares: the supervisor's streams, keys on disk, the clock and precise
//! wake-ups, links to other nodes, presence and metrics, the view of the network.

mod network;

pub use network::{MixEntry, Network, Place, ProviderEntry, TopologyFollower};
