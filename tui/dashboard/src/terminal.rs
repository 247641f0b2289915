//! The real terminal: taken over, and always given back.

use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event,
    EventStream,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command as _, execute, queue};
use futures_util::Stream;
use futures_util::future::BoxFuture;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::app::{Console, Keyboard};
use crate::{Error, report};

/// What shows a file where `$PAGER` does not say.
const PAGER: &str = "less";

/// Whether the terminal is ours at the moment, for the panic hook.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether a frame is being drawn. A thread that panics waits for its end: the rest of it would be drawn
/// over the shell's screen.
static DRAWS: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// How long a thread that panics waits for that. It may be the one that draws.
const LONGEST_FRAME: Duration = Duration::from_millis(100);

/// Whether everything was said about a panic that there is to say, and who waits for that.
static SAID: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// How long it may take to say it: finding the names of all functions underway is slow.
const LONGEST_REPORT: Duration = Duration::from_secs(10);

/// The hook is set once: two dashboards in a process would otherwise chain it.
static HOOK: Once = Once::new();

/// The terminal while the dashboard has it. Dropping it gives it back.
pub(crate) struct RealConsole {
    /// Never dropped, which would show the cursor once more: where the terminal is gone that fails, the
    /// failure is printed on the terminal, and printing panics.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    mouse: bool,
    /// What is said once the terminal is given back.
    words: Vec<String>,
}

impl RealConsole {
    /// Takes the terminal over.
    pub(crate) fn take(mouse: bool) -> Result<Self, Error> {
        if !stdout().is_terminal() {
            return Err(Error::NotATerminal);
        }
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // First the terminal: what is printed would be lost with the alternate screen.
                give_back();
                before(panic);
                // A terminal that is gone takes no word either.
                let _ = writeln!(io::stderr(), "nym-devnet: {}", report::write(panic));
                *SAID.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
                SAID.1.notify_all();
            }));
        });
        let taken = take_over(mouse).and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match taken {
            Ok(terminal) => {
                Ok(Self { terminal: ManuallyDrop::new(terminal), mouse, words: Vec::new() })
            }
            Err(source) => {
                give_back();
                Err(Error::Terminal { attempt: "take over the terminal", source })
            }
        }
    }
}

/// Waits until everything is said about the panic that took the terminal away. It may be another thread's,
/// and the end of the process would cut it short.
pub(crate) fn until_said() {
    let said = SAID.0.lock().unwrap_or_else(PoisonError::into_inner);
    // Whether it was in time makes no difference here.
    drop(SAID.1.wait_timeout_while(said, LONGEST_REPORT, |said| !*said));
}

/// Keys and mouse of the terminal.
#[derive(Default)]
pub(crate) struct RealKeyboard(Option<EventStream>);

impl Stream for RealKeyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(self.0.get_or_insert_with(EventStream::new)).poll_next(context)
    }
}

impl Keyboard for RealKeyboard {
    fn release(&mut self) {
        // Its thread would read what is typed for somebody else.
        self.0 = None;
    }
}

impl Console for RealConsole {
    type Backend = CrosstermBackend<Stdout>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.terminal
    }

    fn begin(&mut self) -> bool {
        // Held meanwhile: who takes the terminal away says so first and looks here then.
        let mut draws = DRAWS.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_ours() {
            return false;
        }
        *draws = true;
        drop(draws);
        // Terminals that do not know it ignore it; one that is gone is noticed by drawing.
        let _ = queue!(stdout(), BeginSynchronizedUpdate);
        true
    }

    fn drawn(&mut self) {
        let _ = execute!(stdout(), EndSynchronizedUpdate);
        draws_no_more();
    }

    fn is_ours(&self) -> bool {
        TAKEN.load(Ordering::SeqCst)
    }

    fn tell(&mut self, words: &str) {
        self.words.push(words.to_owned());
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut sequence = String::new();
        CopyToClipboard::to_clipboard_from(text)
            .write_ansi(&mut sequence)
            .map_err(io::Error::other)?;
        let mut out = stdout();
        out.write_all(sequence.as_bytes())?;
        if std::env::var_os("TMUX").is_some_and(|tmux| !tmux.is_empty()) {
            out.write_all(through_tmux(&sequence).as_bytes())?;
        }
        out.flush()
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole group stops, as if the terminal itself had seen Ctrl-Z: a wrapper such as cargo
        // must stop too, or the shell would not take over.
        #[cfg(unix)]
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        take_over(self.mouse)
    }

    fn page(&mut self, file: &Path) -> io::Result<BoxFuture<'static, io::Result<()>>> {
        // Before the screen flickers for nothing.
        std::fs::metadata(file)?;
        let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
        let pager = pager.unwrap_or_else(|| PAGER.to_owned());
        give_back();
        // A pager may be given with arguments, so a shell takes it apart.
        let mut command = tokio::process::Command::new("sh");
        command.arg("-c").arg(format!("{pager} \"$1\"")).arg("sh").arg(file).kill_on_drop(true);
        let mut child = command.spawn()?;
        Ok(Box::pin(async move {
            let status = child.wait().await?;
            match status.code() {
                // What a shell says of a command that it cannot find, or not run.
                Some(126 | 127) => Err(io::Error::other(format!("`{pager}` cannot be run"))),
                _ => Ok(()),
            }
        }))
    }

    fn resume(&mut self) -> io::Result<()> {
        take_over(self.mouse)
    }
}

/// The same for the terminal around tmux. With `set-clipboard on` tmux takes the plain one, with
/// `allow-passthrough on` this one, and ignores what it does not take.
fn through_tmux(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

impl Drop for RealConsole {
    fn drop(&mut self) {
        draws_no_more();
        give_back();
        for words in &self.words {
            // A terminal that is gone takes no word.
            let _ = writeln!(io::stderr(), "{words}");
        }
    }
}

fn draws_no_more() {
    *DRAWS.0.lock().unwrap_or_else(PoisonError::into_inner) = false;
    DRAWS.1.notify_all();
}

fn take_over(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    // If a shell had it meanwhile without our knowledge it is not raw any more, and who is said to have made
    // it raw does not do so again.
    disable_raw_mode()?;
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse {
        execute!(stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back if it is ours. What fails here cannot be reported anywhere: the terminal
/// is gone, and each step is worth trying by itself.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let draws = DRAWS.0.lock().unwrap_or_else(PoisonError::into_inner);
    // Too long a frame is that of the thread itself.
    drop(DRAWS.1.wait_timeout_while(draws, LONGEST_FRAME, |draws| *draws));
    let _ = disable_raw_mode();
    let _ = execute!(
        stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    );
    let _ = stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_hands_on_what_is_wrapped_for_it() {
        assert_eq!(
            through_tmux("\x1b]52;c;aGk=\x1b\\"),
            "\x1bPtmux;\x1b\x1b]52;c;aGk=\x1b\x1b\\\x1b\\"
        );
    }
}
