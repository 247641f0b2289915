//! Who watches: an adversary by the names of what it holds.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use anonymity::{Adversary, NodeId};
use serde::{Serialize, Serializer};

use crate::names::Names;

/// Who watches.
///
/// As text, which is read again: `all`, `link alice mix-1-1`, or parts of `mixes mix-1-1,mix-2-1` and
/// `providers provider-1`, which see all links as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Sees all links, and nodes work for it.
    All {
        /// Mixnodes that tell it which packet became which.
        mixes: BTreeSet<String>,
        /// Providers that tell it for whom packets are.
        providers: BTreeSet<String>,
    },
    /// Sees one link, both ways.
    Link(String, String),
}

impl Default for Who {
    fn default() -> Self {
        Self::All { mixes: BTreeSet::new(), providers: BTreeSet::new() }
    }
}

impl Who {
    /// The same for an observer; none if it names a node that nobody knows.
    pub(crate) fn adversary(&self, names: &Names) -> Option<Adversary> {
        let numbers = |names_of: &BTreeSet<String>| -> Option<BTreeSet<NodeId>> {
            names_of.iter().map(|name| names.find(name)).collect()
        };
        Some(match self {
            Self::All { mixes, providers } => {
                Adversary::Global { corrupt: numbers(mixes)?, curious: numbers(providers)? }
            }
            Self::Link(one, other) => Adversary::OneLink(names.find(one)?, names.find(other)?),
        })
    }

    /// The nodes that work for it, by name: of these it is told what only they know.
    pub fn accomplices(&self) -> impl Iterator<Item = &str> {
        let (mixes, providers) = match self {
            Self::All { mixes, providers } => (Some(mixes), Some(providers)),
            Self::Link(..) => (None, None),
        };
        mixes.into_iter().chain(providers).flatten().map(String::as_str)
    }

    /// In a few words for people, such as `sees every link, mix-1-1 works for it`.
    pub fn words(&self) -> String {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::All { mixes, providers } if mixes.is_empty() && providers.is_empty() => {
                "sees every link, no node works for it".into()
            }
            Self::All { mixes, providers } => {
                let all: BTreeSet<String> = mixes.union(providers).cloned().collect();
                let work = if all.len() == 1 { "works" } else { "work" };
                format!("sees every link, {} {work} for it", list(&all))
            }
            Self::Link(one, other) => format!("sees the link between {one} and {other}"),
        }
    }
}

impl Who {
    /// The same in fewer words, where nodes that work for it have no room to be named.
    pub fn short(&self) -> String {
        let Self::All { mixes, providers } = self else { return self.words() };
        let count = mixes.len() + providers.len();
        if count < 2 {
            return self.words();
        }
        let what = match (mixes.is_empty(), providers.is_empty()) {
            (false, true) => "mixnodes",
            (true, false) => "providers",
            _ => "nodes",
        };
        format!("sees every link, {count} {what} work for it")
    }

    /// In as few words as possible, for the title of a table.
    pub fn brief(&self) -> String {
        match self {
            Self::All { mixes, providers } => match mixes.len() + providers.len() {
                0 => "every link".into(),
                1 => "every link, 1 node".into(),
                count => format!("every link, {count} nodes"),
            },
            Self::Link(one, other) => format!("{one} to {other}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All { mixes, providers } => {
                let mut parts = Vec::new();
                for (word, names) in [("mixes", mixes), ("providers", providers)] {
                    if !names.is_empty() {
                        let names: Vec<&str> = names.iter().map(String::as_str).collect();
                        parts.push(format!("{word} {}", names.join(",")));
                    }
                }
                f.write_str(if parts.is_empty() { "all" } else { "" })?;
                f.write_str(&parts.join(" "))
            }
            Self::Link(one, other) => write!(f, "link {one} {other}"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is no [`Who`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhoError;

impl fmt::Display for WhoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `all`, `link ONE OTHER`, `mixes NAME,…` or `providers NAME,…`")
    }
}

impl std::error::Error for WhoError {}

impl FromStr for Who {
    type Err = WhoError;

    fn from_str(text: &str) -> Result<Self, WhoError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["all"] => return Ok(Self::default()),
            ["link", one, other] => return Ok(Self::Link(one.into(), other.into())),
            [] => return Err(WhoError),
            _ => {}
        }
        let (mut mixes, mut providers) = (BTreeSet::new(), BTreeSet::new());
        let (pairs, rest) = words.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(WhoError);
        }
        for [word, list] in pairs {
            let names = list.split(',').filter(|name| !name.is_empty()).map(str::to_owned);
            match *word {
                "mixes" => mixes.extend(names),
                "providers" => providers.extend(names),
                _ => return Err(WhoError),
            }
        }
        Ok(Self::All { mixes, providers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "all",
            "link alice mix-1-1",
            "mixes mix-1-1,mix-2-1",
            "providers provider-1",
            "mixes mix-1-1 providers provider-1,provider-2",
        ] {
            let who: Who = text.parse().expect(text);
            assert_eq!(who.to_string(), text);
        }
        for text in ["", "some", "link alice", "mixes", "all mixes", "nodes a"] {
            assert_eq!(text.parse::<Who>(), Err(WhoError), "{text}");
        }
        let who: Who = "mixes mix-1-1,mix-2-1".parse().expect("somebody");
        assert_eq!(who.words(), "sees every link, mix-1-1, mix-2-1 work for it");
        assert_eq!(who.short(), "sees every link, 2 mixnodes work for it");
        assert_eq!(who.brief(), "every link, 2 nodes");
        assert_eq!(Who::default().short(), Who::default().words());
    }
}
