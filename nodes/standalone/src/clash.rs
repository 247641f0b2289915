//! Values that are good alone and cannot be together.

use std::path::Path;

use contract::{Fatal, FatalCode};

use crate::config;

/// Two values of a config that cannot both be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// What cannot be, as a sentence.
    pub reason: String,
    /// Where a config file has one of the two, section and key.
    pub place: (&'static str, &'static str),
    /// What to do about it with flags.
    pub flags_hint: &'static str,
    /// What to do about it in a config file.
    pub file_hint: &'static str,
}

impl Clash {
    /// Flags brought the two together.
    pub(crate) fn of_flags(self) -> Fatal {
        Fatal::new(FatalCode::Usage, self.reason).hint(self.flags_hint)
    }

    /// They stand in this file.
    pub(crate) fn in_file(self, path: &Path) -> Fatal {
        let (section, key) = self.place;
        let line = config::line_of(path, section, key).map(|line| format!(":{line}"));
        let line = line.unwrap_or_default();
        let message = format!("{}{line}: {}", path.display(), self.reason);
        Fatal::new(FatalCode::Usage, message).hint(self.file_hint)
    }
}

/// One command line says two things about one port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--{host} has port {in_host}, and --{port} is {alone}")]
pub struct FlagsDiffer {
    /// The flag that can have a port behind a host.
    pub host: String,
    /// The port there.
    pub in_host: u16,
    /// The flag for the port alone.
    pub port: String,
    /// Its value.
    pub alone: u16,
}

impl From<FlagsDiffer> for Fatal {
    fn from(error: FlagsDiffer) -> Self {
        Self::new(FatalCode::Usage, error.to_string()).hint("say the port once")
    }
}
