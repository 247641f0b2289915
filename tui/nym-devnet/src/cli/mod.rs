//! The command line: every command and option, and what it means in one line.

mod arguments;
mod attack;
mod candidates;
mod change;
mod given;
mod layout;
mod lesson;
mod look;
mod messages;
mod up;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::node::NodeRole;

pub(crate) use arguments::{AttachArgs, DownArgs, Goal, KillArgs, NodesArgs, Patience, WaitArgs};
pub(crate) use attack::{AttackCommand, FlipArgs, IsolateArgs, ReplayArgs, SkipArgs};
pub(crate) use change::{AddArgs, AddWhat, PingArgs, RemoveArgs, SetArgs};
pub(crate) use layout::{InitArgs, LayoutCommand};
pub(crate) use lesson::{LessonCheckArgs, LessonCommand, LessonRunArgs};
pub(crate) use look::{
    AnonymityArgs, CompletionsArgs, GcArgs, Level, LogsArgs, MetricsArgs, TopologyArgs,
    TopologyFormat,
};
pub(crate) use messages::{InboxArgs, SendArgs};
pub(crate) use up::{LayoutArgs, ScreenArgs, UpArgs};

/// Where help lists the options that every command takes.
const GLOBAL: &str = "Global options";

/// A whole Nym mixnet on one machine
#[derive(Debug, Parser)]
#[command(name = "nym-devnet", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 other failure, 2 usage or impossible layout, \
    3 no such devnet or node, or it does not run, 4 name or port in use, 5 deadline passed, \
    6 a check failed, such as that a message is delivered, 7 a node was lost, 8 environment, 9 supervisor unreachable, \
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
    #[arg(long, value_name = "NAME", global = true, help_heading = GLOBAL, hide_env_values = true, env = "NYM_DEVNET_NAME", add = candidates::devnets())]
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
    /// Show the dashboard of a running devnet, or play a recording of one
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
    /// Let processes stand still where they are, as if the machine had forgotten them
    Pause(NodesArgs),
    /// Let paused processes go on
    Resume(NodesArgs),
    /// End processes with SIGKILL; they are started again like after a crash
    Kill(KillArgs),
    /// One more mixnode, client or provider
    Add(AddArgs),
    /// Let nodes leave the network for good; traffic goes on
    Remove(RemoveArgs),
    /// Change delays, rates and the crowd of the running devnet
    Set(SetArgs),
    /// Send a message
    Send(SendArgs),
    /// Let a client send packets to itself, and tell how long they take
    Ping(PingArgs),
    /// Be the adversary on a link, and see what the network answers
    #[command(subcommand)]
    Attack(AttackCommand),
    /// Learn what a mixnet does, on a running one
    #[command(subcommand)]
    Lesson(LessonCommand),
    /// Show what a client has received
    Inbox(InboxArgs),
    /// Show what processes have logged
    Logs(LogsArgs),
    /// Show what the directory lists
    Topology(TopologyArgs),
    /// Show what the nodes have counted: packets, delays, drops, cover
    Metrics(MetricsArgs),
    /// Show what an observer of the links can infer: bits of anonymity, pools, suspects
    Anonymity(AnonymityArgs),
    /// Layouts: list, show, check and write them
    #[command(subcommand)]
    Layout(LayoutCommand),
    /// Delete folders of devnets that have not run for long
    Gc(GcArgs),
    /// Check whether this machine can run a devnet, and say how to mend what is wrong
    Doctor,
    /// Print the keys of the dashboard as a file to edit, and where it goes
    Keys,
    /// Print what a shell needs to complete commands, options and names
    Completions(CompletionsArgs),
    /// Run one role as this process
    #[command(subcommand)]
    Node(NodeRole),
    /// Supervise the devnet that standard input describes
    #[command(hide = true)]
    Supervise,
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
}
