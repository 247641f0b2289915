//! The log of a process on disk, bounded: when it is full it becomes `NAME.log.1`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// A log may take this much, and as much again for the one before it.
const MAX_LOG_BYTES: u64 = 8 << 20;

/// A file that is appended to. It has no buffer: a log is read while it is written.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
}

impl LogFile {
    /// Goes on with the log at that place.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, MAX_LOG_BYTES)
    }

    fn with_limit(path: &Path, limit: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        // Of no consequence for a file on a disk. A pipe in its place is refused while nobody reads
        // it, and holds up nobody when it is full.
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.into(), file, bytes, limit })
    }

    /// The file itself.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes >= self.limit {
            match fs::rename(&self.path, self.path.with_extension("log.1")) {
                // Somebody deleted the log: there is nothing to keep.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            *self = Self::with_limit(&self.path, self.limit)?;
        }
        let written = self.file.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_makes_room_and_keeps_the_one_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("mix-1-1.log");
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            // Opened anew each time, as after a restart.
            let mut log = LogFile::with_limit(&path, 8).expect("opens");
            log.write_all(line.as_bytes()).expect("writes");
        }
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect(name);
        assert_eq!(read("mix-1-1.log"), "three\nfour\n");
        assert_eq!(read("mix-1-1.log.1"), "one\ntwo\n");

        // A log that somebody deleted begins anew.
        let mut log = LogFile::with_limit(&path, 8).expect("opens");
        fs::remove_file(&path).expect("deletes");
        log.write_all(b"five\n").expect("writes");
        assert_eq!(read("mix-1-1.log"), "five\n");
    }
}
