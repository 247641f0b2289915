//! The mailbox against a model of it in memory: whatever is done, in whatever order, and however
//! often it is opened anew, both know the same.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use provider::{Amount, Mailbox, Parcel, Protocol, Quotas, Stored};
use wire::PublicKey;

const QUOTAS: Quotas = Quotas {
    per_client: Amount { packets: 6, bytes: 900 },
    total: Amount { packets: 14, bytes: 2000 },
};

#[derive(Clone, Debug)]
enum Step {
    Register(u8, Protocol),
    GiveToken(u8),
    /// Packets for these clients, with payloads of so many bytes.
    Store(Vec<(u8, usize)>),
    Read {
        client: u8,
        after: u64,
        limit: usize,
    },
    /// Numbers up to this distance back from the last one, of this client or another.
    Confirm(u8, Vec<u64>),
    /// All numbers up to this distance back from the last one.
    ConfirmUpTo(u8, u64),
    Tidy,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..4_u8;
    let protocol = prop_oneof![Just(Protocol::V1), Just(Protocol::Tcp), Just(Protocol::Websocket)];
    prop_oneof![
        2 => (client.clone(), protocol).prop_map(|(client, p)| Step::Register(client, p)),
        1 => client.clone().prop_map(Step::GiveToken),
        6 => vec((client.clone(), 0..400_usize), 0..5).prop_map(Step::Store),
        2 => (client.clone(), 0..40_u64, 0..8_usize)
            .prop_map(|(client, after, limit)| Step::Read { client, after, limit }),
        3 => (client.clone(), vec(0..20_u64, 0..6)).prop_map(|(c, back)| Step::Confirm(c, back)),
        2 => (client, 0..20_u64).prop_map(|(client, back)| Step::ConfirmUpTo(client, back)),
        1 => Just(Step::Tidy),
        1 => Just(Step::Reopen),
    ]
}

/// A packet in the model: number, identifier, payload.
type Packet = (u64, u8, Vec<u8>);

#[derive(Default)]
struct Account {
    protocol: Option<Protocol>,
    has_token: bool,
    waiting: Vec<Packet>,
}

#[derive(Default)]
struct Model {
    accounts: BTreeMap<u8, Account>,
    last_number: u64,
    /// What the next packet carries, to tell packets apart.
    next_identifier: u8,
}

fn amount(packets: &[Packet]) -> Amount {
    let bytes = packets.iter().map(|packet| packet.2.len() as u64).sum();
    Amount { packets: packets.len() as u64, bytes }
}

impl Model {
    fn total(&self) -> Amount {
        let all: Vec<Packet> = self.accounts.values().flat_map(|a| a.waiting.clone()).collect();
        amount(&all)
    }

    fn store(&mut self, client: u8, payload: Vec<u8>) -> Stored {
        let fits = |amount: Amount, quota: Amount| {
            amount.packets < quota.packets && amount.bytes + payload.len() as u64 <= quota.bytes
        };
        let total = self.total();
        match self.accounts.get_mut(&client) {
            None => Stored::UnknownClient,
            Some(account) if !fits(amount(&account.waiting), QUOTAS.per_client) => {
                Stored::ClientFull
            }
            Some(_) if !fits(total, QUOTAS.total) => Stored::ProviderFull,
            Some(account) => {
                self.last_number += 1;
                account.waiting.push((self.last_number, self.next_identifier, payload));
                Stored::Yes
            }
        }
    }
}

fn key(client: u8) -> PublicKey {
    PublicKey::from_bytes([client + 1; 32])
}

fn read(deliveries: Vec<wire::Delivery>) -> Vec<Packet> {
    deliveries.into_iter().map(|d| (d.number, d.identifier[0], d.payload)).collect()
}

fn follow(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = Mailbox::open(&path, QUOTAS).expect("a new mailbox");
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Register(client, protocol) => {
                let account = model.accounts.entry(client).or_default();
                let known = account.protocol.get_or_insert(protocol);
                if protocol == Protocol::V1 && *known != protocol {
                    *known = protocol;
                    account.has_token = false;
                }
                let registered = mailbox.register(&key(client), protocol).expect("registers");
                prop_assert_eq!(Some(registered.protocol), account.protocol);
                prop_assert_eq!(registered.has_token, account.has_token);
            }
            Step::GiveToken(client) => {
                if let Some(account) = model.accounts.get_mut(&client) {
                    account.has_token = true;
                }
                let given = mailbox.transaction(|batch| {
                    batch.give_token(&key(client))?;
                    Ok(batch.registration(&key(client)))
                });
                let has_token = given.expect("notes").is_some_and(|r| r.has_token);
                prop_assert_eq!(has_token, model.accounts.contains_key(&client));
            }
            Step::Store(packets) => {
                let mut parcels = Vec::new();
                let mut expected = Vec::new();
                for (client, bytes) in packets {
                    model.next_identifier = model.next_identifier.wrapping_add(1);
                    let identifier = [model.next_identifier; 16];
                    let payload = vec![client; bytes];
                    expected.push(model.store(client, payload.clone()));
                    parcels.push(Parcel {
                        client: key(client),
                        identifier,
                        payload,
                        ack: None,
                        arrival: None,
                    });
                }
                prop_assert_eq!(mailbox.store(&parcels).expect("stores"), expected);
            }
            Step::Read { client, after, limit } => {
                let account = model.accounts.entry(client);
                let expected: Vec<Packet> = match account {
                    std::collections::btree_map::Entry::Vacant(_) => Vec::new(),
                    std::collections::btree_map::Entry::Occupied(account) => {
                        let later = account.get().waiting.iter().filter(|p| p.0 > after);
                        later.take(limit).cloned().collect()
                    }
                };
                let waiting = mailbox.waiting(&key(client), after, limit).expect("reads");
                prop_assert_eq!(read(waiting), expected);
            }
            Step::Confirm(client, back) => {
                let numbers: Vec<u64> =
                    back.iter().map(|back| model.last_number.wrapping_sub(*back)).collect();
                let mut expected = 0;
                if let Some(account) = model.accounts.get_mut(&client) {
                    let before = account.waiting.len();
                    account.waiting.retain(|packet| !numbers.contains(&packet.0));
                    expected = (before - account.waiting.len()) as u64;
                }
                let deleted = mailbox.confirm(&key(client), &numbers).expect("deletes");
                prop_assert_eq!(deleted, expected);
            }
            Step::ConfirmUpTo(client, back) => {
                let up_to = model.last_number.saturating_sub(back);
                let mut expected = 0;
                if let Some(account) = model.accounts.get_mut(&client) {
                    let before = account.waiting.len();
                    account.waiting.retain(|packet| packet.0 > up_to);
                    expected = (before - account.waiting.len()) as u64;
                }
                let deleted = mailbox.transaction(|batch| {
                    let deleted = batch.confirm_up_to(&key(client), up_to)?;
                    Ok((deleted, batch.waiting(&key(client), 0, usize::MAX)?))
                });
                let (deleted, waiting) = deleted.expect("deletes");
                prop_assert_eq!(deleted, expected);
                let left = model.accounts.get(&client).map(|account| account.waiting.clone());
                prop_assert_eq!(read(waiting), left.unwrap_or_default());
            }
            Step::Tidy => mailbox.tidy().expect("tidies"),
            Step::Reopen => {
                drop(mailbox);
                mailbox = Mailbox::open(&path, QUOTAS).expect("the same mailbox");
            }
        }
        prop_assert_eq!(mailbox.waiting_total(), model.total());
        prop_assert_eq!(mailbox.client_count(), model.accounts.len() as u64);
    }
    for (client, account) in &model.accounts {
        prop_assert_eq!(mailbox.waiting_for(&key(*client)), amount(&account.waiting));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_mailbox_and_its_model_agree(steps in vec(step(), 1..80)) {
        follow(steps)?;
    }
}
