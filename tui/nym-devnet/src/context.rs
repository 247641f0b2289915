//! What every command needs: where devnets are, which one is meant, and how to reach it.

use std::path::PathBuf;

use control::{ControlClient, Failure, FailureCode};
use supervisor::{Folder, StateDir};

use crate::cli::Globals;
use crate::output::Output;
use crate::stop::Outcome;

/// The devnet that is meant when nobody names one. Its folder goes with it.
pub(crate) const DEFAULT_NAME: &str = "default";

/// Everything that the global options decide.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) state_dir: StateDir,
    pub(crate) no_color: bool,
    name: Option<String>,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Outcome<Self> {
        Ok(Self {
            output: Output::new(&globals),
            state_dir: StateDir::find(globals.state_dir)?,
            no_color: globals.no_color,
            name: globals.name,
        })
    }

    /// Name of the devnet that is meant.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT_NAME)
    }

    /// Folder of the devnet that is meant: the one that the command names, or else the global
    /// options.
    pub(crate) fn folder(&self, named: Option<&str>) -> Outcome<Folder> {
        Ok(self.state_dir.folder(named.unwrap_or(self.name()))?)
    }

    /// The running devnet that is meant.
    pub(crate) fn connect(&self, named: Option<&str>) -> Outcome<ControlClient> {
        self.reach(named, Folder::socket)
    }

    /// The running devnet that is meant, by the way in that only shows.
    pub(crate) fn observe(&self, named: Option<&str>) -> Outcome<ControlClient> {
        self.reach(named, Folder::observe_socket)
    }

    fn reach(
        &self,
        named: Option<&str>,
        socket: impl Fn(&Folder) -> PathBuf,
    ) -> Outcome<ControlClient> {
        let folder = self.folder(named)?;
        if !folder.is_running()? {
            return Err(self.not_running(folder.name()).into());
        }
        Ok(ControlClient::new(socket(&folder))?)
    }

    /// No devnet of that name runs.
    pub(crate) fn not_running(&self, name: &str) -> Failure {
        let folders = self.state_dir.folders().unwrap_or_default();
        let running: Vec<&str> = folders
            .iter()
            .filter(|folder| folder.is_running().unwrap_or_default())
            .map(Folder::name)
            .collect();
        let hint = if running.is_empty() {
            format!("`nym-devnet up --name {}` starts one", control::shell_word(name))
        } else {
            format!("running are: {}", running.join(", "))
        };
        let message = format!("no devnet named `{name}` runs");
        Failure::new(FailureCode::NoSuchDevnet, message).hint(hint)
    }
}

/// The program that runs now: it holds every role.
pub(crate) fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        let message = format!("cannot find the program that runs: {error}");
        Failure::new(FailureCode::Environment, message)
    })
}
