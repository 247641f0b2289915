//! What a client is told on its command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use contract::Rates;
use runtime::ListenOn;

use crate::Settings;

/// The shortest mean interval of a stream: a thousand packets a second, more than a core builds.
const MIN_INTERVAL: Duration = Duration::from_millis(1);

/// The longest mean delay: a mixnode refuses headers that ask for more than thirty times of it.
const MAX_HOP_DELAY: Duration = Duration::from_secs(10);

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Do it.
    On,
    /// Do it not.
    Off,
}

/// What a client and a crowd have in common.
#[derive(Clone, Debug, Args)]
pub struct TrafficArgs {
    /// Folder for its keys
    #[arg(long, value_name = "DIR")]
    pub home: PathBuf,
    /// Address of the directory
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub directory: String,
    /// Layers of the network
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub layers: u8,
    /// Its provider: a base58 key, or the location that it announces [default: any that is there]
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
    /// Ask for acknowledgements, and send again what is not acknowledged
    #[arg(long, value_name = "on|off", default_value = "on", value_enum)]
    pub acks: Switch,
}

impl TrafficArgs {
    pub(crate) fn settings(&self) -> Settings {
        let Self { hop_delay, slot, loop_cover, .. } = *self;
        Settings {
            rates: Rates { hop_delay, slot, loop_cover },
            layers: self.layers,
            acks: self.acks == Switch::On,
        }
    }
}

/// Options of a client.
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// Name of the client; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "client")]
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for the description of the command")]
    pub traffic: TrafficArgs,
    /// Port of the websocket for applications, on loopback; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 1977)]
    pub port: u16,
    /// Take any free port if that one is taken
    #[arg(long)]
    pub port_fallback: bool,
}

impl ClientArgs {
    /// Applications are on this machine, always.
    pub(crate) fn listen_on(&self) -> ListenOn {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        ListenOn { host, port: self.port, fallback: self.port_fallback }
    }
}

/// Options of a crowd.
#[derive(Clone, Debug, Args)]
pub struct CrowdArgs {
    /// Name of the crowd; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "crowd")]
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for the description of the command")]
    pub traffic: TrafficArgs,
    /// How many identities send cover
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub identities: u16,
}

fn hop_delay(text: &str) -> Result<Duration, String> {
    let delay = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if delay > MAX_HOP_DELAY {
        return Err(format!("longer than {MAX_HOP_DELAY:?}"));
    }
    Ok(delay)
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval < MIN_INTERVAL {
        return Err(format!("shorter than {MIN_INTERVAL:?}"));
    }
    Ok(interval)
}
