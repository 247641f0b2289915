//! What a provider announces: it stands in both lists of the directory, with one key.

use directory_api::{MixProviderReport, RegisteredClient};
use directory_client::{DirectoryClient, Error};

use crate::storage::Storage;

/// Announces a provider.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    directory: DirectoryClient,
    storage: Storage,
    report: MixProviderReport,
}

impl Presence {
    /// The report is that of v0.5, its clients are left to this.
    pub(crate) fn new(
        directory: DirectoryClient,
        storage: Storage,
        report: MixProviderReport,
    ) -> Self {
        Self { directory, storage, report }
    }

    /// Announces it once.
    pub(crate) async fn announce(self) -> Result<(), Error> {
        let Self { directory, storage, report: mut as_provider } = self;
        // An error is told by the storage itself; announced without clients it can still be found.
        if let Ok(clients) = storage.clients().await {
            let registered =
                clients.iter().map(|key| RegisteredClient { pub_key: key.to_string() });
            as_provider.registered_clients = registered.collect();
        }
        let mut as_gateway = as_provider.clone();
        as_gateway.client_listener = format!("ws://{}", as_provider.client_listener);
        // Nodes of this program look for gateways: that comes first.
        directory.announce_gateway(&as_gateway).await?;
        directory.announce_mixprovider(&as_provider).await
    }
}
