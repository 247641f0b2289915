//! What the dashboard remembers from one time to the next: screen, colours, zoom, sorting, and what
//! was chosen lately. A small file, which nothing depends on: whatever is wrong with it is said once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file. A devnet's name cannot begin with a dot, so this is no devnet's.
const FILE: &str = ".dashboard.json";

/// Version of what is in it. Another one is not read: it is small, and only about looks.
const VERSION: u32 = 1;

/// Longest file that is read: what is written is a hundredth of it.
const MAX_BYTES: u64 = 64 * 1024;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remembered {
    /// The screen that was shown, by its name.
    pub(crate) screen: String,
    /// The theme, by its name.
    pub(crate) theme: String,
    /// Screens whose focused pane fills them, by their names.
    pub(crate) zoomed: Vec<String>,
    /// The column of Nodes that is sorted by, by its title; empty for none.
    pub(crate) sorted_by: String,
    /// The other way round.
    pub(crate) reversed: bool,
    /// What was chosen in the palette, the latest first.
    pub(crate) chosen: Vec<String>,
    /// The tour was offered or begun.
    pub(crate) toured: bool,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Versioned {
    version: u32,
    #[serde(flatten)]
    remembered: Remembered,
}

/// Where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// In this folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// What was remembered last; nothing if nothing was. Otherwise why it cannot be read.
    pub(crate) fn read(&self) -> Result<Remembered, String> {
        let path = self.file();
        let text = match read_bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Remembered::default());
            }
            Err(error) => return Err(error.to_string()),
        };
        let read: Versioned = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", read.version));
        }
        Ok(read.remembered)
    }

    /// Replaces what is remembered. Whoever reads meanwhile, or writes too, sees one or the other.
    pub(crate) fn write(&self, remembered: &Remembered) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let versioned = Versioned { version: VERSION, remembered: remembered.clone() };
        let text = serde_json::to_string_pretty(&versioned)?;
        // Two dashboards write different files.
        let new = self.folder.join(format!("{FILE}.{}", std::process::id()));
        let written = write_file(&new, &text).and_then(|()| fs::rename(&new, self.file()));
        if written.is_err() {
            // Nothing is left behind; if that fails too, there is nothing more to do.
            let _ = fs::remove_file(&new);
        }
        written
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= MAX_BYTES) {
        Ok(text)
    } else {
        Err(io::Error::other("it is too long"))
    }
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered() -> Remembered {
        Remembered {
            screen: "Logs".into(),
            theme: "light".into(),
            zoomed: vec!["Logs".into()],
            sorted_by: "NAME".into(),
            reversed: true,
            chosen: vec!["go to bob".into()],
            toured: true,
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().join("not/there/yet"));
        assert_eq!(store.read(), Ok(Remembered::default()), "nothing is remembered at first");
        store.write(&Remembered::default()).expect("it can be written");
        store.write(&remembered()).expect("it can be replaced");
        assert_eq!(store.read(), Ok(remembered()));
        assert_eq!(fs::read_dir(&store.folder).expect("a folder").count(), 1);
    }

    #[test]
    fn what_is_damaged_is_not_believed_and_can_be_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(folder.path().into());
        let long = format!("{{\"version\":1,\"screen\":\"{}\"}}", "x".repeat(100_000));
        for damaged in ["", "{", "[]", "{\"version\":2}", "{\"version\":1,\"zoomed\":7}", &long] {
            fs::write(store.file(), damaged).expect("it can be written");
            assert!(store.read().is_err(), "{damaged}");
        }
        fs::write(store.file(), b"\xff\xfe").expect("it can be written");
        assert!(store.read().is_err());
        store.write(&remembered()).expect("it can be replaced");
        assert_eq!(store.read(), Ok(remembered()));
        // One who knows less wrote it.
        fs::write(store.file(), "{\"version\":1,\"theme\":\"light\"}").expect("it can be written");
        assert_eq!(store.read().map(|read| read.theme), Ok("light".to_owned()));
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("it can be written");
        let store = Store::new(folder.path().join("file"));
        assert!(store.write(&remembered()).is_err());
        // A folder where the file should be.
        let store = Store::new(folder.path().into());
        fs::create_dir(store.file()).expect("a folder");
        assert!(store.write(&remembered()).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }
}
