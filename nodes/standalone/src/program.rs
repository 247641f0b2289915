//! A program for one role: `init`, `run`, and what it says without either.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, FromArgMatches as _};
use contract::{Fatal, FatalCode, Role};
use runtime::{AnnounceAs, LogFormat, Process, log_to_stderr};

use crate::banner::Banner;
use crate::clash::{Clash, FlagsDiffer};
use crate::config::{self, ConfigError};
use crate::home::{Home, Lock};
use crate::init::{init, init_line, no_such_node};
use crate::namesake::warn_of_namesake;
use crate::{Address, Config, DirectoryUrl, Id, NodeConfig};

/// What is particular to the program of a role.
pub trait Program {
    /// Name of the program.
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// What it runs.
    const ROLE: Role;
    /// Folder of its nodes below `~/.nym`.
    const FOLDER: &'static str;
    /// Flags that `init` cannot do without, by their ids.
    const REQUIRED: &'static [&'static str];
    /// Subcommands of older releases, and the words that say the same today.
    const OLDER: &'static [(&'static str, &'static [&'static str])] = &[];
    /// What its config file says.
    type Config: Config;
    /// Flags that override the config file. All of them are optional.
    type Flags: Args;

    /// The config of a node in this folder before anybody said anything.
    fn defaults(home: &Home) -> Self::Config;

    /// Lets flags override what was said elsewhere.
    fn apply(config: &mut Self::Config, flags: Self::Flags) -> Result<(), FlagsDiffer>;

    /// Refuses what cannot be, although each value alone is good.
    fn check(config: &Self::Config) -> Result<(), Clash>;

    /// What every node has.
    fn common(config: &Self::Config) -> &NodeConfig;

    /// What `init` made, in a few words.
    fn summary(config: &Self::Config) -> String;

    /// What `init` says besides of the node with this public key, each with a name of one word.
    fn details(_config: &Self::Config, _public_key: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Runs until it is told to stop.
    fn run(config: Self::Config, run: Run) -> impl Future<Output = Result<(), Fatal>>;
}

/// What a node runs with, besides its config.
#[derive(Debug)]
pub struct Run {
    /// Its folder. No other process has it.
    pub home: Home,
    /// Its streams and its end.
    pub process: Process,
    public_key: String,
    _lock: Lock,
}

impl Run {
    /// Warns in the log if the directory lists another node at what this one announces.
    pub fn warn_of_namesake(
        &self,
        directory: &DirectoryUrl,
        address: &Address,
    ) -> Result<(), Fatal> {
        let announced = AnnounceAs::announced(address.announce_as()?, address.listening);
        // A port that is still to be found is free.
        if announced.port() != 0 {
            warn_of_namesake(directory, announced, self.public_key.clone());
        }
        Ok(())
    }
}

/// Flags of both subcommands.
#[derive(Debug, Args)]
struct Which {
    /// The node: the name of its folder in ~/.nym
    #[arg(long, value_name = "ID")]
    id: Id,
}

#[derive(Debug, Args)]
struct InitFlags {
    /// Make a new key and a new config file even if there are some; the old ones are moved aside
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct RunFlags {
    /// Config file to read [default: `config/config.toml` in the folder of the node]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the log on stderr looks; `RUST_LOG` sets what it says [default: text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

/// Runs this program with the arguments and the variables of this process.
pub fn start<P: Program>() -> ExitCode {
    let matches = command::<P>().get_matches_from(arguments::<P>());
    let outcome = match matches.subcommand() {
        Some(("init", matches)) => Flags::<P, InitFlags>::of(matches).map(run_init),
        Some((_, matches)) => Flags::<P, RunFlags>::of(matches).map(run),
        None => {
            say(&format!("{}usage: --help to see available options.\n", banner::<P>()));
            Ok(ExitCode::SUCCESS)
        }
    };
    outcome.unwrap_or_else(|error| error.exit())
}

/// The arguments of this process, with a subcommand of an older release in words of today.
fn arguments<P: Program>() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let older = arguments.get(1).and_then(|first| P::OLDER.iter().find(|(name, _)| first == name));
    if let Some((_, today)) = older {
        arguments.splice(1..2, today.iter().map(OsString::from));
    }
    arguments
}

/// What `--help` says about subcommands of older releases.
fn about_older<P: Program>() -> String {
    let lines = P::OLDER.iter().map(|(name, today)| format!("`{name}` is `{}`", today.join(" ")));
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("As before: {}", lines.join(", ")) }
}

/// The flags of a role are the same for `init` and `run`; only what has to be said differs.
fn command<P: Program>() -> Command {
    let with_flags = |name| P::Flags::augment_args(Which::augment_args(Command::new(name)));
    let require = |flag: clap::Arg| flag.required(true);
    let init =
        P::REQUIRED.iter().fold(with_flags("init"), |init, name| init.mut_arg(*name, require));
    // The description last: each list of flags brings one of its own.
    let init = InitFlags::augment_args(init).about("Make a node: its key and its config file");
    let run = RunFlags::augment_args(with_flags("run"))
        .about("Run a node until it is stopped")
        .after_help("Options override the config file; the defaults are for what neither says.");
    let program = Command::new(P::NAME).version(env!("CARGO_PKG_VERSION")).about(P::ABOUT);
    program.subcommand(init).subcommand(run).after_help(about_older::<P>())
}

struct Flags<P: Program, Own> {
    which: Which,
    own: Own,
    of_role: P::Flags,
}

impl<P: Program, Own: Args> Flags<P, Own> {
    fn of(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            which: Which::from_arg_matches(matches)?,
            own: Own::from_arg_matches(matches)?,
            of_role: P::Flags::from_arg_matches(matches)?,
        })
    }
}

fn banner<P: Program>() -> Banner {
    Banner { what: P::ROLE.to_string() }
}

/// To stdout. If nobody takes it there is nobody to tell that.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn find_home<P: Program>(id: &Id) -> Result<Home, Fatal> {
    Ok(Home::find(std::env::var_os("HOME"), P::FOLDER, id)?)
}

fn run_init<P: Program>(flags: Flags<P, InitFlags>) -> ExitCode {
    let made = find_home::<P>(&flags.which.id)
        .and_then(|home| init::<P>(&home, flags.own.force, flags.of_role));
    match made {
        Ok(told) => {
            say(&told);
            ExitCode::SUCCESS
        }
        Err(fatal) => {
            let hint = fatal.hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
            let text = format!("error: {}\n{hint}", fatal.message);
            let _ = io::stderr().write_all(text.as_bytes());
            ExitCode::from(fatal.code.exit_code())
        }
    }
}

/// A node that can run.
struct Prepared<C> {
    config: C,
    /// Keys of the file that mean nothing here.
    ignored: Vec<String>,
    home: Home,
    lock: Lock,
    public_key: String,
}

fn run<P: Program>(flags: Flags<P, RunFlags>) -> ExitCode {
    let format = flags.own.log_format;
    let prepared = prepare::<P>(flags);
    let of_file = || prepared.as_ref().ok().map(|it| P::common(&it.config).log_format);
    let format = format.or_else(of_file).unwrap_or_default();
    if format == LogFormat::Text {
        let _ = write!(io::stderr(), "{}", banner::<P>());
    }
    log_to_stderr(format, "info");
    runtime::run_process(P::ROLE, false, async |process| {
        let Prepared { config, ignored, home, lock, public_key } = prepared?;
        if !ignored.is_empty() {
            let ignored = ignored.join(", ");
            tracing::info!("the config file has keys that mean nothing here: {ignored}");
        }
        let common = P::common(&config);
        tracing::info!("{} `{}`, directory {}", P::ROLE, common.id, common.directory);
        P::run(config, Run { home, process, public_key, _lock: lock }).await
    })
}

fn prepare<P: Program>(flags: Flags<P, RunFlags>) -> Result<Prepared<P::Config>, Fatal> {
    let home = find_home::<P>(&flags.which.id)?;
    // Before the lock, which would make a folder for a name that was mistyped.
    let path = match flags.own.config {
        Some(named) if !named.exists() => return Err(ConfigError::Gone { path: named }.into()),
        Some(named) => named,
        None if !home.config().exists() => return Err(no_such_node::<P>(&home)),
        None => home.config(),
    };
    let lock = home.lock()?;
    let mut config = P::defaults(&home);
    let ignored = config::read(&path, &mut config)?;
    P::common(&config).check_id(&home)?;
    let of_file = P::check(&config).err();
    P::apply(&mut config, flags.of_role)?;
    P::check(&config).map_err(|clash| match of_file {
        Some(of_file) if of_file == clash => clash.in_file(&path),
        _ => clash.of_flags(),
    })?;
    let key_files = P::common(&config).key_files();
    let anew = format!(
        "make the node anew, with another key: `{}` moves its old folders aside",
        init_line::<P>(&home, " --force")
    );
    let Some(key) = key_files.load(&anew)? else {
        let message = format!("the key `{}` is gone", key_files.private.display());
        return Err(Fatal::new(FatalCode::Storage, message).hint(format!("put it back, or {anew}")));
    };
    Ok(Prepared { config, ignored, home, lock, public_key: key.public().to_string() })
}
