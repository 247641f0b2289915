//! What an observer hears: the event stream, and what nodes that work for it tell beside that.

use control::{
    ControlClient, ControlError, Envelope, EventStream, FailureCode, StreamEvent, missed,
};

/// Both streams of one devnet.
pub(super) struct Streams {
    client: ControlClient,
    events: EventStream,
    /// Number of the latest event.
    heard: Option<u64>,
    /// The nodes that tell.
    nodes: Vec<String>,
    /// None while none tells.
    passages: Option<EventStream>,
    /// Whether their stream ended, which it does if it is not read in time: the supervisor waits for nobody.
    fell_behind: bool,
}

/// What was told.
#[derive(Debug)]
pub(super) enum Told {
    /// The next event, or what nodes know.
    Next(Envelope),
    /// A snapshot, after events that were missed.
    Anew(Envelope),
}

impl Streams {
    /// The event stream from here on. No node tells anything yet.
    pub(super) async fn open(client: ControlClient) -> Result<Self, ControlError> {
        let events = client.events().await?;
        let (heard, nodes, passages, fell_behind) = (None, Vec::new(), None, false);
        Ok(Self { client, events, heard, nodes, passages, fell_behind })
    }

    /// From now on these nodes tell what they know, and no others.
    pub(super) async fn confide(&mut self, nodes: Vec<String>) -> Result<(), ControlError> {
        (self.passages, self.fell_behind) = (None, false);
        self.nodes = nodes;
        if !self.nodes.is_empty() {
            self.passages = Some(self.client.passages(&self.nodes).await?);
        }
        Ok(())
    }

    /// What is told next; none when the devnet is gone. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Told>, ControlError> {
        loop {
            if self.fell_behind {
                self.ask_again().await?;
            }
            let envelope = tokio::select! {
                event = self.events.next() => event?,
                told = told(self.passages.as_mut()) => {
                    if let Some(told) = told? {
                        return Ok(Some(Told::Next(told)));
                    }
                    (self.passages, self.fell_behind) = (None, true);
                    continue;
                }
            };
            let Some(envelope) = envelope else { return Ok(None) };
            let is_anew = matches!(envelope.event, StreamEvent::Snapshot(_))
                && self.heard.is_some_and(|heard| missed(heard, envelope.seq) > 0);
            self.heard = Some(envelope.seq);
            return Ok(Some(if is_anew { Told::Anew(envelope) } else { Told::Next(envelope) }));
        }
    }

    async fn ask_again(&mut self) -> Result<(), ControlError> {
        match self.client.passages(&self.nodes).await {
            Ok(passages) => self.passages = Some(passages),
            // Their stream ends with the devnet as well, of which the other one says why.
            Err(ControlError::Unreachable { .. }) => {}
            Err(ControlError::Refused(why)) if why.code == FailureCode::NoSuchDevnet => {}
            Err(error) => return Err(error),
        }
        self.fell_behind = false;
        Ok(())
    }
}

/// The next that nodes tell; never anything if none does.
async fn told(passages: Option<&mut EventStream>) -> Result<Option<Envelope>, ControlError> {
    match passages {
        Some(passages) => passages.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::Time;
    use control::Failure;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::time::timeout;

    use super::*;

    /// A supervisor that says what a test lets it say.
    struct Desk {
        listener: UnixListener,
        dir: TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let listener = UnixListener::bind(dir.path().join("control.sock")).expect("binds");
            Self { listener, dir }
        }

        fn client(&self) -> ControlClient {
            ControlClient::new(self.dir.path().join("control.sock")).expect("a client")
        }

        /// Somebody asks for this; it is answered with this status, and then until it is dropped.
        async fn asked(&self, path: &str, status: &str) -> UnixStream {
            let (mut stream, _) = within(self.listener.accept()).await.expect("somebody comes");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(within(stream.read_u8()).await.expect("a head"));
            }
            let head = String::from_utf8(head).expect("text");
            assert!(head.starts_with(&format!("GET {path} ")), "{head}");
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("it listens");
            stream
        }
    }

    async fn within<T>(future: impl Future<Output = T>) -> T {
        let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
        let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1);
        timeout(Duration::from_secs(10) * factor, future).await.expect("in time")
    }

    async fn say(stream: &mut UnixStream, seq: u64, event: StreamEvent) {
        let envelope = Envelope { seq, t: Time::from_nanos(1), unix_ms: 1, event };
        let line = serde_json::to_string(&envelope).expect("JSON") + "\n";
        stream.write_all(line.as_bytes()).await.expect("it listens");
    }

    fn passages() -> StreamEvent {
        StreamEvent::Passages { node: "mix-1-1".into(), passages: Vec::new() }
    }

    fn down() -> StreamEvent {
        StreamEvent::Down { reason: "asked to".into() }
    }

    const PASSAGES: &str = "/v1/passages?nodes=mix-1-1";

    /// Streams of a devnet where one node tells, and their other ends.
    async fn confided(desk: &Desk) -> (Streams, UnixStream, UnixStream) {
        let (streams, events) =
            tokio::join!(Streams::open(desk.client()), desk.asked("/v1/events", "200 OK"));
        let mut streams = streams.expect("a stream");
        let (done, told) =
            tokio::join!(streams.confide(vec!["mix-1-1".into()]), desk.asked(PASSAGES, "200 OK"));
        done.expect("it may");
        (streams, events, told)
    }

    async fn heard(streams: &mut Streams) -> Envelope {
        match within(streams.next()).await {
            Ok(Some(Told::Next(envelope))) => envelope,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn nodes_whose_stream_was_not_read_in_time_are_asked_again() {
        let desk = Desk::new();
        let (mut streams, _events, mut told) = confided(&desk).await;
        say(&mut told, 1, passages()).await;
        assert_eq!(heard(&mut streams).await.event, passages());
        drop(told);
        let again = async {
            let mut told = desk.asked(PASSAGES, "200 OK").await;
            say(&mut told, 9, passages()).await;
            told
        };
        let (envelope, told) = tokio::join!(heard(&mut streams), again);
        assert_eq!(envelope.seq, 9);
        // A node is there no more: nobody is to think that it still tells.
        drop(told);
        let refused = async {
            let mut stream = desk.asked(PASSAGES, "404 Not Found").await;
            let why = Failure::new(FailureCode::NoSuchNode, "there is no `mix-1-1`");
            let why = serde_json::to_vec(&why).expect("JSON");
            stream.write_all(&why).await.expect("it listens");
        };
        let (end, ()) = tokio::join!(within(streams.next()), refused);
        let why = end.expect_err("refused");
        assert!(matches!(&why, ControlError::Refused(why) if why.code == FailureCode::NoSuchNode));
    }

    #[tokio::test]
    async fn with_the_devnet_both_end_and_the_event_stream_says_why() {
        let desk = Desk::new();
        let (mut streams, mut events, told) = confided(&desk).await;
        let Desk { listener, dir } = desk;
        drop((listener, told));
        say(&mut events, 1, down()).await;
        drop(events);
        assert_eq!(heard(&mut streams).await.event, down());
        assert!(matches!(within(streams.next()).await, Ok(None)));
        drop(dir);
    }
}
