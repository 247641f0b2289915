//! The subscription: against a real directory that stops and comes back, and against one that
//! misbehaves.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use directory_api::{Frame, Topic, Topology, Update};
use directory_client::{
    DirectoryClient, SILENCE_LIMIT, Subscription, SubscriptionError, SubscriptionEvent,
};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use support::{Directory, mixnode, soon};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// The next event, which has to be a new connection.
async fn connected(subscription: &mut Subscription) {
    let event = soon(subscription.next()).await;
    assert!(matches!(event, SubscriptionEvent::Connected), "{event:?}");
}

/// The next event, which has to be a frame.
async fn update(subscription: &mut Subscription) -> Frame {
    match soon(subscription.next()).await {
        SubscriptionEvent::Update(frame) => frame,
        other => panic!("{other:?} instead of an update"),
    }
}

/// The next event, which has to be a lost or a failed connection.
async fn disconnected(subscription: &mut Subscription) -> (SubscriptionError, Duration) {
    match soon(subscription.next()).await {
        SubscriptionEvent::Disconnected { error, retry_in } => (error, retry_in),
        other => panic!("{other:?} instead of the end"),
    }
}

fn snapshot() -> Update {
    Update::Snapshot { topology: Topology::default() }
}

fn left(key: &str) -> Update {
    Update::Left { pub_key: key.into() }
}

#[tokio::test]
async fn a_subscription_survives_a_restart_of_the_directory() {
    let directory = Directory::start().await;
    let (client, address) = (directory.client(), directory.address);
    let mut events = client.subscribe(&[Topic::Topology]);
    assert_eq!(events.url(), format!("ws://{address}/ws/events?topics=topology"));
    connected(&mut events).await;
    let first = update(&mut events).await;
    assert_eq!((first.seq, first.update), (0, snapshot()));
    soon(client.announce_mixnode(&mixnode("m"))).await.expect("accepted");
    let second = update(&mut events).await;
    assert_eq!(second.seq, 1);
    assert!(matches!(second.update, Update::MixNode(node) if node.pub_key == "m"));

    directory.stop().await;
    let (error, retry_in) = disconnected(&mut events).await;
    assert!(matches!(error, SubscriptionError::Closed { .. }), "{error:?}");
    assert_eq!(retry_in, Duration::from_millis(50));
    let (error, retry_in) = disconnected(&mut events).await;
    assert_eq!(
        error.to_string(),
        format!("cannot subscribe at `ws://{address}/ws/events?topics=topology`")
    );
    assert_eq!(retry_in, Duration::from_millis(100));

    let directory = Directory::start_at(address).await;
    connected(&mut events).await;
    let first = update(&mut events).await;
    assert_eq!((first.seq, first.update), (0, snapshot()), "a directory forgets when it stops");
    directory.stop().await;
    let (_, retry_in) = disconnected(&mut events).await;
    assert_eq!(retry_in, Duration::from_millis(50), "the waiting time begins anew");
}

/// Polled once and dropped again and again, as a `select!` in a busy loop does.
#[tokio::test]
async fn asking_can_be_broken_off_at_any_time() {
    let directory = Directory::start().await;
    let client = directory.client();
    let mut events = client.subscribe(&[Topic::Topology]);
    let story = async {
        for key in 0..50 {
            soon(client.announce_mixnode(&mixnode(&key.to_string()))).await.expect("accepted");
        }
    };
    let reading = async {
        let mut known = 0;
        while known < 50 {
            match events.next().now_or_never() {
                Some(SubscriptionEvent::Update(frame)) => match frame.update {
                    Update::Snapshot { topology } => known = topology.mix_nodes.len(),
                    Update::MixNode(node) => {
                        assert_eq!(node.pub_key, known.to_string(), "in order, none missing");
                        known += 1;
                    }
                    other => panic!("{other:?}"),
                },
                Some(SubscriptionEvent::Connected) | None => {}
                Some(other) => panic!("{other:?}"),
            }
            tokio::task::yield_now().await;
        }
    };
    soon(async { tokio::join!(story, reading) }).await;
    directory.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_waiting_time_doubles_up_to_two_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = DirectoryClient::new(&address.to_string()).expect("a client");
    let mut events = client.subscribe(&[]);
    let (start, mut waited) = (Instant::now(), Duration::ZERO);
    for expected in [50, 100, 200, 400, 800, 1600, 2000, 2000] {
        let (error, retry_in) = disconnected(&mut events).await;
        assert!(matches!(&error, SubscriptionError::Unreachable { .. }), "{error:?}");
        assert_eq!(retry_in, Duration::from_millis(expected));
        assert!(start.elapsed() >= waited, "it tried before it said it would");
        waited += retry_in;
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_the_directorys_words() {
    let directory = Directory::start().await;
    let address = format!("http://{}/elsewhere", directory.address);
    let mut events = DirectoryClient::new(&address).expect("a client").subscribe(&[]);
    let (error, _) = disconnected(&mut events).await;
    assert!(
        matches!(&error, SubscriptionError::Refused { status: 404, text, .. } if text == "404 page not found"),
        "{error:?}"
    );
    directory.stop().await;
}

/// A directory in the hands of the test.
struct Fake(TcpListener);

impl Fake {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        (Self(listener), address)
    }

    /// Takes the next connection, and sends these frames.
    async fn serve(&self, frames: impl IntoIterator<Item = Frame>) -> WebSocketStream<TcpStream> {
        let (stream, _) = soon(self.0.accept()).await.expect("a connection");
        let mut socket = soon(accept_async(stream)).await.expect("a websocket");
        for frame in frames {
            let text = serde_json::to_string(&frame).expect("JSON");
            soon(socket.send(Message::text(text))).await.expect("sent");
        }
        socket
    }
}

fn numbered(seq: u64, update: Update) -> Frame {
    Frame { seq, timestamp: 0, update }
}

async fn subscribe(
    fake: &Fake,
    address: SocketAddr,
    frames: Vec<Frame>,
) -> (Subscription, WebSocketStream<TcpStream>) {
    let client = DirectoryClient::new(&address.to_string()).expect("a client");
    let mut events = client.subscribe(&[]);
    let ((), socket) = tokio::join!(connected(&mut events), fake.serve(frames));
    (events, socket)
}

#[tokio::test]
async fn a_missing_number_leads_to_a_new_snapshot() {
    let (fake, address) = Fake::start().await;
    let frames = vec![
        numbered(0, snapshot()),
        numbered(1, left("a")),
        // A snapshot heals what is missing before it.
        numbered(7, snapshot()),
        numbered(8, left("b")),
        numbered(10, left("d")),
    ];
    let (mut events, _socket) = subscribe(&fake, address, frames).await;
    for seq in [0, 1, 7, 8] {
        assert_eq!(update(&mut events).await.seq, seq);
    }
    let (error, _) = disconnected(&mut events).await;
    assert!(matches!(error, SubscriptionError::Gap { expected: 9, got: 10, .. }), "{error:?}");
    let ((), _socket) = tokio::join!(connected(&mut events), fake.serve([numbered(0, snapshot())]));
    assert_eq!(update(&mut events).await.update, snapshot());
}

#[tokio::test]
async fn what_is_no_event_ends_the_connection() {
    let (fake, address) = Fake::start().await;
    let (mut events, _socket) = subscribe(&fake, address, vec![numbered(0, left("a"))]).await;
    let (error, _) = disconnected(&mut events).await;
    assert!(error.to_string().ends_with("the first one is no snapshot"), "{error}");

    for message in [Message::text("{\"seq\":0}"), Message::binary([1].as_slice())] {
        let ((), mut socket) = tokio::join!(connected(&mut events), fake.serve([]));
        soon(socket.send(message)).await.expect("sent");
        let (error, _) = disconnected(&mut events).await;
        assert!(matches!(error, SubscriptionError::Unreadable { .. }), "{error:?}");
    }

    let ((), mut socket) = tokio::join!(connected(&mut events), fake.serve([]));
    let endless = "x".repeat(directory_client::MAX_EVENT_BYTES + 1);
    let (_, (error, _)) =
        tokio::join!(socket.send(Message::text(endless)), disconnected(&mut events));
    assert!(matches!(error, SubscriptionError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_directory_that_falls_silent_is_dead_and_one_that_pings_is_not() {
    let (fake, address) = Fake::start().await;
    let (mut events, mut socket) = subscribe(&fake, address, vec![numbered(0, snapshot())]).await;
    update(&mut events).await;
    // From here on time passes as soon as nothing else is to do.
    tokio::time::pause();
    let start = Instant::now();
    let (pings, nearly) = (5, SILENCE_LIMIT / 10 * 9);
    for _ in 0..pings {
        tokio::time::advance(nearly).await;
        socket.send(Message::Ping("there?".into())).await.expect("sent");
        // The pong comes out of asking for the next event, which does not come.
        let pong = tokio::select! {
            pong = socket.next() => pong.expect("an open socket").expect("a message"),
            event = events.next() => panic!("{event:?}"),
        };
        assert_eq!(pong, Message::Pong("there?".into()));
    }
    let SubscriptionEvent::Disconnected { error, .. } = events.next().await else {
        panic!("nothing was sent");
    };
    assert!(matches!(error, SubscriptionError::Silent { after: SILENCE_LIMIT, .. }), "{error:?}");
    assert!(start.elapsed() >= nearly * pings + SILENCE_LIMIT, "{:?}", start.elapsed());
}
