//! Which web pages may reach the sockets of a devnet: the directory's, a provider's, a client's.
//!
//! A page in the user's browser can reach everything on loopback. Browsers name the page in the
//! header `Origin` of every request that writes and of every websocket, so that one check keeps
//! foreign pages out; a program that is not a browser sends none.

use http::{HeaderMap, Uri, header};

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
        if origin != FILE && !is_loopback(&origin) && !named() {
            return Err(origin.into_owned());
        }
    }
    Ok(())
}

fn is_loopback(origin: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let is_web = uri.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
    let is_bare = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    is_web && is_bare && uri.host().is_some_and(|host| LOOPBACK.contains(&host))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
    fn a_second_origin_does_not_hide_behind_the_first() {
        let mut headers = HeaderMap::new();
        headers.append(header::ORIGIN, HeaderValue::from_static("http://localhost"));
        headers.append(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert_eq!(check(&headers, &[]), Err("http://evil.example".into()));
    }
}
