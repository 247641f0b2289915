//! What a client or a crowd is told on its command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use contract::Rates;
use origin::Origin;
use runtime::{Fallback, KeyFiles, ListenOn, NodeSeed};

use crate::Settings;

/// The shortest mean interval of a stream: a thousand packets a second, more than a core builds.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// The longest: a stream that is as good as off. Thirty-six times as much can be drawn, and is still a
/// moment that the clock has.
const MAX_INTERVAL: Duration = Duration::from_secs(365 * 24 * 3600);

/// Most identities of a crowd. They have one provider, and a directory takes 8192 clients of one.
pub(crate) const MAX_CROWD: i64 = 8000;

/// The longest mean delay: a mixnode refuses headers that ask for more than thirty times of it.
const MAX_HOP_DELAY: Duration = Duration::from_secs(10);

/// The port for applications where nobody asks for another: that of the clients since v0.7.
pub const APPLICATIONS_PORT: u16 = 1977;

/// How a client is reached by applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SocketType {
    /// A websocket: JSON requests of both generations
    #[default]
    #[value(alias = "ws")]
    Websocket,
    /// A TCP socket with the byte requests of v0.5
    Tcp,
    /// Not at all
    None,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Do it.
    On,
    /// Do it not.
    Off,
}

/// Options of a client, or of a crowd of them.
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// Name of the client; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "client")]
    pub name: String,
    /// Folder for its keys and its messages
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// Its key, if it is not in that folder
    #[arg(skip)]
    pub key_files: Option<KeyFiles>,
    /// Draw its key, routes, delays and intervals from this number; then the key is no secret
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Address of the directory
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub directory: String,
    /// Layers of the network
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub layers: u8,
    /// Its provider: a base58 key, or the location that it announces [default: the first that answers]
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Mean delay at a mixnode
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = hop_delay)]
    pub hop_delay: Duration,
    /// Mean interval of send slots; one carries a message if there is one, else cover
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = interval)]
    pub slot: Duration,
    /// Mean interval of loop cover, sent besides
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub loop_cover: Duration,
    /// Fill slots without a message with cover; off shows when a client has something to say
    #[arg(long, value_name = "on|off", default_value = "on", value_enum)]
    pub slot_cover: Switch,
    /// Ask for acknowledgements, and send again what is not acknowledged
    #[arg(long, value_name = "on|off", default_value = "on", value_enum)]
    pub acks: Switch,
    /// How applications reach it
    #[arg(long, value_name = "TYPE", default_value = "websocket", value_enum)]
    pub socket_type: SocketType,
    /// Port for applications, on loopback; 0 for any free one [default: 1977, or the next that is free]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Take any free port if that one is taken
    #[arg(long)]
    pub port_fallback: bool,
    /// A second port with the same websocket, if it is free: applications of v0.5 connect to 9001
    #[arg(long, value_name = "PORT")]
    pub second_port: Option<u16>,
    #[arg(
        long,
        value_name = "ORIGIN",
        help = "Web pages that may connect besides those of this machine, such as https://chat.example"
    )]
    #[expect(missing_docs, reason = "it is the help, in which an address stands bare")]
    pub allow_origin: Vec<Origin>,
    /// Be a crowd instead: so many identities that only send cover
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_CROWD))]
    pub crowd: Option<u16>,
    /// Tell the supervisor what becomes of each packet: what a mixnet exists to hide
    #[arg(long, hide = true)]
    pub trace: bool,
}

impl ClientArgs {
    pub(crate) fn settings(&self) -> Settings {
        let Self { hop_delay, slot, loop_cover, .. } = *self;
        let slot_cover = self.slot_cover == Switch::On;
        Settings {
            rates: Rates { hop_delay, slot, loop_cover, slot_cover },
            layers: self.layers,
            acks: self.acks == Switch::On,
        }
    }

    /// Applications are on this machine, always.
    pub(crate) fn listen_on(&self) -> ListenOn {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match self.port {
            Some(port) => ListenOn { host, port, fallback: Fallback::any_if(self.port_fallback) },
            None => ListenOn { host, port: APPLICATIONS_PORT, fallback: Fallback::Next },
        }
    }

    /// Of the client.
    pub(crate) fn node_seed(&self) -> Option<NodeSeed> {
        self.seed.map(|seed| NodeSeed::new(seed, &self.name))
    }

    /// Of an identity of a crowd, counted from 1.
    pub(crate) fn member_seed(&self, number: usize) -> Option<NodeSeed> {
        self.seed.map(|seed| NodeSeed::of_member(seed, &self.name, number))
    }

    pub(crate) fn key_files(&self, name: &str) -> KeyFiles {
        self.key_files.clone().unwrap_or_else(|| KeyFiles::in_folder(&self.home, name))
    }
}

/// Whether a client can live with these rates; why not, as a sentence without a full stop.
pub(crate) fn check_rates(rates: Rates) -> Result<(), String> {
    let Rates { hop_delay, slot, loop_cover, slot_cover: _ } = rates;
    check_hop_delay(hop_delay).map_err(|why| format!("the hop delay is {why}"))?;
    check_interval(slot).map_err(|why| format!("the interval of slots is {why}"))?;
    check_interval(loop_cover).map_err(|why| format!("the interval of loop cover is {why}"))
}

fn hop_delay(text: &str) -> Result<Duration, String> {
    let delay = contract::parse_duration(text).map_err(|error| error.to_string())?;
    check_hop_delay(delay).map(|()| delay)
}

fn check_hop_delay(delay: Duration) -> Result<(), String> {
    if delay > MAX_HOP_DELAY {
        return Err(format!("longer than {MAX_HOP_DELAY:?}"));
    }
    Ok(())
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = contract::parse_duration(text).map_err(|error| error.to_string())?;
    check_interval(interval).map(|()| interval)
}

fn check_interval(interval: Duration) -> Result<(), String> {
    if interval < MIN_INTERVAL {
        return Err(format!("shorter than {MIN_INTERVAL:?}"));
    }
    if interval > MAX_INTERVAL {
        return Err("longer than a year".into());
    }
    Ok(())
}
