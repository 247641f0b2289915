//! What a node saw of a packet: the records by which a devnet shows the way of a message. They tell
//! what a mixnet exists to hide, so a node writes them only where tracing is on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Time;

/// Hexadecimal digits of a [`Print`] as text.
const PRINT_DIGITS: usize = 2 * (8 + 16);

/// How a packet looks on one link: enough to know it again there, and nothing that tells how it looks
/// on another.
///
/// As text 48 hexadecimal digits: those of `header`, then those of `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Print {
    /// The first 8 bytes of the SHA-256 of its Sphinx header. Of a million headers two are the same
    /// with a probability of 3 in 10^8.
    pub header: [u8; 8],
    /// The first 16 bytes of the packet.
    pub first: [u8; 16],
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.iter().chain(&self.first).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Print> for String {
    fn from(print: Print) -> Self {
        print.to_string()
    }
}

/// What is no [`Print`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintError;

impl fmt::Display for PrintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {PRINT_DIGITS} hexadecimal digits")
    }
}

impl std::error::Error for PrintError {}

impl FromStr for Print {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        // A supervisor reads thousands of them a second.
        let (digits, rest) = text.as_bytes().as_chunks::<2>();
        if text.len() != PRINT_DIGITS || !rest.is_empty() {
            return Err(PrintError);
        }
        let mut bytes = [0; PRINT_DIGITS / 2];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
            *byte = value(*high)? << 4 | value(*low)?;
        }
        let (header, first) = bytes.split_at(8);
        Ok(Self {
            header: header.try_into().map_err(|_| PrintError)?,
            first: first.try_into().map_err(|_| PrintError)?,
        })
    }
}

/// What a hexadecimal digit stands for.
fn value(digit: u8) -> Result<u8, PrintError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(PrintError),
    }
}

impl TryFrom<String> for Print {
    type Error = PrintError;

    fn try_from(text: String) -> Result<Self, PrintError> {
        text.parse()
    }
}

/// What became of a packet at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trace", rename_all = "kebab-case")]
pub enum PacketTrace {
    /// It began here as cover. How packets of messages begin is told with the
    /// [message](crate::MessageStage::Sent), how acknowledgements do with what [they
    /// acknowledge](Self::Kept).
    Covered {
        /// When it was made: before it left.
        t: Time,
        /// As it goes.
        packet: Print,
        /// Which identity of a crowd sends it, counted from 1; none of a client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u32>,
    },
    /// A mixnode took it, let it wait, and passed it on.
    Passed {
        /// When it was taken from the link.
        came: Time,
        /// When it was given to the system to go on: never after the next hop took it.
        left: Time,
        /// How long its header asked it to wait, in microseconds.
        asked_us: u64,
        /// As it came.
        before: Print,
        /// As it went.
        after: Print,
        /// Address of the next hop.
        to: String,
        /// How many other packets waited there when it came. Of a mixnode with several workers: with
        /// the one that took it.
        pool: u32,
    },
    /// A provider took it and stored what was in it.
    Kept {
        /// When it was taken from the link.
        came: Time,
        /// When it was safely stored.
        stored: Time,
        /// As it came.
        before: Print,
        /// Key of the client that it is for, base58.
        client: String,
        /// The acknowledgement that it carried, if the provider sent it. One whose link is stuck is
        /// also [`Dropped`](Self::Dropped).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ack: Option<AckTrace>,
        /// The identifier in its header, 32 hexadecimal digits, if its payload is noise: that of an
        /// acknowledgement, or one that was changed on the way. Its client tells which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        noise: Option<String>,
    },
    /// A node gave it up.
    Dropped {
        /// When.
        t: Time,
        /// As it came; of one that began at this node, as it would have gone.
        before: Print,
        /// Why: one of the words of [`NodeMetrics::dropped`](crate::NodeMetrics::dropped).
        reason: String,
    },
    /// A client opened it and found a part of a message. Says nothing of the link: between a provider
    /// and its client there is no Sphinx packet any more.
    Opened {
        /// When.
        t: Time,
        /// The message: 32 hexadecimal digits.
        message: String,
        /// Which fragment, from 0.
        fragment: u32,
    },
    /// A client got a packet whose payload is noise: an acknowledgement of its own, or something that
    /// nobody can open.
    Noise {
        /// When.
        t: Time,
        /// The identifier in its header: 32 hexadecimal digits.
        identifier: String,
        /// Why it was given up, in the word of the counters. None if it was an acknowledgement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dropped: Option<String>,
    },
}

/// An acknowledgement that a provider sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckTrace {
    /// When.
    pub t: Time,
    /// As it went.
    pub packet: Print,
    /// Address of its first hop.
    pub to: String,
}

/// What the sender knows of a packet that it sent, beside its route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTrace {
    /// As it went.
    pub packet: Print,
    /// How long its header asks it to wait at each hop of the route, in microseconds; the last is a
    /// provider, which is asked nothing. Of a reply only its recipient knows that: then it is empty.
    pub asked_us: Vec<u64>,
    /// The acknowledgement that it carries, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<AckPlan>,
}

/// The acknowledgement that a packet carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckPlan {
    /// The SHA-256 of its header, as in [`Print::header`]: the provider sends it in front of noise.
    pub packet: Print,
    /// Addresses of its hops in order, the last being the sender's own provider.
    pub route: Vec<String>,
    /// How long its header asks it to wait at each of them, in microseconds.
    pub asked_us: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_is_its_digits() {
        let print = Print { header: [0x0a; 8], first: [0xff; 16] };
        let text = format!("{}{}", "0a".repeat(8), "ff".repeat(16));
        assert_eq!(print.to_string(), text);
        assert_eq!(text.parse(), Ok(print));
        for wrong in [&text[1..], &text.replace('a', "g"), &text.replace("0a", "é"), ""] {
            assert_eq!(wrong.parse::<Print>(), Err(PrintError), "{wrong}");
        }
    }
}
