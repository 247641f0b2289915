//! Ports for a command that cannot tell which ones it got.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Endpoint, Event, Fatal, Listening};
use runtime::{Fallback, ListenOn, Reporter, listen};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{ShimArgs, ShimRole};

/// Nobody tells when a foreign process opens its port, so it is tried this often.
const OPEN_POLL: Duration = Duration::from_millis(100);

/// Ports of the command.
///
/// They are opened here first, so that the system gives free ones, and closed before the command opens
/// them. In between another program may take one, which a command that opens its own port and tells it
/// would avoid; but one from outside can only be told. It is rare, because the system gives a port again
/// only after all others, and it is noticed: see [`are_taken`](Self::are_taken). A listening socket
/// without connections can be opened again at once.
#[derive(Debug)]
pub(super) struct Ports {
    /// As they would be reported; for packets or applications first.
    chosen: Vec<Listening>,
    open: Vec<TcpListener>,
}

impl Ports {
    /// Opens them.
    pub(super) async fn choose(args: &ShimArgs) -> Result<Self, Fatal> {
        let first = match args.role {
            ShimRole::Mixnode | ShimRole::Provider => Endpoint::Mix,
            ShimRole::Client => Endpoint::App,
        };
        let second = match args.role {
            ShimRole::Provider => Some((Endpoint::Clients, args.clients_port.unwrap_or(0))),
            ShimRole::Mixnode | ShimRole::Client => None,
        };
        // They count as open when the command has opened them, which nobody knows yet.
        let told = Arc::<Mutex<Vec<Listening>>>::default();
        let into = Arc::clone(&told);
        let note = Reporter::new(move |event| {
            if let Event::Listening(listening) = event {
                into.lock().unwrap_or_else(PoisonError::into_inner).push(listening);
            }
        });
        let mut open = Vec::new();
        for (endpoint, port) in [(first, args.port)].into_iter().chain(second) {
            let fallback = Fallback::any_if(args.port_fallback);
            let on = ListenOn { host: args.host, port, fallback };
            open.push(listen(on, endpoint, &note).await?.0);
        }
        let chosen = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Self { chosen, open })
    }

    /// Closes them, for the command.
    pub(super) fn close(&mut self) {
        self.open.clear();
    }

    /// Where packets, or applications, are to come.
    pub(super) fn address(&self) -> SocketAddr {
        self.chosen[0].address
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.address().port()
    }

    /// A provider's port for clients.
    pub(super) fn clients_port(&self) -> Option<u16> {
        self.chosen.get(1).map(|listening| listening.address.port())
    }

    /// Whether somebody has one of them now. To be asked when the command has ended.
    pub(super) fn are_taken(&self) -> bool {
        let mut chosen = self.chosen.iter();
        chosen.any(|listening| std::net::TcpListener::bind(listening.address).is_err())
    }

    /// How an address of the command is reported.
    pub(super) fn listening(&self, endpoint: Endpoint, address: SocketAddr) -> Listening {
        let chosen = self.chosen.iter().find(|listening| listening.address == address);
        let instead_of = chosen.and_then(|listening| listening.instead_of);
        Listening { endpoint, address, instead_of }
    }
}

/// Waits until somebody can connect to the address.
pub(super) async fn opens(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        sleep(OPEN_POLL).await;
    }
}
