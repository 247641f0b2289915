use proptest::prelude::*;
use wire::{FRAGMENT_DATA_BYTES, HEADER_BYTES, PayloadSeeds};

use super::*;

const MESSAGE: MessageId = MessageId([1; 16]);

fn to(provider: u8) -> ClientAddress {
    let provider = PublicKey::from_bytes([provider; 32]);
    ClientAddress { client: PublicKey::from_bytes([1; 32]), provider }
}

fn outgoing(id: u8, provider: u8, bytes: usize) -> Outgoing {
    Outgoing {
        message: MessageId([id; 16]),
        to: Destination::Address(to(provider)),
        kind: Kind::Message,
        data: vec![id; bytes].into(),
        acknowledged: Vec::new(),
    }
}

fn outbox(bytes: usize) -> Outbox {
    let mut outbox = Outbox::default();
    outbox.add(at(0), outgoing(1, 1, bytes)).expect("it is new");
    outbox
}

fn at(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(seconds)
}

fn awaited(identifier: u8, deadline: Time) -> Awaited {
    let mixnodes = vec![NodeAddress(([127, 0, 0, 1], identifier.into()).into())];
    Awaited { identifier: [identifier; 16], deadline, mixnodes }
}

/// Sends what is next; returns its message, fragment and attempt.
fn send_next(outbox: &mut Outbox, identifier: u8, deadline: Time) -> (u8, u32, u32) {
    let next = outbox.next(|_| true).expect("something to send");
    assert!(!outbox.sent(&next, Some(awaited(identifier, deadline))));
    (next.fragment.message.0[0], next.fragment.index, next.attempt)
}

fn acknowledge(outbox: &mut Outbox, identifier: u8) -> Option<(u32, bool)> {
    let acknowledged = outbox.acknowledge(&[identifier; 16], |_| {})?;
    Some((acknowledged.index, acknowledged.finished))
}

fn assert_nothing_is_left(outbox: &Outbox) {
    assert!(outbox.messages.is_empty() && outbox.lanes.is_empty());
    assert!(outbox.identifiers.is_empty() && outbox.deadlines.is_empty());
    assert_eq!((outbox.bytes, outbox.expected, outbox.queued), (0, 0, 0));
}

#[test]
fn what_is_not_acknowledged_goes_again_before_what_was_never_sent() {
    let mut outbox = outbox(2 * FRAGMENT_DATA_BYTES + 1);
    assert_eq!(send_next(&mut outbox, 1, at(1)), (1, 0, 1));
    assert_eq!(outbox.next_deadline(), Some(at(1)));
    let missed = outbox.miss(at(1));
    assert_eq!(missed.mixnodes, awaited(1, at(1)).mixnodes);
    assert_eq!((missed.failed, outbox.queued()), (vec![], 3));
    assert_eq!(send_next(&mut outbox, 2, at(2)), (1, 0, 2));
    assert_eq!(send_next(&mut outbox, 3, at(2)), (1, 1, 1));
    assert_eq!(acknowledge(&mut outbox, 1), Some((0, false)), "the first attempt's, late");
    assert_eq!(acknowledge(&mut outbox, 2), None, "nothing new");
    assert_eq!(acknowledge(&mut outbox, 3), Some((1, false)));
    assert_eq!(outbox.unacknowledged(), 0);
    assert_eq!(send_next(&mut outbox, 4, at(3)), (1, 2, 1));
    assert_eq!(acknowledge(&mut outbox, 4), Some((2, true)));
    assert!(outbox.next(|_| true).is_none());
    assert_nothing_is_left(&outbox);
}

#[test]
fn an_acknowledgement_tells_which_mixnodes_did_their_work() {
    let mut outbox = outbox(10);
    send_next(&mut outbox, 1, at(1));
    outbox.miss(at(1));
    send_next(&mut outbox, 2, at(2));
    let mut answered = Vec::new();
    outbox.acknowledge(&[1; 16], |mixnodes| answered.extend_from_slice(mixnodes));
    assert_eq!(answered, awaited(1, at(1)).mixnodes, "those of the attempt that it is for");
}

#[test]
fn a_message_fails_after_the_last_attempt() {
    let mut outbox = outbox(10);
    for attempt in 1..=MAX_ATTEMPTS {
        let identifier = u8::try_from(attempt).expect("few");
        assert_eq!(send_next(&mut outbox, identifier, at(attempt.into())), (1, 0, attempt));
        let failed = outbox.miss(at(attempt.into())).failed;
        let expected = vec![(MESSAGE, Failure::Attempts)];
        assert_eq!(failed, if attempt < MAX_ATTEMPTS { vec![] } else { expected });
    }
    assert!(outbox.next(|_| true).is_none());
    assert_nothing_is_left(&outbox);
}

#[test]
fn a_message_whose_provider_is_away_holds_up_no_other_and_fails_on_its_own_clock() {
    let mut outbox = outbox(10);
    outbox.add(at(0), outgoing(2, 9, 10)).expect("new");
    outbox.add(at(0), outgoing(3, 1, 10)).expect("new");
    let away = PublicKey::from_bytes([9; 32]);
    let is_there = |way: Way<'_>| !matches!(way, Way::Provider(key) if *key == away);
    for message in [1, 3] {
        let next = outbox.next(is_there).expect("something to send");
        assert_eq!(next.fragment.message.0[0], message);
        outbox.sent(&next, Some(awaited(message, at(1000))));
    }
    assert!(outbox.next(is_there).is_none());
    let patience = PATIENCE.as_secs();
    assert_eq!(outbox.expire(at(1), is_there), []);
    outbox.add(at(5), outgoing(4, 9, 10)).expect("new");
    assert_eq!(outbox.expire(at(patience), is_there), []);
    let failed = |id| vec![(MessageId([id; 16]), Failure::Provider(away))];
    assert_eq!(outbox.expire(at(patience + 1), is_there), failed(2));
    assert_eq!(outbox.expire(at(patience + 4), is_there), [], "the later one has its own time");
    assert_eq!(outbox.expire(at(patience + 5), is_there), failed(4));
    // Back for a moment, everything begins again.
    outbox.add(at(patience + 5), outgoing(5, 9, 10)).expect("new");
    assert_eq!(outbox.expire(at(patience + 6), |_| true), []);
    assert_eq!(outbox.expire(at(2 * patience + 5), is_there), []);
}

#[test]
fn a_long_message_does_not_hold_up_short_ones() {
    let mut outbox = outbox(100 * FRAGMENT_DATA_BYTES);
    for short in 2..=4 {
        outbox.add(at(0), outgoing(short, 1, 2 * FRAGMENT_DATA_BYTES)).expect("new");
    }
    let order: Vec<(u8, u32)> = (1..=14)
        .map(|identifier| {
            let (message, index, _) = send_next(&mut outbox, identifier, at(9));
            (message, index)
        })
        .collect();
    let short = [(2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)];
    let mut expected: Vec<(u8, u32)> =
        (0..).map(|n| (1, n)).zip(short).flat_map(|(long, short)| [short, long]).collect();
    expected.extend([(1, 6), (1, 7)]);
    assert_eq!(order, expected);
}

#[test]
fn a_restored_message_goes_on_where_it_was() {
    let mut outbox = Outbox::default();
    let acknowledged = vec![0, 2, 77];
    let three = Outgoing { acknowledged, ..outgoing(1, 1, 3 * FRAGMENT_DATA_BYTES) };
    assert_eq!(outbox.add(at(0), three.clone()), Some(3));
    assert_eq!(outbox.add(at(0), three.clone()), None, "it is there already");
    assert_eq!(outbox.queued(), 1);
    assert_eq!(send_next(&mut outbox, 1, at(1)), (1, 1, 1));
    assert_eq!(acknowledge(&mut outbox, 1), Some((1, true)));
    assert_nothing_is_left(&outbox);
    let all = Outgoing { acknowledged: vec![0, 1, 2], ..three };
    assert_eq!(outbox.add(at(0), all), None, "nothing is left to do");
    assert_nothing_is_left(&outbox);
}

fn block(number: u8, port: u16) -> (u8, ReplyBlock) {
    let block = ReplyBlock {
        first_hop: NodeAddress(([127, 0, 0, 1], port).into()),
        header: [number; HEADER_BYTES],
        seeds: PayloadSeeds::new(&[[number; 16]]).expect("one"),
        key: PublicKey::from_bytes([number; 32]),
    };
    (number, block)
}

fn reply(blocks: &[(u8, u16)], bytes: usize) -> Outgoing {
    let blocks = blocks.iter().map(|&(number, port)| block(number, port)).collect();
    Outgoing { to: Destination::Blocks(blocks), ..outgoing(1, 1, bytes) }
}

fn used(outbox: &mut Outbox, identifier: u8, is_there: impl Fn(Way<'_>) -> bool) -> (u8, u32) {
    let next = outbox.next(is_there).expect("something to send");
    let To::Block(number, _) = next.to else { panic!("it is a reply") };
    outbox.sent(&next, Some(awaited(identifier, at(identifier.into()))));
    (number, next.fragment.index)
}

#[test]
fn each_packet_of_a_reply_takes_a_block_and_the_reserve_is_for_what_is_lost() {
    let mut outbox = Outbox::default();
    outbox.add(at(0), reply(&[(0, 1), (1, 1), (2, 1)], 2 * FRAGMENT_DATA_BYTES)).expect("new");
    assert_eq!(used(&mut outbox, 1, |_| true), (0, 0));
    // One is needed for the second packet: only the third is in reserve.
    assert_eq!(outbox.miss(at(1)).failed, []);
    assert_eq!(used(&mut outbox, 2, |_| true), (1, 0));
    assert_eq!(used(&mut outbox, 3, |_| true), (2, 1));
    assert_eq!(outbox.miss(at(2)).failed, [(MESSAGE, Failure::Blocks)]);
    assert_nothing_is_left(&outbox);
}

#[test]
fn a_reply_goes_by_the_blocks_whose_first_mixnode_is_there() {
    let new = || {
        let mut outbox = Outbox::default();
        outbox.add(at(0), reply(&[(0, 1), (1, 2)], 10)).expect("new");
        outbox
    };
    let mut outbox = new();
    let is_there = |wanted: u16| move |way: Way<'_>| matches!(way, Way::FirstHop(hop) if hop.0.port() == wanted);
    assert!(outbox.next(is_there(3)).is_none());
    assert_eq!(outbox.expire(at(1), is_there(3)), []);
    let failed = outbox.expire(at(1 + PATIENCE.as_secs()), is_there(3));
    assert_eq!(failed, [(MESSAGE, Failure::FirstHops)]);
    assert_nothing_is_left(&outbox);
    let mut outbox = new();
    assert_eq!(used(&mut outbox, 1, is_there(2)), (1, 0));
    outbox.miss(at(1));
    assert!(outbox.next(is_there(2)).is_none(), "that block was used");
    assert_eq!(used(&mut outbox, 2, is_there(1)), (0, 0));
    assert_eq!(acknowledge(&mut outbox, 2), Some((0, true)));
    assert_nothing_is_left(&outbox);
}

#[test]
fn a_restored_reply_with_fewer_blocks_than_packets_fails_at_once() {
    let mut outbox = Outbox::default();
    outbox.add(at(0), reply(&[(0, 1)], 2 * FRAGMENT_DATA_BYTES)).expect("new");
    assert_eq!(outbox.expire(at(0), |_| true), [(MESSAGE, Failure::Blocks)]);
    assert_nothing_is_left(&outbox);
    // What is acknowledged needs none.
    let two = reply(&[(0, 1)], 2 * FRAGMENT_DATA_BYTES);
    outbox.add(at(1), Outgoing { acknowledged: vec![0], ..two }).expect("new");
    assert_eq!(outbox.expire(at(1), |_| true), []);
    assert_eq!(used(&mut outbox, 1, |_| true), (0, 1));
    // All blocks are used, and nothing waits for one.
    assert_eq!(outbox.expire(at(2), |_| true), []);
    assert_eq!(acknowledge(&mut outbox, 1), Some((1, true)));
    assert_nothing_is_left(&outbox);
}

#[test]
fn a_provider_that_never_comes_back_leaves_nothing_behind() {
    let mut outbox = Outbox::default();
    let patience = PATIENCE.as_secs();
    // There is always one that waits, so that the lane is never empty.
    for round in 0..10 {
        let id = u8::try_from(round).expect("few");
        outbox.add(at(round * patience), outgoing(id, 1, 10)).expect("new");
        outbox.expire(at(round * patience + 1), |_| false);
        assert_eq!((outbox.messages.len(), outbox.lanes.entries()), (1, 1), "in round {round}");
    }
}

#[test]
fn room_is_bounded_in_bytes_and_messages_and_given_back() {
    let mut outbox = Outbox::default();
    let longest = contract::MAX_MESSAGE_BYTES;
    let rooms: Vec<Room> = (0..4).map(|_| outbox.make_room(longest).expect("room")).collect();
    let full = SendError::QueueFull { messages: 4, bytes: 4 * longest };
    assert_eq!(outbox.make_room(1).err(), Some(full));
    for room in rooms {
        outbox.give_back(room);
    }
    assert_nothing_is_left(&outbox);
    for _ in 0..MAX_QUEUED_MESSAGES {
        let _: Room = outbox.make_room(0).expect("room");
    }
    let full = SendError::QueueFull { messages: MAX_QUEUED_MESSAGES, bytes: 0 };
    assert_eq!(outbox.make_room(0).err(), Some(full));
}

/// What a network does to an outbox.
#[derive(Clone, Debug)]
enum Step {
    Add { id: u8, bytes: usize },
    Send { identifier: u8, seconds: u64 },
    Acknowledge(u8),
    Miss(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<u8>(), 0..3 * FRAGMENT_DATA_BYTES).prop_map(|(id, bytes)| Step::Add { id, bytes }),
        (any::<u8>(), 0_u64..40)
            .prop_map(|(identifier, seconds)| Step::Send { identifier, seconds }),
        any::<u8>().prop_map(Step::Acknowledge),
        (0_u64..40).prop_map(Step::Miss),
    ]
}

proptest! {
    /// Whatever happens: what is counted is what is there, and every message ends once, as
    /// acknowledged or failed.
    #[test]
    fn every_message_has_one_end(steps in prop::collection::vec(step(), 0..200)) {
        let mut outbox = Outbox::default();
        let mut underway: BTreeMap<MessageId, i32> = BTreeMap::new();
        let mut ended = Vec::new();
        let mut now = at(0);
        let mut identifiers = BTreeSet::new();
        for step in steps {
            match step {
                Step::Add { id, bytes } => {
                    if outbox.add(now, outgoing(id, 1, bytes)).is_some() {
                        *underway.entry(MessageId([id; 16])).or_default() += 1;
                    }
                }
                Step::Send { identifier, seconds } => {
                    let next = outbox.next(|_| true);
                    prop_assert_eq!(next.is_some(), outbox.queued() > 0);
                    if let Some(next) = next && identifiers.insert(identifier) {
                        let deadline = now + Duration::from_secs(seconds);
                        outbox.sent(&next, Some(awaited(identifier, deadline)));
                    }
                }
                Step::Acknowledge(identifier) => {
                    let acknowledged = outbox.acknowledge(&[identifier; 16], |_| {});
                    ended.extend(acknowledged.filter(|it| it.finished).map(|it| it.message));
                }
                Step::Miss(seconds) => {
                    now = now + Duration::from_secs(seconds);
                    ended.extend(outbox.miss(now).failed.into_iter().map(|(id, _)| id));
                }
            }
            for id in ended.drain(..) {
                *underway.entry(id).or_default() -= 1;
            }
            for (id, times) in &underway {
                prop_assert_eq!(*times, i32::from(outbox.messages.contains_key(id)));
            }
        }
        for id in outbox.messages.keys().copied().collect::<Vec<_>>() {
            outbox.remove(id);
        }
        assert_nothing_is_left(&outbox);
    }
}
