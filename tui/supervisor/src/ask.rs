//! What the control interface asks the supervisor's loop.

use control::{
    AddRequest, AttackRequest, AttackStatus, DevnetInfo, DownReport, DownRequest, Failure, History,
    Inbox, MessageStatus, NodeAction, NodeStatus, PingRequest, Pong, SendRequest, SetRequest,
    Snapshot,
};
use tokio::sync::oneshot;

use crate::hub::{Listener, Subscription};

/// Where an answer goes. Whoever asked may have stopped waiting.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

/// A question to the loop.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The whole state.
    Status(Reply<Box<Snapshot>>),
    /// The whole state and every change from here on.
    Subscribe(Reply<Subscription>),
    /// What these nodes know of packets that pass through them, from here on.
    Confide { nodes: Vec<String>, reply: Reply<Listener> },
    /// A page of what a client has received: what has a greater number.
    Inbox { client: String, after: u64, reply: Reply<Inbox> },
    /// What mixnodes reported in the last so many seconds, in steps of so many seconds.
    History { window: u64, step: u64, reply: Reply<History> },
    /// Do something to a process.
    Act { node: String, action: NodeAction, reply: Reply<NodeStatus> },
    /// One more node.
    Add { request: AddRequest, reply: Reply<NodeStatus> },
    /// One node less.
    Remove { node: String, reply: Reply<NodeStatus> },
    /// Other parameters.
    Set { request: SetRequest, reply: Reply<DevnetInfo> },
    /// Let a client send a packet to itself.
    Ping { request: PingRequest, reply: Reply<Pong> },
    /// Run an attack.
    Attack { request: AttackRequest, reply: Reply<AttackStatus> },
    /// Send a message.
    Send { request: SendRequest, reply: Reply<MessageStatus> },
    /// Stop everything.
    Down { request: DownRequest, reply: Reply<DownReport> },
}
