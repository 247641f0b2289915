//! `add`: one more node for a running devnet.

use control::{AddRequest, Failure, FailureCode, NodeStatus, State};
use serde::Serialize;

use super::act;
use crate::cli::{AddArgs, AddWhat};
use crate::context::Context;
use crate::progress::Progress;
use crate::stop::Outcome;
use crate::watch::{Watch, late};

#[derive(Serialize)]
struct Added {
    node: NodeStatus,
}

pub(crate) async fn run(context: &Context, args: &AddArgs) -> Outcome {
    let client = context.connect(None)?;
    let request = match &args.what {
        AddWhat::Mix { layer } => AddRequest::Mixnode { layer: *layer },
        AddWhat::Client { client } => AddRequest::Client { name: client.clone() },
        AddWhat::Provider => AddRequest::Provider,
    };
    let mut node = client.add(&request).await?;
    if !args.wait.no_wait {
        let names = [node.name.clone()];
        let mut watch = Watch::open(&client).await?;
        let mut progress = Progress::new(context.output, args.wait.timeout, false);
        let ready = act::wait(&mut watch, &mut progress, &names, State::Ready);
        let waited = tokio::time::timeout(args.wait.timeout, ready).await;
        drop(progress);
        node = watch.node(&node.name).cloned().unwrap_or(node);
        waited.unwrap_or_else(|_| Err(too_late(&node, args).into()))?;
    }
    let added = Added { node };
    context.output.result("add", Some(context.name()), &added, |output| {
        let NodeStatus { name, state, reason, .. } = &added.node;
        format!("{name}: {}: {reason}", output.state(*state, 0))
    })
}

fn too_late(node: &NodeStatus, args: &AddArgs) -> Failure {
    let NodeStatus { name, log_file, .. } = node;
    let limit = humantime::format_duration(args.wait.timeout);
    let why = late([node], State::Ready);
    let message = format!("`{name}` is added, and not ready within {limit}: {why}");
    Failure::new(FailureCode::DeadlinePassed, message)
        .hint(format!("`nym-devnet remove {name}` takes it out again"))
        .node(name)
        .log(log_file.display().to_string())
}
