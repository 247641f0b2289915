//! Listening sockets: opened by the process that uses them, reported with the port they really got.

use std::io;
use std::net::{IpAddr, SocketAddr};

use contract::{Endpoint, Event, Fatal, FatalCode, Listening};
use tokio::net::TcpListener;

use crate::Reporter;

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// The interface.
    pub host: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Whether any free port will do where this one is taken.
    pub fallback: bool,
}

/// Opens a listening socket and reports it.
pub async fn listen(
    on: ListenOn,
    endpoint: Endpoint,
    reporter: &Reporter,
) -> Result<(TcpListener, SocketAddr), Fatal> {
    let wanted = SocketAddr::new(on.host, on.port);
    let mut instead_of = None;
    let bound = match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && on.fallback => {
            instead_of = Some(on.port);
            TcpListener::bind(SocketAddr::new(on.host, 0)).await
        }
        bound => bound,
    };
    let bound = bound.and_then(|listener| listener.local_addr().map(|address| (listener, address)));
    match bound {
        Ok((listener, address)) => {
            reporter.report(Event::Listening(Listening { endpoint, address, instead_of }));
            Ok((listener, address))
        }
        Err(error) => {
            let taken = error.kind() == io::ErrorKind::AddrInUse;
            let code = if taken { FatalCode::PortTaken } else { FatalCode::Other };
            let fatal = Fatal::new(code, format!("cannot listen on `{wanted}`: {error}"));
            Err(if taken {
                fatal.hint(
                    "another program, perhaps another devnet, has the port: choose another one",
                )
            } else {
                fatal
            })
        }
    }
}
