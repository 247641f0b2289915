//! What a provider is told on its command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use contract::Fatal;
use directory_api::MixProviderReport;
use runtime::{AnnounceAs, Fallback, KeyFiles, ListenOn, LoadedKey, NodeSeed, load_key};
use wire::PublicKey;

use crate::{Amount, MAX_WAITING, MAX_WAITING_PER_CLIENT, Quotas};

/// Options of a provider.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct ProviderArgs {
    /// Name of the node
    #[arg(long, value_name = "NAME", default_value = "provider")]
    pub name: String,
    /// Folder for its keys and its mailbox
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
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Interface for clients [default: the same]
    #[arg(long, value_name = "IP")]
    pub clients_host: Option<IpAddr>,
    /// Port for packets; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 1789)]
    pub port: u16,
    /// Port for clients; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 9000)]
    pub clients_port: u16,
    /// Take any free port if one of them is taken
    #[arg(long)]
    pub port_fallback: bool,
    /// Address to announce for packets instead of the one to listen on
    #[arg(long, value_name = "IP[:PORT]")]
    pub announce_host: Option<AnnounceAs>,
    /// Address to announce for clients instead of the one to listen on
    #[arg(long, value_name = "IP[:PORT]")]
    pub clients_announce_host: Option<AnnounceAs>,
    /// Location to announce [default: the name]
    #[arg(long, value_name = "TEXT")]
    pub location: Option<String>,
    /// Give every answer to a pull one length, so that it does not tell how much waited
    #[arg(long)]
    pub pad: bool,
    /// Be as trusting as the originals: whoever names an address may register it and take its
    /// packets, even one whose client has proven its key; replayed packets are taken
    #[arg(long)]
    pub faithful: bool,
    /// Most packets that wait for one client; more are refused, and their senders hear of it
    #[arg(long, value_name = "PACKETS", default_value_t = MAX_WAITING_PER_CLIENT)]
    pub quota_per_client: u64,
    /// Most packets that wait for all clients together
    #[arg(long, value_name = "PACKETS", default_value_t = MAX_WAITING)]
    pub quota_total: u64,
    /// Tell the supervisor what becomes of each packet: what a mixnet exists to hide
    #[arg(long, hide = true)]
    pub trace: bool,
}

impl ProviderArgs {
    pub(crate) fn quotas(&self) -> Quotas {
        Quotas {
            per_client: Amount::of_packets(self.quota_per_client),
            total: Amount::of_packets(self.quota_total),
        }
    }

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
        let announced = [self.announce_host, self.clients_announce_host].into_iter().flatten();
        let listening = [self.host].into_iter().chain(self.clients_host);
        listening.chain(announced.map(|announced| announced.host))
    }

    pub(crate) fn listen_on(&self) -> ListenOn {
        ListenOn {
            host: self.host,
            port: self.port,
            fallback: Fallback::any_if(self.port_fallback),
        }
    }

    pub(crate) fn clients_listen_on(&self) -> ListenOn {
        let host = self.clients_host.unwrap_or(self.host);
        ListenOn { host, port: self.clients_port, fallback: Fallback::any_if(self.port_fallback) }
    }

    /// What it announces in the list of v0.5, but for its clients.
    pub(crate) fn report(
        &self,
        key: &PublicKey,
        mix: SocketAddr,
        clients: SocketAddr,
    ) -> MixProviderReport {
        MixProviderReport {
            client_listener: AnnounceAs::announced(self.clients_announce_host, clients).to_string(),
            mixnet_listener: AnnounceAs::announced(self.announce_host, mix).to_string(),
            pub_key: key.to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            location: self.location.as_ref().unwrap_or(&self.name).clone(),
            registered_clients: Vec::new(),
        }
    }
}
