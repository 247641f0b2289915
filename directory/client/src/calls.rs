//! The calls: one method per route.

use directory_api::{
    Accepted, Departure, MetricsHistory, MixMetric, MixMetricReport, MixNodeReport,
    MixProviderReport, Refused, Topic, Topology, paths,
};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::address::Address;
use crate::{CALL_TIMEOUT, Cause, Error, MAX_ANSWER_BYTES, Subscription};

/// How many characters of a refusal are kept when it is not the directory's JSON.
const MAX_REFUSAL_CHARS: usize = 200;

/// Typed calls to one directory. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct DirectoryClient {
    http: reqwest::Client,
    address: Address,
}

impl DirectoryClient {
    /// A client of the directory at `address`: `http://host:port`, or `host:port` for short.
    /// Nothing is sent yet.
    pub fn new(address: &str) -> Result<Self, Error> {
        let address = Address::parse(address)?;
        let http = reqwest::Client::builder()
            .timeout(CALL_TIMEOUT)
            // Presence and metrics follow each other; a second idle connection is only memory.
            .pool_max_idle_per_host(1)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Error::Setup(Cause::of(error)))?;
        Ok(Self { http, address })
    }

    /// The directory's address, without a slash at its end.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Whether the directory is there.
    pub async fn healthcheck(&self) -> Result<(), Error> {
        let call = "check the health of the directory";
        self.get::<Accepted>(call, paths::HEALTHCHECK).await.map(drop)
    }

    /// Everything that is present.
    pub async fn topology(&self) -> Result<Topology, Error> {
        self.get("read the topology", paths::TOPOLOGY).await
    }

    /// What mixnodes reported in the last whole window of three seconds.
    pub async fn metrics(&self) -> Result<Vec<MixMetric>, Error> {
        self.get("read the metrics", paths::METRICS).await
    }

    /// What mixnodes reported since that moment, nanoseconds since 1970, in steps of so many
    /// seconds. Without them, the last hour in steps of ten. Steps begin at whole multiples of their
    /// length, so `since` may lie in the middle of the first one; the last one still fills.
    pub async fn metrics_history(
        &self,
        since: Option<i64>,
        step: Option<u64>,
    ) -> Result<MetricsHistory, Error> {
        let since = since.map(|since| format!("since={since}"));
        let step = step.map(|step| format!("step={step}"));
        let query: Vec<String> = [since, step].into_iter().flatten().collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        self.get("read the history of metrics", &format!("{}{query}", paths::HISTORY)).await
    }

    /// A mixnode is present.
    pub async fn announce_mixnode(&self, report: &MixNodeReport) -> Result<(), Error> {
        self.post("announce a mixnode", paths::MIXNODES, report).await
    }

    /// A provider is present, in the list of v0.5.
    pub async fn announce_mixprovider(&self, report: &MixProviderReport) -> Result<(), Error> {
        self.post("announce a provider", paths::MIXPROVIDERS, report).await
    }

    /// A provider is present, in the list of v0.7.
    pub async fn announce_gateway(&self, report: &MixProviderReport) -> Result<(), Error> {
        self.post("announce a provider as gateway", paths::GATEWAYS, report).await
    }

    /// The node with this key leaves, from every list. Saying it twice does no harm.
    pub async fn leave(&self, pub_key: &str) -> Result<(), Error> {
        let departure = Departure { pub_key: pub_key.into() };
        self.post("leave", paths::LEAVE, &departure).await
    }

    /// What a mixnode took and passed on since its last report.
    pub async fn report_metrics(&self, report: &MixMetricReport) -> Result<(), Error> {
        self.post("report metrics", paths::METRICS, report).await
    }

    /// A subscription to these topics; without any, to everything. It connects when it is first
    /// asked for an event.
    pub fn subscribe(&self, topics: &[Topic]) -> Subscription {
        Subscription::new(self.address.events(topics))
    }

    async fn get<T: DeserializeOwned>(&self, call: &'static str, path: &str) -> Result<T, Error> {
        let url = self.address.route(path);
        let body = answer(call, &url, self.http.get(&url)).await?;
        decode(call, url, &body)
    }

    async fn post(
        &self,
        call: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<(), Error> {
        let url = self.address.route(path);
        let body = answer(call, &url, self.http.post(&url).json(body)).await?;
        // Any web server may say 200: only a directory says this.
        decode::<Accepted>(call, url, &body).map(drop)
    }
}

fn decode<T: DeserializeOwned>(call: &'static str, url: String, body: &[u8]) -> Result<T, Error> {
    let understood = serde_json::from_slice(body);
    understood.map_err(|error| Error::Unreadable { call, url, reason: error.to_string() })
}

/// The body of a successful answer.
async fn answer(call: &'static str, url: &str, request: RequestBuilder) -> Result<Vec<u8>, Error> {
    let failed = |error: reqwest::Error| {
        let url = url.to_owned();
        if error.is_timeout() {
            Error::TimedOut { call, url, after: CALL_TIMEOUT }
        } else {
            Error::Unreachable { call, url, cause: Cause::of(error.without_url()) }
        }
    };
    let mut response = request.send().await.map_err(failed)?;
    let body = read(&mut response).await.map_err(failed)?;
    let Some(body) = body else {
        let reason = format!("it is longer than {MAX_ANSWER_BYTES} bytes");
        return Err(Error::Unreadable { call, url: url.into(), reason });
    };
    if response.status().is_success() {
        return Ok(body);
    }
    let status = response.status().as_u16();
    Err(Error::Refused { call, url: url.into(), status, text: refusal(&body) })
}

/// The whole body, or nothing if it is too long.
async fn read(response: &mut Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// What a refusal says: the directory's `{"error":"…"}`, or the beginning of whatever came.
pub(crate) fn refusal(body: &[u8]) -> String {
    match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => refused.error,
        Err(_) => String::from_utf8_lossy(body).trim().chars().take(MAX_REFUSAL_CHARS).collect(),
    }
}
