//! An origin that somebody allows by name.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// The origin of pages, as browsers write it: no other text would ever be that of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Why pages of such an origin cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// It is no origin.
    #[error("it is neither like `https://lab.example` or `http://lab.example:8080` nor `null`")]
    NotOne,
    /// It is one, but no browser writes it like that.
    #[error("browsers call the origin of such pages `{0}`: write it like that")]
    WrittenOtherwise(String),
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        if text == "null" {
            return Ok(Self(text.into()));
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
        if text == written { Ok(Self(written)) } else { Err(BadOrigin::WrittenOtherwise(written)) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
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
            assert_eq!(good.parse(), Ok(Origin(good.into())));
        }
        for (wrong, right) in [
            ("https://lab.example/", "https://lab.example"),
            ("https://lab.example/page", "https://lab.example"),
            ("https://Lab.Example", "https://lab.example"),
            ("https://lab.example:443", "https://lab.example"),
            ("http://lab.example:80", "http://lab.example"),
            ("http://me@lab.example:81", "http://lab.example:81"),
        ] {
            let error = BadOrigin::WrittenOtherwise(right.into());
            assert_eq!(wrong.parse::<Origin>(), Err(error), "{wrong}");
        }
        for nonsense in ["", "lab.example", "lab.example:80", "/", "*", "https://", "https://a b"] {
            assert_eq!(nonsense.parse::<Origin>(), Err(BadOrigin::NotOne), "{nonsense}");
        }
    }
}
