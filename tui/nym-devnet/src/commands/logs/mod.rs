//! `logs`: what processes have logged, of all of them by time.
//!
//! Read from the files of the devnet's folder, which hold more than the supervisor remembers and are
//! there when it is not. While the devnet runs, its events tell that there is something to read; so
//! nothing is missed whose event got lost. They may tell it a moment before it is written.

mod file;
mod line;
mod merge;

use std::collections::HashMap;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control::{Failure, FailureCode, StreamEvent};
use serde::Serialize;
use supervisor::Folder;
use tokio::time::Instant;

use crate::cli::{Level, LogsArgs};
use crate::context::Context;
use crate::output::{Listing, Output};
use crate::stop::{Outcome, Stop};

use file::{Entry, NodeLog};
use merge::{Filter, Unreadable, each};

/// The supervisor's own lines stand under this name.
const SUPERVISOR: &str = "supervisor";

/// So many lines are shown unless somebody says otherwise.
const DEFAULT_LINES: u64 = 100;

/// How long a supervisor that has told its end may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// How soon a line is looked for again that is not in its file yet …
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// … and for how long: a disk that hangs for longer loses lines, and the supervisor says so.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// So much of a line is compared: the supervisor's copy of a long one is cut.
const COMPARED_CHARS: usize = 1000;

/// How the supervisor says that a log could not be written, which is therefore in no file.
const NOT_WRITTEN: &str = "[cannot write the log file";

/// A line, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    node: &'a str,
    unix_ms: u64,
    level: &'static str,
    line: &'a str,
}

pub(crate) async fn run(context: &Context, args: &LogsArgs) -> Outcome {
    let folder = context.folder(None)?;
    let is_running = folder.is_running()?;
    if !is_running && !folder.path().exists() {
        return Err(context.not_running(folder.name()).into());
    }
    let mut names = file::names(&folder.logs()).map_err(|error| unlistable(&folder, &error))?;
    names.extend(folder.record().into_iter().flat_map(|record| record.plan.nodes).map(|n| n.name));
    if let Some(unknown) = args.nodes.iter().find(|name| !names.contains(name)) {
        let names = names.iter().map(String::as_str);
        return Err(supervisor::no_such_node("node", unknown, names).into());
    }
    if !args.nodes.is_empty() {
        names.clone_from(&args.nodes);
    }
    names.sort();
    names.dedup();

    let width = names.iter().map(String::len).chain([SUPERVISOR.len()]).max().unwrap_or_default();
    let mut logs = Logs {
        context,
        folder,
        args,
        width,
        all: Vec::new(),
        filter: filter(args),
        awaited: HashMap::new(),
    };
    // Open before anything is read, so that nothing comes unseen in between.
    let events =
        if args.follow && is_running { Some(context.connect(None)?.events().await?) } else { None };
    for name in &names {
        logs.open(name)?;
    }
    let Some(events) = events else {
        logs.show_all()?;
        if args.follow {
            let name = context.name();
            context.output.note(&format!("`{name}` does not run: nothing more will come"));
        }
        return Ok(());
    };
    logs.show_first(&mut |name, entry, shown| shown.print(name, entry))?;
    logs.follow(events).await
}

fn filter(args: &LogsArgs) -> Filter {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = args.since.map_or(Duration::ZERO, |span| now.saturating_sub(span));
    Filter { since, level: args.level, grep: args.grep.clone() }
}

fn unlistable(folder: &Folder, error: &io::Error) -> Failure {
    let path = folder.logs();
    let message = format!("cannot list the logs in `{}`: {error}", path.display());
    Failure::new(FailureCode::Environment, message)
}

impl From<Unreadable> for Stop {
    fn from(error: Unreadable) -> Self {
        Failure::new(FailureCode::Environment, error.to_string()).node(error.node).into()
    }
}

/// The logs that somebody looks at.
struct Logs<'a> {
    context: &'a Context,
    folder: Folder,
    args: &'a LogsArgs,
    width: usize,
    all: Vec<NodeLog>,
    filter: Filter,
    /// By node: a line that it has logged and that was not in its file yet, and until when it is looked
    /// for.
    awaited: HashMap<String, (String, Instant)>,
}

fn is_same(one: &str, other: &str) -> bool {
    one.chars().take(COMPARED_CHARS).eq(other.chars().take(COMPARED_CHARS))
}

/// Where lines are printed.
struct Printer<'a> {
    context: &'a Context,
    width: usize,
}

impl Printer<'_> {
    fn print(&self, node: &str, entry: &Entry) -> Outcome {
        let line = entry.line.visible();
        if self.context.output.is_json() {
            let shown = shown(node, entry, &line);
            return Output::json_event("log-line", self.context.name(), shown);
        }
        Output::text_line(&self.text(node, &line))
    }

    fn text(&self, node: &str, line: &str) -> String {
        format!("{node:<width$} | {line}", width = self.width)
    }
}

fn shown<'a>(node: &'a str, entry: &Entry, line: &'a str) -> Shown<'a> {
    let unix_ms = u64::try_from(entry.head.at.as_millis()).unwrap_or(u64::MAX);
    let level = match entry.head.level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    Shown { node, unix_ms, level, line }
}

impl Logs<'_> {
    fn open(&mut self, name: &str) -> Outcome {
        let opened = NodeLog::open(name, self.folder.log(name));
        self.all.push(opened.map_err(|cause| Unreadable { node: name.into(), cause })?);
        Ok(())
    }

    /// Hands over the lines to begin with.
    fn show_first(
        &mut self,
        take: &mut dyn FnMut(&str, &Entry, &Printer<'_>) -> Outcome,
    ) -> Outcome {
        let is_over = !self.args.follow;
        let most = self.args.lines.or(self.args.since.is_none().then_some(DEFAULT_LINES));
        let mut skip = 0;
        if let Some(most) = most {
            // Counted first, so that no more than a line of each log is ever held.
            let mut all = 0_u64;
            each(&mut self.all, &self.filter, is_over, |_, _| {
                all += 1;
                Ok::<_, Unreadable>(())
            })?;
            self.all.iter_mut().for_each(NodeLog::rewind);
            skip = all.saturating_sub(most);
        }
        let printer = Printer { context: self.context, width: self.width };
        each(&mut self.all, &self.filter, is_over, |name, entry| {
            if skip > 0 {
                skip -= 1;
                return Ok(());
            }
            take(name, entry, &printer)
        })
    }

    /// Everything at once.
    fn show_all(&mut self) -> Outcome {
        let context = self.context;
        if !context.output.is_json() {
            let mut silent: Vec<String> = self.args.nodes.clone();
            self.show_first(&mut |name, entry, printer| {
                silent.retain(|silent| silent != name);
                printer.print(name, entry)
            })?;
            let is_filtered =
                self.args.grep.is_some() || self.args.level.is_some() || self.args.since.is_some();
            for name in silent.iter().filter(|_| !is_filtered && self.args.lines != Some(0)) {
                context.output.note(&format!("`{name}` has logged nothing yet"));
            }
            return Ok(());
        }
        let mut lines = Listing::begin("logs", context.name(), "lines")?;
        let read = self
            .show_first(&mut |name, entry, _| lines.add(shown(name, entry, &entry.line.visible())));
        lines.end(read)
    }

    /// Goes on with what is logged until the devnet ends.
    async fn follow(mut self, mut events: control::EventStream) -> Outcome {
        // It stays valid when the folder is deleted.
        let watch = self.folder.watch()?;
        loop {
            let next = tokio::select! {
                next = events.next() => next,
                () = tokio::time::sleep(LOOK_AGAIN), if !self.awaited.is_empty() => {
                    self.look_for_awaited()?;
                    continue;
                }
            };
            // Nodes report each second, so that it is seen soon.
            Output::check_reader()?;
            let event = match next {
                Ok(Some(envelope)) => envelope.event,
                Ok(None) => break,
                // A supervisor that was killed takes no leave; what it had written is there.
                Err(_) if !self.folder.is_running().unwrap_or_default() => break,
                Err(error) => return Err(error.into()),
            };
            match event {
                // Events were missed, or it is the first.
                StreamEvent::Snapshot(snapshot) => {
                    for node in &snapshot.nodes {
                        self.notice(&node.name)?;
                    }
                    self.show_new(None)?;
                }
                StreamEvent::Node(node) => self.notice(&node.name)?,
                StreamEvent::Log(line) => {
                    self.notice(&line.node)?;
                    if line.line.starts_with(NOT_WRITTEN) {
                        self.context.output.note(&format!("{}: {}", line.node, line.line));
                        continue;
                    }
                    let until = Instant::now() + WRITE_TIMEOUT;
                    self.awaited.insert(line.node.clone(), (line.line, until));
                    self.show_new(Some(&line.node))?;
                }
                _ => {}
            }
        }
        if let Some(watch) = watch {
            let waiting = tokio::task::spawn_blocking(|| watch.wait());
            // Its last lines tell how it ended; they are not worth waiting for longer.
            drop(tokio::time::timeout(END_TIMEOUT, waiting).await);
        }
        self.show_new(None)
    }

    fn look_for_awaited(&mut self) -> Outcome {
        let names: Vec<String> = self.awaited.keys().cloned().collect();
        for name in names {
            self.show_new(Some(&name))?;
        }
        let now = Instant::now();
        self.awaited.retain(|_, (_, until)| now < *until);
        Ok(())
    }

    /// A node may be new.
    fn notice(&mut self, name: &str) -> Outcome {
        if self.args.nodes.is_empty() && !self.all.iter().any(|log| log.name == name) {
            self.open(name)?;
        }
        Ok(())
    }

    /// Prints what one log, or each, has that was not read before.
    fn show_new(&mut self, of: Option<&str>) -> Outcome {
        let position = |name| self.all.iter().position(|log| log.name == name);
        let logs = match of.map(|name| (name, position(name))) {
            None => &mut self.all[..],
            Some((_, Some(index))) => &mut self.all[index..=index],
            // Of that one nobody wants to see anything.
            Some((name, None)) => {
                self.awaited.remove(name);
                return Ok(());
            }
        };
        for log in &mut *logs {
            let looked = log.look_again();
            looked.map_err(|cause| Unreadable { node: log.name.clone(), cause })?;
        }
        let printer = Printer { context: self.context, width: self.width };
        let awaited = &mut self.awaited;
        let all = Filter::default();
        each(logs, &all, false, |name, entry| {
            let line = entry.line.visible();
            if awaited.get(name).is_some_and(|(awaited, _)| is_same(awaited, &line)) {
                awaited.remove(name);
            }
            if self.filter.wants(entry) { printer.print(name, entry) } else { Ok(()) }
        })?;
        logs.iter_mut().for_each(NodeLog::forget_read);
        Ok(())
    }
}
