//! What a directory is told on its command line.

use std::net::IpAddr;

use clap::Args;
use origin::Origin;
use runtime::{Fallback, ListenOn};
use semver::Version;

use crate::Options;

/// Options of a directory.
#[derive(Clone, Debug, Args)]
pub struct DirectoryArgs {
    /// Name of the node; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "directory")]
    pub name: String,
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Take any free port if that one is taken
    #[arg(long)]
    pub port_fallback: bool,
    /// A page of this origin may write and subscribe, besides those of this machine
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub allowed_origins: Vec<Origin>,
    /// Refuse mixnodes of an older version, as v0.7.0 did with 0.6.0
    #[arg(long, value_name = "VERSION")]
    pub min_mixnode_version: Option<Version>,
}

impl DirectoryArgs {
    pub(crate) fn listen_on(&self) -> ListenOn {
        ListenOn {
            host: self.host,
            port: self.port,
            fallback: Fallback::any_if(self.port_fallback),
        }
    }

    pub(crate) fn into_options(self) -> Options {
        Options {
            allowed_origins: self.allowed_origins.into_iter().map(String::from).collect(),
            min_mixnode_version: self.min_mixnode_version,
        }
    }
}
