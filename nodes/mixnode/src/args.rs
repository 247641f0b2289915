//! What a mixnode is told on its command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use runtime::ListenOn;

/// Options of a mixnode.
#[derive(Clone, Debug, Args)]
pub struct MixnodeArgs {
    /// Name of the node, announced as its location
    #[arg(long, value_name = "NAME", default_value = "mixnode")]
    pub name: String,
    /// Folder for its keys
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// Address of the directory
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub directory: String,
    /// Its layer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub layer: u8,
    /// Layers of the network
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub layers: u8,
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 1789)]
    pub port: u16,
    /// Take any free port if that one is taken
    #[arg(long)]
    pub port_fallback: bool,
}

impl MixnodeArgs {
    pub(crate) fn listen_on(&self) -> ListenOn {
        ListenOn { host: self.host, port: self.port, fallback: self.port_fallback }
    }
}
