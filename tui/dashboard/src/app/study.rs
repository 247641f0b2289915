//! What lessons ask for, done outside of the loop.

use lessons::Action;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinError, JoinHandle, spawn_blocking};
use tutor::{Hold, Kept, Learnt, Store};

use crate::message::{Message, Problem};
use crate::source::Source;

/// What is underway for lessons.
#[derive(Debug, Default)]
pub(super) struct Study {
    /// What is carried out.
    performing: Option<AbortHandle>,
    /// What is written.
    learning: Option<JoinHandle<()>>,
}

/// Keeps a devnet for a lesson, and asks how everything is, and what is remembered.
pub(super) async fn survey<S: Source>(source: S, store: Option<(Store, String)>) -> Message {
    let (kept, hold) = match store {
        Some((store, devnet)) => {
            // What is remembered, and how everything is, changes no more once it is held.
            let study = move || {
                let hold = store.hold(&devnet);
                (Some(store.read()), hold)
            };
            spawn_blocking(study).await.unwrap_or_default()
        }
        None => (None, Some(Hold::default())),
    };
    let result = source.status().await.map(Box::new).map_err(Into::into);
    Message::Surveyed { result, kept, hold }
}

/// Reads again what is remembered: another program may have written it.
pub(super) async fn recall(store: Store) -> Message {
    let read = spawn_blocking(move || store.read()).await;
    Message::Recalled(read.unwrap_or_else(|error| lost(&error)))
}

/// What is kept where it could not be read or written at all.
fn lost(error: &JoinError) -> Kept {
    let complaint = format!("cannot read what you have learnt: {error}");
    Kept { complaints: vec![complaint], ..Kept::default() }
}

impl Study {
    /// Remembers something, after what was to be remembered before.
    pub(super) fn learn(
        &mut self,
        store: Store,
        learnt: Vec<Learnt>,
        queue: mpsc::Sender<Message>,
    ) {
        let before = self.learning.take();
        self.learning = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            let change = move || {
                store.change(|progress| learnt.iter().for_each(|what| what.add_to(progress)))
            };
            let kept = spawn_blocking(change).await.unwrap_or_else(|error| lost(&error));
            let _ = queue.send(Message::Learnt(kept)).await;
        }));
    }

    /// Carries something out. What was carried out before is given up.
    pub(super) fn perform<S: Source>(
        &mut self,
        source: S,
        (number, actions): (u64, Vec<Action>),
        queue: mpsc::Sender<Message>,
    ) {
        if let Some(performing) = self.performing.take() {
            performing.abort();
        }
        let task = tokio::spawn(async move {
            let result = source.perform(actions).await.map_err(Problem);
            let _ = queue.send(Message::Performed { number, result }).await;
        });
        self.performing = Some(task.abort_handle());
    }
}
