//! Metrics: mixnodes report how many packets they took and passed on; everybody reads it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use directory_api::{Accepted, MetricsHistory, MixMetric, MixMetricReport, Refused, paths};
use serde::Deserialize;

use super::App;
use crate::answer::{self, Failure};
use crate::limits::MAX_BODY_BYTES;
use crate::openapi::PostRefused;
use crate::posted::Posted;
use crate::{Registry, reports, telemetry};

/// A mixnode reports its packets since its last report.
#[utoipa::path(
    post,
    path = paths::METRICS,
    operation_id = "createMixMetric",
    tag = "metrics",
    request_body(content = MixMetricReport, example = json!({
        "pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV",
        "sent": {"127.0.0.1:9981": 4},
        "received": 5,
    })),
    responses(
        (status = 201, description = "It goes to all who listen to `/ws`", body = Accepted),
        (status = 429, description = "The window of three seconds is full: wait for the next", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn add_metric(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let report = reports::metric(&body)?;
    app.hub.change(|registry, now| registry.report_metrics(now, report)).await?;
    Ok(answer::created())
}

/// The reports of the last whole window of three seconds, in the order in which they came.
#[utoipa::path(
    get,
    path = paths::METRICS,
    operation_id = "listMixMetrics",
    tag = "metrics",
    responses((status = 200, description = "None if nothing came", body = Vec<MixMetric>)),
)]
pub(super) async fn list_metrics(State(app): State<App>) -> Response {
    answer::prepared(app.hub.metrics())
}

/// Which part of the history is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Where it begins: nanoseconds since 1970. An hour ago without it, and at the earliest.
    since: Option<i64>,
    /// Length of a step in seconds; 10 without it. More than 600 steps are refused.
    #[param(minimum = 1, maximum = 3600)]
    step: Option<u64>,
}

/// What mixnodes reported in the last hour, in steps of equal length. Not in the original.
///
/// Counts per step, `null` where nothing was reported. Steps begin at whole multiples of their
/// length, so that who asks again gets the same ones; the last one still fills.
#[utoipa::path(
    get,
    path = paths::HISTORY,
    operation_id = "metricsHistory",
    tag = "metrics",
    params(HistoryQuery),
    responses(
        (status = 200, description = "Without who did not report in this time", body = MetricsHistory),
        (status = 400, description = "No such steps, or too many of them", body = Refused),
        (status = 503, description = "Too many such answers are on their way", body = Refused),
    ),
)]
pub(super) async fn history(
    State(app): State<App>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(query) = query.map_err(|rejection| Failure::Query(rejection.body_text()))?;
    let share = app.budget.history().await?;
    let history = app.hub.read(|registry, now| registry.history(now, query.since, query.step))?;
    let json = serde_json::to_vec(&history).expect("a history is JSON");
    Ok(answer::prepared(share.hold(json.into())))
}

/// How the directory and the mixnet are doing, for Prometheus. Not in the original.
#[utoipa::path(
    get,
    path = paths::PROMETHEUS,
    operation_id = "prometheus",
    tag = "metrics",
    responses((
        status = 200,
        description = "Prometheus' text format 0.0.4",
        body = String,
        content_type = "text/plain; version=0.0.4; charset=utf-8",
    )),
)]
pub(super) async fn prometheus(State(app): State<App>) -> Response {
    let census = app.hub.read(Registry::census);
    let text = app.telemetry.render(&census);
    ([(header::CONTENT_TYPE, telemetry::CONTENT_TYPE)], text).into_response()
}
