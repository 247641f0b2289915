//! Seeds: what a node draws by lot is the same in every run.
//!
//! A node draws two kinds of things. What must never come twice, such as the keys and nonces of
//! packets and the identifiers of messages, always comes from the system. What is a choice, such as
//! its own key and the routes, delays and intervals of a client, comes from a seed if there is one.
//! The n-th choice for a purpose is drawn from a `StdRng` that begins with
//!
//! ```text
//! HKDF-SHA256(salt   = "nym-devnet seed 1",
//!             secret = the seed, 8 bytes, big-endian ‖ the name of the node,
//!             info   = the purpose ‖ 0 ‖ n, 8 bytes, big-endian),   32 bytes of it
//! ```
//!
//! So one choice does not depend on how many random numbers another took, and nothing has to be kept:
//! a node that is started again begins its sequences again. That is no loss, for whoever knows the seed
//! knows them anyway, and its packets are others, for their keys are. It is also why a seeded key is
//! marked as such, and why its node stays on this machine.

use std::fmt;
use std::net::IpAddr;

use contract::{Fatal, FatalCode};
use hkdf::Hkdf;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::Sha256;
use sphinx::PrivateKey;

use crate::{KeyFiles, LoadedKey};

/// Another derivation gets another number.
const SALT: &[u8] = b"nym-devnet seed 1";

/// What the key of a node is drawn for.
const KEY_PURPOSE: &str = "key";

/// The seed of one node.
#[derive(Clone)]
pub struct NodeSeed {
    seed: u64,
    choices: Hkdf<Sha256>,
}

impl fmt::Debug for NodeSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeSeed({})", self.seed)
    }
}

impl NodeSeed {
    /// What the node of this name does with that seed.
    pub fn new(seed: u64, node: &str) -> Self {
        let secret = [&seed.to_be_bytes(), node.as_bytes()].concat();
        Self { seed, choices: Hkdf::new(Some(SALT), &secret) }
    }

    /// The same for one of many who share a name, counted from 1.
    pub fn of_member(seed: u64, node: &str, number: usize) -> Self {
        // No name has a blank.
        Self::new(seed, &format!("{node} {number}"))
    }

    /// Random numbers for the choice with this number among those for one purpose.
    pub fn choice(&self, purpose: &str, number: u64) -> StdRng {
        let mut begin = [0; 32];
        self.choices
            .expand_multi_info(&[purpose.as_bytes(), &[0], &number.to_be_bytes()], &mut begin)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        StdRng::from_seed(begin)
    }

    fn key(&self) -> PrivateKey {
        PrivateKey::random(&mut self.choice(KEY_PURPOSE, 0))
    }
}

/// Reads the key of a node, or makes one: of its seed, if it has one. A key that is there already has
/// to be that of the seed.
pub fn load_key(files: &KeyFiles, seed: Option<&NodeSeed>) -> Result<LoadedKey, Fatal> {
    let Some(seed) = seed else {
        let loaded = files.load_or_create(&mut rand::rng())?;
        if let Some(seed) = loaded.seed {
            tracing::warn!("the key was made of the seed {seed}: whoever knows that has it");
        }
        return Ok(loaded);
    };
    let own = seed.key();
    let loaded = files.load_or_make(Some(seed.seed), || own.clone())?;
    if loaded.key.public() == own.public() {
        return Ok(loaded);
    }
    let private = files.private.display();
    let what = match loaded.seed {
        Some(other) if other == seed.seed => "that of another node".into(),
        Some(other) => format!("of the seed {other}"),
        None => "random".into(),
    };
    let message =
        format!("the key `{private}` is {what}, and not what the seed {} makes here", seed.seed);
    Err(Fatal::new(FatalCode::Usage, message).hint(
        "start it as it was started before, or with a new folder; `nym-devnet down --purge` removes \
         that of a devnet",
    ))
}

impl LoadedKey {
    /// Refuses to be used at addresses that others can reach, if everybody can make the same key.
    pub fn check_addresses(&self, hosts: impl IntoIterator<Item = IpAddr>) -> Result<(), Fatal> {
        let Some(seed) = self.seed else { return Ok(()) };
        let Some(host) = hosts.into_iter().find(|host| !host.is_loopback()) else { return Ok(()) };
        let message = format!(
            "the key of this node was made of the seed {seed}, so whoever knows or guesses that number \
             has it too: it is not used at `{host}`, which others may reach"
        );
        Err(Fatal::new(FatalCode::Usage, message)
            .hint("use 127.0.0.1, or a new folder and no --seed, which makes a random key"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rand::RngExt;

    use super::*;

    /// The derivation is an interface: with another one, no seed would give the network that it gave.
    /// The key was computed by other code, which is `layouts/builtin/custom-node/sphinx.py` with 12
    /// rounds of `ChaCha20`.
    #[test]
    fn the_derivation_stays_as_it_is() {
        let key = NodeSeed::new(42, "alice").key();
        assert_eq!(key.public().to_string(), "9GxBuYQHFJJUvGrTGxo4hcCfx3hVVfyJYh59N896t3dx");
    }

    #[test]
    fn every_seed_node_purpose_and_number_gives_its_own_numbers() {
        let draw = |seed: &NodeSeed, purpose, number| seed.choice(purpose, number).random::<u64>();
        let alice = NodeSeed::new(42, "alice");
        let first = draw(&alice, "loop", 0);
        assert_eq!(draw(&NodeSeed::new(42, "alice"), "loop", 0), first);
        let others = [
            draw(&NodeSeed::new(43, "alice"), "loop", 0),
            draw(&NodeSeed::new(42, "bob"), "loop", 0),
            draw(&NodeSeed::of_member(42, "alice", 1), "loop", 0),
            draw(&alice, "slot", 0),
            draw(&alice, "loop", 1),
        ];
        assert!(!others.contains(&first), "{others:?}");
    }

    #[test]
    fn a_seeded_key_is_marked_and_another_is_not_taken_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = KeyFiles::in_folder(folder.path(), "sphinx");
        let seed = NodeSeed::new(7, "mix-1-1");
        let made = load_key(&files, Some(&seed)).expect("made");
        assert_eq!((made.new, made.seed), (true, Some(7)));
        for file in [&files.private, &files.public] {
            let text = fs::read_to_string(file).expect("there");
            assert!(text.lines().any(|line| line == "Seed: 7"), "{text}");
        }
        let found = load_key(&files, Some(&seed)).expect("found");
        assert_eq!((found.new, found.key.public()), (false, made.key.public()));
        // The mark stays, however it is started.
        assert_eq!(load_key(&files, None).expect("found").seed, Some(7));

        let refused = |seed: u64, node: &str| {
            let fatal = load_key(&files, Some(&NodeSeed::new(seed, node))).expect_err("refused");
            assert_eq!(fatal.code, FatalCode::Usage);
            fatal.message
        };
        assert!(refused(8, "mix-1-1").contains("is of the seed 7, and not what the seed 8"));
        assert!(refused(7, "mix-1-2").contains("is that of another node"));

        let random = KeyFiles::in_folder(folder.path(), "random");
        let made = load_key(&random, None).expect("made");
        assert_eq!(made.seed, None);
        let fatal = load_key(&random, Some(&seed)).expect_err("refused");
        assert!(fatal.message.contains("is random, and not"), "{fatal}");
        assert_eq!(load_key(&random, None).expect("kept").key.public(), made.key.public());

        let text = fs::read_to_string(&files.private).expect("there").replace(": 7", ": seven");
        fs::write(&files.private, text).expect("written");
        assert_eq!(load_key(&files, None).expect_err("no seed").code, FatalCode::Storage);
    }

    #[test]
    fn a_seeded_key_stays_on_this_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = |seed: Option<&NodeSeed>, name| {
            load_key(&KeyFiles::in_folder(folder.path(), name), seed).expect("made")
        };
        let seeded = key(Some(&NodeSeed::new(7, "mix-1-1")), "seeded");
        let random = key(None, "random");
        for (host, stays) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("192.0.2.1", false),
        ] {
            let host: IpAddr = host.parse().expect("an address");
            let hosts = ["127.0.0.1".parse().expect("an address"), host];
            let checked = seeded.check_addresses(hosts);
            assert_eq!(checked.is_ok(), stays, "{host}");
            if let Err(fatal) = checked {
                assert_eq!(fatal.code, FatalCode::Usage);
                assert!(fatal.message.contains(&format!("`{host}`")), "{fatal}");
            }
            assert!(random.check_addresses(hosts).is_ok());
        }
    }
}
