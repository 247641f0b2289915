//! A devnet that is started for a lesson.

use std::time::Duration;

use control::{ControlClient, Failure, FailureCode, State};
use layouts::Override;
use lessons::Needs;
use supervisor::{Spec, Supervisor};

use crate::commands::planned;
use crate::context::{Context, DEFAULT_NAME, own_program};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};
use crate::watch::{Watch, late};

/// How long it may take until all processes are ready, as with `up`.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Starts one, and waits until it is ready. It ends with what is returned.
pub(super) async fn start(
    context: &Context,
    name: &str,
    needs: &Needs,
    ports: &str,
    signals: &mut Signals,
) -> Outcome<(Supervisor, ControlClient)> {
    let mut fields = needs.layout();
    fields.push(("ports", ports.into()));
    let overrides = fields.iter().map(|(field, value)| Override::field("the lesson", field, value));
    let overrides: Vec<Override> =
        overrides.collect::<Result<_, _>>().map_err(|fault| planned::wrong(&fault))?;
    let resolved = layouts::resolve(None, &overrides, &planned::variable)
        .map_err(|fault| planned::wrong(&fault))?;
    let spec = Spec {
        name: name.into(),
        state_dir: context.state_dir.path().into(),
        keep: name != DEFAULT_NAME && ports != "auto",
        plan: resolved.plan,
        control_port: None,
        record: None,
    };
    let (supervisor, client) = Supervisor::start(&own_program()?, &spec).await?;
    let ready = tokio::select! {
        ready = until_ready(context, &client) => ready,
        signal = signals.next() => Err(Stop::Signal(signal)),
    };
    if let Err(stop) = ready {
        supervisor.end().await;
        return Err(stop);
    }
    Ok((supervisor, client))
}

async fn until_ready(context: &Context, client: &ControlClient) -> Outcome {
    let mut watch = Watch::begin(client).await?;
    let mut progress = Progress::new(context.output, READY_LIMIT, false);
    let waiting = async {
        while !watch.all_ready() {
            if let Some(failure) = watch.lost() {
                return Err(failure.into());
            }
            let reason = late(&watch.nodes, State::Ready);
            progress.go_on(&mut watch, &reason).await?;
        }
        Ok(())
    };
    let waited = tokio::time::timeout(READY_LIMIT, waiting).await;
    waited.unwrap_or_else(|_| {
        let message = "the devnet for the lesson was not ready in time";
        Err(Failure::new(FailureCode::DeadlinePassed, message)
            .hint("`nym-devnet doctor` checks this machine")
            .into())
    })
}
