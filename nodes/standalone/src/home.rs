//! The folder of a node below `~/.nym`, as the originals had it, and who uses it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use contract::{Fatal, FatalCode};

use crate::Id;

/// Folders of former keys that are kept. Who gets there has other plans than to keep them.
const MAX_FORMER: u32 = 1000;

/// Why the folder of a node cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Nobody says where it would be.
    #[error("cannot tell where the files of a node are: the variable HOME is not set")]
    NoHome,
    /// A config file could not name what is in it.
    #[error("cannot use `{0}`: its name is not UTF-8")]
    NotText(PathBuf),
    /// Something with a file did not work.
    #[error("cannot {attempt} `{path}`: {source}")]
    Io {
        /// What.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has it.
    #[error("`{0}` is in use by another process")]
    InUse(PathBuf),
}

impl From<HomeError> for Fatal {
    fn from(error: HomeError) -> Self {
        let hint = match error {
            HomeError::NoHome => "set HOME to your home folder",
            HomeError::NotText(_) => "set HOME to a folder with a plain name",
            HomeError::Io { .. } => {
                "check that the folder is one, belongs to you and has space left"
            }
            HomeError::InUse(_) => "stop that one first, or give this one another --id",
        };
        Self::new(FatalCode::Storage, error.to_string()).hint(hint)
    }
}

/// The folder of a node. Nothing has to be there yet.
#[derive(Clone, Debug)]
pub struct Home {
    id: Id,
    path: PathBuf,
}

/// As long as it lives, no other process uses the same folder.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Home {
    /// The folder `HOME/.nym/KIND/ID`.
    pub fn find(home: Option<OsString>, kind: &str, id: &Id) -> Result<Self, HomeError> {
        let home = home.filter(|home| !home.is_empty()).map(PathBuf::from);
        let home = home.ok_or(HomeError::NoHome)?;
        if home.to_str().is_none() {
            return Err(HomeError::NotText(home));
        }
        let home = std::path::absolute(&home).map_err(failed("find", &home))?;
        Ok(Self { id: id.clone(), path: home.join(".nym").join(kind).join(id.as_ref()) })
    }

    /// The node's id.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The folder for keys and whatever else a node has to keep.
    pub fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// The config file.
    pub fn config(&self) -> PathBuf {
        self.path.join("config").join("config.toml")
    }

    /// Ids of the nodes of this kind, in order.
    pub(crate) fn siblings(&self) -> Vec<Id> {
        let kind = self.path.parent().unwrap_or(&self.path);
        let entries = fs::read_dir(kind).into_iter().flatten().filter_map(Result::ok);
        let ids = entries.filter(|entry| entry.path().join("config/config.toml").is_file());
        let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut ids: Vec<Id> = ids.collect();
        ids.sort();
        ids
    }

    /// Takes the folder, which is made if need be.
    pub(crate) fn lock(&self) -> Result<Lock, HomeError> {
        let path = self.path.join("lock");
        make_folder(&self.path)?;
        let open = |write| {
            OpenOptions::new()
                .read(true)
                .write(write)
                .create(write)
                .truncate(false)
                .mode(0o600)
                .open(&path)
        };
        // A mixnode can also run from a folder that nobody may write to.
        let file = open(true).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => open(false),
            _ => Err(error),
        });
        let file = file.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(HomeError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// Makes the folders for config and data; what is in the latter is nobody else's business.
    pub(crate) fn make(&self) -> Result<(), HomeError> {
        make_folder(&self.path.join("config"))?;
        make_private_folder(&self.data())
    }

    /// Moves config and data aside, so that nothing is lost; returns where they are now. None if
    /// there is nothing to move.
    pub(crate) fn retire(&self) -> Result<Option<PathBuf>, HomeError> {
        let parts = [self.path.join("config"), self.data()];
        if !parts.iter().any(|part| part.exists()) {
            return Ok(None);
        }
        let former = self.make_former()?;
        for part in parts {
            let name = part.file_name().expect("it has just been joined");
            match fs::rename(&part, former.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("move", &part)(error));
                }
                _ => {}
            }
        }
        Ok(Some(former))
    }

    /// A new folder beside config and data.
    fn make_former(&self) -> Result<PathBuf, HomeError> {
        let mut number = 1;
        loop {
            let former = self.path.join(format!("former-{number}"));
            match DirBuilder::new().mode(0o700).create(&former) {
                Ok(()) => return Ok(former),
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_FORMER =>
                {
                    number += 1;
                }
                Err(error) => return Err(failed("make", &former)(error)),
            }
        }
    }
}

/// Makes a folder that only its owner can look into, unless it is there already.
pub fn make_private_folder(path: &Path) -> Result<(), HomeError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make", path))
}

fn make_folder(path: &Path) -> Result<(), HomeError> {
    fs::create_dir_all(path).map_err(failed("make", path))
}

fn failed(attempt: &'static str, path: &Path) -> impl Fn(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Io { attempt, path: path.clone(), source }
}
