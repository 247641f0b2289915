//! What is sent: a text, a file or standard input, byte by byte.

use std::io::{self, Read as _};

use contract::{Content, MAX_CONTENT_BYTES};
use control::{Failure, FailureCode, shown_argument};

use crate::cli::SendArgs;
use crate::stop::Outcome;

/// Stands in a text for the number of the message.
const NUMBER: &str = "{n}";

/// What each message says.
pub(super) enum Contents {
    /// Always the same.
    Same(Content),
    /// A text in which the message's number stands.
    Numbered(String),
}

impl Contents {
    pub(super) fn of(args: &SendArgs) -> Outcome<Self> {
        let bytes = match (&args.file, args.text.as_deref()) {
            (Some(path), _) => {
                let what = format!("`{}`", shown_argument(&path.display().to_string()));
                let file = std::fs::File::open(path).map_err(|error| unreadable(&what, &error))?;
                read(&what, file)?
            }
            (None, Some("-")) => read("standard input", io::stdin().lock())?,
            (None, Some(text)) if args.count.is_some() && text.contains(NUMBER) => {
                return Ok(Self::Numbered(text.into()));
            }
            (None, text) => text.unwrap_or_default().as_bytes().to_vec(),
        };
        Ok(Self::Same(Content::from_bytes(bytes)))
    }

    /// What the message of this number says.
    pub(super) fn of_number(&self, number: u32) -> Content {
        match self {
            Self::Same(content) => content.clone(),
            Self::Numbered(text) => Content::Text(text.replace(NUMBER, &number.to_string())),
        }
    }
}

/// Reads one byte more than is possible, which tells that there are more.
fn read(what: &str, from: impl io::Read) -> Outcome<Vec<u8>> {
    let limit = u64::try_from(MAX_CONTENT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(what, &error))?;
    if bytes.len() > MAX_CONTENT_BYTES {
        let message = format!("cannot send {what}: it has more than {MAX_CONTENT_BYTES} bytes");
        return Err(Failure::new(FailureCode::Usage, message)
            .hint("longer ones go through the websocket of the client, up to 16 MiB")
            .into());
    }
    Ok(bytes)
}

fn unreadable(what: &str, error: &io::Error) -> Failure {
    Failure::new(FailureCode::Usage, format!("cannot read the message from {what}: {error}"))
}
