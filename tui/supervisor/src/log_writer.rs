//! Logs are written by a thread of their own: a disk that hangs holds up neither the supervisor nor a
//! process. What does not fit any more, or cannot be written, is counted, and told when it is over.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::{self, Write as _};
use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::log_file::LogFile;

/// Bytes of one log that wait to be written: some ten thousand lines, so that one noisy process …
const MAX_WAITING_OF_ONE: usize = 1 << 20;

/// … does not take the room of the others. A disk that takes nothing for longer loses lines.
const MAX_WAITING: usize = 8 << 20;

/// How long the end of the supervisor waits for the last lines.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What could not be told, because too much else was, is told again after this.
const SAY_AGAIN: Duration = Duration::from_millis(100);

/// The thread only writes.
const STACK_BYTES: usize = 256 << 10;

/// The writer of this process. Its thread begins with the first log.
static WRITER: LazyLock<Arc<Writer>> = LazyLock::new(Writer::start);

/// Tells something about a log. False if it cannot be told now; it must not wait.
type Tell = Box<dyn FnMut(String) -> bool + Send>;

/// A log that is written in time. Cheap to clone; the file is closed after the last.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    id: u64,
    writer: Arc<Writer>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut queue = self.writer.lock();
        if let Some(waiting) = queue.logs.get_mut(&self.id) {
            waiting.closed = true;
        }
        // The writer takes it out when everything is written.
        queue.turns.push_back(self.id);
        drop(queue);
        self.writer.changed.notify_all();
    }
}

impl Log {
    /// A log at that place, which is opened with its first line. What becomes of it is told.
    pub(crate) fn at(path: PathBuf, tell: impl FnMut(String) -> bool + Send + 'static) -> Self {
        Self::of(&WRITER, path, Box::new(tell))
    }

    fn of(writer: &Arc<Writer>, path: PathBuf, tell: Tell) -> Self {
        let mut queue = writer.lock();
        queue.last_id += 1;
        let id = queue.last_id;
        let begun = Some(Begun { path, tell });
        queue.logs.insert(id, Waiting { begun, ..Waiting::default() });
        Self(Arc::new(Handle { id, writer: Arc::clone(writer) }))
    }

    /// Appends to it, without waiting.
    pub(crate) fn write(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let Handle { id, writer } = &*self.0;
        let mut queue = writer.lock();
        let has_room = queue.bytes + bytes.len() <= MAX_WAITING;
        let Some(waiting) = queue.logs.get_mut(id) else { return };
        if !has_room || waiting.bytes.len() + bytes.len() > MAX_WAITING_OF_ONE {
            waiting.lost += lines_in(bytes);
            return;
        }
        let is_first = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(bytes);
        queue.bytes += bytes.len();
        if is_first {
            queue.turns.push_back(*id);
            drop(queue);
            writer.changed.notify_all();
        }
    }
}

/// Waits until everything is written, but not for ever.
pub(crate) fn flush() {
    WRITER.flush();
}

fn lines_in(bytes: &[u8]) -> usize {
    let ends = bytes.split(|&byte| byte == b'\n').count() - 1;
    ends.max(1)
}

#[derive(Debug, Default)]
struct Writer {
    queue: Mutex<Queue>,
    /// Something came, or everything is written.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    last_id: u64,
    logs: HashMap<u64, Waiting>,
    /// Logs that have something to be written or closed, oldest first.
    turns: VecDeque<u64>,
    /// What waits altogether.
    bytes: usize,
    /// The writer holds what it took from here.
    is_writing: bool,
}

/// What waits of one log.
#[derive(Debug, Default)]
struct Waiting {
    /// New to the writer.
    begun: Option<Begun>,
    bytes: Vec<u8>,
    /// Lines that did not fit, and of which nothing was said yet.
    lost: usize,
    closed: bool,
}

struct Begun {
    path: PathBuf,
    tell: Tell,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl Writer {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A writer with its thread.
    fn start() -> Arc<Self> {
        let writer = Arc::<Self>::default();
        let run = Arc::clone(&writer);
        let thread = thread::Builder::new().name("logs".into()).stack_size(STACK_BYTES);
        // Without a thread no line is written. The process has no room for anything else either.
        drop(thread.spawn(move || run.run()));
        writer
    }

    fn flush(&self) {
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.turns.is_empty();
        // Nothing can be done about lines that are still there.
        drop(self.changed.wait_timeout_while(self.lock(), LAST_WAIT, is_busy));
    }

    /// Writes logs as they come, for ever.
    fn run(&self) {
        let mut files = HashMap::<u64, Writing>::new();
        loop {
            let mut queue = self.lock();
            let id = loop {
                if let Some(id) = queue.turns.pop_front() {
                    break id;
                }
                queue.is_writing = false;
                self.changed.notify_all();
                let mut untold = files.values_mut().filter(|writing| writing.untold.is_some());
                queue = match untold.next() {
                    None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                    Some(first) => {
                        drop(queue);
                        first.say_again();
                        untold.for_each(Writing::say_again);
                        let woken = self.changed.wait_timeout(self.lock(), SAY_AGAIN);
                        woken.unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            };
            queue.is_writing = true;
            let Some(waiting) = queue.logs.get_mut(&id) else { continue };
            let begun = waiting.begun.take();
            let (bytes, lost) = (mem::take(&mut waiting.bytes), mem::take(&mut waiting.lost));
            let closed = waiting.closed;
            if closed {
                queue.logs.remove(&id);
            }
            queue.bytes -= bytes.len();
            drop(queue);

            if let Some(Begun { path, tell }) = begun {
                files.insert(id, Writing::new(path, tell));
            }
            if let Some(writing) = files.get_mut(&id) {
                writing.write(&bytes, lost);
            }
            if closed {
                files.remove(&id);
            }
        }
    }
}

/// A log as the writer has it.
struct Writing {
    path: PathBuf,
    /// None until there is something to write, and after what went wrong.
    file: Option<LogFile>,
    tell: Tell,
    /// It was told that it cannot be written.
    fails: bool,
    /// Lines that are in no file, and of which the file says nothing yet.
    lost: usize,
    /// What could not be told yet.
    untold: Option<String>,
}

impl Writing {
    fn new(path: PathBuf, tell: Tell) -> Self {
        Self { path, file: None, tell, fails: false, lost: 0, untold: None }
    }

    /// Writes lines; so many after them were lost.
    fn write(&mut self, bytes: &[u8], lost: usize) {
        self.say_again();
        if bytes.is_empty() {
            self.lost += lost;
            return;
        }
        match self.try_write(bytes, lost) {
            Ok(()) => {
                self.fails = false;
                let lost = lost + mem::take(&mut self.lost);
                if lost > 0 {
                    self.say(format!(
                        "[the log file is written again; {lost} lines are not in it]"
                    ));
                }
            }
            Err(error) => {
                // Opened again the next time: the folder may be back, or the file another one.
                self.file = None;
                self.lost += lines_in(bytes) + lost;
                if !mem::replace(&mut self.fails, true) {
                    self.say(format!("[cannot write the log file: {error}]"));
                }
            }
        }
    }

    /// Writes, with a note wherever lines are missing.
    fn try_write(&mut self, bytes: &[u8], lost: usize) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            file => file.insert(LogFile::open(&self.path)?),
        };
        if self.lost > 0 {
            writeln!(file, "[{} lines are lost]", self.lost)?;
        }
        file.write_all(bytes)?;
        if lost > 0 {
            writeln!(file, "[{lost} lines are lost]")?;
        }
        Ok(())
    }

    /// Says what could not be told.
    fn say_again(&mut self) {
        if let Some(text) = self.untold.take() {
            self.say(text);
        }
    }

    fn say(&mut self, text: String) {
        if !(self.tell)(text.clone()) {
            self.untold = Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Writes as the thread does, and what is told.
    fn writing(path: &Path) -> (Writing, mpsc::Receiver<String>) {
        let (sender, told) = mpsc::channel();
        (Writing::new(path.into(), Box::new(move |text| sender.send(text).is_ok())), told)
    }

    #[test]
    fn what_is_written_is_there_after_a_flush_and_a_closed_log_is_forgotten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.log");
        let log = Log::at(path.clone(), |text| panic!("{text}"));
        let id = log.0.id;
        log.write(b"one\n");
        log.clone().write(b"two\n");
        drop(log);
        flush();
        assert_eq!(read(&path), "one\ntwo\n");
        assert!(!WRITER.lock().logs.contains_key(&id), "nobody needs it any more");

        // Another goes on where it ended.
        let log = Log::at(path.clone(), |text| panic!("{text}"));
        log.write(b"three\n");
        flush();
        assert_eq!(read(&path), "one\ntwo\nthree\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_once_and_what_was_lost_when_it_is_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.log");
        std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
        let (mut log, told) = writing(&path);
        for line in ["one\n", "two\nthree\n"] {
            log.write(line.as_bytes(), 0);
        }
        let said: Vec<String> = told.try_iter().collect();
        assert_eq!(said, ["[cannot write the log file: No space left on device (os error 28)]"]);
        std::fs::remove_file(&path).expect("removes");
        log.write(b"four\n", 0);
        assert_eq!(read(&path), "[3 lines are lost]\nfour\n");
        let said: Vec<String> = told.try_iter().collect();
        assert_eq!(said, ["[the log file is written again; 3 lines are not in it]"]);
    }

    #[test]
    fn lines_that_found_no_room_are_counted_and_told_when_somebody_listens() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.log");
        let (mut log, _) = writing(&path);
        log.write(b"one\n", 7);
        assert!(log.untold.is_some(), "nobody listened");
        let (sender, told) = mpsc::channel();
        log.tell = Box::new(move |text| sender.send(text).is_ok());
        log.write(b"two\n", 0);
        assert_eq!(
            told.recv(),
            Ok("[the log file is written again; 7 lines are not in it]".into())
        );
        assert_eq!(read(&path), "one\n[7 lines are lost]\ntwo\n");
    }

    #[test]
    fn what_cannot_be_told_is_told_later() {
        let dir = tempfile::tempdir().expect("a folder");
        let writer = Writer::start();
        let (sender, told) = mpsc::channel();
        let mut busy = 3;
        let tell = move |text| {
            busy -= 1;
            busy < 0 && sender.send(text).is_ok()
        };
        let log = Log::of(&writer, dir.path().join("no/such.log"), Box::new(tell));
        log.write(b"lost\n");
        let text = told.recv_timeout(Duration::from_secs(60)).expect("told");
        assert!(text.starts_with("[cannot write the log file: "), "{text}");
    }

    #[test]
    fn a_writer_that_hangs_holds_up_nobody_and_goes_on_where_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let writer = Writer::start();
        let (hanging, hangs) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let tell = move |_| hanging.send(()).is_ok() && may_go_on.recv().is_ok();
        let stuck = Log::of(&writer, dir.path().join("no/such.log"), Box::new(tell));
        stuck.write(b"lost\n");
        hangs.recv().expect("it hangs");

        let path = dir.path().join("x.log");
        let (sender, told) = mpsc::channel();
        let tell = move |text| sender.send(text).is_ok();
        let log = Log::of(&writer, path.clone(), Box::new(tell));
        let line = [b'x'; 1023].iter().chain(b"\n").copied().collect::<Vec<u8>>();
        let room = MAX_WAITING_OF_ONE / line.len();
        for _ in 0..room + 3 {
            log.write(&line);
        }
        go_on.send(()).expect("it waits");
        writer.flush();
        log.write(b"after\n");
        writer.flush();
        let text = "[the log file is written again; 3 lines are not in it]";
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [text]);
        let written = read(&path);
        assert_eq!(written.lines().filter(|line| line.starts_with('x')).count(), room);
        assert!(written.ends_with("x\n[3 lines are lost]\nafter\n"));
    }

    /// A pipe that nobody reads would hold up whoever opens it.
    #[test]
    fn a_pipe_in_place_of_a_log_holds_up_nobody() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.log");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo is there").success());
        let (mut log, told) = writing(&path);
        log.write(b"one\n", 0);
        assert!(told.recv().expect("told").starts_with("[cannot write the log file: "));
    }
}
