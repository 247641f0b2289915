//! What a node does with its directory: announces itself, reports its packets, follows the topology.

use std::sync::Arc;
use std::time::Duration;

use contract::Event;
use directory_api::{PRESENCE_INTERVAL, Topic};
use directory_client::{DirectoryClient, Error, SubscriptionEvent};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use crate::{Network, Reporter, TopologyFollower};

/// How often a node that was never heard tries again: a directory starts beside its nodes, and every
/// wait shows in the time until the devnet is ready.
const FIRST_PRESENCE_RETRY: Duration = Duration::from_millis(50);

/// How long a leaving node waits for the directory.
const LEAVE_LIMIT: Duration = Duration::from_millis(500);

/// Announces a node for ever: at once, again every 50 ms until the directory answers, which is
/// reported as [`Event::Ready`], then at the regular interval.
pub async fn announce<F>(announce_once: impl Fn() -> F, reporter: Reporter)
where
    F: Future<Output = Result<(), Error>>,
{
    let mut failed = false;
    while let Err(error) = announce_once().await {
        if !failed {
            failed = true;
            reporter.report(Event::Waiting { reason: with_causes(&error) });
        }
        sleep(FIRST_PRESENCE_RETRY).await;
    }
    reporter.report(Event::Ready { reason: "the directory took its presence".into() });
    let mut beats = interval_at(Instant::now() + PRESENCE_INTERVAL, PRESENCE_INTERVAL);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        beats.tick().await;
        // Logged when it changes: a directory that is down for an hour is one line, not thousands.
        match (announce_once().await, failing) {
            (Err(error), false) => {
                failing = true;
                tracing::warn!("{}", with_causes(&error));
            }
            (Ok(()), true) => {
                failing = false;
                tracing::info!("the directory answers again");
            }
            _ => {}
        }
    }
}

/// How often a new view of the network is made at most. While a large network starts, changes come
/// by the hundred, and each view walks over all nodes.
const VIEW_INTERVAL: Duration = Duration::from_millis(20);

/// Follows the topology for ever. The first view is empty.
pub async fn follow_topology(directory: DirectoryClient, network: watch::Sender<Arc<Network>>) {
    let mut subscription = directory.subscribe(&[Topic::Topology]);
    let mut follower = TopologyFollower::default();
    let mut changed = false;
    let mut view_at = Instant::now();
    loop {
        tokio::select! {
            event = subscription.next() => match event {
                SubscriptionEvent::Update(frame) => changed |= follower.apply(&frame.update),
                SubscriptionEvent::Connected => {}
                SubscriptionEvent::Disconnected { error, .. } => {
                    tracing::debug!("{}", with_causes(&error));
                }
            },
            () = sleep_until(view_at), if changed => {}
        }
        if changed && view_at <= Instant::now() {
            changed = false;
            view_at = Instant::now() + VIEW_INTERVAL;
            network.send_replace(Arc::new(follower.network()));
        }
    }
}

/// Tells the directory that a node leaves. A directory that does not answer soon is left alone: it
/// forgets the node by itself.
pub async fn leave_directory(directory: &DirectoryClient, public_key: &str) {
    match timeout(LEAVE_LIMIT, directory.leave(public_key)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{}", with_causes(&error)),
        Err(_) => tracing::warn!("the directory did not answer within {LEAVE_LIMIT:?}"),
    }
}

/// An error and its causes in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
