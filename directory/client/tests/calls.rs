//! The calls against a real directory, and against what is none.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use directory_api::{MixMetricReport, MixProviderReport, RegisteredClient, Topology};
use directory_client::{CALL_TIMEOUT, DirectoryClient, Error};
use support::{Directory, mixnode, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

fn provider() -> MixProviderReport {
    MixProviderReport {
        client_listener: "ws://127.0.0.1:9000".into(),
        mixnet_listener: "127.0.0.1:4000".into(),
        pub_key: "p".into(),
        version: "0.1.0".into(),
        location: "provider-1".into(),
        registered_clients: vec![RegisteredClient { pub_key: "c".into() }],
    }
}

#[tokio::test]
async fn every_call_reaches_its_route() {
    let directory = Directory::start().await;
    let client = directory.client();
    soon(client.healthcheck()).await.expect("healthy");
    assert_eq!(soon(client.topology()).await.expect("a topology"), Topology::default());

    soon(client.announce_mixnode(&mixnode("m"))).await.expect("accepted");
    soon(client.announce_mixprovider(&provider())).await.expect("accepted");
    soon(client.announce_gateway(&provider())).await.expect("accepted");
    let topology = soon(client.topology()).await.expect("a topology");
    assert_eq!(topology.mix_nodes[0].location, "mix-1-1");
    assert_eq!(topology.mix_provider_nodes[0].registered_clients, provider().registered_clients);
    assert_eq!(topology.gateway_nodes[0].client_listener, "ws://127.0.0.1:9000");

    soon(client.leave("p")).await.expect("accepted");
    soon(client.leave("p")).await.expect("accepted again");
    let topology = soon(client.topology()).await.expect("a topology");
    assert!(topology.mix_provider_nodes.is_empty() && topology.gateway_nodes.is_empty());
    assert_eq!(topology.mix_nodes.len(), 1);

    let sent = BTreeMap::from([("127.0.0.1:9981".to_owned(), 6)]);
    let report = MixMetricReport { pub_key: "m".into(), sent: sent.clone(), received: 3 };
    soon(client.report_metrics(&report)).await.expect("accepted");
    // Shown when their window is whole, which is within three seconds.
    let shown = soon(async {
        loop {
            let metrics = client.metrics().await.expect("a list");
            if let [metric] = metrics.as_slice() {
                break metric.clone();
            }
            tokio::task::yield_now().await;
        }
    });
    let shown = shown.await;
    assert_eq!((shown.pub_key.as_str(), shown.sent, shown.received), ("m", sent, 3));

    for (since, step, expected) in [
        (None, None, 10),
        (None, Some(60), 60),
        (Some(shown.timestamp), Some(1), 1),
        (Some(0), None, 10),
    ] {
        let history = soon(client.metrics_history(since, step)).await.expect("a history");
        assert_eq!(history.step, expected);
        assert!(since.is_none_or(|since| since == 0 || history.since <= since), "{history:?}");
        let [node] = history.nodes.as_slice() else { panic!("{history:?}") };
        let sum = |curve: &[Option<u64>]| curve.iter().flatten().sum::<u64>();
        assert_eq!((node.pub_key.as_str(), sum(&node.received), sum(&node.sent)), ("m", 3, 6));
    }
    directory.stop().await;
}

#[tokio::test]
async fn a_refusal_says_what_was_refused_where_and_why() {
    let directory = Directory::start().await;
    let client = directory.client();
    let mut report = mixnode("m");
    report.layer = 0;
    let error = soon(client.announce_mixnode(&report)).await.expect_err("refused");
    assert!(matches!(&error, Error::Refused { status: 400, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot announce a mixnode at `http://{}/api/presence/mixnodes`: the directory answered \
             400: Key: 'MixHostInfo.Layer' Error:Field validation for 'Layer' failed on the \
             'required' tag",
            directory.address
        )
    );
    let error = soon(client.metrics_history(None, Some(0))).await.expect_err("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read the history of metrics at `http://{}/api/metrics/history?step=0`: the \
             directory answered 400: a `step` of 0 s is not possible: take one of 1 to 3600 s",
            directory.address
        )
    );
    directory.stop().await;
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_reported_as_such() {
    let directory = Directory::start().await;
    let client = directory.client();
    let address = directory.address;
    directory.stop().await;
    let error = soon(client.topology()).await.expect_err("nobody listens");
    assert_eq!(
        error.to_string(),
        format!("cannot read the topology at `http://{address}/api/presence/topology`")
    );
    let Error::Unreachable { cause, .. } = error else { panic!("{error:?}") };
    assert!(cause.to_string().contains("refused"), "{cause}");

    // The same client works when it is there again, although its old connection is dead.
    let directory = Directory::start_at(address).await;
    soon(client.announce_mixnode(&mixnode("m"))).await.expect("accepted");
    directory.stop().await;
}

#[tokio::test]
async fn a_directory_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = DirectoryClient::new(&address.to_string()).expect("a client");
    let start = Instant::now();
    let accept = async {
        let (mut stream, _) = soon(listener.accept()).await.expect("a connection");
        assert!(soon(stream.read_u8()).await.is_ok(), "the request came");
        // From here on time passes as soon as nothing else is to do.
        tokio::time::pause();
        std::future::pending::<()>().await;
        drop(stream);
    };
    let error = tokio::select! {
        result = client.healthcheck() => result.expect_err("no answer"),
        () = accept => unreachable!("it waits for ever"),
    };
    assert!(matches!(error, Error::TimedOut { after: CALL_TIMEOUT, .. }), "{error:?}");
    assert!(start.elapsed() < CALL_TIMEOUT + Duration::from_secs(1), "{:?}", start.elapsed());
}

/// A server that answers the next request with this, and closes.
async fn answer_with(listener: &TcpListener, answer: &[u8]) {
    let (mut stream, _) = soon(listener.accept()).await.expect("a connection");
    let mut request = vec![0; 4096];
    assert!(soon(stream.read(&mut request)).await.expect("a request") > 0);
    // It may have heard enough before the end.
    let _ = soon(stream.write_all(answer)).await;
}

#[tokio::test]
async fn what_is_no_directory_is_not_believed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let client = DirectoryClient::new(&format!("http://{address}/")).expect("a client");

    let html = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
    let (result, ()) = tokio::join!(client.topology(), answer_with(&listener, html));
    let error = result.expect_err("not JSON");
    assert!(matches!(&error, Error::Unreadable { .. }), "{error:?}");
    let (result, ()) = tokio::join!(client.leave("key"), answer_with(&listener, html));
    let error = result.expect_err("whoever took it did not understand it");
    assert!(matches!(&error, Error::Unreadable { .. }), "{error:?}");

    let elsewhere = b"HTTP/1.1 302 Found\r\nLocation: http://example.invalid/\r\n\
        Content-Length: 4\r\nConnection: close\r\n\r\nthere";
    let (result, ()) = tokio::join!(client.topology(), answer_with(&listener, elsewhere));
    let error = result.expect_err("redirects are not followed");
    assert!(error.to_string().ends_with("the directory answered 302: ther"), "{error}");

    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(endless.len() + directory_client::MAX_ANSWER_BYTES + 1, b' ');
    let (result, ()) = tokio::join!(client.topology(), answer_with(&listener, &endless));
    let error = result.expect_err("too long");
    assert!(error.to_string().contains("longer than 41943040 bytes"), "{error}");
}
