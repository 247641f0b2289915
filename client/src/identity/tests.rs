use rand::SeedableRng;
use wire::WireProfile;

use super::*;
use crate::asks::{NewMessage, Recipient};

fn settings() -> Settings {
    let second = Duration::from_secs(1);
    let rates =
        contract::Rates { hop_delay: second, slot: second, loop_cover: second, slot_cover: true };
    Settings { rates, layers: 1, acks: true }
}

/// Whoever has heard nothing when a client stops does not know whether the message goes.
#[tokio::test]
async fn what_is_being_written_when_a_client_stops_is_answered() {
    let home = tempfile::tempdir().expect("a folder");
    let (storage, restored) = Storage::open(home.path()).expect("opens");
    let mut rng = StdRng::seed_from_u64(1);
    let mut key = || PrivateKey::random(&mut rng);
    let (own, provider, other) = (key(), key().public(), key().public());
    let (_networks, network) = watch::channel(Arc::default());
    let (_choice, chosen) = watch::channel(Some(provider));
    let (asks, waiting) = mpsc::channel(4);
    let identity = Identity {
        key: own,
        seed: None,
        provider: chosen,
        rng,
        shared: Shared {
            settings: watch::channel(settings()).1,
            packets: PacketBuilder::new(WireProfile::CURRENT),
            networks: network,
            links: Links::new(WireProfile::CURRENT),
            timer: Arc::new(Timer::start().expect("a timer")),
            reporter: Reporter::new(|_| {}),
            traces: None,
        },
        asks: waiting,
        journal: Some(Journal { storage: storage.clone(), outgoing: restored.outgoing }),
        tally: Arc::default(),
        changed: Arc::default(),
    };
    let (answer, answered) = oneshot::channel();
    let message = NewMessage {
        to: Recipient::Address(ClientAddress { client: other, provider }),
        data: b"hello".as_slice().into(),
        id: Some(MessageId([7; 16])),
        reply_blocks: 0,
        confirm: false,
    };
    // Both are there before it begins.
    asks.send(Ask::Send { message, answer }).await.expect("it listens");
    asks.send(Ask::Stop).await.expect("it listens");
    identity.run().await;
    let accepted = answered.await.expect("an answer").expect("accepted");
    assert_eq!(accepted.message, MessageId([7; 16]));
    assert!(storage.close(Duration::from_secs(20)).await);
    let (_, restored) = Storage::open(home.path()).expect("opens");
    assert_eq!(restored.outgoing.len(), 1);
}
