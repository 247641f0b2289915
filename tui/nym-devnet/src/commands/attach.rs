//! `attach`: the dashboard of a devnet that runs already.

use std::io::{self, IsTerminal as _};

use control::{Failure, FailureCode};

use crate::cli::{AttachArgs, ScreenArgs};
use crate::context::Context;
use crate::stop::{Outcome, Stop};

pub(crate) async fn run(context: &Context, args: &AttachArgs) -> Outcome {
    let client = context.connect(args.devnet.as_deref())?;
    if !is_terminal() {
        let message = "cannot show the dashboard: this is not a terminal";
        let hint = "`nym-devnet ps` and `nym-devnet logs -f` print for programs and pipes";
        return Err(Failure::new(FailureCode::Environment, message).hint(hint).into());
    }
    let options = options(context, args.screen, args.read_only, false);
    match dashboard::run(client, options).await.map_err(|error| no_dashboard(&error))? {
        dashboard::Outcome::Quit => Ok(()),
        dashboard::Outcome::DevnetEnded { reason } => {
            context.output.note(&format!("the devnet went down: {reason}"));
            Ok(())
        }
        dashboard::Outcome::Signalled { signal } => Err(Stop::Signal(signal)),
    }
}

/// Whether there is somebody to look at a dashboard and to press keys.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What the command line says about the dashboard.
pub(crate) fn options(
    context: &Context,
    screen: ScreenArgs,
    read_only: bool,
    stops_on_quit: bool,
) -> dashboard::Options {
    dashboard::Options {
        read_only,
        stops_on_quit,
        ascii: screen.ascii,
        no_color: context.no_color,
        mouse: !screen.no_mouse,
    }
}

/// The dashboard cannot be shown.
pub(crate) fn no_dashboard(error: &dashboard::Error) -> Failure {
    use std::error::Error as _;
    let message = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    Failure::new(FailureCode::Environment, message).hint("`up --headless` needs no terminal")
}
