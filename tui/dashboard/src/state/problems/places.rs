//! Lints over what processes are and who is there.

use std::time::Duration;

use contract::Role;
use control::{DirectoryState, State};

use super::{Finding, Lint, Look, Severity};
use crate::state::{Node, Standing};
use crate::text;

/// How long a devnet and a process may take to come up before somebody is told. The slowest profile
/// has clients ready after three seconds.
const COMES_UP: Duration = Duration::from_secs(10);

/// How long it is told that a process ended and is back.
const BACK_FOR: Duration = Duration::from_secs(10);

/// With fewer senders than this a client is all but named by what it sends.
const FEW_SENDERS: usize = 3;

impl Look<'_> {
    /// Whether the devnet has had the time to come up.
    fn is_settled(&self) -> bool {
        self.now.since_unix_ms(self.devnet.info.started_unix_ms) >= COMES_UP
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = &Node> {
        self.devnet.nodes.iter().filter(move |node| node.status.state == state)
    }
}

/// Processes that ended too often.
pub(super) fn failed(look: &Look<'_>) -> Vec<Finding> {
    let failed = look.in_state(State::Failed).map(|node| {
        let status = &node.status;
        let fatal = status.fatal.as_ref();
        let said = fatal.filter(|fatal| !status.reason.contains(&fatal.message));
        let said = said.map(|fatal| format!("; it said: {}", fatal.message)).unwrap_or_default();
        let hint = fatal.and_then(|fatal| fatal.hint.clone());
        Finding::of(Lint::Failed, Severity::Bad, node)
            .why(format!("{}{said}", status.reason))
            .advice(hint.unwrap_or_else(|| "its log says why; mend that, and start it".into()))
            .command(format!("start {}", node.name()))
            .since(status.since_unix_ms)
    });
    failed.collect()
}

/// Processes that ended by themselves and are about to be started again, or were a moment ago: that
/// takes less time than there is between two looks.
pub(super) fn crashed(look: &Look<'_>) -> Vec<Finding> {
    let crashed = look.in_state(State::BackingOff).map(|node| {
        let restarts = text::plural(node.status.restarts, "restart");
        Finding::of(Lint::Crashed, Severity::Warning, node)
            .why(format!("{}; {restarts} so far", node.status.reason))
            .advice(
                "wait: it is started again by itself, and given up after five ends within 60 s; \
                 its log says why it ended",
            )
            .command(format!("logs {}", node.name()))
            .since(node.status.since_unix_ms)
    });
    let back = look.devnet.nodes.iter().filter_map(|node| {
        let came_back = look.figures.came_back(node)?;
        let age = look.now.since_unix_ms(came_back);
        let is_told = !matches!(node.status.state, State::BackingOff | State::Failed);
        (is_told && age <= BACK_FOR).then(|| {
            let ended = node.status.last_exit.as_deref().unwrap_or("it ended by itself");
            let restarts = text::plural(node.status.restarts, "restart");
            Finding::of(Lint::Crashed, Severity::Warning, node)
                .why(format!(
                    "{ended}; it was started again {} ago, {restarts} so far",
                    text::age(age)
                ))
                .advice(
                    "nothing, if somebody killed it: what was lost with it is sent again; else \
                     its log says why it ended",
                )
                .command(format!("logs {}", node.name()))
                .since(came_back)
        })
    });
    crashed.chain(back).collect()
}

/// Processes that run, and wait for something longer than they should.
pub(super) fn unready(look: &Look<'_>) -> Vec<Finding> {
    let comes_up = |node: &&Node| {
        matches!(node.status.state, State::Starting | State::Listening | State::Present)
            && look.now.since_unix_ms(node.status.since_unix_ms) >= COMES_UP
    };
    let unready = look.devnet.nodes.iter().filter(comes_up).map(|node| {
        let status = &node.status;
        let since = text::age(look.now.since_unix_ms(status.since_unix_ms));
        Finding::of(Lint::Unready, Severity::Warning, node)
            .why(format!("{} for {since}: {}", status.state.word(), status.reason))
            .advice("mend what it waits for; if nothing is wrong there, start it anew")
            .command(format!("restart {}", node.name()))
            .since(status.since_unix_ms)
    });
    unready.collect()
}

/// Processes that stand still because somebody wanted it.
pub(super) fn paused(look: &Look<'_>) -> Vec<Finding> {
    let paused = look.in_state(State::Paused).map(|node| {
        Finding::of(Lint::Paused, Severity::Note, node)
            .why("it was stopped where it stands, and what depends on it sees it go silent")
            .advice("let it go on")
            .command(format!("resume {}", node.name()))
            .since(node.status.since_unix_ms)
    });
    paused.collect()
}

/// Layers without a mixnode, and no provider.
pub(super) fn missing(look: &Look<'_>) -> Vec<Finding> {
    if !look.is_settled() {
        return Vec::new();
    }
    let works = |node: &Node| {
        let standing = look.devnet.standing(node, look.now);
        let is_absent = matches!(standing, Some(Standing::Gone(_) | Standing::Left(_)));
        matches!(node.status.state, State::Ready | State::Present) && !is_absent
    };
    let mut missing = Vec::new();
    let mut look_for = |what: String, add: String, is_meant: &dyn Fn(&Node) -> bool| {
        let mut meant = look.devnet.nodes.iter().filter(|node| is_meant(node)).peekable();
        let first = meant.peek().map(|node| node.name().to_owned());
        let all: Vec<&Node> = meant.collect();
        if all.iter().any(|node| works(node)) {
            return;
        }
        let states: Vec<String> = all
            .iter()
            .take(3)
            .map(|node| format!("{} {}", node.name(), node.status.state.phrase()))
            .collect();
        let more = all.len().saturating_sub(states.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let who = if all.is_empty() { "there is none".into() } else { states.join(", ") + &more };
        let finding = Finding::new(Lint::Missing, Severity::Bad, &what)
            .why(format!("{who}: no packet can pass, and clients hold messages back"))
            .advice("start one again, or add one");
        missing.push(finding.command(match first {
            Some(name) => format!("start {name}"),
            None => add,
        }));
    };
    for layer in 1..=look.devnet.info.layers {
        let is_of = move |node: &Node| node.status.layer == Some(layer);
        look_for(format!("layer {layer}"), format!("add mix --layer {layer}"), &is_of);
    }
    let is_provider = |node: &Node| node.status.role == Role::Provider;
    look_for("providers".into(), "add provider".into(), &is_provider);
    missing
}

/// Nodes that run and do not announce themselves as they should.
pub(super) fn absent(look: &Look<'_>) -> Vec<Finding> {
    let running = look.in_state(State::Ready).chain(look.in_state(State::Present));
    let absent = running.filter_map(|node| {
        let every = directory_api::PRESENCE_INTERVAL.as_secs_f64();
        let (lint, severity, age, what) = match look.devnet.standing(node, look.now)? {
            Standing::Present(_) => return None,
            Standing::Late(age) => (
                Lint::Late,
                Severity::Warning,
                age,
                "it is forgotten after 10 s and then gets no packets",
            ),
            Standing::Gone(age) => (
                Lint::Gone,
                Severity::Bad,
                age,
                "the directory has forgotten it: no client uses it",
            ),
            Standing::Left(age) => {
                (Lint::Gone, Severity::Bad, age, "it said that it leaves, and runs on")
            }
        };
        let why = format!(
            "it was last heard {} ago and should be every {every} s; {what}",
            text::age(age)
        );
        let finding = Finding::of(lint, severity, node).why(why);
        Some(
            finding
                .advice("look into its log for what holds it up; a busy machine makes nodes late")
                .command(format!("restart {}", node.name())),
        )
    });
    absent.collect()
}

/// The supervisor does not hear the directory.
pub(super) fn unheard(look: &Look<'_>) -> Vec<Finding> {
    let why = match &look.devnet.directory {
        DirectoryState::Connecting if look.is_settled() => "not connected yet".to_owned(),
        DirectoryState::Live | DirectoryState::Connecting => return Vec::new(),
        DirectoryState::Reconnecting { error, retry_in_ms } => {
            format!("{error}; tried again every {retry_in_ms} ms")
        }
    };
    let finding = Finding::new(Lint::Unheard, Severity::Bad, "directory")
        .why(format!("{why}. What is shown of presence and of mixnodes' rates is old"))
        .advice("start the directory again; the network goes on with the topology that it has");
    vec![finding.command("restart directory")]
}

/// Clients that hide among nobody.
pub(super) fn lone(look: &Look<'_>) -> Vec<Finding> {
    let is_sending = |node: &&Node| node.status.state == State::Ready;
    let crowds = look.devnet.with_role(&[Role::Crowd]).filter(is_sending).count();
    let crowd = if crowds > 0 { usize::from(look.devnet.info.crowd) } else { 0 };
    let clients: Vec<&Node> = look.devnet.with_role(&[Role::Client]).filter(is_sending).collect();
    let senders = clients.len() + crowd;
    if senders >= FEW_SENDERS {
        return Vec::new();
    }
    let others = text::plural(senders.saturating_sub(1), "other sender");
    let lone = clients.into_iter().map(|node| {
        Finding::of(Lint::Lone, Severity::Note, node)
            .why(format!(
                "{others} and no crowd: who watches the links sees whose packets these are, \
                 whatever the mixnodes do"
            ))
            .advice("let a crowd send cover, in which it can hide")
            .command("set crowd=8")
    });
    lone.collect()
}
