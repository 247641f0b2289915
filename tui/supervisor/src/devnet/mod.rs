//! A running devnet: the loop that owns every process and everything that is known of them.
//!
//! It decides nothing by itself: [`process`](crate::process) knows what to do with a process,
//! [`store`](crate::store) what a change means. Nothing in the loop waits, so a slow process or a
//! slow listener never holds up the others.

mod asks;
mod attacks;
mod change;
mod children;
mod directory;
mod down;
mod history;
mod inboxes;
mod info;
mod pings;
mod sends;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use contract::{Endpoint, Role, Time};
use control::{DevnetInfo, Failure, State};
use directory_client::{DirectoryClient, Subscription};
use layouts::NodePlan;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::ask::Ask;
use crate::child::{Child, ChildEvent, NodeId, Source};
use crate::clock::Moment;
use crate::folder::Claim;
use crate::hub::Subscription as StreamBegin;
use crate::process::{Input, Process};
use crate::spec::{Lifeline, Spec};
use crate::store::Store;
use crate::usage::UsageReader;

use attacks::Attackers;
use directory::next_of;
use down::GoingDown;
use inboxes::Inboxes;
use info::{devnet_info, first_status};
use pings::Pings;
use sends::Sends;

/// Events of processes that wait to be taken in. The loop empties it in microseconds; a process
/// whose events find no room drops and counts them.
const MAX_WAITING_EVENTS: usize = 4096;

/// How often memory and processor time of the processes are read.
const USAGE_INTERVAL: Duration = Duration::from_secs(2);

/// Who asks gets the last reading while it is not older than this: processor time is counted in
/// hundredths of a second, so a share over a shorter time is mostly noise.
const USAGE_AGE: Duration = Duration::from_secs(1);

/// Steps of a message within the same state, and changes of the devnet itself, are shown together
/// this long after the first.
const SHOW_DELAY: Duration = Duration::from_millis(100);

/// That long again for each so many packets of these messages: a status tells of all of them, and is a
/// megabyte for the longest message.
const SHOWN_AT_ONCE: usize = 1000;

/// Without anything due the loop looks around this often; nothing depends on it.
const IDLE: Duration = Duration::from_secs(3600);

/// Makes the command of a process out of its arguments.
pub(crate) type Launcher = Box<dyn Fn(&NodePlan, Vec<std::ffi::OsString>) -> Command>;

/// What comes from outside besides questions.
#[derive(Debug)]
pub(crate) enum Outside {
    /// The front end said something.
    Lifeline(Lifeline),
    /// The front end is gone.
    LifelineEnded,
    /// A signal that asks for the end, by name.
    Signal(&'static str),
    /// A line of the supervisor's own log.
    Log(String),
    /// Something that everybody should know from now on.
    Notice(String),
}

/// The two ways in.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) outside: mpsc::Receiver<Outside>,
}

/// A running devnet.
pub(crate) struct Devnet {
    spec: Spec,
    claim: Claim,
    launcher: Launcher,
    store: Store,
    /// In the order of the store.
    nodes: Vec<Node>,
    /// How many nodes there ever were.
    node_count: u64,
    events: mpsc::Sender<(Source, ChildEvent)>,
    /// Where the directory is, once it has told.
    directory: Option<String>,
    /// What it is asked through.
    directory_client: Option<DirectoryClient>,
    subscription: Option<Subscription>,
    sends: Sends,
    inboxes: Inboxes,
    pings: Pings,
    attackers: Attackers,
    next_request: u64,
    attached: bool,
    keep_folder: bool,
    usage: UsageReader,
    /// When that read last.
    usage_read: Option<Time>,
    /// When [`SHOW_DELAY`] is over for what changed first.
    show_at: Option<Time>,
    going_down: Option<GoingDown>,
}

struct Node {
    id: NodeId,
    plan: NodePlan,
    process: Process,
    child: Option<Child>,
    /// Counts its processes, so that what an earlier one did is told apart.
    generation: u64,
    /// The ports that it had first, and gets again.
    bound: BTreeMap<Endpoint, u16>,
    /// When the running process was made.
    started: Option<Moment>,
    /// It is forgotten when its process has ended.
    removed: bool,
}

impl Node {
    fn new(id: NodeId, plan: NodePlan) -> Self {
        Self {
            id,
            process: Process::new(plan.role, plan.ports.len(), plan.restart),
            plan,
            child: None,
            generation: 0,
            bound: BTreeMap::new(),
            started: None,
            removed: false,
        }
    }
}

impl Devnet {
    pub(crate) fn new(spec: Spec, claim: Claim, launcher: Launcher) -> Self {
        let now = Moment::now();
        let folder = claim.folder();
        let mut nodes = Vec::new();
        let mut statuses = Vec::new();
        for (id, plan) in (0..).map(NodeId).zip(&spec.plan.nodes) {
            let node = Node::new(id, plan.clone());
            statuses.push(first_status(plan, &node.process, folder, now));
            nodes.push(node);
        }
        let node_count = nodes.len() as u64;
        let mut notices = Vec::new();
        if claim.left_over() {
            notices.push("the devnet of this name before had not ended cleanly; took over".into());
        }
        if claim.resumed() {
            notices.push("resumed with the keys and mailboxes of the last time".into());
        }
        let info = devnet_info(&spec, folder, now, notices);
        let store = Store::new(DevnetInfo { resumed: claim.resumed(), ..info }, statuses);
        // Replaced when the loop starts, which owns the other end.
        let (events, _) = mpsc::channel(1);
        Self {
            spec,
            claim,
            launcher,
            store,
            nodes,
            node_count,
            events,
            directory: None,
            directory_client: None,
            subscription: None,
            sends: Sends::default(),
            inboxes: Inboxes::default(),
            pings: Pings::default(),
            attackers: Attackers::default(),
            next_request: 0,
            attached: true,
            keep_folder: false,
            usage: UsageReader::default(),
            usage_read: None,
            show_at: None,
            going_down: None,
        }
    }

    /// The control interface also listens there.
    pub(crate) fn is_reached_at(&mut self, address: Option<SocketAddr>) {
        self.store.change_devnet(|devnet| devnet.control_address = address);
    }

    /// Something that everybody should know from the beginning.
    pub(crate) fn note(&mut self, notice: String) {
        self.store.change_devnet(|devnet| devnet.notices.push(notice));
    }

    /// The event stream from its beginning.
    pub(crate) fn subscribe(&mut self) -> StreamBegin {
        self.store.subscribe(Moment::now())
    }

    /// Runs the devnet until it is stopped, and gives back who waits to hear of that.
    pub(crate) async fn run(mut self, mut inputs: Inputs) -> Ended {
        let (events, mut child_events) = mpsc::channel(MAX_WAITING_EVENTS);
        self.events = events;
        let mut usage_ticks = interval(USAGE_INTERVAL);
        usage_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);

        self.give_role(Moment::now(), Role::Directory, &Input::Start);
        loop {
            let now = Moment::now();
            self.wake(now);
            if self.is_down(now) {
                break;
            }
            let pause = self.next_wake().map_or(IDLE, |wake| now.until(wake));
            tokio::select! {
                Some((source, event)) = child_events.recv() => {
                    self.child_event(Moment::now(), source, event);
                }
                Some(ask) = inputs.asks.recv() => self.answer(Moment::now(), ask),
                Some(input) = inputs.outside.recv() => self.outside(Moment::now(), input),
                event = next_of(&mut self.subscription) => {
                    self.directory_event(Moment::now(), event);
                }
                _ = usage_ticks.tick() => {
                    self.look_for_folder(Moment::now());
                    self.read_usage(Moment::now());
                }
                () = sleep(pause) => {}
            }
        }
        self.end()
    }

    /// When something is due.
    fn next_wake(&self) -> Option<Time> {
        let processes = self.nodes.iter().filter_map(|node| node.process.next_wake()).min();
        let waiting =
            [self.sends.next_deadline(), self.inboxes.next_deadline(), self.pings.next_deadline()];
        let attacks = self.store.attack_deadline();
        waiting.into_iter().chain([processes, self.show_at, attacks]).flatten().min()
    }

    /// Does what is due.
    fn wake(&mut self, now: Moment) {
        for index in 0..self.nodes.len() {
            let action = self.nodes[index].process.wake(now.t);
            if action.is_some() {
                self.perform(now, index, action);
                self.show(now, index);
            }
        }
        self.forget_removed(now);
        self.sends.expire(now.t, &self.store);
        self.expire_pages(now.t);
        self.pings.expire(now.t);
        self.store.expire_attacks(now);
        self.tell_attackers();
        if self.show_at.is_some_and(|at| at <= now.t) {
            self.show_at = None;
            self.store.show_messages(now, true);
            self.store.show_devnet(now);
        }
    }

    /// Sees to it that what is not shown yet will be.
    fn show_soon(&mut self, now: Moment) {
        if self.show_at.is_none() && self.store.has_hidden_changes() {
            let times = 1 + self.store.hidden_packets() / SHOWN_AT_ONCE;
            let delay = SHOW_DELAY * u32::try_from(times).unwrap_or(u32::MAX);
            self.show_at = Some(now.t + delay);
        }
    }

    fn give(&mut self, now: Moment, index: usize, input: Input) {
        let action = self.nodes[index].process.handle(now.t, input);
        self.perform(now, index, action);
        self.show(now, index);
    }

    fn give_role(&mut self, now: Moment, role: Role, input: &Input) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].plan.role == role {
                self.give(now, index, input.clone());
            }
        }
    }

    /// Brings what others see of a node up to date.
    fn show(&mut self, now: Moment, index: usize) {
        let node = &self.nodes[index];
        let process = &node.process;
        let before = &self.store.nodes()[index];
        if (before.state, before.reason.as_str()) != (process.state(), process.reason()) {
            tracing::info!("{}: {}: {}", node.plan.name, process.state(), process.reason());
        }
        self.store.change_node(now, index, |status| {
            status.state = process.state();
            process.reason().clone_into(&mut status.reason);
            status.restarts = process.restarts();
            status.last_exit = process.last_exit().map(|exit| exit.to_string());
            status.fatal = process.fatal().cloned();
            status.pid = node.child.as_ref().map(|child| child.pid);
            status.started_unix_ms = node.child.as_ref().and(node.started).map(Moment::unix_ms);
        });
        if matches!(node.process.state(), State::Stopped | State::Failed) {
            let next = if node.removed { "added again" } else { "started" };
            self.sends.sender_rests(&self.store.nodes()[index], next, &self.store);
            self.refuse_pages(index);
        }
    }

    fn outside(&mut self, now: Moment, input: Outside) {
        match input {
            Outside::Lifeline(Lifeline::Detach) => {
                self.attached = false;
                self.store.change_devnet(|devnet| devnet.attached = false);
                self.show_soon(now);
            }
            Outside::Lifeline(Lifeline::KeepFolder) => self.keep_folder = true,
            Outside::LifelineEnded if self.attached => {
                self.go_down(now, "the front end that started it is gone");
            }
            Outside::LifelineEnded => {}
            Outside::Signal(name) => {
                if self.going_down.is_some() {
                    self.hurry(now);
                }
                self.go_down(now, &format!("the supervisor got {name}"));
            }
            Outside::Log(line) => self.store.log(now, "supervisor", line),
            Outside::Notice(notice) => {
                tracing::warn!("{notice}");
                self.note(notice);
                self.show_soon(now);
            }
        }
    }

    /// Whether whoever asks is better off with a new reading: a process has none yet, or the last
    /// is old.
    fn is_usage_old(&self, now: Moment) -> bool {
        let mut nodes = self.nodes.iter().enumerate();
        nodes.any(|(index, node)| node.child.is_some() && !self.store.has_usage(index))
            || self.usage_read.is_none_or(|at| now.t.saturating_since(at) > USAGE_AGE)
    }

    /// Without its folder a devnet has lost its keys and mailboxes, and nobody can reach it: it ends.
    fn look_for_folder(&mut self, now: Moment) {
        if !self.claim.is_there() {
            let folder = self.claim.folder().path().display().to_string();
            self.go_down(now, &format!("its folder `{folder}` was deleted"));
        }
    }

    fn read_usage(&mut self, now: Moment) {
        let running = self.nodes.iter().enumerate();
        let running: Vec<_> =
            running.filter_map(|(index, node)| Some((index, node.child.as_ref()?.pid))).collect();
        let usage = self.usage.read(&running);
        self.usage_read = Some(now.t);
        for (index, usage) in usage {
            self.store.usage(now, index, usage);
        }
    }
}

/// A devnet that is stopped.
pub(crate) struct Ended {
    /// To be held until the process ends.
    pub(crate) claim: Claim,
    /// Who asked for it and waits.
    pub(crate) replies: Vec<crate::ask::Reply<control::DownReport>>,
    /// What they are told.
    pub(crate) report: Result<control::DownReport, Failure>,
}

#[cfg(test)]
mod tests;
