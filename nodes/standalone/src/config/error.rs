//! What can be wrong with a config file. Each message begins with where to look.

use std::io;
use std::path::PathBuf;

use contract::{Fatal, FatalCode};

/// Why a config file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Somebody named a file that is not there.
    #[error("the config file `{path}` does not exist")]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read at all.
    #[error("cannot read the config file `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the config file `{path}`: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML.
    #[error("{path}:{line}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// Something in it has no meaning.
    #[error("{path}:{line}: there is no {what}")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was found, such as ``key `laier` in [mixnode]``.
        what: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// A value cannot be taken.
    #[error("{path}:{line}: {key} = {found}: {reason}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// `[section] key`.
        key: String,
        /// What stands there.
        found: String,
        /// Why not.
        reason: String,
    },
    /// A key that has to be there is not.
    #[error("{path}: {key} is missing")]
    Missing {
        /// The file.
        path: PathBuf,
        /// `[section] key`.
        key: String,
    },
    /// Two keys that are one here say different things.
    #[error("{path}:{line}: {key} is not what {other} says in line {other_line}")]
    Differ {
        /// The file.
        path: PathBuf,
        /// The line of the one, from 1.
        line: usize,
        /// `[section] key`.
        key: String,
        /// The line of the other, from 1.
        other_line: usize,
        /// `[section] key`.
        other: String,
    },
}

impl From<ConfigError> for Fatal {
    fn from(error: ConfigError) -> Self {
        let code = match &error {
            // What is in it is wrong, such as bytes that are no text.
            ConfigError::Unreadable { source, .. }
                if source.kind() == io::ErrorKind::InvalidData =>
            {
                FatalCode::Usage
            }
            ConfigError::Unreadable { .. } | ConfigError::Unwritable { .. } => FatalCode::Storage,
            _ => FatalCode::Usage,
        };
        let fatal = Self::new(code, error.to_string());
        match error {
            ConfigError::Unknown { hint: Some(hint), .. }
            | ConfigError::Syntax { hint: Some(hint), .. } => fatal.hint(hint),
            ConfigError::Differ { .. } => fatal.hint("both mean the same here: remove one"),
            _ => fatal,
        }
    }
}
