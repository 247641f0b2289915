//! Multiplying the keys of nodes, for senders: the same few keys again and again.
//!
//! A sender shares with hop `i` the hop's key times its own secret times the blinding scalars of all
//! hops before. Each is a clamped scalar; X25519 one after the other is what the format means and
//! costs `n (n + 1) / 2` multiplications for `n` hops. On the curve the order does not matter, so
//! here the scalars are multiplied first, modulo the order of the group, and then the key once.
//!
//! The order of the group is a prime, that of the curve is eight times it. Clamped scalars are
//! multiples of eight, by which X25519 makes any small part of a key vanish; here the key is
//! multiplied by eight when it is first met, and the product of scalars by an eighth. So the result
//! is that of the chain for every key on the curve.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use curve25519_dalek::edwards::EdwardsBasepointTable;
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::traits::BasepointTable;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use wire::PublicKey;
use zeroize::Zeroizing;

use crate::hop_keys::POINT_BYTES;
use crate::{BuildError, Hop, MAX_HOPS};

/// After so many uses a key gets a table. A table halves the cost of a multiplication, and making it
/// costs about as much as so many uses then save: whoever sends little never pays for one.
const TABLE_AFTER: u32 = 64;

/// Most tables, of 30 kB each: a megabyte, for a process that needs little more itself. Three
/// layers of ten mixnodes and two providers all have one; in a larger network the rest goes without.
pub(crate) const MAX_TABLES: usize = 32;

/// A table that was not used among so many uses of keys belongs to a node that is gone, and may go
/// when another key wants one. In the largest network a mixnode is used a dozen times meanwhile.
const IDLE_AFTER: u64 = 4096;

/// Most keys that are remembered, 0.3 kB each: more than the largest network has nodes, four layers
/// of 64 mixnodes and their providers.
const MAX_KEYS: usize = 512;

/// The inverse of eight, modulo the order of the group.
static EIGHTH: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(8_u8).invert());

/// What a sender multiplies keys by: the product of its secret and the blinding scalars so far.
pub(crate) struct Product(Zeroizing<Scalar>);

impl Product {
    /// Of the secret alone, which need not be clamped. Also the point that goes with it.
    pub(crate) fn new(secret: &[u8; 32]) -> (Self, [u8; POINT_BYTES]) {
        let secret = Zeroizing::new(clamped(secret));
        let point = EdwardsPoint::mul_base(&secret).to_montgomery();
        (Self(Zeroizing::new(*secret * *EIGHTH)), point.to_bytes())
    }

    /// Puts in another, which need not be clamped.
    pub(crate) fn multiply(&mut self, scalar: &[u8; 32]) {
        *self.0 *= *Zeroizing::new(clamped(scalar));
    }
}

fn clamped(scalar: &[u8; 32]) -> Scalar {
    let clamped = Zeroizing::new(clamp_integer(*scalar));
    Scalar::from_bytes_mod_order(*clamped)
}

/// Eight times the key of a node, which can be multiplied. Takes the same time for all scalars.
#[derive(Clone)]
pub(crate) enum NodeKey {
    /// As it is.
    Point(EdwardsPoint),
    /// With its multiples beside it.
    Table(Arc<EdwardsBasepointTable>),
}

impl NodeKey {
    /// None if no node can have this key. Public keys are multiples of the base point. Points of the
    /// curve's twist are not, so that what a sender shares with them no node can compute; points of
    /// small order share the same with everybody.
    fn new(key: &PublicKey) -> Option<Self> {
        let point = MontgomeryPoint(*key.as_bytes()).to_edwards(0)?;
        (!point.is_small_order()).then(|| Self::Point(point.mul_by_cofactor()))
    }

    /// The point that the sender shares with the node.
    pub(crate) fn multiply(&self, product: &Product) -> Zeroizing<[u8; POINT_BYTES]> {
        let product: &Scalar = &product.0;
        let shared = match self {
            Self::Point(point) => point * product,
            Self::Table(table) => &**table * product,
        };
        Zeroizing::new(shared.to_montgomery().to_bytes())
    }

    fn tabulate(&mut self) {
        if let Self::Point(point) = self {
            *self = Self::Table(Arc::new(EdwardsBasepointTable::create(point)));
        }
    }

    fn forget_table(&mut self) {
        if let Self::Table(table) = self {
            *self = Self::Point(table.basepoint());
        }
    }

    fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }
}

/// The keys that were used lately, with tables for those that are used a lot.
#[derive(Default)]
pub(crate) struct NodeKeys(Mutex<Known>);

#[derive(Default)]
struct Known {
    keys: HashMap<PublicKey, Entry>,
    tables: usize,
    /// How often any key was used, which is how time passes here.
    uses: u64,
}

struct Entry {
    key: NodeKey,
    /// Since it was met, or since a table was refused to it.
    uses: u32,
    last_used: u64,
}

impl NodeKeys {
    /// The keys of a route's hops, of which there are at most [`MAX_HOPS`].
    pub(crate) fn of(&self, hops: &[Hop]) -> Result<[Option<NodeKey>; MAX_HOPS], BuildError> {
        // Nothing here is left half done, should a thread have died with the lock in hand.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = [const { None }; MAX_HOPS];
        for (slot, hop) in keys.iter_mut().zip(hops) {
            *slot = Some(known.use_key(&hop.key).ok_or(BuildError::Key(hop.key))?);
        }
        Ok(keys)
    }

    /// How many keys have a table.
    pub(crate) fn tables(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tables
    }
}

impl Known {
    fn use_key(&mut self, public: &PublicKey) -> Option<NodeKey> {
        self.uses += 1;
        let now = self.uses;
        let Some(entry) = self.keys.get_mut(public) else {
            let key = NodeKey::new(public)?;
            self.make_room();
            self.keys.insert(*public, Entry { key: key.clone(), uses: 1, last_used: now });
            return Some(key);
        };
        entry.uses = entry.uses.saturating_add(1);
        entry.last_used = now;
        if entry.key.is_table() || entry.uses < TABLE_AFTER {
            return Some(entry.key.clone());
        }
        entry.uses = 0;
        let has_room = self.tables < MAX_TABLES || self.forget_idle_table();
        let entry = self.keys.get_mut(public)?;
        if has_room {
            entry.key.tabulate();
            self.tables += 1;
        }
        Some(entry.key.clone())
    }

    /// Forgets the key that was not used for longest, if there are too many.
    fn make_room(&mut self) {
        if self.keys.len() < MAX_KEYS {
            return;
        }
        let oldest = self.keys.iter().min_by_key(|(_, entry)| entry.last_used);
        if let Some(oldest) = oldest.map(|(public, _)| *public)
            && let Some(entry) = self.keys.remove(&oldest)
            && entry.key.is_table()
        {
            self.tables -= 1;
        }
    }

    /// Forgets a table that is not used any more; says whether there was one.
    fn forget_idle_table(&mut self) -> bool {
        let entries = self.keys.values_mut().filter(|entry| entry.key.is_table());
        let oldest = entries.min_by_key(|entry| entry.last_used);
        match oldest {
            Some(entry) if self.uses - entry.last_used > IDLE_AFTER => {
                entry.key.forget_table();
                self.tables -= 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use x25519_dalek::x25519;

    use super::*;

    /// The public key of the `number`th node.
    fn public(number: u32) -> PublicKey {
        let mut secret = [1; 32];
        secret[..4].copy_from_slice(&number.to_be_bytes());
        PublicKey::from_bytes(x25519(secret, x25519_dalek::X25519_BASEPOINT_BYTES))
    }

    /// The product of these, and what X25519 makes of a key with one after the other.
    fn chain(key: &PublicKey, scalars: &[[u8; 32]]) -> (Product, [u8; 32]) {
        let (mut product, _) = Product::new(&scalars[0]);
        scalars[1..].iter().for_each(|scalar| product.multiply(scalar));
        let chained = scalars.iter().fold(*key.as_bytes(), |point, scalar| x25519(*scalar, point));
        (product, chained)
    }

    fn use_key(known: &mut Known, key: &PublicKey, times: u32) -> NodeKey {
        (0..times).fold(None, |_, _| known.use_key(key)).expect("a key of a node")
    }

    #[test]
    fn any_key_on_the_curve_gives_what_the_chain_gives_with_and_without_a_table() {
        let scalars = [[0xff; 32], [0; 32], [0x5a; 32], [7; 32], [0x81; 32]];
        let honest = MontgomeryPoint(*public(1).as_bytes()).to_edwards(0).expect("on the curve");
        for small in EIGHT_TORSION {
            let public = PublicKey::from_bytes((honest + small).to_montgomery().to_bytes());
            for count in 1..=scalars.len() {
                let (product, chained) = chain(&public, &scalars[..count]);
                let mut key = NodeKey::new(&public).expect("on the curve");
                assert_eq!(*key.multiply(&product), chained);
                key.tabulate();
                assert!(key.is_table());
                assert_eq!(*key.multiply(&product), chained);
                key.forget_table();
                assert!(!key.is_table());
                assert_eq!(*key.multiply(&product), chained);
            }
        }
    }

    #[test]
    fn spellings_of_one_key_are_one_point() {
        let mut bytes = *public(1).as_bytes();
        let scalars = [[3; 32], [4; 32]];
        // The highest bit means nothing.
        bytes[31] ^= 0x80;
        let (product, chained) = chain(&PublicKey::from_bytes(bytes), &scalars);
        let key = NodeKey::new(&PublicKey::from_bytes(bytes)).expect("on the curve");
        assert_eq!(*key.multiply(&product), chained);
        assert_eq!(chain(&public(1), &scalars).1, chained);
    }

    #[test]
    fn a_key_that_is_used_a_lot_gets_a_table_and_a_rare_one_does_not() {
        let mut known = Known::default();
        assert!(!use_key(&mut known, &public(1), TABLE_AFTER - 1).is_table());
        assert!(!use_key(&mut known, &public(2), 1).is_table());
        assert!(use_key(&mut known, &public(1), 1).is_table());
        assert_eq!((known.tables, known.keys.len()), (1, 2));
    }

    #[test]
    fn there_are_never_more_tables_and_keys_than_that() {
        let mut known = Known::default();
        let many = u32::try_from(MAX_TABLES).expect("few") + 2;
        for number in 0..many {
            use_key(&mut known, &public(number), TABLE_AFTER);
        }
        assert_eq!(known.tables, MAX_TABLES);
        // The tables of nodes that are gone are given to those that are used.
        let last = public(many);
        let idle = u32::try_from(IDLE_AFTER).expect("few");
        assert!(use_key(&mut known, &last, TABLE_AFTER + idle).is_table());
        assert_eq!(known.tables, MAX_TABLES);
        for number in many + 1..many + u32::try_from(MAX_KEYS).expect("few") {
            use_key(&mut known, &public(number), 1);
        }
        assert_eq!((known.tables, known.keys.len()), (1, MAX_KEYS), "the oldest are forgotten");
        assert!(use_key(&mut known, &last, 1).is_table());
    }
}
