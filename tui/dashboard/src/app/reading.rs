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
/// stream: each of its moments is told. The supervisor waits for no reader: whoever fell behind asks again.
pub(super) async fn confide<S: Source>(
    source: S,
    queue: mpsc::Sender<Message>,
    nodes: Vec<String>,
) {
    let problem = loop {
        let mut events = match source.passages(&nodes).await {
            Ok(events) => events,
            Err(error) => break Problem::from(error),
        };
        let mut has_told = false;
        let broken = loop {
            match events.next().await {
                Ok(Some(envelope)) => {
                    has_told = true;
                    if queue.send(Message::Heard(Box::new(envelope))).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(Problem::from(error)),
            }
        };
        match broken {
            Some(problem) => break problem,
            // Nobody falls behind what never came.
            None if !has_told => break Problem("the supervisor closed their stream".to_owned()),
            None => {}
        }
    };
    let _ = queue.send(Message::Unconfided(problem)).await;
}
