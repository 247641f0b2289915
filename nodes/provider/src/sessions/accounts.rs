//! Who may use which account. On the sides of v0.5 and v0.7 it is enough to name an address; a proof
//! of its key closes those sides for good, unless the provider is to be as trusting as the originals.

use wire::PublicKey;

use crate::mailbox::Batch;
use crate::{MailboxError, Protocol};

/// What a client that proves nothing may do with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Use it.
    Open,
    /// Nothing: its client has proven its key.
    Proven,
    /// Nothing: nobody has asked for its token here.
    Unknown,
}

/// What a client that proves nothing may do with an address whose token it has.
pub(super) fn access(batch: &Batch<'_>, client: &PublicKey, faithful: bool) -> Access {
    match batch.registration(client) {
        Some(known) if known.protocol == Protocol::V1 && !faithful => Access::Proven,
        Some(known) if known.has_token => Access::Open,
        Some(_) | None => Access::Unknown,
    }
}

/// Registers an address for a client that proves nothing. It may have the token if the address is
/// [open](Access::Open) then.
pub(super) fn register(
    batch: &mut Batch<'_>,
    client: &PublicKey,
    protocol: Protocol,
    faithful: bool,
) -> Result<Access, MailboxError> {
    if batch.register(client, protocol)?.protocol == Protocol::V1 && !faithful {
        return Ok(Access::Proven);
    }
    batch.give_token(client)?;
    Ok(Access::Open)
}

/// Deletes packets that a client has which proves nothing. Not once the key is proven: they are the
/// owner's then, and whoever only named the address may still be saying that it has them.
pub(super) fn confirm(
    batch: &mut Batch<'_>,
    client: &PublicKey,
    numbers: &[u64],
    faithful: bool,
) -> Result<u64, MailboxError> {
    match access(batch, client, faithful) {
        Access::Open => batch.confirm(client, numbers),
        Access::Proven | Access::Unknown => Ok(0),
    }
}

/// Registers an address for a client that has proven its key: it is taken over from whoever only
/// named it, with all that waits. Returns how many packets that are.
pub(super) fn register_proven(
    batch: &mut Batch<'_>,
    client: &PublicKey,
) -> Result<u64, MailboxError> {
    batch.register(client, Protocol::V1)?;
    Ok(batch.waiting_for(client).packets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mailbox, Parcel};

    #[test]
    fn who_only_named_an_address_deletes_nothing_once_its_key_is_proven() {
        let mut mailbox = Mailbox::in_memory().expect("a mailbox");
        let client = PublicKey::from_bytes([1; 32]);
        let parcel =
            Parcel { client, identifier: [0; 16], payload: vec![1], ack: None, arrival: None };
        let done = mailbox.transaction(|batch| {
            register(batch, &client, Protocol::Websocket, false)?;
            for _ in 0..2 {
                batch.store(&parcel)?;
            }
            let numbers: Vec<u64> =
                batch.waiting(&client, 0, 2)?.iter().map(|delivery| delivery.number).collect();
            assert_eq!(confirm(batch, &client, &numbers[..1], false)?, 1);
            assert_eq!(register_proven(batch, &client)?, 1);
            assert_eq!(confirm(batch, &client, &numbers, false)?, 0);
            Ok(batch.waiting_for(&client).packets)
        });
        assert_eq!(done.expect("committed"), 1);
    }

    #[test]
    fn a_proof_closes_the_account_for_those_who_only_name_it_unless_that_is_wanted() {
        let mut mailbox = Mailbox::in_memory().expect("a mailbox");
        let client = PublicKey::from_bytes([1; 32]);
        let done = mailbox.transaction(|batch| {
            assert_eq!(access(batch, &client, false), Access::Unknown);
            assert_eq!(register(batch, &client, Protocol::Tcp, false)?, Access::Open);
            assert_eq!(access(batch, &client, false), Access::Open);
            assert_eq!(register(batch, &client, Protocol::Websocket, false)?, Access::Open);

            register_proven(batch, &client)?;
            assert_eq!(access(batch, &client, false), Access::Proven);
            assert_eq!(register(batch, &client, Protocol::Tcp, false)?, Access::Proven);
            assert_eq!(access(batch, &client, true), Access::Unknown, "its token was taken back");

            assert_eq!(register(batch, &client, Protocol::Tcp, true)?, Access::Open);
            assert_eq!(access(batch, &client, true), Access::Open);
            assert_eq!(access(batch, &client, false), Access::Proven, "a proof is not forgotten");
            Ok(())
        });
        done.expect("committed");
    }
}
