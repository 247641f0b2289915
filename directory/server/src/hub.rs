//! The registry behind its lock, and those who listen to it.
//!
//! Whatever changes the registry publishes its updates under the same lock, so that every
//! subscriber hears them in the order in which they happened. Publishing never waits: a message
//! goes into the subscriber's bounded queue, or the subscriber has missed it. But whoever wants to
//! publish while a queue is half full lets the readers have a turn first: one thread serves all, and
//! a burst of reports would overrun those who do keep up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use contract::Time;
use directory_api::{Topic, Update};
use serde::Serialize;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::limits::MAX_SUBSCRIBERS;
use crate::queue::{Queued, Receiver, Sender, queue};
use crate::telemetry::{Stream, Telemetry};
use crate::{Now, Refusal, Registry};

/// Bytes from which on a frame of `/ws` takes no further message. A connection keeps as much memory
/// as its longest frame took.
const ENOUGH_FOR_A_FRAME: usize = 4 << 10;

/// The registry and its subscribers.
#[derive(Debug)]
pub(crate) struct Hub {
    clock: Clock,
    state: Mutex<State>,
    /// Whether a queue was half full when something was published last.
    crowded: AtomicBool,
}

#[derive(Debug)]
struct State {
    registry: Registry,
    /// The topology as JSON, and the revision of the registry that it shows.
    topology: Option<(u64, Bytes)>,
    /// The last whole window of metrics as JSON, and which one it is.
    metrics: Option<(u64, Bytes)>,
    subscribers: BTreeMap<u64, Subscriber>,
    next_subscriber: u64,
    telemetry: Arc<Telemetry>,
}

#[derive(Debug)]
struct Subscriber {
    wants: Wants,
    queue: Sender,
    fell_behind: CancellationToken,
}

#[derive(Debug)]
enum Wants {
    /// `/ws`: the original's metric messages. Who is too slow loses its connection, as in the original.
    Metrics,
    /// `/ws/events`: numbered updates. Who is too slow gets a snapshot when it has caught up.
    Events {
        topics: Vec<Topic>,
        /// Number of the next frame.
        seq: u64,
        /// Whether a snapshot has to come next: at the beginning, and when the queue was full.
        behind: bool,
    },
}

impl Wants {
    fn stream(&self) -> Stream {
        match self {
            Self::Metrics => Stream::Metrics,
            Self::Events { .. } => Stream::Events,
        }
    }
}

impl Hub {
    /// An empty registry that nobody listens to.
    pub(crate) fn new(telemetry: Arc<Telemetry>) -> Arc<Self> {
        let clock = Clock::new();
        let state = State {
            registry: Registry::new(clock.now().time),
            topology: None,
            metrics: None,
            subscribers: BTreeMap::new(),
            next_subscriber: 0,
            telemetry,
        };
        Arc::new(Self { clock, state: Mutex::new(state), crowded: AtomicBool::new(false) })
    }

    /// Changes the registry, and tells the subscribers.
    pub(crate) async fn change(
        &self,
        change: impl FnOnce(&mut Registry, Now) -> Result<Vec<Update>, Refusal>,
    ) -> Result<(), Refusal> {
        if self.crowded.load(Ordering::Relaxed) {
            yield_now().await;
        }
        self.change_now(change)
    }

    fn change_now(
        &self,
        change: impl FnOnce(&mut Registry, Now) -> Result<Vec<Update>, Refusal>,
    ) -> Result<(), Refusal> {
        let (mut state, now) = self.lock();
        let updates = change(&mut state.registry, now)?;
        let crowded = state.publish(now, &updates);
        self.crowded.store(crowded, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the registry.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Registry, Now) -> T) -> T {
        let (state, now) = self.lock();
        read(&state.registry, now)
    }

    /// Takes out who is gone, and tells the subscribers. Gives back when to call it again.
    pub(crate) fn expire(&self) -> Option<tokio::time::Instant> {
        let (state, _) = self.lock_expired();
        state.registry.next_wake().map(|wake: Time| self.clock.instant(wake))
    }

    /// The topology as JSON.
    pub(crate) fn topology(&self) -> Bytes {
        let (mut state, now) = self.lock_expired();
        state.topology(now)
    }

    /// The metrics of the last whole window as JSON.
    pub(crate) fn metrics(&self) -> Bytes {
        let (mut state, now) = self.lock();
        let window = state.registry.metrics_window(now.time);
        if let Some((shown, json)) = &state.metrics
            && *shown == window
        {
            return json.clone();
        }
        let json = Bytes::from(json(state.registry.metrics(now.time)));
        state.metrics = Some((window, json.clone()));
        json
    }

    /// A subscription to the original's metric messages; none if there are too many subscribers.
    pub(crate) fn listen(self: &Arc<Self>) -> Option<Subscription> {
        self.enter(Wants::Metrics)
    }

    /// A subscription to the updates of these topics, with a snapshot first; none if there are too
    /// many subscribers.
    pub(crate) fn subscribe(self: &Arc<Self>, topics: Vec<Topic>) -> Option<Subscription> {
        self.enter(Wants::Events { topics, seq: 0, behind: true })
    }

    fn enter(self: &Arc<Self>, wants: Wants) -> Option<Subscription> {
        let (mut state, _) = self.lock();
        if state.subscribers.len() >= MAX_SUBSCRIBERS {
            return None;
        }
        let id = state.next_subscriber;
        state.next_subscriber += 1;
        let stream = wants.stream();
        state.telemetry.subscribed(stream);
        let (queue, messages) = queue();
        let fell_behind = CancellationToken::new();
        state.subscribers.insert(id, Subscriber { wants, queue, fell_behind: fell_behind.clone() });
        Some(Subscription { hub: Arc::clone(self), id, stream, messages, fell_behind })
    }

    /// The snapshot that this subscriber needs before it can go on with updates, if any.
    fn catch_up(&self, id: u64) -> Option<Utf8Bytes> {
        let (mut state, now) = self.lock_expired();
        let subscriber = state.subscribers.get_mut(&id)?;
        // What is in the queue comes before the snapshot. A queue that has been full since it was
        // looked at is not empty, so that the snapshot is asked for again later on.
        let queue_is_empty = subscriber.queue.is_empty();
        let Wants::Events { seq, behind: behind @ true, .. } = &mut subscriber.wants else {
            return None;
        };
        if !queue_is_empty {
            return None;
        }
        *behind = false;
        let number = *seq;
        *seq += 1;
        let topology = state.topology(now);
        let mut text =
            format!("{{\"seq\":{number},\"time\":{},\"type\":\"snapshot\",\"topology\":", now.unix);
        text.push_str(&String::from_utf8_lossy(&topology));
        text.push('}');
        Some(text.into())
    }

    fn lock(&self) -> (MutexGuard<'_, State>, Now) {
        // A panic under the lock is a bug; the others are still served by what there is. The time
        // is read under the lock, so that it never runs backwards for the registry.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state, self.clock.now())
    }

    fn lock_expired(&self) -> (MutexGuard<'_, State>, Now) {
        let (mut state, now) = self.lock();
        let updates = state.registry.expire(now.time);
        state.publish(now, &updates);
        (state, now)
    }
}

impl State {
    fn topology(&mut self, now: Now) -> Bytes {
        let revision = self.registry.revision();
        if let Some((shown, json)) = &self.topology
            && *shown == revision
        {
            return json.clone();
        }
        let json = Bytes::from(json(&self.registry.topology(now.time)));
        self.topology = Some((revision, json.clone()));
        json
    }

    /// Says whether readers should have a turn before more comes.
    fn publish(&mut self, now: Now, updates: &[Update]) -> bool {
        let mut crowded = false;
        for update in updates {
            self.telemetry.happened(update);
            let mut shared = Shared { now, update, metric: None, rest: None };
            self.subscribers.retain(|_, subscriber| {
                let keep = subscriber.offer(&mut shared, &self.telemetry);
                if !keep {
                    subscriber.fell_behind.cancel();
                }
                crowded |= subscriber.queue.is_half_full();
                keep
            });
        }
        crowded
    }
}

impl Subscriber {
    /// Puts the update into the queue if it is wanted. False if the subscriber has to go.
    fn offer(&mut self, shared: &mut Shared<'_>, telemetry: &Telemetry) -> bool {
        match &mut self.wants {
            Wants::Metrics => match shared.metric() {
                None => true,
                Some(text) => {
                    let keep = self.queue.offer(Queued::Whole(text));
                    if !keep {
                        telemetry.fell_behind(Stream::Metrics);
                    }
                    keep
                }
            },
            Wants::Events { topics, seq, behind } => {
                if !shared.update.topic().is_some_and(|topic| topics.contains(&topic)) {
                    return true;
                }
                if !*behind {
                    let queued = Queued::Numbered(*seq, shared.rest());
                    *behind = !self.queue.offer(queued);
                    if *behind {
                        telemetry.fell_behind(Stream::Events);
                    }
                }
                // What is missed is counted too, so that the snapshot's number tells how much.
                // Before its first snapshot a subscriber has missed nothing.
                if !*behind || *seq > 0 {
                    *seq += 1;
                }
                true
            }
        }
    }
}

/// An update on its way to the subscribers: made into text once, and only if somebody wants it.
struct Shared<'a> {
    now: Now,
    update: &'a Update,
    metric: Option<Utf8Bytes>,
    rest: Option<Utf8Bytes>,
}

impl Shared<'_> {
    /// The message of `/ws`.
    fn metric(&mut self) -> Option<Utf8Bytes> {
        let Update::Metric(metric) = self.update else { return None };
        Some(self.metric.get_or_insert_with(|| json(metric).into()).clone())
    }

    /// The frame of `/ws/events` from the comma after its number on.
    fn rest(&mut self) -> Utf8Bytes {
        #[derive(Serialize)]
        struct Unnumbered<'a> {
            time: i64,
            #[serde(flatten)]
            update: &'a Update,
        }
        let unnumbered = Unnumbered { time: self.now.unix, update: self.update };
        let text = self.rest.get_or_insert_with(|| json(&unnumbered).replacen('{', ",", 1).into());
        text.clone()
    }
}

/// A place among the subscribers. Dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    id: u64,
    stream: Stream,
    messages: Receiver,
    fell_behind: CancellationToken,
}

impl Subscription {
    /// Waits for the next frame. None if this subscriber fell behind for good. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Utf8Bytes> {
        if let Some(queued) = self.messages.try_take() {
            return Some(self.frame(queued));
        }
        if let Some(snapshot) = self.hub.catch_up(self.id) {
            return Some(snapshot);
        }
        let queued = self.messages.take().await?;
        Some(self.frame(queued))
    }

    /// Puts the original's messages that wait into one frame, a line each, as the original did: it
    /// is one write instead of many for a reader that falls behind.
    fn frame(&mut self, queued: Queued) -> Utf8Bytes {
        let Queued::Whole(first) = queued else { return queued.into_text() };
        if self.messages.is_empty() {
            return first;
        }
        let mut lines = String::from(first.as_str());
        while lines.len() < ENOUGH_FOR_A_FRAME
            && let Some(next) = self.messages.try_take()
        {
            lines.push('\n');
            lines.push_str(&next.into_text());
        }
        lines.into()
    }

    /// Cancelled when this subscriber is too slow for its connection to be kept.
    pub(crate) fn fell_behind(&self) -> CancellationToken {
        self.fell_behind.clone()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let (mut state, _) = self.hub.lock();
        state.subscribers.remove(&self.id);
        state.telemetry.unsubscribed(self.stream);
    }
}

/// A type of `directory-api` as JSON: text keys and numbers only, which always succeeds.
fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("the directory's types are JSON")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use directory_api::{
        Frame, LATE_AFTER, MixMetric, MixMetricReport, MixNodeReport, PRESENCE_TIMEOUT,
    };
    use tokio::time::Instant;

    use super::*;
    use crate::queue::MAX_MESSAGES;
    use crate::telemetry::Census;

    fn mixnode(key: &str) -> MixNodeReport {
        MixNodeReport {
            host: "127.0.0.1:1789".into(),
            pub_key: key.into(),
            version: "0.7.0".into(),
            location: "unknown".into(),
            layer: 1,
        }
    }

    fn announce(hub: &Hub, key: &str) {
        hub.change_now(|registry, now| registry.announce_mixnode(now, mixnode(key)))
            .expect("accepted");
    }

    fn report(hub: &Hub, received: u64) {
        let report = MixMetricReport { pub_key: "m".into(), sent: BTreeMap::new(), received };
        hub.change_now(|registry, now| registry.report_metrics(now, report)).expect("accepted");
    }

    async fn frame(subscription: &mut Subscription) -> Frame {
        let text = subscription.next().await.expect("it keeps up");
        serde_json::from_str(&text).expect("a frame")
    }

    #[tokio::test]
    async fn who_is_too_slow_for_events_gets_a_snapshot_numbered_by_what_was_missed() {
        let telemetry = Arc::<Telemetry>::default();
        let hub = Hub::new(Arc::clone(&telemetry));
        let mut events = hub.subscribe(vec![Topic::Metrics]);
        let events = events.as_mut().expect("a place");
        report(&hub, 0);
        let first = frame(events).await;
        assert!(matches!(first, Frame { seq: 0, update: Update::Snapshot { .. }, .. }));

        let waiting = u64::try_from(MAX_MESSAGES).expect("a small number");
        for received in 1..=waiting + 44 {
            report(&hub, received);
            // Of another topic: does not count.
            announce(&hub, "m");
        }
        for seq in 1..=waiting {
            let frame = frame(events).await;
            assert_eq!(frame.seq, seq);
            assert!(matches!(frame.update, Update::Metric(metric) if metric.received == seq));
        }
        let snapshot = frame(events).await;
        assert_eq!(snapshot.seq, waiting + 44 + 1);
        let Update::Snapshot { topology } = snapshot.update else { panic!("no snapshot") };
        assert_eq!(topology.mix_nodes.len(), 1);
        report(&hub, 0);
        assert_eq!(frame(events).await.seq, waiting + 44 + 2);
        let metrics = telemetry.render(&Census::default());
        let once = "nym_directory_websocket_fell_behind_total{stream=\"/ws/events\"} 1\n";
        assert!(metrics.contains(once), "it fell behind once: {metrics}");
    }

    #[tokio::test]
    async fn who_is_too_slow_for_ws_loses_its_connection() {
        let telemetry = Arc::<Telemetry>::default();
        let hub = Hub::new(Arc::clone(&telemetry));
        let mut slow = hub.listen().expect("a place");
        for received in 0..MAX_MESSAGES as u64 {
            report(&hub, received);
        }
        assert!(!slow.fell_behind().is_cancelled());
        report(&hub, 0);
        assert!(slow.fell_behind().is_cancelled());
        let (mut received, mut frames) = (Vec::new(), 0);
        while let Some(frame) = slow.next().await {
            frames += 1;
            let metrics = frame.split('\n').map(serde_json::from_str::<MixMetric>);
            received.extend(metrics.map(|metric| metric.expect("a metric").received));
        }
        assert_eq!(received, (0..MAX_MESSAGES as u64).collect::<Vec<_>>(), "what was queued");
        assert!(frames < MAX_MESSAGES / 10, "{frames} frames");
        drop(slow);
        let metrics = telemetry.render(&Census::default());
        for line in ["fell_behind_total{stream=\"/ws\"} 1\n", "subscribers{stream=\"/ws\"} 0\n"] {
            assert!(metrics.contains(line), "{metrics}");
        }
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_its_subscriber_leaves() {
        let hub = Hub::new(Arc::default());
        let mut subscribers: Vec<_> =
            (0..MAX_SUBSCRIBERS).map(|_| hub.listen().expect("a place")).collect();
        assert!(hub.subscribe(Topic::ALL.to_vec()).is_none());
        subscribers.pop();
        assert!(hub.subscribe(Topic::ALL.to_vec()).is_some());
    }

    /// The timer of the program, on paused time: nobody asks for the topology meanwhile.
    #[tokio::test(start_paused = true)]
    async fn subscribers_hear_in_time_of_who_is_late_and_gone() {
        let hub = Hub::new(Arc::default());
        let mut events = hub.subscribe(vec![Topic::Topology, Topic::Presence]).expect("a place");
        let story = async {
            frame(&mut events).await;
            // In the middle of a sleep of the timer.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let start = Instant::now();
            announce(&hub, "m");
            let new = frame(&mut events).await;
            assert!(matches!(new.update, Update::MixNode(_)));
            assert!(matches!(frame(&mut events).await.update, Update::Seen { .. }));
            assert!(matches!(frame(&mut events).await.update, Update::Late { .. }));
            let late = start.elapsed();
            assert!(matches!(frame(&mut events).await.update, Update::Gone { .. }));
            let gone = start.elapsed();
            // A timer of tokio may be a millisecond late.
            for (at, due) in [(late, LATE_AFTER), (gone, PRESENCE_TIMEOUT)] {
                assert!(at >= due && at <= due + Duration::from_millis(2), "{at:?}, not {due:?}");
            }
        };
        tokio::select! {
            () = story => {}
            () = crate::expire(&hub) => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_topology_is_made_anew_when_it_has_changed_and_only_then() {
        let hub = Hub::new(Arc::default());
        announce(&hub, "m");
        let first = hub.topology();
        assert_eq!(hub.topology().as_ptr(), first.as_ptr(), "the same text, not an equal one");
        announce(&hub, "n");
        let second = hub.topology();
        assert_ne!(second, first);
        tokio::time::advance(PRESENCE_TIMEOUT).await;
        let empty = r#"{"cocoNodes":[],"mixNodes":[],"mixProviderNodes":[],"gatewayNodes":[]}"#;
        assert_eq!(hub.topology(), empty);
    }
}
