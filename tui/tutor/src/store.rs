//! The file that remembers lessons, beside the devnets.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lessons::{Before, End, MAX_PROGRESS_BYTES, Progress};

/// The file. A devnet's name cannot begin with a dot, so this is no devnet's.
const FILE: &str = ".lessons.json";

/// Where one that cannot be read is put aside before another is written.
const DAMAGED: &str = ".lessons.json.damaged";

/// Where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// What is kept, and what was wrong with keeping it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// What is remembered.
    pub progress: Progress,
    /// What went wrong, each in a sentence without a full stop. Nothing else depends on it.
    pub complaints: Vec<String>,
}

/// Held by the lesson that is underway on a devnet.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    /// The kernel lets go of it with the program, so that nothing is left behind to be judged.
    _file: Option<Arc<File>>,
}

/// Something to remember.
#[derive(Clone, Debug, PartialEq)]
pub enum Learnt {
    /// A lesson has begun on a devnet, which is about to be changed.
    Began {
        /// The lesson, by its slug.
        lesson: String,
        /// The devnet, by its name.
        devnet: String,
        /// What it was before.
        before: Before,
    },
    /// A lesson is over, and the devnet again what it was.
    Ended {
        /// The lesson, by its slug.
        lesson: String,
        /// The devnet, by its name.
        devnet: String,
        /// How it ended.
        end: End,
    },
}

impl Learnt {
    /// Remembers it.
    pub fn add_to(&self, progress: &mut Progress) {
        match self {
            Self::Began { lesson, devnet, before } => {
                progress.begin(lesson, devnet, before.clone());
            }
            Self::Ended { lesson, devnet, end } => progress.end(lesson, devnet, end),
        }
    }
}

impl Store {
    /// In the folder of the devnets.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// What is remembered; nothing if nothing can be read, which is a complaint. Nothing is written.
    pub fn read(&self) -> Kept {
        let path = self.file();
        let why = match read_bounded(&path) {
            Ok(text) => match Progress::read(&text) {
                Ok(progress) => return Kept { progress, complaints: Vec::new() },
                Err(why) => why,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::default(),
            Err(error) => error.to_string(),
        };
        let complaint = format!("cannot read what you have learnt, {}: {why}", path.display());
        Kept { progress: Progress::default(), complaints: vec![complaint] }
    }

    /// Changes what is remembered. Whoever reads meanwhile sees the one or the other, and whoever changes it
    /// too waits. A file that cannot be read is put aside.
    pub fn change(&self, change: impl FnOnce(&mut Progress)) -> Kept {
        // Where nothing can be locked, what two programs learn in the same moment may be forgotten.
        let _lock = self.lock().ok();
        let mut kept = self.read();
        let aside = self.folder.join(DAMAGED);
        if !kept.complaints.is_empty() && fs::rename(self.file(), &aside).is_ok() {
            kept.complaints.push(format!("it is now {}", aside.display()));
        }
        change(&mut kept.progress);
        if let Err(error) = self.write(&kept.progress) {
            kept.complaints.push(format!("cannot write {}: {error}", self.file().display()));
        }
        kept
    }

    /// Keeps a devnet for one lesson, until what is returned is dropped, or the program ends in whatever way.
    /// None if another lesson has it. Where nothing can be locked nobody is kept away.
    pub fn hold(&self, devnet: &str) -> Option<Hold> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.folder);
        let path = self.folder.join(format!(".lesson-{devnet}.lock"));
        // A pipe would be waited for.
        if fs::metadata(&path).is_ok_and(|known| !known.is_file()) {
            return Some(Hold::default());
        }
        let Ok(file) = made.and_then(|()| options.open(path)) else { return Some(Hold::default()) };
        match file.try_lock() {
            Ok(()) => Some(Hold { _file: Some(Arc::new(file)) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Hold::default()),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Held by who changes the file, until it is dropped. It lies on the folder, for the file is another one
    /// after each change.
    fn lock(&self) -> io::Result<File> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let folder = File::open(&self.folder)?;
        folder.lock()?;
        Ok(folder)
    }

    fn write(&self, progress: &Progress) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // Two programs write different files.
        let new = self.folder.join(format!("{FILE}.{}", std::process::id()));
        let written = (|| {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&new)?.write_all(progress.text().as_bytes())?;
            fs::rename(&new, self.file())
        })();
        if written.is_err() {
            // Nothing is left behind; if that fails too, there is nothing more to do.
            let _ = fs::remove_file(&new);
        }
        written
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // A pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    File::open(path)?.take(MAX_PROGRESS_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= MAX_PROGRESS_BYTES) {
        Ok(text)
    } else {
        Err(io::Error::other("it is too long"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_put_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().join("not/there"));
        assert_eq!(store.read(), Kept::default(), "nothing is remembered at first");
        let end = End::Finished { right: 1, asked: 2 };
        let learnt = Learnt::Ended { lesson: "layers".into(), devnet: "default".into(), end };
        assert_eq!(store.change(|progress| learnt.add_to(progress)).complaints, [""; 0]);
        assert_eq!(store.read().progress.of("layers").finished, 1);
        let long = "x".repeat(300_000);
        for damaged in ["", "{", "[]", "{\"version\":2}", &long] {
            fs::write(store.file(), damaged).expect("it can be written");
            let kept = store.read();
            assert_eq!((kept.progress, kept.complaints.len()), (Progress::default(), 1));
            assert_eq!(store.change(|_| {}).complaints.len(), 2, "and where it is now");
            let aside = fs::read_to_string(store.folder.join(DAMAGED)).expect("put aside");
            assert_eq!(aside, *damaged);
        }
        assert_eq!(store.read(), Kept::default());
        assert_eq!(fs::read_dir(&store.folder).expect("a folder").count(), 2);
    }

    #[test]
    fn one_lesson_at_a_time_has_a_devnet() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().join("not/there"));
        let held = store.hold("a").expect("nobody has it");
        assert!(store.hold("a").is_none());
        assert!(store.hold("b").is_some(), "another devnet is another's");
        let clone = held.clone();
        drop(held);
        assert!(store.hold("a").is_none(), "it is still held");
        drop(clone);
        assert!(store.hold("a").is_some());
        fs::create_dir(store.folder.join(".lesson-c.lock")).expect("a folder");
        assert!(store.hold("c").is_some(), "where nothing can be locked nobody is kept away");
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let made = std::process::Command::new("mkfifo").arg(store.file()).status();
        assert!(made.expect("there is mkfifo").success());
        let complaints = store.read().complaints;
        assert!(complaints[0].ends_with("it is no regular file"), "{complaints:?}");
    }

    /// A dashboard and a terminal, say.
    #[test]
    fn nothing_is_forgotten_of_what_is_learnt_in_the_same_moment() {
        const EACH: u32 = 50;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path());
        let end = End::Finished { right: 0, asked: 0 };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        let kept = store.change(|all| all.end("layers", "default", &end));
                        assert_eq!(kept.complaints, [""; 0]);
                    }
                });
            }
        });
        assert_eq!(store.read().progress.of("layers").finished, 4 * EACH);
    }

    #[test]
    fn where_nothing_can_be_written_it_is_told_and_remembered_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("it can be written");
        let store = Store::new(folder.path().join("file"));
        let end = End::Finished { right: 0, asked: 0 };
        let learnt = Learnt::Ended { lesson: "layers".into(), devnet: "default".into(), end };
        let kept = store.change(|progress| learnt.add_to(progress));
        assert_eq!(kept.progress.of("layers").finished, 1);
        assert!(kept.complaints.last().is_some_and(|why| why.contains("cannot write")));
    }
}
