//! The devnet's directory: who starts when it is there, and what it says of the others.

use contract::Role;
use control::{DirectoryState, State};
use directory_api::Update;
use directory_client::{DirectoryClient, Subscription, SubscriptionEvent};

use super::Devnet;
use crate::clock::Moment;
use crate::presence::key_of;
use crate::process::Input;

impl Devnet {
    /// The directory has opened its port: the others can start.
    pub(super) fn directory_opened(&mut self, now: Moment, url: String) {
        let first = self.directory.is_none();
        match DirectoryClient::new(&url) {
            Ok(client) => {
                if first {
                    self.subscription = Some(client.subscribe(&[]));
                }
                self.directory_client = Some(client);
            }
            Err(error) => tracing::error!("cannot follow the directory: {error}"),
        }
        self.directory = Some(url);
        if first {
            for role in [Role::Mixnode, Role::Provider, Role::Client, Role::Crowd] {
                for index in 0..self.nodes.len() {
                    let node = &self.nodes[index];
                    // One that was stopped meanwhile stays so.
                    if node.plan.role == role && node.process.state() == State::Planned {
                        self.give(now, index, Input::Start);
                    }
                }
            }
        }
    }

    pub(super) fn directory_event(&mut self, now: Moment, event: SubscriptionEvent) {
        match event {
            SubscriptionEvent::Connected => self.store.directory_link(now, DirectoryState::Live),
            SubscriptionEvent::Disconnected { error, retry_in } => {
                self.give_role(now, Role::Directory, &Input::Unlisted);
                let error = error.to_string();
                let retry_in_ms = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
                let state = DirectoryState::Reconnecting { error, retry_in_ms };
                self.store.directory_link(now, state);
            }
            SubscriptionEvent::Update(frame) => {
                let everybody = matches!(frame.update, Update::Snapshot { .. });
                let key = key_of(&frame.update).map(String::from);
                self.store.directory_frame(now, frame);
                // At the same moment as what it lists: whoever waits for all to be ready after a new
                // start of the directory must not see it ready beside what the one before listed.
                if everybody {
                    self.give_role(now, Role::Directory, &Input::Listed);
                }
                for index in 0..self.nodes.len() {
                    let keys = &self.store.nodes()[index].public_keys;
                    if everybody || key.as_ref().is_some_and(|key| keys.contains(key)) {
                        self.check_listing(now, index);
                    }
                }
            }
        }
    }

    /// Whether the directory lists the running process. What it heard from an earlier one of the
    /// node does not count. Its wall clock is compared with ours of this moment, and not with that of
    /// the start: somebody may have set it since.
    pub(super) fn check_listing(&mut self, now: Moment, index: usize) {
        let node = &self.nodes[index];
        let Some(started) = node.started else { return };
        if !matches!(node.plan.role, Role::Mixnode | Role::Provider) {
            return;
        }
        let last_seen = self.store.presence().last_seen(&self.store.nodes()[index].public_keys);
        let listed = last_seen.is_some_and(|last_seen| now.t_at(last_seen) >= started.t);
        self.give(now, index, if listed { Input::Listed } else { Input::Unlisted });
    }
}

/// What it says next; nothing as long as there is no subscription.
pub(super) async fn next_of(subscription: &mut Option<Subscription>) -> SubscriptionEvent {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}
