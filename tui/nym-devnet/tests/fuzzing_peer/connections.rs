//! Connections that carry no frames and no requests: garbage, beginnings, and nothing at all.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use wire::WireProfile;

use crate::common::limit;

/// How long to wait for a connection. Where all places are taken nobody answers.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Attempts to connect that are underway at once. Where no place is left each takes its whole time.
const MAX_CONNECTING: usize = 2500;

/// Other attacks of a kind that are underway at once.
const MAX_UNDERWAY: usize = 256;

/// The longest garbage: more than a node reads at once.
const MAX_GARBAGE: usize = 40_000;

/// How long a node may take to hang up, from when it has places again.
const HANG_UP_SECONDS: u64 = 20;

/// Connects; none if nobody answers in time.
pub(crate) async fn connect(to: SocketAddr) -> Option<TcpStream> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(to)).await.ok()?.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// Connections so far.
#[derive(Debug, Default)]
pub(crate) struct Connected {
    /// On which the mixnode has read something that is no frame.
    pub(crate) malformed_at_mixnode: AtomicU64,
    /// The same at the provider.
    pub(crate) malformed_at_provider: AtomicU64,
    /// Held open, with a place or waiting for one.
    pub(crate) held: AtomicU64,
    /// Which nobody answered.
    pub(crate) unanswered: AtomicU64,
}

/// A moment by which everything that was begun has to have an end: while all places are taken nobody
/// can tell an attack that waits from one that is not answered.
pub(crate) async fn too_late(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(limit(HANG_UP_SECONDS)).await;
}

/// Garbage for a port that takes packets. Such a node hangs up, and counts it.
pub(crate) async fn garbage(
    rng: &mut StdRng,
    to: SocketAddr,
    counted: &AtomicU64,
    stop: &CancellationToken,
) {
    let Some(mut stream) = connect(to).await else { return };
    let mut bytes = vec![0; rng.random_range(1..MAX_GARBAGE)];
    rng.fill_bytes(&mut bytes);
    if bytes[0] == WireProfile::CURRENT.flag {
        bytes[0] ^= 1;
    }
    let length = bytes.len();
    let hung_up = async {
        // It may have hung up before the last byte.
        let _ = stream.write_all(&bytes).await;
        while let Ok(1..) = stream.read(&mut bytes).await {}
    };
    tokio::select! {
        () = hung_up => {}
        () = too_late(stop) => panic!("garbage of {length} bytes is listened to"),
    }
    counted.fetch_add(1, Ordering::Relaxed);
}

/// Half a frame, then silence until `stop`.
pub(crate) async fn half_frame(rng: &mut StdRng, to: SocketAddr, stop: &CancellationToken) {
    let Some(mut stream) = connect(to).await else { return };
    let mut bytes = vec![0; rng.random_range(1..WireProfile::CURRENT.packet_bytes())];
    rng.fill_bytes(&mut bytes);
    bytes[0] = WireProfile::CURRENT.flag;
    if stream.write_all(&bytes).await.is_ok() {
        let silence = Duration::from_millis(rng.random_range(0..20_000));
        drop(timeout(silence, stop.cancelled()).await);
    }
    end_abruptly(&stream, rng.random());
}

/// Anything for a port that takes clients: garbage, the beginning of a request, one that drips in.
pub(crate) async fn nonsense(rng: &mut StdRng, to: SocketAddr, stop: &CancellationToken) {
    const REQUESTS: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        b"GET / HTTP/1.1\r\nOrigin: https://example.com\r\nUpgrade: websocket\r\n\r\n",
        b"POST /api/presence HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
        b"\x00\x01kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
        b"\x01\x00kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkktttttttttttttttttttttttttttttttt",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    let Some(mut stream) = connect(to).await else { return };
    let mut garbage = vec![0; rng.random_range(1..MAX_GARBAGE)];
    rng.fill_bytes(&mut garbage);
    let request = REQUESTS[rng.random_range(0..REQUESTS.len())];
    let attack = async {
        match rng.random_range(0..4) {
            0 => stream.write_all(&garbage).await?,
            1 => stream.write_all(&request[..rng.random_range(0..request.len())]).await?,
            2 => {
                for byte in request {
                    stream.write_all(&[*byte]).await?;
                    sleep(Duration::from_millis(rng.random_range(1..300))).await;
                }
            }
            _ => {
                stream.write_all(request).await?;
                stream.write_all(&garbage).await?;
            }
        }
        // Whatever the answer is, until it hangs up.
        while stream.read(&mut garbage).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::select! {
        // It may hang up at any moment, and should.
        _ = attack => {}
        () = stop.cancelled() => {}
    }
    end_abruptly(&stream, rng.random());
}

/// Opens so many connections, sends nothing on them, and holds them until `stop`. `all_tried` is
/// cancelled when there are as many as there will be.
pub(crate) async fn hold(
    count: usize,
    to: SocketAddr,
    connected: &Connected,
    all_tried: CancellationToken,
    stop: &CancellationToken,
) {
    let mut held = Vec::new();
    let mut connecting = JoinSet::new();
    let mut left = count;
    while left > 0 || !connecting.is_empty() {
        if left > 0 && connecting.len() < MAX_CONNECTING {
            left -= 1;
            connecting.spawn(connect(to));
            continue;
        }
        tokio::select! {
            tried = connecting.join_next() => match tried {
                Some(Ok(Some(stream))) => {
                    connected.held.fetch_add(1, Ordering::Relaxed);
                    held.push(stream);
                }
                _ => drop(connected.unanswered.fetch_add(1, Ordering::Relaxed)),
            },
            () = stop.cancelled() => break,
        }
    }
    all_tried.cancel();
    stop.cancelled().await;
    for stream in &held {
        end_abruptly(stream, true);
    }
}

/// A connection that is closed by a reset leaves no trace: thousands of ports would be missed for a
/// minute otherwise.
fn end_abruptly(stream: &TcpStream, is_abrupt: bool) {
    if is_abrupt {
        // Whatever it says: the connection is of no use any more.
        drop(stream.set_zero_linger());
    }
}

/// Does something so many times a second, several at once, until `stop`; then waits for what is
/// underway.
pub(crate) async fn again_and_again<F>(
    per_second: u32,
    stop: CancellationToken,
    mut attack: impl FnMut() -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    let mut underway = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick(), if underway.len() < MAX_UNDERWAY => drop(underway.spawn(attack())),
            Some(done) = underway.join_next() => done.expect("an attack does not fail"),
            () = stop.cancelled() => break,
        }
    }
    while let Some(done) = underway.join_next().await {
        done.expect("an attack does not fail");
    }
}
