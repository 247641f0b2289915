//! What is asked once outside of the loop, and the message that comes of it.

use control::{AttackRequest, ControlError, FailureCode, NodeAction, SendRequest};
use tokio::task::spawn_blocking;

use crate::inbox;
use crate::message::{Message, Problem, Wanted};
use crate::remembered::{Remembered, Store};
use crate::screens::traffic::history::PARTS;
use crate::source::Source;

/// Does something to a process.
pub(super) async fn act<S: Source>(source: S, node: String, action: NodeAction) -> Message {
    let result = source.act(&node, action).await.map(drop).map_err(Into::into);
    Message::Acted { node, action, result }
}

/// Changes the network.
pub(super) async fn change<S: Source>(source: S, wanted: Wanted) -> Message {
    let result = source.change(&wanted).await.map_err(Into::into);
    Message::Changed { result }
}

/// Runs an attack.
pub(super) async fn attack<S: Source>(source: S, request: AttackRequest) -> Message {
    let title = request.plan.title();
    let result = source.attack(&request).await.map(Box::new).map_err(Into::into);
    Message::Attacked { title, result }
}

/// Sends a message. One that is not answered in time may still be sent.
pub(super) async fn send<S: Source>(source: S, request: SendRequest, text: String) -> Message {
    let result = source.send(&request).await.map(drop);
    let unsure = match &result {
        Err(ControlError::Refused(why)) => why.code == FailureCode::DeadlinePassed,
        Err(ControlError::Unreachable { .. }) => true,
        Ok(()) => false,
    };
    Message::Sent { text, result: result.map_err(Into::into), unsure }
}

/// Reads what a client keeps.
pub(super) async fn inbox<S: Source>(source: S, client: String) -> Message {
    let ask = |after| {
        let (source, client) = (source.clone(), client.clone());
        async move { source.inbox(&client, after).await }
    };
    let result = inbox::newest(ask).await.map_err(Into::into);
    Message::Inbox { client, result }
}

/// Reads all parts of the history, or says why one of them is not there.
pub(super) async fn history<S: Source>(source: S) -> Message {
    let mut parts = Vec::new();
    for (window_s, step_s) in PARTS {
        match source.history(window_s, step_s).await {
            Ok(part) => parts.push(part),
            Err(error) => return Message::History(Err(error.into())),
        }
    }
    Message::History(Ok(parts))
}

/// Writes what is to be remembered of the dashboard.
pub(super) async fn remember(store: Store, remembered: Remembered) -> Message {
    let written = spawn_blocking(move || store.write(&remembered)).await;
    let result = written.map_err(|error| Problem(error.to_string()));
    let result = result.and_then(|done| done.map_err(|error| Problem(error.to_string())));
    Message::Remembered(result)
}
