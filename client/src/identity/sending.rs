//! Messages of an identity on their way into the journal, and from there into the engine.

use std::pin::Pin;

use contract::{Content, MessageStage};
use futures_util::FutureExt;
use rand::RngExt;
use runtime::clock;
use tokio::sync::oneshot;
use wire::{ClientAddress, FRAGMENT_DATA_BYTES, MessageId, fragment_count};

use super::Driver;
use crate::Composed;
use crate::asks::{Accepted, NewMessage, Recipient};
use crate::outbox::{Destination, Outgoing};
use crate::storage::Storage;

/// Who types a message is told how many packets it takes, by programs that do not know the wire.
const _: () = assert!(contract::MESSAGE_BYTES_PER_PACKET == FRAGMENT_DATA_BYTES);

type Answer = oneshot::Sender<Result<Accepted, String>>;

/// A message that can be written into the journal.
pub(super) struct Prepared {
    message: MessageId,
    to: To,
    composed: Composed,
    content: Content,
    confirm: bool,
}

/// A message that is being written into the journal.
pub(super) struct Accepting {
    prepared: Prepared,
    answer: Answer,
    /// Where it goes; none if it is underway already.
    kept: Result<Option<Destination>, String>,
    /// Whether this is the second time that it is written.
    again: bool,
}

pub(super) type Accept = Pin<Box<dyn Future<Output = Accepting> + Send>>;

impl Driver {
    /// Takes a message that is to be sent: it is written first.
    pub(super) fn take_message(&mut self, new: NewMessage, answer: Answer) {
        match self.prepare(new) {
            Ok((storage, prepared)) => self.write(storage, prepared, answer, false),
            // Whoever does not wait for the answer any more does not get it.
            Err(reason) => drop(answer.send(Err(reason))),
        }
    }

    fn write(&self, storage: Storage, prepared: Prepared, answer: Answer, again: bool) {
        let accept = async move {
            let kept = keep(&storage, &prepared).await;
            Accepting { prepared, answer, kept, again }
        };
        self.accepting.push(accept.boxed());
    }

    fn prepare(&mut self, new: NewMessage) -> Result<(Storage, Prepared), String> {
        let NewMessage { to, data, id, reply_blocks, confirm } = new;
        let storage = self.storage.clone().ok_or("a crowd sends no messages")?;
        if self.leaving {
            return Err("the client is stopping".into());
        }
        if confirm && !self.shared.settings.borrow().acks {
            return Err("this client asks for no acknowledgements, so it cannot tell".into());
        }
        let to = self.resolve(&to)?;
        let content = Content::from_slice(&data);
        let composed = self.engine.compose(&mut self.rng, data, reply_blocks);
        let composed = composed.map_err(|error| error.to_string())?;
        let message = id.unwrap_or_else(|| MessageId(self.rng.random()));
        Ok((storage, Prepared { message, to, composed, content, confirm }))
    }

    fn resolve(&self, to: &Recipient) -> Result<To, String> {
        match to {
            Recipient::Address(address) => Ok(To::Client(*address)),
            Recipient::Key(client) => {
                let network = self.shared.networks.borrow();
                let provider = network.provider_of(client);
                let provider = provider.map(|provider| provider.key).ok_or_else(|| {
                    format!(
                        "no provider in the directory has a client `{client}`; with its provider, \
                         `client@provider`, it can be reached all the same"
                    )
                })?;
                Ok(To::Client(ClientAddress { client: *client, provider }))
            }
            Recipient::SenderOf(message) => Ok(To::SenderOf(*message)),
        }
    }

    /// A message is in the journal, or could not be written.
    pub(super) fn accepted(&mut self, accepting: Accepting) {
        let Accepting { prepared, answer, kept, again } = accepting;
        // It was underway when this was written, and is done since: nobody will tell how it ended.
        let is_untold =
            prepared.confirm && kept == Ok(None) && !self.engine.is_underway(prepared.message);
        if let Some(storage) = self.storage.clone().filter(|_| is_untold && !again) {
            // It goes once more, and the recipient knows it.
            return self.write(storage, prepared, answer, true);
        }
        let Prepared { message, to, composed, content, confirm } = prepared;
        let Composed { kind, data, room, .. } = composed;
        self.engine.give_back(room);
        let destination = match kept {
            Ok(_) if is_untold => {
                let reason = "it was sent before, and how that ended cannot be told; try again";
                return drop(answer.send(Err(reason.into())));
            }
            Ok(destination) => destination,
            Err(reason) => return drop(answer.send(Err(reason))),
        };
        let fate = confirm.then(|| {
            let (sender, fate) = oneshot::channel();
            let waiting = self.fates.entry(message).or_default();
            if waiting.len() == waiting.capacity() {
                // Who asks again and again, each time on another connection, waits once.
                waiting.retain(|sender| !sender.is_closed());
            }
            waiting.push(sender);
            fate
        });
        // Nobody to tell is no reason not to send it: it is in the journal.
        let _ = answer.send(Ok(Accepted { message, fate }));
        // Otherwise it is underway: whoever sent it had not heard that.
        if let Some(to_whom) = destination {
            let to_send = Outgoing { message, to: to_whom, kind, data, acknowledged: Vec::new() };
            let Some(fragments) = self.engine.enqueue(clock::now(), to_send) else { return };
            let to = to.to_string();
            self.report(message, MessageStage::Accepted { to, content, fragments });
        }
    }
}

/// What there is to tell of a message that a former process has accepted.
pub(super) fn stage_of(outgoing: &Outgoing) -> impl FnOnce(u32) -> MessageStage + use<> {
    let to = match &outgoing.to {
        Destination::Address(address) => address.to_string(),
        Destination::Blocks(_) => "the sender of a message".to_owned(),
    };
    // What is in the journal was made by compose().
    let content = wire::Content::decode(outgoing.kind, &outgoing.data);
    let content = content.map_or(Content::Omitted(0), |content| Content::from_slice(content.bytes));
    |fragments| MessageStage::Accepted { to, content, fragments }
}

/// Where a message goes that is to be kept.
#[derive(Clone, Copy, Debug)]
enum To {
    Client(ClientAddress),
    SenderOf(MessageId),
}

impl std::fmt::Display for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(address) => address.fmt(f),
            Self::SenderOf(message) => write!(f, "the sender of {message}"),
        }
    }
}

/// Writes a message into the journal. None if it is there already.
async fn keep(storage: &Storage, prepared: &Prepared) -> Result<Option<Destination>, String> {
    let Prepared { message, to, composed, .. } = prepared;
    let Composed { kind, data, reply_identifiers, .. } = composed;
    let (message, kind) = (*message, *kind);
    let (data, identifiers) = (data.clone(), reply_identifiers.clone());
    match *to {
        To::Client(address) => {
            let new = storage.accept(message, kind, address, data, identifiers).await;
            let new = new.map_err(|error| error.to_string())?;
            Ok(new.then_some(Destination::Address(address)))
        }
        To::SenderOf(received) => {
            let packets = fragment_count(data.len()).expect("compose() refuses longer ones");
            let blocks = storage.accept_reply(message, kind, received, data, packets, identifiers);
            let blocks = blocks.await.map_err(|error| error.to_string())?;
            Ok(blocks.map(|blocks| Destination::Blocks(blocks.into())))
        }
    }
}
