//! What a provider is told on its command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use runtime::ListenOn;

/// Options of a provider.
#[derive(Clone, Debug, Args)]
pub struct ProviderArgs {
    /// Name of the node, announced as its location
    #[arg(long, value_name = "NAME", default_value = "provider")]
    pub name: String,
    /// Folder for its keys and its mailbox
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// Address of the directory
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub directory: String,
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port for packets; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 1789)]
    pub port: u16,
    /// Port for clients; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 9000)]
    pub clients_port: u16,
    /// Take any free port if one of them is taken
    #[arg(long)]
    pub port_fallback: bool,
}

impl ProviderArgs {
    pub(crate) fn listen_on(&self, port: u16) -> ListenOn {
        ListenOn { host: self.host, port, fallback: self.port_fallback }
    }
}
