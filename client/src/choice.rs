//! Which provider a client has: the one that was named, else the one that it had, else the first that
//! answers.

use std::sync::Arc;
use std::time::Duration;

use contract::Event;
use runtime::{Network, ProviderEntry, Reporter};
use sphinx::PrivateKey;
use tokio::sync::watch;
use tokio::time::sleep;
use wire::PublicKey;

use crate::provider_link::try_provider;

/// How long after none has answered all are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Most providers that an error names.
const MAX_NAMED: usize = 8;

/// Waits until there is a provider; returns its key.
///
/// One that was named, or was the client's before, is waited for until the directory has it. Among
/// others that is taken which answers first, asked in the order of how few clients they have.
pub(crate) async fn choose_provider(
    mut networks: watch::Receiver<Arc<Network>>,
    wanted: Option<String>,
    former: Option<PublicKey>,
    key: PrivateKey,
    reporter: Reporter,
) -> PublicKey {
    let mut told = String::new();
    loop {
        let network = Arc::clone(&networks.borrow_and_update());
        let reason = match (&wanted, former) {
            (Some(name), _) => match network.provider_called(name) {
                Some(provider) => return provider.key,
                None => missing(name, &network),
            },
            // Its messages wait there, and others know it by that address.
            (None, Some(former)) => return former,
            (None, None) => match first_to_answer(&key, &network).await {
                Ok(provider) => return provider,
                Err(reason) => reason,
            },
        };
        if told != reason {
            reporter.report(Event::Waiting { reason: reason.clone() });
            told = reason;
        }
        let is_empty = network.providers().is_empty();
        tokio::select! {
            changed = networks.changed() => if changed.is_err() {
                // Only when the process ends.
                std::future::pending::<()>().await;
            },
            () = sleep(RETRY), if wanted.is_none() && !is_empty => {}
        }
    }
}

async fn first_to_answer(key: &PrivateKey, network: &Network) -> Result<PublicKey, String> {
    let mut providers: Vec<&ProviderEntry> = network.providers().iter().collect();
    providers.sort_by_key(|provider| provider.clients.len());
    let mut reason = "no provider is in the directory".to_owned();
    for provider in providers {
        match try_provider(key, provider).await {
            Ok(()) => return Ok(provider.key),
            Err(error) => reason = format!("no provider answers; {}: {error}", name(provider)),
        }
    }
    Err(reason)
}

/// Why a provider that was named is waited for.
fn missing(wanted: &str, network: &Network) -> String {
    let there: Vec<&str> = network.providers().iter().take(MAX_NAMED).map(name).collect();
    let there = match there.as_slice() {
        [] => "none is".to_owned(),
        [one] => format!("there is `{one}`"),
        several => format!("there are {}", several.join(", ")),
    };
    format!("the provider `{wanted}` is not in the directory; {there}")
}

/// What a provider calls its location, which in a devnet is its name.
fn name(provider: &ProviderEntry) -> &str {
    &provider.location
}
