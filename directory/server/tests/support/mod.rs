//! A directory on a free loopback port, and deadlines for what should come.

use std::net::SocketAddr;
use std::time::Duration;

use directory_server::{Error, Options};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Waits for what should happen soon. `NYM_DEVNET_TEST_TIMEOUT_FACTOR` gives a slow machine more
/// time.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR");
    let factor: u32 = factor.ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let deadline = Duration::from_secs(10) * factor;
    tokio::time::timeout(deadline, future).await.expect("within the deadline")
}

pub(crate) struct Directory {
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Directory {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(directory_server::run(listener, options, shutdown.clone()));
        Self { address, shutdown, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        soon(self.task).await.expect("no panic").expect("no error");
    }
}
