//! What was handed out over register and pull, and whether its client has it: only the end of the
//! connection tells, or another pull on it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::FutureExt;
use tokio::net::TcpStream;
use wire::PublicKey;

/// A connection that its own task reads, and at which the task of another pull may look. An error of
/// a socket is told once: whoever hears of it notes it for the other.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    broken: Mutex<bool>,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The client has closed its side, and nothing went wrong.
    Closed,
    Broken,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self { stream, broken: Mutex::new(false) })
    }

    /// Reads what is there; 0 if the client has closed its side, and nothing went wrong.
    pub(super) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.readable().await?;
            match self.noting(|stream| stream.try_read(into)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) if !into.is_empty() => return self.check().map(|()| 0),
                read => return read,
            }
        }
    }

    /// Writes all of it.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.noting(|stream| stream.try_write(bytes)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether it broke.
    pub(super) fn check(&self) -> io::Result<()> {
        self.noting(|stream| stream.take_error()?.map_or(Ok(()), Err))
    }

    /// Looks without waiting.
    fn phase(&self) -> Phase {
        if self.check().is_err() {
            return Phase::Broken;
        }
        let end = self.noting(|stream| match stream.peek(&mut [0]).now_or_never() {
            Some(Ok(0)) => Ok(Phase::Closed),
            // Nothing came, or the next request: its own task tells when it has all of it.
            None | Some(Ok(_)) => Ok(Phase::Open),
            Some(Err(error)) => Err(error),
        });
        end.unwrap_or(Phase::Broken)
    }

    /// Does something with the socket while nobody else does, and notes if it fails for good.
    fn noting<T>(&self, work: impl FnOnce(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if *broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let result = work(&self.stream);
        *broken = matches!(&result, Err(error) if error.kind() != io::ErrorKind::WouldBlock);
        result
    }
}

/// The answers of which it is not known whether their clients have them, and what is known since the
/// last pull. Forgotten with the process: then the last ones are given again, which loses nothing.
#[derive(Debug, Default)]
pub(super) struct HandedOut(Mutex<HashMap<PublicKey, Answers>>);

#[derive(Debug, Default)]
struct Answers {
    /// The client has all packets up to this number.
    over: u64,
    /// No more than there are connections: each has one at most.
    open: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    /// All packets up to this number were in it, or the client has them: each answer begins with the
    /// oldest.
    up_to: u64,
    connection: Weak<Connection>,
}

impl HandedOut {
    /// An answer was written to a connection.
    pub(super) fn wrote(&self, client: PublicKey, up_to: u64, connection: &Arc<Connection>) {
        let answer = Answer { up_to, connection: Arc::downgrade(connection) };
        self.lock().entry(client).or_default().open.push(answer);
    }

    /// A client has what was written to this connection for it: the next pull came on it, or its end.
    pub(super) fn arrived(&self, client: &PublicKey, connection: &Arc<Connection>) {
        let mut clients = self.lock();
        let Some(answers) = clients.get_mut(client) else { return };
        let Answers { over, open } = answers;
        open.retain(|answer| {
            let is_here = answer.connection.as_ptr() == Arc::as_ptr(connection);
            if is_here {
                *over = answer.up_to.max(*over);
            }
            !is_here
        });
    }

    /// A client pulls again: it has the packets up to this number. What is still under way on another
    /// connection does not count, nor what was on one that broke or that the provider gave up.
    pub(super) fn take(&self, client: &PublicKey) -> u64 {
        let mut clients = self.lock();
        let Some(Answers { mut over, mut open }) = clients.remove(client) else { return 0 };
        open.retain(|answer| {
            let phase = answer.connection.upgrade().map(|connection| connection.phase());
            // Its task may not know yet.
            if phase == Some(Phase::Closed) {
                over = answer.up_to.max(over);
            }
            phase == Some(Phase::Open)
        });
        if !open.is_empty() {
            clients.insert(*client, Answers { over: 0, open });
        }
        over
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PublicKey, Answers>> {
        // Nothing in here can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
