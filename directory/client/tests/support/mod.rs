//! A real directory that can be stopped and started again, and deadlines for what should come.

use std::net::SocketAddr;
use std::time::Duration;

use directory_api::MixNodeReport;
use directory_client::DirectoryClient;
use directory_server::Options;
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
    task: JoinHandle<()>,
}

impl Directory {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address")).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let run = directory_server::run(listener, Options::default(), shutdown.clone());
        Self { address, shutdown, task: tokio::spawn(run) }
    }

    pub(crate) fn client(&self) -> DirectoryClient {
        DirectoryClient::new(&format!("http://{}", self.address)).expect("a client")
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        soon(self.task).await.expect("no panic");
    }
}

pub(crate) fn mixnode(key: &str) -> MixNodeReport {
    MixNodeReport {
        host: "127.0.0.1:1789".into(),
        pub_key: key.into(),
        version: "0.1.0".into(),
        location: "mix-1-1".into(),
        layer: 1,
    }
}
