//! An application on the websocket of a client.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// More than the longest message as a frame.
const MAX_FRAME_BYTES: usize = 64 << 20;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Address of the websocket for applications, of a node in `status`.
pub(crate) fn app_url(node: &Value) -> String {
    format!("ws://{}/", node["addresses"]["app"].as_str().expect("an address"))
}

pub(crate) async fn connect(url: &str) -> Socket {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    connect_async_with_config(url, Some(config), false).await.expect("connects").0
}

/// Sends a request and takes the next frame for its answer.
pub(crate) async fn ask(socket: &mut Socket, request: Value) -> Value {
    socket.send(Message::text(request.to_string())).await.expect("sent");
    serde_json::from_str(&next(socket).await).expect("JSON")
}

/// The next text.
pub(crate) async fn next(socket: &mut Socket) -> String {
    let frame = socket.next().await.expect("not closed").expect("no error");
    frame.into_text().expect("text").to_string()
}
