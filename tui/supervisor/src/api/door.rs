//! The ways in, and what may be done by each.

use axum::http::{HeaderMap, Method, Uri, header};
use rand::{CryptoRng, RngExt as _};
use subtle::{Choice, ConstantTimeEq as _};

use super::refusal::Refusal;

/// Random bytes of a token: nobody guesses them.
const TOKEN_BYTES: usize = 32;

/// Names of this machine for itself. Under another name a page of a foreign site may ask, whose name
/// was made to lead here after the page was loaded.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What opens the way over TCP, base58.
#[derive(Clone)]
pub(crate) struct Tokens {
    /// For everything.
    pub(super) control: String,
    /// For looking.
    pub(super) observe: String,
}

impl Tokens {
    /// Two that nobody knows yet.
    pub(super) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut token = || bs58::encode(rng.random::<[u8; TOKEN_BYTES]>()).into_string();
        Self { control: token(), observe: token() }
    }
}

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Everything,
    Looking,
}

/// A way in. Who reaches a socket may use it: the folder is its user's alone.
#[derive(Clone)]
pub(super) enum Door {
    /// `control.sock`.
    Control,
    /// `observe.sock`.
    Observe,
    /// A port on loopback, which every user and every web page of this machine can reach.
    Tcp(Tokens),
}

impl Door {
    /// Whether a request with this head may go on.
    pub(super) fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let right = match self {
            Self::Control => Right::Everything,
            Self::Observe => Right::Looking,
            Self::Tcp(tokens) => {
                check_page(headers)?;
                tokens.right(headers).ok_or_else(Refusal::no_token)?
            }
        };
        let looks = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        if right == Right::Everything || looks { Ok(()) } else { Err(Refusal::only_shows()) }
    }

    /// Whether who is slow may be kept waiting for: a front end that its user has stopped goes on
    /// when it is continued.
    pub(super) fn is_patient(&self) -> bool {
        !matches!(self, Self::Tcp(_))
    }
}

/// Keeps out pages of other sites, whatever name they call us by.
fn check_page(headers: &HeaderMap) -> Result<(), Refusal> {
    origin::check(headers, &[]).map_err(|origin| {
        Refusal::foreign(&format!("from pages of `{}`", control::shown_name(&origin)))
    })?;
    let hosts: Vec<_> = headers.get_all(header::HOST).iter().collect();
    let host = match hosts.as_slice() {
        [host] => host.to_str().ok().and_then(|host| host.parse::<Uri>().ok()),
        _ => None,
    };
    let is_ours = host.as_ref().and_then(Uri::host).is_some_and(|host| LOOPBACK.contains(&host));
    if is_ours { Ok(()) } else { Err(Refusal::foreign("to a host that is not this machine")) }
}

impl Tokens {
    /// What the token of a request opens. Takes as long for a token that is nearly right as for any
    /// other of its length.
    fn right(&self, headers: &HeaderMap) -> Option<Right> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let is = |ours: &str| -> Choice { ours.as_bytes().ct_eq(token.trim().as_bytes()) };
        let (control, observe) = (is(&self.control), is(&self.observe));
        if control.into() {
            Some(Right::Everything)
        } else {
            bool::from(observe).then_some(Right::Looking)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;

    use super::*;

    /// Under which status a request is refused; none if it may go on.
    fn refused(door: &Door, method: &Method, headers: &[(&str, &str)]) -> Option<StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        door.admit(method, &map).err().map(|refusal| refusal.into_response().status())
    }

    #[test]
    fn a_socket_needs_no_token_and_one_of_them_only_shows() {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::PUT] {
            assert_eq!(refused(&Door::Control, &method, &[]), None, "{method}");
            let looks = matches!(method, Method::GET | Method::HEAD);
            let expected = (!looks).then_some(StatusCode::FORBIDDEN);
            assert_eq!(refused(&Door::Observe, &method, &[]), expected, "{method}");
        }
    }

    #[test]
    fn over_tcp_the_token_decides_and_no_page_of_another_site_gets_in() {
        let tokens = Tokens::draw(&mut rand::rng());
        assert_ne!(tokens.control, tokens.observe);
        let door = Door::Tcp(tokens.clone());
        let bearer = |token: &str| format!("Bearer {token}");
        let (all, look) = (bearer(&tokens.control), bearer(&tokens.observe));
        let host = ("host", "127.0.0.1:7000");
        let with = |authorization: &str, method: &Method| {
            refused(&door, method, &[host, ("authorization", authorization)])
        };
        for method in [Method::GET, Method::POST] {
            assert_eq!(with(&all, &method), None);
            assert_eq!(with(&all.replace("Bearer", "bearer"), &method), None);
        }
        assert_eq!(with(&look, &Method::GET), None);
        assert_eq!(with(&look, &Method::POST), Some(StatusCode::FORBIDDEN));
        let nearly = &all[..all.len() - 1];
        for wrong in
            ["", "Bearer", "Bearer ", &tokens.control, nearly, &all.replace("Bearer", "Basic")]
        {
            assert_eq!(with(wrong, &Method::GET), Some(StatusCode::UNAUTHORIZED), "{wrong}");
        }
        assert_eq!(refused(&door, &Method::GET, &[host]), Some(StatusCode::UNAUTHORIZED));
        let twice = [host, ("authorization", &*all), ("authorization", &*all)];
        assert_eq!(refused(&door, &Method::GET, &twice), Some(StatusCode::UNAUTHORIZED));

        let to =
            |host: &str| refused(&door, &Method::GET, &[("host", host), ("authorization", &all)]);
        for ours in ["127.0.0.1:7000", "localhost:1", "[::1]:7000", "localhost"] {
            assert_eq!(to(ours), None, "{ours}");
        }
        for foreign in ["evil.example:7000", "localhost.evil.example", "", "127.0.0.1.evil.example"]
        {
            assert_eq!(to(foreign), Some(StatusCode::FORBIDDEN), "{foreign}");
        }
        let authorization = ("authorization", &*all);
        let two_hosts = [host, host, authorization];
        assert_eq!(refused(&door, &Method::GET, &two_hosts), Some(StatusCode::FORBIDDEN));
        for (origin, status) in
            [("http://localhost:3000", None), ("http://evil.example", Some(StatusCode::FORBIDDEN))]
        {
            let headers = [host, authorization, ("origin", origin)];
            assert_eq!(refused(&door, &Method::GET, &headers), status, "{origin}");
        }
    }
}
