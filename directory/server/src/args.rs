//! What a directory is told on its command line.

use std::net::IpAddr;

use axum::http::Uri;
use clap::Args;
use runtime::ListenOn;
use semver::Version;

use crate::Options;

/// Options of a directory.
#[derive(Clone, Debug, Args)]
pub struct DirectoryArgs {
    /// Name of the node; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "directory")]
    pub name: String,
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Take any free port if that one is taken
    #[arg(long)]
    pub port_fallback: bool,
    /// A page of this origin may write and subscribe, besides those of this machine
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = origin)]
    pub allowed_origins: Vec<String>,
    /// Refuse mixnodes of an older version, as v0.7.0 did with 0.6.0
    #[arg(long, value_name = "VERSION")]
    pub min_mixnode_version: Option<Version>,
}

/// Why pages of such an origin cannot be allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum BadOrigin {
    #[error("it is neither like `https://lab.example` or `http://lab.example:8080` nor `null`")]
    NotOne,
    #[error("browsers call the origin of such pages `{0}`: write it like that")]
    WrittenOtherwise(String),
}

/// An origin as browsers write it. Anything else would never be the origin of a page.
fn origin(text: &str) -> Result<String, BadOrigin> {
    if text == "null" {
        return Ok(text.into());
    }
    let uri: Uri = text.parse().map_err(|_| BadOrigin::NotOne)?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(BadOrigin::NotOne);
    };
    let port = match (scheme, uri.port_u16()) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    let written = format!("{scheme}://{}{port}", host.to_ascii_lowercase());
    if text == written { Ok(written) } else { Err(BadOrigin::WrittenOtherwise(written)) }
}

impl DirectoryArgs {
    pub(crate) fn listen_on(&self) -> ListenOn {
        ListenOn { host: self.host, port: self.port, fallback: self.port_fallback }
    }

    pub(crate) fn into_options(self) -> Options {
        Options {
            allowed_origins: self.allowed_origins,
            min_mixnode_version: self.min_mixnode_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_only_as_browsers_write_it() {
        for good in
            ["null", "https://lab.example", "http://lab.example:8080", "http://[2001:db8::1]:81"]
        {
            assert_eq!(origin(good), Ok(good.into()));
        }
        for (wrong, right) in [
            ("https://lab.example/", "https://lab.example"),
            ("https://lab.example/page", "https://lab.example"),
            ("https://Lab.Example", "https://lab.example"),
            ("https://lab.example:443", "https://lab.example"),
            ("http://lab.example:80", "http://lab.example"),
            ("http://me@lab.example:81", "http://lab.example:81"),
        ] {
            assert_eq!(origin(wrong), Err(BadOrigin::WrittenOtherwise(right.into())), "{wrong}");
        }
        for nonsense in ["", "lab.example", "lab.example:80", "/", "*", "https://", "https://a b"] {
            assert_eq!(origin(nonsense), Err(BadOrigin::NotOne), "{nonsense}");
        }
    }
}
