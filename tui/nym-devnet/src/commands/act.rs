//! `start`, `stop`, `restart`, `pause`, `resume`, `kill`: do something to processes.

use std::time::Duration;

use control::{Failure, FailureCode, NodeAction, NodeStatus, State};
use serde::Serialize;

use super::{check_names, one_by_one};
use crate::cli::{KillArgs, NodesArgs};
use crate::context::Context;
use crate::progress::Progress;
use crate::stop::Outcome;
use crate::watch::{Watch, late};

#[derive(Serialize)]
struct Acted {
    action: &'static str,
    nodes: Vec<NodeStatus>,
}

pub(crate) async fn start(context: &Context, args: &NodesArgs) -> Outcome {
    act(context, NodeAction::Start, &args.nodes, goal(args, State::Ready)).await
}

pub(crate) async fn stop(context: &Context, args: &NodesArgs) -> Outcome {
    act(context, NodeAction::Stop, &args.nodes, goal(args, State::Stopped)).await
}

pub(crate) async fn restart(context: &Context, args: &NodesArgs) -> Outcome {
    act(context, NodeAction::Restart, &args.nodes, goal(args, State::Ready)).await
}

pub(crate) async fn pause(context: &Context, args: &NodesArgs) -> Outcome {
    act(context, NodeAction::Pause, &args.nodes, goal(args, State::Paused)).await
}

pub(crate) async fn resume(context: &Context, args: &NodesArgs) -> Outcome {
    act(context, NodeAction::Resume, &args.nodes, goal(args, State::Ready)).await
}

pub(crate) async fn kill(context: &Context, args: &KillArgs) -> Outcome {
    act(context, NodeAction::Kill, &args.nodes, None).await
}

/// The state that is waited for, and for how long.
fn goal(args: &NodesArgs, state: State) -> Option<(State, Duration)> {
    (!args.wait.no_wait).then_some((state, args.wait.timeout))
}

async fn act(
    context: &Context,
    action: NodeAction,
    names: &[String],
    goal: Option<(State, Duration)>,
) -> Outcome {
    let client = context.connect(None)?;
    // All of them first: either the whole line can be meant or none of it is done.
    check_names(&client.status().await?, names, &[])?;
    let (mut nodes, refused) =
        one_by_one(names, async |name| client.act(name, action).await).await?;
    let names = names.get(..nodes.len()).unwrap_or(names);
    if let Some((state, limit)) = goal {
        // Opened only now, so that it begins after what was asked.
        let mut watch = Watch::open(&client).await?;
        let mut progress = Progress::new(context.output, limit, false);
        let waiting =
            tokio::time::timeout(limit, wait(&mut watch, &mut progress, names, state)).await;
        drop(progress);
        if waiting.is_err() {
            return Err(too_late(&watch, action, names, state, limit).into());
        }
        waiting.unwrap_or(Ok(()))?;
        nodes = names.iter().filter_map(|name| watch.node(name).cloned()).collect();
    }
    let acted = Acted { action: action.word(), nodes };
    context.output.result_with("act", Some(context.name()), &acted, refused, |output| {
        let lines = acted
            .nodes
            .iter()
            .map(|node| format!("{}: {}: {}", node.name, output.state(node.state, 0), node.reason));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// Waits until all of these are in that state.
pub(super) async fn wait(
    watch: &mut Watch,
    progress: &mut Progress,
    names: &[String],
    state: State,
) -> Outcome {
    loop {
        let nodes: Vec<&NodeStatus> = names.iter().filter_map(|name| watch.node(name)).collect();
        if nodes.iter().all(|node| node.state == state) {
            return Ok(());
        }
        if let Some(node) = nodes.iter().find(|node| node.state == State::Failed) {
            return Err(watch.loss_of(node).into());
        }
        let reason = late(nodes, state);
        progress.go_on(watch, &reason).await?;
    }
}

fn too_late(
    watch: &Watch,
    action: NodeAction,
    names: &[String],
    state: State,
    limit: Duration,
) -> Failure {
    let limit = humantime::format_duration(limit);
    let nodes: Vec<&NodeStatus> = names.iter().filter_map(|name| watch.node(name)).collect();
    let message = format!("cannot {} within {limit}", action.word());
    match nodes.iter().find(|node| node.state != state) {
        Some(node) => {
            let why = late(nodes.iter().copied(), state);
            Failure::new(FailureCode::DeadlinePassed, format!("{message}: {why}"))
                .node(&node.name)
                .log(node.log_file.display().to_string())
        }
        None => Failure::new(FailureCode::DeadlinePassed, message),
    }
}
