//! The content of a message inside JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The bytes of a message as JSON carries them: `{"text": "…"}` where they are UTF-8, otherwise
/// `{"base64": "…"}`. People read these lines, and most messages are text. What is too long for a line
/// is left out, `{"omitted": BYTES}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// UTF-8 text.
    Text(String),
    /// Standard base64 with padding.
    Base64(String),
    /// So many bytes, more than [`MAX_CONTENT_BYTES`](crate::MAX_CONTENT_BYTES). Nobody can send it.
    Omitted(usize),
}

/// A [`Content`] stands for no bytes.
#[derive(Debug)]
pub enum ContentError {
    /// Its base64 does not decode.
    Base64(base64::DecodeError),
    /// They were left out.
    Omitted,
}

impl std::fmt::Display for ContentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Base64(error) => write!(f, "the message is not valid base64: {error}"),
            Self::Omitted => f.write_str("the message has no content, only a length"),
        }
    }
}

impl std::error::Error for ContentError {}

impl Content {
    /// The content that stands for these bytes, or for how many they are if a line has no room for
    /// them.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        if bytes.len() > crate::MAX_CONTENT_BYTES {
            return Self::Omitted(bytes.len());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(STANDARD.encode(error.as_bytes())),
        }
    }

    /// The same, with no copy of what a line has no room for.
    pub fn from_slice(bytes: &[u8]) -> Self {
        if bytes.len() > crate::MAX_CONTENT_BYTES {
            return Self::Omitted(bytes.len());
        }
        Self::from_bytes(bytes.to_vec())
    }

    /// The bytes that it stands for.
    pub fn into_bytes(self) -> Result<Vec<u8>, ContentError> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Base64(text) => STANDARD.decode(text).map_err(ContentError::Base64),
            Self::Omitted(_) => Err(ContentError::Omitted),
        }
    }

    /// The text to show a person: the text itself, or how many bytes there are.
    pub fn preview(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Base64(_) | Self::Omitted(_) => format!("[{} bytes]", self.byte_count()),
        }
    }

    /// How many bytes it stands for. Nothing is decoded: of text that is no base64 the answer means
    /// nothing.
    pub fn byte_count(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Base64(text) => {
                let padding = text.bytes().rev().take_while(|&byte| byte == b'=').count();
                (text.len() / 4 * 3).saturating_sub(padding)
            }
            Self::Omitted(bytes) => *bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_readable_and_anything_else_survives() {
        let text = Content::from_bytes(b"hello".to_vec());
        assert_eq!(serde_json::to_string(&text).expect("a string"), r#"{"text":"hello"}"#);
        let bytes = vec![0xff, 0, 0xfe];
        let content = Content::from_bytes(bytes.clone());
        assert_eq!(serde_json::to_string(&content).expect("a string"), r#"{"base64":"/wD+"}"#);
        assert_eq!(content.into_bytes().expect("own base64"), bytes);
        assert!(Content::Base64("*".into()).into_bytes().is_err());
        let longest = vec![0; crate::MAX_CONTENT_BYTES];
        assert_eq!(Content::from_bytes(longest.clone()).into_bytes().expect("all"), longest);
        let too_long = Content::from_bytes([longest, vec![0]].concat());
        assert_eq!(serde_json::to_string(&too_long).expect("JSON"), r#"{"omitted":1048577}"#);
        assert_eq!(too_long.byte_count(), crate::MAX_CONTENT_BYTES + 1);
        assert!(too_long.into_bytes().is_err());
        for length in 0..10 {
            let content = Content::from_bytes(vec![0xff; length]);
            assert_eq!(content.byte_count(), length);
        }
    }
}
