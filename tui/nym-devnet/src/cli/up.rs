//! Options of `up`: the network, and how it is run and shown.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use dashboard::ThemeName;
use layouts::{LayoutFault, Override};

use super::candidates;
use super::given::{Given, GivenParser};
use super::values::parse_time;

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
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
    /// Write everything that the dashboard shows into a new file, messages and logs included, which
    /// only you can read; `nym-devnet attach FILE` plays it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// Answer the control interface on this port of 127.0.0.1 too, to whoever has a token from the
    /// devnet's folder; 0 takes any free one
    #[arg(long, value_name = "PORT", hide_env_values = true, env = "NYM_DEVNET_CONTROL_PORT")]
    pub(crate) control_port: Option<u16>,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// The network. Each field says no more than what was given: the layout's file has a say too, and what is
/// built in the last.
#[derive(Debug, Args)]
pub(crate) struct LayoutArgs {
    /// Name of a layout that is built in, or a file; `nym-devnet layout list` lists them
    /// [default: one-by-three]
    #[arg(
        value_name = "LAYOUT",
        hide_env_values = true,
        env = "NYM_DEVNET_LAYOUT",
        add = candidates::layouts()
    )]
    pub(crate) layout: Option<String>,
    /// Mixnodes in each layer [default: 1]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_WIDTH",
        value_parser = GivenParser
    )]
    width: Option<Given>,
    /// Layers of mixnodes, at most 4 [default: 3]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_LAYERS",
        value_parser = GivenParser
    )]
    layers: Option<Given>,
    /// Providers [default: 1]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_PROVIDERS",
        value_parser = GivenParser
    )]
    providers: Option<Given>,
    /// Named clients [default: 2]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_CLIENTS",
        value_parser = GivenParser
    )]
    clients: Option<Given>,
    /// Identities that only send cover traffic [default: 8, none in the profile `fast`]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_CROWD",
        value_parser = GivenParser
    )]
    crowd: Option<Given>,
    /// How fast packets are sent and how long they wait: `classic` as in 2020 (200, 500 and 1000 ms
    /// mean hop delay, send slot and loop cover), `current` as today (15, 20, 200), `fast` for
    /// tests (10, 5, 20) [default: classic]
    #[arg(
        long,
        value_name = "PROFILE",
        hide_env_values = true,
        env = "NYM_DEVNET_PROFILE",
        value_parser = GivenParser,
        add = candidates::words(&["classic", "current", "fast"])
    )]
    profile: Option<Given>,
    /// Mean delay at a mixnode [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true,
        env = "NYM_DEVNET_HOP_DELAY",
        value_parser = GivenParser
    )]
    hop_delay: Option<Given>,
    /// Mean interval of a client's send slots [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true,
        env = "NYM_DEVNET_SLOT",
        value_parser = GivenParser
    )]
    slot: Option<Given>,
    /// Mean interval of a client's loop cover [default: that of the profile]
    #[arg(
        long,
        value_name = "TIME",
        hide_env_values = true,
        env = "NYM_DEVNET_LOOP_COVER",
        value_parser = GivenParser
    )]
    loop_cover: Option<Given>,
    /// Whether packets carry a prepared acknowledgement [default: on]
    #[arg(
        long,
        value_name = "on|off",
        hide_env_values = true,
        env = "NYM_DEVNET_ACKS",
        value_parser = GivenParser,
        add = candidates::words(&["on", "off"])
    )]
    acks: Option<Given>,
    /// Whether nodes tell what became of each packet, so that the way of a message can be shown
    /// [default: on]
    #[arg(
        long,
        value_name = "on|off",
        hide_env_values = true,
        env = "NYM_DEVNET_TRACE",
        value_parser = GivenParser,
        add = candidates::words(&["on", "off"])
    )]
    trace: Option<Given>,
    /// Mixnodes report no packets to the directory
    #[arg(long)]
    no_metrics: bool,
    /// Nodes refuse neither replays nor skipped layers, and providers give anyone's mailbox to anyone
    /// who asks, as in 2020
    #[arg(long)]
    faithful: bool,
    /// Ports: those of the original network where they are free, any free ones, or exactly those
    /// counted up from a base (base:PORT) [default: preferred]
    #[arg(
        long,
        value_name = "preferred|auto|base:PORT",
        hide_env_values = true,
        env = "NYM_DEVNET_PORTS",
        value_parser = GivenParser,
        add = candidates::words(&["preferred", "auto", "base:"])
    )]
    ports: Option<Given>,
    /// When a process that ended by itself is started again: no, on-failure or always
    /// [default: on-failure]
    #[arg(
        long,
        value_name = "POLICY",
        hide_env_values = true,
        env = "NYM_DEVNET_RESTART",
        value_parser = GivenParser,
        add = candidates::words(&["no", "on-failure", "always"])
    )]
    restart: Option<Given>,
    /// Fixes keys and names, and each node's sequence of routes, delays and intervals; it does not
    /// fix timings [default: none, everything is drawn anew]
    #[arg(
        long,
        value_name = "N",
        hide_env_values = true,
        env = "NYM_DEVNET_SEED",
        value_parser = GivenParser
    )]
    seed: Option<Given>,
    /// Set any field of the layout by its path in the file, such as nodes.mix-1-1.metrics=false
    #[arg(long = "param", value_name = "PATH=VALUE", action = ArgAction::Append)]
    params: Vec<String>,
}

impl LayoutArgs {
    /// What was given besides the layout's file, the least important first. Whether a flag or its variable
    /// counts is decided already; what `--param` says counts more than either.
    pub(crate) fn overrides(&self) -> Result<Vec<Override>, LayoutFault> {
        let fields = [
            ("width", &self.width),
            ("layers", &self.layers),
            ("providers", &self.providers),
            ("clients", &self.clients),
            ("crowd", &self.crowd),
            ("profile", &self.profile),
            ("hop-delay", &self.hop_delay),
            ("slot", &self.slot),
            ("loop-cover", &self.loop_cover),
            ("acks", &self.acks),
            ("trace", &self.trace),
            ("ports", &self.ports),
            ("restart", &self.restart),
            ("seed", &self.seed),
        ];
        let mut overrides = Vec::new();
        for (field, given) in fields {
            if let Some(Given { origin, text }) = given {
                overrides.push(Override::field(origin, field, text)?);
            }
        }
        if self.no_metrics {
            overrides.push(Override::field("--no-metrics", "metrics", "false")?);
        }
        if self.faithful {
            overrides.push(Override::field("--faithful", "faithful", "true")?);
        }
        for param in &self.params {
            overrides.push(Override::param(param)?);
        }
        Ok(overrides)
    }
}

/// How the dashboard draws.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScreenArgs {
    /// Draw the dashboard with ASCII only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(crate) no_mouse: bool,
    /// Colours of the dashboard [default: those of the last time]
    #[arg(long, value_name = "NAME", hide_env_values = true, env = "NYM_DEVNET_THEME", value_parser = themes())]
    pub(crate) theme: Option<ThemeName>,
    /// File with your own keys [default: $XDG_CONFIG_HOME/nym-devnet/keys.toml]
    #[arg(long, value_name = "FILE", hide_env_values = true, env = "NYM_DEVNET_KEYS")]
    pub(crate) keys: Option<PathBuf>,
}

/// Themes by their names. What each is, the palette says: here it would make the whole help long.
fn themes() -> impl TypedValueParser<Value = ThemeName> {
    PossibleValuesParser::new(ThemeName::ALL.map(ThemeName::name))
        .try_map(|name| name.parse::<ThemeName>())
}
