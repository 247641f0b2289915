//! `send`: a message from one client to another.

use std::io::{self, Read as _};

use contract::{Content, MAX_CONTENT_BYTES};
use control::{Failure, FailureCode, MessageStatus, SendRequest, SendWait, shown_argument};
use serde::Serialize;

use crate::cli::SendArgs;
use crate::context::Context;
use crate::stop::Outcome;

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
    let what = content(&args)?;
    let wait = if args.wait { SendWait::Delivered } else { SendWait::Accepted };
    let request =
        SendRequest { from: args.from, to: args.to, content: what, wait, timeout: args.timeout };
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

fn content(args: &SendArgs) -> Outcome<Content> {
    let bytes = match (&args.file, args.text.as_deref()) {
        (Some(path), _) => {
            let what = format!("`{}`", shown_argument(&path.display().to_string()));
            let file = std::fs::File::open(path).map_err(|error| unreadable(&what, &error))?;
            read(&what, file)?
        }
        (None, Some("-")) => read("standard input", io::stdin().lock())?,
        (None, text) => text.unwrap_or_default().as_bytes().to_vec(),
    };
    Ok(Content::from_bytes(bytes))
}

/// Reads one byte more than is possible, which tells that there are more.
fn read(what: &str, from: impl io::Read) -> Outcome<Vec<u8>> {
    let limit = u64::try_from(MAX_CONTENT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(what, &error))?;
    if bytes.len() > MAX_CONTENT_BYTES {
        let message = format!("cannot send {what}: it has more than {MAX_CONTENT_BYTES} bytes");
        return Err(Failure::new(FailureCode::Usage, message)
            .hint("longer ones go through the websocket of the client, up to 16 MiB")
            .into());
    }
    Ok(bytes)
}

fn unreadable(what: &str, error: &io::Error) -> Failure {
    Failure::new(FailureCode::Usage, format!("cannot read the message from {what}: {error}"))
}
