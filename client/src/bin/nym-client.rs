//! `nym-client`: a client by itself, with the flags, files and config keys of 2020.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use client::{ClientArgs, SocketType, Switch};
use contract::{Fatal, Role};
use origin::Origin;
use standalone::{
    BadValue, Clash, Config, DirectoryUrl, FlagsDiffer, Home, Key, Keys, Limited, Location,
    NodeConfig, Program, Run, make_private_folder,
};
use wire::PublicKey;

/// The port of v0.7.0, for the example in a config file.
const PORT: u64 = client::APPLICATIONS_PORT as u64;

/// Layers. A Sphinx header has room for five hops, and the last is the provider.
type Layers = Limited<1, 4>;

/// A port; 0 is any free one.
type Port = Limited<0, 65_535>;

/// Milliseconds at a mixnode. Mixnodes refuse headers that ask for much more.
type HopDelay = Limited<0, 10_000>;

/// Milliseconds between packets: from a thousand of them a second, more than a core builds, to one an
/// hour, which hides nobody.
type Interval = Limited<1, 3_600_000>;

fn main() -> ExitCode {
    standalone::start::<NymClient>()
}

pub(crate) struct NymClient;

/// Which provider a client has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Provider {
    Key(PublicKey),
    /// The one that announces this as its location.
    At(Location),
}

impl FromStr for Provider {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        text.parse().map(Self::Key).or_else(|_| text.parse().map(Self::At))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::At(location) => location.fmt(f),
        }
    }
}

/// Mean times, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Rates {
    hop_delay: HopDelay,
    slot: Interval,
    loop_cover: Interval,
}

impl Rates {
    /// Those of v0.5.0 to v0.7.0.
    const CLASSIC: Self = Self {
        hop_delay: Limited::new(200),
        slot: Limited::new(500),
        loop_cover: Limited::new(1000),
    };

    /// Those that v0.7.0 had for tests.
    const FAST: Self =
        Self { hop_delay: Limited::new(10), slot: Limited::new(5), loop_cover: Limited::new(20) };
}

/// What a config file says.
#[derive(Debug)]
pub(crate) struct ClientConfig {
    node: NodeConfig,
    provider: Option<Provider>,
    layers: Layers,
    socket_type: SocketType,
    port: Option<Port>,
    allowed_origins: Vec<Origin>,
    rates: Rates,
    acks: bool,
}

impl Config for ClientConfig {
    fn keys(&mut self, keys: &mut Keys<'_>) {
        keys.section("client", &[], "The client");
        self.node.id_key(keys);
        self.node.directory_key(
            keys,
            Key::new("directory_server", "The directory, where it finds mixnodes and providers"),
        );
        self.node.key_file_keys(
            keys,
            Key::new("private_identity_key_file", "File with its private key"),
            Key::new("public_identity_key_file", "File with its public key, which is its address"),
        );
        keys.optional(
            Key::new(
                "provider_id",
                "Its provider: a key, or the location that it announces. Without one it takes the \
                 first that answers, and keeps to that",
            )
            .also(&[("client", "gateway_id")]),
            &mut self.provider,
        );
        keys.number(
            Key::new("layers", "Layers of the network; what comes after the last is a provider"),
            &mut self.layers,
        );
        // A client proves its key to the provider and needs no token.
        keys.ignored("client", &["provider_authtoken", "gateway_authtoken", "nym_root_directory"]);

        keys.section("socket", &[], "How applications on this machine reach it");
        keys.choice(
            Key::new(
                "socket_type",
                "What they speak: `websocket`, or `tcp` for the byte requests of v0.5, or `none`",
            ),
            &mut self.socket_type,
        );
        keys.optional_number(
            Key::new(
                "listening_port",
                "On which port. The one that stands here has to be free. Without this key it is \
                 1977, or the next that is free",
            ),
            PORT,
            &mut self.port,
        );
        keys.list(
            Key::new(
                "allowed_origins",
                "Web pages that may connect, besides those of this machine, such as \
                 https://chat.example",
            ),
            &mut self.allowed_origins,
        );
        self.node.logging_keys(keys);

        keys.section("debug", &[], "For experiments. All times are means, in milliseconds");
        keys.number(
            Key::new("average_packet_delay", "How long a packet waits at each mixnode"),
            &mut self.rates.hop_delay,
        );
        keys.number(
            Key::new(
                "message_sending_average_delay",
                "Time between packets that carry a message if there is one, else cover",
            ),
            &mut self.rates.slot,
        );
        keys.number(
            Key::new(
                "loop_cover_traffic_average_delay",
                "Time between packets of cover that are sent besides",
            ),
            &mut self.rates.loop_cover,
        );
        keys.switch(
            Key::new(
                "acknowledgements",
                "Ask for acknowledgements, and send again what is not acknowledged; the originals \
                 did not",
            ),
            &mut self.acks,
        );
        keys.ignored(
            "debug",
            &[
                "fetch_message_delay",
                "rate_compliant_cover_messages_disabled",
                "topology_refresh_rate",
                "topology_resolution_timeout",
                "number_of_healthcheck_test_packets",
                "node_score_threshold",
                "packet_forwarding_initial_backoff",
                "packet_forwarding_maximum_backoff",
                "initial_connection_timeout",
                "healthcheck_connection_timeout",
                "gateway_response_timeout",
            ],
        );
    }
}

/// Flags that override the config file.
#[derive(Debug, Args)]
pub(crate) struct ClientFlags {
    #[arg(
        long,
        value_name = "URL",
        help = "Address of the directory [default: http://127.0.0.1:8080]"
    )]
    directory: Option<DirectoryUrl>,
    /// Its provider: a base58 key, or the location that it announces [default: the first that answers]
    #[arg(long, value_name = "PROVIDER", visible_alias = "gateway")]
    provider: Option<Provider>,
    /// Layers of the network [default: 3]
    #[arg(long, value_name = "N")]
    layers: Option<Layers>,
    /// How applications reach it: websocket, tcp, none [default: websocket]
    #[arg(long, value_name = "TYPE", value_enum, ignore_case = true, hide_possible_values = true)]
    socket_type: Option<SocketType>,
    /// The same as `--socket-type none`
    #[arg(long, conflicts_with = "socket_type")]
    disable_socket: bool,
    /// Port for applications, on loopback; 0 for any free one [default: 1977, or the next that is free]
    #[arg(short, long, value_name = "PORT")]
    port: Option<Port>,
    /// Web pages that may connect, besides those of this machine; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    /// Mean times of v0.7.0 for tests: 10 ms at a mixnode, 5 ms between packets, 20 ms between cover
    #[arg(long, hide = true)]
    fastmode: bool,
}

impl Program for NymClient {
    const NAME: &'static str = "nym-client";
    const ABOUT: &'static str = "A client: sends and receives messages for applications";
    const ROLE: Role = Role::Client;
    const FOLDER: &'static str = "clients";
    const REQUIRED: &'static [&'static str] = &[];
    /// Those of v0.4.
    const OLDER: &'static [(&'static str, &'static [&'static str])] = &[
        ("websocket", &["run", "--socket-type", "websocket"]),
        ("tcpsocket", &["run", "--socket-type", "tcp"]),
    ];
    type Config = ClientConfig;
    type Flags = ClientFlags;

    fn defaults(home: &Home) -> ClientConfig {
        ClientConfig {
            node: NodeConfig::new(home, "identity"),
            provider: None,
            layers: Layers::new(3),
            socket_type: SocketType::default(),
            port: None,
            allowed_origins: Vec::new(),
            rates: Rates::CLASSIC,
            acks: true,
        }
    }

    fn apply(config: &mut ClientConfig, flags: ClientFlags) -> Result<(), FlagsDiffer> {
        config.provider = flags.provider.or(config.provider.take());
        config.layers = flags.layers.unwrap_or(config.layers);
        config.socket_type = flags.socket_type.unwrap_or(config.socket_type);
        if flags.disable_socket {
            config.socket_type = SocketType::None;
        }
        config.port = flags.port.or(config.port);
        if !flags.allow_origin.is_empty() {
            config.allowed_origins = flags.allow_origin;
        }
        if flags.fastmode {
            config.rates = Rates::FAST;
        }
        config.node.apply(flags.directory);
        Ok(())
    }

    /// Every value goes with every other.
    fn check(_config: &ClientConfig) -> Result<(), Clash> {
        Ok(())
    }

    fn common(config: &ClientConfig) -> &NodeConfig {
        &config.node
    }

    fn summary(config: &ClientConfig) -> String {
        let port = match config.port {
            Some(port) => format!("port {port}"),
            None => format!("port {PORT}, or the next that is free"),
        };
        match config.socket_type {
            SocketType::Websocket => format!("a websocket for applications on {port}"),
            SocketType::Tcp => format!("a TCP socket for applications on {port}"),
            SocketType::None => "no socket for applications".into(),
        }
    }

    fn details(config: &ClientConfig, public_key: &str) -> Vec<(&'static str, String)> {
        let address = match &config.provider {
            Some(Provider::Key(provider)) => format!("{public_key}@{provider}"),
            Some(Provider::At(location)) => {
                format!("{public_key}@PROVIDER; PROVIDER is the key of the one at `{location}`")
            }
            None => format!(
                "{public_key}@PROVIDER; PROVIDER is the key of the first that answers when it runs"
            ),
        };
        vec![("address", address)]
    }

    async fn run(config: ClientConfig, run: Run) -> Result<(), Fatal> {
        let data = run.home.data();
        make_private_folder(&data)?;
        let mean = |milliseconds| Duration::from_millis(milliseconds);
        let args = ClientArgs {
            name: config.node.id.to_string(),
            home: data,
            key_files: Some(config.node.key_files()),
            seed: None,
            directory: config.node.directory.to_string(),
            layers: config.layers.get(),
            provider: config.provider.as_ref().map(ToString::to_string),
            hop_delay: mean(config.rates.hop_delay.get()),
            slot: mean(config.rates.slot.get()),
            loop_cover: mean(config.rates.loop_cover.get()),
            slot_cover: Switch::On,
            acks: if config.acks { Switch::On } else { Switch::Off },
            socket_type: config.socket_type,
            port: config.port.map(Limited::get),
            port_fallback: false,
            second_port: None,
            allow_origin: config.allowed_origins,
            crowd: None,
            trace: false,
        };
        client::run_client(args, run.process).await
    }
}
