//! Stopping everything, in order.

use contract::Role;
use control::{DownReport, DownRequest, State};

use super::{Devnet, Ended};
use crate::ask::Reply;
use crate::clock::Moment;
use crate::process::Input;

/// Who stops after whom: those who send first, and last the one whom everybody asks.
const ORDER: [&[Role]; 4] =
    [&[Role::Client, Role::Crowd], &[Role::Provider], &[Role::Mixnode], &[Role::Directory]];

/// A devnet that is being stopped.
#[derive(Debug)]
pub(super) struct GoingDown {
    reason: String,
    purge: bool,
    /// How many groups of [`ORDER`] were asked to stop.
    asked: usize,
    replies: Vec<Reply<DownReport>>,
}

impl Devnet {
    /// Begins to stop everything, unless that has begun.
    pub(super) fn go_down(&mut self, now: Moment, reason: &str) {
        if self.going_down.is_some() {
            return;
        }
        tracing::info!("going down: {reason}");
        let reason = reason.to_owned();
        let why = "the devnet is going down";
        self.sends.give_up(why);
        self.inboxes.give_up(&self.store, why);
        self.pings.give_up(why);
        self.store.give_up_attacks(now, why);
        self.going_down = Some(GoingDown { reason, purge: false, asked: 0, replies: Vec::new() });
        for index in 0..self.nodes.len() {
            self.give(now, index, Input::LastRun);
        }
    }

    /// Somebody wants to hear when it is done.
    pub(super) fn report_down(&mut self, request: DownRequest, reply: Reply<DownReport>) {
        if let Some(down) = &mut self.going_down {
            down.purge |= request.purge;
            down.replies.push(reply);
        }
    }

    /// Asked twice: no more grace.
    pub(super) fn hurry(&mut self, now: Moment) {
        for index in 0..self.nodes.len() {
            if self.nodes[index].process.exists() {
                self.give(now, index, Input::Down);
                self.give(now, index, Input::Kill);
            }
        }
    }

    /// Whether everything is stopped. Asks the next group to stop when the one before has.
    pub(super) fn is_down(&mut self, now: Moment) -> bool {
        while let Some(down) = &mut self.going_down {
            let gone = ORDER[..down.asked].concat();
            let waits =
                |node: &super::Node| gone.contains(&node.plan.role) && node.process.exists();
            if self.nodes.iter().any(waits) {
                return false;
            }
            let Some(group) = ORDER.get(down.asked) else { return true };
            down.asked += 1;
            for &role in *group {
                self.give_role(now, role, &Input::Down);
            }
        }
        false
    }

    /// Everything is stopped: ends the stream and gives up the folder.
    pub(super) fn end(mut self) -> Ended {
        let now = Moment::now();
        self.store.show_messages(now, true);
        self.store.show_devnet(now);
        let Some(down) = self.going_down.take() else {
            unreachable!("a devnet ends only by going down")
        };
        let failed = self.store.nodes().iter().any(|node| node.state == State::Failed);
        let stays = self.spec.keep || self.keep_folder || failed;
        let deleted = down.purge || !stays || !self.claim.is_there();
        let folder = self.claim.folder().path().to_owned();
        let report = self.claim.clean_up(deleted).map(|()| DownReport { folder, deleted });
        self.store.down(now, down.reason);
        Ended { claim: self.claim, replies: down.replies, report: report.map_err(Into::into) }
    }
}
