//! The route to the directory's history. Its answers are long, so there are few at the same time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use control::{Failure, History, paths};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Api;
use super::refusal::{Refusal, Refused};
use super::routes::ask;
use crate::ask::Ask;

/// Histories that are asked for or go out at the same time; others wait for their turn. That of a
/// hundred mixnodes has 0.7 MB, that of the most that a directory lists 15 MB.
const MAX_HISTORIES: usize = 4;

/// The directory keeps so many seconds.
const DEFAULT_WINDOW: u64 = 3600;

/// As many steps as a wide screen has columns.
const DEFAULT_STEP: u64 = 10;

/// Turns to be given a history.
pub(super) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_HISTORIES))
}

/// Which part of the history is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many seconds it goes back. The directory keeps an hour.
    #[serde(default = "default_window")]
    #[param(default = 3600)]
    window: u64,
    /// Length of a step in seconds. More than 600 steps are refused.
    #[serde(default = "default_step")]
    #[param(minimum = 1, maximum = 3600, default = 10)]
    step: u64,
}

fn default_window() -> u64 {
    DEFAULT_WINDOW
}

fn default_step() -> u64 {
    DEFAULT_STEP
}

/// What mixnodes reported to the directory before now, in steps of equal length.
///
/// Counts per step, `null` where nothing was reported; the last step still fills.
#[utoipa::path(
    get,
    path = paths::HISTORY,
    operation_id = "history",
    tag = "look",
    params(HistoryQuery),
    responses(
        (status = 200, description = "Without who did not report in this time", body = History),
        (status = 400, description = "No such steps, or too many of them", body = Failure),
        (status = 409, description = "The directory does not run", body = Failure),
        (status = 504, description = "The directory does not answer", body = Failure),
        Refused,
    ),
)]
pub(super) async fn history(
    State(api): State<Api>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(HistoryQuery { window, step }) = query?;
    let turn = api.histories.acquire_owned().await.expect("it is never closed");
    let history = ask(&api.asks, |reply| Ask::History { window, step, reply }).await?;
    let json = serde_json::to_vec(&history).expect("a history is JSON");
    let body = Bytes::from_owner(Held { json, _turn: turn });
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response())
}

/// An answer that has its turn until it has gone out.
struct Held {
    json: Vec<u8>,
    _turn: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}
