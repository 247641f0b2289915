//! The directory as a process.

use std::net::IpAddr;

use clap::Args;
use contract::{Answer, Command, Endpoint, Event, Fatal, FatalCode, Outcome, Request};
use runtime::{ListenOn, Process, Reporter, listen, with_causes};
use tokio::sync::mpsc;

/// Options of a directory.
#[derive(Clone, Debug, Args)]
pub(crate) struct DirectoryArgs {
    /// Name of the node; it stays on this machine
    #[arg(long, value_name = "NAME", default_value = "directory")]
    name: String,
    /// Interface to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// Take any free port if that one is taken
    #[arg(long)]
    port_fallback: bool,
}

/// Runs a directory until it is told to stop.
pub(crate) async fn run(args: DirectoryArgs, process: Process) -> Result<(), Fatal> {
    let Process { reporter, mut requests, shutdown } = process;
    let on = ListenOn { host: args.host, port: args.port, fallback: args.port_fallback };
    let (listener, address) = listen(on, Endpoint::Http, &reporter).await?;
    tracing::info!("{} serves http://{address}", args.name);
    reporter.report(Event::Ready { reason: "it serves".into() });
    let options = directory_server::Options::default();
    let serving = directory_server::run(listener, options, shutdown.clone());
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = until_asked_to_stop(&mut requests, &reporter) => {
            shutdown.cancel();
            serving.await
        }
    };
    reporter.report(Event::Stopping { reason: "it was asked to".into() });
    served.map_err(|error| Fatal::new(FatalCode::Other, with_causes(&error)))
}

/// Takes requests until one says to stop. A directory has nothing to drain.
async fn until_asked_to_stop(requests: &mut mpsc::Receiver<Request>, reporter: &Reporter) {
    while let Some(Request { id, command }) = requests.recv().await {
        let outcome = match command {
            Command::Stop | Command::Leave => Outcome::Done,
            Command::Send { .. } => {
                Outcome::Refused { reason: "a directory sends no messages".into() }
            }
        };
        let done = outcome == Outcome::Done;
        reporter.report(Event::Answer(Answer { id, outcome }));
        if done {
            return;
        }
    }
    std::future::pending::<()>().await;
}
