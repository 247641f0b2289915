//! Listening sockets: opened by the process that uses them, reported with the port they really got.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use contract::{Endpoint, Event, Fatal, FatalCode, Listening};
use tokio::net::TcpListener;

use crate::Reporter;

/// Ports behind a taken one that are tried before any free one is taken.
const MAX_TRIED: usize = 100;

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// The interface.
    pub host: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// What to do where that one is taken.
    pub fallback: Fallback,
}

/// What to do where a port is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Fail: somebody asked for this one.
    No,
    /// Take any free one.
    Any,
    /// Take the next free one.
    Next,
}

impl Fallback {
    /// Any free port, if that is wanted.
    pub fn any_if(wanted: bool) -> Self {
        if wanted { Self::Any } else { Self::No }
    }
}

/// What to announce in place of the address that is listened on, such as that of a router in front of
/// the node. Packets name their next hop by its address, so it cannot be a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnounceAs {
    /// The address.
    pub host: IpAddr,
    /// The port, if it is another than the one that is listened on.
    pub port: Option<u16>,
}

/// What was meant to be announced is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an IP address is needed, with a port or without, such as 192.0.2.1 or 192.0.2.1:1789")]
pub struct AnnounceAsError;

impl FromStr for AnnounceAs {
    type Err = AnnounceAsError;

    fn from_str(text: &str) -> Result<Self, AnnounceAsError> {
        let host = text.parse().map(|host| Self { host, port: None });
        let with_port = |_| {
            let address: SocketAddr = text.parse().map_err(|_| AnnounceAsError)?;
            Ok(Self { host: address.ip(), port: Some(address.port()) })
        };
        host.or_else(with_port)
    }
}

impl AnnounceAs {
    /// The address to announce for this one, at which the node listens. Nobody can connect to "all
    /// interfaces": if nothing else is wanted, loopback is announced in its place.
    pub fn announced(wanted: Option<Self>, listening: SocketAddr) -> SocketAddr {
        let host = match listening.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let Self { host, port } = wanted.unwrap_or(Self { host, port: None });
        SocketAddr::new(host, port.unwrap_or(listening.port()))
    }
}

/// Opens a listening socket and reports it.
pub async fn listen(
    on: ListenOn,
    endpoint: Endpoint,
    reporter: &Reporter,
) -> Result<(TcpListener, SocketAddr), Fatal> {
    let wanted = SocketAddr::new(on.host, on.port);
    let mut bound = TcpListener::bind(wanted).await;
    let mut others: Box<dyn Iterator<Item = u16> + Send> = match on.fallback {
        Fallback::No => Box::new(std::iter::empty()),
        Fallback::Any => Box::new(std::iter::once(0)),
        Fallback::Next => Box::new((on.port..=u16::MAX).skip(1).take(MAX_TRIED).chain([0])),
    };
    let mut instead_of = None;
    while is_taken(&bound)
        && let Some(port) = others.next()
    {
        instead_of = Some(on.port);
        bound = TcpListener::bind(SocketAddr::new(on.host, port)).await;
    }
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

fn is_taken(bound: &io::Result<TcpListener>) -> bool {
    bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_what_was_asked_or_can_be_reached() {
        for (wanted, listening, announced) in [
            (None, "127.0.0.1:5", "127.0.0.1:5"),
            (None, "0.0.0.0:5", "127.0.0.1:5"),
            (None, "[::]:5", "[::1]:5"),
            (Some("192.0.2.1"), "0.0.0.0:5", "192.0.2.1:5"),
            (Some("192.0.2.1:7"), "127.0.0.1:5", "192.0.2.1:7"),
            (Some("[2001:db8::1]:7"), "127.0.0.1:5", "[2001:db8::1]:7"),
            (Some("2001:db8::1"), "127.0.0.1:5", "[2001:db8::1]:5"),
        ] {
            let wanted = wanted.map(|text: &str| text.parse().expect("an address"));
            let listening = listening.parse().expect("an address");
            assert_eq!(AnnounceAs::announced(wanted, listening).to_string(), announced);
        }
        assert_eq!("mix.example:7".parse::<AnnounceAs>(), Err(AnnounceAsError));
    }
}
