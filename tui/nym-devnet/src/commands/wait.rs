//! `wait`: until a devnet is ready, or gone.

use std::time::Instant;

use control::{Failure, FailureCode, State};
use serde::Serialize;

use crate::cli::{Goal, WaitArgs};
use crate::context::{Context, DEFAULT_NAME};
use crate::progress::Progress;
use crate::stop::Outcome;
use crate::watch::{Watch, late};

#[derive(Serialize)]
struct Waited {
    waited_for: &'static str,
    waited_ms: u64,
}

pub(crate) async fn run(context: &Context, args: &WaitArgs) -> Outcome {
    let began = Instant::now();
    let waited_for = match args.goal {
        Goal::Ready => {
            ready(context, args).await?;
            "ready"
        }
        Goal::Stopped => {
            stopped(context, args).await?;
            "stopped"
        }
    };
    let waited_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let name = context.name();
    context.output.result("wait", Some(name), Waited { waited_for, waited_ms }, |_| {
        format!("`{name}` is {waited_for}")
    })
}

async fn ready(context: &Context, args: &WaitArgs) -> Outcome {
    let client = context.connect(None)?;
    let mut watch = Watch::open(&client).await?;
    let limit = args.timeout;
    let mut progress = Progress::new(context.output, limit, false);
    let until_ready = async {
        while !watch.all_ready() {
            if let Some(failure) = watch.lost() {
                return Err(failure.into());
            }
            let reason = late(&watch.nodes, State::Ready);
            if progress.next(&mut watch, &reason).await?.is_none() {
                return Err(context.not_running(context.name()).into());
            }
        }
        Ok(())
    };
    if let Ok(outcome) = tokio::time::timeout(limit, until_ready).await {
        return outcome;
    }
    drop(progress);
    Err(watch.not_ready(&humantime::format_duration(limit).to_string()).into())
}

async fn stopped(context: &Context, args: &WaitArgs) -> Outcome {
    let folder = context.folder(None)?;
    let Some(watch) = folder.watch()? else {
        // The folder of the default devnet is gone whenever it is stopped.
        if folder.name() == DEFAULT_NAME {
            return Ok(());
        }
        return Err(context.not_running(folder.name()).into());
    };
    let waiting = tokio::task::spawn_blocking(|| watch.wait());
    let limit = args.timeout;
    let mut progress = Progress::new(context.output, limit, false);
    let reason = format!("`{}` still runs", folder.name());
    let waiting = progress.until(&reason, waiting);
    if let Ok(Ok(waited)) = tokio::time::timeout(limit, waiting).await {
        return Ok(waited?);
    }
    drop(progress);
    let limit = humantime::format_duration(limit);
    let message = format!("`{}` still runs after {limit}", folder.name());
    Err(Failure::new(FailureCode::DeadlinePassed, message).into())
}
