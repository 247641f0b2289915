//! The websocket of v0.7: register or authenticate, then forward packets into the mixnet and take
//! what is pushed. The frames are in [`wire`], `docs/provider.md` has examples.
//!
//! The originals deleted what they had pushed at once. Here a ping goes behind it, and what was
//! pushed is deleted when its pong comes back: websockets keep frames in order, and every library
//! answers pings by itself.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt;
use runtime::{Place, clock};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use wire::{
    Forward, GatewayAnswer, GatewayError, GatewayRequest, PublicKey, decode_address, decode_token,
};

use super::accounts::{self, Access};
use super::lobby::Ticket;
use super::online::Login;
use super::websocket::{Pulse, SessionError, Socket, send_json};
use super::{Shared, content};
use crate::Protocol;

/// How long a client may take to log in; perhaps a person types it.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);

/// Packets that are read from the mailbox and pushed at once.
const PUSH_BATCH: usize = 256;

/// Most packets that are pushed ahead of pongs: what a mailbox holds, so that all that waits is pushed
/// at login even to a client that answers no pings.
const MAX_UNANSWERED: usize = 10_000;

impl Shared {
    /// Serves a client until its connection ends.
    pub(super) async fn serve_gateway(
        &self,
        socket: &mut Socket,
        ticket: &mut Ticket<'_>,
    ) -> Result<(), SessionError> {
        let login = timeout(LOGIN_LIMIT, self.log_in(socket)).await;
        let login = login.unwrap_or(Err(SessionError::NoLogin))?;
        ticket.leave();
        let client = login.client();
        tracing::info!("client {client} connected");
        let result = self.carry(socket, &login).await;
        tracing::info!("client {client} disconnected");
        result
    }

    /// Answers until a client has logged in.
    async fn log_in(&self, socket: &mut Socket) -> Result<Login<'_>, SessionError> {
        loop {
            let answer = match socket.next().await.ok_or(SessionError::Closed)?? {
                Message::Text(text) => match self.try_login(&text).await {
                    Ok((login, answer)) => {
                        send_json(socket, &answer).await?;
                        return Ok(login);
                    }
                    Err(answer) => answer,
                },
                Message::Binary(_) => GatewayError::NotAuthenticated.into(),
                Message::Close(_) => return Err(SessionError::Closed),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            send_json(socket, &answer).await?;
        }
    }

    /// The login of a client with the answer to it, or the answer alone.
    async fn try_login(&self, text: &str) -> Result<(Login<'_>, GatewayAnswer), GatewayAnswer> {
        match GatewayRequest::decode(text)? {
            GatewayRequest::Register { address } => {
                let client = decode_address(&address)?;
                let (login, _) = self.enter(client, true).await?;
                Ok((login, GatewayAnswer::registered(&self.tokens.of(&client))))
            }
            GatewayRequest::Authenticate { address, token } => {
                let client = decode_address(&address)?;
                let token = decode_token(&token)?;
                if !self.tokens.is_right(&client, &token) {
                    return Err(GatewayAnswer::Authenticate { status: false });
                }
                let (login, access) = self.enter(client, false).await?;
                if access == Access::Unknown {
                    return Err(GatewayAnswer::Authenticate { status: false });
                }
                Ok((login, GatewayAnswer::Authenticate { status: true }))
            }
        }
    }

    /// Logs a client in whose address and token are right.
    async fn enter(
        &self,
        client: PublicKey,
        register: bool,
    ) -> Result<(Login<'_>, Access), GatewayError> {
        // Logged in before its account is looked at: should the key be proven meanwhile, either the
        // account is found closed or this login is replaced.
        let login = self.online.take_if_free(client).ok_or(GatewayError::Failure)?;
        let faithful = self.rules.faithful;
        let access = self.storage.write(move |batch| {
            if register {
                accounts::register(batch, &client, Protocol::Websocket, faithful)
            } else {
                Ok(accounts::access(batch, &client, faithful))
            }
        });
        match access.await {
            Ok(Access::Proven) => Err(GatewayError::Proven),
            Ok(access) => Ok((login, access)),
            Err(error) => {
                tracing::warn!("client {client} cannot log in: {error}");
                Err(GatewayError::Failure)
            }
        }
    }

    /// Pushes packets as they come and forwards others, until the connection ends.
    async fn carry(&self, socket: &mut Socket, login: &Login<'_>) -> Result<(), SessionError> {
        let mut sent_up_to = 0;
        // Numbers of packets whose pong has not come, the oldest first.
        let mut unanswered = VecDeque::new();
        let mut pulse = Pulse::new();
        // What waits from before this connection.
        login.look_again();
        loop {
            tokio::select! {
                () = login.replaced() => return Err(SessionError::Replaced),
                () = login.news(), if unanswered.len() < MAX_UNANSWERED => {
                    let limit = PUSH_BATCH.min(MAX_UNANSWERED - unanswered.len());
                    let frame = |delivery: &wire::Delivery| content(&delivery.payload).to_vec();
                    let sent = self.push(socket, login, sent_up_to, limit, frame).await?;
                    if let Some(last) = sent.last() {
                        sent_up_to = *last;
                        pulse.ping(socket, sent_up_to.to_be_bytes().to_vec()).await?;
                        // There may be more than one batch.
                        login.look_again();
                    }
                    unanswered.extend(sent);
                }
                message = socket.next() => {
                    pulse.heard();
                    let answer = match message.ok_or(SessionError::Closed)?? {
                        Message::Binary(bytes) => self.forward(&bytes),
                        Message::Text(_) => GatewayError::InvalidRequest.into(),
                        Message::Pong(content) => {
                            self.answered(login, &mut unanswered, &content).await?;
                            continue;
                        }
                        Message::Close(_) => return Err(SessionError::Closed),
                        Message::Ping(_) | Message::Frame(_) => continue,
                    };
                    send_json(socket, &answer).await?;
                }
                () = pulse.due() => {
                    pulse.ping(socket, sent_up_to.to_be_bytes().to_vec()).await?;
                }
            }
        }
    }

    /// A pong came: the client has everything that was pushed in front of its ping.
    async fn answered(
        &self,
        login: &Login<'_>,
        unanswered: &mut VecDeque<u64>,
        content: &[u8],
    ) -> Result<(), SessionError> {
        // Any other pong was not asked for, which is allowed and means nothing.
        let Ok(up_to) = content.try_into().map(u64::from_be_bytes) else { return Ok(()) };
        let count = unanswered.partition_point(|number| *number <= up_to);
        if count > 0 {
            let (client, faithful) = (login.client(), self.rules.faithful);
            let numbers: Vec<u64> = unanswered.drain(..count).collect();
            let deleted = self
                .storage
                .write(move |batch| accounts::confirm(batch, &client, &numbers, faithful));
            self.online.add_delivered(deleted.await?);
        }
        Ok(())
    }

    /// Sends a client's packet into the mixnet.
    ///
    /// Its first hop must be a mixnode of layer 1: a client must not be able to make a provider
    /// connect to any address it likes.
    fn forward(&self, bytes: &[u8]) -> GatewayAnswer {
        let forward = match Forward::decode(self.rules.profile, bytes) {
            Ok(forward) => forward,
            Err(error) => return error.into(),
        };
        let to = forward.first_hop;
        let is_layer_one = {
            let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            places.is(clock::now(), to.0, Place::Layer(1))
        };
        if !is_layer_one {
            return GatewayError::NotLayerOne(to).into();
        }
        self.links.send(to, forward.packet);
        GatewayAnswer::Send { status: true }
    }
}
