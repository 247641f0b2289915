//! The file that remembers lessons, beside the devnets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use lessons::{MAX_PROGRESS_BYTES, Progress};

use crate::context::Context;
use crate::output::Output;

/// The file. A devnet's name cannot begin with a dot, so this is no devnet's.
const FILE: &str = ".lessons.json";

/// Where one that cannot be read is put aside.
const DAMAGED: &str = ".lessons.json.damaged";

/// Where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn of(context: &Context) -> Self {
        Self { folder: context.state_dir.path().into() }
    }

    /// What is remembered; nothing if nothing can be read, which is told, and the file put aside.
    pub(super) fn read(&self, output: Output) -> Progress {
        let path = self.folder.join(FILE);
        let why = match read_bounded(&path) {
            Ok(text) => match Progress::read(&text) {
                Ok(progress) => return progress,
                Err(why) => why,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Progress::default(),
            Err(error) => error.to_string(),
        };
        let aside = self.folder.join(DAMAGED);
        let moved = fs::rename(&path, &aside).is_ok();
        let place = if moved { format!("; it is now {}", aside.display()) } else { String::new() };
        output.note(&format!("cannot read what you have learnt, {}: {why}{place}", path.display()));
        Progress::default()
    }

    /// Changes what is remembered. Whoever reads meanwhile sees the one or the other; if it cannot be
    /// written that is told, and nothing else depends on it.
    pub(super) fn change(&self, output: Output, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.read(output);
        change(&mut progress);
        if let Err(error) = self.write(&progress) {
            let path = self.folder.join(FILE);
            output.note(&format!("cannot write {}: {error}", path.display()));
        }
    }

    fn write(&self, progress: &Progress) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // Two programs write different files.
        let new = self.folder.join(format!("{FILE}.{}", std::process::id()));
        let written = (|| {
            let mut options = OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&new)?.write_all(progress.text().as_bytes())?;
            fs::rename(&new, self.folder.join(FILE))
        })();
        if written.is_err() {
            // Nothing is left behind; if that fails too, there is nothing more to do.
            let _ = fs::remove_file(&new);
        }
        written
    }
}

fn read_bounded(path: &PathBuf) -> io::Result<String> {
    let mut text = String::new();
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
        let store = Store { folder: folder.path().join("not/there") };
        let output = Output::plain();
        assert_eq!(store.read(output), Progress::default(), "nothing is remembered at first");
        store.change(output, |_| {});
        assert!(store.folder.join(FILE).exists());
        let long = "x".repeat(300_000);
        for damaged in ["", "{", "[]", "{\"version\":2}", &long] {
            fs::write(store.folder.join(FILE), damaged).expect("it can be written");
            assert_eq!(store.read(output), Progress::default(), "{damaged}");
            let aside = fs::read_to_string(store.folder.join(DAMAGED)).expect("put aside");
            assert_eq!(aside, *damaged);
        }
        store.change(output, |_| {});
        assert_eq!(fs::read_dir(&store.folder).expect("a folder").count(), 2);
    }
}
