//! Register and pull of v0.5.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{
    DUMMY_ENTRY, PADDED_ANSWER_BYTES, PublicKey, PullRequest, TOKEN_BYTES, Token,
    decode_pull_answer,
};

use crate::provider::{Home, Provider, client, payload, soon};

/// What the original answered, one line each: what was asked, ` -> `, the answer.
const RECORDED: &str = include_str!("recorded/v0.5.0-pull.txt");

/// Asks as the original's client does: one connection for a request, its own side closed behind it,
/// the answer read to its end.
pub(crate) async fn ask(provider: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(provider).await.expect("connects");
    stream.write_all(request).await.expect("written");
    stream.shutdown().await.expect("closed");
    let mut answer = Vec::new();
    soon("an answer", stream.read_to_end(&mut answer)).await.expect("read");
    answer
}

/// Asks on a connection that stays open, and reads so much.
async fn ask_on(stream: &mut TcpStream, request: &[u8], length: usize) -> Vec<u8> {
    stream.write_all(request).await.expect("written");
    let mut answer = vec![0; length];
    soon("an answer", stream.read_exact(&mut answer)).await.expect("read");
    answer
}

pub(crate) fn register_request(client: PublicKey) -> Vec<u8> {
    PullRequest::Register { address: client }.encode()
}

pub(crate) fn pull_request(client: PublicKey, token: &[u8]) -> Vec<u8> {
    let token = Token(token.try_into().expect("a token"));
    PullRequest::Pull { address: client, token }.encode()
}

pub(crate) async fn register(provider: &Provider, client: PublicKey) -> Vec<u8> {
    let token = ask(provider.clients, &register_request(client)).await;
    assert_eq!(token.len(), TOKEN_BYTES, "{}", String::from_utf8_lossy(&token));
    token
}

/// What a pull brings, without the dummies.
async fn pull(provider: &Provider, client: PublicKey, token: &[u8]) -> Vec<Vec<u8>> {
    let answer = ask(provider.clients, &pull_request(client, token)).await;
    entries(&answer)
}

fn entries(answer: &[u8]) -> Vec<Vec<u8>> {
    let entries = decode_pull_answer(answer).expect("an answer");
    assert_eq!(entries.len(), 5);
    entries.into_iter().filter(|entry| *entry != DUMMY_ENTRY).map(<[u8]>::to_vec).collect()
}

fn texts(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(|number| format!("message {number}").into_bytes()).collect()
}

fn store(home: &Home, client: PublicKey, count: usize) {
    home.store(client, texts(0..count).iter().map(|text| payload(text)));
}

#[tokio::test]
async fn every_recorded_answer_of_the_original_is_given() {
    let provider = Provider::start("").await;
    let alice = client(3);
    let token = register(&provider, alice).await;
    let good = pull_request(alice, &token);
    let mut connection = TcpStream::connect(provider.clients).await.expect("connects");
    for line in RECORDED.lines() {
        let (asked, expected) = line.split_once(" -> ").expect("two parts");
        let expected = expected.split(" (").next().expect("the answer");
        let request = match asked {
            "register 0001||32-byte address" => {
                assert_eq!(expected, "32 raw bytes");
                continue;
            }
            "register again, same address" => {
                assert_eq!(expected, "same token: True");
                assert_eq!(register(&provider, alice).await, token);
                continue;
            }
            "pull 0100||address||token"
            | "same connection, 1st pull"
            | "same connection, 2nd pull" => good.clone(),
            "pull, wrong token" => pull_request(alice, &[9; 32]),
            "pull, unknown address" => pull_request(client(4), &token),
            "pull, 1 byte short" => good[..65].to_vec(),
            "register, 1 byte long" => [register_request(alice), vec![0]].concat(),
            "unknown prefix 0202" => [vec![2, 2], vec![0; 32]].concat(),
            "single byte" => vec![0],
            "2 requests in one write" => good.repeat(2),
            other => panic!("nothing asks `{other}`"),
        };
        let expected = match expected.strip_prefix("0005") {
            Some(_) => (0..expected.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&expected[at..at + 2], 16).expect("hex"))
                .collect(),
            None => expected.as_bytes().to_vec(),
        };
        // All of them on one connection, and each as the original's client would.
        assert_eq!(ask_on(&mut connection, &request, expected.len()).await, expected, "{asked}");
        assert_eq!(ask(provider.clients, &request).await, expected, "{asked}");
    }
    connection.shutdown().await.expect("closed");
    let mut rest = Vec::new();
    soon("the end", connection.read_to_end(&mut rest)).await.expect("read");
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn what_waits_comes_in_order_and_is_deleted_by_the_pull_after() {
    let (home, alice) = (Home::new(), client(3));
    store(&home, alice, 7);
    let noise = vec![7; 2048];
    home.store(alice, [noise.clone()]);
    let provider = Provider::start_in(home, "").await;
    let token = register(&provider, alice).await;
    assert_eq!(pull(&provider, alice, &token).await, texts(0..5));
    // A provider that is killed now has deleted nothing, and its tokens stay good.
    let home = provider.stop().await;
    assert_eq!(home.waiting_for(alice), 8);
    let provider = Provider::start_in(home, "").await;
    assert_eq!(pull(&provider, alice, &token).await, texts(0..5), "no pull came after it");
    // What no sender put together is given as it is.
    let rest = [texts(5..7), vec![noise]].concat();
    assert_eq!(pull(&provider, alice, &token).await, rest);
    provider.deliver(alice, &[b"one more"]).await;
    provider.mailbox(|mailbox| mailbox.stored == 1).await;
    assert_eq!(pull(&provider, alice, &token).await, [b"one more"]);
    assert!(pull(&provider, alice, &token).await.is_empty());
    provider.mailbox(|mailbox| mailbox.delivered == 9 && mailbox.waiting == 0).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_given_again() {
    let (home, alice) = (Home::new(), client(3));
    home.store(alice, (0..6).map(|number| vec![number; 2048]));
    let provider = Provider::start_in(home, "").await;
    let token = register(&provider, alice).await;
    let first: Vec<_> = (0..5).map(|number| vec![number; 2048]).collect();
    for read in [0, 1, 5000] {
        let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
        stream.write_all(&pull_request(alice, &token)).await.expect("written");
        // All of it is here, and the client goes before it has taken it.
        stream.readable().await.expect("an answer");
        let mut part = vec![0; read];
        soon("a part", stream.read_exact(&mut part)).await.expect("read");
        drop(stream);
    }
    // It closed its own side and is gone before the answer comes.
    let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
    stream.write_all(&pull_request(alice, &token)).await.expect("written");
    stream.shutdown().await.expect("closed");
    drop(stream);
    assert_eq!(pull(&provider, alice, &token).await, first);
    assert_eq!(pull(&provider, alice, &token).await, [vec![5; 2048]]);
}

#[tokio::test]
async fn an_answer_that_is_under_way_elsewhere_is_given_again_and_outlives_its_connection() {
    let (home, alice) = (Home::new(), client(3));
    home.store(alice, (0..15).map(|number| vec![number; 2048]));
    let provider = Provider::start_in(home, "").await;
    let token = register(&provider, alice).await;
    let request = pull_request(alice, &token);
    let packets =
        |range: std::ops::Range<u8>| -> Vec<_> { range.map(|number| vec![number; 2048]).collect() };
    let pull_on = async |stream: &mut TcpStream| {
        entries(&ask_on(stream, &request, PADDED_ANSWER_BYTES).await)
    };
    // It has its answer, and does not read it.
    let mut unread = TcpStream::connect(provider.clients).await.expect("connects");
    unread.write_all(&request).await.expect("written");
    soon("an answer", unread.readable()).await.expect("an answer");
    let mut other = TcpStream::connect(provider.clients).await.expect("connects");
    assert_eq!(pull_on(&mut other).await, packets(0..5), "the same");
    // With what it has not read it cannot be closed in good order; nor does the other one say that
    // it has its own.
    drop(unread);
    let mut third = TcpStream::connect(provider.clients).await.expect("connects");
    assert_eq!(pull_on(&mut third).await, packets(0..5), "both may have lost them");
    // The next one on the same connection is a receipt, whatever becomes of the others.
    assert_eq!(pull_on(&mut third).await, packets(5..10));
    assert_eq!(pull_on(&mut other).await, packets(5..10), "the third may lose them");
    // So is a connection's end in good order.
    drop(third);
    assert_eq!(pull_on(&mut other).await, packets(10..15));
    drop(other);
    assert!(pull(&provider, alice, &token).await.is_empty());
}

#[tokio::test]
async fn a_request_in_pieces_is_one_request_and_half_a_one_is_none() {
    let provider = Provider::start("").await;
    let alice = client(3);
    let request = register_request(alice);
    let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
    stream.set_nodelay(true).expect("set");
    for byte in &request {
        stream.write_all(&[*byte]).await.expect("written");
        tokio::task::yield_now().await;
    }
    let mut token = [0; 32];
    soon("a token", stream.read_exact(&mut token)).await.expect("read");
    assert_eq!(token.to_vec(), register(&provider, alice).await);
    assert_eq!(ask(provider.clients, &request[..33]).await, b"InvalidRequest");
    // The rest never comes, and the connection is still good for another request.
    let answer = ask_on(&mut stream, &request[..20], 14).await;
    assert_eq!(answer, b"InvalidRequest");
    assert_eq!(ask_on(&mut stream, &request, 32).await, token);
}

#[tokio::test]
async fn a_padded_answer_has_one_length_whatever_waits() {
    let (home, alice) = (Home::new(), client(3));
    home.store(alice, (0..5).map(|_| vec![7; 2048]));
    store(&home, alice, 6);
    let provider = Provider::start_in(home, "--pad").await;
    let token = register(&provider, alice).await;
    let mut brought = Vec::new();
    for _ in 0..4 {
        let answer = ask(provider.clients, &pull_request(alice, &token)).await;
        assert_eq!(answer.len(), PADDED_ANSWER_BYTES);
        brought.push(entries(&answer).len());
    }
    assert_eq!(brought, [5, 5, 1, 0]);
    assert_eq!(ask(provider.clients, &pull_request(alice, &[0; 32])).await, b"InvalidToken");
}
