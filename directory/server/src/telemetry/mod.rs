//! What `GET /metrics` says, for Prometheus: how the directory is doing, and what it knows of the
//! mixnet.
//!
//! Counting is cheap, for it happens at every request. What can be looked up (who is present, what
//! mixnodes reported, what the process uses) is looked up when somebody asks. Routes are told apart
//! by a list that is fixed when the directory starts: no label is taken from a request's path.

mod census;
mod family;
mod process;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use directory_api::{ListName, Update, paths};
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

pub(crate) use census::{Census, Kind, Resident};

/// The format, as `Content-Type` names it.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The route of everything that is none, and the method of everything that is none.
const OTHER: &str = "other";

/// The route of all files of Swagger UI that have none of their own.
const SWAGGER: &str = "/swagger/";

/// Upper bounds in seconds. Most answers take 10 to 100 µs; more than some milliseconds is trouble.
const DURATIONS: [f64; 12] =
    [0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

/// The websockets that the directory serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// `/ws`
    Metrics,
    /// `/ws/events`
    Events,
}

impl Stream {
    const ALL: [Self; 2] = [Self::Metrics, Self::Events];

    fn path(self) -> &'static str {
        match self {
            Self::Metrics => paths::WS,
            Self::Events => paths::EVENTS,
        }
    }
}

/// Counts what happens. Shared by all who serve.
#[derive(Debug)]
pub(crate) struct Telemetry {
    counted: Registry,
    requests: IntCounterVec,
    /// The histogram of each route, by path.
    durations: BTreeMap<String, Histogram>,
    swagger: Histogram,
    other: Histogram,
    subscribers: IntGaugeVec,
    fell_behind: IntCounterVec,
    presences: IntCounterVec,
    reports: IntCounter,
}

impl Telemetry {
    /// Nothing has happened yet. `routes` are the paths that requests are told apart by.
    pub(crate) fn new(routes: impl IntoIterator<Item = String>) -> Self {
        let counted = Registry::new();
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "nym_directory_http_request_duration_seconds",
                "Time from the head of a request to the head of its answer.",
            )
            .buckets(DURATIONS.to_vec()),
            &["route"],
        );
        let durations = registered(&counted, durations);
        let duration = |route: &str| durations.with_label_values(&[route]);
        let reports = IntCounter::new(
            "nym_directory_metric_reports_total",
            "Reports of mixnodes that were accepted.",
        );
        let telemetry = Self {
            requests: counters(
                &counted,
                "nym_directory_http_requests_total",
                "Requests that were answered.",
                &["method", "route", "status"],
            ),
            durations: routes.into_iter().map(|route| (route.clone(), duration(&route))).collect(),
            swagger: duration(SWAGGER),
            other: duration(OTHER),
            subscribers: registered(
                &counted,
                IntGaugeVec::new(
                    Opts::new("nym_directory_websocket_subscribers", "Websockets that are open."),
                    &["stream"],
                ),
            ),
            fell_behind: counters(
                &counted,
                "nym_directory_websocket_fell_behind_total",
                "Times that a reader was too slow: it lost its connection to /ws, or went on in \
                 /ws/events with a new snapshot.",
                &["stream"],
            ),
            presences: counters(
                &counted,
                "nym_directory_presences_total",
                "Announcements of nodes that are in the topology.",
                &["list"],
            ),
            reports: registered(&counted, reports),
            counted,
        };
        // What has not happened yet is zero, not missing: a rate needs a beginning.
        for stream in Stream::ALL {
            telemetry.subscribers.with_label_values(&[stream.path()]);
            telemetry.fell_behind.with_label_values(&[stream.path()]);
        }
        for list in ListName::ALL {
            telemetry.presences.with_label_values(&[list.as_str()]);
        }
        telemetry
    }

    /// A request was answered.
    pub(crate) fn request(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        elapsed: Duration,
    ) {
        let (route, duration) = match self.durations.get_key_value(path) {
            Some((route, duration)) => (route.as_str(), duration),
            None if path.starts_with(SWAGGER) => (SWAGGER, &self.swagger),
            None => (OTHER, &self.other),
        };
        duration.observe(elapsed.as_secs_f64());
        self.requests.with_label_values(&[name_of(method), route, status.as_str()]).inc();
    }

    /// A websocket was opened.
    pub(crate) fn subscribed(&self, stream: Stream) {
        self.subscribers.with_label_values(&[stream.path()]).inc();
    }

    /// It was closed, by either side.
    pub(crate) fn unsubscribed(&self, stream: Stream) {
        self.subscribers.with_label_values(&[stream.path()]).dec();
    }

    /// A reader was too slow.
    pub(crate) fn fell_behind(&self, stream: Stream) {
        self.fell_behind.with_label_values(&[stream.path()]).inc();
    }

    /// The directory took something in.
    pub(crate) fn happened(&self, update: &Update) {
        match update {
            Update::Seen { list, .. } => {
                self.presences.with_label_values(&[list.as_str()]).inc();
            }
            Update::Metric(_) => self.reports.inc(),
            _ => {}
        }
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn render(&self, census: &Census) -> String {
        let mut families = self.counted.gather();
        families.extend(census.families());
        families.extend(process::families());
        // A family without samples has nothing to say, and the encoder refuses it.
        families.retain(|family| !family.get_metric().is_empty());
        families.sort_by(|one, other| one.name().cmp(other.name()));
        let text = TextEncoder::new().encode_to_string(&families);
        text.expect("every family has a name and samples")
    }
}

impl Default for Telemetry {
    /// Without routes to tell apart.
    fn default() -> Self {
        Self::new([])
    }
}

/// The word for a method. Those that a client makes up are one.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => OTHER,
    }
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = collector.expect("names and labels are valid");
    registry.register(Box::new(collector.clone())).expect("every name is taken once");
    collector
}
