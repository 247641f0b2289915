//! What tests of a running mixnode share: a directory, and how long they wait.

use std::time::Duration;

use directory_client::DirectoryClient;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long anything may take; a slow machine stretches it.
pub(crate) fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(30).mul_f64(factor)
}

/// A directory in this process.
pub(crate) async fn directory() -> DirectoryClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let options = directory_server::Options::default();
    tokio::spawn(directory_server::run(listener, options, CancellationToken::new()));
    DirectoryClient::new(&url).expect("an address")
}
