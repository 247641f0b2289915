//! `nym-devnet.v1`: proof of the client's key, then deliveries and confirmations. The frames are in
//! [`wire`], `docs/provider.md` has examples.

use futures_util::StreamExt;
use rand::RngExt;
use sphinx::seal;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use wire::{
    CHALLENGE_PURPOSE, ClientMessage, Delivery, MAX_CONFIRMATIONS, NONCE_BYTES, ProviderMessage,
    PublicKey, confirmed,
};

use super::lobby::Ticket;
use super::online::Login;
use super::websocket::{HANDSHAKE_TIMEOUT, Pulse, SessionError, Socket, send_json};
use super::{Shared, accounts};

impl Shared {
    /// Serves a client until its connection ends.
    pub(super) async fn serve_v1(
        &self,
        socket: &mut Socket,
        ticket: &mut Ticket<'_>,
    ) -> Result<(), SessionError> {
        let proven = timeout(HANDSHAKE_TIMEOUT, self.prove(socket)).await;
        let client = proven.unwrap_or(Err(SessionError::Handshake))?;
        ticket.leave();
        let waiting =
            self.storage.write(move |batch| accounts::register_proven(batch, &client)).await?;
        // After the account is closed for those who prove nothing: whoever of them is logged in
        // goes now, and nobody comes after.
        let login = self.online.take_over(client);
        send_json(socket, &ProviderMessage::Registered { waiting }).await?;
        tracing::info!("client {client} connected");
        let result = self.deliver(socket, &login).await;
        tracing::info!("client {client} disconnected");
        result
    }

    /// Lets a client prove its key; returns it.
    async fn prove(&self, socket: &mut Socket) -> Result<PublicKey, SessionError> {
        let expected = "a `hello` with the client's key";
        let ClientMessage::Hello { key } = receive(socket, expected).await? else {
            return Err(SessionError::Unexpected { expected });
        };
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let purpose = [CHALLENGE_PURPOSE, self.own_key.as_bytes()].concat();
        let sealed = seal(&mut rand::rng(), &key, &purpose, &nonce)?;
        let sealed = wire::encode_base58(&sealed);
        send_json(socket, &ProviderMessage::Challenge { sealed }).await?;

        let expected = "a `prove` with the opened nonce";
        let ClientMessage::Prove { nonce: proof } = receive(socket, expected).await? else {
            return Err(SessionError::Unexpected { expected });
        };
        // The nonce is used once, so that the time of this comparison tells nothing of use.
        if proof != wire::encode_base58(&nonce) {
            return Err(SessionError::NotProven);
        }
        Ok(key)
    }

    /// Delivers packets as they come, until the connection ends.
    async fn deliver(&self, socket: &mut Socket, login: &Login<'_>) -> Result<(), SessionError> {
        let mut sent_up_to = 0;
        let mut unconfirmed = 0;
        let mut pulse = Pulse::new();
        // What waits from before this connection.
        login.look_again();
        loop {
            tokio::select! {
                () = login.replaced() => return Err(SessionError::Replaced),
                () = login.news(), if unconfirmed < MAX_CONFIRMATIONS => {
                    let limit = MAX_CONFIRMATIONS - unconfirmed;
                    let sent = self.push(socket, login, sent_up_to, limit, Delivery::encode).await?;
                    sent_up_to = sent.last().copied().unwrap_or(sent_up_to);
                    unconfirmed += sent.len();
                }
                message = socket.next() => {
                    pulse.heard();
                    match message.ok_or(SessionError::Closed)?? {
                        Message::Binary(bytes) => {
                            let numbers = confirmed(&bytes)?;
                            unconfirmed = unconfirmed.saturating_sub(numbers.len());
                            let deleted = self.storage.confirm(login.client(), numbers).await?;
                            self.online.add_delivered(deleted);
                            login.look_again();
                        }
                        Message::Close(_) => return Err(SessionError::Closed),
                        Message::Text(_) => {
                            return Err(SessionError::Unexpected { expected: "confirmations" });
                        }
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                () = pulse.due() => pulse.ping(socket, Vec::new()).await?,
            }
        }
    }
}

async fn receive(
    socket: &mut Socket,
    expected: &'static str,
) -> Result<ClientMessage, SessionError> {
    loop {
        match socket.next().await.ok_or(SessionError::Closed)?? {
            Message::Text(text) => {
                return serde_json::from_str(&text)
                    .map_err(|_| SessionError::Unexpected { expected });
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Close(_) => return Err(SessionError::Closed),
            Message::Binary(_) => return Err(SessionError::Unexpected { expected }),
        }
    }
}
