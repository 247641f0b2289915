//! `up`: start a devnet, and stay with it or not.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use control::{
    ControlClient, DevnetInfo, Envelope, Failure, FailureCode, NodeStatus, Snapshot, State,
    StreamEvent,
};
use serde::Serialize;
use supervisor::{Folder, Spec, Supervisor};

use super::ls::shape;
use super::{attach, planned};
use crate::cli::UpArgs;
use crate::context::{Context, DEFAULT_NAME, own_program};
use crate::output::{Output, unix_ms_now};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};
use crate::watch::{Watch, late};

pub(crate) async fn run(context: &Context, args: &UpArgs) -> Outcome {
    let resolved = planned::resolve(&args.layout)?;
    let folder = context.folder(None)?;
    planned::warn(context.output, &resolved.plan);
    if args.dry_run {
        return planned::dry_run(context, &resolved);
    }
    let spec = Spec {
        name: folder.name().into(),
        state_dir: context.state_dir.path().into(),
        keep: folder.name() != DEFAULT_NAME,
        plan: resolved.plan,
        control_port: args.control_port,
        record: args.record.as_ref().map(absolute).transpose()?,
    };
    let shown =
        !args.detach && !args.headless && !context.output.is_json() && attach::is_terminal();
    // What is wrong with the keys is said before anything is started.
    let options =
        if shown { Some(attach::options(context, &args.screen, false, true)?) } else { None };
    // Before anything is started, so that nothing is left behind by a signal in between.
    let mut signals = Signals::new()?;
    let narrator = Narrator::new(context.output);
    let (supervisor, client) = Supervisor::start(&own_program()?, &spec).await?;
    if args.detach {
        detached(context, args, &folder, supervisor, client, &mut signals, narrator).await
    } else if let Some(options) = options {
        with_dashboard(context, options, supervisor, client).await
    } else {
        headless(&folder, supervisor, client, &mut signals, narrator).await
    }
}

/// The same file for a supervisor, wherever that stands.
fn absolute(path: &PathBuf) -> Outcome<PathBuf> {
    Ok(std::path::absolute(path).map_err(|error| {
        let message = format!("cannot record into `{}`: {error}", path.display());
        Failure::new(FailureCode::Environment, message)
    })?)
}

/// The dashboard on a devnet that ends with it.
async fn with_dashboard(
    context: &Context,
    options: dashboard::Options,
    supervisor: Supervisor,
    client: ControlClient,
) -> Outcome {
    let ended = dashboard::run(client, options).await;
    supervisor.end().await;
    match ended.map_err(|error| attach::no_dashboard(&error))? {
        dashboard::Outcome::Quit => Ok(()),
        dashboard::Outcome::DevnetEnded { reason } => {
            context.output.note(&format!("the devnet went down: {reason}"));
            Ok(())
        }
        dashboard::Outcome::Signalled { signal } => Err(Stop::Signal(signal)),
    }
}

/// How a wait for something ended.
enum Ended {
    Outcome(Outcome),
    Signal(i32),
    Deadline,
}

#[derive(Serialize)]
struct Up<'a> {
    info: &'a DevnetInfo,
    processes: usize,
    ready_ms: u64,
}

/// Waits until everything is ready, and leaves it running.
async fn detached(
    context: &Context,
    args: &UpArgs,
    folder: &Folder,
    mut supervisor: Supervisor,
    client: ControlClient,
    signals: &mut Signals,
    mut narrator: Narrator,
) -> Outcome {
    let mut watch = Watch::begin(&client).await?;
    let mut progress = Progress::new(context.output, args.wait_timeout, true);
    let ended = tokio::select! {
        outcome = until_ready(&mut watch, &mut progress, &mut narrator) => Ended::Outcome(outcome),
        signal = signals.next() => Ended::Signal(signal),
        () = tokio::time::sleep(args.wait_timeout) => Ended::Deadline,
    };
    drop(progress);
    let failure = match ended {
        Ended::Outcome(Ok(())) => {
            let snapshot = client.status().await?;
            supervisor.detach().await?;
            return report_up(context, &snapshot, narrator.began.elapsed());
        }
        Ended::Outcome(Err(Stop::Failed(failure))) => *failure,
        Ended::Outcome(Err(stop)) => {
            supervisor.end().await;
            return Err(stop);
        }
        Ended::Signal(signal) => {
            supervisor.end().await;
            return Err(Stop::Signal(signal));
        }
        Ended::Deadline => {
            watch.not_ready(&humantime::format_duration(args.wait_timeout).to_string())
        }
    };
    // Everything stops again; the logs that the failure names stay.
    supervisor.keep_folder().await;
    supervisor.end().await;
    // As JSON the failure is all there is, and names the log in the folder.
    if !context.output.is_json() {
        let path = folder.path().display();
        context.output.note(&format!("stopped `{}` again; {path} stays", folder.name()));
    }
    Err(failure.into())
}

async fn until_ready(
    watch: &mut Watch,
    progress: &mut Progress,
    narrator: &mut Narrator,
) -> Outcome {
    while !watch.all_ready() {
        if let Some(failure) = watch.lost() {
            return Err(failure.into());
        }
        let reason = if watch.nodes.is_empty() {
            "the supervisor has not told yet".into()
        } else {
            late(&watch.nodes, State::Ready)
        };
        let Some(envelope) = progress.next(watch, &reason).await? else {
            return Err(ended_early().into());
        };
        for line in narrator.lines(&envelope) {
            progress.wipe();
            narrator.output.detail(&line);
        }
    }
    Ok(())
}

fn report_up(context: &Context, snapshot: &Snapshot, took: Duration) -> Outcome {
    let info = &snapshot.devnet;
    let ready_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let up = Up { info, processes: snapshot.nodes.len(), ready_ms };
    for notice in &info.notices {
        context.output.note(notice);
    }
    let page = super::page(&snapshot.nodes);
    let page = page.map(|page| format!("; in a browser: {page}")).unwrap_or_default();
    let control = info.control_address;
    let control =
        control.map(|address| format!("\nthe control interface also answers at http://{address}"));
    let control = control.unwrap_or_default();
    let word = control::shell_word(&info.name);
    context.output.result("up", Some(&info.name), &up, |_| {
        format!(
            "`{name}` is up, {}: {} mixnodes, {} processes ready after {:.2} s\n\
             `nym-devnet attach {word}` shows it, `nym-devnet down {word}` stops it{page}{control}",
            if info.resumed { "resumed" } else { "new" },
            shape(&info.widths),
            up.processes,
            took.as_secs_f64(),
            name = info.name
        )
    })
}

/// Prints what changes until a signal comes, somebody stops the devnet, or a node is lost.
async fn headless(
    folder: &Folder,
    mut supervisor: Supervisor,
    client: ControlClient,
    signals: &mut Signals,
    mut narrator: Narrator,
) -> Outcome {
    let mut watch = Watch::begin(&client).await?;
    let ended = tokio::select! {
        outcome = narrate(folder.name(), &mut watch, &mut narrator) => Ended::Outcome(outcome),
        signal = signals.next() => Ended::Signal(signal),
    };
    let output = narrator.output;
    match &ended {
        Ended::Outcome(Err(Stop::Failed(_))) => supervisor.keep_folder().await,
        Ended::Signal(signal) => {
            output.note(&format!("{}: stopping `{}`", Signals::name(*signal), folder.name()));
        }
        _ => {}
    }
    let has_ended = tokio::select! {
        () = supervisor.end() => true,
        // Asked twice: the supervisor still stops everything, without us.
        _ = signals.next() => false,
    };
    match ended {
        Ended::Outcome(outcome) => outcome,
        Ended::Signal(signal) => {
            let (name, path) = (folder.name(), folder.path().display());
            output.note(&match (has_ended, folder.path().exists()) {
                (false, _) => {
                    let word = control::shell_word(name);
                    format!("not waiting for it; `nym-devnet ps --name {word}` looks")
                }
                (true, true) => format!("`{name}` is down; {path} stays"),
                (true, false) => format!("`{name}` is down; deleted {path}"),
            });
            Err(Stop::Signal(signal))
        }
        Ended::Deadline => unreachable!("it waits without a deadline"),
    }
}

async fn narrate(devnet: &str, watch: &mut Watch, narrator: &mut Narrator) -> Outcome {
    let output = narrator.output;
    let mut was_ready = false;
    loop {
        if let Some(failure) = watch.lost() {
            return Err(failure.into());
        }
        let ready = watch.all_ready();
        if ready && !was_ready && !output.is_json() {
            let processes = watch.nodes.len();
            let page = super::page(&watch.nodes);
            let page = page.map(|page| format!("; in a browser: {page}")).unwrap_or_default();
            let line = format!("all {processes} processes are ready{page}");
            Output::text_line(&narrator.line(unix_ms_now(), &line))?;
        }
        was_ready = ready;
        let Some(envelope) = watch.next().await? else { return Err(ended_early().into()) };
        if output.is_json() {
            Output::json_event("event", devnet, &envelope)?;
        } else {
            for line in narrator.lines(&envelope) {
                Output::text_line(&line)?;
            }
        }
        if matches!(envelope.event, StreamEvent::Down { .. }) {
            return Ok(());
        }
    }
}

/// Puts what changes into lines for people.
struct Narrator {
    output: Output,
    began: Instant,
    began_unix_ms: u64,
    /// What was told of each node last.
    told: HashMap<String, (State, String)>,
    notices: usize,
}

impl Narrator {
    fn new(output: Output) -> Self {
        Self {
            output,
            began: Instant::now(),
            began_unix_ms: unix_ms_now(),
            told: HashMap::new(),
            notices: 0,
        }
    }

    /// A line with the time since the devnet was started.
    fn line(&self, unix_ms: u64, text: &str) -> String {
        let age = Duration::from_millis(unix_ms.saturating_sub(self.began_unix_ms));
        format!("{:>9.3} s  {text}", age.as_secs_f64())
    }

    fn lines(&mut self, envelope: &Envelope) -> Vec<String> {
        let at = envelope.unix_ms;
        match &envelope.event {
            StreamEvent::Snapshot(snapshot) => {
                let mut lines: Vec<String> =
                    snapshot.nodes.iter().filter_map(|node| self.node(at, node)).collect();
                let notices = snapshot.devnet.notices.iter().skip(self.notices);
                lines.extend(notices.map(|notice| self.line(at, notice)));
                self.notices = snapshot.devnet.notices.len();
                lines
            }
            StreamEvent::Node(node) => self.node(at, node).into_iter().collect(),
            StreamEvent::Removed { node } => {
                self.told.remove(node);
                vec![self.line(at, &format!("{node} was removed"))]
            }
            StreamEvent::Down { reason } => vec![self.line(at, &format!("down: {reason}"))],
            _ => Vec::new(),
        }
    }

    /// A node, if people see something new of it.
    fn node(&mut self, at: u64, node: &NodeStatus) -> Option<String> {
        let now = (node.state, node.reason.clone());
        if node.state == State::Planned || self.told.get(&node.name) == Some(&now) {
            return None;
        }
        self.told.insert(node.name.clone(), now);
        let state = self.output.state(node.state, 11);
        Some(self.line(at, &format!("{:<12} {state}  {}", node.name, node.reason)))
    }
}

fn ended_early() -> Failure {
    Failure::new(FailureCode::Unreachable, "the supervisor ended without saying why")
        .hint("its log is `logs/supervisor.log` in the devnet's folder")
}
