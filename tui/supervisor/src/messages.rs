//! Messages on their way: joins what the sender's and the recipient's process say about each.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use contract::{Content, MessageEvent, MessageStage, Time};
use control::{MessageState, MessageStatus, PREVIEW_BYTES, PacketStatus, ReceivedMessage};

use crate::clock::Moment;
use crate::names::Names;

/// Messages that are remembered …
const MAX_MESSAGES: usize = 1000;

/// … and packets of all of them together: a message of a megabyte has 660, one of 16 has 10 559.
const MAX_PACKETS: usize = 20_000;

/// The most packets that one message can have, a little more than [`contract::MAX_MESSAGE_BYTES`]
/// needs. A number beyond this is not believed.
const MAX_FRAGMENTS: u32 = 11_000;

/// Arrivals of messages that their sender has not reported yet: the two reports come through two
/// pipes, so either can be read first.
const MAX_EARLY: usize = 64;

/// The messages that the devnet knows.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_id: HashMap<String, Tracked>,
    /// Oldest first.
    order: VecDeque<String>,
    packets: usize,
    early: VecDeque<(String, Time)>,
    /// Have changed since they were last [taken](Self::take_changed).
    changed: BTreeSet<String>,
}

#[derive(Debug)]
struct Tracked {
    status: MessageStatus,
    accepted: Time,
    /// The recipient is of this devnet, so its process will report the arrival.
    arrival_is_seen: bool,
    shown: Option<MessageState>,
}

impl Messages {
    /// Takes in what a process said about a message; gives back what a client received.
    pub(crate) fn handle(
        &mut self,
        at: Moment,
        node: &str,
        event: MessageEvent,
        names: &Names,
    ) -> Option<ReceivedMessage> {
        let MessageEvent { t, message: id, stage } = event;
        match stage {
            MessageStage::Accepted { to, content, fragments } => {
                self.accept(at, node, &id, t, &to, content, fragments, names);
            }
            MessageStage::Received { content } => {
                if let Some(tracked) = self.by_id.get_mut(&id) {
                    tracked.name_recipient(names);
                    tracked.delivered(t);
                    self.changed.insert(id.clone());
                } else {
                    self.early.push_back((id.clone(), t));
                    self.early.drain(..self.early.len().saturating_sub(MAX_EARLY));
                }
                let unix_ms = at.unix_ms_at(t);
                return Some(ReceivedMessage { client: node.into(), id, unix_ms, content });
            }
            MessageStage::Sent { fragment, attempt, route, .. } => {
                self.change(&id, |tracked| tracked.sent(t, fragment, attempt, &route, names));
            }
            MessageStage::Acknowledged { fragment, .. } => {
                self.change(&id, |tracked| tracked.acknowledged(t, fragment));
            }
            MessageStage::Failed { reason } => {
                self.change(&id, |tracked| tracked.failed(reason));
            }
        }
        None
    }

    /// The messages, oldest first.
    pub(crate) fn all(&self) -> Vec<MessageStatus> {
        self.order
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .map(|tracked| tracked.status.clone())
            .collect()
    }

    /// One message.
    pub(crate) fn get(&self, id: &str) -> Option<&MessageStatus> {
        self.by_id.get(id).map(|tracked| &tracked.status)
    }

    /// Whether something has changed and was not [taken](Self::take_changed).
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// How many packets these messages have.
    pub(crate) fn changed_packets(&self) -> usize {
        let changed = self.changed.iter().filter_map(|id| self.get(id));
        changed.map(|status| status.packets.len()).sum()
    }

    /// The messages that have changed: of all steps, or only those that came to another state. A
    /// long message has thousands of steps, and each would repeat the whole status.
    pub(crate) fn take_changed(&mut self, all: bool) -> Vec<MessageStatus> {
        let mut taken = Vec::new();
        let by_id = &mut self.by_id;
        self.changed.retain(|id| {
            let Some(tracked) = by_id.get_mut(id) else { return false };
            let take = all || tracked.shown != Some(tracked.status.state);
            if take {
                tracked.shown = Some(tracked.status.state);
                taken.push(tracked.status.clone());
            }
            !take
        });
        taken
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one event")]
    fn accept(
        &mut self,
        at: Moment,
        node: &str,
        id: &str,
        t: Time,
        to: &str,
        content: Content,
        fragments: u32,
        names: &Names,
    ) {
        if self.by_id.contains_key(id) {
            return;
        }
        let packets = usize::try_from(fragments.min(MAX_FRAGMENTS)).unwrap_or_default();
        let bytes = u64::try_from(content.byte_count()).unwrap_or(u64::MAX);
        let status = MessageStatus {
            id: id.into(),
            from: node.into(),
            to: names.name_or_self(to),
            content: beginning(content),
            bytes,
            state: MessageState::Queued,
            accepted_unix_ms: at.unix_ms_at(t),
            sent_ms: None,
            delivered_ms: None,
            acknowledged_ms: None,
            packets: vec![PacketStatus::default(); packets],
            error: None,
        };
        let arrival_is_seen = names.find(to).is_some();
        let mut tracked = Tracked { status, accepted: t, arrival_is_seen, shown: None };
        if let Some(index) = self.early.iter().position(|(early, _)| early == id)
            && let Some((_, arrived)) = self.early.remove(index)
        {
            tracked.delivered(arrived);
        }
        self.packets += packets;
        self.by_id.insert(id.into(), tracked);
        self.order.push_back(id.into());
        self.changed.insert(id.into());
        while self.order.len() > 1
            && (self.order.len() > MAX_MESSAGES || self.packets > MAX_PACKETS)
        {
            if let Some(oldest) = self.order.pop_front()
                && let Some(tracked) = self.by_id.remove(&oldest)
            {
                self.packets -= tracked.status.packets.len();
                self.changed.remove(&oldest);
            }
        }
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Tracked)) {
        if let Some(tracked) = self.by_id.get_mut(id) {
            change(tracked);
            self.changed.insert(id.into());
        }
    }
}

impl Tracked {
    /// A client that starts again with messages that it still has to send may tell of them before
    /// their recipient has said who it is.
    fn name_recipient(&mut self, names: &Names) {
        if let Some(name) = names.find(&self.status.to) {
            self.status.to = name.into();
            self.arrival_is_seen = true;
        }
    }

    fn sent(&mut self, t: Time, fragment: u32, attempt: u32, route: &[String], names: &Names) {
        self.name_recipient(names);
        let since = self.since(t);
        let status = &mut self.status;
        status.sent_ms.get_or_insert(since);
        status.state = status.state.max(MessageState::Sent);
        if let Some(packet) = packet(status, fragment)
            && attempt >= packet.attempts
        {
            packet.attempts = attempt;
            packet.route = route.iter().map(|hop| names.name_or_self(hop)).collect();
        }
    }

    fn acknowledged(&mut self, t: Time, fragment: u32) {
        if let Some(packet) = packet(&mut self.status, fragment) {
            packet.acknowledged = true;
        }
        if self.status.packets.iter().all(|packet| packet.acknowledged) {
            let since = self.since(t);
            self.status.acknowledged_ms.get_or_insert(since);
            self.complete();
        }
    }

    fn delivered(&mut self, t: Time) {
        let since = self.since(t);
        self.status.delivered_ms.get_or_insert(since);
        // It arrived after all, so the sender only missed the acknowledgements.
        self.status.error = None;
        if self.status.state == MessageState::Failed {
            self.status.state = MessageState::Delivered;
        }
        self.status.state = self.status.state.max(MessageState::Delivered);
        self.complete();
    }

    fn failed(&mut self, reason: String) {
        // What has arrived has not failed, whatever its sender missed.
        if self.status.delivered_ms.is_none() && self.status.state != MessageState::Acknowledged {
            self.status.state = MessageState::Failed;
            self.status.error = Some(reason);
        }
    }

    /// All packets acknowledged: done, once the recipient has it. Of a recipient that is not ours
    /// we only know what its provider says.
    fn complete(&mut self) {
        let arrived = self.status.delivered_ms.is_some() || !self.arrival_is_seen;
        if arrived && self.status.acknowledged_ms.is_some() {
            self.status.state = MessageState::Acknowledged;
            self.status.error = None;
        }
    }

    fn since(&self, t: Time) -> f64 {
        milliseconds(t.saturating_since(self.accepted))
    }
}

fn packet(status: &mut MessageStatus, fragment: u32) -> Option<&mut PacketStatus> {
    status.packets.get_mut(usize::try_from(fragment).ok()?)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.div_duration_f64(Duration::from_millis(1))
}

fn beginning(content: Content) -> Content {
    match content {
        Content::Text(mut text) => {
            let mut within = (0..=PREVIEW_BYTES.min(text.len())).rev();
            let end = within.find(|&end| text.is_char_boundary(end));
            text.truncate(end.unwrap_or_default());
            Content::Text(text)
        }
        // Four digits are three bytes, so this is still base64.
        Content::Base64(mut text) => {
            // Where this is no character boundary it is no base64 either, and stays as it is.
            if text.is_char_boundary(PREVIEW_BYTES / 3 * 4) {
                text.truncate(PREVIEW_BYTES / 3 * 4);
            }
            Content::Base64(text)
        }
        omitted @ Content::Omitted(_) => omitted,
    }
}

#[cfg(test)]
mod tests;
