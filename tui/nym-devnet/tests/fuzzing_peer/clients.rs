//! Clients of all three protocols that ask too much, say wrong things, never read or never confirm.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use sphinx::PrivateKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;
use wire::{
    ClientMessage, Forward, GatewayRequest, NodeAddress, PADDED_ANSWER_BYTES, PublicKey,
    PullRequest, SUBPROTOCOL, TOKEN_BYTES, Token, WireProfile, decode_pull_answer, encode_base58,
};

use crate::Network;
use crate::connections::{connect, too_late};

/// How many ask at once for what waits for one client.
const PULLS_AT_ONCE: usize = 8;

/// One attack of any kind.
pub(crate) async fn attack(mut rng: StdRng, network: Arc<Network>, stop: CancellationToken) {
    let attack = async {
        match rng.random_range(0..6) {
            0 => register(&mut rng, network.clients).await,
            1 => pull(&mut rng, network.clients).await,
            2 => pull_in_parallel(&mut rng, network.clients).await,
            3 => gateway(&mut rng, &network, &stop).await,
            4 => giant_frame(&mut rng, network.clients).await,
            _ => prove_wrongly(&mut rng, network.clients).await,
        }
    };
    tokio::select! {
        () = attack => {}
        () = too_late(&stop) => panic!("a provider does not answer, nor hang up"),
    }
}

fn any_key(rng: &mut StdRng) -> PublicKey {
    let mut bytes = [0; PublicKey::BYTES];
    rng.fill_bytes(&mut bytes);
    PublicKey::from_bytes(bytes)
}

/// What is answered to a request of v0.5, cut in two anywhere; none where nobody answers.
async fn ask(rng: &mut StdRng, to: SocketAddr, request: &PullRequest) -> Option<Vec<u8>> {
    let mut stream = connect(to).await?;
    let bytes = request.encode();
    let (first, second) = bytes.split_at(rng.random_range(0..bytes.len()));
    let mut answer = Vec::new();
    let asked = async {
        stream.write_all(first).await?;
        tokio::task::yield_now().await;
        stream.write_all(second).await?;
        stream.shutdown().await?;
        let most = PADDED_ANSWER_BYTES as u64 + 1;
        stream.take(most).read_to_end(&mut answer).await?;
        io::Result::Ok(())
    };
    // Whoever has no place may be hung up on.
    asked.await.ok()?;
    Some(answer)
}

/// One more account, as long as the provider takes any.
async fn register(rng: &mut StdRng, to: SocketAddr) {
    let request = PullRequest::Register { address: any_key(rng) };
    drop(ask(rng, to, &request).await);
}

/// A pull with a token that nobody was given.
async fn pull(rng: &mut StdRng, to: SocketAddr) {
    let token = Token(*any_key(rng).as_bytes());
    let request = PullRequest::Pull { address: any_key(rng), token };
    if let Some(answer) = ask(rng, to, &request).await {
        assert!(decode_pull_answer(&answer).is_err(), "a guessed token opens a mailbox");
    }
}

/// Pulls of one client at the same time, each of which has to be answered whole.
async fn pull_in_parallel(rng: &mut StdRng, to: SocketAddr) {
    let address = any_key(rng);
    let Some(answer) = ask(rng, to, &PullRequest::Register { address }).await else { return };
    let Ok(token) = <[u8; TOKEN_BYTES]>::try_from(answer) else { return };
    let request = PullRequest::Pull { address, token: Token(token) };
    let mut rngs: Vec<StdRng> = std::iter::repeat_with(|| rng.fork()).take(PULLS_AT_ONCE).collect();
    let pulls = rngs.iter_mut().map(|rng| ask(rng, to, &request));
    for answer in futures_util::future::join_all(pulls).await.into_iter().flatten() {
        let whole = decode_pull_answer(&answer);
        // This process may have been too slow with the second half of its request.
        let is_refused = answer.is_empty() || answer.starts_with(b"InvalidRequest");
        assert!(whole.is_ok() || is_refused, "{whole:?} in {} bytes", answer.len());
    }
}

/// A websocket with this subprotocol, or without one; none where nobody answers.
async fn websocket(
    to: SocketAddr,
    subprotocol: Option<&str>,
) -> Option<WebSocketStream<TcpStream>> {
    let mut request = format!("ws://{to}/").into_client_request().ok()?;
    if let Some(name) = subprotocol {
        let name = HeaderValue::from_str(name).ok()?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    Some(client_async(request, connect(to).await?).await.ok()?.0)
}

/// A client of v0.7 with requests in any order.
async fn gateway(rng: &mut StdRng, network: &Network, stop: &CancellationToken) {
    let Some(mut socket) = websocket(network.clients, None).await else { return };
    let address = any_key(rng).to_string();
    for _ in 0..rng.random_range(1..20) {
        let mut noise = vec![0; rng.random_range(0..5000)];
        rng.fill_bytes(&mut noise);
        let text = |request: &GatewayRequest| {
            Message::Text(serde_json::to_string(request).expect("a request is JSON").into())
        };
        let message = match rng.random_range(0..6) {
            0 => text(&GatewayRequest::Register { address: address.clone() }),
            1 => {
                let token = encode_base58(any_key(rng).as_bytes());
                text(&GatewayRequest::Authenticate { address: address.clone(), token })
            }
            2 => Message::Binary(noise.into()),
            3 => Message::Text(String::from_utf8_lossy(&noise).into_owned().into()),
            4 => {
                // Somewhere where no packets of clients may go.
                let first_hop = NodeAddress(([127, 0, 0, 1], rng.random()).into());
                noise.resize(WireProfile::CURRENT.packet_bytes(), 0);
                Message::Binary(Forward { first_hop, packet: &noise }.encode().into())
            }
            _ => Message::Ping(noise.into_iter().take(125).collect::<Vec<_>>().into()),
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
    // Reading or not, it is gone soon.
    if rng.random() {
        tokio::select! {
            _ = socket.next() => {}
            () = stop.cancelled() => {}
        }
    }
}

/// The head of a frame that promises more than anybody has.
async fn giant_frame(rng: &mut StdRng, to: SocketAddr) {
    let subprotocol = rng.random::<bool>().then_some(SUBPROTOCOL);
    let Some(socket) = websocket(to, subprotocol).await else { return };
    let mut stream = socket.into_inner();
    // More than any client may say at once: what is shorter is waited for.
    let length = 1_u64 << rng.random_range(15..64);
    let opcode = if rng.random() { 0x82 } else { 0x81 };
    let mut bytes = vec![opcode, 0xff];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.resize(bytes.len() + rng.random_range(4..20_000), 0x5a);
    if stream.write_all(&bytes).await.is_ok() {
        while let Ok(1..) = stream.read(&mut bytes).await {}
    }
}

/// Says whose mailbox it wants, and has no key for it.
async fn prove_wrongly(rng: &mut StdRng, to: SocketAddr) {
    let Some(mut socket) = websocket(to, Some(SUBPROTOCOL)).await else { return };
    let key = PrivateKey::random(rng).public();
    let hello = ClientMessage::Hello { key };
    let prove = ClientMessage::Prove { nonce: key.to_string() };
    for message in [hello, prove] {
        let text = serde_json::to_string(&message).expect("messages are JSON");
        if socket.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
    while let Some(Ok(message)) = socket.next().await {
        let text = message.to_text().unwrap_or_default();
        assert!(!text.contains("registered"), "a wrong proof is taken");
    }
}
