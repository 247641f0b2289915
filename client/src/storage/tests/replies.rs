//! Reply blocks: those that come with messages, and those that went with own ones.

use super::*;

fn block(byte: u8) -> ReplyBlock {
    ReplyBlock {
        first_hop: NodeAddress("127.0.0.1:9980".parse().expect("an address")),
        header: [byte; HEADER_BYTES],
        seeds: PayloadSeeds::new(&[[byte; 16]; 4]).expect("four"),
        key: key(byte),
    }
}

fn with_blocks(count: u8, content: &[u8]) -> Vec<u8> {
    let blocks: Vec<_> = (0..count).map(block).collect();
    wire::Content::encode(&blocks, content).expect("few enough")
}

fn with_blocks_pieces(
    message: MessageId,
    count: u8,
    content: &[u8],
) -> Vec<(Fragment, Option<Identifier>)> {
    pieces_of(Kind::MessageWithReplies, message, &with_blocks(count, content))
}

async fn reply(
    storage: &Storage,
    message: u8,
    to: u8,
    packets: u32,
) -> Result<Option<Vec<u8>>, ReplyError> {
    let data = Bytes::from_static(b"re");
    let taken =
        storage.accept_reply(id(message), Kind::Message, id(to), data, packets, vec![]).await?;
    let Some(taken) = taken else { return Ok(None) };
    assert!(taken.iter().all(|(number, taken)| *taken == block(*number)));
    Ok(Some(taken.iter().map(|(number, _)| *number).collect()))
}

#[tokio::test]
async fn a_reply_sets_blocks_aside_and_gives_back_what_it_does_not_use() {
    let fixture = Fixture::new();
    let storage = &fixture.storage;
    storage.keep(with_blocks_pieces(id(1), 5, b"hi")).await.expect("kept");
    let left = async |storage: &Storage| {
        let received = storage.next(0, 0).await.expect("reads").expect("is there");
        assert_eq!(received.data, Bytes::from_static(b"hi"));
        received.reply_blocks
    };
    assert_eq!(left(storage).await, 5);
    assert!(matches!(reply(storage, 9, 8, 1).await, Err(ReplyError::UnknownMessage)));
    assert_eq!(reply(storage, 9, 1, 1).await.expect("accepted"), Some(vec![0, 1]));
    assert_eq!(reply(storage, 9, 1, 1).await.expect("the same"), None);
    let few = reply(storage, 10, 1, 4).await;
    assert!(matches!(few, Err(ReplyError::TooFewBlocks { needed: 4, left: 3 })), "{few:?}");
    assert_eq!(reply(storage, 10, 1, 2).await.expect("accepted"), Some(vec![2, 3, 4]));
    assert_eq!(left(storage).await, 0);
    assert_eq!(reply(storage, 9, 1, 1).await.expect("the same, without blocks"), None);
    storage.block_used(id(9), 0);
    storage.block_used(id(10), 3);
    storage.block_used(id(10), 0);

    let fixture = fixture.reopen().await;
    let storage = &fixture.storage;
    let blocks = |message: u8| {
        let found = fixture.restored.outgoing.iter().find(|it| it.message == id(message));
        match &found.expect("is there").to {
            Destination::Blocks(blocks) => blocks.iter().map(|(number, _)| *number).collect(),
            Destination::Address(_) => vec![],
        }
    };
    assert_eq!([blocks(9), blocks(10)], [vec![1], vec![2, 4]]);
    storage.finished(id(9));
    // Written before what comes after it.
    assert_eq!(reply(storage, 11, 1, 1).await.expect("accepted"), Some(vec![1]));
    // Its message is forgotten meanwhile, and with it what comes free.
    storage.take(vec![1]).await.expect("taken");
    let fixture = fixture.reopen().await;
    let mut file = {
        assert!(fixture.storage.close(LIMIT).await);
        MessageFile::open(&fixture.path()).expect("a file")
    };
    file.database.memory_mut().limits.taken = Amount::default();
    file.take(&[]).expect("forgets");
    assert_eq!(count(&file, "reply_blocks"), 3, "set aside");
    file.finished(id(10)).expect("noted");
    file.finished(id(11)).expect("noted");
    assert_eq!(count(&file, "reply_blocks"), 0);
}

#[tokio::test]
async fn a_reply_is_known_by_the_block_over_which_it_comes() {
    let fixture = Fixture::new();
    let storage = &fixture.storage;
    let identifiers = vec![[1; 16], [2; 16]];
    let kind = Kind::MessageWithReplies;
    storage.accept(id(1), kind, address(1), Bytes::new(), identifiers).await.expect("accepted");
    storage.finished(id(1));
    let mut reply = pieces(id(5), &bytes(3000));
    reply[0].1 = Some([9; 16]);
    reply[1].1 = Some([2; 16]);
    storage.keep(vec![reply.remove(1)]).await.expect("kept");
    let fixture = fixture.reopen().await;
    let storage = &fixture.storage;
    storage.keep(reply).await.expect("kept");
    let mut odd = pieces(id(6), b"hi");
    odd[0].1 = Some([9; 16]);
    storage.keep(odd).await.expect("kept");
    let received = storage.next(0, 0).await.expect("reads").expect("is there");
    assert_eq!((received.in_reply_to, received.data), (Some(id(1)), bytes(3000).into()));
    let received = storage.next(1, 0).await.expect("reads").expect("is there");
    assert_eq!(received.in_reply_to, None, "nobody knows this block");
}

#[test]
fn own_blocks_are_remembered_up_to_a_bound() {
    let mut file = in_memory(|limits| limits.own_reply_blocks = 3);
    for message in 1..=2 {
        let accepted = Accepted {
            message: id(message),
            kind: Kind::MessageWithReplies,
            data: Bytes::new(),
            reply_identifiers: vec![[message; 16], [message | 0x80; 16]],
        };
        let accept = |transaction: &mut storage::Transaction<'_, Ledger>| {
            outgoing::accept(transaction, &accepted, &address(1))
        };
        assert!(file.database.transaction(accept).expect("accepted"));
    }
    let known = |identifier| {
        outgoing::replied_to(file.database.connection(), &[identifier; 16]).expect("reads")
    };
    assert_eq!(
        [known(1), known(0x81), known(2), known(0x82)],
        [None, Some(id(1)), Some(id(2)), Some(id(2))]
    );
}

#[test]
fn the_content_stands_behind_the_blocks_wherever_they_end() {
    let mut file = in_memory(|_| {});
    let cases = [(0, 0), (0, 1589), (1, 3), (3, 148), (3, 149), (64, 0), (64, 2000), (10, 1 << 21)];
    for (number, (blocks, length)) in (1..).zip(cases) {
        let content = bytes(length);
        let message = id(u8::try_from(number).expect("few"));
        let mut all = with_blocks_pieces(message, blocks, &content);
        all.rotate_left(1);
        let kept = file.keep(0, &all).expect("kept");
        let told = contract::Content::from_bytes(content.clone());
        assert_eq!(kept.last(), Some(&Kept::Complete { message, number, content: told }));
        let received = file.next_untaken(number - 1).expect("reads").expect("is there");
        assert_eq!(received.reply_blocks, blocks);
        assert!(received.data == content, "{blocks} blocks, {length} bytes");
    }
    // What is no content does not stay.
    let content: usize = cases.iter().map(|(_, length)| length / FRAGMENT_DATA_BYTES + 2).sum();
    assert!(count(&file, "pieces") <= content as u64);
}

#[test]
fn blocks_that_make_no_sense_leave_nothing_behind() {
    let mut file = in_memory(|_| {});
    let good = with_blocks(4, &bytes(5000));
    let broken = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[at] = byte;
        data
    };
    for data in [broken(0, 200), broken(0, 64), broken(1 + 480, 0), vec![], vec![1]] {
        let all = pieces_of(Kind::MessageWithReplies, id(1), &data);
        let (last, rest) = all.split_last().expect("one at least");
        file.keep(0, rest).expect("kept");
        assert_eq!(file.keep(0, std::slice::from_ref(last)).expect("kept"), [Kept::Malformed]);
        for table in ["pieces", "incomplete", "inbox", "reply_blocks"] {
            assert_eq!(count(&file, table), 0, "{table}");
        }
        assert_eq!(file.database.memory().counts.incomplete, Amount::default());
    }
    // Also within one batch, after which it begins anew.
    let odd = pieces_of(Kind::MessageWithReplies, id(1), &[1]);
    let all = [odd, pieces_of(Kind::MessageWithReplies, id(1), &good)].concat();
    let kept = file.keep(0, &all).expect("kept");
    assert_eq!(kept[0], Kept::Malformed);
    assert!(matches!(kept.last(), Some(Kept::Complete { .. })));
}
