//! The directory as a process: its options, its streams, its end.

use contract::{Answer, Command, Endpoint, Event, Fatal, Outcome, Request};
use runtime::{Process, Reporter, listen};
use tokio::sync::mpsc;

use crate::{DirectoryArgs, routes};

/// Runs a directory until it is told to stop.
pub async fn run_process(args: DirectoryArgs, process: Process) -> Result<(), Fatal> {
    let Process { reporter, mut requests, shutdown } = process;
    for (method, path) in routes::listing() {
        tracing::info!(target: "directory", "{method:<5} {path}");
    }
    let (listener, address) = listen(args.listen_on(), Endpoint::Http, &reporter).await?;
    tracing::info!("{} serves http://{address}: a page for people, the API below it", args.name);
    reporter.report(Event::Ready { reason: "it serves".into() });
    let serving = crate::run(listener, args.into_options(), shutdown.clone());
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = until_asked_to_stop(&mut requests, &reporter) => {
            reporter.report(Event::Stopping { reason: "it was asked to".into() });
            shutdown.cancel();
            serving.await;
        }
    }
    Ok(())
}

/// Takes requests until one says to stop. A directory has nothing to drain.
async fn until_asked_to_stop(requests: &mut mpsc::Receiver<Request>, reporter: &Reporter) {
    while let Some(Request { id, command }) = requests.recv().await {
        let outcome = match command {
            Command::Stop | Command::Leave => Outcome::Done,
            Command::Send { .. }
            | Command::Inbox { .. }
            | Command::Set { .. }
            | Command::Ping
            | Command::Attack { .. } => Outcome::Refused {
                reason: "a directory has no messages and no traffic of its own".into(),
            },
        };
        let done = outcome == Outcome::Done;
        reporter.report(Event::Answer(Answer { id, outcome }));
        if done {
            return;
        }
    }
    std::future::pending::<()>().await;
}
