//! The command line: every command and option, and what it means in one line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use layouts::{Layout, Ports, Profile, Rates};
use supervisor::Restart;

use crate::node::NodeRole;

/// Where help lists the options that every command takes.
const GLOBAL: &str = "Global options";

/// A whole Nym mixnet on one machine
#[derive(Debug, Parser)]
#[command(name = "nym-devnet", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 other failure, 2 usage or impossible layout, \
    3 no such devnet or node, or it does not run, 4 name or port in use, 5 deadline passed, \
    6 a message was not delivered, 7 a node was lost, 8 environment, 9 supervisor unreachable, \
    129, 130 and 143 after SIGHUP, SIGINT and SIGTERM")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Globals {
    /// Name of the devnet [default: default]
    #[arg(long, value_name = "NAME", global = true, help_heading = GLOBAL, hide_env_values = true, env = "NYM_DEVNET_NAME")]
    pub(crate) name: Option<String>,
    /// Folder of all devnets [default: $XDG_STATE_HOME/nym-devnet]
    #[arg(long, value_name = "DIR", global = true, help_heading = GLOBAL, hide_env_values = true, env = "NYM_DEVNET_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// What to print on standard output; streams are JSON lines
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        global = true, help_heading = GLOBAL,
        hide_env_values = true, env = "NYM_DEVNET_OUTPUT",
        default_value = "text"
    )]
    pub(crate) output: Format,
    /// Print nothing but results and errors
    #[arg(short, long, global = true, help_heading = GLOBAL, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print what happens meanwhile
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(crate) verbose: bool,
    /// Do not colour anything
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) no_color: bool,
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a devnet, and show its dashboard on a terminal
    Up(Box<UpArgs>),
    /// Show the dashboard of a running devnet
    Attach(AttachArgs),
    /// Stop a devnet
    Down(DownArgs),
    /// List devnets
    Ls,
    /// List the processes of a devnet
    Ps,
    /// Say how a devnet is
    Status,
    /// Wait until a devnet is ready or stopped
    Wait(WaitArgs),
    /// Start processes that do not run
    Start(NodesArgs),
    /// Let processes leave the network, and end
    Stop(NodesArgs),
    /// Stop processes, then start them again
    Restart(NodesArgs),
    /// End processes with SIGKILL; they are started again like after a crash
    Kill(KillArgs),
    /// Send a message
    Send(SendArgs),
    /// Show what a client has received
    Inbox(InboxArgs),
    /// Show what processes have logged
    Logs(LogsArgs),
    /// Show what the directory lists
    Topology,
    /// Run one role as this process
    #[command(subcommand)]
    Node(NodeRole),
    /// Supervise the devnet that standard input describes
    #[command(hide = true)]
    Supervise,
}

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
    pub(crate) fn layout(&self) -> Layout {
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

#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// Name of the devnet
    #[arg(value_name = "NAME")]
    pub(crate) devnet: Option<String>,
    /// Show everything, change nothing
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// Name of the devnet
    #[arg(value_name = "NAME")]
    pub(crate) devnet: Option<String>,
    /// Delete its folder, keys and mailboxes included
    #[arg(long)]
    pub(crate) purge: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// What to wait for
    #[arg(long = "for", value_name = "STATE", default_value = "ready")]
    pub(crate) goal: Goal,
    /// How long to wait at most; 0 only looks
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = humantime::parse_duration
    )]
    pub(crate) timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// Every process is ready
    Ready,
    /// The devnet does not run
    Stopped,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Do not wait until it is done
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Name of the sending client
    pub(crate) from: String,
    /// Name of the receiving client, or an address
    pub(crate) to: String,
    /// The message; `-` reads it from standard input
    #[arg(required_unless_present = "file")]
    pub(crate) text: Option<String>,
    /// Send what is in this file
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// Wait until it is delivered, or acknowledged where TO is outside the devnet
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    /// Name of the client
    pub(crate) client: String,
    /// Go on with what arrives
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Names of processes, or `supervisor` [default: all]
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Go on with what is logged
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many lines to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub(crate) lines: usize,
    /// Only lines that contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
}

fn parse_ports(text: &str) -> Result<Ports, String> {
    match text {
        "preferred" => Ok(Ports::Preferred),
        "auto" => Ok(Ports::Auto),
        _ => text
            .strip_prefix("base:")
            .and_then(|port| port.parse().ok())
            .filter(|&port| port != 0)
            .map(Ports::Base)
            .ok_or_else(|| "expected `preferred`, `auto` or `base:PORT`".into()),
    }
}

/// The longest time to wait for something, which is also the longest that a supervisor holds an
/// answer back.
const MAX_TIME: Duration = Duration::from_secs(3600);

/// A time that something can be done in.
fn parse_time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() {
        return Err("nothing is done within no time; expected a time such as `30s`".into());
    }
    if time > MAX_TIME {
        let most = humantime::format_duration(MAX_TIME);
        return Err(format!("it is too long; expected at most {most}, such as `30s`"));
    }
    Ok(time)
}

fn parse_restart(text: &str) -> Result<Restart, String> {
    match text {
        "no" => Ok(Restart::No),
        "on-failure" => Ok(Restart::OnFailure),
        "always" => Ok(Restart::Always),
        _ => Err("expected `no`, `on-failure` or `always`".into()),
    }
}

fn parse_profile(text: &str) -> Result<Profile, String> {
    [Profile::Classic, Profile::Current, Profile::Fast]
        .into_iter()
        .find(|profile| profile.name() == text)
        .ok_or_else(|| "expected `classic`, `current` or `fast`".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_name_stands_before_or_after_the_command() {
        for line in [
            ["nym-devnet", "--name", "t1", "up", "--detach"],
            ["nym-devnet", "up", "--detach", "--name", "t1"],
        ] {
            let cli = Cli::try_parse_from(line).expect("a good line");
            assert_eq!(cli.globals.name.as_deref(), Some("t1"));
        }
    }

    #[test]
    fn nothing_can_be_done_within_no_time() {
        assert_eq!(parse_time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("1h"), Ok(MAX_TIME));
        for long in ["1h 1ms", "500000000000years"] {
            let error = parse_time(long).expect_err("too long");
            assert!(error.contains("at most 1h"), "{error}");
        }
        assert!(
            parse_time("0").is_err() && parse_time("0ms").is_err() && parse_time("-1").is_err()
        );
    }

    #[test]
    fn ports_are_read_as_they_are_written() {
        assert_eq!(parse_ports("base:10080"), Ok(Ports::Base(10_080)));
        for wrong in ["", "base:", "base:0", "base:70000", "10080", "Auto"] {
            assert!(parse_ports(wrong).is_err(), "{wrong}");
        }
    }
}
