//! `nym-mixnode`: a mixnode by itself, with the flags, files and config keys of 2020.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Args;
use contract::{Fatal, Role};
use mixnode::MixnodeArgs;
use standalone::{
    Address, AddressFlags, Announce, Clash, Config, DirectoryUrl, FlagsDiffer, Home, Host, Key,
    Keys, Limited, Location, NodeConfig, Program, Run,
};

/// The port of the originals.
const PORT: u16 = 1789;

/// A layer. A Sphinx header has room for five hops, and the last is the provider.
type Layer = Limited<1, 4>;

/// Threads. No machine of today makes use of more.
type Workers = Limited<1, 256>;

fn main() -> ExitCode {
    standalone::start::<NymMixnode>()
}

pub(crate) struct NymMixnode;

/// What a config file says.
#[derive(Debug)]
pub(crate) struct MixnodeConfig {
    node: NodeConfig,
    location: Location,
    layer: Layer,
    layers: Layer,
    address: Address,
    report_metrics: bool,
    workers: Workers,
    faithful: bool,
}

impl Config for MixnodeConfig {
    fn keys(&mut self, keys: &mut Keys<'_>) {
        keys.section("mixnode", &[], "The mixnode");
        self.node.id_key(keys);
        self.location.key(keys);
        keys.number(Key::new("layer", "Its layer, from 1").required(), &mut self.layer);
        keys.number(
            Key::new("layers", "Layers of the network; what comes after the last is a provider"),
            &mut self.layers,
        );
        keys.address(
            Key::new("listening_address", "Where it takes packets: IP:PORT"),
            &mut self.address.listening,
        );
        keys.optional(
            Key::new(
                "announce_address",
                "What it tells others instead, such as the address of a router in front of it: \
                 HOST or HOST:PORT. A name is looked up when the mixnode starts",
            ),
            &mut self.address.announce,
        );
        self.node.key_file_keys(
            keys,
            Key::new("private_sphinx_key_file", "File with its private Sphinx key"),
            Key::new("public_sphinx_key_file", "File with its public Sphinx key"),
        );
        self.node.directory_key(
            keys,
            Key::new(
                "presence_directory_server",
                "The directory, where it announces itself and reports its packets",
            )
            .also(&[
                ("mixnode", "metrics_directory_server"),
                ("debug", "presence_directory_server"),
                ("debug", "metrics_directory_server"),
            ]),
        );
        keys.switch(
            Key::new("report_metrics", "Whether it reports its packets to the directory"),
            &mut self.report_metrics,
        );
        keys.number(Key::new("workers", "Threads that take packets"), &mut self.workers);
        self.node.logging_keys(keys);
        keys.section("debug", &[], "For experiments");
        keys.switch(
            Key::new(
                "faithful",
                "Take replayed packets and skipped layers, as the original mixnodes did",
            ),
            &mut self.faithful,
        );
        keys.ignored("mixnode", &["nym_root_directory"]);
        keys.ignored(
            "debug",
            &[
                "presence_sending_delay",
                "metrics_sending_delay",
                "metrics_running_stats_logging_delay",
                "packet_forwarding_initial_backoff",
                "packet_forwarding_maximum_backoff",
                "initial_connection_timeout",
            ],
        );
    }
}

/// Flags that override the config file.
#[derive(Debug, Args)]
pub(crate) struct MixnodeFlags {
    /// Its layer
    #[arg(long, value_name = "N")]
    layer: Option<Layer>,
    /// Layers of the network [default: 3]
    #[arg(long, value_name = "N")]
    layers: Option<Layer>,
    /// Interface to listen on; 0.0.0.0 for all of them
    #[arg(long, value_name = "IP[:PORT]")]
    host: Option<Host>,
    /// Port to listen on; 0 for any free one [default: 1789]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// What to announce instead of where it listens [default: nothing]
    #[arg(long, value_name = "HOST[:PORT]")]
    announce_host: Option<Announce>,
    /// Port to announce [default: the one it listens on]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    announce_port: Option<u16>,
    /// What to announce as its location [default: its id]
    #[arg(long, value_name = "TEXT")]
    location: Option<Location>,
    #[arg(
        long,
        value_name = "URL",
        help = "Address of the directory [default: http://127.0.0.1:8080]"
    )]
    directory: Option<DirectoryUrl>,
    /// Threads that take packets [default: 1]
    #[arg(long, value_name = "N")]
    workers: Option<Workers>,
    /// Do not report packets to the directory
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_metrics: Option<bool>,
    /// Take replayed packets and skipped layers, as the original mixnodes did
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    faithful: Option<bool>,
}

impl Program for NymMixnode {
    const NAME: &'static str = "nym-mixnode";
    const ABOUT: &'static str = "A mixnode: takes Sphinx packets, delays them, passes them on";
    const ROLE: Role = Role::Mixnode;
    const FOLDER: &'static str = "mixnodes";
    const REQUIRED: &'static [&'static str] = &["layer", "host"];
    type Config = MixnodeConfig;
    type Flags = MixnodeFlags;

    fn defaults(home: &Home) -> MixnodeConfig {
        MixnodeConfig {
            node: NodeConfig::new(home, "sphinx"),
            location: home.id().into(),
            layer: Layer::new(1),
            layers: Layer::new(3),
            address: Address::new(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))),
            report_metrics: true,
            workers: Workers::new(1),
            faithful: false,
        }
    }

    fn apply(config: &mut MixnodeConfig, flags: MixnodeFlags) -> Result<(), FlagsDiffer> {
        let MixnodeFlags { layer, layers, location, directory, workers, faithful, .. } = flags;
        config.address.apply(AddressFlags {
            prefix: "",
            host: flags.host,
            port: flags.port,
            announce_host: flags.announce_host,
            announce_port: flags.announce_port,
        })?;
        config.layer = layer.unwrap_or(config.layer);
        config.layers = layers.unwrap_or(config.layers);
        config.workers = workers.unwrap_or(config.workers);
        config.faithful = faithful.unwrap_or(config.faithful);
        config.report_metrics = flags.no_metrics.map_or(config.report_metrics, |no| !no);
        if let Some(location) = location {
            config.location = location;
        }
        config.node.apply(directory);
        Ok(())
    }

    fn check(config: &MixnodeConfig) -> Result<(), Clash> {
        if config.layer.get::<u8>() <= config.layers.get() {
            return Ok(());
        }
        Err(Clash {
            reason: format!("layer {} is not one of {}", config.layer, config.layers),
            place: ("mixnode", "layer"),
            flags_hint: "`--layers` says how many layers the network has",
            file_hint: "`layers` in [mixnode] says how many layers the network has",
        })
    }

    fn common(config: &MixnodeConfig) -> &NodeConfig {
        &config.node
    }

    fn summary(config: &MixnodeConfig) -> String {
        format!("layer {} of {}, listens on {}", config.layer, config.layers, config.address)
    }

    async fn run(config: MixnodeConfig, run: Run) -> Result<(), Fatal> {
        run.warn_of_namesake(&config.node.directory, &config.address)?;
        if config.faithful {
            tracing::info!("faithful: takes replayed packets and skipped layers");
        }
        let args = MixnodeArgs {
            name: config.node.id.to_string(),
            home: run.home.data(),
            key_files: Some(config.node.key_files()),
            seed: None,
            directory: config.node.directory.to_string(),
            layer: config.layer.get(),
            layers: config.layers.get(),
            host: config.address.listening.ip(),
            port: config.address.listening.port(),
            port_fallback: false,
            announce_host: config.address.announce_as()?,
            location: Some(config.location.to_string()),
            workers: NonZeroUsize::new(config.workers.get()).expect("from 1"),
            faithful: config.faithful,
            portable: false,
            no_metrics: !config.report_metrics,
            trace: false,
        };
        mixnode::run(args, run.process).await
    }
}
