//! What nodes are called.

/// The longest name of a client, in bytes: it is a folder's name and a column of tables.
pub(crate) const MAX_BYTES: usize = 32;

/// What a name of a client looks like.
pub(crate) const PATTERN: &str = "^[a-z][a-z0-9-]*$";

/// Name of the crowd's process.
pub(crate) const CROWD: &str = "crowd";

/// Names that somebody else has.
const TAKEN: [&str; 3] = ["directory", CROWD, "supervisor"];

/// How names begin that mixnodes, providers and identities of the crowd get, with a number after it.
const NUMBERED: [&str; 3] = ["mix-", "provider-", "crowd-"];

/// Why a client cannot have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Other characters than those that are allowed.
    #[error("a name begins with a letter, and has only a to z, 0 to 9 and dashes")]
    Characters,
    /// It does not fit.
    #[error("a name has at most {MAX_BYTES} characters")]
    Long,
    /// It is the name of another kind of node, now or as the network grows.
    #[error("this is the name of another kind of node")]
    Taken,
}

/// Whether a client can have this name.
pub fn check_client_name(name: &str) -> Result<(), NameError> {
    if name.len() > MAX_BYTES {
        return Err(NameError::Long);
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(NameError::Characters);
    }
    if TAKEN.contains(&name) || NUMBERED.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(NameError::Taken);
    }
    Ok(())
}

/// Name of a mixnode by its place, both from 1.
pub fn mixnode_name(layer: u8, index: u16) -> String {
    format!("mix-{layer}-{index}")
}

/// Name of the provider with this index, from 0.
pub fn provider_name(index: u16) -> String {
    format!("provider-{}", index + 1)
}

/// Name of the client with this index, from 0: `alice`, `bob`, …, then `client-27` and so on.
pub fn client_name(index: u16) -> String {
    const NAMES: [&str; 26] = [
        "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim",
        "laura", "mallory", "niaj", "olivia", "peggy", "quentin", "rupert", "sybil", "trent",
        "ursula", "victor", "walter", "xenia", "yves", "zorro",
    ];
    match NAMES.get(usize::from(index)) {
        Some(name) => (*name).into(),
        None => format!("client-{}", index + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_plain_name_that_nobody_else_gets() {
        for index in 0..200 {
            assert_eq!(check_client_name(&client_name(index)), Ok(()));
        }
        for name in ["", "Alice", "9", "-a", "a b", "a/b", "..", "ä", "a\n"] {
            assert_eq!(check_client_name(name), Err(NameError::Characters), "{name:?}");
        }
        assert_eq!(check_client_name(&"x".repeat(MAX_BYTES)), Ok(()));
        assert_eq!(check_client_name(&"x".repeat(MAX_BYTES + 1)), Err(NameError::Long));
        for name in ["crowd", "crowd-3", "directory", "supervisor", "provider-9", "mix-1-1"] {
            assert_eq!(check_client_name(name), Err(NameError::Taken), "{name}");
        }
    }
}
