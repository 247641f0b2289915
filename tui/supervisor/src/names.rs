//! Which node is behind an address or a key, and which name somebody meant.

use std::collections::HashMap;

use control::{Failure, FailureCode, identity_name, identity_of, shown_name};

/// Names of nodes by everything else that they are known by: `host:port`, base58 keys,
/// `client@provider`. A node keeps its key and its ports until it is removed. So does an identity of a
/// crowd, which has its name for as long: its last packets are underway when it has left, and with the
/// same key it may come back.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// The node is also known by this.
    pub(crate) fn learn(&mut self, known_by: &str, node: &str) {
        if self.0.get(known_by).is_none_or(|known| known != node) {
            self.0.insert(known_by.into(), node.into());
        }
    }

    /// A crowd has identities with these keys, by their numbers.
    pub(crate) fn learn_identities(&mut self, node: &str, keys: &[String]) {
        for (key, number) in keys.iter().zip(1..) {
            self.learn(key, &identity_name(node, number));
        }
    }

    /// The node is gone, and its identities with it.
    pub(crate) fn forget(&mut self, node: &str) {
        let is_of = |known: &str| identity_of(known).is_some_and(|(process, _)| process == node);
        self.0.retain(|_, known| known != node && !is_of(known));
    }

    /// The node's name, or the identity's. An address of a client is also known by its first half, the client's key.
    pub(crate) fn find(&self, known_by: &str) -> Option<&str> {
        let client = || known_by.split_once('@').and_then(|(key, _)| self.0.get(key));
        self.0.get(known_by).or_else(client).map(String::as_str)
    }

    /// The node's name, or what it was asked by.
    pub(crate) fn name_or_self(&self, known_by: &str) -> String {
        self.find(known_by).unwrap_or(known_by).into()
    }
}

/// There is no `what` of that name; the hint names the one that was probably meant.
pub fn no_such_node<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let hint = match layouts::nearest(name, names) {
        Some(nearest) => format!("did you mean `{nearest}`? `nym-devnet ps` lists all"),
        None => "`nym-devnet ps` lists all".into(),
    };
    let name = shown_name(name);
    Failure::new(FailureCode::NoSuchNode, format!("there is no {what} named `{name}`"))
        .hint(hint)
        .node(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_everything_that_a_node_is_known_by() {
        let mut names = Names::default();
        names.learn("127.0.0.1:9980", "mix-1-1");
        names.learn("key", "alice");
        assert_eq!(names.find("127.0.0.1:9980"), Some("mix-1-1"));
        assert_eq!(names.find("key@some-provider"), Some("alice"));
        assert_eq!(names.find("other@some-provider"), None);
        assert_eq!(names.name_or_self("1.2.3.4:5"), "1.2.3.4:5");
    }

    #[test]
    fn identities_keep_their_names_until_the_crowd_is_gone() {
        let mut names = Names::default();
        names.learn("key", "crow");
        let keys = ["one", "two", "three"].map(String::from);
        names.learn_identities("crowd", &keys);
        assert_eq!(names.find("three"), Some("crowd-3"));
        names.learn_identities("crowd", &keys[..1]);
        assert_eq!(names.find("three"), Some("crowd-3"), "its last packets are still its own");
        names.forget("crowd");
        assert_eq!((names.find("one"), names.find("key")), (None, Some("crow")));
    }

    #[test]
    fn who_mistypes_is_offered_the_nearest_name() {
        let hint = |name: &str| {
            let names = ["mix-1-1", "mix-2-1", "provider-1", "alice"];
            no_such_node("node", name, names.into_iter()).hint.expect("a hint")
        };
        assert!(hint("mix1-1").contains("`mix-1-1`"), "{}", hint("mix1-1"));
        assert!(hint("alcie").contains("`alice`"));
        assert!(hint("provider").contains("`provider-1`"));
        assert!(!hint("zzz").contains("mean"));

        let failure = no_such_node("node", &"\u{1b}".repeat(1_000_000), ["alice"].into_iter());
        let shown = "␛".repeat(64) + "…";
        assert_eq!(failure.message, format!("there is no node named `{shown}`"));
        assert_eq!(failure.node, Some(shown));
    }
}
