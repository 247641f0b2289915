//! Changing a running devnet: more nodes, fewer, other parameters.

use control::{
    AddRequest, DevnetInfo, Failure, FailureCode, NodeStatus, PingRequest, Pong, SetRequest,
};

use super::Devnet;
use crate::ask::Reply;
use crate::clock::Moment;

impl Devnet {
    pub(super) fn add(&mut self, _: Moment, _: &AddRequest) -> Result<NodeStatus, Failure> {
        Err(Failure::new(FailureCode::Other, "not yet"))
    }

    pub(super) fn remove(&mut self, _: Moment, _: &str) -> Result<NodeStatus, Failure> {
        Err(Failure::new(FailureCode::Other, "not yet"))
    }

    pub(super) fn set(&mut self, _: Moment, _: &SetRequest) -> Result<DevnetInfo, Failure> {
        Err(Failure::new(FailureCode::Other, "not yet"))
    }

    pub(super) fn ping(&mut self, _: Moment, _: PingRequest, reply: Reply<Pong>) {
        drop(reply.send(Err(Failure::new(FailureCode::Other, "not yet"))));
    }
}
