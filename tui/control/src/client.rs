//! Asking a supervisor over its socket.

use std::path::Path;
use std::time::Duration;

use contract::MAX_LINE_BYTES;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    AddRequest, AttackRequest, AttackStatus, DevnetInfo, DownReport, DownRequest, Envelope,
    Failure, FailureCode, History, INBOX_TIMEOUT, Inbox, MessageStatus, NodeAction, NodeStatus,
    PingRequest, Pong, SendRequest, SetRequest, Snapshot, paths, shown_argument,
};

/// How long a supervisor may take to answer a question that it need not wait for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long stopping everything may take: four groups of processes stop one after the other, and a
/// process has 1 s before it is killed. The rest is for a busy machine.
const DOWN_TIMEOUT: Duration = Duration::from_secs(15);

/// How much longer than the supervisor we wait for an answer that it holds back itself.
const HELD_ANSWER_GRACE: Duration = Duration::from_secs(2);

/// How much longer than it waits for a packet an attack may take: packets are held and copied for some
/// seconds, and what becomes of them is followed for a minute at most.
const ATTACK_GRACE: Duration = Duration::from_secs(75);

/// How long a connection is kept for the next question: shorter than a supervisor keeps it.
const KEPT_CONNECTION: Duration = Duration::from_secs(30);

/// The longest line of the event stream: a snapshot holds the latest messages and log lines.
pub const MAX_EVENT_BYTES: usize = 16 * MAX_LINE_BYTES;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The supervisor cannot be reached, or is not one.
    #[error("cannot ask the supervisor at `{at}` for {path}: {reason}")]
    Unreachable {
        /// Its socket, or its address.
        at: String,
        /// What was asked.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// The supervisor refused.
    #[error(transparent)]
    Refused(#[from] Failure),
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Refused(failure) => failure,
            ControlError::Unreachable { .. } => {
                Self::new(FailureCode::Unreachable, error.to_string())
                    .hint("`nym-devnet down` also ends a supervisor that does not answer")
            }
        }
    }
}

/// A connection to a supervisor. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ControlClient {
    http: Client,
    /// Where it is, for people.
    at: String,
    /// What paths are joined to.
    base: Url,
}

impl ControlClient {
    /// For the supervisor that listens on this socket. Nothing is sent yet.
    pub fn new(socket: impl AsRef<Path>) -> Result<Self, ControlError> {
        let socket = socket.as_ref();
        // The host is ignored on a Unix socket, and has to be there.
        let base = Url::parse("http://supervisor").expect("an address");
        Self::build(Client::builder().unix_socket(socket), socket.display().to_string(), base)
    }

    /// For the supervisor that listens at this address, such as `http://127.0.0.1:7000`, and knows
    /// this token. Nothing is sent yet.
    pub fn over_tcp(address: &str, token: &str) -> Result<Self, ControlError> {
        let failed = |reason: &str| ControlError::Unreachable {
            at: shown_argument(address),
            path: "anything".into(),
            reason: reason.into(),
        };
        let base = Url::parse(address).map_err(|error| failed(&error.to_string()))?;
        // A token goes over the wire as it is, so it stays on this machine.
        let is_loopback = matches!(base.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if base.scheme() != "http" || !is_loopback {
            return Err(failed("it is no address of this machine, like `http://127.0.0.1:7000`"));
        }
        let mut token = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| failed("the token is none: it has a control character"))?;
        token.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, token)]);
        Self::build(Client::builder().default_headers(headers), shown_argument(address), base)
    }

    fn build(builder: ClientBuilder, at: String, base: Url) -> Result<Self, ControlError> {
        let built = builder.no_proxy().pool_idle_timeout(KEPT_CONNECTION).build();
        match built {
            Ok(http) => Ok(Self { http, at, base }),
            Err(error) => Err(ControlError::Unreachable {
                at,
                path: "anything".into(),
                reason: causes(&error),
            }),
        }
    }

    /// The whole state.
    pub async fn status(&self) -> Result<Snapshot, ControlError> {
        self.get(self.url(paths::STATUS), ANSWER_TIMEOUT).await
    }

    /// Do something to a process.
    pub async fn act(&self, node: &str, action: NodeAction) -> Result<NodeStatus, ControlError> {
        self.post(self.node_url(node), &action, ANSWER_TIMEOUT).await
    }

    /// One more node.
    pub async fn add(&self, request: &AddRequest) -> Result<NodeStatus, ControlError> {
        self.post(self.url(paths::NODES), request, ANSWER_TIMEOUT).await
    }

    /// One node less. Returns when it was asked to leave; a
    /// [`Removed`](crate::StreamEvent::Removed) tells when it has.
    pub async fn remove(&self, node: &str) -> Result<NodeStatus, ControlError> {
        let url = self.node_url(node);
        let path = url.path().to_owned();
        self.answer(&path, self.http.delete(url).timeout(ANSWER_TIMEOUT)).await
    }

    /// Other parameters.
    pub async fn set(&self, request: &SetRequest) -> Result<DevnetInfo, ControlError> {
        self.post(self.url(paths::SET), request, ANSWER_TIMEOUT).await
    }

    /// Let a client send a packet to itself.
    pub async fn ping(&self, request: &PingRequest) -> Result<Pong, ControlError> {
        let timeout = Duration::from_millis(request.timeout_ms).saturating_add(HELD_ANSWER_GRACE);
        self.post(self.url(paths::PING), request, timeout).await
    }

    /// Run an attack; returns when it is over.
    pub async fn attack(&self, request: &AttackRequest) -> Result<AttackStatus, ControlError> {
        let timeout = Duration::from_millis(request.wait_ms).saturating_add(ATTACK_GRACE);
        self.post(self.url(paths::ATTACKS), request, timeout).await
    }

    /// Send a message.
    pub async fn send(&self, request: &SendRequest) -> Result<MessageStatus, ControlError> {
        let timeout = Duration::from_millis(request.timeout_ms).saturating_add(HELD_ANSWER_GRACE);
        self.post(self.url(paths::SEND), request, timeout).await
    }

    /// The page of what a client has received that begins after this number; after 0 is the first. A
    /// client that is just being started again is waited for.
    pub async fn inbox(&self, client: &str, after: u64) -> Result<Inbox, ControlError> {
        let mut url = self.url(paths::INBOX);
        // What writes the query may not wait with us for the answer.
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("client", client).append_pair("after", &after.to_string());
        }
        self.get(url, INBOX_TIMEOUT + HELD_ANSWER_GRACE).await
    }

    /// What mixnodes reported to the directory in the last so many seconds, in steps of so many seconds;
    /// at most 600 of them.
    pub async fn history(&self, window_s: u64, step_s: u64) -> Result<History, ControlError> {
        let mut url = self.url(paths::HISTORY);
        url.set_query(Some(&format!("window={window_s}&step={step_s}")));
        self.get(url, ANSWER_TIMEOUT).await
    }

    /// Stop everything; returns when it is stopped.
    pub async fn down(&self, request: DownRequest) -> Result<DownReport, ControlError> {
        self.post(self.url(paths::DOWN), &request, DOWN_TIMEOUT).await
    }

    /// The event stream from here on; its first event is a snapshot.
    pub async fn events(&self) -> Result<EventStream, ControlError> {
        self.stream(self.url(paths::EVENTS)).await
    }

    /// What these mixnodes and providers know of packets that pass through them, from here on: events
    /// [`Passages`](crate::StreamEvent::Passages) and nothing else.
    pub async fn passages<Name: AsRef<str> + Sync>(
        &self,
        nodes: &[Name],
    ) -> Result<EventStream, ControlError> {
        let mut url = self.url(paths::PASSAGES);
        let names: Vec<&str> = nodes.iter().map(AsRef::as_ref).collect();
        url.query_pairs_mut().append_pair("nodes", &names.join(","));
        self.stream(url).await
    }

    async fn stream(&self, url: Url) -> Result<EventStream, ControlError> {
        let path = url.path().to_owned();
        let request = self.http.get(url);
        let response = within(ANSWER_TIMEOUT, request.send())
            .await
            .map_err(|reason| self.unreachable(&path, reason))?;
        let response = self.accepted(&path, response).await?;
        Ok(EventStream { response, at: self.at.clone(), buffer: Vec::new(), searched: 0 })
    }

    fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a path of this interface")
    }

    fn node_url(&self, node: &str) -> Url {
        let mut url = self.url(paths::NODES);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(node);
        }
        url
    }

    async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        timeout: Duration,
    ) -> Result<T, ControlError> {
        let path = url.path().to_owned();
        self.answer(&path, self.http.get(url).timeout(timeout)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        url: Url,
        body: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Result<T, ControlError> {
        let path = url.path().to_owned();
        self.answer(&path, self.http.post(url).json(body).timeout(timeout)).await
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ControlError> {
        let response =
            request.send().await.map_err(|error| self.unreachable(path, causes(&error)))?;
        let response = self.accepted(path, response).await?;
        response.json().await.map_err(|error| self.unreachable(path, causes(&error)))
    }

    async fn accepted(&self, path: &str, response: Response) -> Result<Response, ControlError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        match response.json::<Failure>().await {
            Ok(failure) => Err(failure.into()),
            Err(_) => Err(self.unreachable(path, format!("it answered {status}"))),
        }
    }

    fn unreachable(&self, path: &str, reason: String) -> ControlError {
        ControlError::Unreachable { at: self.at.clone(), path: path.into(), reason }
    }
}

/// The event stream of a devnet.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    at: String,
    buffer: Vec<u8>,
    /// Where no line ends before: a long one comes in many pieces.
    searched: usize,
}

impl EventStream {
    /// The next event; none when the devnet is gone. Can be dropped and called again.
    pub async fn next(&mut self) -> Result<Option<Envelope>, ControlError> {
        loop {
            let unread = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=self.searched + end).collect();
                self.searched = 0;
                return match serde_json::from_slice(&line) {
                    Ok(envelope) => Ok(Some(envelope)),
                    Err(error) => Err(self.broken(format!("not an event: {error}"))),
                };
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > MAX_EVENT_BYTES {
                return Err(self.broken(format!("an event is longer than {MAX_EVENT_BYTES} bytes")));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.broken(causes(&error))),
            }
        }
    }

    fn broken(&self, reason: String) -> ControlError {
        let path = paths::EVENTS.into();
        ControlError::Unreachable { at: self.at.clone(), path, reason }
    }
}

async fn within(
    limit: Duration,
    answer: impl Future<Output = reqwest::Result<Response>>,
) -> Result<Response, String> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(causes(&error)),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

/// The causes of an error in one line. The outermost says only that a request to an URL has failed,
/// and the URL is none that anybody can use.
fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    if causes.is_empty() { "the connection broke".into() } else { causes.join(": ") }
}
