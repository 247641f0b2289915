//! `inbox`: what a client has received. The client keeps it, also while it does not run; a copy is
//! read page by page, and nothing is taken from an application.

use control::{ControlClient, FailureCode, InboxMessage, State, StreamEvent, visible};
use serde::Serialize;

use crate::cli::InboxArgs;
use crate::context::Context;
use crate::output::{Output, time_of_day};
use crate::stop::{Outcome, Stop};

#[derive(Serialize)]
struct Received {
    messages: Vec<InboxMessage>,
}

pub(crate) async fn run(context: &Context, args: &InboxArgs) -> Outcome {
    let control = context.connect(None)?;
    let mut pages = Pages { control: &control, client: &args.client, after: 0 };
    if args.follow {
        return follow(context, pages).await;
    }
    if context.output.is_json() {
        let mut received = Received { messages: Vec::new() };
        pages
            .read(|message| {
                received.messages.push(message);
                Ok(())
            })
            .await?;
        return context.output.result("inbox", Some(context.name()), &received, |_| String::new());
    }
    pages.read(|message| Output::text_line(&text(&message))).await?;
    if pages.after == 0 {
        Output::text_line(&format!("`{}` has received nothing yet", args.client))?;
    }
    Ok(())
}

/// Goes on with what arrives. Events only tell that something may have come; the numbers in the pages
/// decide what is new, so nothing is shown twice, and nothing is missed whose event got lost.
async fn follow(context: &Context, mut pages: Pages<'_>) -> Outcome {
    let print = |message: InboxMessage| {
        if context.output.is_json() {
            Output::json_event("inbox-message", context.name(), &message)
        } else {
            Output::text_line(&text(&message))
        }
    };
    // Open before the first page is read, so that nothing comes unseen in between.
    let mut events = pages.control.events().await?;
    pages.read(print).await?;
    let mut is_behind = false;
    let mut told = None;
    while let Some(envelope) = events.next().await? {
        let news = brings_news(&envelope.event, pages.client);
        is_behind |= news;
        if !is_behind || !(news || shows_life(&envelope.event, pages.client)) {
            continue;
        }
        match pages.read(print).await {
            Ok(()) => (is_behind, told) = (false, None),
            // It may have been stopped, and is asked again when it shows itself. What cannot be printed
            // is read no second time.
            Err(Stop::Failed(failure)) if failure.code != FailureCode::Environment => {
                if told.as_ref() != Some(&failure) {
                    context.output.note(&failure.message);
                }
                told = Some(failure);
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// Whether there may be more in the inbox after this.
fn brings_news(event: &StreamEvent, client: &str) -> bool {
    match event {
        // The first one, or events were missed.
        StreamEvent::Snapshot(_) => true,
        StreamEvent::Received(message) => message.client == client,
        StreamEvent::Lost { node, .. } => node == client,
        // The process before may have kept something and not lived to tell.
        StreamEvent::Node(node) => {
            node.name == client && node.state.is_running() && node.state != State::Stopping
        }
        _ => false,
    }
}

/// Whether a client that could not be asked can be asked again.
fn shows_life(event: &StreamEvent, client: &str) -> bool {
    matches!(event, StreamEvent::Metrics { node, .. } if node == client)
}

/// Reads an inbox from its beginning, as far as it goes, and later on from there.
struct Pages<'a> {
    control: &'a ControlClient,
    client: &'a str,
    /// Number of the latest message that was read.
    after: u64,
}

impl Pages<'_> {
    /// Hands over everything that was not read before.
    async fn read(&mut self, mut take: impl FnMut(InboxMessage) -> Outcome) -> Outcome {
        loop {
            let page = self.control.inbox(self.client, self.after).await?;
            let before = self.after;
            for message in page.messages.into_iter().filter(|message| message.number > before) {
                self.after = self.after.max(message.number);
                take(message)?;
            }
            if !page.more || self.after == before {
                return Ok(());
            }
        }
    }
}

fn text(message: &InboxMessage) -> String {
    // Anybody can have sent it, and one message is one line.
    format!("{}  {}", time_of_day(message.unix_ms), visible(&message.content.preview()))
}
