//! Reply blocks, and messages that carry them: any bytes, and good ones that were changed. What is
//! accepted is written again as it was, and a packet can be built from it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sphinx::PacketBuilder;
use wire::{
    ADDRESS_BYTES, Content, HEADER_BYTES, Kind, MAX_HOPS, MAX_REPLY_BLOCKS, NodeAddress,
    PAYLOAD_SEED_BYTES, PayloadSeeds, PublicKey, ReplyBlock, WireProfile,
};

/// Packets are short: their length does not matter to what is looked for.
const PROFILE: WireProfile = WireProfile { flag: 4, payload_bytes: 64 };

/// Where a block says how many hops its route has.
const HOPS_AT: usize = ADDRESS_BYTES + HEADER_BYTES;

fuzz_target!(|data: &[u8]| {
    let Some(([kind, count], bytes)) = data.split_first_chunk() else { return };
    match kind % 4 {
        0 => {
            check_block(bytes);
            // An input has not to guess the one length that there is.
            let mut bytes = bytes.to_vec();
            bytes.resize(ReplyBlock::BYTES, 0);
            check_block(&bytes);
        }
        1 => check_changed_block(usize::from(*count) % MAX_HOPS + 1, bytes),
        2 => check_message(bytes),
        _ => {
            let count = usize::from(*count) % (MAX_REPLY_BLOCKS + 2);
            check_changed_message(count, bytes);
        }
    }
});

fn good_block(hops: usize, fill: u8) -> ReplyBlock {
    ReplyBlock {
        first_hop: NodeAddress(([127, 0, 0, fill], 1789).into()),
        header: [fill; HEADER_BYTES],
        seeds: PayloadSeeds::new(&vec![[!fill; PAYLOAD_SEED_BYTES]; hops]).expect("1 to 5"),
        key: PublicKey::from_bytes([fill; PublicKey::BYTES]),
    }
}

/// Says whether it is a block.
fn check_block(bytes: &[u8]) -> bool {
    let Ok(block) = ReplyBlock::decode(bytes) else { return false };
    assert_eq!(block.encode(), bytes);
    assert_eq!(block.seeds.as_slice().len(), usize::from(bytes[HOPS_AT]));
    let reply = PacketBuilder::new(PROFILE).build_reply(&block, b"hello").expect("it fits");
    assert_eq!(reply.len(), PROFILE.packet_bytes());
    assert_eq!(reply[..HEADER_BYTES], block.header);
    true
}

/// Three bytes of input are a place and what is changed there: where a block's maker may write what it
/// likes, it is still a block.
fn check_changed_block(hops: usize, changes: &[u8]) {
    let good = good_block(hops, 7).encode();
    let seeds_end = HOPS_AT + 1 + hops * PAYLOAD_SEED_BYTES;
    let key_at = ReplyBlock::BYTES - PublicKey::BYTES;
    let is_free = |at: usize| {
        (1..7).contains(&at)
            || (ADDRESS_BYTES..HOPS_AT).contains(&at)
            || (HOPS_AT + 1..seeds_end).contains(&at)
            || at >= key_at
    };
    for [high, low, by] in changes.as_chunks().0 {
        let mut bytes = good.clone();
        let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
        bytes[at] ^= by;
        let is_block = check_block(&bytes);
        if is_free(at) || *by == 0 {
            assert!(is_block, "byte {at}");
        } else if at != 0 && at != HOPS_AT {
            assert!(!is_block, "byte {at}");
        }
    }
}

fn check_message(data: &[u8]) {
    let plain = Content::decode(Kind::Message, data).expect("any bytes are a content");
    assert!(plain.bytes == data && plain.reply_blocks.is_empty());
    assert!(Content::decode(Kind::LoopCover, data).is_err());
    let Ok(content) = Content::decode(Kind::MessageWithReplies, data) else { return };
    assert_eq!(content.reply_blocks.len(), usize::from(data[0]));
    let written = Content::encode(&content.reply_blocks, content.bytes).expect("not too many");
    assert!(written == data, "a message is not written as it was");
}

/// A message of good blocks, of which some bytes are changed and the end may be missing.
fn check_changed_message(count: usize, changes: &[u8]) {
    let blocks: Vec<ReplyBlock> = (1..=MAX_HOPS)
        .cycle()
        .zip(0..=255)
        .map(|(hops, fill)| good_block(hops, fill))
        .take(count)
        .collect();
    let Ok(mut data) = Content::encode(&blocks, b"hello") else {
        assert!(count > MAX_REPLY_BLOCKS);
        return;
    };
    let content = Content::decode(Kind::MessageWithReplies, &data).expect("own bytes");
    assert!(content.reply_blocks == blocks && content.bytes == b"hello");
    for [what, high, low, by] in changes.as_chunks().0 {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % data.len().max(1);
        match what % 8 {
            0 => data.truncate(at),
            _ => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= by;
                }
            }
        }
        check_message(&data);
    }
}
