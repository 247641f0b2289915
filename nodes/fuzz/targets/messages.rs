//! Messages out of fragments: two bytes of input are a fragment, of one of 256 messages. A message is
//! complete when its last missing fragment comes, with the data that was sent, and only once.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use wire::{FRAGMENT_DATA_BYTES, Fragment, MessageId, Reassembler, Reassembly, split};

/// Incomplete messages that are never forgotten: more push out the oldest.
const ALWAYS_KEPT: usize = 64;

fuzz_target!(|data: &[u8]| {
    let mut reassembler = Reassembler::default();
    let mut seen: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
    let mut delivered = BTreeSet::new();
    for [number, which] in data.as_chunks().0 {
        let sent = message(*number);
        let fragments = split(MessageId([*number; 16]), &sent).expect("it is short");
        let index = usize::from(*which) % (fragments.len() + 1);
        let Some(fragment) = fragments.get(index).cloned() else {
            // One that claims another count than the message has.
            if seen.contains_key(number) && seen.len() <= ALWAYS_KEPT {
                let count = fragments[0].count + 1;
                let hostile = reassembler.take(Fragment { count, ..fragments[0].clone() });
                match hostile {
                    Ok(outcome) => assert_eq!(outcome, Reassembly::Duplicate),
                    Err(_) => assert!(!delivered.contains(number)),
                }
            }
            continue;
        };
        let index = fragment.index;
        let outcome = reassembler.take(fragment).expect("it agrees with the others");
        let pieces = seen.entry(*number).or_default();
        let is_new = pieces.insert(index);
        match outcome {
            Reassembly::Complete { message, data } => {
                assert_eq!(message, MessageId([*number; 16]));
                assert!(data == sent, "message {number} is not what was sent");
                assert!(pieces.len() == fragments.len(), "message {number} is complete too early");
                assert!(delivered.insert(*number), "message {number} is delivered twice");
            }
            Reassembly::Duplicate => assert!(!is_new, "{number}/{index} came for the first time"),
            Reassembly::Incomplete => {
                assert!(!delivered.contains(number), "message {number} begins again");
                // Where nothing was forgotten, what is missing did not come.
                let is_whole = pieces.len() == fragments.len();
                assert!(!is_whole || seen.len() > ALWAYS_KEPT, "message {number} is not told");
            }
        }
    }
});

/// As long as its number says: of one to four fragments, the empty one included.
fn message(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * FRAGMENT_DATA_BYTES * 4 / 256]
}
