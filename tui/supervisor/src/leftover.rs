//! What devnets that do not run have left on disk: how much, how old, and whether all of it is theirs.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::folder::{Folder, FolderError, StateDir, io_error, is_at};
use crate::usage::process_started;

/// What a devnet's folder can hold. A folder with anything else in it was used for something else too,
/// and is not deleted without being asked for by name.
const OURS: [&str; 12] = [
    "lock",
    "state.json",
    "control.sock",
    "observe.sock",
    "control.token",
    "observe.token",
    // What was being written when the supervisor was killed.
    "state.new",
    "control.new",
    "observe.new",
    "logs",
    "nodes",
    "layout",
];

/// Files of a folder that are looked at: hundreds of times what the largest devnet has. Beyond it the
/// folder is taken for somebody else's.
const MAX_ENTRIES: usize = 100_000;

/// Folders within folders that are looked into. Ours has three, a foreign node's home perhaps more.
const MAX_DEPTH: usize = 16;

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of all files.
    pub bytes: u64,
    /// When something was written there last.
    pub newest: SystemTime,
    /// Something in it that no devnet has put there, if there is any.
    pub stranger: Option<PathBuf>,
}

impl Folder {
    /// What is in it. It may be changing meanwhile, if its devnet runs.
    pub fn contents(&self) -> Result<Contents, FolderError> {
        contents(self.path())
    }

    /// Deletes it, unless a devnet runs in it or `is_wanted` says so of what is in it. The lock is held
    /// all the while, so that no devnet begins in a folder that is about to go. Gives back what was
    /// deleted; none if it is wanted.
    pub fn delete_unless(
        &self,
        is_wanted: impl FnOnce(&Contents) -> bool,
    ) -> Result<Option<Contents>, FolderError> {
        let path = self.lock();
        let lock = File::open(&path).map_err(io_error("open the lock", &path))?;
        self.take(&lock)?;
        // A devnet may have replaced the folder between our opening and locking.
        if !is_at(&lock, &path).map_err(io_error("read", &path))? {
            return Err(FolderError::InUse { name: self.name().into() });
        }
        let contents = self.contents()?;
        if is_wanted(&contents) {
            return Ok(None);
        }
        self.delete()?;
        Ok(Some(contents))
    }
}

impl StateDir {
    /// Folders whose deletion was begun by a process that has ended. They have no name any more, and
    /// nobody uses them.
    pub fn half_deleted(&self) -> Result<Vec<PathBuf>, FolderError> {
        let entries = match fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(unreadable(self.path())(cause)),
        };
        let gone = entries.filter_map(Result::ok).filter(is_half_deleted);
        let mut gone: Vec<PathBuf> = gone.map(|entry| entry.path()).collect();
        gone.sort();
        Ok(gone)
    }

    /// What is in such a folder.
    pub fn half_deleted_contents(&self, path: &Path) -> Result<Contents, FolderError> {
        contents(path)
    }
}

/// Whether it is named as [`Folder::delete`] names one, and whoever did that has ended.
fn is_half_deleted(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let pid = name.to_str().and_then(|name| {
        let (name, pid) = name.strip_prefix('.')?.strip_suffix(".gone")?.rsplit_once('.')?;
        (!name.is_empty()).then(|| pid.parse::<u32>().ok())?
    });
    // A link is no folder here.
    let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
    is_folder && pid.is_some_and(|pid| process_started(pid).is_none())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    io_error("look into", path)
}

fn contents(path: &Path) -> Result<Contents, FolderError> {
    let of_folder = fs::symlink_metadata(path).map_err(unreadable(path))?;
    let newest = of_folder.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let stranger = (!of_folder.is_dir()).then(|| path.to_owned());
    let mut contents = Contents { bytes: 0, newest, stranger };
    let mut folders = vec![(path.to_owned(), 0)];
    let mut entries = 0;
    while let Some((folder, depth)) = folders.pop() {
        if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let entry = entry.map_err(unreadable(&folder))?;
            let name = entry.file_name();
            if depth == 0 && !OURS.iter().any(|ours| name == *ours) {
                contents.stranger.get_or_insert_with(|| entry.path());
            }
            // One that has just been deleted is not there any more.
            let Ok(found) = entry.metadata() else { continue };
            contents.bytes += found.len();
            if let Ok(modified) = found.modified() {
                contents.newest = contents.newest.max(modified);
            }
            entries += 1;
            if entries > MAX_ENTRIES || depth > MAX_DEPTH {
                contents.stranger.get_or_insert_with(|| entry.path());
                return Ok(contents);
            }
            // Links are not followed: what they lead to is not in here.
            if found.is_dir() {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::testing::state_dir;

    #[test]
    fn a_folder_is_measured_and_what_is_not_ours_is_found() {
        let (dir, state) = state_dir();
        let folder = state.folder("t1").expect("a name");
        drop(folder.claim().expect("free"));
        fs::write(folder.log("mix-1-1"), "x".repeat(1000)).expect("writes");
        fs::write(dir.path().join("elsewhere"), "x".repeat(1_000_000)).expect("writes");
        symlink(dir.path(), folder.logs().join("link")).expect("links");
        let contents = folder.contents().expect("readable");
        assert!((1000..100_000).contains(&contents.bytes), "{contents:?}");
        assert!(contents.newest.elapsed().expect("in the past").as_secs() < 3600);
        assert_eq!(contents.stranger, None);

        fs::write(folder.path().join("diary.txt"), "").expect("writes");
        let contents = folder.contents().expect("readable");
        assert_eq!(contents.stranger, Some(folder.path().join("diary.txt")));

        let gone = state.folder("t2").expect("a name").contents().expect_err("not there");
        assert!(gone.to_string().contains("/t2`"), "{gone}");
    }

    #[test]
    fn nothing_is_deleted_that_is_used_or_wanted() {
        let (_dir, state) = state_dir();
        let folder = state.folder("t1").expect("a name");
        let claim = folder.claim().expect("free");
        let used = folder.delete_unless(|_| false).expect_err("a devnet runs there");
        assert!(matches!(used, FolderError::InUse { .. }), "{used}");
        drop(claim);
        assert_eq!(folder.delete_unless(|_| true).expect("not deleted"), None);
        assert!(folder.path().exists());
        let kept_out = folder.delete_unless(|_| folder.claim().is_ok());
        assert!(kept_out.expect("deleted").is_some(), "no devnet could begin meanwhile");
        assert!(!folder.path().exists());
    }

    #[test]
    fn only_what_a_dead_process_was_deleting_is_half_deleted() {
        let (_dir, state) = state_dir();
        assert_eq!(state.half_deleted().expect("nothing there yet"), [] as [PathBuf; 0]);
        let ours = format!(".t1.{}.gone", std::process::id());
        // Ids of processes are below this on every system.
        for name in [ours.as_str(), ".t1.999999999.gone", ".t1.x.gone", "t1.999999999.gone"] {
            fs::create_dir_all(state.path().join(name)).expect("creates");
        }
        symlink("/", state.path().join(".t2.999999999.gone")).expect("links");
        let gone = state.half_deleted().expect("reads");
        assert_eq!(gone, [state.path().join(".t1.999999999.gone")]);
    }
}
