//! The files around a database: its lock, its reserve, and what is put aside when it is damaged.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::{DatabaseError, Format};

/// Only its owner can read it: it says who gets how much, and when, and what.
const MODE: u32 = 0o600;

/// The file with something behind its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn io_error(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DatabaseError {
    let path = path.to_owned();
    move |source| DatabaseError::File { attempt, path, source }
}

/// Refuses what is there and is no file, before it is opened: a pipe would wait for another program,
/// and a device may do anything.
pub(crate) fn must_be_file(path: &Path) -> Result<(), DatabaseError> {
    let kind = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_dir() => "a folder",
        Ok(metadata) if metadata.file_type().is_fifo() => "a pipe",
        Ok(metadata) if metadata.file_type().is_socket() => "a socket",
        Ok(_) => "a device",
        // Whoever opens it tells what is wrong.
        Err(_) => return Ok(()),
    };
    Err(DatabaseError::NoFile { path: path.to_owned(), kind })
}

/// The files of an open database. SQLite goes on writing into a file that was moved or deleted, and
/// the next start does not find it.
#[derive(Debug)]
pub(crate) struct InUse {
    format: &'static Format,
    files: Vec<(PathBuf, (u64, u64))>,
}

impl InUse {
    /// Those of a database that has just been opened and read: its log is there.
    pub(crate) fn of(database: &Path, format: &'static Format) -> Self {
        let paths = [database.to_owned(), beside(database, "-wal")];
        let files = paths.into_iter().filter_map(|path| identity(&path).map(|it| (path, it)));
        Self { format, files: files.collect() }
    }

    /// Those of a database in memory.
    pub(crate) fn none(format: &'static Format) -> Self {
        Self { format, files: Vec::new() }
    }

    /// Whether they still have their names.
    pub(crate) fn check(&self) -> Result<(), DatabaseError> {
        match self.files.iter().find(|(path, opened)| identity(path) != Some(*opened)) {
            Some((path, _)) => Err(DatabaseError::Gone { format: self.format, path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// By which the system knows a file, whatever its name.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Held as long as a database is open. The system lets go of it when the process ends, however it
/// ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Makes the file ours. The lock is on another one beside it: SQLite's own locks come and go with
    /// its transactions.
    pub(crate) fn take(database: &Path, format: &'static Format) -> Result<Self, DatabaseError> {
        let path = beside(database, ".lock");
        must_be_file(&path)?;
        let open =
            OpenOptions::new().create(true).truncate(false).write(true).mode(MODE).open(&path);
        let file = open.map_err(io_error("open the lock", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { format }),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
        }
    }
}

/// Makes the file if it is not there: SQLite would let everybody read it.
pub(crate) fn create(database: &Path) -> Result<(), DatabaseError> {
    let open = OpenOptions::new().create(true).append(true).mode(MODE).open(database);
    open.map(drop).map_err(io_error("open", database))
}

/// SQLite takes an empty file for a new one, and deletes its log. Ours is never empty while it has a
/// log.
pub(crate) fn lost_its_contents(database: &Path) -> bool {
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    length(database) == 0 && length(&beside(database, "-wal")) > 0
}

/// Renames a damaged file and its log, so that a new one can be made; returns the new name.
pub(crate) fn put_aside(database: &Path) -> Result<PathBuf, DatabaseError> {
    let mut number = 1;
    let kept = loop {
        let kept = beside(database, &format!(".damaged-{number}"));
        if !kept.exists() {
            break kept;
        }
        number += 1;
    };
    // The log first: SQLite would apply it to whatever file it finds under the old name.
    for suffix in ["-wal", "-shm", ""] {
        let from = beside(database, suffix);
        match fs::rename(&from, beside(&kept, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("put aside", &from)(error));
            }
            _ => {}
        }
    }
    Ok(kept)
}

/// Notes that damage has shown in a database: the next one who opens it looks for it.
pub(crate) fn suspect(database: &Path) {
    let path = beside(database, ".suspect");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(MODE).open(&path);
    if let Err(error) = open {
        tracing::warn!("{}", io_error("note the damage in", &path)(error));
    }
}

/// Whether that was noted.
pub(crate) fn is_suspect(database: &Path) -> bool {
    beside(database, ".suspect").exists()
}

/// Somebody has looked.
pub(crate) fn clear_suspicion(database: &Path) {
    // It is not there most often; else there is one look more than is needed.
    let _ = fs::remove_file(beside(database, ".suspect"));
}

/// Megabytes of a database, begun ones not counted.
pub(crate) fn megabytes(database: &Path) -> u64 {
    fs::metadata(database).map_or(0, |metadata| metadata.len() >> 20)
}

/// A file that takes up room and has nothing in it.
#[derive(Debug)]
pub(crate) struct Reserve {
    format: &'static Format,
    path: PathBuf,
    held: bool,
}

impl Reserve {
    /// The reserve of this file, as it was left.
    pub(crate) fn of(database: &Path, format: &'static Format) -> Self {
        let path = beside(database, ".reserve");
        let held = fs::metadata(&path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == format.reserve_mb << 20);
        Self { format, path, held }
    }

    /// Takes the room, unless it is taken.
    pub(crate) fn take(&mut self) -> Result<(), DatabaseError> {
        if self.held {
            return Ok(());
        }
        must_be_file(&self.path)?;
        match self.allocate() {
            Ok(()) => self.held = true,
            Err(error) => {
                self.release();
                return Err(self.refused(error));
            }
        }
        Ok(())
    }

    fn refused(&self, error: io::Error) -> DatabaseError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                DatabaseError::NoReserve { format: self.format }
            }
            _ => io_error("make the reserve", &self.path)(error),
        }
    }

    /// Gives the room up.
    pub(crate) fn release(&mut self) {
        self.held = false;
        // What cannot be deleted does not help, and is not there most often.
        let _ = fs::remove_file(&self.path);
    }

    fn allocate(&self) -> io::Result<()> {
        let length = self.format.reserve_mb << 20;
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).write(true).truncate(true).mode(MODE).open(&self.path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, length) {
            Err(Errno::NOSPC) => return Err(Errno::NOSPC.into()),
            // Each system has its own word for a file system that cannot: then it is written.
            Err(_) => {
                let zeros = vec![0; 1 << 16];
                for _ in 0..length / zeros.len() as u64 {
                    file.write_all(&zeros)?;
                }
            }
            Ok(()) => {}
        }
        // On some systems room that is allocated is not part of the length.
        file.set_len(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_for_the_reserve_is_not_said_to_be_full() {
        let reserve = Reserve::of(Path::new("shelf.sqlite"), &crate::testing::SHELF);
        let refused = reserve.refused(Errno::NOSPC.into());
        assert!(refused.to_string().contains("less than 3 MB are free"), "{refused}");
        let refused = reserve.refused(Errno::ACCESS.into());
        assert!(refused.to_string().contains("make the reserve `shelf.sqlite.reserve`"));
    }
}
