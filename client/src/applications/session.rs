//! What an application on a websocket asked, and what is pushed to it: one answer after the other in
//! the order of the requests, and between them messages and what became of those it sent.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use wire::MessageId;

use super::answer::{Answer, Fetched, Form, json_bytes, push_frame};
use super::claims::Claim;
use super::handshake::Generation;
use super::request::Request;
use super::websocket::{End, Sink, write};
use super::{Applications, Refusal, off_thread};
use crate::asks::{Accepted, Fate, NewMessage};
use crate::storage::Received;

/// Messages of a connection of which it waits to hear what became of them. Each costs some hundred
/// bytes, and a client sends as many in minutes.
pub(super) const MAX_UNCONFIRMED: usize = 4096;

/// What stands around a message in the envelope form: three ids and the names of the fields.
const ENVELOPE_BYTES: usize = 256;

/// A connection's state.
pub(super) struct Session {
    applications: Applications,
    generation: Generation,
    /// That of its last send.
    form: Form,
    /// Whether it asked for the envelope form.
    envelope: bool,
    /// Messages for it, from the moment it connected.
    pushes: BoxStream<'static, Result<Received, Refusal>>,
    /// Pushes wait for the first answer: a program that asks for its address takes the first frame for
    /// the answer.
    answered: bool,
    /// Messages that it has fetched and that are still to come among the pushes.
    fetched: BTreeSet<u64>,
    fates: FuturesUnordered<BoxFuture<'static, Option<(MessageId, Fate)>>>,
}

/// A request is carried out.
struct Done {
    answer: Answer,
    then: Then,
}

/// What follows an answer.
enum Then {
    Nothing,
    /// Pushes are in the envelope form, or no longer.
    Envelope(bool),
    /// Pushes are of this form. What becomes of the message is still to be told, if there is somebody
    /// who will know.
    Sent(Form, Option<(MessageId, oneshot::Receiver<Fate>)>),
    /// The answer has these messages.
    Fetched(Claim),
}

impl Session {
    pub(super) fn new(applications: Applications, generation: Generation) -> Self {
        let pushes = match generation {
            Generation::Fetching => futures_util::stream::pending().boxed(),
            Generation::Pushed => applications.pushes().boxed(),
        };
        Self {
            applications,
            generation,
            form: Form::default(),
            envelope: false,
            pushes,
            answered: false,
            fetched: BTreeSet::new(),
            fates: FuturesUnordered::new(),
        }
    }

    /// Serves the application until it goes. What it has still asked then is done, unheard.
    pub(super) async fn run(
        &mut self,
        sink: &mut Sink,
        mut frames: mpsc::Receiver<Message>,
    ) -> Result<(), End> {
        let ended = self.serve(sink, &mut frames).await;
        if let Err(End::Socket(_)) = &ended {
            while let Some(frame) = frames.recv().await {
                // Nobody hears the answer.
                let _ = self.carry_out(frame)?.await;
            }
        }
        ended
    }

    async fn serve(
        &mut self,
        sink: &mut Sink,
        frames: &mut mpsc::Receiver<Message>,
    ) -> Result<(), End> {
        let mut current: Option<JoinHandle<Result<Done, Refusal>>> = None;
        loop {
            let is_idle = current.is_none();
            let done = async {
                match &mut current {
                    Some(current) => current.await.unwrap_or(Err(Refusal::Stopping)),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                done = done => {
                    current = None;
                    self.answer(sink, done?).await?;
                }
                frame = frames.recv(), if is_idle => match frame {
                    Some(frame) => current = Some(self.carry_out(frame)?),
                    None => return Ok(()),
                },
                Some(fate) = self.fates.next() => {
                    // None: the client ends, and goes on with the message when it is back.
                    if let Some((message, fate)) = fate {
                        write(sink, Answer::confirm(message, fate).frame()).await?;
                    }
                }
                Some(received) = self.pushes.next(), if self.answered => {
                    self.push(sink, received?).await?;
                }
            }
        }
    }

    /// Writes an answer, and does what follows.
    async fn answer(&mut self, sink: &mut Sink, done: Done) -> Result<(), End> {
        let Done { answer, then } = done;
        let bytes = answer.message_bytes();
        let frame = off_thread(bytes, move || answer.frame()).await.ok_or(Refusal::Stopping)?;
        write(sink, frame).await?;
        self.answered = true;
        match then {
            Then::Nothing => {}
            Then::Envelope(on) => self.envelope = on,
            Then::Sent(form, confirm) => {
                self.form = form;
                if let Some((message, fate)) = confirm {
                    self.fates.push(fate.map(move |fate| Some((message, fate.ok()?))).boxed());
                }
            }
            Then::Fetched(claim) => {
                if self.generation == Generation::Pushed {
                    self.fetched.extend(claim.numbers());
                }
                self.applications.taken(claim).await?;
            }
        }
        Ok(())
    }

    async fn push(&mut self, sink: &mut Sink, received: Received) -> Result<(), End> {
        let number = received.number;
        let has_it = self.fetched.contains(&number);
        // Those before it come no more.
        self.fetched = self.fetched.split_off(&(number + 1));
        if has_it {
            return Ok(());
        }
        let form = self.form();
        let frame = off_thread(received.data.len(), move || push_frame(received, form)).await;
        write(sink, frame.ok_or(Refusal::Stopping)?).await?;
        self.applications.pushed(number).await?;
        Ok(())
    }

    fn form(&self) -> Form {
        if self.envelope { Form::Envelope } else { self.form }
    }

    /// Begins to carry out what a frame asks, in a task of its own: this one may have to wait until the
    /// application reads something.
    fn carry_out(&self, frame: Message) -> Result<JoinHandle<Result<Done, Refusal>>, End> {
        if self.generation == Generation::Fetching && frame.is_binary() {
            return Err(End::Binary);
        }
        let work = Work {
            applications: self.applications.clone(),
            generation: self.generation,
            form: self.form(),
            may_confirm: self.fates.len() < MAX_UNCONFIRMED,
        };
        Ok(tokio::spawn(work.carry_out(frame)))
    }
}

/// A request that is being carried out.
struct Work {
    applications: Applications,
    generation: Generation,
    /// In which messages are given.
    form: Form,
    may_confirm: bool,
}

impl Work {
    /// The answer is an error if the request cannot be carried out; there is none only if the client
    /// ends.
    async fn carry_out(self, frame: Message) -> Result<Done, Refusal> {
        let form = if frame.is_text() { Form::Text } else { Form::Binary };
        let bytes = frame.len();
        let parse = move || match frame {
            Message::Text(text) => Request::from_text(&text),
            other => Request::from_binary(&other.into_data()),
        };
        let parsed = off_thread(bytes, parse).await.ok_or(Refusal::Stopping)?;
        let nothing = |answer| Ok(Done { answer, then: Then::Nothing });
        let request = match parsed {
            Ok(request) => request,
            Err(error) => return nothing(Answer::error(&error)),
        };
        let done = match request {
            Request::Send { message, extended } => {
                let answer = |id| Answer::Send { id: extended.then_some(id) };
                return self.send(message, form, answer).await;
            }
            Request::Reply { message } => {
                return self.send(message, form, |id| Answer::Reply { id }).await;
            }
            Request::Fetch => return self.fetch().await,
            Request::Envelope { on } => {
                return Ok(Done { answer: Answer::Envelope { on }, then: Then::Envelope(on) });
            }
            Request::GetClients => self.clients().await,
            Request::SelfAddress => self
                .applications
                .address()
                .await
                .map(|address| Answer::SelfAddress { address: address.to_string() }),
            Request::OwnDetails => {
                Ok(Answer::OwnDetails { address: self.applications.public_key.to_string() })
            }
        };
        nothing(done.unwrap_or_else(|refusal| Answer::error(&refusal)))
    }

    async fn send(
        self,
        message: NewMessage,
        form: Form,
        answer: impl FnOnce(String) -> Answer,
    ) -> Result<Done, Refusal> {
        if message.confirm && !self.may_confirm {
            let text = format!(
                "{MAX_UNCONFIRMED} messages of this connection wait for their confirmation; try \
                 again when some are confirmed, or send without `confirm`"
            );
            return Ok(Done { answer: Answer::error(&text), then: Then::Sent(form, None) });
        }
        Ok(match self.applications.send(message).await {
            Ok(Accepted { message, fate }) => Done {
                answer: answer(message.to_string()),
                then: Then::Sent(form, fate.map(|fate| (message, fate))),
            },
            Err(refusal) => Done { answer: Answer::error(&refusal), then: Then::Sent(form, None) },
        })
    }

    async fn fetch(self) -> Result<Done, Refusal> {
        let form = self.form;
        let around = if form == Form::Envelope { ENVELOPE_BYTES } else { 64 };
        let bytes_of = |received: &Received| Some(json_bytes(&received.data) + around);
        Ok(match self.applications.hand_out(0, bytes_of).await {
            Ok(out) => {
                let messages = out.messages.into_iter();
                let messages = messages.map(|received| Fetched { received, form }).collect();
                Done { answer: Answer::Fetch { messages }, then: Then::Fetched(out.claim) }
            }
            Err(refusal) => Done { answer: Answer::error(&refusal), then: Then::Nothing },
        })
    }

    /// Each generation gets the addresses that it knows: keys, or keys with their providers.
    async fn clients(&self) -> Result<Answer, Refusal> {
        let clients = self.applications.clients().await?;
        let text = |address: &wire::ClientAddress| match self.generation {
            Generation::Fetching => address.client.to_string(),
            Generation::Pushed => address.to_string(),
        };
        Ok(Answer::GetClients { clients: clients.iter().map(text).collect() })
    }
}
