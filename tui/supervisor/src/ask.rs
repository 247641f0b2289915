//! What the control interface asks the supervisor's loop.

use control::{
    DownReport, DownRequest, Failure, Inbox, MessageStatus, NodeAction, NodeStatus, SendRequest,
    Snapshot,
};
use tokio::sync::oneshot;

use crate::hub::Subscription;

/// Where an answer goes. Whoever asked may have stopped waiting.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

/// A question to the loop.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The whole state.
    Status(Reply<Box<Snapshot>>),
    /// The whole state and every change from here on.
    Subscribe(Reply<Subscription>),
    /// A page of what a client has received: what has a greater number.
    Inbox { client: String, after: u64, reply: Reply<Inbox> },
    /// Do something to a process.
    Act { node: String, action: NodeAction, reply: Reply<NodeStatus> },
    /// Send a message.
    Send { request: SendRequest, reply: Reply<MessageStatus> },
    /// Stop everything.
    Down { request: DownRequest, reply: Reply<DownReport> },
}
