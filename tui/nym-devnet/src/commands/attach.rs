//! `attach`: the dashboard of a devnet that runs already, or of what was recorded of one.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use control::{ControlClient, Failure, FailureCode, Recording};

use crate::cli::{AttachArgs, ScreenArgs};
use crate::commands::keys;
use crate::context::Context;
use crate::stop::{Outcome, Stop};

/// Where the token for an address is looked for. A command line can be seen by everybody.
const TOKEN_VARIABLE: &str = "NYM_DEVNET_CONTROL_TOKEN";

/// What is shown.
enum Shown {
    Devnet(ControlClient),
    Recording(Box<Recording>),
}

pub(crate) async fn run(context: &Context, args: &AttachArgs) -> Outcome {
    let shown = find(context, args)?;
    if !is_terminal() {
        let message = "cannot show the dashboard: this is not a terminal";
        let hint = "`nym-devnet ps` and `nym-devnet logs -f` print for programs and pipes";
        return Err(Failure::new(FailureCode::Environment, message).hint(hint).into());
    }
    let options = options(context, &args.screen, args.read_only, false)?;
    let ended = match shown {
        Shown::Devnet(client) => dashboard::run(client, options).await,
        Shown::Recording(recording) => dashboard::play(*recording, options).await,
    };
    match ended.map_err(|error| no_dashboard(&error))? {
        dashboard::Outcome::Quit => Ok(()),
        dashboard::Outcome::DevnetEnded { reason } => {
            context.output.note(&format!("the devnet went down: {reason}"));
            Ok(())
        }
        dashboard::Outcome::Signalled { signal } => Err(Stop::Signal(signal)),
    }
}

/// What is meant. A devnet that runs comes before a file of its name, because a file can always be
/// called `./NAME`.
fn find(context: &Context, args: &AttachArgs) -> Outcome<Shown> {
    let named = args.devnet.as_deref();
    let runs = |name| {
        let folder = context.state_dir.folder(name);
        folder.and_then(|folder| folder.is_running()).unwrap_or_default()
    };
    match named {
        Some(address) if address.starts_with("http://") => over_tcp(address).map(Shown::Devnet),
        Some(file) if file.contains('/') => recording(file),
        Some(file) if Path::new(file).is_file() && !runs(file) => recording(file),
        _ if args.read_only => context.observe(named).map(Shown::Devnet),
        _ => context.connect(named).map(Shown::Devnet),
    }
}

fn recording(file: &str) -> Outcome<Shown> {
    let recording = Recording::open(Path::new(file)).map_err(Failure::from)?;
    Ok(Shown::Recording(Box::new(recording)))
}

fn over_tcp(address: &str) -> Outcome<ControlClient> {
    let token = std::env::var(TOKEN_VARIABLE).map_err(|_| {
        let message = format!("cannot ask `{address}`: {TOKEN_VARIABLE} is not set");
        Failure::new(FailureCode::Forbidden, message).hint(
            "it is what `control.token` says in the devnet's folder, or `observe.token` to only look",
        )
    })?;
    Ok(ControlClient::over_tcp(address, &token)?)
}

/// Whether there is somebody to look at a dashboard and to press keys.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// What the command line says about the dashboard.
pub(crate) fn options(
    context: &Context,
    screen: &ScreenArgs,
    read_only: bool,
    stops_on_quit: bool,
) -> Outcome<dashboard::Options> {
    Ok(dashboard::Options {
        read_only,
        stops_on_quit,
        ascii: screen.ascii,
        no_color: context.no_color,
        mouse: !screen.no_mouse,
        theme: screen.theme,
        keys: keys::read(screen.keys.as_deref())?,
        folder: Some(context.state_dir.path().to_owned()),
    })
}

/// The dashboard cannot be shown.
pub(crate) fn no_dashboard(error: &dashboard::Error) -> Failure {
    use std::error::Error as _;
    let message = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    let failure = Failure::new(FailureCode::Environment, message);
    match error {
        // What was printed before says where its report is.
        dashboard::Error::Panicked => failure,
        _ => failure.hint("`up --headless` needs no terminal"),
    }
}
