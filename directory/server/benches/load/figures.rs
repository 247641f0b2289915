//! What a machine reads, and what the tables show: one figure for each question.

use std::time::Duration;

use serde::Serialize;

use crate::contest::Row;
use crate::process::OURS;

/// A scenario under load.
#[derive(Serialize)]
pub(crate) struct Loaded {
    pub(crate) scenario: &'static str,
    pub(crate) servers: Vec<Figures>,
}

/// How a server did.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) server: String,
    pub(crate) has_no_such_route: bool,
    pub(crate) requests: u64,
    pub(crate) requests_per_second: Option<f64>,
    /// Microseconds of the server's processor time for a request.
    pub(crate) cpu_us: Option<Spread>,
    /// The same as a multiple of ours.
    pub(crate) cpu_against_ours: Option<f64>,
    pub(crate) latency_us: Option<Latency>,
    /// Latency of each kind of request.
    pub(crate) kinds_us: Vec<(&'static str, Option<Latency>)>,
    /// Bytes at the end: its own pages, and of shared ones its part.
    pub(crate) pss_bytes: Option<u64>,
    /// Most bytes that were resident at once: shared pages count whole.
    pub(crate) peak_rss_bytes: Option<u64>,
    /// How busy this program was: 1 is all the time, and then the rate is its own.
    pub(crate) load_busy: Option<f64>,
    /// What went wrong.
    pub(crate) failures: Vec<String>,
}

/// Over the turns.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// From the first byte of a request to the last one of its answer, in microseconds.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Loaded {
    pub(crate) fn of(scenario: &'static str, rows: &[Row]) -> Self {
        let mut servers: Vec<_> = rows.iter().map(Figures::of).collect();
        let ours = servers.iter().find(|figures| figures.server == OURS);
        if let Some(ours) = ours.and_then(|figures| figures.cpu_us) {
            for figures in &mut servers {
                figures.cpu_against_ours = figures.cpu_us.map(|cpu| cpu.median / ours.median);
            }
        }
        Self { scenario, servers }
    }
}

impl Figures {
    fn of(row: &Row) -> Self {
        let requests: u64 = row.turns.iter().map(|turn| turn.requests).sum();
        let elapsed: Duration = row.turns.iter().map(|turn| turn.elapsed).sum();
        let turns = row.turns.iter().filter(|turn| turn.requests > 0);
        let cpu = turns.map(|turn| Some(micros(turn.cpu?) / number(turn.requests)));
        let load_cpu: Option<Duration> = row.turns.iter().map(|turn| turn.load_cpu).sum();
        let all = row.kinds.iter().flat_map(|(_, tally)| tally.latencies.iter().copied());
        let each =
            row.kinds.iter().map(|(kind, tally)| (*kind, Latency::of(tally.latencies.clone())));
        let failed = row.kinds.iter().flat_map(|(kind, tally)| {
            tally.failures.iter().map(move |(what, count)| format!("{count} × {kind}: {what}"))
        });
        let missing = format!("{} messages did not reach their readers", row.missing);
        let given_up = row.given_up.iter().map(|reason| format!("given up: {reason}"));
        Self {
            server: row.server.clone(),
            has_no_such_route: row.is_absent,
            requests,
            requests_per_second: (requests > 0).then(|| number(requests) / elapsed.as_secs_f64()),
            cpu_us: cpu.collect::<Option<Vec<_>>>().and_then(Spread::of),
            cpu_against_ours: None,
            latency_us: Latency::of(all.collect()),
            kinds_us: each.collect(),
            pss_bytes: row.usage.memory,
            peak_rss_bytes: row.usage.peak,
            load_busy: load_cpu
                .filter(|_| requests > 0)
                .map(|cpu| cpu.as_secs_f64() / elapsed.as_secs_f64()),
            failures: failed.chain((row.missing > 0).then_some(missing)).chain(given_up).collect(),
        }
    }
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        Some(Self { median: figures[figures.len() / 2], least, most })
    }
}

impl Latency {
    fn of(mut latencies: Vec<Duration>) -> Option<Self> {
        latencies.sort_unstable();
        let longest = *latencies.last()?;
        let at = |hundredths: usize| micros(latencies[(latencies.len() - 1) * hundredths / 100]);
        Some(Self { p50: at(50), p99: at(99), max: micros(longest) })
    }
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "figures far below 2^52")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
