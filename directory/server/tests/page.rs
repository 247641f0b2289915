//! The page for people: its headers, and what a real browser makes of it.

mod browser;
mod support;

use std::net::SocketAddr;

use browser::Browser;
use directory_server::Options;
use fantoccini::Locator;
use fantoccini::key::Key;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use support::{Directory, soon};

const MIXNODES: &str = "/api/presence/mixnodes";
const GATEWAYS: &str = "/api/presence/gateways";
const DISALLOW: &str = "/api/presence/disallow";
const METRICS: &str = "/api/metrics/mixes";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

async fn get(directory: &Directory, path: &str) -> (String, String) {
    let answer = soon(Client::new().get(directory.url(path)).send()).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let headers = answer.headers().clone();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-security-policy"), Some(POLICY), "{path}");
    assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(header("referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(header("cache-control"), Some("no-cache"), "{path}");
    let content_type = header("content-type").unwrap_or_default().to_owned();
    (content_type, soon(answer.text()).await.expect("a text"))
}

async fn post(directory: &Directory, path: &str, body: &Value) {
    post_by(&Client::new(), directory, path, body).await;
}

async fn post_by(client: &Client, directory: &Directory, path: &str, body: &Value) {
    let request = client.post(directory.url(path)).body(body.to_string());
    let answer = soon(request.send()).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED, "{body}");
}

fn mixnode(name: &str, layer: u64, port: u16) -> Value {
    json!({
        "host": format!("127.0.0.1:{port}"), "pubKey": format!("key-of-{name}"),
        "version": "0.7.0", "location": name, "layer": layer,
    })
}

/// The page and everything that it names, each with the headers that keep everything else out.
#[tokio::test]
async fn every_file_is_there_and_names_only_this_directory() {
    let directory = Directory::start().await;
    let (content_type, html) = get(&directory, "/").await;
    assert_eq!(content_type, "text/html; charset=utf-8");
    assert!(html.contains("page/main.js") && html.contains("page/page.css"));
    assert!(!html.contains("<script>") && !html.contains("<style") && !html.contains(" style="));
    let handler = html.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
    assert_eq!(handler, None, "no script in an attribute");

    let style = get(&directory, "/page/page.css").await;
    assert_eq!(style.0, "text/css; charset=utf-8");
    let icon = get(&directory, "/page/icon.svg").await;
    assert_eq!(icon.0, "image/svg+xml");
    let mut texts = vec![html, style.1];
    let mut names = vec!["main.js".to_owned()];
    let mut next = 0;
    while let Some(name) = names.get(next) {
        let (content_type, text) = get(&directory, &format!("/page/{name}")).await;
        assert_eq!(content_type, "text/javascript; charset=utf-8", "{name}");
        for import in text.lines().filter_map(|line| line.split_once(" from './")) {
            let import = import.1.trim_end_matches("';").to_owned();
            if !names.contains(&import) {
                names.push(import);
            }
        }
        texts.push(text);
        next += 1;
    }
    assert!(names.contains(&"model.js".to_owned()), "{names:?}");
    for text in texts {
        // Of SVG only its name, which is no address.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for word in ["http://", "https://", "innerHTML", "outerHTML", "insertAdjacent", "eval("] {
            assert!(!text.contains(word), "{word} in {}", text.lines().next().unwrap_or_default());
        }
    }
    directory.stop().await;
}

#[tokio::test]
async fn a_browser_shows_what_the_directory_hears() {
    let Some(browser) = Browser::start().await else { return };
    let directory = Directory::start().await;
    soon(browser.page.goto(&directory.url("/"))).await.expect("the page");

    keeps_the_disallowed_in_sight(&browser, &directory).await;
    shows_how_to_begin(&browser, &directory).await;
    shows_nodes_and_who_is_late(&browser, &directory).await;
    is_used_from_the_keyboard(&browser).await;
    shows_packets(&browser, &directory).await;
    divides_by_seconds_with_reports(&browser).await;
    holds_its_log_on_request(&browser, &directory).await;
    follows_its_log_until_scrolled(&browser, &directory).await;
    shows_any_text_as_text(&browser, &directory).await;
    shows_a_thousand_nodes(&browser, &directory).await;
    assert_eq!(browser.console().await, Vec::<String>::new(), "errors and violations");
    comes_back(&browser, directory).await;
    browser.close().await;
}

/// `/ws/events` says once that a node is disallowed, and no snapshot has it.
async fn keeps_the_disallowed_in_sight(browser: &Browser, directory: &Directory) {
    let outcast = mixnode("outcast", 2, 9984);
    let is = |state: &str| format!("{}?.classList.contains('{state}')", of("outcast"));
    let heartbeat = "document.querySelector('#table tbody tr.disallowed .mono')?.textContent";
    post(directory, MIXNODES, &outcast).await;
    browser.until(&is("here")).await;
    post(directory, DISALLOW, &json!({ "pubKey": "key-of-outcast" })).await;
    browser.until(&is("disallowed")).await;
    browser.until(&format!("{heartbeat} === '–'")).await;
    let note = format!("{}.querySelector('.note')", of("outcast"));
    browser.until(&format!("/^disallowed [0-9.]+ s$/.test({note}.textContent)")).await;
    let fits = format!(
        "{note}.getBoundingClientRect().right <= {}.querySelector('.frame').getBoundingClientRect().right",
        of("outcast")
    );
    assert_eq!(browser.get(&fits).await, true);

    post(directory, MIXNODES, &outcast).await;
    soon(browser.page.refresh()).await.expect("the page again");
    browser.until(&is("disallowed")).await;
    browser.until(&format!("{heartbeat} === '–'")).await;
    // Since when, this page has not heard.
    assert_eq!(browser.get(&format!("{note}.textContent")).await, "disallowed");

    let request = Client::new().post(directory.url("/api/presence/allow"));
    let request = request.body(json!({ "pubKey": "key-of-outcast" }).to_string());
    let answer = soon(request.send()).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    post(directory, MIXNODES, &outcast).await;
    browser.until(&is("here")).await;
    leave(directory, "key-of-outcast").await;
    browser.until(&is("left")).await;
}

async fn shows_how_to_begin(browser: &Browser, directory: &Directory) {
    browser.until("document.body.dataset.connection === 'live'").await;
    browser.until("!document.getElementById('empty').hidden").await;
    let command = browser.get("document.getElementById('announce').textContent").await;
    let command = command.as_str().expect("a text");
    assert!(command.contains(&directory.url(MIXNODES)), "{command}");
    // The command works as it stands there.
    let body = command.split('\'').nth(3).expect("a body");
    post(directory, MIXNODES, &serde_json::from_str(body).expect("JSON")).await;
    browser.until("document.querySelector('#map .name')?.textContent === 'clients'").await;
    browser.until(&named("announced-by-curl")).await;
    assert_eq!(browser.get("document.getElementById('empty').hidden").await, true);
}

async fn shows_nodes_and_who_is_late(browser: &Browser, directory: &Directory) {
    // Nobody announces it again, and its age is seen to grow until it is late.
    browser.until(&format!("{}?.classList.contains('late')", of("announced-by-curl"))).await;
    browser
        .until("document.querySelector('#table tbody tr.late')?.textContent.includes('late')")
        .await;
    let appears = async |name: &str| {
        browser.until(&named(name)).await;
        browser.until(&format!("{}.classList.contains('here')", of(name))).await;
    };
    for (name, layer, port) in [("mix-1-1", 1, 9980), ("mix-1-2", 1, 9981), ("mix-2-1", 2, 9982)] {
        post(directory, MIXNODES, &mixnode(name, layer, port)).await;
        appears(name).await;
    }
    let gateway = json!({
        "clientListener": "ws://127.0.0.1:9000", "mixnetListener": "127.0.0.1:4000",
        "pubKey": "key-of-provider-1", "version": "0.7.0", "location": "provider-1",
        "registeredClients": [{ "pubKey": "alice" }, { "pubKey": "bob" }],
    });
    post(directory, GATEWAYS, &gateway).await;
    appears("provider-1").await;
    for heading in ["CLIENTS", "LAYER 1", "LAYER 2", "PROVIDERS"] {
        browser
            .until(&format!("document.getElementById('map').textContent.includes('{heading}')"))
            .await;
    }
    browser
        .until("document.getElementById('status-detail').textContent.includes('2 clients')")
        .await;
    // Who leaves is shown as such for a while.
    post(directory, MIXNODES, &mixnode("leaver", 2, 9983)).await;
    appears("leaver").await;
    leave(directory, "key-of-leaver").await;
    browser.until(&format!("{}.classList.contains('left')", of("leaver"))).await;
    leave(directory, "a-key").await;
    browser.until("document.getElementById('nodes-count').textContent === '4'").await;
}

/// One stop for the tab key, arrows from node to node; what has the focus is told in full.
async fn is_used_from_the_keyboard(browser: &Browser) {
    let stops = "document.querySelectorAll('#map [tabindex=\"0\"]').length";
    assert_eq!(browser.get(stops).await, 1);
    let clients = Locator::Css("#map [data-id=clients]");
    let clients = soon(browser.page.find(clients)).await.expect("a box");
    soon(clients.send_keys(&Key::Right.to_string())).await.expect("a key");
    let name = "document.querySelector('#card .card-name').textContent";
    browser.until(&format!("{name} === 'announced-by-curl'")).await;
    let node = soon(browser.page.active_element()).await.expect("a box with the focus");
    soon(node.send_keys(&Key::Down.to_string())).await.expect("a key");
    browser.until("document.querySelector('#card .key').textContent === 'key-of-mix-1-1'").await;
    assert_eq!(browser.get(stops).await, 1);
}

async fn holds_its_log_on_request(browser: &Browser, directory: &Directory) {
    let pause = "document.getElementById('log-pause').click()";
    let text = "document.getElementById('log').textContent";
    browser.get(pause).await;
    post(directory, METRICS, &json!({ "pubKey": "paused", "sent": {}, "received": 0 })).await;
    browser
        .until("document.getElementById('log-state').textContent.includes('paused, 1 waiting')")
        .await;
    let shown = browser.get(text).await;
    assert!(!shown.as_str().expect("a text").contains("paused"), "{shown}");
    browser.get(pause).await;
    browser.until(&format!("{text}.includes('paused')")).await;
}

/// Newest lines stay in sight in a window of any width, but not for somebody who reads older ones.
async fn follows_its_log_until_scrolled(browser: &Browser, directory: &Directory) {
    let hop = "a-hop-with-a-long-name-".repeat(10);
    for index in 0..20 {
        let report =
            json!({ "pubKey": format!("line-{index}"), "sent": { &hop: 0 }, "received": 0 });
        post(directory, METRICS, &report).await;
    }
    let log = "document.getElementById('log')";
    let is_at_end = format!("{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 24");
    let offers = "!document.getElementById('log-newest').hidden";
    browser.until(&format!("{log}.textContent.includes('line-19')")).await;
    let height = browser.get(&format!("{log}.scrollHeight")).await;
    soon(browser.page.set_window_size(640, 1000)).await.expect("a narrower window");
    browser.until(&format!("{log}.scrollHeight > {height} && {is_at_end} && !({offers})")).await;
    browser.get(&format!("{log}.scrollTo(0, 0)")).await;
    browser.until(offers).await;
    soon(browser.page.set_window_size(1280, 1000)).await.expect("a wider window");
    let report = json!({ "pubKey": "below", "sent": {}, "received": 0 });
    post(directory, METRICS, &report).await;
    browser.until(&format!("{log}.textContent.includes('below')")).await;
    browser.until(&format!("{log}.scrollTop === 0 && {offers}")).await;
    browser.get("document.getElementById('log-newest').click()").await;
    browser.until(&format!("{is_at_end} && !({offers})")).await;
}

/// While a directory restarts, reports are lost; afterwards the mean must not tell of a silence.
async fn divides_by_seconds_with_reports(browser: &Browser) {
    let tried = "
        const done = arguments[0];
        import('/page/rates.js').then(({ Reports }) => {
            const reports = new Reports();
            for (const at of [1000, 2000, 3000]) reports.add(at, 10, { hop: 10 });
            reports.cut();
            for (const at of [6000, 7000]) reports.add(at, 10, { hop: 10 });
            const { received, sent, last } = reports.rates(7000);
            done([received, sent, last.received].map(Math.round));
        })";
    let rates = browser.page.execute_async(tried, vec![]).await.expect("no error");
    assert_eq!(rates, json!([10, 10, 10]));
}

async fn shows_packets(browser: &Browser, directory: &Directory) {
    // A first report counts for one second, so that its counts are rates.
    let report = json!({
        "pubKey": "key-of-mix-1-1", "sent": { "127.0.0.1:9982": 30 }, "received": 40,
    });
    post(directory, METRICS, &report).await;
    let last = json!({
        "pubKey": "key-of-mix-2-1", "sent": { "127.0.0.1:4000": 20 }, "received": 25,
    });
    post(directory, METRICS, &last).await;
    let figure = |name: &str, rate: &str| {
        format!("{}.querySelector('.figure').textContent === '{rate}'", of(name))
    };
    browser.until(&figure("mix-1-1", "40/s")).await;
    // What a provider receives is what mixnodes sent to its address.
    browser.until(&figure("provider-1", "20/s")).await;
    let labels =
        "Array.from(document.querySelectorAll('#map .labels text'), (text) => text.textContent)";
    for rate in ["30/s", "20/s", "40/s"] {
        browser.until(&format!("{labels}.includes('{rate}')")).await;
    }
    assert_eq!(browser.get("document.getElementById('received-total').textContent").await, "65");
    assert_eq!(browser.get("document.getElementById('sent-total').textContent").await, "50");
    // The line of `/ws` as it came.
    let line =
        r#"{"pubKey":"key-of-mix-1-1","sent":{"127.0.0.1:9982":30},"received":40,"timestamp":"#;
    browser.until(&format!("document.getElementById('log').textContent.includes('{line}')")).await;
}

async fn shows_any_text_as_text(browser: &Browser, directory: &Directory) {
    let texts = [
        r#"'"&amp;\u003cimg src=x onerror=alert(1)\u003e"#,
        "${alert(1)} javascript:alert(1)",
        "\u{202e}eldoon \u{5d0}\u{5d1}\u{5d2}",
        &"very long ".repeat(26),
        "\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}\u{1f9c5}",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        let mut node = mixnode(text, 3, 9990);
        node["pubKey"] = json!(format!("{index}&'\"`{{}}"));
        post(directory, MIXNODES, &node).await;
        let wanted =
            format!("document.querySelector('#card .card-name').textContent === {}", json!(text));
        // By the key, which is in full only in the card.
        let row =
            format!("document.querySelector('#table tr[data-id^=\"mixnode {index}&\"] button')");
        browser.until(&row).await;
        browser.get(&format!("{row}.click()")).await;
        browser.until(&wanted).await;
    }
    let strangers =
        "document.querySelectorAll('img:not([alt=\"\"]), script:not([src]), iframe').length";
    assert_eq!(browser.get(strangers).await, 0);
    // The directory refuses markup, so that the page's own way with it is tried here.
    let tried = "
        const done = arguments[0];
        import('/page/dom.js').then(({ make }) => {
            const element = make('p', {}, '<img src=x onerror=alert(1)>');
            done([element.childElementCount, element.textContent]);
        })";
    let made = browser.page.execute_async(tried, vec![]).await.expect("no alert");
    assert_eq!(made, json!([0, "<img src=x onerror=alert(1)>"]));
}

async fn shows_a_thousand_nodes(browser: &Browser, directory: &Directory) {
    let client = Client::new();
    for index in 0..1000_u16 {
        let node = mixnode(&format!("many-{index}"), 4, 20_000 + index);
        post_by(&client, directory, MIXNODES, &node).await;
    }
    browser.until("document.querySelectorAll('#map [data-id*=key-of-many]').length === 1000").await;
    assert_eq!(browser.get("document.querySelectorAll('#table tbody tr').length").await, 150);
    browser.get("document.getElementById('show-all').click()").await;
    browser.until("document.querySelectorAll('#table tbody tr').length > 1000").await;
    browser.get("document.getElementById('show-all').click()").await;
    browser.until("document.querySelectorAll('#table tbody tr').length === 150").await;
}

/// The directory stops, and another begins under the same address.
async fn comes_back(browser: &Browser, directory: Directory) {
    post(&directory, MIXNODES, &mixnode("mix-1-1", 1, 9980)).await;
    browser.until(&format!("{}?.classList.contains('here')", of("mix-1-1"))).await;
    let address: SocketAddr = directory.address;
    directory.stop().await;
    browser.until("document.body.dataset.connection === 'reconnecting'").await;
    browser.until("document.getElementById('status-detail').textContent.includes('as of')").await;
    // What was true is still there.
    browser.until(&named("mix-1-1")).await;

    let directory = Directory::start_at(address, Options::default()).await;
    browser.until("document.body.dataset.connection === 'live'").await;
    // It may have had no time to say that it is still there.
    browser.until(&format!("{}?.classList.contains('missing')", of("mix-1-1"))).await;
    post(&directory, MIXNODES, &mixnode("newcomer", 1, 9980)).await;
    browser.until(&format!("{}?.classList.contains('here')", of("newcomer"))).await;
    browser.until("document.getElementById('nodes-count').textContent === '1'").await;
    // The totals are not what they were: nobody counted meanwhile.
    browser.until("document.getElementById('received-total').textContent === 'at least 65'").await;
    browser.until("document.getElementById('log-state').textContent.startsWith('live')").await;
    browser.until(&format!("{}?.classList.contains('gone')", of("mix-1-1"))).await;
    for message in browser.console().await {
        let is_connection = message.contains("ERR_CONNECTION") || message.contains("WebSocket");
        assert!(is_connection && !message.contains("Security Policy"), "{message}");
    }
    directory.stop().await;
}

async fn leave(directory: &Directory, key: &str) {
    let request = Client::new().post(directory.url("/api/presence/leave"));
    let answer = soon(request.body(json!({ "pubKey": key }).to_string()).send()).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
}

/// The box of a node on the map, by its name.
fn of(name: &str) -> String {
    format!(
        "Array.from(document.querySelectorAll('#map .box'))
            .find((box) => box.querySelector('.name')?.textContent === '{name}')"
    )
}

fn named(name: &str) -> String {
    format!("{} !== undefined", of(name))
}
