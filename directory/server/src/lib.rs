//! The directory: nodes announce themselves here, and everyone learns the topology.
//!
//! [`Registry`] is the directory's knowledge, an engine without sockets and clock. [`run`] puts
//! HTTP and websockets around it: the routes that v0.5.0 and v0.7.0 of the Nym directory had, with
//! the same JSON, and two of our own: `POST /api/presence/leave` and `/ws/events`.

mod clock;
mod fields;
mod host;
mod hub;
pub mod limits;
mod list;
mod registry;
mod reports;
mod routes;
mod socket;
mod windows;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use directory_api::LATE_AFTER;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use limits::Refusal;
pub use registry::{Now, Registry};

use crate::hub::Hub;
use crate::routes::App;

/// How long requests underway and websockets that say goodbye may take when the directory stops.
const GRACE: Duration = Duration::from_secs(1);

/// What can be set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Origins whose web pages may write and subscribe, besides those of loopback: each as a
    /// browser sends it, such as `https://lab.example` or `null`.
    pub allowed_origins: Vec<String>,
}

/// Why the directory stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listening socket cannot be used.
    #[error("cannot serve the directory")]
    Serve(#[source] io::Error),
}

/// Serves the directory until `shutdown` is cancelled.
pub async fn run(
    listener: TcpListener,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let hub = Hub::new();
    let sockets = TaskTracker::new();
    let app = App {
        hub: Arc::clone(&hub),
        options: Arc::new(options),
        sockets: sockets.clone(),
        shutdown: shutdown.clone(),
    };
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(target: "directory", "cannot set TCP_NODELAY: {error}");
        }
    });
    let service = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let stop = shutdown.clone().cancelled_owned();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop);
    let mut serving = std::pin::pin!(serving.into_future());
    tokio::select! {
        result = &mut serving => return result.map_err(Error::Serve),
        () = expire(&hub) => {}
        () = shutdown.cancelled() => {}
    }
    // Who has not finished by then is cut off.
    sockets.close();
    let finished = timeout(GRACE, async { tokio::join!(serving, sockets.wait()).0 });
    finished.await.unwrap_or(Ok(())).map_err(Error::Serve)
}

/// Keeps the registry up to date while nobody asks.
async fn expire(hub: &Hub) {
    loop {
        // A node that announces itself meanwhile is due no earlier than this.
        let latest = Instant::now() + LATE_AFTER;
        let wake = hub.expire();
        sleep_until(wake.map_or(latest, |wake| wake.min(latest))).await;
    }
}
