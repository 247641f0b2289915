//! What arriving packets mean.

use contract::{PacketTrace, Time};
use runtime::digits;
use sphinx::{open, recover_plaintext};
use wire::{Fragment, Identifier, Kind, NodeAddress, Plaintext};

use super::{Client, Output, PURPOSE, Probe};
use crate::outbox::Acknowledged;

/// The word for noise with an identifier of which nothing is known: an acknowledgement that nobody waits
/// for any more, or a payload that was changed on its way. Nobody can tell the two apart.
const UNKNOWN_ACK: &str = "unknown-ack";

/// What a packet holds that is not an acknowledgement.
enum Opened {
    /// This client's own cover.
    Cover(Fragment),
    /// A piece of a message, and over which reply block it came.
    Piece { fragment: Fragment, block: Option<Identifier> },
}

impl Client {
    /// Takes a packet that the provider delivered.
    pub fn deliver(&mut self, now: Time, identifier: &Identifier, payload: &[u8]) -> Vec<Output> {
        self.received += 1;
        // Only what was sent as data has zeros in front. An acknowledgement is noise.
        let Some(plaintext) = recover_plaintext(payload) else {
            return self.take_ack(now, identifier);
        };
        match self.open(identifier, plaintext) {
            Some(Opened::Cover(cover)) => self.take_cover(now, &cover).into_iter().collect(),
            Some(Opened::Piece { fragment, block }) => {
                if let Some(traces) = &self.traces {
                    let message = fragment.message.to_string();
                    traces.push(PacketTrace::Opened { t: now, message, fragment: fragment.index });
                }
                vec![Output::Received { fragment, block }]
            }
            None => {
                self.count_drop("malformed");
                Vec::new()
            }
        }
    }

    /// Opens what is sealed by this client, to it, or to the key of a reply block that it made.
    fn open(&self, identifier: &Identifier, plaintext: &[u8]) -> Option<Opened> {
        let sealed = Plaintext::decode(plaintext).ok()?.sealed;
        if let Some(cover) = self.own_seal.open(&sealed) {
            return Some(Opened::Cover(Fragment::decode(&cover).ok()?));
        }
        let (opened, block) = if let Ok(opened) = open(&self.key, PURPOSE, &sealed) {
            (opened, None)
        } else {
            let key = self.key.reply_key(identifier);
            (open(&key, PURPOSE, &sealed).ok()?, Some(*identifier))
        };
        let fragment = Fragment::decode(&opened).ok()?;
        // Nobody else makes this client's cover.
        (fragment.kind != Kind::LoopCover).then_some(Opened::Piece { fragment, block })
    }

    fn take_ack(&mut self, now: Time, identifier: &Identifier) -> Vec<Output> {
        let Self { outbox, health, .. } = self;
        let answered = |mixnodes: &[NodeAddress]| health.answered(now, mixnodes);
        if let Some(acknowledged) = outbox.acknowledge(identifier, answered) {
            self.counters.acks_returned += 1;
            self.tell_noise(now, identifier, None);
            let Acknowledged { message, index: fragment, attempt, finished } = acknowledged;
            let mut outputs = vec![Output::Acknowledged { message, fragment, attempt }];
            if finished {
                outputs.push(Output::Finished { message });
            }
            return outputs;
        }
        if self.cover_acks.remove(identifier).is_some() {
            self.counters.acks_returned += 1;
            self.tell_noise(now, identifier, None);
        } else {
            self.count_drop(UNKNOWN_ACK);
            self.tell_noise(now, identifier, Some(UNKNOWN_ACK));
        }
        Vec::new()
    }

    /// A packet came whose payload is noise. Only where tracing is on.
    fn tell_noise(&self, t: Time, identifier: &Identifier, dropped: Option<&str>) {
        if let Some(traces) = &self.traces {
            let (identifier, dropped) = (digits(identifier), dropped.map(String::from));
            traces.push(PacketTrace::Noise { t, identifier, dropped });
        }
    }

    fn take_cover(&mut self, now: Time, cover: &Fragment) -> Option<Output> {
        match self.probe {
            Probe::Underway { id, sent } if id == cover.message => {
                self.probe = Probe::Returned;
                Some(Output::Ready { took: now.saturating_since(sent) })
            }
            _ => {
                self.counters.loops_returned += 1;
                if let Some(took) = self.transit(now, &cover.data) {
                    self.transits.add(took);
                }
                self.pings.returned(now, cover.message)
            }
        }
    }
}
