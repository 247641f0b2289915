//! Texts that mean something: where a validator says it is, a mixnode's version, a topic.

#![no_main]

#[path = "../../server/src/host.rs"]
mod host;
#[path = "../../server/src/version.rs"]
mod version;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use directory_api::Topic;
use libfuzzer_sys::fuzz_target;
use semver::Version;

fuzz_target!(|text: &str| {
    for peer in [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        check_host(text, peer);
    }
    let minimum = Version::new(0, 6, 0);
    if version::check(text, &minimum).is_ok() {
        assert!(text.parse::<Version>().is_ok_and(|version| version >= minimum), "{text}");
    }
    if let Some(topic) = Topic::parse(text) {
        assert_eq!(topic.as_str(), text);
    }
});

/// A validator is stored with the host that it has, or with its peer's, and always with its port.
fn check_host(announced: &str, peer: IpAddr) {
    let stored = host::seen_from(announced, peer);
    if stored.is_empty() {
        let is_address = announced.parse::<SocketAddr>().is_ok();
        assert!(!is_address, "{announced} has a host and a port");
        return;
    }
    let (host, port) = stored.rsplit_once(':').expect("a host and a port");
    assert!(announced.ends_with(&format!(":{port}")), "{announced} as {stored}");
    if stored == announced {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = bare.parse().is_ok_and(|host: IpAddr| host.is_loopback());
        let is_peer = bare.parse().is_ok_and(|host: IpAddr| host == peer);
        assert!(is_loopback || is_peer || host == "localhost", "{announced} was believed");
    } else {
        let expected = if peer.is_ipv6() { format!("[{peer}]") } else { peer.to_string() };
        assert_eq!(host, expected, "{announced} as {stored}");
    }
    assert_eq!(host::seen_from(&stored, peer), stored, "the same node again");
}
