//! Every route over real HTTP: its methods, the pages that may use it, and the form of its answers.

mod support;

use directory_server::Options;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, LOCATION, ORIGIN,
};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use serde_json::Value;
use support::{Directory, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The paths of all routes, as the directory itself lists them, and of the pages.
#[derive(Default)]
struct Routes {
    /// Those that take GET, but for websockets.
    reading: Vec<String>,
    /// Those that take POST.
    writing: Vec<String>,
    /// Those that take an upgrade to a websocket.
    sockets: Vec<String>,
}

impl Routes {
    async fn of(directory: &Directory) -> Self {
        let document = text(get(directory, "/swagger/doc.json").await).await;
        let document: Value = serde_json::from_str(&document).expect("a document");
        let mut routes = Self::default();
        routes.reading.extend(["/", "/swagger/index.html", "/swagger/doc.json"].map(String::from));
        for (path, item) in document["paths"].as_object().expect("paths") {
            if item["get"]["responses"]["101"].is_object() {
                routes.sockets.push(path.clone());
            } else if item["get"].is_object() {
                routes.reading.push(path.clone());
            }
            if item["post"].is_object() {
                routes.writing.push(path.clone());
            }
        }
        let counts = [routes.reading.len(), routes.writing.len(), routes.sockets.len()];
        assert!(counts.iter().all(|count| *count > 1), "{counts:?}");
        routes
    }
}

async fn get(directory: &Directory, path: &str) -> Response {
    soon(Client::new().get(directory.url(path)).send()).await.expect("an answer")
}

async fn text(response: Response) -> String {
    soon(response.text()).await.expect("a body")
}

/// Rows `who may write`, `pages that may open a websocket`.
#[tokio::test]
async fn foreign_web_pages_can_read_and_nothing_else() {
    let allowed_origins = vec!["https://lab.example".into()];
    let directory = Directory::start_with(Options { allowed_origins, ..Options::default() }).await;
    let Routes { reading, writing, sockets } = Routes::of(&directory).await;
    let client = Client::new();
    let request = async |method: Method, path: &str, origin: Option<&str>| {
        // No route takes this body.
        let mut request = client.request(method, directory.url(path)).body("7");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        soon(request.send()).await.expect("an answer")
    };
    let may_read = |response: &Response| {
        response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|origin| origin == "*")
    };
    let posts = writing.iter().map(|path| (Method::POST, path));
    for (method, path) in posts.chain(sockets.iter().map(|path| (Method::GET, path))) {
        for origin in ["http://evil.example", "null"] {
            let response = request(method.clone(), path, Some(origin)).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
            assert_eq!(may_read(&response), method == Method::GET, "{path}");
            assert!(text(response).await.contains(origin), "{path}");
        }
        for origin in ["http://localhost:3000", "https://lab.example"] {
            // It gets as far as the body, or as the upgrade that is missing.
            let response = request(method.clone(), path, Some(origin)).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
            assert!(may_read(&response), "{path}");
        }
        let response = request(method, path, None).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
    for path in &reading {
        for origin in ["http://evil.example", "null", "http://localhost:3000"] {
            let response = request(Method::GET, path, Some(origin)).await;
            assert!(response.status() == StatusCode::OK && may_read(&response), "{path}");
        }
        let response = request(Method::GET, path, None).await;
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
    directory.stop().await;
}

/// Row `preflight`.
#[tokio::test]
async fn a_browser_is_told_beforehand_what_its_page_may_do() {
    let directory = Directory::start().await;
    let Routes { reading, writing, sockets } = Routes::of(&directory).await;
    let ask = |path: &str, origin: Option<&'static str>| {
        let mut request = Client::new().request(Method::OPTIONS, directory.url(path));
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        soon(request.header("Access-Control-Request-Method", "POST").send())
    };
    for (origin, methods) in [("http://evil.example", "GET"), ("http://localhost:3000", "GET,POST")]
    {
        for path in [&reading, &writing, &sockets].into_iter().flatten() {
            let response = ask(path, Some(origin)).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
            assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], methods, "{path}");
            assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
        }
    }
    // No browser asks without saying for whom.
    let response = ask("/api/healthcheck", None).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    directory.stop().await;
}

/// Rows `HEAD`, `PUT and other methods`.
#[tokio::test]
async fn every_route_takes_its_methods_and_no_other() {
    let directory = Directory::start().await;
    let Routes { reading, writing, sockets } = Routes::of(&directory).await;
    let client = Client::new();
    let request = async |method: Method, path: &str| {
        let request = client.request(method, directory.url(path)).body("");
        soon(request.send()).await.expect("an answer")
    };
    for path in &reading {
        let got = request(Method::GET, path).await;
        assert_eq!(got.status(), StatusCode::OK, "{path}");
        let head = request(Method::HEAD, path).await;
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert_eq!(head.headers()[CONTENT_TYPE], got.headers()[CONTENT_TYPE], "{path}");
        assert_eq!(text(head).await, "", "{path}");
    }
    let nowhere =
        ["/nothing", "/api", "/ws/other", "/page/nothing", "/swagger/x"].map(String::from);
    for path in [&reading, &writing, &sockets].into_iter().flatten().chain(&nowhere) {
        let takes = |method: &Method| match *method {
            Method::GET => reading.contains(path) || sockets.contains(path),
            Method::POST => writing.contains(path),
            _ => false,
        };
        let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        for method in methods.into_iter().chain([Method::OPTIONS]) {
            let response = request(method.clone(), path).await;
            let (status, what) = (response.status(), format!("{method} {path}"));
            if takes(&method) {
                assert_ne!(status, StatusCode::NOT_FOUND, "{what}");
                continue;
            }
            assert_eq!(status, StatusCode::NOT_FOUND, "{what}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/plain", "{what}");
            assert_eq!(text(response).await, "404 page not found", "{what}");
        }
    }
    directory.stop().await;
}

/// Rows `trailing slash`, `/swagger/`.
#[tokio::test]
async fn a_last_slash_too_many_is_told_and_nothing_else() {
    let directory = Directory::start().await;
    let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
    let request = async |method: Method, path: &str| {
        soon(client.request(method, directory.url(path)).send()).await.expect("an answer")
    };
    for (method, path, status, location) in [
        (Method::GET, "/api/presence/topology/", 301, Some("/api/presence/topology")),
        (Method::GET, "/api/metrics/history/?step=7", 301, Some("/api/metrics/history?step=7")),
        (Method::GET, "/ws/events/", 301, Some("/ws/events")),
        (Method::POST, "/api/presence/mixnodes/", 307, Some("/api/presence/mixnodes")),
        (Method::GET, "/api/presence/topology//", 404, None),
        (Method::GET, "/nothing/", 404, None),
        (Method::GET, "/swagger", 308, Some("/swagger/index.html")),
        (Method::GET, "/swagger/", 308, Some("/swagger/index.html")),
    ] {
        let response = request(method, path).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let got = response.headers().get(LOCATION).map(|it| it.to_str().expect("text").to_owned());
        assert_eq!(got.as_deref(), location, "{path}");
    }
    // A program that follows it gets there, and posts there.
    let request = Client::new().post(directory.url("/api/presence/leave/"));
    let response = soon(request.body(r#"{"pubKey":"m"}"#).send()).await.expect("an answer");
    assert_eq!(text(response).await, r#"{"ok":true}"#);
    directory.stop().await;
}

/// Row `form of answers`.
#[tokio::test]
async fn answers_come_with_their_length() {
    let directory = Directory::start().await;
    for path in Routes::of(&directory).await.reading {
        let mut stream = TcpStream::connect(directory.address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("room in the socket");
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let length = format!("\r\ncontent-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{path}: {head}");
        assert!(head.contains("\r\ncontent-type: "), "{path}: {head}");
    }
    directory.stop().await;
}
