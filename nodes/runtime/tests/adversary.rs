//! Somebody on the links of a process: what comes to the next hop, and what the process says was done.

use std::net::SocketAddr;
use std::time::Duration;

use contract::{Answer, Attack, Deed, Event, MAX_COPIES, MAX_HOLD_MS, Outcome, PacketPart};
use runtime::{Adversary, Links, MalformedFrames, Received, Reporter, clock, receive_packets};
use sphinx::print_of;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::{HEADER_BYTES, NodeAddress, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// Long enough for everything that is waited for here.
const WAIT_MS: u64 = 20_000;

/// A process with two workers, so with two links to each next hop, and somebody behind them.
struct Lab {
    workers: [Links; 2],
    adversary: Adversary,
    answers: mpsc::UnboundedReceiver<(u64, Outcome)>,
    next: u64,
}

impl Lab {
    fn new() -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let reporter = Reporter::new(move |event| {
            if let Event::Answer(Answer { id, outcome }) = event {
                // The test is over.
                let _ = sender.send((id, outcome));
            }
        });
        let workers = [Links::new(PROFILE), Links::new(PROFILE)];
        let adversary = Adversary::new(workers.clone(), reporter);
        Self { workers, adversary, answers, next: 0 }
    }

    fn begin(&mut self, attack: Attack) -> u64 {
        self.next += 1;
        self.adversary.begin(self.next, attack);
        self.next
    }

    async fn answer(&mut self) -> (u64, Outcome) {
        within(self.answers.recv()).await.expect("it answers")
    }

    async fn deed(&mut self, of: u64) -> Deed {
        match self.answer().await {
            (id, Outcome::Attacked { deed }) if id == of => deed,
            other => panic!("{other:?}"),
        }
    }

    async fn refusal(&mut self, attack: Attack) -> String {
        let of = self.begin(attack);
        match self.answer().await {
            (id, Outcome::Refused { reason }) if id == of => reason,
            other => panic!("{other:?}"),
        }
    }
}

async fn within<T>(something: impl Future<Output = T>) -> T {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    timeout(Duration::from_secs(20).mul_f64(factor), something).await.expect("in time")
}

async fn node() -> (SocketAddr, mpsc::Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (packets, received) = mpsc::channel(64);
    tokio::spawn(receive_packets(listener, PROFILE, packets, MalformedFrames::default()));
    (address, received)
}

async fn next(received: &mut mpsc::Receiver<Received>) -> Received {
    within(received.recv()).await.expect("open")
}

fn packet(number: u8) -> Vec<u8> {
    vec![number; PROFILE.packet_bytes()]
}

/// Lets tasks that were just begun come to where they wait.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_packet_is_sent_again_on_its_link_and_no_other_is() {
    let mut lab = Lab::new();
    let ((to, mut received), (other, mut elsewhere)) = (node().await, node().await);
    let begun = lab.begin(Attack::Replay { to, times: 2, wait_ms: WAIT_MS });
    settle().await;
    lab.workers[0].send(NodeAddress(other), packet(9));
    // By the second worker, and then one more by the first.
    lab.workers[1].send(NodeAddress(to), packet(1));
    lab.workers[0].send(NodeAddress(to), packet(2));
    let deed = lab.deed(begun).await;
    let Deed::Replayed { t, packet: print, copies: 2, last } = deed else { panic!("{deed:?}") };
    assert_eq!(print, print_of(&packet(1)));
    assert!(t < last);
    let mut came = Vec::new();
    for _ in 0..4 {
        came.push(next(&mut received).await);
    }
    let mut numbers: Vec<u8> = came.iter().map(|received| received.packet[0]).collect();
    assert_eq!(numbers[2..], [1, 1], "copies come later");
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 1, 1, 2]);
    assert!(came.iter().all(|received| received.packet == packet(received.packet[0])));
    assert_eq!(next(&mut elsewhere).await.packet, packet(9));
    assert!(elsewhere.try_recv().is_err());
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn one_bit_of_one_packet_is_changed() {
    let mut lab = Lab::new();
    let (to, mut received) = node().await;
    let last = u32::try_from(8 * PROFILE.payload_bytes - 1).expect("small");
    for (part, bit, byte, mask) in [
        (PacketPart::Header, 0, 0, 0x80),
        (PacketPart::Header, 385, 48, 0x40),
        (PacketPart::Payload, 0, HEADER_BYTES, 0x80),
        (PacketPart::Payload, last, PROFILE.packet_bytes() - 1, 0x01),
    ] {
        let begun = lab.begin(Attack::Flip { to, part, bit, wait_ms: WAIT_MS });
        settle().await;
        lab.workers[0].send(NodeAddress(to), packet(1));
        lab.workers[0].send(NodeAddress(to), packet(1));
        let mut changed = packet(1);
        changed[byte] ^= mask;
        assert_eq!(next(&mut received).await.packet, changed, "{part:?} {bit}");
        assert_eq!(next(&mut received).await.packet, packet(1), "{part:?} {bit}");
        let deed = lab.deed(begun).await;
        let Deed::Flipped { before, after, .. } = deed else { panic!("{deed:?}") };
        assert_eq!((before, after), (print_of(&packet(1)), print_of(&changed)));
        assert_eq!(before == after, part == PacketPart::Payload);
    }
}

#[tokio::test]
async fn each_of_two_attacks_on_a_link_takes_a_packet_of_its_own() {
    let mut lab = Lab::new();
    let (to, mut received) = node().await;
    for bit in [0, 1] {
        lab.begin(Attack::Flip { to, part: PacketPart::Payload, bit, wait_ms: WAIT_MS });
        settle().await;
    }
    for _ in 0..3 {
        lab.workers[0].send(NodeAddress(to), packet(0));
    }
    let mut changed = Vec::new();
    for _ in 0..3 {
        changed.push(next(&mut received).await.packet[HEADER_BYTES]);
    }
    assert_eq!(changed, [0x80, 0x40, 0]);
}

#[tokio::test]
async fn a_copy_is_not_taken_for_a_packet_that_somebody_waits_for() {
    let mut lab = Lab::new();
    let (to, mut received) = node().await;
    let replay = lab.begin(Attack::Replay { to, times: 1, wait_ms: WAIT_MS });
    settle().await;
    let flip = Attack::Flip { to, part: PacketPart::Payload, bit: 0, wait_ms: WAIT_MS };
    let flip = lab.begin(flip);
    settle().await;
    lab.workers[0].send(NodeAddress(to), packet(1));
    lab.deed(replay).await;
    for _ in 0..2 {
        assert_eq!(next(&mut received).await.packet, packet(1));
    }
    lab.workers[0].send(NodeAddress(to), packet(2));
    assert_ne!(next(&mut received).await.packet, packet(2));
    lab.deed(flip).await;
}

#[tokio::test]
async fn what_is_held_back_goes_in_its_order_and_what_finds_no_place_is_counted() {
    let mut lab = Lab::new();
    let ((to, mut received), (other, mut elsewhere)) = (node().await, node().await);
    let begun = lab.begin(Attack::Hold { to, for_ms: 1500 });
    settle().await;
    let since = clock::now();
    for number in 0..40 {
        lab.workers[0].send(NodeAddress(to), packet(number));
    }
    lab.workers[1].send(NodeAddress(to), packet(200));
    lab.workers[0].send(NodeAddress(other), packet(9));
    assert_eq!(next(&mut elsewhere).await.packet[0], 9, "others are not affected");
    let reason = lab.refusal(Attack::Hold { to, for_ms: 300 }).await;
    assert!(reason.contains("held back already"), "{reason}");
    let deed = lab.deed(begun).await;
    let Deed::Held { from, until, packets: 41, lost: 0 } = deed else { panic!("{deed:?}") };
    assert!(until.saturating_since(from) >= Duration::from_millis(1500));
    let mut came = Vec::new();
    for _ in 0..41 {
        let Received { t, packet } = next(&mut received).await;
        assert!(t.saturating_since(since) >= Duration::from_millis(1490), "none came before");
        came.push(packet[0]);
    }
    came.retain(|number| *number != 200);
    assert!(came.is_sorted() && came.len() == 40, "{came:?}");

    let begun = lab.begin(Attack::Hold { to, for_ms: 500 });
    settle().await;
    for _ in 0..1030 {
        lab.workers[0].send(NodeAddress(to), packet(1));
    }
    let deed = lab.deed(begun).await;
    let Deed::Held { packets: 1024, lost: 6, .. } = deed else { panic!("{deed:?}") };
    assert_eq!(lab.workers[0].dropped(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_carries_nothing_is_not_waited_for_for_long() {
    let mut lab = Lab::new();
    let (to, mut received) = node().await;
    let begun = lab.begin(Attack::Replay { to, times: 1, wait_ms: 5000 });
    let (id, outcome) = lab.answer().await;
    assert_eq!(id, begun);
    let reason = format!("no packet went to {to} within 5 s");
    assert_eq!(outcome, Outcome::Refused { reason });
    // Nobody lies in wait any more.
    lab.workers[0].send(NodeAddress(to), packet(1));
    assert_eq!(next(&mut received).await.packet, packet(1));
    lab.workers[0].flush(Duration::from_secs(5)).await;
    assert_eq!(lab.workers[0].sent(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let mut lab = Lab::new();
    let (to, _received) = node().await;
    let header = 8 * u32::try_from(HEADER_BYTES).expect("small");
    for (attack, why) in [
        (Attack::Replay { to, times: 0, wait_ms: 1 }, "0 copies"),
        (Attack::Replay { to, times: MAX_COPIES + 1, wait_ms: 1 }, "17 copies"),
        (Attack::Flip { to, part: PacketPart::Header, bit: header, wait_ms: 1 }, "2784 bits"),
        (Attack::Flip { to, part: PacketPart::Payload, bit: u32::MAX, wait_ms: 1 }, "16384 bits"),
        (Attack::Hold { to, for_ms: 0 }, "not 0"),
        (Attack::Hold { to, for_ms: MAX_HOLD_MS + 1 }, "not 5001"),
        (Attack::Skip { layer: 1 }, "only a client"),
    ] {
        let reason = lab.refusal(attack).await;
        assert!(reason.contains(why), "{reason}");
    }
}

#[tokio::test]
async fn what_is_held_back_goes_when_the_adversary_does() {
    let mut lab = Lab::new();
    let (to, mut received) = node().await;
    lab.begin(Attack::Hold { to, for_ms: MAX_HOLD_MS });
    settle().await;
    lab.workers[0].send(NodeAddress(to), packet(1));
    let Lab { workers, adversary, .. } = lab;
    drop(adversary);
    assert_eq!(next(&mut received).await.packet, packet(1));
    assert_eq!(workers[0].dropped(), 0);
}
