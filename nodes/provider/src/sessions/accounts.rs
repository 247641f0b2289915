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
    use crate::Mailbox;

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
