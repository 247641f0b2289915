//! Why a command ends before its work is done, and what it tells then.

use std::io;

use control::{ControlError, Failure, FailureCode};
use supervisor::FolderError;

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Stop>;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something failed.
    Failed(Box<Failure>),
    /// Something failed, and what was printed says so.
    Told(FailureCode),
    /// Whoever read our output has gone, as in `nym-devnet ps | head -1`: nothing is wrong.
    NobodyReads,
    /// A signal asked for the end, and everything was cleaned up.
    Signal(i32),
}

impl Stop {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(failure) => failure.code.exit_code(),
            Self::Told(code) => code.exit_code(),
            Self::NobodyReads => 0,
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(1),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<ControlError> for Stop {
    fn from(error: ControlError) -> Self {
        Failure::from(error).into()
    }
}

impl From<FolderError> for Stop {
    fn from(error: FolderError) -> Self {
        Failure::from(error).into()
    }
}

/// Only writing to standard output fails with a bare I/O error here.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyReads;
        }
        Failure::new(FailureCode::Environment, format!("cannot write to standard output: {error}"))
            .into()
    }
}
