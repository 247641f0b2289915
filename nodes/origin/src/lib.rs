//! Which web pages may reach the sockets of a devnet: the directory's, a provider's, a client's.
//!
//! A page in the user's browser can reach everything on loopback. Browsers name the page in the
//! header `Origin` of every request that writes and of every websocket, so that one check keeps
//! foreign pages out; a program that is not a browser sends none.

mod named;

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Uri, header};

pub use named::{BadOrigin, Origin};

/// Hosts whose pages are the user's own.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What desktop shells such as Electron send for a page of their own. No web page can.
const FILE: &str = "file://";

/// Whether a request with these headers may go on; else the origin that may not. A browser sends
/// `null` for a page opened from a file, but for a sandboxed frame of any web page too: whoever
/// wants it has to put it into `allowed`.
pub fn check(headers: &HeaderMap, allowed: &[String]) -> Result<(), String> {
    for origin in headers.get_all(header::ORIGIN) {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        let named = || allowed.iter().any(|name| *name == origin);
        if origin != FILE && !is_our_own(&origin, headers.get(header::HOST)) && !named() {
            return Err(origin.into_owned());
        }
    }
    Ok(())
}

/// Whether the page comes from this machine, or from the very address that the request goes to. The
/// latter only where it is a number: a name may lead anywhere, and to loopback a moment later.
fn is_our_own(origin: &str, asked: Option<&HeaderValue>) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let is_web = uri.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else { return false };
    let is_bare = !authority.as_str().contains('@');
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_asked = || asked.is_some_and(|asked| asked.as_bytes() == authority.as_str().as_bytes());
    let is_same = || address.parse::<IpAddr>().is_ok() && is_asked();
    is_web && is_bare && (LOOPBACK.contains(&host) || is_same())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_pages_and_named_ones_pass() {
        let allowed = ["https://lab.example".to_owned()];
        let passes = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
            check(&headers, &allowed).is_ok()
        };
        assert!(check(&HeaderMap::new(), &allowed).is_ok(), "no browser");
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://127.0.0.1:8443",
            "http://[::1]:8080",
            "https://lab.example",
            "file://",
        ] {
            assert!(passes(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "file://evil.example",
            "http://evil.example",
            "https://lab.example:444",
            "http://lab.example",
            "http://localhost.evil.example",
            "http://evil.example:80@localhost",
            "http://localhost@evil.example",
            "ftp://localhost",
            "localhost",
            "http://127.0.0.1.evil.example",
            "http://128.0.0.1",
        ] {
            assert!(!passes(origin), "{origin}");
        }
    }

    #[test]
    fn a_page_of_the_same_server_passes_if_the_server_was_asked_by_number() {
        for (origin, host, passes) in [
            ("http://192.0.2.7:8080", "192.0.2.7:8080", true),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080", true),
            ("http://192.0.2.7:8081", "192.0.2.7:8080", false),
            ("http://192.0.2.8:8080", "192.0.2.7:8080", false),
            // A name that was made to lead here.
            ("http://evil.example:8080", "evil.example:8080", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
            headers.append(header::HOST, HeaderValue::from_static(host));
            assert_eq!(check(&headers, &[]).is_ok(), passes, "{origin} at {host}");
        }
    }

    #[test]
    fn a_second_origin_does_not_hide_behind_the_first() {
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_static("http://localhost"));
        headers.append(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert_eq!(check(&headers, &[]), Err("http://evil.example".into()));
    }
}
