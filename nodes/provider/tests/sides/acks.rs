//! Acknowledgements: whose packet is stored hears of it, and nobody else does.

use contract::Event;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use wire::{ACK_HEADER_BYTES, NodeAddress, Plaintext, SEALED_BYTES, WireProfile};

use crate::gateway::with_mixnodes;
use crate::provider::{Home, client, soon};

/// What a sender puts into a packet that is to be acknowledged this way.
fn plaintext(header: u8, first_hop: NodeAddress) -> Vec<u8> {
    let ack_header = [header; ACK_HEADER_BYTES];
    Plaintext { ack_header, ack_first_hop: Some(first_hop), sealed: vec![0; SEALED_BYTES] }.encode()
}

#[tokio::test]
async fn what_is_stored_is_acknowledged_and_what_is_refused_is_not() {
    let mixnode = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let listed = mixnode.local_addr().expect("bound");
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let unlisted = elsewhere.local_addr().expect("bound");
    let home = Home::new();
    for registered in [3, 4, 5] {
        home.store(client(registered), []);
    }
    let options = "--quota-per-client 1 --quota-total 3";
    let provider = with_mixnodes(home, options, &[(&listed.to_string(), 1)]).await;

    let packets = [
        (1, client(3), listed),
        // The client has one already, and nobody is registered for the next.
        (2, client(3), listed),
        (3, client(9), listed),
        // Stored, but a provider does not connect to whatever a sender names.
        (4, client(4), unlisted),
        (5, client(5), listed),
        // The provider has three already.
        (6, client(200), listed),
    ];
    let packets = packets.map(|(header, client, first_hop)| {
        provider.packet(client, &plaintext(header, NodeAddress(first_hop)))
    });
    provider.send(&packets).await;

    let (mut link, _) = soon("a link", mixnode.accept()).await.expect("accepted");
    let mut frame = vec![0; WireProfile::CURRENT.frame_bytes()];
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        soon("a frame", link.read_exact(&mut frame)).await.expect("read");
        assert!(frame[1..=ACK_HEADER_BYTES].iter().all(|byte| *byte == frame[1]), "one header");
        acknowledged.push(frame[1]);
    }
    assert_eq!(acknowledged, [0, 1, 5], "behind the packet of whoever waited for the way to open");
    provider
        .event(|event| {
            let Event::Metrics(metrics) = event else { return None };
            let reasons = ["mailbox-full", "unknown-client", "ack-hop", "provider-full"];
            let counts = reasons.map(|reason| metrics.dropped.get(reason).copied());
            (counts == [Some(1); 4]).then_some(())
        })
        .await;
    let stored = provider.stop().await;
    assert_eq!([3, 4, 5, 200].map(|number| stored.waiting_for(client(number))), [1, 1, 1, 0]);
}
