//! Options of `attack`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use contract::{MAX_COPIES, MAX_HOLD_MS, PacketPart};

use super::candidates;

/// The most bits that a part of a packet has: those of a payload of 2048 bytes.
const MAX_BIT: i64 = 8 * 2048 - 1;

#[derive(Debug, Subcommand)]
pub(crate) enum AttackCommand {
    /// Send the next packet of a link again
    Replay(ReplayArgs),
    /// Change a bit of the next packet of a link
    Flip(FlipArgs),
    /// Let a client send a packet over a route that leaves out a layer
    Skip(SkipArgs),
    /// Keep everybody but one client from a mixnode, until that has only this client's packets
    Isolate(IsolateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// Name of the node that sends: a client, a mixnode, or a provider (acknowledgements)
    #[arg(add = candidates::nodes())]
    pub(crate) from: String,
    /// Name of the next hop
    #[arg(add = candidates::hops())]
    pub(crate) to: String,
    /// How long to wait for a packet on the link at most
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = parse_wait)]
    pub(crate) wait: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// How many copies to send
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COPIES))
    )]
    pub(crate) times: u32,
}

#[derive(Debug, Args)]
pub(crate) struct FlipArgs {
    #[command(flatten)]
    pub(crate) link: LinkArgs,
    /// In which part of the packet
    #[arg(long, value_name = "PART")]
    pub(crate) part: Part,
    /// Which bit of it, from 0, the highest of the first byte [default: one that matters]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=MAX_BIT))]
    pub(crate) bit: Option<u32>,
}

/// A part of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// What each hop checks
    Header,
    /// What only the recipient can open
    Payload,
}

impl From<Part> for PacketPart {
    fn from(part: Part) -> Self {
        match part {
            Part::Header => Self::Header,
            Part::Payload => Self::Payload,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SkipArgs {
    /// Name of the client
    #[arg(add = candidates::clients())]
    pub(crate) client: String,
    /// The layer to leave out, from 1 [default: 2, or the only one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) layer: Option<u8>,
}

#[derive(Debug, Args)]
pub(crate) struct IsolateArgs {
    /// Name of a mixnode of the first layer
    #[arg(add = candidates::mixnodes())]
    pub(crate) mix: String,
    /// Name of the client whose packets still come there
    #[arg(long, value_name = "CLIENT", add = candidates::clients())]
    pub(crate) target: String,
    /// For how long, at most 5s
    #[arg(long = "for", value_name = "TIME", default_value = "2s", value_parser = parse_hold)]
    pub(crate) time: Duration,
}

/// How long a link is watched.
fn parse_wait(text: &str) -> Result<Duration, String> {
    bounded(text, contract::MAX_WAIT_MS)
}

/// How long packets are held back.
fn parse_hold(text: &str) -> Result<Duration, String> {
    bounded(text, MAX_HOLD_MS)
}

fn bounded(text: &str, most_ms: u64) -> Result<Duration, String> {
    let time = super::values::parse_time(text)?;
    let most = Duration::from_millis(most_ms);
    if time > most {
        return Err(format!(
            "it is too long; expected at most {}",
            humantime::format_duration(most)
        ));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_attack_lasts_longer_than_a_network_bears() {
        assert_eq!(parse_hold("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_wait("1m"), Ok(Duration::from_secs(60)));
        for (wrong, parse) in [("6s", parse_hold as fn(&str) -> _), ("2m", parse_wait)] {
            let error = parse(wrong).expect_err(wrong);
            assert!(error.contains("at most"), "{error}");
        }
        assert!(parse_hold("0s").is_err());
    }
}
