//! `nym-provider`: a provider by itself, with the flags, files and config keys of the provider and
//! the gateway of 2020.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Args;
use contract::{Fatal, Role};
use provider::{MAX_WAITING, MAX_WAITING_PER_CLIENT, ProviderArgs};
use standalone::{
    Address, AddressFlags, Announce, Clash, Config, DirectoryUrl, FilePath, FlagsDiffer, Home,
    Host, Key, Keys, Limited, Location, NodeConfig, Program, Run, make_private_folder,
};

/// The ports of the originals.
const MIX_PORT: u16 = 1789;
const CLIENTS_PORT: u16 = 9000;

/// Packets. No disk of today has room for more.
type Quota = Limited<1, 1_000_000_000>;

fn main() -> ExitCode {
    standalone::start::<NymProvider>()
}

pub(crate) struct NymProvider;

/// What a config file says.
#[derive(Debug)]
pub(crate) struct ProviderConfig {
    node: NodeConfig,
    location: Location,
    mix: Address,
    clients: Address,
    inboxes: FilePath,
    quota_per_client: Quota,
    quota_total: Quota,
    pad: bool,
    faithful: bool,
    /// Somebody said where the ledger should be.
    names_ledger: bool,
}

impl Config for ProviderConfig {
    fn keys(&mut self, keys: &mut Keys<'_>) {
        keys.section("provider", &["gateway"], "The provider");
        self.node.id_key(keys);
        self.location.key(keys);
        self.node.key_file_keys(
            keys,
            Key::new("private_sphinx_key_file", "File with its private Sphinx key"),
            Key::new("public_sphinx_key_file", "File with its public Sphinx key"),
        );
        self.node.directory_key(
            keys,
            Key::new("presence_directory_server", "The directory, where it announces itself")
                .also(&[("debug", "presence_directory_server")]),
        );
        keys.section("mixnet_endpoint", &[], "Where mixnodes connect");
        address_keys(keys, &mut self.mix);
        keys.section("clients_endpoint", &[], "Where clients connect");
        address_keys(keys, &mut self.clients);
        keys.text(
            Key::new("inboxes_directory", "Folder of the mailbox, the file `mailbox.sqlite`"),
            &mut self.inboxes,
        );
        keys.number(
            Key::new(
                "quota_per_client",
                "Most packets that wait for one client. More are refused, and their senders hear \
                 of it",
            ),
            &mut self.quota_per_client,
        );
        keys.number(
            Key::new("quota_total", "Most packets that wait for all clients together"),
            &mut self.quota_total,
        );
        keys.switch(
            Key::new(
                "pad",
                "Give every answer to a pull one length, so that it does not tell how much waited",
            ),
            &mut self.pad,
        );
        self.node.logging_keys(keys);
        keys.section("debug", &[], "For experiments");
        keys.switch(
            Key::new(
                "faithful",
                "Be as trusting as the originals: whoever names an address may register it and \
                 take its packets; replayed packets are taken",
            ),
            &mut self.faithful,
        );
        keys.ignored("provider", &["nym_root_directory"]);
        keys.ignored("gateway", &["nym_root_directory"]);
        keys.ignored("clients_endpoint", &["ledger_path"]);
        keys.ignored(
            "debug",
            &[
                "presence_sending_delay",
                "stored_messages_filename_length",
                "message_retrieval_limit",
            ],
        );
    }
}

fn address_keys(keys: &mut Keys<'_>, address: &mut Address) {
    keys.address(
        Key::new("listening_address", "Where it listens: IP:PORT"),
        &mut address.listening,
    );
    keys.optional(
        Key::new(
            "announce_address",
            "What it tells others instead, such as the address of a router in front of it: HOST \
             or HOST:PORT. A name is looked up when the provider starts",
        ),
        &mut address.announce,
    );
}

/// Flags that override the config file.
#[derive(Debug, Args)]
pub(crate) struct ProviderFlags {
    /// Interface on which mixnodes connect; 0.0.0.0 for all of them
    #[arg(long, value_name = "IP[:PORT]")]
    mix_host: Option<Host>,
    /// Port for mixnodes; 0 for any free one [default: 1789]
    #[arg(long, value_name = "PORT")]
    mix_port: Option<u16>,
    /// What to announce to mixnodes instead [default: nothing]
    #[arg(long, value_name = "HOST[:PORT]")]
    mix_announce_host: Option<Announce>,
    /// Port to announce to mixnodes [default: the one it listens on]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    mix_announce_port: Option<u16>,
    /// Interface on which clients connect; 0.0.0.0 for all of them
    #[arg(long, value_name = "IP[:PORT]")]
    clients_host: Option<Host>,
    /// Port for clients; 0 for any free one [default: 9000]
    #[arg(long, value_name = "PORT")]
    clients_port: Option<u16>,
    /// What to announce to clients instead [default: nothing]
    #[arg(long, value_name = "HOST[:PORT]")]
    clients_announce_host: Option<Announce>,
    /// Port to announce to clients [default: the one it listens on]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    clients_announce_port: Option<u16>,
    /// What to announce as its location [default: its id]
    #[arg(long, value_name = "TEXT")]
    location: Option<Location>,
    #[arg(
        long,
        value_name = "URL",
        help = "Address of the directory [default: http://127.0.0.1:8080]"
    )]
    directory: Option<DirectoryUrl>,
    /// Folder of the mailbox [default: `data` in the folder of the node]
    #[arg(long, value_name = "DIR")]
    inboxes: Option<FilePath>,
    /// Without effect: the mailbox has the clients too
    #[arg(long, value_name = "FILE")]
    clients_ledger: Option<FilePath>,
    /// Most packets that wait for one client; more are refused, and their senders hear of it
    /// [default: 10000]
    #[arg(long, value_name = "PACKETS")]
    quota_per_client: Option<Quota>,
    /// Most packets that wait for all clients together [default: 250000]
    #[arg(long, value_name = "PACKETS")]
    quota_total: Option<Quota>,
    /// Give every answer to a pull one length, so that it does not tell how much waited
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pad: Option<bool>,
    /// Be as trusting as the originals: whoever names an address may register it and take its
    /// packets; replayed packets are taken
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    faithful: Option<bool>,
}

impl Program for NymProvider {
    const NAME: &'static str = "nym-provider";
    const ABOUT: &'static str = "A provider: keeps what arrives for its clients until they have it";
    const ROLE: Role = Role::Provider;
    const FOLDER: &'static str = "providers";
    const REQUIRED: &'static [&'static str] = &["mix_host", "clients_host"];
    type Config = ProviderConfig;
    type Flags = ProviderFlags;

    fn defaults(home: &Home) -> ProviderConfig {
        let on = |port| Address::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        ProviderConfig {
            node: NodeConfig::new(home, "sphinx"),
            location: home.id().into(),
            mix: on(MIX_PORT),
            clients: on(CLIENTS_PORT),
            inboxes: FilePath::new(home.data()),
            quota_per_client: Quota::new(MAX_WAITING_PER_CLIENT),
            quota_total: Quota::new(MAX_WAITING),
            pad: false,
            faithful: false,
            names_ledger: false,
        }
    }

    fn apply(config: &mut ProviderConfig, flags: ProviderFlags) -> Result<(), FlagsDiffer> {
        config.mix.apply(AddressFlags {
            prefix: "mix-",
            host: flags.mix_host,
            port: flags.mix_port,
            announce_host: flags.mix_announce_host,
            announce_port: flags.mix_announce_port,
        })?;
        config.clients.apply(AddressFlags {
            prefix: "clients-",
            host: flags.clients_host,
            port: flags.clients_port,
            announce_host: flags.clients_announce_host,
            announce_port: flags.clients_announce_port,
        })?;
        if let Some(location) = flags.location {
            config.location = location;
        }
        if let Some(inboxes) = flags.inboxes {
            config.inboxes = inboxes;
        }
        config.quota_per_client = flags.quota_per_client.unwrap_or(config.quota_per_client);
        config.quota_total = flags.quota_total.unwrap_or(config.quota_total);
        config.pad = flags.pad.unwrap_or(config.pad);
        config.faithful = flags.faithful.unwrap_or(config.faithful);
        config.names_ledger = flags.clients_ledger.is_some();
        config.node.apply(flags.directory);
        Ok(())
    }

    fn check(config: &ProviderConfig) -> Result<(), Clash> {
        // Port 0 is any free one, which never collides.
        if config.mix.listening != config.clients.listening || config.mix.listening.port() == 0 {
            return Ok(());
        }
        let listening = config.mix.listening;
        Err(Clash {
            reason: format!("mixnodes and clients cannot both connect to `{listening}`"),
            place: ("mixnet_endpoint", "listening_address"),
            flags_hint: "give them two ports: --mix-port and --clients-port",
            file_hint: "give [mixnet_endpoint] and [clients_endpoint] two ports",
        })
    }

    fn common(config: &ProviderConfig) -> &NodeConfig {
        &config.node
    }

    fn summary(config: &ProviderConfig) -> String {
        format!("mixnodes connect to {}, clients to {}", config.mix, config.clients)
    }

    async fn run(config: ProviderConfig, run: Run) -> Result<(), Fatal> {
        run.warn_of_namesake(&config.node.directory, &config.mix)?;
        if config.names_ledger {
            tracing::info!("--clients-ledger has no effect: the mailbox has the clients too");
        }
        if config.faithful {
            tracing::info!("faithful: proofs protect nothing, and replayed packets are taken");
        }
        make_private_folder(config.inboxes.as_path())?;
        let args = ProviderArgs {
            name: config.node.id.to_string(),
            home: config.inboxes.as_path().to_owned(),
            key_files: Some(config.node.key_files()),
            seed: None,
            directory: config.node.directory.to_string(),
            host: config.mix.listening.ip(),
            clients_host: Some(config.clients.listening.ip()),
            port: config.mix.listening.port(),
            clients_port: config.clients.listening.port(),
            port_fallback: false,
            announce_host: config.mix.announce_as()?,
            clients_announce_host: config.clients.announce_as()?,
            location: Some(config.location.to_string()),
            pad: config.pad,
            faithful: config.faithful,
            quota_per_client: config.quota_per_client.get(),
            quota_total: config.quota_total.get(),
            trace: false,
        };
        provider::run(args, run.process).await
    }
}
