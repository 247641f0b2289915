//! Where events come from and requests go to: a supervisor, or what stands for it in a test.

use std::future::Future;

use control::{
    AttackRequest, AttackStatus, ControlClient, ControlError, Envelope, EventStream, History,
    Inbox, MessageStatus, NodeAction, NodeStatus, SendRequest, SetRequest, Snapshot,
};

use crate::message::Wanted;
use crate::playback::Pace;

/// A devnet to show.
pub(crate) trait Source: Clone + Send + Sync + 'static {
    /// Its event stream.
    type Events: Events;

    /// Opens the event stream. Its first event is a snapshot.
    fn events(&self) -> impl Future<Output = Result<Self::Events, ControlError>> + Send;

    /// Does something to a process.
    fn act(
        &self,
        node: &str,
        action: NodeAction,
    ) -> impl Future<Output = Result<NodeStatus, ControlError>> + Send;

    /// Changes the network, one thing after the other, until one is refused.
    fn change(&self, wanted: &Wanted) -> impl Future<Output = Result<(), ControlError>> + Send;

    /// Runs an attack; returns when it is over.
    fn attack(
        &self,
        request: &AttackRequest,
    ) -> impl Future<Output = Result<AttackStatus, ControlError>> + Send;

    /// Opens the stream of what these nodes know of packets.
    fn passages(
        &self,
        nodes: &[String],
    ) -> impl Future<Output = Result<Self::Events, ControlError>> + Send;

    /// Sends a message.
    fn send(
        &self,
        request: &SendRequest,
    ) -> impl Future<Output = Result<MessageStatus, ControlError>> + Send;

    /// A page of what a client keeps of what it received: what has a greater number than this.
    fn inbox(
        &self,
        client: &str,
        after: u64,
    ) -> impl Future<Output = Result<Inbox, ControlError>> + Send;

    /// How everything is.
    fn status(&self) -> impl Future<Output = Result<Snapshot, ControlError>> + Send;

    /// Carries out what a lesson asks for, in order; otherwise says what could not be done.
    fn perform(
        &self,
        actions: Vec<lessons::Action>,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// What mixnodes reported in the last so many seconds, in steps of so many seconds.
    fn history(
        &self,
        window_s: u64,
        step_s: u64,
    ) -> impl Future<Output = Result<History, ControlError>> + Send;

    /// Goes on at this pace. What is happening now has only one.
    fn set_pace(&self, _: Pace) {}
}

/// An event stream.
pub(crate) trait Events: Send + 'static {
    /// The next event; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Envelope>, ControlError>> + Send;
}

impl Source for ControlClient {
    type Events = EventStream;

    async fn events(&self) -> Result<EventStream, ControlError> {
        Self::events(self).await
    }

    async fn act(&self, node: &str, action: NodeAction) -> Result<NodeStatus, ControlError> {
        Self::act(self, node, action).await
    }

    async fn change(&self, wanted: &Wanted) -> Result<(), ControlError> {
        if wanted.set != SetRequest::default() {
            self.set(&wanted.set).await?;
        }
        for request in &wanted.add {
            self.add(request).await?;
        }
        for node in &wanted.remove {
            self.remove(node).await?;
        }
        Ok(())
    }

    async fn attack(&self, request: &AttackRequest) -> Result<AttackStatus, ControlError> {
        Self::attack(self, request).await
    }

    async fn passages(&self, nodes: &[String]) -> Result<EventStream, ControlError> {
        Self::passages(self, nodes).await
    }

    async fn send(&self, request: &SendRequest) -> Result<MessageStatus, ControlError> {
        Self::send(self, request).await
    }

    async fn inbox(&self, client: &str, after: u64) -> Result<Inbox, ControlError> {
        Self::inbox(self, client, after).await
    }

    async fn status(&self) -> Result<Snapshot, ControlError> {
        Self::status(self).await
    }

    async fn perform(&self, actions: Vec<lessons::Action>) -> Result<(), String> {
        tutor::perform(self.clone(), actions).await
    }

    async fn history(&self, window_s: u64, step_s: u64) -> Result<History, ControlError> {
        Self::history(self, window_s, step_s).await
    }
}

impl Events for EventStream {
    async fn next(&mut self) -> Result<Option<Envelope>, ControlError> {
        Self::next(self).await
    }
}
