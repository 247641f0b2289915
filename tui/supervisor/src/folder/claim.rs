//! A folder that a supervisor has taken for its devnet, and what it writes there itself.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Folder, FolderError, create_folder, io_error, is_at, remove_file};
use crate::spec::Record;

/// A folder that is ours as long as this lives.
#[derive(Debug)]
pub struct Claim {
    pub(super) folder: Folder,
    pub(super) left_over: bool,
    pub(super) resumed: bool,
    pub(super) lock: File,
}

impl Claim {
    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Whether the devnet before us ended without cleaning up.
    pub fn left_over(&self) -> bool {
        self.left_over
    }

    /// Whether the processes find keys and mailboxes from an earlier time.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Whether it is still there. Somebody may have deleted it, and somebody else claimed a new one.
    pub fn is_there(&self) -> bool {
        // What cannot be looked at is not deleted.
        is_at(&self.lock, &self.folder.lock()).unwrap_or(true)
    }

    /// Writes down who runs the devnet.
    pub fn write_record(&self, record: &Record) -> Result<(), FolderError> {
        let path = self.folder.record_path();
        let json = serde_json::to_vec_pretty(record).expect("a record is plain data");
        write_private(&path, &json).map_err(io_error("write", &path))
    }

    /// Writes the files that a layout brings along; gives their folder, if there are any.
    pub fn write_layout_files(
        &self,
        files: &BTreeMap<String, String>,
    ) -> Result<Option<PathBuf>, FolderError> {
        if files.is_empty() {
            return Ok(None);
        }
        let folder = self.folder.path.join("layout");
        create_folder(&folder)?;
        for (name, content) in files {
            // Its last part only: nothing is written elsewhere, whatever the name says.
            let path = folder.join(Path::new(name).file_name().unwrap_or_default());
            write_private(&path, content.as_bytes()).map_err(io_error("write", &path))?;
        }
        Ok(Some(folder))
    }

    /// Writes down what opens the control interface over TCP, and what the part of it that shows.
    pub(crate) fn write_tokens(&self, control: &str, observe: &str) -> Result<(), FolderError> {
        let files =
            [(self.folder.control_token(), control), (self.folder.observe_token(), observe)];
        for (path, token) in files {
            let line = format!("{token}\n");
            write_private(&path, line.as_bytes()).map_err(io_error("write", &path))?;
        }
        Ok(())
    }

    /// The devnet has ended; its folder stays, or not. One that is not ours any more is left alone. The
    /// lock is held on: it means that the supervisor lives.
    pub fn clean_up(&self, delete: bool) -> Result<(), FolderError> {
        if !self.is_there() {
            return Ok(());
        }
        if delete {
            return self.folder.delete();
        }
        for path in self.folder.of_this_run() {
            remove_file(&path)?;
        }
        Ok(())
    }
}

/// Writes beside the place and moves it there, so that a reader never finds half a file.
fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    fs::rename(&beside, path)
}
