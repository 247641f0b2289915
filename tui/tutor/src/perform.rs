//! Actions of lessons, carried out as their commands would be.

use std::time::Duration;

use contract::Content;
use control::{AddRequest, AttackRequest, ControlClient, ControlError, SendRequest, SendWait};
use lessons::{Action, Send};
use tokio::time::{MissedTickBehavior, interval};

/// How long a client may take to accept a message: one that is just being started again is waited for.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Does all of it, in order; otherwise says what could not be done. Dropped
/// half-way, it does nothing more.
pub async fn perform(client: ControlClient, actions: Vec<Action>) -> Result<(), String> {
    for action in actions {
        one(&client, &action)
            .await
            .map_err(|error| format!("`{}`: {error}", action.command(None)))?;
    }
    Ok(())
}

async fn one(client: &ControlClient, action: &Action) -> Result<(), ControlError> {
    if let Some((node, ask)) = action.of_node() {
        return client.act(node, ask).await.map(drop);
    }
    match action {
        Action::Send(messages) => send(client, messages).await,
        Action::Set(set) => client.set(&set.request()).await.map(drop),
        Action::AddMix(layer) => client.add(&AddRequest::Mixnode { layer: *layer }).await.map(drop),
        Action::AddProvider => client.add(&AddRequest::Provider).await.map(drop),
        Action::AddClient(name) => {
            client.add(&AddRequest::Client { name: Some(name.clone()) }).await.map(drop)
        }
        Action::Attack(plan) => {
            let wait_ms = u64::try_from(ACCEPT_TIMEOUT.as_millis()).unwrap_or(u64::MAX);
            client.attack(&AttackRequest { plan: plan.clone(), wait_ms }).await.map(drop)
        }
        Action::Remove(node) => client.remove(node).await.map(drop),
        Action::Start(_)
        | Action::Stop(_)
        | Action::Pause(_)
        | Action::Resume(_)
        | Action::Kill(_) => unreachable!("those are asked of a node"),
    }
}

async fn send(client: &ControlClient, messages: &Send) -> Result<(), ControlError> {
    let Send { from, to, text, count, every } = messages;
    let mut pace = every.filter(|every| !every.0.is_zero()).map(|every| {
        let mut pace = interval(every.0);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pace
    });
    for number in 1..=*count {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        let request = SendRequest {
            from: from.clone(),
            to: to.clone(),
            content: Content::Text(text.replace("{n}", &number.to_string())),
            wait: SendWait::Accepted,
            timeout_ms: u64::try_from(ACCEPT_TIMEOUT.as_millis()).unwrap_or(u64::MAX),
        };
        client.send(&request).await?;
    }
    Ok(())
}
