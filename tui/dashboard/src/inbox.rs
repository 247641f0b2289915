//! What a client keeps of what it received before: the newest of it.

use control::{Inbox, InboxMessage};

/// How many messages of a client are asked for. An inbox that no application empties has a hundred
/// thousand.
const NEWEST: u64 = 200;

/// How many pages are read at most. A page has a mebibyte, so this is more than is ever kept.
const MAX_PAGES: usize = 8;

/// Reads the newest messages of an inbox, oldest first. `ask` gets the page after a number.
pub(crate) async fn newest<E, A>(ask: impl Fn(u64) -> A) -> Result<Vec<InboxMessage>, E>
where
    A: Future<Output = Result<Inbox, E>>,
{
    let mut page = ask(0).await?;
    let mut messages = page.messages;
    let mut after = messages.last().map_or(0, |message| message.number);
    if let Some(begin) = page.last.map(|last| last.saturating_sub(NEWEST))
        && page.more
        && begin > after
    {
        messages.clear();
        after = begin;
    }
    for _ in 1..MAX_PAGES {
        if !page.more {
            break;
        }
        page = ask(after).await?;
        after = page.messages.last().map_or(after, |message| message.number);
        messages.append(&mut page.messages);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use contract::Content;

    use super::*;

    /// The numbers that are read of an inbox of so many messages, of which a page has so many, and
    /// how many pages that took.
    async fn read(all: u64, page: u64, tells_last: bool) -> (Vec<u64>, usize) {
        let asked = std::cell::Cell::new(0);
        let ask = |after: u64| {
            asked.set(asked.get() + 1);
            let messages = (after + 1..=all.min(after + page)).map(|number| InboxMessage {
                client: "bob".into(),
                number,
                id: format!("{number:032x}"),
                unix_ms: number,
                content: Content::Text("hi".into()),
            });
            let more = after + page < all;
            let last = tells_last.then_some(all);
            std::future::ready(Ok::<_, ()>(Inbox { messages: messages.collect(), more, last }))
        };
        let messages = newest(ask).await.expect("it answers");
        (messages.iter().map(|message| message.number).collect(), asked.get())
    }

    #[tokio::test]
    async fn a_short_inbox_is_read_whole_and_of_a_long_one_the_newest() {
        assert_eq!(read(0, 10, true).await, (vec![], 1));
        assert_eq!(read(7, 10, true).await, ((1..=7).collect(), 1));
        assert_eq!(read(25, 10, true).await, ((1..=25).collect(), 3));
        assert_eq!(read(100_000, 100, true).await, ((99_801..=100_000).collect(), 3));
        // One that does not tell how many it has is not read for ever.
        assert_eq!(read(100_000, 100, false).await, ((1..=800).collect(), MAX_PAGES));
    }
}
