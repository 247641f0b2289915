//! The address of a directory: what a person writes, and what a connection needs.

use directory_api::{Topic, paths};
use reqwest::Url;

use crate::Error;

/// A directory's checked address.
#[derive(Clone, Debug)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads `http://host:port`, or `host:port` for short. A path in front of the routes is kept.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason| Error::Address { address: text.into(), reason };
        let with_scheme = if text.contains("://") { text.into() } else { format!("http://{text}") };
        let mut url = Url::parse(&with_scheme).map_err(|_| refuse("it cannot be read as a URL"))?;
        if url.scheme() != "http" {
            return Err(refuse("only `http` is spoken"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it carries a user name"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it carries a query"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address as text, without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The URL of a route.
    pub(crate) fn route(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// Where a subscription to `topics` connects.
    pub(crate) fn events(&self, topics: &[Topic]) -> EventsAddress {
        let topics: Vec<_> = topics.iter().map(|topic| topic.as_str()).collect();
        let route = self.route(paths::EVENTS).replacen("http:", "ws:", 1);
        let query = if topics.is_empty() { "" } else { "?topics=" };
        EventsAddress {
            url: format!("{route}{query}{}", topics.join(",")),
            // An IPv6 address stands in brackets in a URL, and without them in a socket address.
            host: self.0.host_str().unwrap_or_default().trim_matches(['[', ']']).into(),
            port: self.0.port().unwrap_or(80),
        }
    }
}

/// What a websocket connection needs: the URL for the request, host and port for the socket.
#[derive(Clone, Debug)]
pub(crate) struct EventsAddress {
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, url, host, port) in [
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws/events", "127.0.0.1", 8080),
            ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/ws/events", "127.0.0.1", 8080),
            ("localhost:8080", "ws://localhost:8080/ws/events", "localhost", 8080),
            ("http://[::1]:8080", "ws://[::1]:8080/ws/events", "::1", 8080),
            ("http://host", "ws://host/ws/events", "host", 80),
            ("http://host/nym/", "ws://host/nym/ws/events", "host", 80),
        ] {
            let address = Address::parse(text).expect(text);
            let events = address.events(&[]);
            assert_eq!((events.url.as_str(), events.host.as_str(), events.port), (url, host, port));
        }
        let address = Address::parse("http://http:1").expect("a host may have any name");
        let events = address.events(&[Topic::Topology, Topic::Metrics]);
        assert_eq!(events.url, "ws://http:1/ws/events?topics=topology,metrics");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "URL"),
            ("http://", "URL"),
            ("127.0.0.1:99999", "URL"),
            ("https://127.0.0.1:8080", "only `http`"),
            ("ws://127.0.0.1:8080", "only `http`"),
            ("http://user@127.0.0.1:8080", "user name"),
            ("http://127.0.0.1:8080?x=1", "query"),
        ] {
            let error = Address::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
