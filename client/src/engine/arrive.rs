//! What arriving packets mean.

use contract::Time;
use sphinx::{open, recover_plaintext};
use wire::{Fragment, Identifier, Kind, MessageId, NodeAddress, Plaintext};

use super::{Client, Output, PURPOSE, Probe};

impl Client {
    /// Takes a packet that the provider delivered.
    pub fn deliver(&mut self, now: Time, identifier: &Identifier, payload: &[u8]) -> Vec<Output> {
        self.received += 1;
        // Only what was sent as data has zeros in front. An acknowledgement is noise.
        let Some(plaintext) = recover_plaintext(payload) else {
            return self.take_ack(now, identifier);
        };
        let Some((fragment, block)) = self.open(identifier, plaintext) else {
            self.count_drop("malformed");
            return Vec::new();
        };
        match fragment.kind {
            Kind::LoopCover => self.take_cover(now, fragment.message).into_iter().collect(),
            Kind::Message | Kind::MessageWithReplies => vec![Output::Received { fragment, block }],
        }
    }

    /// Opens what is sealed to this client, or to the key of a reply block that it made.
    fn open(
        &self,
        identifier: &Identifier,
        plaintext: &[u8],
    ) -> Option<(Fragment, Option<Identifier>)> {
        let sealed = Plaintext::decode(plaintext).ok()?.sealed;
        let (opened, block) = match open(&self.key, PURPOSE, &sealed) {
            Ok(opened) => (opened, None),
            Err(_) => {
                let key = self.key.reply_key(identifier);
                (open(&key, PURPOSE, &sealed).ok()?, Some(*identifier))
            }
        };
        Some((Fragment::decode(&opened).ok()?, block))
    }

    fn take_ack(&mut self, now: Time, identifier: &Identifier) -> Vec<Output> {
        let Self { outbox, health, .. } = self;
        let answered = |mixnodes: &[NodeAddress]| health.answered(now, mixnodes);
        if let Some(acknowledged) = outbox.acknowledge(identifier, answered) {
            self.counters.acks_returned += 1;
            let (message, fragment) = (acknowledged.message, acknowledged.index);
            let mut outputs = vec![Output::Acknowledged { message, fragment }];
            if acknowledged.finished {
                outputs.push(Output::Finished { message });
            }
            return outputs;
        }
        if self.cover_acks.remove(identifier).is_some() {
            self.counters.acks_returned += 1;
        } else {
            self.count_drop("unknown-ack");
        }
        Vec::new()
    }

    fn take_cover(&mut self, now: Time, cover: MessageId) -> Option<Output> {
        match self.probe {
            Probe::Underway { id, sent } if id == cover => {
                self.probe = Probe::Returned;
                Some(Output::Ready { took: now.saturating_since(sent) })
            }
            _ => {
                self.counters.loops_returned += 1;
                None
            }
        }
    }
}
