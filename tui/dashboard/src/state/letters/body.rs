//! What a message says, as far as it is kept.

use contract::Content;

/// How much of a message's text is kept, in bytes: all of what can be typed. A client can receive
/// 16 MiB.
pub(crate) const MAX_TEXT_BYTES: usize = 32 * 1024;

/// The first bytes of what is no text: enough to recognise a format.
const FIRST_BYTES: usize = 12;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Text.
    Text {
        /// What is known and kept of it, from its beginning.
        text: String,
        /// Bytes of the whole.
        bytes: usize,
    },
    /// Bytes that are no text.
    Binary {
        /// The first of them.
        first: Vec<u8>,
        /// Bytes of the whole.
        bytes: usize,
    },
    /// More than a line of the event stream has room for: text or not, nobody here knows.
    Unseen {
        /// Bytes of the whole.
        bytes: usize,
    },
}

impl Default for Body {
    fn default() -> Self {
        Self::Unseen { bytes: 0 }
    }
}

impl Body {
    /// What is kept of a content that may be only the beginning of so many bytes.
    pub(super) fn new(content: Content, bytes: usize) -> Self {
        match content {
            Content::Text(mut text) => {
                if text.len() > MAX_TEXT_BYTES {
                    let mut ends = (0..=MAX_TEXT_BYTES).rev();
                    let end = ends.find(|&end| text.is_char_boundary(end)).unwrap_or_default();
                    text = text[..end].to_owned();
                }
                Self::Text { text, bytes }
            }
            Content::Base64(digits) => {
                // Four digits are three bytes. What is no base64 has no first bytes to show.
                let begin = digits.get(..FIRST_BYTES / 3 * 4).unwrap_or(&digits);
                let first = Content::Base64(begin.to_owned()).into_bytes().unwrap_or_default();
                Self::Binary { first, bytes }
            }
            Content::Omitted(_) => Self::Unseen { bytes },
        }
    }

    /// Bytes of the whole message.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text { bytes, .. } | Self::Binary { bytes, .. } | Self::Unseen { bytes } => {
                *bytes
            }
        }
    }

    /// The text, and whether it is all of it; none if it is no text.
    pub(crate) fn text(&self) -> Option<(&str, bool)> {
        match self {
            Self::Text { text, bytes } => Some((text, text.len() >= *bytes)),
            Self::Binary { .. } | Self::Unseen { .. } => None,
        }
    }

    pub(super) fn kept_bytes(&self) -> usize {
        self.text().map_or(0, |(text, _)| text.len())
    }
}
