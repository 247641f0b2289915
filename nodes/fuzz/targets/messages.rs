//! Messages out of pieces: two bytes of input are a piece, of one of 256 messages. A message is complete
//! when its last missing piece comes, with the data that was sent, and only once, whether an application
//! takes it meanwhile or not.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use client::{Kept, MessageFile};
use libfuzzer_sys::fuzz_target;
use wire::{FRAGMENT_DATA_BYTES, Fragment, Kind, MessageId, fragment_count};

/// Pieces in one transaction.
const BATCH: usize = 5;

fuzz_target!(|data: &[u8]| {
    let mut file = MessageFile::in_memory().expect("a file in memory");
    let mut seen: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
    let mut complete = Vec::new();
    for batch in data.as_chunks().0.chunks(BATCH) {
        let pieces: Vec<_> =
            batch.iter().map(|[number, which]| (piece(*number, *which), None)).collect();
        let kept = file.keep(0, &pieces).expect("there is room in memory");
        for (([number, which], (piece, _)), kept) in batch.iter().zip(&pieces).zip(kept) {
            let sent = message(*number);
            let count = fragment_count(sent.len()).expect("it is short");
            let is_complete = complete.contains(number);
            if piece.count != count {
                // It claims another count than the message has.
                let expected = if is_complete { Kept::Duplicate } else { Kept::Malformed };
                assert!(kept == expected || !seen.contains_key(number), "{number}/{which}");
                // Alone it is as good as any; no other pieces than such agree with it.
                if !seen.contains_key(number) {
                    return;
                }
                continue;
            }
            let pieces = seen.entry(*number).or_default();
            let is_new = pieces.insert(piece.index);
            let is_whole = pieces.len() == count as usize;
            match kept {
                Kept::Complete { message: id, number: place, content } => {
                    assert_eq!(id, MessageId([*number; 16]));
                    assert!(content.into_bytes().expect("short") == sent, "{number} is not itself");
                    assert!(is_whole && is_new && !is_complete, "{number} is complete now");
                    complete.push(*number);
                    assert_eq!(place, complete.len() as u64);
                }
                Kept::Duplicate => assert!(!is_new, "{number}/{which} came for the first time"),
                Kept::Incomplete => assert!(is_new && !is_whole, "{number} is not told"),
                Kept::Malformed => panic!("{number}/{which} agrees with the others"),
            }
        }
        // Every other one is taken.
        let newest = complete.len() as u64;
        if newest % 2 == 1 {
            file.take(&[newest]).expect("it is there");
        }
    }
    let mut after = 0;
    for (place, number) in (1..).zip(&complete).filter(|(place, _)| place % 2 == 0) {
        let received = loop {
            let received = file.next_untaken(after).expect("reads").expect("nobody has it");
            after = received.number;
            if after == place {
                break received;
            }
        };
        assert_eq!(received.data, message(*number));
    }
});

/// A piece of the message with this number, or one that claims a count that it has not.
fn piece(number: u8, which: u8) -> Fragment {
    let (id, sent) = (MessageId([number; 16]), message(number));
    let count = fragment_count(sent.len()).expect("it is short");
    let index = u32::from(which) % (count + 1);
    let piece = |index| Fragment::of(Kind::Message, id, &sent, index).expect("one of its pieces");
    if index < count { piece(index) } else { Fragment { count: count + 1, ..piece(0) } }
}

/// As long as its number says: of one to four fragments, the empty one included.
fn message(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * FRAGMENT_DATA_BYTES * 4 / 256]
}
