//! Which node is behind an address or a key.

use std::collections::HashMap;

/// Names of nodes by everything else that they are known by: `host:port`, base58 keys,
/// `client@provider`. It grows with the devnet's plan: a node keeps its key and its ports.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// The node is also known by this.
    pub(crate) fn learn(&mut self, known_by: &str, node: &str) {
        if self.0.get(known_by).is_none_or(|known| known != node) {
            self.0.insert(known_by.into(), node.into());
        }
    }

    /// The node's name. An address of a client is also known by its first half, the client's key.
    pub(crate) fn find(&self, known_by: &str) -> Option<&str> {
        let client = || known_by.split_once('@').and_then(|(key, _)| self.0.get(key));
        self.0.get(known_by).or_else(client).map(String::as_str)
    }

    /// The node's name, or what it was asked by.
    pub(crate) fn name_or_self(&self, known_by: &str) -> String {
        self.find(known_by).unwrap_or(known_by).into()
    }
}
