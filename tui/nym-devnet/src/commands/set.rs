//! `set`: other parameters for a running devnet.

use std::time::Duration;

use contract::Role;
use control::{DevnetInfo, Failure, FailureCode, SetRequest, State};

use crate::cli::SetArgs;
use crate::context::Context;
use crate::progress::Progress;
use crate::stop::Outcome;
use crate::watch::Watch;

pub(crate) async fn run(context: &Context, args: &SetArgs) -> Outcome {
    let client = context.connect(None)?;
    let change = args.change();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let request = SetRequest {
        hop_delay_ms: change.hop_delay.map(milliseconds),
        slot_ms: change.slot.map(milliseconds),
        loop_cover_ms: change.loop_cover.map(milliseconds),
        slot_cover: change.slot_cover,
        crowd: change.crowd,
    };
    let info = client.set(&request).await?;
    if let Some(size) = change.crowd.filter(|_| !args.wait.no_wait) {
        let mut watch = Watch::open(&client).await?;
        let mut progress = Progress::new(context.output, args.wait.timeout, false);
        let waited =
            tokio::time::timeout(args.wait.timeout, wait(&mut watch, &mut progress, size)).await;
        drop(progress);
        waited.unwrap_or_else(|_| {
            let limit = humantime::format_duration(args.wait.timeout);
            let message = format!("not within {limit}: {}", missing(&watch, size));
            Err(Failure::new(FailureCode::DeadlinePassed, message).into())
        })?;
    }
    context.output.result("set", Some(context.name()), &info, |_| text(&info))
}

/// Waits until the crowd has its size.
async fn wait(watch: &mut Watch, progress: &mut Progress, size: u16) -> Outcome {
    loop {
        let crowd = watch.nodes.iter().find(|node| node.role == Role::Crowd);
        match crowd {
            None if size == 0 => return Ok(()),
            Some(crowd) if crowd.state == State::Failed => {
                return Err(watch.loss_of(crowd).into());
            }
            Some(crowd)
                if crowd.state == State::Ready && crowd.public_keys.len() == usize::from(size) =>
            {
                return Ok(());
            }
            _ => {}
        }
        let reason = missing(watch, size);
        progress.go_on(watch, &reason).await?;
    }
}

fn missing(watch: &Watch, size: u16) -> String {
    match watch.nodes.iter().find(|node| node.role == Role::Crowd) {
        Some(crowd) => {
            let (has, state) = (crowd.public_keys.len(), crowd.state.phrase());
            format!("the crowd {state} with {has} of {size} identities: {}", crowd.reason)
        }
        None => "there is no crowd yet".into(),
    }
}

fn text(info: &DevnetInfo) -> String {
    let DevnetInfo { profile, hop_delay_ms, slot_ms, loop_cover_ms, crowd, .. } = info;
    let bare = if info.slot_cover { "" } else { " without cover" };
    format!(
        "hop delay {hop_delay_ms} ms, slot {slot_ms} ms{bare}, loop cover {loop_cover_ms} ms ({profile}), \
         crowd of {crowd}"
    )
}
