//! What the original directories were asked and answered, recorded from the running programs.
//!
//! A recording is a part of what was said: some requests were not kept, and of a long one only the
//! beginning. The files are as they were recorded.

pub(crate) mod differences;
pub(crate) mod shown;

use std::collections::BTreeMap;

/// Everything recorded of one release.
pub(crate) struct Recording {
    pub(crate) release: &'static str,
    /// Requests and answers, in the order in which they were made.
    http: &'static str,
    /// The topology while a network of three mixnodes ran.
    pub(crate) topology: &'static str,
    /// The list of metrics in the same network.
    pub(crate) metrics: &'static str,
    /// Messages of `/ws` in the same network, one a line.
    pub(crate) ws: &'static str,
}

macro_rules! recording {
    ($release:literal) => {
        Recording {
            release: $release,
            http: include_str!(concat!($release, "-http.txt")),
            topology: include_str!(concat!($release, "-topology.json")).trim_ascii_end(),
            metrics: include_str!(concat!($release, "-metrics.json")).trim_ascii_end(),
            ws: include_str!(concat!($release, "-ws.txt")),
        }
    };
}

pub(crate) const RECORDINGS: [Recording; 2] = [recording!("v0.5.0"), recording!("v0.7.0")];

/// A request and what the original answered.
pub(crate) struct Exchange {
    pub(crate) title: &'static str,
    /// Byte for byte as it went over the connection.
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Answer,
    /// Whether the recording has the body of the answer.
    pub(crate) has_body: bool,
}

impl Recording {
    /// Requests and answers, in the order in which they were made.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.http.split("##### ").skip(1).map(Exchange::parse).collect()
    }

    /// The answer of the exchange with this title.
    pub(crate) fn answer(&self, title: &str) -> Answer {
        let found = self.exchanges().into_iter().find(|exchange| exchange.title == title);
        found.unwrap_or_else(|| panic!("{} has no `{title}`", self.release)).answer
    }
}

impl Exchange {
    fn parse(text: &'static str) -> Self {
        let (title, text) = text.split_once('\n').expect("a title");
        let Some(text) = text.strip_prefix(">>> request\n") else {
            // Of one, only the head of the answer was kept; its title says what was asked.
            let path = title.split(' ').nth(1).expect("a path");
            let request = format!("GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
            let answer = Answer::recorded(text, false);
            return Self { title, request: request.into(), answer, has_body: false };
        };
        let (request, answer) = text.split_once("<<< response\n").expect("an answer");
        let is_head = request.starts_with("HEAD ");
        let answer = Answer::recorded(answer, is_head);
        Self { title, request: sent(request), answer, has_body: true }
    }
}

/// The bytes of a recorded request.
fn sent(text: &str) -> Vec<u8> {
    let (head, body) = text.trim_end().split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut body = body.to_owned();
    if let Some(beginning) = body.strip_suffix("\n...<cut>") {
        // Of the long body, its beginning, its filler, its length and those of its kind are known.
        let end = r#"", "version": "0.5.0", "location": "here", "layer": 1}"#;
        let filler = beginning.chars().last().expect("a filler").to_string();
        let missing = length(&headers(head)).expect("a length") - beginning.len() - end.len();
        body = format!("{beginning}{}{end}", filler.repeat(missing));
    }
    format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")).into()
}

/// An answer, as far as it matters to whoever asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Those that a program acts upon.
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Headers that a program acts upon, besides those that begin with `access-control-`. Of a content
/// type only the media type.
const HEADERS: [&str; 3] = ["content-type", "location", "sec-websocket-version"];

impl Answer {
    fn recorded(text: &str, is_head: bool) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let headers = headers(head);
        let body = if is_head || body.is_empty() {
            String::new()
        } else if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            unchunked(body)
        } else {
            // Its length says which of the empty lines behind it belong to it.
            body[..length(&headers).unwrap_or_default()].to_owned()
        };
        Self::new(head, headers, body)
    }

    /// The answer in these bytes, or none as long as more must come. Without a length it ends with
    /// the connection.
    pub(crate) fn received(bytes: &[u8], is_head: bool, has_ended: bool) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let headers = headers(head);
        assert!(!headers.contains_key("transfer-encoding"), "not decoded here: {head}");
        let length = if is_head { Some(0) } else { length(&headers) };
        let is_whole = length.map_or(has_ended, |length| body.len() >= length);
        let body = body[..length.unwrap_or(body.len()).min(body.len())].to_owned();
        is_whole.then(|| Self::new(head, headers, body))
    }

    fn new(head: &str, mut headers: BTreeMap<String, String>, body: String) -> Self {
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        headers.retain(|name, _| {
            HEADERS.contains(&name.as_str()) || name.starts_with("access-control-")
        });
        if let Some(content_type) = headers.get_mut("content-type") {
            content_type.truncate(content_type.find(';').unwrap_or(content_type.len()));
        }
        Self { status, headers, body }
    }

    /// As text: status, headers, an empty line, body; without the times of its day.
    pub(crate) fn text(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        format!("{}\n{}\n{}", self.status, headers.collect::<String>(), timeless(&self.body))
    }
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let fields = head.lines().skip(1).map(|line| line.split_once(": ").expect("a header"));
    fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

fn length(headers: &BTreeMap<String, String>) -> Option<usize> {
    headers.get("content-length").map(|length| length.parse().expect("a number"))
}

fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, rest) = text.split_once('\n').expect("the length of a chunk");
        let length = usize::from_str_radix(length, 16).expect("a hexadecimal number");
        if length == 0 {
            return body;
        }
        let (chunk, rest) = rest.split_at(length);
        body.push_str(chunk);
        text = rest.strip_prefix('\n').expect("the end of a chunk");
    }
}

/// The text with a `T` for every time: nanoseconds since 1970, of which there are 19 digits.
pub(crate) fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["\"lastSeen\":", "\"timestamp\":"] {
        let mut parts = text.split(name);
        let mut without = parts.next().expect("split gives at least one part").to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            assert_eq!(part.len() - rest.len(), 19, "nanoseconds since 1970: {part}");
            without += name;
            without += "T";
            without += rest;
        }
        text = without;
    }
    text
}
