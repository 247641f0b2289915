//! Handing out what nobody has taken, for applications that ask: `fetch` of the websocket and of the
//! TCP socket.

use super::{Applications, Refusal};
use crate::applications::claims::Claim;
use crate::storage::Received;

/// Most messages in an answer. Who gets so many asks again.
pub(super) const MAX_FETCHED: usize = 1000;

/// Most bytes of the messages in an answer, as they are written there; the first may have more. Common
/// websocket libraries refuse more than a mebibyte unless they are told otherwise, and what they
/// refuse would be lost: some is left for what surrounds the messages.
pub(super) const MAX_FETCHED_BYTES: usize = (1 << 20) - (16 << 10);

/// What is handed out, and the claim on it.
pub(super) struct HandedOut {
    pub(super) messages: Vec<Received>,
    pub(super) claim: Claim,
    /// Up to this number all messages are taken by somebody, or do not fit into such answers.
    pub(super) left_up_to: u64,
}

impl Applications {
    /// The oldest messages after this number that nobody has taken. `bytes_of` says how many bytes a
    /// message takes in the answer; what cannot stand there at all stays where it is. They are
    /// claimed: call [`taken`](Self::taken) once the answer is written.
    pub(super) async fn hand_out(
        &self,
        mut after: u64,
        bytes_of: impl Fn(&Received) -> Option<usize>,
    ) -> Result<HandedOut, Refusal> {
        let mut out =
            HandedOut { messages: Vec::new(), claim: self.claims.begin(), left_up_to: after };
        let mut room = MAX_FETCHED_BYTES;
        let _gate = self.claims.gate().await;
        loop {
            let most = MAX_FETCHED - out.messages.len();
            let some = self.storage.untaken(after, room, most).await?;
            if some.is_empty() {
                return Ok(out);
            }
            for received in some {
                let number = received.number;
                let nothing_before = out.left_up_to == after;
                after = number;
                if self.claims.contain(number) {
                    continue;
                }
                let Some(bytes) = bytes_of(&received) else {
                    if nothing_before {
                        out.left_up_to = number;
                    }
                    continue;
                };
                if bytes > room && !out.messages.is_empty() {
                    return Ok(out);
                }
                room = room.saturating_sub(bytes);
                out.claim.add(number);
                out.messages.push(received);
            }
        }
    }

    /// An application has them.
    pub(super) async fn taken(&self, claim: Claim) -> Result<(), Refusal> {
        if claim.numbers().is_empty() {
            return Ok(());
        }
        let _gate = self.claims.gate().await;
        self.storage.take(claim.numbers().to_vec()).await?;
        // Behind the gate: whoever reads the inbox next finds them taken.
        drop(claim);
        Ok(())
    }

    /// An application was pushed this one.
    pub(super) async fn pushed(&self, number: u64) -> Result<(), Refusal> {
        Ok(self.storage.take(vec![number]).await?)
    }
}
