//! The mixnode with real sockets and a real directory.

mod directory;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::{Args, FromArgMatches};
use contract::{Endpoint, Event, Fatal, NodeMetrics, Request};
use directory_api::MixNodeReport;
use directory_client::DirectoryClient;
use mixnode::MixnodeArgs;
use runtime::{MAX_READ, Process, Reporter};
use sphinx::{Hop, PacketBuilder, PrivateKey, Route};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{NodeAddress, PublicKey, WireProfile, write_frame};

use directory::{deadline, directory};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// A mixnode of layer 1 of 2 in this process.
struct Daemon {
    events: mpsc::UnboundedReceiver<Event>,
    /// A supervisor that asks for nothing; none if it runs by hand.
    _requests: Option<mpsc::Sender<Request>>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Fatal>>,
}

impl Daemon {
    fn start(home: &Path, directory: &DirectoryClient, by_hand: bool, options: &str) -> Self {
        let url = directory.address();
        let home = home.display();
        let line =
            format!("--home {home} --directory {url} --layer 1 --layers 2 --port 0 {options}");
        let command = MixnodeArgs::augment_args(clap::Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(line.split_whitespace()).expect("good options");
        let args = MixnodeArgs::from_arg_matches(&matches).expect("good options");
        let (sender, events) = mpsc::unbounded_channel();
        // Nobody may be left to hear it.
        let reporter = Reporter::new(move |event| drop(sender.send(event)));
        let (requests, receiver) = mpsc::channel(1);
        let shutdown = CancellationToken::new();
        let process = Process { reporter, requests: receiver, shutdown: shutdown.clone() };
        let task = tokio::spawn(mixnode::run(args, process));
        Self { events, _requests: (!by_hand).then_some(requests), shutdown, task }
    }

    async fn next<T>(&mut self, pick: impl Fn(Event) -> Option<T>) -> T {
        let next = async {
            loop {
                if let Some(found) = pick(self.events.recv().await.expect("it goes on")) {
                    return found;
                }
            }
        };
        timeout(deadline(), next).await.expect("in time")
    }

    async fn address(&mut self) -> SocketAddr {
        self.next(|event| match event {
            Event::Listening(listening) if listening.endpoint == Endpoint::Mix => {
                Some(listening.address)
            }
            _ => None,
        })
        .await
    }

    async fn key(&mut self) -> PublicKey {
        self.next(|event| match event {
            Event::Identity(identity) => identity.public_keys[0].parse().ok(),
            _ => None,
        })
        .await
    }

    async fn metrics(&mut self, wanted: impl Fn(&NodeMetrics) -> bool) -> NodeMetrics {
        self.next(|event| match event {
            Event::Metrics(metrics) if wanted(&metrics) => Some(metrics),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_node_by_hand_that_is_stopped_leaves_the_directory() {
    let home = tempfile::tempdir().expect("a folder");
    let directory = directory().await;
    for by_hand in [false, true] {
        let mut daemon = Daemon::start(home.path(), &directory, by_hand, "");
        daemon.next(|event| matches!(event, Event::Ready { .. }).then_some(())).await;
        daemon.shutdown.cancel();
        let ended = timeout(deadline(), daemon.task).await.expect("it ends");
        ended.expect("it does not panic").expect("it ends well");
        let listed = directory.topology().await.expect("it answers").mix_nodes.len();
        // Of one whose supervisor is gone, the directory is to be asked nothing.
        assert_eq!(listed, usize::from(!by_hand));
    }
}

/// A node of layer 2 that the directory lists.
struct NextHop {
    listener: TcpListener,
    address: SocketAddr,
    key: PublicKey,
}

impl NextHop {
    async fn announced(directory: &DirectoryClient) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let key = PrivateKey::random(&mut rand::rng()).public();
        let report = MixNodeReport {
            host: address.to_string(),
            pub_key: key.to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer: 2,
        };
        directory.announce_mixnode(&report).await.expect("it is taken");
        Self { listener, address, key }
    }

    /// A frame for the node with this key, that goes on to here.
    fn frame(&self, key: PublicKey) -> Vec<u8> {
        let hop = |address, key| Hop { address: NodeAddress(address), key, delay: Duration::ZERO };
        let route = Route { hops: vec![hop(self.address, key), hop(self.address, self.key)] };
        let builder = PacketBuilder::new(PROFILE);
        let packet = builder.build_packet(&mut rand::rng(), &route, &self.key, &[0; 16], b"x");
        let mut frame = Vec::new();
        write_frame(PROFILE, &packet.expect("a good route"), &mut frame);
        frame
    }

    /// A new link, and the first frame on it.
    async fn accept(&self) -> (TcpStream, Vec<u8>) {
        let accepted = timeout(deadline(), self.listener.accept()).await;
        let (mut link, _) = accepted.expect("in time").expect("a connection");
        let frame = read_frame(&mut link).await;
        (link, frame)
    }
}

async fn read_frame(link: &mut TcpStream) -> Vec<u8> {
    let mut frame = vec![0; PROFILE.frame_bytes()];
    timeout(deadline(), link.read_exact(&mut frame)).await.expect("in time").expect("a frame");
    assert_eq!(frame[0], PROFILE.flag);
    frame
}

#[tokio::test]
async fn what_comes_at_once_leaves_though_nothing_follows() {
    let home = tempfile::tempdir().expect("a folder");
    let directory = directory().await;
    let next = NextHop::announced(&directory).await;
    let mut daemon = Daemon::start(home.path(), &directory, false, "");
    let key = daemon.key().await;
    let address = daemon.address().await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(&next.frame(key)).await.expect("it reads");
    let (mut link, _) = next.accept().await;
    // By the time that it reports, it has heard of the network what there is to hear.
    daemon.metrics(|metrics| metrics.sent == 1).await;
    // Just what one read brings, so that more may be expected.
    let frames: Vec<u8> = (0..MAX_READ).flat_map(|_| next.frame(key)).collect();
    stream.write_all(&frames).await.expect("it reads");
    for _ in 0..MAX_READ {
        read_frame(&mut link).await;
    }
    let metrics = daemon.metrics(|metrics| metrics.sent == 1 + MAX_READ as u64).await;
    assert!(metrics.dropped.is_empty(), "{:?}", metrics.dropped);
    assert_eq!((metrics.pool, metrics.reports_metrics), (Some(0), Some(true)));
}

#[tokio::test]
async fn workers_share_the_packets_that_they_have_seen() {
    let home = tempfile::tempdir().expect("a folder");
    let directory = directory().await;
    let next = NextHop::announced(&directory).await;
    let options = "--workers 2 --no-metrics --announce-host 192.0.2.1:7 --location lab";
    let mut daemon = Daemon::start(home.path(), &directory, false, options);
    let key = daemon.key().await;
    let address = daemon.address().await;
    daemon.next(|event| matches!(event, Event::Ready { .. }).then_some(())).await;
    let topology = directory.topology().await.expect("it answers");
    let listed = topology.mix_nodes.iter().find(|node| node.pub_key == key.to_string());
    let listed = listed.expect("it is there");
    assert_eq!((listed.host.as_str(), listed.location.as_str()), ("192.0.2.1:7", "lab"));

    let [first, second] = [next.frame(key), next.frame(key)];
    // One connection for each worker, and each has its own link. The first packet goes to both.
    for frames in [vec![&first], vec![&first, &second]] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        for frame in frames {
            // In two pieces: a packet need not come at once.
            let (begin, rest) = frame.split_at(1000);
            stream.write_all(begin).await.expect("it reads");
            stream.write_all(rest).await.expect("it reads");
        }
        let (_, onward) = next.accept().await;
        assert!(onward != first && onward != second, "a layer was taken off");
    }
    let metrics = daemon.metrics(|metrics| metrics.received == 3 && metrics.sent == 2).await;
    assert_eq!(metrics.dropped, [("replay".to_owned(), 1)].into());
    assert_eq!(metrics.reports_metrics, Some(false));
    assert!(metrics.replay_window.is_some());
    assert!(directory.metrics().await.expect("it answers").is_empty());
}
