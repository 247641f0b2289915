//! Options of the commands that change a running devnet, and of `ping`.

use std::time::Duration;

use clap::{Args, Subcommand};
use contract::Change;

use super::values::parse_time;
use super::{Patience, candidates};

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(subcommand)]
    pub(crate) what: AddWhat,
    #[command(flatten)]
    pub(crate) wait: Patience,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddWhat {
    /// One more mixnode
    #[command(alias = "mixnode")]
    Mix {
        /// In this layer, from 1
        #[arg(long, value_name = "N")]
        layer: u8,
    },
    /// One more client, of the provider that has the fewest
    Client {
        /// Its name [default: the next of alice, bob, carol, … that is free]
        // Not `name`, which is the devnet's.
        #[arg(value_name = "NAME")]
        client: Option<String>,
    },
    /// One more provider
    Provider,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Names of nodes; their folders stay
    #[arg(required = true, value_name = "NODE", add = candidates::nodes())]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) wait: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// hop=TIME (mean delay at a mixnode), slot=TIME (mean interval of send slots), cover=TIME (mean
    /// interval of loop cover), slot-cover=on|off (cover in slots without a message), crowd=N
    /// (identities that only send cover)
    #[arg(
        required = true,
        value_name = "PARAM=VALUE",
        value_parser = parse_setting,
        add = candidates::words(&["hop=", "slot=", "cover=", "slot-cover=", "crowd="])
    )]
    pub(crate) settings: Vec<Setting>,
    /// Only a crowd takes time.
    #[command(flatten)]
    pub(crate) wait: Patience,
}

/// One parameter, and what it shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Hop(Duration),
    Slot(Duration),
    Cover(Duration),
    SlotCover(bool),
    Crowd(u16),
}

impl SetArgs {
    /// All of them together, of which the last of a parameter counts.
    pub(crate) fn change(&self) -> Change {
        let mut change = Change::default();
        for setting in &self.settings {
            match *setting {
                Setting::Hop(time) => change.hop_delay = Some(time),
                Setting::Slot(time) => change.slot = Some(time),
                Setting::Cover(time) => change.loop_cover = Some(time),
                Setting::SlotCover(on) => change.slot_cover = Some(on),
                Setting::Crowd(size) => change.crowd = Some(size),
            }
        }
        change
    }
}

fn parse_setting(text: &str) -> Result<Setting, String> {
    let (parameter, value) = text.split_once('=').ok_or("expected PARAM=VALUE, as in hop=50ms")?;
    let time = || {
        contract::parse_duration(value)
            .map_err(|error| format!("{error}; expected a time such as {parameter}=50ms"))
    };
    match parameter {
        "hop" | "hop-delay" => time().map(Setting::Hop),
        "slot" => time().map(Setting::Slot),
        "cover" | "loop-cover" => time().map(Setting::Cover),
        "slot-cover" => match value {
            "on" => Ok(Setting::SlotCover(true)),
            "off" => Ok(Setting::SlotCover(false)),
            _ => Err("expected slot-cover=on or slot-cover=off".into()),
        },
        "crowd" => value
            .parse()
            .map(Setting::Crowd)
            .map_err(|_| format!("`{value}` is no number such as crowd=40")),
        _ => Err("what can be set is hop, slot, cover, slot-cover and crowd".into()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct PingArgs {
    /// Name of the client
    #[arg(add = candidates::clients())]
    pub(crate) client: String,
    /// How many packets it sends to itself
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) count: u32,
    /// From one to the next; several may be underway
    #[arg(
        short,
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = contract::parse_duration
    )]
    pub(crate) interval: Duration,
    /// How long to wait for each at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, Command};
    use super::*;

    #[test]
    fn the_name_of_a_new_client_is_not_that_of_the_devnet() {
        for line in
            ["nym-devnet --name t1 add client carol", "nym-devnet add client carol --name t1"]
        {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(cli.globals.name.as_deref(), Some("t1"));
            let Command::Add(AddArgs { what: AddWhat::Client { client }, .. }) = cli.command else {
                panic!("{line}")
            };
            assert_eq!(client.as_deref(), Some("carol"));
        }
    }

    #[test]
    fn a_setting_is_a_parameter_and_what_it_shall_be() {
        let fifty = Duration::from_millis(50);
        for (text, setting) in [
            ("hop=50ms", Setting::Hop(fifty)),
            ("hop-delay=0s", Setting::Hop(Duration::ZERO)),
            ("slot=50ms", Setting::Slot(fifty)),
            ("cover=50ms", Setting::Cover(fifty)),
            ("crowd=0", Setting::Crowd(0)),
        ] {
            assert_eq!(parse_setting(text), Ok(setting), "{text}");
        }
        for (text, why) in [
            ("hop", "PARAM=VALUE"),
            ("hop=", "hop=50ms"),
            ("hop=50", "hop=50ms"),
            ("crowd=-1", "crowd=40"),
            ("crowd=70000", "crowd=40"),
            ("hops=1s", "hop, slot, cover, slot-cover and crowd"),
        ] {
            let error = parse_setting(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
