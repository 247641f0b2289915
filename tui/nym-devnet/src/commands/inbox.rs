//! `inbox`: what a client has received.

use control::{InboxMessage, StreamEvent, visible};

use crate::cli::InboxArgs;
use crate::context::Context;
use crate::output::{Output, time_of_day};
use crate::stop::Outcome;

pub(crate) async fn run(context: &Context, args: &InboxArgs) -> Outcome {
    let client = context.connect(None)?;
    let output = context.output;
    if !args.follow {
        let inbox = client.inbox(&args.client).await?;
        return output.result("inbox", Some(context.name()), &inbox, |_| {
            let mut lines: Vec<String> = Vec::new();
            if inbox.forgotten > 0 {
                lines.push(format!("({} older messages are not remembered)", inbox.forgotten));
            }
            lines.extend(inbox.messages.iter().map(text));
            if lines.is_empty() {
                lines.push(format!("`{}` has received nothing yet", args.client));
            }
            lines.join("\n")
        });
    }
    // The name is checked by the question; the stream begins with the same messages.
    client.inbox(&args.client).await?;
    let mut events = client.events().await?;
    let mut shown = false;
    while let Some(envelope) = events.next().await? {
        let messages = match envelope.event {
            // A later snapshot comes when this was too slow; what it holds may be shown already.
            StreamEvent::Snapshot(snapshot) if !std::mem::replace(&mut shown, true) => {
                snapshot.received
            }
            StreamEvent::Received(message) => vec![message],
            _ => continue,
        };
        for message in messages.iter().filter(|message| message.client == args.client) {
            if output.is_json() {
                Output::json_line(message)?;
            } else {
                Output::text_line(&text(message))?;
            }
        }
    }
    Ok(())
}

fn text(message: &InboxMessage) -> String {
    // Anybody can have sent it, and one message is one line.
    format!("{}  {}", time_of_day(message.unix_ms), visible(&message.content.preview()))
}
