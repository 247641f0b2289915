//! What the provider delivers, on its way onto the disk.

use std::pin::Pin;

use contract::{MessageStage, Time};
use futures_util::FutureExt;
use runtime::clock;
use wire::Delivery;

use super::Driver;
use crate::storage::{Kept, StorageError};

/// A delivery with a piece of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Its provider's number of it.
    number: u64,
    /// When it was taken from the link.
    t: Time,
}

type Outcome = (Vec<Arrival>, Result<Vec<Kept>, StorageError>);

pub(super) type Keep = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Waits for what is being kept. Only asked while there is something.
pub(super) async fn kept(keeping: &mut Option<Keep>) -> Outcome {
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
        let (mut fragments, mut arrivals) = (Vec::new(), Vec::new());
        for Delivery { number, identifier, payload } in deliveries {
            let t = clock::now();
            let outputs = self.engine.deliver(t, &identifier, &payload);
            let before = fragments.len();
            fragments.extend(self.carry_out(outputs));
            if fragments.len() > before {
                arrivals.push(Arrival { number, t });
            } else {
                self.confirm(number);
            }
        }
        match &self.storage {
            Some(storage) if !fragments.is_empty() => {
                let storage = storage.clone();
                let keep = async move { (arrivals, storage.keep(fragments).await) };
                self.keeping = Some(keep.boxed());
            }
            Some(_) => {}
            // Somebody sent a message to one of a crowd.
            None => arrivals.into_iter().for_each(|arrival| self.confirm(arrival.number)),
        }
    }

    fn confirm(&self, number: u64) {
        // An error means that the link is just ending; the packet comes again.
        let _ = self.confirmations.try_send(number);
    }

    /// A batch of pieces was written, or could not be.
    pub(super) fn kept(&mut self, arrivals: Vec<Arrival>, kept: Result<Vec<Kept>, StorageError>) {
        let kept = match kept {
            Ok(kept) => kept,
            Err(error) => {
                // Full means that one is waiting already.
                let _ = self.lost.try_send(error.to_string());
                return;
            }
        };
        for arrival in &arrivals {
            self.confirm(arrival.number);
        }
        // Of each delivery there is one piece.
        for (Arrival { t, .. }, kept) in arrivals.into_iter().zip(kept) {
            match kept {
                Kept::Incomplete => {}
                Kept::Duplicate => self.engine.count_drop("duplicate"),
                Kept::Malformed => self.engine.count_drop("malformed"),
                Kept::Complete { message, content, .. } => {
                    // The disk is no part of the way: two recipients at the same distance should not
                    // seem to be at different ones. What is told is on it all the same.
                    self.report_of(t, message, MessageStage::Received { content });
                }
            }
        }
    }
}
