//! Where a node listens, and where it says that it does.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use contract::{Fatal, FatalCode};
use runtime::AnnounceAs;

use crate::{BadValue, FlagsDiffer};

/// The longest name of a machine, in bytes, that there is (RFC 1035).
const MAX_NAME_BYTES: usize = 253;

/// What `--host` takes: an IP address, or one with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    ip: IpAddr,
    port: Option<u16>,
}

impl FromStr for Host {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if let Some(ip) = ip(text) {
            return Ok(Self { ip, port: None });
        }
        let address: SocketAddr =
            text.parse().map_err(|_| BadValue::new("it is neither an IP address nor IP:PORT"))?;
        Ok(Self { ip: address.ip(), port: Some(address.port()) })
    }
}

/// An IP address, in brackets or not.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok().filter(|ip: &IpAddr| bare.is_none() || ip.is_ipv6())
}

/// What others are told: a host, and a port unless it is the one it listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    host: String,
    port: Option<u16>,
}

impl FromStr for Announce {
    type Err = BadValue;

    /// With `ws://` in front too, as the gateway of v0.7.0 wrote it.
    fn from_str(text: &str) -> Result<Self, BadValue> {
        let text = text.strip_prefix("ws://").unwrap_or(text);
        if let Ok(Host { ip, port }) = text.parse() {
            if ip.is_unspecified() {
                return Err(BadValue::new("nobody can connect to all interfaces"));
            }
            return Ok(Self { host: host_of(ip), port: port.filter(|port| *port > 0) });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, Some(port.ok_or_else(|| BadValue::new("its port is none"))?))
            }
            None => (text, None),
        };
        let is_name = !host.is_empty()
            && host.len() <= MAX_NAME_BYTES
            && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if is_name {
            Ok(Self { host: host.into(), port })
        } else {
            Err(BadValue::new("it is neither HOST nor HOST:PORT"))
        }
    }
}

/// As it stands in front of a port.
fn host_of(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}

impl Announce {
    /// The address of the host: packets name their next hop by its address, so a name is looked up
    /// here, once. Where it has several, one of the family that is listened on goes first.
    fn resolve(&self, listening: IpAddr) -> Result<AnnounceAs, Fatal> {
        if let Some(host) = ip(&self.host) {
            return Ok(AnnounceAs { host, port: self.port });
        }
        let cannot = |reason: String| {
            let message = format!("cannot find the address of `{}`: {reason}", self.host);
            Fatal::new(FatalCode::Other, message)
                .hint("announce an IP address, or a name that this machine can look up")
        };
        let found = (self.host.as_str(), 0).to_socket_addrs();
        let found: Vec<IpAddr> =
            found.map_err(|error| cannot(error.to_string()))?.map(|it| it.ip()).collect();
        let same_family = found.iter().find(|ip| ip.is_ipv4() == listening.is_ipv4());
        let host = same_family.or(found.first()).copied();
        let host = host.ok_or_else(|| cannot("it has none".into()))?;
        Ok(AnnounceAs { host, port: self.port })
    }
}

impl fmt::Display for Announce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// Where a node listens, and what it announces instead of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where it listens.
    pub listening: SocketAddr,
    /// What others are told; where it listens unless something is said here.
    pub announce: Option<Announce>,
}

/// The flags that change an [`Address`].
#[derive(Clone, Debug, Default)]
pub struct AddressFlags {
    /// How they begin, where a program has several: `mix-` of `--mix-host` and `--mix-port`.
    pub prefix: &'static str,
    /// Where to listen.
    pub host: Option<Host>,
    /// On which port.
    pub port: Option<u16>,
    /// What others are told.
    pub announce_host: Option<Announce>,
    /// And which port.
    pub announce_port: Option<u16>,
}

impl AddressFlags {
    /// Refuses a port behind a host beside another one for itself.
    fn check(&self) -> Result<(), FlagsDiffer> {
        let announced = self.announce_host.as_ref().and_then(|announce| announce.port);
        for (kind, in_host, alone) in [
            ("", self.host.and_then(|host| host.port), self.port),
            ("announce-", announced, self.announce_port),
        ] {
            if let (Some(in_host), Some(alone)) = (in_host, alone)
                && in_host != alone
            {
                let flag = |name| format!("{}{kind}{name}", self.prefix);
                return Err(FlagsDiffer { host: flag("host"), in_host, port: flag("port"), alone });
            }
        }
        Ok(())
    }
}

impl Address {
    /// Listens there and announces that.
    pub fn new(listening: SocketAddr) -> Self {
        Self { listening, announce: None }
    }

    /// Lets flags override what was said elsewhere. As with the originals, a new host to listen on
    /// is also announced, unless the same command line says otherwise.
    pub fn apply(&mut self, flags: AddressFlags) -> Result<(), FlagsDiffer> {
        flags.check()?;
        if let Some(Host { ip, port }) = flags.host {
            self.listening.set_ip(ip);
            self.listening.set_port(port.unwrap_or(self.listening.port()));
            self.announce = None;
        }
        if let Some(port) = flags.port {
            self.listening.set_port(port);
        }
        if flags.announce_host.is_some() {
            self.announce = flags.announce_host;
        }
        if let Some(port) = flags.announce_port {
            let announced = self.announce.take().map(|announce| announce.host);
            let host = announced.unwrap_or_else(|| host_of(self.listening.ip()));
            self.announce = Some(Announce { host, port: Some(port) });
        }
        Ok(())
    }

    /// What to announce; none if it is where it listens.
    pub fn announce_as(&self) -> Result<Option<AnnounceAs>, Fatal> {
        self.announce.as_ref().map(|announce| announce.resolve(self.listening.ip())).transpose()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.announce {
            Some(announce) => write!(f, "{}, announced as {announce}", self.listening),
            None => self.listening.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(listening: &str, announce: &str) -> Address {
        let announce = (!announce.is_empty()).then(|| announce.parse().expect("to announce"));
        Address { listening: listening.parse().expect("an address"), announce }
    }

    #[test]
    fn a_host_is_an_ip_address_with_or_without_a_port() {
        for (text, ip, port) in [
            ("127.0.0.1", "127.0.0.1", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:80", "::1", Some(80)),
        ] {
            let ip = ip.parse().expect("an IP address");
            assert_eq!(text.parse(), Ok(Host { ip, port }), "{text}");
        }
        for bad in ["", "localhost", "127.0.0.1:", "127.0.0.1:99999", "1.2.3", "[127.0.0.1]"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_announced_is_a_host_with_or_without_a_port() {
        for (text, written) in [
            ("nym.example", "nym.example"),
            ("nym.example:80", "nym.example:80"),
            ("10.0.0.1", "10.0.0.1"),
            ("ws://10.0.0.1:9000", "10.0.0.1:9000"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(text.parse::<Announce>().expect(text).to_string(), written);
        }
        for bad in ["", ":80", "a:b", "a:0", "a:1:2", "0.0.0.0", "[::]:5", "a b", "http://a", "a/b"]
        {
            assert!(bad.parse::<Announce>().is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_change_an_address_as_those_of_the_originals_did() {
        let host = |text: &str| Some(text.parse().expect("a host"));
        let to_announce = |text: &str| Some(text.parse().expect("to announce"));
        let no = AddressFlags::default;
        let before = || address("127.0.0.1:1789", "10.0.0.1:17");
        for (flags, after) in [
            (no(), before()),
            (AddressFlags { port: Some(5), ..no() }, address("127.0.0.1:5", "10.0.0.1:17")),
            (AddressFlags { host: host("10.0.0.2"), ..no() }, address("10.0.0.2:1789", "")),
            (AddressFlags { host: host("10.0.0.2:6"), ..no() }, address("10.0.0.2:6", "")),
            (
                AddressFlags { host: host("10.0.0.2:6"), port: Some(6), ..no() },
                address("10.0.0.2:6", ""),
            ),
            (
                AddressFlags { announce_host: to_announce("n.example"), ..no() },
                address("127.0.0.1:1789", "n.example"),
            ),
            (
                AddressFlags { announce_port: Some(8), ..no() },
                address("127.0.0.1:1789", "10.0.0.1:8"),
            ),
            (
                AddressFlags { host: host("::1"), announce_port: Some(8), ..no() },
                address("[::1]:1789", "[::1]:8"),
            ),
        ] {
            let mut changed = before();
            assert_eq!(changed.apply(flags.clone()), Ok(()));
            assert_eq!(changed, after, "{flags:?}");
        }
        for (flags, message) in [
            (
                AddressFlags { host: host("10.0.0.2:6"), port: Some(7), ..no() },
                "--mix-host has port 6, and --mix-port is 7",
            ),
            (
                AddressFlags {
                    announce_host: to_announce("n.example:6"),
                    announce_port: Some(7),
                    ..no()
                },
                "--mix-announce-host has port 6, and --mix-announce-port is 7",
            ),
        ] {
            let refused = before().apply(AddressFlags { prefix: "mix-", ..flags });
            assert_eq!(refused.expect_err("two ports").to_string(), message);
        }
    }

    #[test]
    fn a_name_is_announced_as_the_address_that_it_has() {
        let announce_as = |text: &str| address("127.0.0.1:1", text).announce_as();
        let local = AnnounceAs { host: [127, 0, 0, 1].into(), port: Some(5) };
        assert_eq!(announce_as("localhost:5"), Ok(Some(local)));
        assert_eq!(announce_as(""), Ok(None));
        // No part of a name is that long (RFC 1035), so nobody is asked for it.
        let none = "x".repeat(64);
        let error = announce_as(&none).expect_err("no name");
        assert!(error.message.contains(&none), "{error}");
    }
}
