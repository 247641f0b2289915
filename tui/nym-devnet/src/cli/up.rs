//! Options of `up`: the network, and how it is run and shown.

use std::time::Duration;

use clap::{Args, ValueEnum};
use layouts::{Layout, Ports, Profile, Rates, Restart};

use super::values::{parse_ports, parse_profile, parse_restart, parse_time};

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// Ports: those of the original network where they are free, any free ones, or exactly those
    /// counted up from a base (base:PORT)
    #[arg(
        long,
        value_name = "preferred|auto|base:PORT",
        hide_env_values = true, env = "NYM_DEVNET_PORTS",
        default_value = "preferred",
        value_parser = parse_ports
    )]
    pub(crate) ports: Ports,
    /// When a process that ended by itself is started again
    #[arg(
        long,
        value_name = "POLICY",
        hide_env_values = true, env = "NYM_DEVNET_RESTART",
        default_value = "on-failure",
        value_parser = parse_restart
    )]
    pub(crate) restart: Restart,
    /// Print one line per change instead of the dashboard
    #[arg(long)]
    pub(crate) headless: bool,
    /// Return when everything is ready, and leave it running
    #[arg(short, long, conflicts_with = "headless")]
    pub(crate) detach: bool,
    /// How long --detach waits for everything to be ready
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true, env = "NYM_DEVNET_WAIT_TIMEOUT",
        default_value = "60s",
        value_parser = parse_time
    )]
    pub(crate) wait_timeout: Duration,
    /// Print what would be started, and start nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LayoutArgs {
    /// Mixnodes in each layer
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_WIDTH",
        default_value_t = 1
    )]
    pub(crate) width: u16,
    /// Layers of mixnodes, at most 4
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_LAYERS",
        default_value_t = 3
    )]
    pub(crate) layers: u8,
    /// Providers
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_PROVIDERS",
        default_value_t = 1
    )]
    pub(crate) providers: u16,
    /// Named clients
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_CLIENTS",
        default_value_t = 2
    )]
    pub(crate) clients: u16,
    /// Identities that only send cover traffic [default: 8, none in the profile `fast`]
    #[arg(long, value_name = "N", hide_env_values = true, env = "NYM_DEVNET_CROWD")]
    pub(crate) crowd: Option<u16>,
    /// How fast packets are sent and how long they wait: `classic` as in 2020 (200, 500 and 1000 ms
    /// mean hop delay, send slot and loop cover), `current` as today (15, 20, 200), `fast` for
    /// tests (10, 5, 20)
    #[arg(
        long,
        value_name = "PROFILE",
        hide_env_values = true, env = "NYM_DEVNET_PROFILE",
        default_value = "classic",
        value_parser = parse_profile
    )]
    pub(crate) profile: Profile,
    /// Mean delay at a mixnode [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true, env = "NYM_DEVNET_HOP_DELAY",
        value_parser = humantime::parse_duration
    )]
    pub(crate) hop_delay: Option<Duration>,
    /// Mean interval of a client's send slots [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true, env = "NYM_DEVNET_SLOT",
        value_parser = humantime::parse_duration
    )]
    pub(crate) slot: Option<Duration>,
    /// Mean interval of a client's loop cover [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true, env = "NYM_DEVNET_LOOP_COVER",
        value_parser = humantime::parse_duration
    )]
    pub(crate) loop_cover: Option<Duration>,
    /// Whether packets carry a prepared acknowledgement
    #[arg(
        long,
        value_name = "on|off",
        hide_env_values = true,
        env = "NYM_DEVNET_ACKS",
        default_value = "on"
    )]
    pub(crate) acks: Switch,
    /// Mixnodes report no packets to the directory
    #[arg(long)]
    pub(crate) no_metrics: bool,
    /// Nodes refuse neither replays nor skipped layers, and providers give anyone's mailbox to anyone
    /// who asks, as in 2020
    #[arg(long)]
    pub(crate) faithful: bool,
}

impl LayoutArgs {
    /// The layout; not checked yet.
    pub(crate) fn layout(&self, restart: Restart) -> Layout {
        let of_profile = self.profile.rates();
        let rates = Rates {
            hop_delay: self.hop_delay.unwrap_or(of_profile.hop_delay),
            slot: self.slot.unwrap_or(of_profile.slot),
            loop_cover: self.loop_cover.unwrap_or(of_profile.loop_cover),
        };
        Layout {
            widths: vec![self.width; self.layers.into()],
            providers: self.providers,
            clients: self.clients,
            crowd: self.crowd.unwrap_or_else(|| self.profile.crowd()),
            profile: self.profile,
            rates,
            acks: self.acks == Switch::On,
            metrics: !self.no_metrics,
            faithful: self.faithful,
            restart,
            ..Layout::default()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// How the dashboard draws.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ScreenArgs {
    /// Draw the dashboard with ASCII only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(crate) no_mouse: bool,
}
