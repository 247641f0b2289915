//! One websocket connection: what the subscription brings goes out, pings keep it alive, and what
//! the client says is not listened to.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, close_code};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

use crate::hub::Subscription;

/// Bytes of a client's message. The original took 512 and closed on more; there is nothing to say.
pub(crate) const MAX_INBOUND_BYTES: usize = 512;

/// A client that does not take a message in this time is given up. The original's deadline.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// How a kind of connection is kept alive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// A ping is sent this often.
    ping_every: Duration,
    /// A client from which nothing came for this long, not even a pong, is given up.
    silence_limit: Duration,
}

impl Manners {
    /// Those of the original's `/ws`.
    pub(crate) const ORIGINAL: Self =
        Self { ping_every: Duration::from_secs(54), silence_limit: Duration::from_secs(60) };

    /// Those of `/ws/events`, by which its readers notice a dead directory within 15 seconds.
    pub(crate) const EVENTS: Self =
        Self { ping_every: Duration::from_secs(5), silence_limit: Duration::from_secs(15) };
}

/// Serves a connection until the client leaves, is given up, or the directory stops.
pub(crate) async fn serve<S, E>(
    socket: S,
    mut subscription: Subscription,
    manners: Manners,
    shutdown: CancellationToken,
) where
    S: Stream<Item = Result<Message, E>> + Sink<Message, Error = E> + Unpin,
    E: Error + 'static,
{
    let fell_behind = subscription.fell_behind();
    tokio::select! {
        // Even in the middle of a message that the client does not take.
        () = fell_behind.cancelled() => {}
        () = converse(socket, &mut subscription, manners, shutdown) => {}
    }
}

async fn converse<S, E>(
    mut socket: S,
    subscription: &mut Subscription,
    manners: Manners,
    shutdown: CancellationToken,
) where
    S: Stream<Item = Result<Message, E>> + Sink<Message, Error = E> + Unpin,
    E: Error + 'static,
{
    let mut ping = interval_at(Instant::now() + manners.ping_every, manners.ping_every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut give_up = Instant::now() + manners.silence_limit;
    loop {
        let message = tokio::select! {
            // What came is read before the client is called silent.
            biased;
            () = shutdown.cancelled() => close(close_code::AWAY, "the directory stops"),
            incoming = socket.next() => match incoming {
                Some(Err(error)) if is_too_long(&error) => too_long(),
                // The library has made the answer that its goodbye calls for.
                Some(Ok(Message::Close(_))) => {
                    is_taken(socket.flush()).await;
                    return;
                }
                Some(Err(_)) | None => return,
                Some(Ok(Message::Text(text))) if text.len() > MAX_INBOUND_BYTES => too_long(),
                Some(Ok(Message::Binary(bytes))) if bytes.len() > MAX_INBOUND_BYTES => too_long(),
                Some(Ok(message)) => {
                    // The library has made a pong of a ping, and would pile them up for a client
                    // that does not take them.
                    let is_ping = matches!(message, Message::Ping(_));
                    if is_ping && !is_taken(socket.flush()).await {
                        return;
                    }
                    give_up = Instant::now() + manners.silence_limit;
                    continue;
                }
            },
            _ = ping.tick() => Message::Ping(axum::body::Bytes::new()),
            text = subscription.next() => match text {
                Some(text) => Message::Text(text),
                None => return,
            },
            () = sleep_until(give_up) => return,
        };
        let last = matches!(message, Message::Close(_));
        if !is_taken(socket.send(message)).await || last {
            return;
        }
    }
}

/// Whether the client took what is written, in time.
async fn is_taken<E>(writing: impl Future<Output = Result<(), E>>) -> bool {
    matches!(timeout(WRITE_DEADLINE, writing).await, Ok(Ok(())))
}

/// Whether the library refused a message before it was whole.
fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source())
        .any(|error| matches!(error.downcast_ref(), Some(tungstenite::Error::Capacity(_))))
}

fn too_long() -> Message {
    close(close_code::SIZE, "at most 512 bytes")
}

fn close(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use directory_api::MixMetricReport;
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;
    use crate::hub::Hub;

    /// The directory's end of a connection, with the client in the hands of the test.
    struct Fake {
        from_client: UnboundedReceiver<Message>,
        to_client: UnboundedSender<(Duration, Message)>,
        start: Instant,
        /// Whether the client takes what is sent.
        takes: bool,
    }

    impl Stream for Fake {
        type Item = io::Result<Message>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.from_client.poll_recv(cx).map(|message| message.map(Ok))
        }
    }

    impl Sink<Message> for Fake {
        type Error = io::Error;

        fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.takes { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn start_send(self: Pin<&mut Self>, message: Message) -> io::Result<()> {
            self.to_client.send((self.start.elapsed(), message)).map_err(io::Error::other)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_ready(cx)
        }

        fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_ready(cx)
        }
    }

    fn fake(
        takes: bool,
    ) -> (Fake, UnboundedSender<Message>, UnboundedReceiver<(Duration, Message)>) {
        let (client, from_client) = unbounded_channel();
        let (to_client, sent) = unbounded_channel();
        (Fake { from_client, to_client, start: Instant::now(), takes }, client, sent)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up_at_the_write_deadline() {
        let hub = Hub::new(Arc::default());
        let subscription = hub.listen().expect("a place");
        let report = MixMetricReport { pub_key: "m".into(), sent: BTreeMap::new(), received: 1 };
        hub.change(|registry, now| registry.report_metrics(now, report)).await.expect("accepted");
        let (socket, _client, _sent) = fake(false);
        let start = Instant::now();
        serve(socket, subscription, Manners::ORIGINAL, CancellationToken::new()).await;
        assert_eq!(start.elapsed(), WRITE_DEADLINE);
    }

    /// A ping is answered by the library, and that answer has to be taken too.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_pings_and_takes_nothing_is_given_up() {
        let (socket, client, _sent) = fake(false);
        client.send(Message::Ping(axum::body::Bytes::new())).expect("room");
        let start = Instant::now();
        let subscription = Hub::new(Arc::default()).listen().expect("a place");
        serve(socket, subscription, Manners::ORIGINAL, CancellationToken::new()).await;
        assert_eq!(start.elapsed(), WRITE_DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_pinged_and_then_given_up() {
        let (socket, client, mut sent) = fake(true);
        let start = Instant::now();
        let subscription = Hub::new(Arc::default()).listen().expect("a place");
        let serving = serve(socket, subscription, Manners::ORIGINAL, CancellationToken::new());
        let speaking = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            client.send(Message::Pong(axum::body::Bytes::new())).expect("still served");
        };
        tokio::join!(serving, speaking);
        assert_eq!(start.elapsed(), Duration::from_secs(50 + 60));
        for second in [54, 108] {
            let (when, message) = sent.recv().await.expect("a ping");
            assert!(matches!(message, Message::Ping(_)), "{message:?}");
            assert_eq!(when, Duration::from_secs(second));
        }
        assert_eq!(sent.recv().await, None, "nothing else");
    }
}
