//! What the provider delivers, on its way onto the disk.

use std::pin::Pin;

use contract::MessageStage;
use futures_util::FutureExt;
use runtime::clock;
use wire::Delivery;

use super::Driver;
use crate::storage::{Kept, StorageError};

pub(super) type Keep =
    Pin<Box<dyn Future<Output = (Vec<u64>, Result<Vec<Kept>, StorageError>)> + Send>>;

/// Waits for what is being kept. Only asked while there is something.
pub(super) async fn kept(
    keeping: &mut Option<Keep>,
) -> (Vec<u64>, Result<Vec<Kept>, StorageError>) {
    match keeping {
        Some(keep) => {
            let kept = keep.await;
            *keeping = None;
            kept
        }
        None => std::future::pending().await,
    }
}

impl Driver {
    /// Takes what the provider delivers. Pieces of messages are confirmed when they are on disk,
    /// everything else at once.
    pub(super) fn deliver(&mut self, deliveries: impl Iterator<Item = Delivery>) {
        let (mut fragments, mut numbers) = (Vec::new(), Vec::new());
        for Delivery { number, identifier, payload } in deliveries {
            let outputs = self.engine.deliver(clock::now(), &identifier, &payload);
            let before = fragments.len();
            fragments.extend(self.carry_out(outputs));
            if fragments.len() > before {
                numbers.push(number);
            } else {
                self.confirm(number);
            }
        }
        match &self.storage {
            Some(storage) if !fragments.is_empty() => {
                let storage = storage.clone();
                let keep = async move { (numbers, storage.keep(fragments).await) };
                self.keeping = Some(keep.boxed());
            }
            Some(_) => {}
            // Somebody sent a message to one of a crowd.
            None => numbers.into_iter().for_each(|number| self.confirm(number)),
        }
    }

    fn confirm(&self, number: u64) {
        // An error means that the link is just ending; the packet comes again.
        let _ = self.confirmations.try_send(number);
    }

    /// A batch of pieces was written, or could not be.
    pub(super) fn kept(&mut self, numbers: Vec<u64>, kept: Result<Vec<Kept>, StorageError>) {
        let kept = match kept {
            Ok(kept) => kept,
            Err(error) => {
                // Full means that one is waiting already.
                let _ = self.lost.try_send(error.to_string());
                return;
            }
        };
        for number in numbers {
            self.confirm(number);
        }
        for kept in kept {
            match kept {
                Kept::Incomplete => {}
                Kept::Duplicate => self.engine.count_drop("duplicate"),
                Kept::Malformed => self.engine.count_drop("malformed"),
                Kept::Complete { message, content, .. } => {
                    self.report(message, MessageStage::Received { content });
                }
            }
        }
    }
}
