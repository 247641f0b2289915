//! Streams that are read into the loop's queue.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::message::{Message, Problem};
use crate::source::{Events, Source};

/// Reads the event stream into the queue until it ends.
pub(super) async fn listen<S: Source>(source: S, queue: mpsc::Sender<Message>, after: Duration) {
    tokio::time::sleep(after).await;
    let reason = match source.events().await {
        Err(error) => Problem::from(error).0,
        Ok(mut events) => {
            if queue.send(Message::Connected).await.is_err() {
                return;
            }
            loop {
                match events.next().await {
                    Ok(Some(envelope)) => {
                        if queue.send(Message::Heard(Box::new(envelope))).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => break "the supervisor closed the event stream".to_owned(),
                    Err(error) => break Problem::from(error).0,
                }
            }
        }
    };
    let _ = queue.send(Message::Disconnected { reason }).await;
}

/// Reads what nodes know into the queue until that ends. Nothing has to be kept in order with the event
/// stream: each of its moments is told.
pub(super) async fn confide<S: Source>(
    source: S,
    queue: mpsc::Sender<Message>,
    nodes: Vec<String>,
) {
    let problem = match source.passages(&nodes).await {
        Err(error) => Problem::from(error),
        Ok(mut events) => loop {
            match events.next().await {
                Ok(Some(envelope)) => {
                    if queue.send(Message::Heard(Box::new(envelope))).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break Problem("the supervisor closed their stream".to_owned()),
                Err(error) => break Problem::from(error),
            }
        },
    };
    let _ = queue.send(Message::Unconfided(problem)).await;
}
