//! Where a validator is, seen from the directory.

use std::net::{IpAddr, Ipv6Addr};

/// The address that a validator announced, with its host replaced by the one that the announcement
/// came from, unless it is loopback. Empty if it is no `host:port`. What the original does for
/// validators; the addresses of all other nodes are kept as announced.
///
/// `peer` is the end of the connection. The original believed the header `X-Forwarded-For`, in
/// which anybody can write anything.
pub(crate) fn seen_from(announced: &str, peer: IpAddr) -> String {
    let Some((host, port)) = announced.rsplit_once(':') else { return String::new() };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if bare.is_none() && host.contains(':') {
        // An IPv6 address without brackets: where its port begins cannot be told.
        return String::new();
    }
    let is_loopback = match bare {
        Some(address) => address.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback()),
        None => host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback()),
    };
    match peer {
        _ if is_loopback => announced.into(),
        IpAddr::V4(peer) => format!("{peer}:{port}"),
        IpAddr::V6(peer) => format!("[{peer}]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_loopback_is_replaced_by_the_peer() {
        for (announced, peer, stored) in [
            ("10.1.2.3:4001", "127.0.0.1", "127.0.0.1:4001"),
            (":1789", "192.0.2.7", "192.0.2.7:1789"),
            ("localhost:4000", "192.0.2.7", "localhost:4000"),
            ("127.0.0.5:4000", "192.0.2.7", "127.0.0.5:4000"),
            ("[::1]:4000", "192.0.2.7", "[::1]:4000"),
            ("[2001:db8::1]:4000", "::1", "[::1]:4000"),
            ("2001:db8::1:4000", "192.0.2.7", ""),
            ("no-port", "192.0.2.7", ""),
            ("", "192.0.2.7", ""),
        ] {
            let peer = peer.parse().expect("an address");
            assert_eq!(seen_from(announced, peer), stored, "{announced} from {peer}");
        }
    }
}
