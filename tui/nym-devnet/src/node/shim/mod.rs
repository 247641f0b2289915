//! `nym-devnet node shim`: a command from outside in the place of a node. It speaks the contract for
//! it, and sees to it that nothing of it is left.
//!
//! ```text
//! supervisor ── the contract ── shim ──┬── the command, and what it starts itself
//!                                      └── the guard, which holds the end of a pipe
//! ```
//!
//! All of them are one process group, so that a signal to the group reaches the command, and a pause
//! as well. When the shim ends, however it does, the [guard](mod@guard) kills the group.

mod fill;
mod guard;
mod listed;
mod port;

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use clap::{Args, ValueEnum};
use contract::{
    Answer, Command as Ask, Endpoint, Event, Fatal, FatalCode, Identity, Outcome, Request, Role,
};
use directory_client::{DirectoryClient, Subscription, SubscriptionEvent};
use runtime::{Process, Reporter, leave_directory, with_causes};
use rustix::process::{Pid, Signal, kill_process};
use supervisor::{Exit, Presence};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use fill::Places;
use guard::Guard;
use listed::Listed;
use port::Ports;

pub(crate) use guard::run as run_guard;

/// How long the command may take when everything stops. The supervisor waits for a second, and then
/// kills all of us.
const STOP_GRACE: Duration = Duration::from_millis(700);

/// How long it may take when it is asked to leave. The supervisor waits for four seconds; the directory
/// is told before and afterwards.
const LEAVE_GRACE: Duration = Duration::from_millis(2500);

/// Ports that are tried if others take them in the moment between our choice and the command's use.
const MAX_PORTS: u32 = 5;

/// What the command stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShimRole {
    /// A mixnode
    Mixnode,
    /// A provider
    Provider,
    /// A client
    Client,
}

impl From<ShimRole> for Role {
    fn from(role: ShimRole) -> Self {
        match role {
            ShimRole::Mixnode => Self::Mixnode,
            ShimRole::Provider => Self::Provider,
            ShimRole::Client => Self::Client,
        }
    }
}

/// A command in the place of a node.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShimArgs {
    /// What it stands for
    #[arg(long)]
    pub(crate) role: ShimRole,
    /// Name of the node: `{name}`
    #[arg(long)]
    name: String,
    /// Its own folder, for its keys: `{key_dir}`
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Address of the directory: `{directory}`
    #[arg(long, value_name = "URL")]
    directory: String,
    /// Its layer: `{layer}`
    #[arg(long, value_name = "N")]
    layer: Option<u8>,
    /// Layers of the network: `{layers}`
    #[arg(long, value_name = "N")]
    layers: Option<u8>,
    /// Interface to listen on: `{host}`
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on, 0 for any free one: `{port}`
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port for clients, 0 for any free one: `{clients_port}`
    #[arg(long, value_name = "PORT")]
    clients_port: Option<u16>,
    /// Take any free port if one is taken
    #[arg(long)]
    port_fallback: bool,
    /// The command and its arguments, in which these are filled in
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the command until it ends; its exit code is ours.
pub(crate) async fn run(args: &ShimArgs, process: Process) -> Result<ExitCode, Fatal> {
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    std::fs::create_dir_all(&args.home).map_err(|error| {
        let message = format!("cannot create the folder `{}`: {error}", args.home.display());
        Fatal::new(FatalCode::Storage, message)
    })?;
    let guard = Guard::start()
        .map_err(|error| Fatal::new(FatalCode::Other, format!("cannot start a guard: {error}")))?;
    let mut shim = Shim {
        subscription: directory.subscribe(&[]),
        directory,
        presence: Presence::default(),
        guard,
        process,
    };
    for tried in 1.. {
        let mut ports = Ports::choose(args).await?;
        let places = args.places(&ports);
        let line = fill::fill(&args.command, &places)?;
        // Closed at the last moment: the command has to open them itself.
        ports.close();
        let child = start(&line)?;
        tracing::info!("runs `{}`", fill::shown(&line));
        let (ended, was_there) = shim.attend(child, args, &line[0], &ports).await?;
        let may_differ = args.port_fallback || args.port == 0;
        if !ended.as_asked && !was_there && may_differ && tried < MAX_PORTS && ports.are_taken() {
            tracing::warn!("somebody else took a port of the command before it did; trying others");
            continue;
        }
        return Ok(ended.exit_code(&shim.process.reporter, &line[0]));
    }
    unreachable!("the last attempt returns")
}

impl ShimArgs {
    fn places(&self, ports: &Ports) -> Places {
        Places {
            host: self.host,
            port: ports.port(),
            clients_port: ports.clients_port(),
            layer: self.layer,
            layers: self.layers,
            directory: self.directory.clone(),
            key_dir: self.home.clone(),
            name: self.name.clone(),
        }
    }
}

/// Starts the command in our own process group. All that it prints goes to the log.
fn start(line: &[OsString]) -> Result<Child, Fatal> {
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).stdin(Stdio::null()).stdout(io::stderr()).stderr(Stdio::inherit());
    command.kill_on_drop(true).spawn().map_err(|error| not_started(&line[0], &error))
}

fn not_started(program: &OsStr, error: &io::Error) -> Fatal {
    let shown = Path::new(program).display();
    let message = format!("cannot run the command `{shown}`: {error}");
    let fatal = Fatal::new(FatalCode::Usage, message);
    match error.kind() {
        io::ErrorKind::NotFound if Path::new(program).exists() => {
            fatal.hint("it is there; what its first line names after `#!` is not")
        }
        io::ErrorKind::NotFound => fatal.hint(fill::not_found(program)),
        io::ErrorKind::PermissionDenied => fatal.hint(format!("`chmod +x {shown}` makes it one")),
        _ => Fatal { code: FatalCode::Other, ..fatal },
    }
}

/// How the command ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    status: ExitStatus,
    /// It was asked to, and did so in time.
    as_asked: bool,
}

impl Ended {
    fn exit_code(self, reporter: &Reporter, program: &OsStr) -> ExitCode {
        if let Some(code) = self.status.code() {
            return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
        }
        if self.as_asked {
            return ExitCode::SUCCESS;
        }
        let program = Path::new(program).display();
        let message = format!("the command `{program}` was {}", Exit::from(self.status));
        reporter.report(Event::Fatal(Fatal::new(FatalCode::Other, message)));
        // As a shell tells it.
        let signal = self.status.signal().unwrap_or_default();
        ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX))
    }
}

/// What is around a running command.
struct Shim {
    directory: DirectoryClient,
    subscription: Subscription,
    presence: Presence,
    guard: Guard,
    process: Process,
}

/// An end that was asked for.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// When the command is killed; none once it is.
    deadline: Option<Instant>,
    leaves: bool,
}

impl Shim {
    /// Watches over the command until it ends, and says whether it ever was there for others.
    async fn attend(
        &mut self,
        mut child: Child,
        args: &ShimArgs,
        program: &OsStr,
        ports: &Ports,
    ) -> Result<(Ended, bool), Fatal> {
        let mut listed: Option<Listed> = None;
        let mut opened = false;
        let mut ending: Option<Ending> = None;
        let looks_for_port = args.role == ShimRole::Client;
        self.report(Event::Waiting { reason: waits_for(args.role, program) });
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = self.guard.ended() => {
                    // Without it nobody would end the command if we were killed.
                    return Err(Fatal::new(FatalCode::Other, "the guard of the command has ended"));
                }
                event = self.subscription.next(), if !looks_for_port => {
                    if let Some(now) = self.heard(event, args, ports)
                        && listed.as_ref() != Some(&now)
                    {
                        self.tell(&now, listed.as_ref(), ports);
                        listed = Some(now);
                    }
                }
                () = port::opens(ports.address()), if looks_for_port && !opened => {
                    opened = true;
                    self.report(Event::Listening(ports.listening(Endpoint::App, ports.address())));
                    let reason = "its port takes connections; the directory does not list clients";
                    self.report(Event::Ready { reason: reason.into() });
                }
                Some(Request { id, command }) = self.process.requests.recv() => {
                    let outcome = match command {
                        Ask::Stop => {
                            ask_to_end(&mut ending, &child, STOP_GRACE, false);
                            Outcome::Done
                        }
                        Ask::Leave => {
                            if let Some(listed) = &listed {
                                leave_directory(&self.directory, &listed.key).await;
                            }
                            ask_to_end(&mut ending, &child, LEAVE_GRACE, true);
                            Outcome::Done
                        }
                        Ask::Send { .. } | Ask::Inbox { .. } | Ask::Set { .. } | Ask::Ping | Ask::Attack { .. } => {
                            Outcome::Refused { reason: "a command from outside does not take this".into() }
                        }
                    };
                    self.report(Event::Answer(Answer { id, outcome }));
                }
                () = self.process.shutdown.cancelled(), if ending.is_none() => {
                    ask_to_end(&mut ending, &child, STOP_GRACE, false);
                }
                () = until(ending.and_then(|ending| ending.deadline)) => {
                    tracing::warn!("the command did not end when asked; killing it");
                    // It fails when the command has just ended.
                    let _ = child.start_kill();
                    ending = ending.map(|ending| Ending { deadline: None, ..ending });
                }
            }
        };
        let status = status.map_err(|error| {
            Fatal::new(FatalCode::Other, format!("cannot wait for the command: {error}"))
        })?;
        // It may have announced itself once more before it ended.
        if let (Some(Ending { leaves: true, .. }), Some(listed)) = (ending, &listed) {
            leave_directory(&self.directory, &listed.key).await;
        }
        let as_asked = ending.is_some_and(|ending| ending.deadline.is_some());
        Ok((Ended { status, as_asked }, listed.is_some() || opened))
    }

    fn report(&self, event: Event) {
        self.process.reporter.report(event);
    }

    /// Takes in what the directory said; what it lists of the command, if it does.
    fn heard(
        &mut self,
        event: SubscriptionEvent,
        args: &ShimArgs,
        ports: &Ports,
    ) -> Option<Listed> {
        match event {
            SubscriptionEvent::Update(frame) => self.presence.apply(&frame),
            SubscriptionEvent::Connected => return None,
            SubscriptionEvent::Disconnected { error, .. } => {
                tracing::debug!("{}", with_causes(&error));
                return None;
            }
        }
        let topology = self.presence.topology()?;
        listed::find(topology, args.role, &args.name, &ports.address().to_string())
    }

    /// Reports where the command listens and who it is, as the directory has it.
    fn tell(&self, now: &Listed, before: Option<&Listed>, ports: &Ports) {
        let (mix, clients) = match (now.mix_address(), now.clients_address()) {
            (Ok(mix), Ok(clients)) => (mix, clients),
            (Err(reason), _) | (_, Err(reason)) => return self.report(Event::Waiting { reason }),
        };
        let known = |one: fn(&Listed) -> Result<Option<SocketAddr>, String>| {
            before.and_then(|before| one(before).ok().flatten())
        };
        for (endpoint, address, known) in [
            (Endpoint::Mix, mix, known(Listed::mix_address)),
            (Endpoint::Clients, clients, known(Listed::clients_address)),
        ] {
            if let Some(address) = address.filter(|&address| known != Some(address)) {
                self.report(Event::Listening(ports.listening(endpoint, address)));
            }
        }
        self.report(Event::Identity(Identity {
            public_keys: vec![now.key.clone()],
            address: None,
            new: false,
            seed: None,
        }));
        self.report(Event::Ready { reason: "the directory lists it".into() });
    }
}

/// SIGTERM to the command, unless it got one.
fn ask_to_end(ending: &mut Option<Ending>, child: &Child, grace: Duration, leaves: bool) {
    let deadline = Instant::now() + grace;
    if let Some(ending) = ending {
        ending.deadline = ending.deadline.map(|before| before.min(deadline));
        ending.leaves |= leaves;
        return;
    }
    *ending = Some(Ending { deadline: Some(deadline), leaves });
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        // It fails when the command has just ended.
        let _ = kill_process(pid, Signal::TERM);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn waits_for(role: ShimRole, program: &OsStr) -> String {
    let program = fill::shown(&[program.to_owned()]);
    match role {
        ShimRole::Mixnode | ShimRole::Provider => {
            format!("the command `{program}` has not announced itself to the directory yet")
        }
        ShimRole::Client => format!("the command `{program}` has not opened its port yet"),
    }
}
