//! The client-facing sides of a provider: three protocols on one port, over one mailbox.
//!
//! The first byte tells them apart: `G`, of `GET`, begins a websocket, and its subprotocol says
//! whether [ours](v1) or that of [v0.7](gateway) is spoken; everything else is the plain TCP of
//! [v0.5](pull). What they share is here: who is logged in, the accounts, and the bounds.

mod accounts;
mod gateway;
mod handed_out;
mod lobby;
mod online;
mod pull;
mod tokens;
mod v1;
mod websocket;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{LinkEvent, Time};
use runtime::{Links, Network, Places, accept_into_places};
use sphinx::{PrivateKey, recover_plaintext};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::{PublicKey, WireProfile};

use self::handed_out::HandedOut;
use self::lobby::{Lobby, Ticket};
use self::online::Online;
use self::tokens::Tokens;
use crate::Protocol;
use crate::storage::Storage;

/// Most connections of clients at once: one for each client that there may be.
const MAX_CONNECTIONS: usize = directory_api::MAX_REGISTERED_CLIENTS;

/// How long a connection may be silent before its first byte. A person with `nc` needs some time.
const FIRST_BYTE_LIMIT: Duration = Duration::from_secs(10);

/// How the sides differ from one provider to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Answers to pulls have one length.
    pub(crate) pad: bool,
    /// A proven key protects nothing, as in the originals.
    pub(crate) faithful: bool,
    /// What packets look like.
    pub(crate) profile: WireProfile,
}

/// The sessions of a provider. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    storage: Storage,
    rules: Rules,
    /// The provider's own key: what is sealed for its challenge opens no other provider's.
    own_key: PublicKey,
    tokens: Tokens,
    links: Links,
    places: Mutex<Places>,
    lobby: Lobby,
    online: Online,
    handed_out: HandedOut,
    /// Cancelled when all connections have to end; told when they have.
    closing: CancellationToken,
    connections: TaskTracker,
}

impl Sessions {
    pub(crate) fn new(storage: Storage, key: &PrivateKey, links: Links, rules: Rules) -> Self {
        Self(Arc::new(Shared {
            storage,
            rules,
            own_key: key.public(),
            tokens: Tokens::new(key),
            links,
            places: Mutex::default(),
            lobby: Lobby::default(),
            online: Online::default(),
            handed_out: HandedOut::default(),
            closing: CancellationToken::new(),
            connections: TaskTracker::new(),
        }))
    }

    /// Clients logged in right now.
    pub(crate) fn online(&self) -> u64 {
        self.0.online.count()
    }

    /// Packets that their clients have, since the start.
    pub(crate) fn delivered(&self) -> u64 {
        self.0.online.delivered()
    }

    /// What left towards clients since this was last asked, and how much more there was.
    pub(crate) fn take_events(&self) -> (Vec<LinkEvent>, u64) {
        self.0.online.take_events()
    }

    /// Something was stored for this client.
    pub(crate) fn notify(&self, client: &PublicKey) {
        self.0.online.notify(client);
    }

    /// Takes a new view of the network: it decides where packets of clients may go first.
    pub(crate) fn set_network(&self, now: Time, network: &Network) {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner).update(now, network);
    }

    /// Accepts connections for ever.
    pub(crate) async fn serve(self, listener: TcpListener) {
        self.serve_at_most(MAX_CONNECTIONS, listener).await;
    }

    async fn serve_at_most(self, most_at_once: usize, listener: TcpListener) {
        accept_into_places(listener, most_at_once, |stream, peer, place| {
            let shared = Arc::clone(&self.0);
            self.0.connections.track_future(async move {
                let mut ticket = shared.lobby.enter(place.crowded);
                let evicted = ticket.evicted();
                tokio::select! {
                    () = evicted.cancelled() => tracing::debug!("{peer} made way for others"),
                    () = shared.closing.cancelled() => {}
                    () = shared.connection(stream, peer, &mut ticket) => {}
                }
                drop(place);
            })
        })
        .await;
    }

    /// Ends all connections, but does not wait longer than this. Nothing is lost: what clients do not
    /// have stays in the mailbox.
    pub(crate) async fn close(&self, limit: Duration) {
        self.0.closing.cancel();
        self.0.connections.close();
        // Whoever is still busy ends with the process.
        let _ = timeout(limit, self.0.connections.wait()).await;
    }
}

impl Shared {
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, ticket: &mut Ticket<'_>) {
        let mut first = [0];
        let begins = async {
            stream.set_nodelay(true)?;
            stream.peek(&mut first).await
        };
        match timeout(FIRST_BYTE_LIMIT, begins).await {
            Ok(Ok(0)) => return tracing::debug!("{peer} said nothing"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return tracing::debug!("{peer} is no client: {error}"),
            Err(_) => return tracing::debug!("{peer} is no client: nothing came"),
        }
        if first != *b"G" {
            return match self.serve_pulls(stream, ticket).await {
                Ok(()) => {}
                Err(error) => tracing::debug!("connection of {peer}: {error}"),
            };
        }
        let (mut socket, protocol) = match websocket::accept(stream).await {
            Ok(accepted) => accepted,
            Err(error) => return tracing::debug!("{peer} is no client: {error}"),
        };
        let result = match protocol {
            Protocol::V1 => self.serve_v1(&mut socket, ticket).await,
            _ => self.serve_gateway(&mut socket, ticket).await,
        };
        if let Err(error) = &result {
            tracing::debug!("session of {peer}: {error}");
        }
        websocket::close(&mut socket, protocol, result).await;
    }
}

/// What a client of v0.5 or v0.7 gets of a packet: what its sender put into it. An acknowledgement
/// and other noise have no such thing and are given as they are.
fn content(payload: &[u8]) -> &[u8] {
    recover_plaintext(payload).unwrap_or(payload)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use runtime::Reporter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use wire::PullRequest;

    use super::*;
    use crate::Quotas;

    #[tokio::test]
    async fn idle_connections_keep_no_client_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("mailbox.sqlite");
        let storage = Storage::open(&file, Quotas::default(), Reporter::new(|_| {}));
        let (storage, _) = storage.expect("a mailbox");
        let profile = WireProfile::CURRENT;
        let rules = Rules { pad: false, faithful: false, profile };
        let key = PrivateKey::from_bytes([2; 32]);
        let sessions = Sessions::new(storage, &key, Links::new(profile), rules);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        // As many as the lobby always keeps, and some places more.
        let serving = tokio::spawn(sessions.serve_at_most(300, listener));

        // They may stay for a minute, which is longer than this test waits.
        let mut idle = Vec::new();
        for _ in 0..400 {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            stream.write_all(&[9]).await.expect("written");
            soon(stream.read_exact(&mut [0; 14])).await.expect("answered");
            idle.push(stream);
        }
        let request = PullRequest::Register { address: key.public() }.encode();
        assert_eq!(soon(ask(address, &request)).await.len(), 32);
        assert_eq!(soon(idle[0].read(&mut [0])).await.expect("closed"), 0, "the oldest had to go");
        let newest = idle[399].try_read(&mut [0]);
        assert!(newest.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
        serving.abort();
    }

    async fn ask(address: SocketAddr, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(request).await.expect("written");
        stream.shutdown().await.expect("closed");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("read");
        answer
    }

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
        let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
        let limit = Duration::from_secs(20).mul_f64(factor);
        timeout(limit, future).await.expect("it happens in time")
    }
}
