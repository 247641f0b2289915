//! The plain TCP of v0.5: register, and pull five entries at a time. The bytes are in [`wire`],
//! `docs/provider.md` has examples.
//!
//! The protocol has no receipt. The original deleted what it had written to the socket; here the
//! client's next pull is the receipt, if it comes on the same connection as the answer, or after that
//! connection was closed in good order.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use wire::{PULL_ENTRIES, PublicKey, PullError, PullRequest, encode_pull_answer};

use super::accounts::{self, Access};
use super::handed_out::Connection;
use super::lobby::Ticket;
use super::{Shared, content};
use crate::{MailboxError, Protocol};

/// Bytes that are read at once, as in the original, which took whatever one read gave for a request.
const READ_BYTES: usize = 1024;

/// How long a connection may be silent between two requests. The originals' clients made a new
/// connection for each.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// How long the rest of a request may take. The original did not wait for it at all.
const REQUEST_LIMIT: Duration = Duration::from_millis(250);

/// How long a client may take to read an answer: 10 kB, which fits into the socket's buffers.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What is the answer to an address whose client has proven its key. No token opens it.
const PROVEN: &str = "the address is registered with a proof of its key";

/// The answer to a request.
struct Reply {
    bytes: Vec<u8>,
    /// What is handed out with it.
    packets: Option<Packets>,
}

/// The oldest packets of a client.
struct Packets {
    client: PublicKey,
    /// The number of the last; 0 if there is none.
    up_to: u64,
    /// Bytes of each entry.
    sizes: Vec<usize>,
}

impl Shared {
    /// Answers requests until the client closes its side, or is silent for too long.
    pub(super) async fn serve_pulls(
        &self,
        stream: TcpStream,
        ticket: &mut Ticket<'_>,
    ) -> io::Result<()> {
        let connection = Connection::new(stream);
        let mut buffer = [0; READ_BYTES];
        // Whose packets were in the last answer.
        let mut answered: Option<PublicKey> = None;
        loop {
            let Ok(length) = timeout(IDLE_LIMIT, connection.read(&mut buffer)).await else {
                return Ok(());
            };
            let length = length?;
            if length == 0 {
                // Noted before the client sees the end of the connection, and can pull again.
                if let Some(client) = &answered {
                    self.handed_out.arrived(client, &connection);
                }
                return Ok(());
            }
            let request = read_request(&connection, &mut buffer, length).await?;
            if let Some(PullRequest::Pull { .. }) = request
                && let Some(client) = answered.take()
            {
                self.handed_out.arrived(&client, &connection);
            }
            let reply = match request {
                Some(request) => self.reply(request).await,
                None => Err(PullError::InvalidRequest),
            };
            let reply =
                reply.unwrap_or_else(|error| Reply { bytes: error.encode(), packets: None });
            timeout(ANSWER_LIMIT, connection.write(&reply.bytes)).await??;
            // HTTP begins with the name of a method. A web page can make its browser ask here; it
            // chooses what follows the head, which must not be taken for a request.
            if buffer[0].is_ascii_uppercase() {
                return Ok(());
            }
            // On one machine, a client that is gone is known to be by now.
            connection.check()?;
            if let Some(Packets { client, up_to, sizes }) = reply.packets {
                for bytes in sizes {
                    self.online.record(&client, bytes);
                }
                if up_to > 0 {
                    self.handed_out.wrote(client, up_to, &connection);
                    answered = Some(client);
                }
            }
            ticket.renew();
        }
    }

    async fn reply(&self, request: PullRequest) -> Result<Reply, PullError> {
        match request {
            PullRequest::Register { address } => self.register(address).await,
            PullRequest::Pull { address, token } => {
                if !self.tokens.is_right(&address, &token) {
                    return Err(PullError::InvalidToken);
                }
                self.pull(address).await
            }
        }
    }

    async fn register(&self, client: PublicKey) -> Result<Reply, PullError> {
        let faithful = self.rules.faithful;
        let access = self
            .storage
            .write(move |batch| accounts::register(batch, &client, Protocol::Tcp, faithful));
        match access.await.map_err(|error| cannot(&error))? {
            Access::Proven => Err(PullError::Io(PROVEN.into())),
            Access::Open | Access::Unknown => {
                Ok(Reply { bytes: self.tokens.of(&client).0.to_vec(), packets: None })
            }
        }
    }

    /// Hands out what waits; what the client has of it is deleted before.
    async fn pull(&self, client: PublicKey) -> Result<Reply, PullError> {
        let faithful = self.rules.faithful;
        let taken = self.handed_out.take(&client);
        let pulled = self.storage.write(move |batch| {
            if accounts::access(batch, &client, faithful) != Access::Open {
                return Ok(None);
            }
            let deleted = if taken > 0 { batch.confirm_up_to(&client, taken)? } else { 0 };
            Ok(Some((deleted, batch.waiting(&client, 0, PULL_ENTRIES)?)))
        });
        let pulled = pulled.await.map_err(|error| cannot(&error))?;
        let (deleted, waiting) = pulled.ok_or(PullError::InvalidToken)?;
        self.online.add_delivered(deleted);
        let entries: Vec<&[u8]> =
            waiting.iter().map(|delivery| content(&delivery.payload)).collect();
        let bytes = encode_pull_answer(&entries, self.rules.pad);
        let up_to = waiting.last().map_or(0, |delivery| delivery.number);
        let sizes = entries.iter().map(|entry| entry.len()).collect();
        Ok(Reply { bytes, packets: Some(Packets { client, up_to, sizes }) })
    }
}

fn cannot(error: &MailboxError) -> PullError {
    PullError::Io(error.to_string())
}

/// The request that begins with what was read; nothing if it is none.
async fn read_request(
    connection: &Connection,
    buffer: &mut [u8; READ_BYTES],
    mut length: usize,
) -> io::Result<Option<PullRequest>> {
    let until = Instant::now() + REQUEST_LIMIT;
    loop {
        match PullRequest::decode(&buffer[..length]) {
            Ok(Some(request)) => return Ok(Some(request)),
            Err(_) => return Ok(None),
            Ok(None) => {}
        }
        // The beginning of a request is shorter than the buffer.
        match timeout_at(until, connection.read(&mut buffer[length..])).await {
            Ok(Ok(0)) | Err(_) => return Ok(None),
            Ok(more) => length += more?,
        }
    }
}
