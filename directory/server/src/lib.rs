//! The directory: nodes announce themselves here, and everyone learns the topology.
//!
//! [`Registry`] is the directory's knowledge, an engine without sockets and clock. [`run`] puts
//! HTTP and websockets around it: the routes that v0.5.0 and v0.7.0 of the Nym directory had, with
//! the same JSON, and more of our own. [`run_process`] makes a process of it.

mod answer;
mod args;
mod bounds;
mod budget;
mod clock;
mod cors;
mod fields;
mod gather;
mod history;
mod host;
mod hub;
pub mod limits;
mod list;
mod openapi;
mod page;
mod posted;
mod process;
mod queue;
mod registry;
pub mod reports;
mod routes;
mod serve;
mod socket;
mod swagger;
mod telemetry;
mod version;
mod windows;

use std::sync::Arc;

use directory_api::LATE_AFTER;
use semver::Version;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use args::DirectoryArgs;
pub use history::BadQuery;
pub use limits::Refusal;
pub use process::run_process;
pub use registry::{Now, Registry};

use crate::budget::Budget;
use crate::hub::Hub;
use crate::routes::Shared;
use crate::telemetry::Telemetry;

/// What can be set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Origins whose web pages may write and subscribe, besides those of loopback: each as a
    /// browser sends it, such as `https://lab.example` or `null`.
    pub allowed_origins: Vec<String>,
    /// Mixnodes of an older version, or of one that cannot be read, are refused.
    pub min_mixnode_version: Option<Version>,
}

/// Serves the directory until `shutdown` is cancelled.
pub async fn run(listener: TcpListener, options: Options, shutdown: CancellationToken) {
    let paths = routes::listing().iter().map(|(_, path)| path.clone());
    let telemetry = Arc::new(Telemetry::new(paths));
    let hub = Hub::new(Arc::clone(&telemetry));
    let app = Arc::new(Shared {
        hub: Arc::clone(&hub),
        options,
        telemetry,
        budget: Budget::default(),
        sockets: TaskTracker::new(),
        shutdown: shutdown.clone(),
        cut_off: CancellationToken::new(),
    });
    let router = routes::router(Arc::clone(&app));
    let mut serving = std::pin::pin!(serve::serve(listener, router, app, shutdown.clone()));
    tokio::select! {
        () = &mut serving => {}
        () = expire(&hub) => {}
        () = shutdown.cancelled() => serving.await,
    }
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
