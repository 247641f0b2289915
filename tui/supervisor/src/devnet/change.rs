//! Changing a running devnet: one more node, one less, other parameters.
//!
//! What may be changed into what is for [`layouts::Plan`] to say. A node that is removed leaves the
//! network like one that is stopped, and is forgotten when its process has ended. Its folder with its
//! keys and messages stays: who gets the name next goes on with them.

use std::time::Duration;

use contract::{Change, Command as Question, Role};
use control::{AddRequest, DevnetInfo, Failure, FailureCode, NodeStatus, SetRequest};
use directory_client::DirectoryClient;
use layouts::{GrowError, NodePlan, Plan};

use super::info::{describe, first_status};
use super::{Devnet, Node};
use crate::child::NodeId;
use crate::clock::Moment;
use crate::names::no_such_node;
use crate::process::Input;
use crate::supervise::raise_file_limit;

impl Devnet {
    /// One more node, which starts.
    pub(super) fn add(&mut self, now: Moment, request: &AddRequest) -> Result<NodeStatus, Failure> {
        let what = match request {
            AddRequest::Mixnode { layer } => format!("add a mixnode to layer {layer}"),
            AddRequest::Provider => "add a provider".into(),
            AddRequest::Client { name: Some(name) } => {
                format!("add a client `{}`", control::shown_name(name))
            }
            AddRequest::Client { name: None } => "add a client".into(),
        };
        self.refuse_at_the_end(&what)?;
        let gone = self.going();
        let mut plan = self.spec.plan.clone();
        let added = match request {
            AddRequest::Mixnode { layer } => plan.add_mixnode(*layer, &gone),
            AddRequest::Provider => plan.add_provider(&gone),
            AddRequest::Client { name } => plan.add_client(name.as_deref(), &gone),
        };
        let node = added.map_err(|error| cannot(&what, &error))?;
        raise_file_limit(plan.nodes.len() + gone.len())?;
        let index = self.put(now, node);
        self.plan_changed(now, plan);
        Ok(self.store.nodes()[index].clone())
    }

    /// One node less: it leaves. One that is leaving already goes on with that.
    pub(super) fn remove(&mut self, now: Moment, name: &str) -> Result<NodeStatus, Failure> {
        let index = self.find(name)?;
        let what = format!("remove `{name}`");
        self.refuse_at_the_end(&what)?;
        if !self.nodes[index].removed {
            let mut plan = self.spec.plan.clone();
            plan.remove(name).map_err(|error| cannot(&what, &error))?;
            self.let_go(now, index);
            self.plan_changed(now, plan);
        }
        Ok(self.store.nodes()[index].clone())
    }

    /// Other parameters, for what runs and for what will.
    pub(super) fn set(&mut self, now: Moment, request: &SetRequest) -> Result<DevnetInfo, Failure> {
        let what = "change the devnet";
        self.refuse_at_the_end(what)?;
        let change = change_of(request)?;
        let mut plan = self.spec.plan.clone();
        plan.set(change).map_err(|error| cannot(what, &error))?;
        let crowd = plan.nodes.iter().find(|node| node.role == Role::Crowd);
        let is_going = |node: &Node| node.removed && node.plan.role == Role::Crowd;
        if let Some(crowd) = crowd.filter(|_| self.nodes.iter().any(is_going)) {
            return Err(cannot(what, &GrowError::NameInUse(crowd.name.clone())));
        }
        let crowd = crowd.cloned();
        let index = self.nodes.iter().position(|node| node.plan.role == Role::Crowd);
        match (crowd, index.filter(|&index| !self.nodes[index].removed)) {
            // What it is told on its command line is in the plan.
            (Some(crowd), None) => {
                self.spec.plan = plan.clone();
                self.put(now, crowd);
            }
            (None, Some(index)) => self.let_go(now, index),
            _ => {}
        }
        let before = self.spec.plan.layout.crowd;
        self.plan_changed(now, plan);
        self.pass_on(before);
        Ok(self.store.snapshot(now).devnet)
    }

    /// Tells running clients and the crowd what is new for them.
    fn pass_on(&mut self, crowd_before: u16) {
        let crowd = self.spec.plan.layout.crowd;
        for planned in self.spec.plan.nodes.clone() {
            let is_it = |node: &Node| node.plan.name == planned.name && !node.removed;
            let Some(index) = self.nodes.iter().position(is_it) else { continue };
            let NodePlan { role, rates, .. } = planned;
            let resized = role == Role::Crowd && crowd != crowd_before;
            let has_changed = rates != self.nodes[index].plan.rates || resized;
            self.nodes[index].plan = planned;
            // Nobody else sends at a rate, and delays are in the packets.
            let is_concerned = matches!(role, Role::Client | Role::Crowd) && has_changed;
            if !is_concerned || self.nodes[index].child.is_none() {
                continue;
            }
            // All of them: a process that missed one change catches up with the next.
            let change = Change {
                hop_delay: Some(rates.hop_delay),
                slot: Some(rates.slot),
                loop_cover: Some(rates.loop_cover),
                slot_cover: Some(rates.slot_cover),
                crowd: resized.then_some(crowd),
            };
            if self.ask(index, Question::Set { change }).is_none() {
                let name = &self.nodes[index].plan.name;
                tracing::warn!("{name} reads no requests; it has other rates when it is restarted");
            }
        }
    }

    /// Puts a node into its place, and starts it if the directory is there. Otherwise it starts with
    /// all others.
    fn put(&mut self, now: Moment, plan: NodePlan) -> usize {
        let index = self.nodes.partition_point(|other| other.plan.order() <= plan.order());
        let id = NodeId(self.node_count);
        self.node_count += 1;
        let node = Node::new(id, plan);
        tracing::info!("{} is new", node.plan.name);
        let status = first_status(&node.plan, &node.process, self.claim.folder(), now);
        self.nodes.insert(index, node);
        self.store.insert_node(now, index, status);
        if self.directory.is_some() {
            self.give(now, index, Input::Start);
        }
        index
    }

    /// Lets a node leave for good.
    fn let_go(&mut self, now: Moment, index: usize) {
        tracing::info!("{} is to leave for good", self.nodes[index].plan.name);
        self.nodes[index].removed = true;
        // Whatever it does now, it is not started again.
        self.give(now, index, Input::LastRun);
        self.give(now, index, Input::Stop);
    }

    /// Forgets the nodes that were removed and have ended.
    pub(super) fn forget_removed(&mut self, now: Moment) {
        for index in (0..self.nodes.len()).rev() {
            let node = &self.nodes[index];
            if node.removed && !node.process.exists() {
                self.forget(now, index);
            }
        }
    }

    fn forget(&mut self, now: Moment, index: usize) {
        let keys = self.store.nodes()[index].public_keys.clone();
        let is_listed = self.store.presence().last_seen(&keys).is_some();
        if let Some(url) = self.directory.as_deref().filter(|_| is_listed) {
            // It did not say so itself: it was killed, or stopped long ago.
            sign_off(url, keys);
        }
        self.refuse_pages(index);
        let node = self.nodes.remove(index);
        tracing::info!("{} is gone; its folder stays", node.plan.name);
        self.store.remove_node(now, index);
    }

    /// Nodes that were removed and still run.
    fn going(&self) -> Vec<NodePlan> {
        self.nodes.iter().filter(|node| node.removed).map(|node| node.plan.clone()).collect()
    }

    /// The devnet is to be like this from now on: whoever looks is told, here and on disk.
    fn plan_changed(&mut self, now: Moment, plan: Plan) {
        self.spec.plan = plan;
        let layout = &self.spec.plan.layout;
        self.store.change_devnet(|devnet| describe(layout, devnet));
        self.show_soon(now);
        // Another devnet may have taken the name after somebody deleted our folder.
        let record = self.claim.is_there().then(|| self.claim.folder().record());
        if let Some(mut record) = record.flatten() {
            record.plan.clone_from(&self.spec.plan);
            if let Err(error) = self.claim.write_record(&record) {
                tracing::warn!("`nym-devnet ls` shows the devnet as it was: {error}");
            }
        }
    }

    pub(super) fn refuse_at_the_end(&self, what: &str) -> Result<(), Failure> {
        if self.going_down.is_none() {
            return Ok(());
        }
        let message = format!("cannot {what}: the devnet is going down");
        Err(Failure::new(FailureCode::NotRunning, message))
    }
}

/// Tells the directory in the name of nodes that they are gone. It would find out by itself, and
/// clients would send packets to them until then.
fn sign_off(directory: &str, keys: Vec<String>) {
    match DirectoryClient::new(directory) {
        Ok(directory) => drop(tokio::spawn(async move {
            for key in keys {
                if let Err(error) = directory.leave(&key).await {
                    tracing::warn!("the directory still lists a node that is gone: {error}");
                }
            }
        })),
        Err(error) => tracing::warn!("the directory still lists a node that is gone: {error}"),
    }
}

fn change_of(request: &SetRequest) -> Result<Change, Failure> {
    let SetRequest { hop_delay_ms, slot_ms, loop_cover_ms, slot_cover, crowd } = *request;
    if *request == SetRequest::default() {
        let message = "cannot change the devnet: nothing was named that is to be different";
        return Err(Failure::new(FailureCode::Usage, message)
            .hint("`nym-devnet set hop=50ms slot=100ms cover=200ms crowd=40`"));
    }
    let time = |what: &str, ms: Option<f64>| match ms {
        None => Ok(None),
        Some(ms) => Duration::try_from_secs_f64(ms / 1000.0).map(Some).map_err(|_| {
            let message = format!("cannot change the devnet: {what} of {ms} ms is no time");
            Failure::new(FailureCode::Usage, message)
        }),
    };
    Ok(Change {
        hop_delay: time("a hop delay", hop_delay_ms)?,
        slot: time("a slot", slot_ms)?,
        loop_cover: time("loop cover", loop_cover_ms)?,
        slot_cover,
        crowd,
    })
}

fn cannot(what: &str, error: &GrowError) -> Failure {
    let code = match error {
        GrowError::NameInUse(_) => FailureCode::NameInUse,
        GrowError::Ports(_) => FailureCode::PortTaken,
        GrowError::NoSuchNode(name) => return no_such_node("node", name, std::iter::empty()),
        GrowError::Name { .. } => FailureCode::Usage,
        GrowError::Layout(_)
        | GrowError::Layer { .. }
        | GrowError::Directory
        | GrowError::LastMixnode { .. }
        | GrowError::LastProvider(_)
        | GrowError::HasClients { .. } => FailureCode::InvalidLayout,
    };
    let mut failure = Failure::new(code, format!("cannot {what}: {error}"));
    failure.hint = error.hint();
    failure
}
