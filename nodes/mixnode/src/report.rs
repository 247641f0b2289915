//! What a mixnode tells of itself: events for its supervisor, reports for the directory, a line a
//! minute for the log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use contract::{Event, NodeMetrics, Time};
use directory_api::MixMetricReport;
use directory_client::DirectoryClient;
use runtime::{
    LatenessHistogram, Links, MalformedFrames, Reporter, Traces, clock, drops, report_links,
    with_causes,
};
use tokio::sync::mpsc;

use crate::worker::Worker;
use crate::{Counters, DropReason, Replays};

/// How often the log says what was counted.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Reports what the workers of a mixnode have counted.
pub(crate) struct Reports {
    pub(crate) workers: Vec<Worker>,
    pub(crate) malformed: MalformedFrames,
    pub(crate) replays: Option<Replays>,
    /// None where tracing is off.
    pub(crate) traces: Option<Traces>,
    pub(crate) reporter: Reporter,
    pub(crate) public_key: String,
    /// Takes reports for the directory; none if it is not told.
    pub(crate) directory: Option<mpsc::Sender<MixMetricReport>>,
    /// What the directory was told already: its reports are per interval.
    pub(crate) posted: Posted,
    pub(crate) logged: Logged,
}

/// What the directory was told.
#[derive(Default)]
pub(crate) struct Posted {
    received: u64,
    sent: BTreeMap<SocketAddr, u64>,
}

/// What the log was told.
pub(crate) struct Logged {
    at: Time,
    counted: (u64, u64, BTreeMap<String, u64>),
    lateness: LatenessHistogram,
}

impl Logged {
    /// Nothing so far.
    pub(crate) fn new(now: Time) -> Self {
        Self { at: now, counted: Default::default(), lateness: LatenessHistogram::default() }
    }
}

impl Reports {
    /// What left on links since this was last called, and what became of packets.
    pub(crate) fn report_links(&self) {
        if let Some(traces) = &self.traces {
            traces.report(&self.reporter);
        }
        let all = || self.workers.iter().map(Worker::links);
        let lost = all().map(Links::take_lost).sum();
        let links = all().flat_map(Links::take_events).collect();
        report_links(&self.reporter, links, lost);
    }

    /// The counters. Also gives back what bursts have left.
    pub(crate) fn report_metrics(&mut self) {
        let now = clock::now();
        let mut counters = Counters::default();
        let mut pool = 0;
        let mut links_sent = 0;
        let mut links_dropped = 0;
        let mut lateness = LatenessHistogram::default();
        for worker in &self.workers {
            worker.with_engine(|engine| {
                counters.add(engine.counters());
                pool += engine.pool() as u64;
            });
            let links = worker.links();
            links_sent += links.sent();
            links_dropped += links.dropped();
            lateness.merge(&links.take_lateness());
            links.give_memory_back();
        }
        let reasons = counters.dropped.iter().map(|(reason, count)| (reason.word(), *count));
        let dropped = drops::add_up(reasons.chain([
            (drops::QUEUE, links_dropped),
            (DropReason::Malformed.word(), self.malformed.count()),
        ]));
        let metrics = NodeMetrics {
            t: now,
            received: counters.received,
            sent: links_sent,
            dropped,
            pool: Some(pool),
            lateness: lateness.summary(),
            replay_window: self.replays.as_ref().map(|replays| replays.window(now).as_secs()),
            reports_metrics: Some(self.directory.is_some()),
            ..NodeMetrics::default()
        };
        self.post(counters);
        self.log(&metrics, &lateness);
        self.reporter.report(Event::Metrics(metrics));
    }

    fn post(&mut self, counters: Counters) {
        let Some(directory) = &self.directory else { return };
        let sent = counters.sent.iter().filter_map(|(to, count)| {
            let new = count - self.posted.sent.get(to).copied().unwrap_or(0);
            (new > 0).then(|| (to.to_string(), new))
        });
        let report = MixMetricReport {
            pub_key: self.public_key.clone(),
            sent: sent.collect(),
            received: counters.received - self.posted.received,
        };
        // While the last report is still underway this one waits: its packets go with the next.
        if directory.try_send(report).is_ok() {
            self.posted = Posted { received: counters.received, sent: counters.sent };
        }
    }

    /// A line a minute, if anything was counted since the last.
    fn log(&mut self, metrics: &NodeMetrics, lateness: &LatenessHistogram) {
        let logged = &mut self.logged;
        logged.lateness.merge(lateness);
        if metrics.t.saturating_since(logged.at) < LOG_INTERVAL {
            return;
        }
        logged.at = metrics.t;
        let counted = (metrics.received, metrics.sent, metrics.dropped.clone());
        if counted == logged.counted {
            return;
        }
        let (received, sent, dropped) = &counted;
        let dropped = dropped.iter().map(|(reason, count)| format!(", {count} dropped: {reason}"));
        let dropped = dropped.collect::<Vec<_>>().concat();
        let late = std::mem::take(&mut logged.lateness).summary().map(|late| {
            format!(
                "; in the last minute {} µs late at the median, {} µs at the 99th percentile",
                late.median_us, late.p99_us
            )
        });
        let late = late.unwrap_or_default();
        let waiting = metrics.pool.unwrap_or(0);
        tracing::info!(
            "since the start {received} packets received, {sent} sent{dropped}; {waiting} waiting{late}"
        );
        logged.counted = counted;
    }
}

/// Hands reports to the directory, one after the other, for ever.
pub(crate) async fn post_metrics(
    directory: DirectoryClient,
    mut reports: mpsc::Receiver<MixMetricReport>,
) {
    while let Some(report) = reports.recv().await {
        if let Err(error) = directory.report_metrics(&report).await {
            tracing::debug!("{}", with_causes(&error));
        }
    }
}
