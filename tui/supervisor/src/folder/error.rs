//! Why a folder cannot be used, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use control::{Failure, FailureCode, shown_name};

use super::MAX_SOCKET_PATH_BYTES;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no folder to keep devnets in.
    #[error("cannot find the folder for devnets: neither `XDG_STATE_HOME` nor `HOME` is set")]
    NoStateDir,
    /// The folder has a path that cannot be told to others as JSON.
    #[error("cannot use the folder `{}`: its path is not UTF-8", path.display())]
    NotUtf8 {
        /// The path.
        path: PathBuf,
    },
    /// The name cannot be one.
    #[error("`{}` cannot be the name of a devnet: {reason}", shown_name(name))]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The control socket would have a path that the system refuses.
    #[error(
        "cannot open the control socket `{}`: its path has {} bytes, at most {MAX_SOCKET_PATH_BYTES} \
         are possible", path.display(), path.as_os_str().len()
    )]
    SocketPath {
        /// The path.
        path: PathBuf,
    },
    /// A devnet of that name runs.
    #[error("a devnet named `{name}` runs already")]
    InUse {
        /// The name.
        name: String,
    },
    /// Something on disk.
    #[error("cannot {attempt} `{}`: {cause}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let message = error.to_string();
        match error {
            FolderError::NoStateDir => {
                Self::new(FailureCode::Environment, message).hint("name a folder with --state-dir")
            }
            FolderError::Name { .. } => Self::new(FailureCode::Usage, message)
                .hint("letters, digits, `-` and `_` make good names"),
            FolderError::NotUtf8 { .. } => Self::new(FailureCode::Environment, message)
                .hint("name another folder with --state-dir"),
            FolderError::SocketPath { .. } => Self::new(FailureCode::Environment, message)
                .hint("name a shorter folder with --state-dir"),
            FolderError::InUse { name } => {
                Self::new(FailureCode::NameInUse, message).hint(format!(
                    "`nym-devnet attach {}` shows it; --name OTHER starts another",
                    control::shell_word(&name)
                ))
            }
            FolderError::Io { .. } => Self::new(FailureCode::Environment, message)
                .hint("name a folder that you can write to with --state-dir"),
        }
    }
}

/// For `map_err`: what was attempted on what.
pub(crate) fn io_error(
    attempt: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> FolderError {
    move |cause| FolderError::Io { attempt, path: path.into(), cause }
}
