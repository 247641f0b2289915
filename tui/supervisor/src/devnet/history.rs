//! The directory's history of what mixnodes reported, under the names of the devnet.

use std::collections::BTreeMap;

use contract::Role;
use control::{Failure, FailureCode, History, NodeHistory};
use directory_api::MetricsHistory;
use directory_client::Error;

use super::Devnet;
use crate::ask::Reply;
use crate::clock::Moment;

impl Devnet {
    /// Asks the directory, and hands on what it says. The loop does not wait for it.
    pub(super) fn read_history(
        &self,
        now: Moment,
        window: u64,
        step: u64,
        mut reply: Reply<History>,
    ) {
        let Some(directory) = self.directory_client.clone() else {
            let why = "the directory has not opened its port yet";
            drop(reply.send(Err(Failure::new(FailureCode::NotRunning, why).node("directory"))));
            return;
        };
        let back = i64::try_from(window).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        let since = i64::try_from(now.unix_ns).unwrap_or(i64::MAX).saturating_sub(back);
        let names = self.mixnodes_by_key();
        tokio::spawn(async move {
            let read = tokio::select! {
                read = directory.metrics_history(Some(since), Some(step)) => read,
                // Whoever asked has gone, and somebody else has the turn.
                () = reply.closed() => return,
            };
            let history = read.map(|history| named(history, &names));
            drop(reply.send(history.map_err(|error| failure(&error))));
        });
    }

    fn mixnodes_by_key(&self) -> BTreeMap<String, String> {
        let mixnodes = self.store.nodes().iter().filter(|node| node.role == Role::Mixnode);
        mixnodes
            .flat_map(|node| node.public_keys.iter().map(|key| (key.clone(), node.name.clone())))
            .collect()
    }
}

fn named(history: MetricsHistory, names: &BTreeMap<String, String>) -> History {
    let nodes = history.nodes.into_iter().map(|node| NodeHistory {
        node: names.get(&node.pub_key).cloned().unwrap_or(node.pub_key),
        received: node.received,
        sent: node.sent,
    });
    History {
        since_unix_ms: u64::try_from(history.since / 1_000_000).unwrap_or(0),
        step_s: history.step,
        nodes: nodes.collect(),
    }
}

fn failure(error: &Error) -> Failure {
    let code = match error {
        Error::Refused { status: 400, .. } => FailureCode::Usage,
        Error::TimedOut { .. } => FailureCode::DeadlinePassed,
        Error::Unreachable { .. } => FailureCode::NotRunning,
        _ => FailureCode::Other,
    };
    let message = match error {
        // What the directory says of a wrong question is all that whoever asked can use.
        Error::Refused { text, .. } => format!("the directory gives no such history: {text}"),
        Error::Unreachable { cause, .. } => format!("the directory does not answer: {cause}"),
        Error::TimedOut { after, .. } => {
            format!("the directory does not answer within {} s", after.as_secs_f32())
        }
        error => error.to_string(),
    };
    Failure::new(code, message).node("directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_names_and_strangers_their_keys() {
        let node = |key: &str| directory_api::NodeHistory {
            pub_key: key.into(),
            received: vec![Some(0), None],
            sent: vec![Some(1), None],
        };
        let nodes = vec![node("a"), node("b")];
        let history = MetricsHistory { since: 20_000_000_000, step: 10, nodes };
        let history = named(history, &BTreeMap::from([("b".into(), "mix-1-1".into())]));
        assert_eq!((history.since_unix_ms, history.step_s), (20_000, 10));
        let named: Vec<&str> = history.nodes.iter().map(|node| &*node.node).collect();
        assert_eq!(named, ["a", "mix-1-1"]);
        assert_eq!(history.nodes[1].received, [Some(0), None]);
        assert_eq!(history.nodes[1].sent, [Some(1), None]);
    }
}
