//! The program in a pseudo-terminal: keys in, screen out.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};

/// A terminal with the program in it.
pub(crate) struct Terminal {
    /// None once it is closed, like the next.
    pty: Option<PtyPair>,
    child: Box<dyn Child + Send + Sync>,
    keys: Option<Box<dyn Write + Send>>,
    reader: Option<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
    modes_before: String,
}

struct Shared {
    screen: Mutex<vt100::Parser>,
    changed: Condvar,
    closes: AtomicBool,
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn non_zero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has rows and columns")
}

/// What the line discipline does: raw or cooked, echo or not.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has modes"))
}

impl Terminal {
    /// Starts the program with these arguments and this folder for devnets.
    pub(crate) fn start(
        program: &Path,
        arguments: &str,
        state: &Path,
        rows: u16,
        cols: u16,
    ) -> Self {
        let pty = native_pty_system().openpty(size(rows, cols)).expect("a pseudo-terminal");
        let modes_before = modes(pty.master.as_ref());
        let mut command = CommandBuilder::new(program);
        command.args(arguments.split_whitespace());
        command.env("NYM_DEVNET_STATE_DIR", state);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        let child = pty.slave.spawn_command(command).expect("it starts");
        let mut output = pty.master.try_clone_reader().expect("a reader");
        let keys = pty.master.take_writer().expect("a writer");
        let screen = Mutex::new(vt100::Parser::new(non_zero(rows), non_zero(cols), 0));
        let shared =
            Arc::new(Shared { screen, changed: Condvar::new(), closes: AtomicBool::new(false) });
        let of_reader = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                // Poisoned by a test that has failed: nobody looks any more.
                let Ok(mut screen) = of_reader.screen.lock() else { return };
                screen.process(&buffer[..read]);
                drop(screen);
                of_reader.changed.notify_all();
                if of_reader.closes.load(Ordering::Acquire) {
                    return;
                }
            }
        });
        Self { pty: Some(pty), child, keys: Some(keys), reader: Some(reader), shared, modes_before }
    }

    fn master(&self) -> &dyn MasterPty {
        self.pty.as_ref().expect("not closed").master.as_ref()
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        let open = self.keys.as_mut().expect("not closed");
        open.write_all(keys.as_bytes()).and_then(|()| open.flush()).expect("it reads keys");
    }

    /// Changes the size.
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        // First ours: what the program draws for the new size must not be cut at the old one.
        let mut screen = self.shared.screen.lock().expect("not poisoned");
        screen.set_size(non_zero(rows), non_zero(cols));
        drop(screen);
        self.master().resize(size(rows, cols)).expect("it can be resized");
    }

    /// Waits until the screen is as wanted; returns what was wanted of it.
    #[track_caller]
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        mut pick: impl FnMut(&vt100::Screen) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        let mut screen = self.shared.screen.lock().expect("not poisoned");
        loop {
            if let Some(found) = pick(screen.screen()) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} on\n{}", screen.screen().contents());
            screen = self.shared.changed.wait_timeout(screen, left).expect("not poisoned").0;
        }
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub(crate) fn wait_text(&self, text: &str, limit: Duration) {
        self.wait(&format!("`{text}`"), limit, |screen| {
            screen.contents().contains(text).then_some(())
        });
    }

    /// Process id of the program.
    pub(crate) fn pid(&self) -> i32 {
        let pid = self.child.process_id().expect("it runs");
        i32::try_from(pid).expect("a process id")
    }

    /// Waits for the end; returns the exit code.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> u32 {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Closes the terminal, as a window is closed, and waits for the end of the program.
    pub(crate) fn close(mut self) {
        self.shared.closes.store(true, Ordering::Release);
        let PtyPair { master, slave } = self.pty.take().expect("not closed");
        drop(slave);
        // Whoever reads the output holds on to the terminal, and notices with the next of it: the
        // dashboard draws another screen, or the terminal shows the key, or the program has ended.
        drop(self.keys.take().map(|mut keys| keys.write_all(b"2")));
        self.reader.take().map(thread::JoinHandle::join);
        drop(master);
        drop(self.child.wait());
    }

    /// Whether the terminal is as the program found it: modes, main screen, cursor, mouse. What a
    /// program that has ended wrote last may still be on its way through the terminal.
    pub(crate) fn is_restored(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let mut screen = self.shared.screen.lock().expect("not poisoned");
        loop {
            let state = self.compare(screen.screen());
            let left = deadline.saturating_duration_since(Instant::now());
            if state.is_ok() || left.is_zero() {
                return state;
            }
            screen = self.shared.changed.wait_timeout(screen, left).expect("not poisoned").0;
        }
    }

    fn compare(&self, screen: &vt100::Screen) -> Result<(), String> {
        let modes_after = modes(self.master());
        if modes_after != self.modes_before {
            return Err(format!("modes were {}\nand are {modes_after}", self.modes_before));
        }
        if screen.alternate_screen() || screen.hide_cursor() {
            return Err("the alternate screen is on, or the cursor hidden".into());
        }
        if screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None {
            return Err("the mouse is still reported".into());
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A failed test must not leave the program behind; one that has ended cannot be killed.
        let _ = self.child.kill();
    }
}
