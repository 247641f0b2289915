//! Where we answer otherwise than a recording, and why: rows of the table in `docs/directory.md`.

/// An exchange that is answered in another way.
pub(crate) struct Difference {
    /// Releases in whose recordings it is.
    pub(crate) releases: &'static [&'static str],
    pub(crate) title: &'static str,
    /// Rows of the table that say why.
    pub(crate) cases: &'static [&'static str],
    /// What we answer: status, headers, an empty line, body.
    pub(crate) ours: &'static str,
}

const fn differs(
    releases: &'static [&'static str],
    title: &'static str,
    cases: &'static [&'static str],
    ours: &'static str,
) -> Difference {
    Difference { releases, title, cases, ours }
}

const V5: &[&str] = &["v0.5.0"];
const V7: &[&str] = &["v0.7.0"];
const BOTH: &[&str] = &["v0.5.0", "v0.7.0"];

/// An answer in JSON: status, body, and what comes between.
macro_rules! json {
    ($status:literal, $($body:literal),+) => {
        concat!($status, "\ncontent-type: application/json\n\n", $($body),+)
    };
}

const CREATED: &str = json!(201, r#"{"ok":true}"#);

pub(crate) const DIFFERENCES: &[Difference] = &[
    differs(V5, "gateways (route of the other release)", &["routes of one release"], CREATED),
    differs(V7, "mixproviders (route of the other release)", &["routes of one release"], CREATED),
    differs(
        V5,
        "topology after posts",
        &["four lists", "routes of one release"],
        json!(
            200,
            r#"{"cocoNodes":["#,
            r#"{"host":"127.0.0.1:4000","pubKey":"coco-a","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T},"#,
            r#"{"host":"127.0.0.1:4001","pubKey":"coco-b","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T},"#,
            r#"{"host":"","pubKey":"coco-c","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T}],"#,
            r#""mixNodes":["#,
            r#"{"host":"127.0.0.1:1790","pubKey":"pubkey-a","version":"0.5.0","#,
            r#""location":"here","layer":1,"lastSeen":T}],"#,
            r#""mixProviderNodes":["#,
            r#"{"clientListener":"127.0.0.1:9000","mixnetListener":"127.0.0.1:4000","#,
            r#""pubKey":"prov-a","version":"0.5.0","location":"here","#,
            r#""registeredClients":[{"pubKey":"c1"}],"lastSeen":T}],"#,
            r#""gatewayNodes":["#,
            r#"{"clientListener":"127.0.0.1:9000","mixnetListener":"127.0.0.1:4000","#,
            r#""pubKey":"prov-a","version":"0.5.0","location":"here","#,
            r#""registeredClients":[{"pubKey":"c1"}],"lastSeen":T}]}"#
        ),
    ),
    differs(
        V7,
        "topology after posts",
        &["routes of one release"],
        json!(
            200,
            r#"{"cocoNodes":["#,
            r#"{"host":"127.0.0.1:4000","pubKey":"coco-a","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T},"#,
            r#"{"host":"127.0.0.1:4001","pubKey":"coco-b","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T},"#,
            r#"{"host":"","pubKey":"coco-c","version":"0.5.0","location":"here","#,
            r#""type":"validator","lastSeen":T}],"#,
            r#""mixNodes":["#,
            r#"{"host":"127.0.0.1:1790","pubKey":"pubkey-a","version":"0.7.0","#,
            r#""location":"here","layer":1,"lastSeen":T}],"#,
            r#""mixProviderNodes":["#,
            r#"{"clientListener":"127.0.0.1:9000","mixnetListener":"127.0.0.1:4000","#,
            r#""pubKey":"prov-a","version":"0.5.0","location":"here","#,
            r#""registeredClients":[{"pubKey":"c1"}],"lastSeen":T}],"#,
            r#""gatewayNodes":["#,
            r#"{"clientListener":"127.0.0.1:9000","mixnetListener":"127.0.0.1:4000","#,
            r#""pubKey":"prov-a","version":"0.5.0","location":"here","#,
            r#""registeredClients":[{"pubKey":"c1"}],"lastSeen":T}]}"#
        ),
    ),
    differs(
        BOTH,
        "mixnode not JSON",
        &["wording of JSON errors"],
        json!(
            400,
            r#"{"error":"the body cannot be read as JSON: expected value at line 1 column 1"}"#
        ),
    ),
    differs(
        V5,
        "mixnode {}",
        &["location"],
        json!(
            400,
            r#"{"error":"Key: 'MixHostInfo.HostInfo.PubKey' Error:Field validation for 'PubKey' "#,
            r"failed on the 'required' tag\n",
            r"Key: 'MixHostInfo.HostInfo.Version' Error:Field validation for 'Version' ",
            r"failed on the 'required' tag\n",
            r"Key: 'MixHostInfo.Layer' Error:Field validation for 'Layer' ",
            r#"failed on the 'required' tag"}"#
        ),
    ),
    differs(V5, "mixnode missing location", &["location"], CREATED),
    differs(V5, "mixnode empty location", &["location"], CREATED),
    differs(
        BOTH,
        "mixnode XSS pubKey/host/location/version",
        &["HTML in texts"],
        json!(400, r#"{"error":"`pubKey` contains `<` or `>`"}"#),
    ),
    differs(
        V5,
        "mixproviders {}",
        &["location", "order of complaints"],
        json!(
            400,
            r#"{"error":"Key: 'MixProviderHostInfo.PubKey' Error:Field validation for 'PubKey' "#,
            r"failed on the 'required' tag\n",
            r"Key: 'MixProviderHostInfo.Version' Error:Field validation for 'Version' ",
            r"failed on the 'required' tag\n",
            r"Key: 'MixProviderHostInfo.RegisteredClients' Error:Field validation for ",
            r#"'RegisteredClients' failed on the 'required' tag"}"#
        ),
    ),
    differs(V5, "mixproviders no location", &["location"], CREATED),
    differs(
        V5,
        "metrics missing received",
        &["tag of `received`"],
        json!(
            400,
            r#"{"error":"Key: 'MixMetric.Received' Error:Field validation for 'Received' "#,
            r#"failed on the 'required' tag"}"#
        ),
    ),
    differs(
        V5,
        "metrics {}",
        &["tag of `received`"],
        json!(
            400,
            r#"{"error":"Key: 'MixMetric.PubKey' Error:Field validation for 'PubKey' "#,
            r"failed on the 'required' tag\n",
            r"Key: 'MixMetric.Sent' Error:Field validation for 'Sent' ",
            r"failed on the 'required' tag\n",
            r"Key: 'MixMetric.Received' Error:Field validation for 'Received' ",
            r#"failed on the 'required' tag"}"#
        ),
    ),
    differs(
        BOTH,
        "trailing slash GET",
        &["trailing slash"],
        "301\nlocation: /api/presence/topology\n\n",
    ),
    differs(BOTH, "HEAD healthcheck", &["HEAD"], json!(200, "")),
    differs(
        BOTH,
        "OPTIONS preflight",
        &["preflight"],
        "204\n\
         access-control-allow-headers: Origin,Content-Length,Content-Type\n\
         access-control-allow-methods: GET\n\
         access-control-allow-origin: *\n\
         access-control-max-age: 43200\n\n",
    ),
    differs(
        BOTH,
        "GET /ws without upgrade",
        &["/ws without an upgrade"],
        concat!(
            "400\ncontent-type: application/json\nsec-websocket-version: 13\n\n",
            r#"{"error":"this is a websocket: Connection header did not include 'upgrade'"}"#
        ),
    ),
    differs(
        BOTH,
        "GET /ws upgrade bad version",
        &["/ws without an upgrade"],
        concat!(
            "400\ncontent-type: application/json\nsec-websocket-version: 13\n\n",
            r#"{"error":"this is a websocket: "#,
            r#"`Sec-WebSocket-Version` header did not include '13'"}"#
        ),
    ),
    differs(
        V5,
        "big body 3 MB pubKey",
        &["long bodies"],
        json!(413, r#"{"error":"the body is longer than 65536 bytes"}"#),
    ),
    differs(
        V7,
        "disallow not JSON",
        &["wording of JSON errors"],
        json!(
            400,
            r#"{"error":"the body cannot be read as JSON: expected value at line 1 column 1"}"#
        ),
    ),
];
