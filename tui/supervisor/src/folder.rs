//! The folder of a devnet: `STATE_DIR/NAME/`, private to its user.
//!
//! ```text
//! lock          held by the supervisor as long as it lives: the one sign that a devnet runs
//! state.json    who the supervisor is, and the plan; there while the devnet runs
//! control.sock  the control interface
//! observe.sock  the part of it that only shows
//! *.token       what opens either over TCP; there if that was asked for
//! layout/       files that a built-in layout brings along
//! logs/         NAME.log of every process and of the supervisor
//! nodes/        NAME/: keys and mailboxes
//! ```

mod claim;
mod error;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::spec::Record;

pub use claim::Claim;
pub use error::FolderError;
pub(crate) use error::io_error;

/// The longest name. It becomes a folder and part of a socket's path.
const MAX_NAME_BYTES: usize = 64;

/// The longest path of a socket that every system takes: 104 bytes with the final zero on macOS,
/// 108 on Linux.
const MAX_SOCKET_PATH_BYTES: usize = 100;

/// Whoever looks whether a devnet runs holds the lock for a few microseconds. Trying a few times
/// tells that from a supervisor.
const LOCK_ATTEMPTS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The folder that holds the folders of all devnets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The folder that was asked for, or the user's folder for the state of programs.
    pub fn find(asked: Option<PathBuf>) -> Result<Self, FolderError> {
        // Supervisor, socket and commands tell each other paths as JSON.
        match Self::find_any(asked)? {
            Self(path) if path.to_str().is_none() => Err(FolderError::NotUtf8 { path }),
            found => Ok(found),
        }
    }

    fn find_any(asked: Option<PathBuf>) -> Result<Self, FolderError> {
        if let Some(path) = asked {
            let path = std::path::absolute(&path).map_err(io_error("use the folder", &path))?;
            let wrong = match fs::metadata(&path) {
                Ok(found) if !found.is_dir() => Some(io::ErrorKind::NotADirectory.into()),
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => Some(error),
                // One that is not there can be created.
                _ => None,
            };
            return match wrong {
                Some(cause) => Err(io_error("use the folder", &path)(cause)),
                None => Ok(Self(path)),
            };
        }
        // The XDG standard says that a path that is not absolute is to be ignored.
        let from_env = |variable: &str| {
            std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let base = from_env("XDG_STATE_HOME")
            .or_else(|| from_env("HOME").map(|home| home.join(".local/state")))
            .ok_or(FolderError::NoStateDir)?;
        Ok(Self(base.join("nym-devnet")))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of the devnet of that name. Nothing is created yet.
    pub fn folder(&self, name: &str) -> Result<Folder, FolderError> {
        let refuse = |reason| Err(FolderError::Name { name: name.into(), reason });
        if name.is_empty() {
            return refuse("it is empty");
        }
        if name.len() > MAX_NAME_BYTES {
            return refuse("it is longer than 64 bytes");
        }
        if name.starts_with('.') {
            return refuse("it begins with a dot");
        }
        if name.starts_with('-') {
            return refuse("it begins with a dash, like an option");
        }
        if name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
            return refuse("it holds a path separator or a control character");
        }
        Ok(Folder { name: name.into(), path: self.0.join(name) })
    }

    /// The folders that are there, by name.
    pub fn folders(&self) -> Result<Vec<Folder>, FolderError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read the folder", &self.0)(error)),
        };
        let mut folders: Vec<Folder> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("lock").is_file())
            .filter_map(|entry| self.folder(entry.file_name().to_str()?).ok())
            .collect();
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folders)
    }
}

/// The folder of one devnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    name: String,
    path: PathBuf,
}

impl Folder {
    /// Name of the devnet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// The socket of that part of the control interface which only shows.
    pub fn observe_socket(&self) -> PathBuf {
        self.path.join("observe.sock")
    }

    /// The file with the token that opens the control interface over TCP.
    pub fn control_token(&self) -> PathBuf {
        self.path.join("control.token")
    }

    /// The file with the token for that part of it which only shows.
    pub fn observe_token(&self) -> PathBuf {
        self.path.join("observe.token")
    }

    /// What is there only while the devnet runs.
    fn of_this_run(&self) -> [PathBuf; 5] {
        [
            self.record_path(),
            self.socket(),
            self.observe_socket(),
            self.control_token(),
            self.observe_token(),
        ]
    }

    /// The folder of the logs.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The log of a process, or of the supervisor.
    pub fn log(&self, node: &str) -> PathBuf {
        self.logs().join(format!("{node}.log"))
    }

    /// The home of a process: its keys and mailboxes.
    pub fn home(&self, node: &str) -> PathBuf {
        self.path.join("nodes").join(node)
    }

    /// How many bytes longer the path of the control socket could be; an error if it is too long.
    pub fn check_socket_path(&self) -> Result<usize, FolderError> {
        let path = self.socket();
        let left = MAX_SOCKET_PATH_BYTES.checked_sub(path.as_os_str().len());
        left.ok_or(FolderError::SocketPath { path })
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn record_path(&self) -> PathBuf {
        self.path.join("state.json")
    }

    /// Who runs this devnet; none if nobody does or if the file is from another version.
    pub fn record(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.record_path()).ok()?).ok()
    }

    /// A handle on whether the devnet runs; none if it never did.
    pub fn watch(&self) -> Result<Option<Watch>, FolderError> {
        let path = self.lock();
        match File::open(&path) {
            Ok(lock) => Ok(Some(Watch { lock, path })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("open the lock", &path)(error)),
        }
    }

    /// Whether the devnet runs.
    pub fn is_running(&self) -> Result<bool, FolderError> {
        self.watch()?.map_or(Ok(false), |watch| watch.is_running())
    }

    /// Takes the folder for a new devnet of that name.
    pub fn claim(&self) -> Result<Claim, FolderError> {
        self.check_socket_path()?;
        let lock = loop {
            create_folder(&self.path)?;
            let path = self.lock();
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
                .map_err(io_error("open the lock", &path))?;
            self.take(&lock)?;
            // The devnet before us may have deleted the folder between our opening and locking.
            if is_at(&lock, &path).map_err(io_error("read", &path))? {
                break lock;
            }
        };
        let left_over = self.record_path().exists();
        let resumed = self.path.join("nodes").exists();
        for path in self.of_this_run() {
            remove_file(&path)?;
        }
        create_folder(&self.logs())?;
        create_folder(&self.path.join("nodes"))?;
        Ok(Claim { folder: self.clone(), left_over, resumed, lock })
    }

    /// Locks it for us alone. Whoever only looks at it is waited for.
    pub(crate) fn take(&self, lock: &File) -> Result<(), FolderError> {
        for attempt in 1.. {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt == LOCK_ATTEMPTS => {
                    return Err(FolderError::InUse { name: self.name.clone() });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => {
                    return Err(io_error("lock", &self.lock())(error));
                }
            }
        }
        Ok(())
    }

    /// Deletes it with everything in it. Nobody may run it.
    pub fn delete(&self) -> Result<(), FolderError> {
        // Moved away first, in one step: a new devnet may take the name while we delete, and would
        // lose its files one by one. No devnet has a name with a dot in front.
        let gone = format!(".{}.{}.gone", self.name, std::process::id());
        let gone = self.path.with_file_name(gone);
        remove_folder(&gone)?;
        fs::rename(&self.path, &gone).map_err(io_error("delete the folder", &self.path))?;
        remove_folder(&gone)
    }
}

/// A look at whether a devnet runs that stays valid while its folder is deleted.
#[derive(Debug)]
pub struct Watch {
    lock: File,
    path: PathBuf,
}

impl Watch {
    /// Whether its supervisor lives.
    pub fn is_running(&self) -> Result<bool, FolderError> {
        match self.lock.try_lock_shared() {
            Ok(()) => {
                self.lock.unlock().map_err(io_error("unlock", &self.path))?;
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(io_error("look at the lock", &self.path)(error)),
        }
    }

    /// Waits until its supervisor has ended. Blocks the thread.
    pub fn wait(self) -> Result<(), FolderError> {
        self.lock.lock_shared().map_err(io_error("wait for the lock", &self.path))
    }
}

/// Whether the open file is the one at that path.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(now) => Ok((now.dev(), now.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn create_folder(path: &Path) -> Result<(), FolderError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_error("create the folder", path))
}

fn remove_folder(path: &Path) -> Result<(), FolderError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("delete the folder", path)(error))
        }
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> Result<(), FolderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("delete", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
