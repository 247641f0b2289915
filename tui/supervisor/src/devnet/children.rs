//! Making processes, and taking in what they report.

use contract::{Command as Question, Endpoint, Event, Listening, Outcome, Request, Role, VERSION};
use control::State;

use super::{Devnet, Node};
use crate::arguments::{Context, arguments};
use crate::child::{Child, ChildEvent, Source, Wish};
use crate::clock::Moment;
use crate::journeys::Batch;
use crate::process::{Action, Input};

impl Devnet {
    /// Does what a process's state machine wants done.
    pub(super) fn perform(&mut self, now: Moment, index: usize, action: Option<Action>) {
        let mut next = action;
        while let Some(action) = next.take() {
            match action {
                Action::Spawn => {
                    let input = match self.spawn(now, index) {
                        Ok(()) => Input::Spawned,
                        Err(reason) => Input::SpawnFailed(reason),
                    };
                    next = self.nodes[index].process.handle(now.t, input);
                }
                Action::Ask(question) => {
                    self.wish(index, Wish::GoOn);
                    self.ask(index, question);
                }
                Action::Pause => self.wish(index, Wish::StandStill),
                Action::Resume => self.wish(index, Wish::GoOn),
                Action::Kill => self.wish(index, Wish::End),
            }
        }
    }

    fn wish(&self, index: usize, wish: Wish) {
        if let Some(child) = &self.nodes[index].child {
            child.wish(wish);
        }
    }

    /// Hands a request to a process; its id, if the process takes requests.
    pub(super) fn ask(&mut self, index: usize, question: Question) -> Option<u64> {
        self.next_request += 1;
        let id = self.next_request;
        let child = self.nodes[index].child.as_ref()?;
        child.ask(&Request { id, command: question }).then_some(id)
    }

    fn spawn(&mut self, now: Moment, index: usize) -> Result<(), String> {
        let folder = self.claim.folder();
        let Node { plan, bound, .. } = &self.nodes[index];
        if plan.role != Role::Directory && self.directory.is_none() {
            return Err("the directory has not opened its port yet".into());
        }
        let log = folder.log(&plan.name);
        let directory = self.directory.as_deref();
        let context = Context { plan: &self.spec.plan, folder, directory, bound };
        let command = (self.launcher)(plan, arguments(plan, &context));
        let program = command.as_std().get_program().to_owned();

        let generation = self.nodes[index].generation + 1;
        let source = Source { node: self.nodes[index].id, generation };
        let child = Child::spawn(command, source, log, self.events.clone()).map_err(|error| {
            format!("cannot start a process of `{}`: {error}", program.display())
        })?;
        let node = &mut self.nodes[index];
        node.generation = generation;
        node.child = Some(child);
        node.started = Some(now);
        // This one it may not get again, and does without.
        self.store.change_node(now, index, |status| {
            status.addresses.remove(&Endpoint::SecondApp);
        });
        self.ask_for_pages(index);
        self.ask_for_sends(index);
        Ok(())
    }

    /// Takes in what a process did.
    pub(super) fn child_event(&mut self, now: Moment, source: Source, event: ChildEvent) {
        let is_it = |node: &Node| (node.id, node.generation) == (source.node, source.generation);
        let Some(index) = self.nodes.iter().position(is_it) else { return };
        match event {
            ChildEvent::Event(event) => self.reported(now, index, source, *event),
            ChildEvent::Packets(batch) => self.store.packets(now, index, batch),
            ChildEvent::Log(line) => {
                let name = self.nodes[index].plan.name.clone();
                self.store.log(now, &name, line);
            }
            ChildEvent::LogFile(text) => {
                let name = self.nodes[index].plan.name.clone();
                // In our log too: whoever reads the file of the node does not see it there.
                tracing::warn!("{name}: {text}");
                self.store.log(now, &name, text);
            }
            ChildEvent::Exited(exit) => {
                let node = &mut self.nodes[index];
                node.child = None;
                node.started = None;
                self.sends.sender_ended(source, exit, &self.store);
                self.inboxes.process_ended(source);
                self.pings.process_ended(source, exit);
                self.store.attacked_ended(now, source, index, &exit.to_string());
                self.give(now, index, Input::Exited(exit));
            }
        }
    }

    fn reported(&mut self, now: Moment, index: usize, source: Source, event: Event) {
        match event {
            Event::Hello(hello) => {
                if hello.contract != VERSION {
                    let name = &self.nodes[index].plan.name;
                    let other = hello.contract;
                    tracing::warn!("{name} speaks contract {other}, not {VERSION}");
                }
            }
            Event::Listening(listening) => self.opened(now, index, &listening),
            Event::Identity(identity) => {
                let fixed = self.spec.plan.layout.seed;
                if let Some(seed) = identity.seed.filter(|&seed| fixed != Some(seed)) {
                    let notice = format!("keys here were made of the seed {seed}: no secret");
                    self.notice(now, notice);
                }
                self.store.change_node(now, index, |status| {
                    status.public_keys = identity.public_keys;
                    // A client says who it is twice: before and after it found its provider.
                    status.address = identity.address.or(status.address.take());
                });
                self.check_listing(now, index);
            }
            Event::Waiting { reason } => self.give(now, index, Input::Waiting(reason)),
            Event::Ready { reason } => {
                self.notice_missing_port(now, index);
                self.give(now, index, Input::Ready(reason));
            }
            Event::Metrics(metrics) => self.store.metrics(now, index, metrics),
            Event::Links { links, lost } => self.store.links(now, index, links, lost),
            Event::Packets { packets, lost } => {
                self.store.packets(now, index, Batch::new(packets, lost));
            }
            Event::Message(event) => {
                let message = event.message.clone();
                self.store.message_event(now, index, event);
                self.sends.message_changed(&message, &self.store);
                self.show_soon(now);
            }
            Event::Answer(answer) => {
                if let Outcome::Refused { reason } = &answer.outcome {
                    let name = &self.nodes[index].plan.name;
                    tracing::info!("{name} refused a request: {reason}");
                }
                let answer = self.page_answered(index, source, answer);
                let answer =
                    answer.and_then(|answer| self.store.attack_answered(now, source, answer));
                if let Some(answer) = answer.and_then(|answer| self.ponged(source, answer)) {
                    let is_ending = self.nodes[index].process.state() == State::Stopping;
                    self.sends.answered(source, answer, is_ending, &self.store);
                    self.ask_for_sends(index);
                }
            }
            Event::Lost { count, links } => self.store.lost(now, index, count, links),
            Event::Fatal(fatal) => self.give(now, index, Input::Fatal(fatal)),
            Event::Stopping { reason } => self.give(now, index, Input::Ending(reason)),
        }
    }

    fn opened(&mut self, now: Moment, index: usize, listening: &Listening) {
        let Listening { endpoint, address, instead_of } = *listening;
        let node = &mut self.nodes[index];
        node.bound.insert(endpoint, address.port());
        if let Some(taken) = instead_of {
            let (name, port) = (&node.plan.name, address.port());
            let notice =
                format!("port {taken} was taken; {name} has {port} for {endpoint} instead");
            self.notice(now, notice);
        }
        self.store.change_node(now, index, |status| {
            status.addresses.insert(endpoint, address);
        });
        // Without its second port a client does its work as well.
        if endpoint != Endpoint::SecondApp {
            self.give(now, index, Input::Listening(endpoint));
        }
        if self.nodes[index].plan.role == Role::Directory {
            self.directory_opened(now, format!("http://{address}"));
        }
    }

    /// A client that is ready has opened its second port, unless that is taken.
    fn notice_missing_port(&mut self, now: Moment, index: usize) {
        let Some(port) = self.nodes[index].plan.second_port else { return };
        let status = &self.store.nodes()[index];
        if !status.addresses.contains_key(&Endpoint::SecondApp) {
            let notice = format!("port {port} was taken; {} does without it", status.name);
            self.notice(now, notice);
        }
    }

    /// Tells everybody that something is not as it was asked for, once.
    fn notice(&mut self, now: Moment, notice: String) {
        if self.store.has_notice(&notice) {
            return;
        }
        tracing::info!("{notice}");
        self.store.change_devnet(|devnet| devnet.notices.push(notice));
        self.show_soon(now);
    }
}
