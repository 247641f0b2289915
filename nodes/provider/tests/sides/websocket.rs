//! A websocket client that does nothing by itself: it does not answer pings.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::provider::soon;

/// A frame of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With its code; 0 for none.
    Close(u16),
    /// The connection is gone.
    End,
}

pub(crate) struct Socket(pub(crate) TcpStream);

impl Socket {
    /// A connection that has been made a websocket.
    pub(crate) async fn open(address: SocketAddr, headers: &[&str]) -> Self {
        let (socket, head) = Self::ask(address, headers).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let wanted: Vec<_> = headers.iter().filter(|h| h.contains("-Protocol:")).collect();
        assert_eq!(head.to_lowercase().contains("sec-websocket-protocol"), !wanted.is_empty());
        socket
    }

    /// A connection on which a websocket was asked for, and the head of the answer.
    pub(crate) async fn ask(address: SocketAddr, headers: &[&str]) -> (Self, String) {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let own = headers.join("\r\n");
        let own = if own.is_empty() { own } else { own + "\r\n" };
        let request = format!(
            "GET /any/path HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{own}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match soon("the head of an answer", stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        (Self(stream), String::from_utf8(head).expect("text"))
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.send(1, text.as_bytes()).await;
    }

    pub(crate) async fn binary(&mut self, bytes: &[u8]) {
        self.send(2, bytes).await;
    }

    pub(crate) async fn pong(&mut self, bytes: &[u8]) {
        self.send(10, bytes).await;
    }

    pub(crate) async fn close(&mut self) {
        self.send(8, &[]).await;
    }

    async fn send(&mut self, opcode: u8, bytes: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match u8::try_from(bytes.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 0x7e);
                frame.extend(u16::try_from(bytes.len()).expect("not that long").to_be_bytes());
            }
        }
        // A mask of zeros changes nothing.
        frame.extend([0; 4]);
        frame.extend(bytes);
        // Who was closed hears it from what is read.
        let _ = self.0.write_all(&frame).await;
    }

    pub(crate) async fn next(&mut self) -> Frame {
        soon("a frame", self.read()).await.unwrap_or(Frame::End)
    }

    async fn read(&mut self) -> std::io::Result<Frame> {
        let opcode = self.0.read_u8().await? & 0x0f;
        let length = match self.0.read_u8().await? {
            126 => u64::from(self.0.read_u16().await?),
            127 => self.0.read_u64().await?,
            length => u64::from(length),
        };
        let mut bytes = vec![0; usize::try_from(length).expect("fits")];
        self.0.read_exact(&mut bytes).await?;
        Ok(match opcode {
            1 => Frame::Text(String::from_utf8(bytes).expect("text")),
            2 => Frame::Binary(bytes),
            8 => Frame::Close(bytes.first_chunk().map_or(0, |code| u16::from_be_bytes(*code))),
            9 => Frame::Ping(bytes),
            10 => Frame::Pong(bytes),
            other => panic!("a frame of kind {other}"),
        })
    }

    /// The next frame, which is text.
    pub(crate) async fn next_text(&mut self) -> String {
        match self.next().await {
            Frame::Text(text) => text,
            other => panic!("{other:?} instead of text"),
        }
    }

    /// Asks and takes the answer.
    pub(crate) async fn say(&mut self, text: &str) -> String {
        self.text(text).await;
        self.next_text().await
    }

    /// What is pushed until so many packets came, and the pings behind them.
    pub(crate) async fn pushed(&mut self, count: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut packets, mut pings) = (Vec::new(), Vec::new());
        while packets.len() < count {
            match self.next().await {
                Frame::Binary(bytes) => packets.push(bytes),
                Frame::Ping(bytes) => pings.push(bytes),
                other => panic!("{other:?} instead of a packet"),
            }
        }
        (packets, pings)
    }
}
