//! The commands, one file each.

use contract::Endpoint;
use control::{ControlError, Failure, NodeStatus, Snapshot};

use crate::stop::Outcome;

pub(crate) mod act;
pub(crate) mod add;
pub(crate) mod anonymity;
pub(crate) mod attach;
pub(crate) mod attack;
pub(crate) mod completions;
mod delays;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod gc;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod layout;
pub(crate) mod lesson;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod metrics;
pub(crate) mod ping;
pub(crate) mod planned;
pub(crate) mod ps;
pub(crate) mod remove;
mod screen;
pub(crate) mod send;
pub(crate) mod set;
pub(crate) mod status;
pub(crate) mod topology;
pub(crate) mod up;
pub(crate) mod wait;

/// Whether each of these is the name of a process, or one of the others that can be meant.
fn check_names(snapshot: &Snapshot, names: &[String], others: &[&str]) -> Result<(), Failure> {
    let known = || {
        let nodes = snapshot.nodes.iter().map(|node| node.name.as_str());
        nodes.chain(others.iter().copied())
    };
    match names.iter().find(|name| !known().any(|other| other == **name)) {
        Some(unknown) => Err(supervisor::no_such_node("node", unknown, known())),
        None => Ok(()),
    }
}

/// Does something to each of these in turn. A refusal of the first is all there is to tell; after a later
/// one, such as that of the last of two mixnodes, what was done before is told as well.
async fn one_by_one<T>(
    names: &[String],
    mut act: impl AsyncFnMut(&str) -> Result<T, ControlError>,
) -> Outcome<(Vec<T>, Option<Failure>)> {
    let mut done = Vec::new();
    for name in names {
        match act(name).await {
            Ok(result) => done.push(result),
            Err(failure) if done.is_empty() => return Err(failure.into()),
            Err(failure) => return Ok((done, Some(failure.into()))),
        }
    }
    Ok((done, None))
}

/// Where the directory shows its live page, once it listens.
fn page<'a>(nodes: impl IntoIterator<Item = &'a NodeStatus>) -> Option<String> {
    let mut addresses = nodes.into_iter().filter_map(|node| node.addresses.get(&Endpoint::Http));
    addresses.next().map(|address| format!("http://{address}/"))
}
