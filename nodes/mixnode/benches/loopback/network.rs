//! What a mixnode needs around it: a directory, and next hops that are listed there.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use directory_api::{MixNodeReport, PRESENCE_INTERVAL};
use directory_client::DirectoryClient;
use runtime::load_or_create;
use sphinx::PrivateKey;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wire::PublicKey;

/// Where packets go.
pub(crate) struct NextHop {
    pub(crate) address: SocketAddr,
    pub(crate) key: PublicKey,
    pub(crate) listener: TcpListener,
}

/// All but the node.
pub(crate) struct Network {
    pub(crate) directory: String,
    pub(crate) next_hops: Vec<NextHop>,
    key: PrivateKey,
    home: TempDir,
}

impl Network {
    /// A directory, next hops, and a folder with the key of the node.
    pub(crate) fn start(next_hops: u16) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let key = load_or_create(home.path(), "sphinx", &mut rand::rng()).expect("a key").key;
        let next_hops: Vec<NextHop> = (0..next_hops)
            .map(|_| {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                let address = listener.local_addr().expect("bound");
                let key = PrivateKey::random(&mut rand::rng()).public();
                NextHop { address, key, listener }
            })
            .collect();
        let reports = next_hops.iter().map(|next| MixNodeReport {
            host: next.address.to_string(),
            pub_key: next.key.to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer: 2,
        });
        let directory = start_directory(reports.collect());
        Self { directory, next_hops, key, home }
    }

    pub(crate) fn node_key(&self) -> &PrivateKey {
        &self.key
    }

    pub(crate) fn node_home(&self) -> &Path {
        self.home.path()
    }
}

/// Serves a directory, and announces these nodes there, until this program ends.
fn start_directory(reports: Vec<MixNodeReport>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let directory = DirectoryClient::new(&url).expect("an address");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            listener.set_nonblocking(true).expect("a socket can");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let options = directory_server::Options::default();
            tokio::spawn(directory_server::run(listener, options, CancellationToken::new()));
            let mut beats = tokio::time::interval(PRESENCE_INTERVAL);
            loop {
                beats.tick().await;
                for report in &reports {
                    directory.announce_mixnode(report).await.expect("it is taken");
                }
            }
        });
    });
    url
}
