//! `remove`: nodes leave a running devnet for good.

use contract::Role;
use control::{Failure, FailureCode, MessageState, MessageStatus, NodeStatus, Snapshot, State};
use serde::Serialize;

use super::{check_names, one_by_one};
use crate::cli::RemoveArgs;
use crate::context::Context;
use crate::progress::Progress;
use crate::stop::Outcome;
use crate::watch::{Watch, late};

#[derive(Serialize)]
struct Removal {
    nodes: Vec<Removed>,
}

#[derive(Serialize)]
struct Removed {
    name: String,
    role: Role,
    /// Whether it is gone, or only on its way.
    gone: bool,
    /// Messages of a client that are not acknowledged. They are kept in its folder.
    unsent: usize,
}

pub(crate) async fn run(context: &Context, args: &RemoveArgs) -> Outcome {
    let client = context.connect(None)?;
    // All of them first: either the whole line can be meant or none of it is done.
    check_names(&client.status().await?, &args.nodes, &[])?;
    let (mut nodes, refused) = one_by_one(&args.nodes, async |name| {
        let NodeStatus { name, role, .. } = client.remove(name).await?;
        Ok(Removed { name, role, gone: false, unsent: 0 })
    })
    .await?;
    if !args.wait.no_wait {
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        // Opened only now: who is not in it is gone.
        let mut watch = Watch::open(&client).await?;
        let mut progress = Progress::new(context.output, args.wait.timeout, false);
        let gone = wait(&mut watch, &mut progress, &names);
        let waited = tokio::time::timeout(args.wait.timeout, gone).await;
        drop(progress);
        waited.unwrap_or_else(|_| Err(too_late(&watch, args, &names).into()))?;
    }
    let snapshot = client.status().await?;
    for node in &mut nodes {
        node.gone = !snapshot.nodes.iter().any(|other| other.name == node.name);
        node.unsent = unsent(&snapshot, &node.name);
    }
    let removal = Removal { nodes };
    context.output.result_with("remove", Some(context.name()), &removal, refused, |_| {
        removal.nodes.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

async fn wait(watch: &mut Watch, progress: &mut Progress, names: &[&str]) -> Outcome {
    loop {
        let left = || names.iter().filter_map(|name| watch.node(name));
        if left().next().is_none() {
            return Ok(());
        }
        let reason = late(left(), State::Stopped);
        progress.go_on(watch, &reason).await?;
    }
}

fn too_late(watch: &Watch, args: &RemoveArgs, names: &[&str]) -> Failure {
    let limit = humantime::format_duration(args.wait.timeout);
    let left = names.iter().filter_map(|name| watch.node(name));
    let message = format!("not gone within {limit}: {}", late(left, State::Stopped));
    Failure::new(FailureCode::DeadlinePassed, message)
}

/// How many messages of a client somebody may still miss. Without acknowledgements those that have not
/// left at all.
fn unsent(snapshot: &Snapshot, client: &str) -> usize {
    let acks = snapshot.devnet.acks;
    let is_unsent = |message: &&MessageStatus| {
        let is_over = message.state == MessageState::Failed || message.delivered_ms.is_some();
        let mut packets = message.packets.iter();
        message.from == client
            && !is_over
            && packets.any(|packet| if acks { !packet.acknowledged } else { packet.attempts == 0 })
    };
    snapshot.messages.iter().filter(is_unsent).count()
}

fn line(node: &Removed) -> String {
    let Removed { name, gone, unsent, .. } = node;
    let how = if *gone { "removed" } else { "is being removed" };
    let kept = match unsent {
        0 => return format!("{name}: {how}; its folder stays"),
        1 => "1 message is not acknowledged and kept".to_owned(),
        unsent => format!("{unsent} messages are not acknowledged and kept"),
    };
    format!("{name}: {how}; {kept}: `nym-devnet add client {name}` goes on with it")
}
