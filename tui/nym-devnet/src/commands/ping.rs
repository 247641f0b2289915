//! `ping`: a client sends packets to itself through all layers, and they tell how long that takes.

use std::fmt::Write as _;
use std::time::Duration;

use control::{ControlClient, ControlError, Failure, FailureCode, PingRequest, Pong};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::delays::Delays;
use crate::cli::PingArgs;
use crate::context::Context;
use crate::output::Output;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// Pings that are underway together: half of what a client takes, so that others can ping as well.
const MAX_UNDERWAY: usize = 8;

/// One packet: what came of it.
#[derive(Serialize)]
struct Ping {
    /// From 1, in the order in which they were asked for.
    number: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pong: Option<Pong>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Failure>,
}

/// All of them.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Summary {
    client: String,
    sent: u32,
    returned: u32,
    loss_percent: f64,
    /// How long they travelled, of those that are back.
    travelled_ms: Option<Delays>,
    /// What they were told to wait at the mixnodes.
    asked_ms: Option<Delays>,
}

pub(crate) async fn run(context: &Context, args: &PingArgs) -> Outcome {
    let client = context.connect(None)?;
    let mut signals = Signals::new()?;
    let timeout_ms = u64::try_from(args.timeout.as_millis()).unwrap_or(u64::MAX);
    // A pause of nothing would be no ticks at all.
    let mut ticks = interval(args.interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut underway = JoinSet::new();
    let (mut sent, mut over) = (0, Vec::new());
    let mut signal = None;
    while sent < args.count || !underway.is_empty() {
        let may_send = sent < args.count && underway.len() < MAX_UNDERWAY;
        tokio::select! {
            _ = ticks.tick(), if may_send => {
                sent += 1;
                let request = PingRequest { client: args.client.clone(), timeout_ms };
                underway.spawn(ping(client.clone(), request, sent));
            }
            Some(pinged) = underway.join_next() => {
                let (number, outcome) = pinged.expect("a request does not panic");
                over.push(taken(number, outcome)?);
                over.last().map_or(Ok(()), |latest| tell(context, latest))?;
            }
            // What is not back yet is not counted as lost.
            number = signals.next() => {
                signal = Some(number);
                break;
            }
        }
    }
    let summary = summary(&args.client, &over);
    let failed = (summary.returned == 0 && !over.is_empty()).then(|| {
        let message = format!("no packet of `{}` came back", args.client);
        Failure::new(FailureCode::SendFailed, message)
            .hint("`nym-devnet status` says what is not ready")
            .node(&args.client)
    });
    context
        .output
        .result_with("ping", Some(context.name()), &summary, failed, |_| text(&summary))?;
    signal.map_or(Ok(()), |number| Err(Stop::Signal(number)))
}

async fn ping(
    client: ControlClient,
    request: PingRequest,
    number: u32,
) -> (u32, Result<Pong, ControlError>) {
    (number, client.ping(&request).await)
}

/// What came of a ping; an error if no other can come back either.
fn taken(number: u32, pong: Result<Pong, ControlError>) -> Outcome<Ping> {
    match pong {
        Ok(pong) => Ok(Ping { number, pong: Some(pong), lost: None }),
        Err(error) => {
            let failure = Failure::from(error);
            match failure.code {
                FailureCode::SendFailed | FailureCode::DeadlinePassed | FailureCode::NotRunning => {
                    Ok(Ping { number, pong: None, lost: Some(failure) })
                }
                _ => Err(failure.into()),
            }
        }
    }
}

fn tell(context: &Context, ping: &Ping) -> Outcome {
    if context.output.is_json() {
        return Output::json_event("pong", context.name(), ping);
    }
    if context.output.quiet {
        return Ok(());
    }
    Output::text_line(&line(ping))
}

fn line(Ping { number, pong, lost }: &Ping) -> String {
    match (pong, lost) {
        (Some(Pong { queued_ms, travelled_ms, asked_ms, route }), _) => format!(
            "{number}: {travelled_ms:.1} ms, of which {asked_ms:.1} ms in mixnodes, after \
             {queued_ms:.1} ms until its slot, via {}",
            route.join(" → ")
        ),
        (None, Some(lost)) => format!("{number}: {lost}"),
        (None, None) => format!("{number}: nothing is known"),
    }
}

fn summary(client: &str, over: &[Ping]) -> Summary {
    let count = |pings: usize| u32::try_from(pings).unwrap_or(u32::MAX);
    let pongs: Vec<&Pong> = over.iter().filter_map(|ping| ping.pong.as_ref()).collect();
    let (sent, returned) = (count(over.len()), count(pongs.len()));
    let delays =
        |of: fn(&Pong) -> f64| Delays::of(&pongs.iter().map(|pong| of(pong)).collect::<Vec<_>>());
    Summary {
        client: client.into(),
        sent,
        returned,
        loss_percent: f64::from(sent - returned) * 100.0 / f64::from(sent.max(1)),
        travelled_ms: delays(|pong| pong.travelled_ms),
        asked_ms: delays(|pong| pong.asked_ms),
    }
}

fn text(summary: &Summary) -> String {
    let Summary { client, sent, returned, loss_percent, travelled_ms, asked_ms } = summary;
    let mut text =
        format!("{client}: {sent} packets sent, {returned} came back, {loss_percent:.0} % lost");
    for (what, delays) in [("travelled", travelled_ms), ("in mixnodes", asked_ms)] {
        if let Some(Delays { min, median, p95, max }) = delays {
            // Writing into a string cannot fail.
            let _ = write!(
                text,
                "\n{what}: min {min:.1}, median {median:.1}, 95 % {p95:.1}, max {max:.1} ms"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(number: u32, travelled_ms: f64) -> Ping {
        let pong = Pong {
            queued_ms: 1.0,
            travelled_ms,
            asked_ms: travelled_ms - 1.0,
            route: vec!["mix-1-1".into(), "provider-1".into()],
        };
        Ping { number, pong: Some(pong), lost: None }
    }

    #[test]
    fn a_summary_counts_what_is_over() {
        let lost = Failure::new(FailureCode::SendFailed, "no ping from `alice`: it is not back");
        let mut over = vec![back(1, 30.0), back(3, 10.0), back(2, 20.0)];
        assert_eq!(
            text(&summary("alice", &over)),
            "alice: 3 packets sent, 3 came back, 0 % lost\n\
             travelled: min 10.0, median 20.0, 95 % 30.0, max 30.0 ms\n\
             in mixnodes: min 9.0, median 19.0, 95 % 29.0, max 29.0 ms"
        );
        over.push(Ping { number: 4, pong: None, lost: Some(lost) });
        assert_eq!(line(&over[3]), "4: no ping from `alice`: it is not back");
        over.push(back(5, 40.0));
        let summary = summary("alice", &over);
        assert_eq!((summary.sent, summary.returned), (5, 4));
        assert!((summary.loss_percent - 20.0).abs() < 1e-9);
        assert_eq!(
            line(&over[0]),
            "1: 30.0 ms, of which 29.0 ms in mixnodes, after 1.0 ms until its slot, via \
             mix-1-1 → provider-1"
        );
        assert_eq!(super::summary("alice", &[]).travelled_ms, None);
    }
}
