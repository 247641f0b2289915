//! What a mixnode is told on its command line.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use contract::Fatal;
use runtime::{AnnounceAs, Fallback, KeyFiles, ListenOn, LoadedKey, NodeSeed, load_key};

/// Options of a mixnode.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct MixnodeArgs {
    /// Name of the node
    #[arg(long, value_name = "NAME", default_value = "mixnode")]
    pub name: String,
    /// Folder for its keys
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// Its key, if it is not in that folder
    #[arg(skip)]
    pub key_files: Option<KeyFiles>,
    /// Make its key of this number, which then is no secret: the node stays on this machine
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
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
    /// Address to announce instead of the one to listen on
    #[arg(long, value_name = "IP[:PORT]")]
    pub announce_host: Option<AnnounceAs>,
    /// Location to announce [default: the name]
    #[arg(long, value_name = "TEXT")]
    pub location: Option<String>,
    /// Threads that take packets
    #[arg(long, value_name = "N", default_value = "1")]
    pub workers: NonZeroUsize,
    /// Take replayed packets and skipped layers, as the original mixnodes did
    #[arg(long)]
    pub faithful: bool,
    /// Do without what is special to this processor: slower, to compare with
    #[arg(long)]
    pub portable: bool,
    /// Do not report packets to the directory
    #[arg(long)]
    pub no_metrics: bool,
    /// Tell the supervisor what becomes of each packet: what a mixnet exists to hide
    #[arg(long, hide = true)]
    pub trace: bool,
}

impl MixnodeArgs {
    fn key_files(&self) -> KeyFiles {
        self.key_files.clone().unwrap_or_else(|| KeyFiles::in_folder(&self.home, "sphinx"))
    }

    /// Its key, which may be used where it listens.
    pub(crate) fn load_key(&self) -> Result<LoadedKey, Fatal> {
        let seed = self.seed.map(|seed| NodeSeed::new(seed, &self.name));
        let loaded = load_key(&self.key_files(), seed.as_ref())?;
        loaded.check_addresses(self.hosts())?;
        Ok(loaded)
    }

    /// Where others are told to reach it.
    fn hosts(&self) -> impl Iterator<Item = IpAddr> {
        [self.host].into_iter().chain(self.announce_host.map(|announced| announced.host))
    }

    pub(crate) fn listen_on(&self) -> ListenOn {
        ListenOn {
            host: self.host,
            port: self.port,
            fallback: Fallback::any_if(self.port_fallback),
        }
    }
}
