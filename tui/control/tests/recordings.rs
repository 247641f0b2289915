//! Recordings of other versions are played: of those before, and as far as can be of those to come.

use std::collections::BTreeMap;
use std::path::Path;

use control::{Envelope, Recording, StreamEvent};

/// Made when a crowd was one sender and one recipient to an observer.
const CROWD_AS_ONE: &str = "tests/recordings/crowd-as-one.jsonl";

/// Packets by sender and recipient.
fn links(recording: &mut Recording) -> BTreeMap<(String, String), usize> {
    let mut links = BTreeMap::new();
    while let Some(Envelope { event, .. }) = recording.next_event() {
        if let StreamEvent::Links { src, links: packets } = event {
            for packet in packets {
                assert_eq!(packet.from, None, "nobody told it then");
                *links.entry((src.clone(), packet.dst)).or_default() += 1;
            }
        }
    }
    links
}

#[test]
fn one_from_before_identities_were_told_apart_is_read_whole() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(CROWD_AS_ONE);
    let mut recording = Recording::open(&file).expect("a recording");
    let links = links(&mut recording);
    let between = |src: &str, dst: &str| links.get(&(src.into(), dst.into())).copied();
    assert_eq!(between("crowd", "mix-1-1"), Some(41));
    assert_eq!(between("provider-1", "crowd"), Some(81));
    assert_eq!(links.len(), 6, "{links:?}");
    assert!(!recording.end().contains("left out"), "{}", recording.end());
}

#[test]
fn fields_of_versions_to_come_are_passed_over() {
    let line = r#"{"seq":1,"t":2,"unix_ms":3,"event":{"type":"links","src":"crowd","medium":"air",
        "links":[{"t":4,"from":2,"dst":"mix-1-1","bytes":2396,"colour":"blue"}]},"more":[1]}"#;
    let Envelope { event, .. } = serde_json::from_str(line).expect("a line");
    let StreamEvent::Links { links, .. } = event else { panic!("{event:?}") };
    assert_eq!((links[0].from, links[0].dst.as_str()), (Some(2), "mix-1-1"));

    let line = r#"{"seq":1,"t":2,"unix_ms":3,"event":{"type":"origins","packets":[{"left":1,"mix":"m",
        "provider":"p","origin":"crowd-2","carried":"cover","entered":7}]}}"#;
    let Envelope { event, .. } = serde_json::from_str(line).expect("a line");
    let StreamEvent::Origins { packets } = event else { panic!("{event:?}") };
    assert_eq!(packets[0].origin, "crowd-2");

    let line = r#"{"seq":1,"t":2,"unix_ms":3,"event":{"type":"lost","node":"alice","count":2}}"#;
    let Envelope { event, .. } = serde_json::from_str(line).expect("a line");
    assert_eq!(event, StreamEvent::Lost { node: "alice".into(), count: 2, links: 0 });
}
