//! A real directory beside the program.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use directory_api::{MixNodeReport, Topology};
use directory_client::DirectoryClient;
use directory_server::Options;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::deadline;

/// Served by a thread of its own.
pub(crate) struct Directory {
    url: String,
    runtime: Handle,
    shutdown: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Directory {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let handle = runtime.handle().clone();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        let thread = thread::spawn(move || {
            runtime.block_on(directory_server::run(listener, Options::default(), until));
        });
        let url = format!("http://{address}");
        Self { url, runtime: handle, shutdown, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Lists a mixnode that somebody else runs.
    pub(crate) fn list(&self, mixnode: MixNodeReport) {
        self.ask(|client| async move {
            client.announce_mixnode(&mixnode).await.expect("it is taken");
        });
    }

    /// Waits until the topology is like that.
    pub(crate) fn topology(&self, is_like: fn(&Topology) -> bool) -> Topology {
        self.ask(|client| async move {
            loop {
                let topology = client.topology().await.expect("an answer");
                if is_like(&topology) {
                    return topology;
                }
                tokio::task::yield_now().await;
            }
        })
    }

    /// Has this done in the directory's thread, within the deadline.
    fn ask<F, T>(&self, ask: impl FnOnce(DirectoryClient) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let asked = ask(DirectoryClient::new(&self.url).expect("its address"));
        let (sender, answer) = mpsc::channel();
        self.runtime.spawn(async move {
            let _ = sender.send(timeout(deadline(), asked).await);
        });
        answer.recv().expect("the directory runs").expect("within the deadline")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has failed the test already.
            let _ = thread.join();
        }
    }
}
