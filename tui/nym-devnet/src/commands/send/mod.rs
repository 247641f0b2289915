//! `send`: a message from one client to another, or many of them.

mod content;
mod many;
mod steps;
mod tally;
mod way;
mod ways;

use control::{MessageStatus, SendRequest, SendWait};
use serde::Serialize;

use crate::cli::SendArgs;
use crate::context::Context;
use crate::stop::Outcome;

use content::Contents;

#[derive(Serialize)]
struct Sent<'a> {
    #[serde(flatten)]
    message: &'a MessageStatus,
    /// From acceptance until the recipient had the whole of it.
    delay_ms: Option<f64>,
    /// Names of the hops of the first packet: a mixnode of each layer, then the provider.
    route: &'a [String],
}

pub(crate) async fn run(context: &Context, args: SendArgs) -> Outcome {
    if args.count.is_some() || args.follow {
        return Box::pin(many::run(context, &args)).await;
    }
    let what = Contents::of(&args)?.of_number(1);
    let wait = if args.wait { SendWait::Delivered } else { SendWait::Accepted };
    let timeout_ms = u64::try_from(args.timeout.as_millis()).unwrap_or(u64::MAX);
    let request = SendRequest { from: args.from, to: args.to, content: what, wait, timeout_ms };
    let message = context.connect(None)?.send(&request).await?;
    let route = message.packets.first().map(|packet| packet.route.as_slice()).unwrap_or_default();
    let sent = Sent { message: &message, delay_ms: message.delivered_ms, route };
    context.output.result("send", Some(context.name()), &sent, |_| text(&sent))
}

fn text(sent: &Sent<'_>) -> String {
    let MessageStatus { id, from, to, packets, .. } = sent.message;
    let again: u32 = packets.iter().map(|packet| packet.attempts.saturating_sub(1)).sum();
    let again = if again == 0 { String::new() } else { format!(" and {again} sent again") };
    let packets = match packets.len() {
        1 => format!("1 packet{again}"),
        packets => format!("{packets} packets{again}"),
    };
    // Nobody here sees it arrive at a client that is not of this devnet.
    let how = match (sent.delay_ms, sent.message.acknowledged_ms) {
        (Some(ms), _) => format!("delivered after {ms:.0} ms"),
        (None, Some(ms)) => format!("acknowledged after {ms:.0} ms"),
        (None, None) => return format!("{from} → {to}: accepted, {packets}, message {id}"),
    };
    let via = match sent.route {
        [] => String::new(),
        route => format!(" via {}", route.join(" → ")),
    };
    format!("{from} → {to}: {how}, {packets}{via}, message {id}")
}
