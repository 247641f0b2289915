//! `inbox`: what a client has received. The client keeps it, also while it does not run; a copy is
//! read page by page, and nothing is taken from an application.

use control::{ControlClient, FailureCode, Inbox, InboxMessage, State, StreamEvent, visible};

use crate::cli::InboxArgs;
use crate::context::Context;
use crate::output::{Listing, Output, time_of_day};
use crate::stop::{Outcome, Stop};

pub(crate) async fn run(context: &Context, args: &InboxArgs) -> Outcome {
    let control = context.connect(None)?;
    let mut pages = Pages { control: &control, client: &args.client, last: None };
    if args.follow {
        return follow(context, pages).await;
    }
    if context.output.is_json() {
        // Begun with the first page, so that a failure before it is all there is.
        let mut list = None;
        let read = pages
            .read(|message| {
                if list.is_none() {
                    list = Some(Listing::begin("inbox", context.name(), "messages")?);
                }
                list.as_mut().map_or(Ok(()), |list| list.add(message))
            })
            .await;
        return match list {
            Some(list) => list.end(read),
            None => {
                read.and_then(|()| Listing::begin("inbox", context.name(), "messages")?.end(Ok(())))
            }
        };
    }
    pages.read(|message| Output::text_line(&text(message))).await?;
    if pages.last.is_none() {
        Output::text_line(&format!("`{}` has received nothing yet", args.client))?;
    }
    Ok(())
}

/// Goes on with what arrives. Events only tell that something may have come; the numbers in the pages
/// decide what is new, so nothing is shown twice, and nothing is missed whose event got lost.
async fn follow(context: &Context, mut pages: Pages<'_>) -> Outcome {
    let print = |message: &InboxMessage| {
        if context.output.is_json() {
            Output::json_event("inbox-message", context.name(), message)
        } else {
            Output::text_line(&text(message))
        }
    };
    // Open before the first page is read, so that nothing comes unseen in between.
    let mut events = pages.control.events().await?;
    pages.read(print).await?;
    let mut is_behind = false;
    let mut told = None;
    while let Some(envelope) = events.next().await? {
        Output::check_reader()?;
        if let StreamEvent::Down { reason } = &envelope.event {
            context.output.note(&format!("the devnet went down: {reason}"));
        }
        if may_begin_anew(&envelope.event, pages.client) && pages.began_anew().await {
            let note = "the inbox of `{}` was put aside by its client, and begins anew";
            context.output.note(&note.replace("{}", pages.client));
        }
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

/// Whether the inbox after this may be another one: its file is looked at when a process starts.
fn may_begin_anew(event: &StreamEvent, client: &str) -> bool {
    match event {
        StreamEvent::Snapshot(_) => true,
        StreamEvent::Node(node) => node.name == client && node.state == State::Ready,
        _ => false,
    }
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
    /// Number and id of the latest message that was read.
    last: Option<(u64, String)>,
}

impl Pages<'_> {
    /// Hands over everything that was not read before.
    async fn read(&mut self, mut take: impl FnMut(&InboxMessage) -> Outcome) -> Outcome {
        loop {
            let after = self.after();
            let page = self.control.inbox(self.client, after).await?;
            for message in page.messages.iter().filter(|message| message.number > after) {
                take(message)?;
                if message.number > self.after() {
                    self.last = Some((message.number, message.id.clone()));
                }
            }
            if !page.more || self.after() == after {
                return Ok(());
            }
        }
    }

    fn after(&self) -> u64 {
        self.last.as_ref().map_or(0, |(number, _)| *number)
    }

    /// Whether the inbox is not the one that was read before: then it is read from its beginning.
    async fn began_anew(&mut self) -> bool {
        let Some((number, id)) = &self.last else { return false };
        // Who cannot be asked now is asked after its next event.
        let Ok(page) = self.control.inbox(self.client, number - 1).await else { return false };
        let began_anew = is_another(&page, *number, id);
        if began_anew {
            self.last = None;
        }
        began_anew
    }
}

/// Whether a page that begins at a message that was read is of another inbox.
fn is_another(page: &Inbox, number: u64, id: &str) -> bool {
    // Numbers are never given twice, and only go up.
    page.last.is_some_and(|last| last < number)
        || page.messages.first().is_some_and(|first| first.number == number && first.id != id)
}

fn text(message: &InboxMessage) -> String {
    // Anybody can have sent it, and one message is one line.
    format!("{}  {}", time_of_day(message.unix_ms), visible(&message.content.preview()))
}

#[cfg(test)]
mod tests {
    use contract::Content;

    use super::*;

    #[test]
    fn an_inbox_that_began_anew_is_told_from_one_that_forgot() {
        let page = |first: Option<(u64, &str)>, last| {
            let message = |(number, id): (u64, &str)| InboxMessage {
                client: "bob".into(),
                number,
                id: id.into(),
                unix_ms: 0,
                content: Content::Text("x".into()),
            };
            Inbox { messages: first.map(message).into_iter().collect(), more: false, last }
        };
        for (first, last, expected) in [
            (Some((5, "a")), Some(5), false),
            (Some((5, "a")), Some(9), false),
            // The fifth was taken and is forgotten.
            (Some((7, "c")), Some(9), false),
            (None, Some(5), false),
            (None, None, false),
            // Another fifth; fewer than five.
            (Some((5, "b")), Some(9), true),
            (None, Some(0), true),
            (None, Some(4), true),
        ] {
            assert_eq!(is_another(&page(first, last), 5, "a"), expected, "{first:?} {last:?}");
        }
    }
}
