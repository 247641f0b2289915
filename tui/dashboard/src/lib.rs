//! The dashboard: ratatui screens on the event stream of a running devnet.
//!
//! Everything that may happen is a message (`message.rs`) that `update.rs` applies to the model;
//! `draw.rs` draws the model and changes nothing; what has to be done outside is an effect that the
//! loop in `app.rs` carries out, and whose result comes back as a message. `state/` holds what the
//! event stream said and knows nothing of the screen; `screens/` and `overlay/` show it. Keys are
//! data: the list in `action.rs` is read by the loop, the hints, the help and the palette.

mod action;
mod app;
mod blocks;
mod chrome;
mod connection;
mod describe;
mod draw;
mod drops;
mod explain;
mod filter;
mod fuzzy;
mod inbox;
mod input_line;
mod keymap;
mod keys;
mod keys_file;
mod lesson;
mod message;
mod model;
mod motion;
mod overlay;
mod pattern;
mod playback;
mod regions;
mod remembered;
mod report;
mod scene;
mod screens;
mod source;
mod state;
mod symbols;
mod tape;
mod terminal;
mod text;
mod theme;
mod tour;
mod update;
mod wrap;

pub use keys_file::{Keys, KeysFault};
pub use symbols::locale_is_utf8;
pub use theme::{NoSuchTheme, ThemeName};

#[cfg(any(test, feature = "measure"))]
mod fixture;
#[cfg(feature = "measure")]
pub mod measure;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use app::run_with;
use model::Settings;
use playback::{Pace, Playback};
use remembered::{Remembered, Store};
use source::Source;
use tape::Tape;
use terminal::{RealConsole, RealKeyboard};

/// How the dashboard behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
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
    /// Colours; those of the last time if none is named. `NO_COLOR` and `no_color` win.
    pub theme: Option<ThemeName>,
    /// Which keys do what.
    pub keys: Keys,
    /// Folder in which the dashboard keeps what it remembers from one time to the next, and reports
    /// of its own panics; none to keep nothing. With `read_only` it only reads there.
    pub folder: Option<PathBuf>,
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
    /// A task of the dashboard panicked. The terminal was given back, and the report says where.
    #[error("cannot go on with the dashboard: a part of it panicked")]
    Panicked,
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
/// Needs a tokio runtime with timers and I/O. SIGINT, SIGTERM and SIGHUP end it from here on, with
/// [`Outcome::Signalled`]. The terminal is as it was before when this returns, also after a panic.
pub async fn run(client: control::ControlClient, options: Options) -> Result<Outcome, Error> {
    report::keep_in(options.folder.clone(), options.stops_on_quit);
    show(client, settings(options)).await
}

/// Plays a recording until the user quits. [`Options`] that are about a running devnet do not matter.
///
/// Otherwise as [`run`].
pub async fn play(recording: control::Recording, options: Options) -> Result<Outcome, Error> {
    let playback = Playback {
        first: recording.first(),
        length: recording.length(),
        pace: Pace::default(),
        ended: None,
    };
    let options = Options { read_only: true, stops_on_quit: false, ..options };
    report::keep_in(options.folder.clone(), false);
    let settings = Settings { playback: Some(playback), ..settings(options) };
    show(Tape::new(recording), settings).await
}

/// What the caller and the environment decided.
fn settings(options: Options) -> Settings {
    let look = |name: &str| std::env::var(name).ok();
    let lessons = options.folder.as_ref().map(tutor::Store::new);
    // What is wrong with it is said when the lessons are looked at.
    let learnt = lessons.as_ref().map(|lessons| lessons.read().progress).unwrap_or_default();
    let store = options.folder.map(Store::new);
    let (remembered, notice) = match store.as_ref().map(Store::read) {
        None => (Remembered::default(), None),
        Some(Ok(remembered)) => (remembered, None),
        Some(Err(why)) => {
            let notice = format!("what the dashboard remembered cannot be read: {why}");
            (Remembered::default(), Some(notice))
        }
    };
    Settings {
        read_only: options.read_only,
        stops_on_quit: options.stops_on_quit,
        ascii: options.ascii || !locale_is_utf8(look),
        no_color: options.no_color || look("NO_COLOR").is_some_and(|value| !value.is_empty()),
        mouse: options.mouse,
        theme: options.theme,
        remembered,
        store: store.filter(|_| !options.read_only),
        lessons,
        learnt,
        notice,
        keymap: options.keys.0,
        playback: None,
        zone: TimeZone::system(),
    }
}

async fn show(source: impl Source, settings: Settings) -> Result<Outcome, Error> {
    let signals = signals()?;
    let mut console = RealConsole::take(settings.mouse)?;
    let ended = run_with(&mut console, RealKeyboard::default(), source, settings, signals).await;
    if matches!(ended, Err(Error::Panicked)) {
        terminal::until_said();
    }
    ended
}

/// The signals that ask the process to end, and the one that says that it was stopped.
fn signals() -> Result<mpsc::Receiver<i32>, Error> {
    let (sender, receiver) = mpsc::channel(1);
    let continued = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
    let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    for kind in ends.into_iter().chain([continued]) {
        let mut signals = signal(kind)
            .map_err(|source| Error::Terminal { attempt: "listen for signals", source })?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if sender.send(kind.as_raw_value()).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}
