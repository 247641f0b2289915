//! What a supervisor asks of a process.

use serde::{Deserialize, Serialize};

use crate::{Attack, Change, Content};

/// A line on the stdin of a process. Each is answered by an [`Answer`](crate::Answer) with its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the supervisor; the answer repeats it.
    pub id: u64,
    /// What to do.
    #[serde(flatten)]
    pub command: Command,
}

/// What a process can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Stop now. A mixnode's pool is lost.
    Stop,
    /// Tell the directory, let what is underway drain for at most 3 s, then stop.
    Leave,
    /// Clients: send a message.
    Send {
        /// Address of the recipient: `client@provider`, or a client's bare base58 key.
        to: String,
        /// What to send.
        content: Content,
        /// Its id, 32 hexadecimal digits: asked again with the same one it is still one message. Without
        /// one the client chooses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Clients: what has been received, oldest first. The answer has as much as one line holds.
    Inbox {
        /// Only what has a greater number; 0 for all that is kept.
        after: u64,
    },
    /// Clients and crowds: go on with other parameters, from the next packet on.
    Set {
        /// What is different.
        change: Change,
    },
    /// Clients: let the next slot carry a loop packet with the usual delays, and tell when it came
    /// back. An observer sees the same as without it.
    Ping,
    /// Do something to packets on the links of this process; answered when it is done.
    Attack {
        /// What.
        attack: Attack,
    },
}
