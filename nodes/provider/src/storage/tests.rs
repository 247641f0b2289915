use std::sync::mpsc;

use super::*;
use crate::Protocol;

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

fn parcels(client: u8, count: usize) -> Arc<[Parcel]> {
    let payload = vec![client; 2048];
    let parcel =
        Parcel { client: key(client), identifier: [0; 16], payload, ack: None, arrival: None };
    vec![parcel; count].into()
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_so_is_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, events) = mpsc::channel();
    let reporter = Reporter::new(move |event| sender.send(event).expect("is read"));
    let path = folder.path().join("mailbox.sqlite");
    let (storage, damaged) = Storage::open(&path, Quotas::default(), reporter).expect("a mailbox");
    assert!(damaged.is_none());
    let registered = storage.write(move |batch| batch.register(&key(1), Protocol::V1));
    registered.await.expect("registers");
    storage.write(|batch| batch.limit_pages(100)).await.expect("set");
    while storage.store(parcels(1, 50)).await.is_ok() {}
    assert!(storage.store(parcels(1, 50)).await.is_err(), "still");
    let told: Vec<Event> = events.try_iter().collect();
    assert!(
        matches!(&told[..], [Event::Waiting { reason }] if reason.contains("disk is full")),
        "{told:?}"
    );
    let (_, before) = storage.counts();
    let waiting = storage.waiting(key(1), 0, 100).await.expect("reads");
    let numbers = waiting.iter().map(|delivery| delivery.number).collect();
    assert_eq!(storage.confirm(key(1), numbers).await.expect("deletes"), 100);
    storage.store(parcels(1, 50)).await.expect("stores");
    assert_eq!(storage.counts(), (1, 50 + before - 100));
    assert_eq!(storage.clients().await.expect("reads"), [key(1)]);
    let told: Vec<Event> = events.try_iter().collect();
    assert!(matches!(&told[..], [Event::Ready { .. }]), "{told:?}");
}
