//! Where a layout comes from: a file, or one that is built in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::builtin::{BUILTIN, Builtin};
use crate::fault::{nearest, shown};

/// The largest file that is read: several times what says something of each of the 400 processes that
/// there can be.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// A layout, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    from: From,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    Builtin(&'static Builtin),
    /// A file in this folder.
    Folder(PathBuf),
}

/// Why there is no layout to read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither a layout that is built in nor a file.
    #[error("there is neither a layout nor a file named `{}`", shown(name))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Which layout was probably meant.
        nearest: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error("cannot read the layout `{}`", shown(&path.to_string_lossy()))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no layout.
    #[error("`{}` is no layout: it has more than {MAX_FILE_BYTES} bytes", shown(&path.to_string_lossy()))]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// The file is no text.
    #[error("{}:{line}: this is not UTF-8", shown(&path.to_string_lossy()))]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The first line with something else, from 1.
        line: usize,
    },
}

impl SourceError {
    /// What the reader can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest, .. } => {
                let names = Source::builtin_names().collect::<Vec<_>>().join(", ");
                Some(match nearest {
                    Some(name) => format!("did you mean `{name}`? built in are {names}"),
                    None => format!("built in are {names}; a file has a path, such as `./my.toml`"),
                })
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "`nym-devnet layout init` writes one, `layout list` lists those built in".into(),
            ),
            Self::Read { .. } => Some("a layout is a TOML file that you can read".into()),
            Self::Large { .. } | Self::Encoding { .. } => None,
        }
    }
}

impl Source {
    /// Names of the layouts that are built in.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|layout| layout.name)
    }

    /// The layout that is built in under this name.
    pub fn builtin(name: &str) -> Option<Self> {
        let layout = BUILTIN.iter().find(|layout| layout.name == name)?;
        Some(Self { name: name.into(), text: layout.text.into(), from: From::Builtin(layout) })
    }

    /// The layout that somebody means by a word: one that is built in, or else a file.
    pub fn find(word: &str) -> Result<Self, SourceError> {
        if let Some(layout) = Self::builtin(word) {
            return Ok(layout);
        }
        let path = Path::new(word);
        let looks_like_a_path = word.contains(['/', '\\', '.']);
        if !looks_like_a_path && !path.exists() {
            let nearest = nearest(word, Self::builtin_names());
            let nearest = Self::builtin_names().find(|name| Some(*name) == nearest);
            return Err(SourceError::Unknown { name: word.into(), nearest });
        }
        Self::read(path)
    }

    /// The layout in a file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Read { path: path.into(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(SourceError::Large { path: path.into() });
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.split(|byte| *byte == b'\n').count();
            SourceError::Encoding { path: path.into(), line }
        })?;
        let whole = std::path::absolute(path).map_err(failed)?;
        let folder = whole.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self::of_text(&path.to_string_lossy(), text, folder))
    }

    /// A layout that somebody has in memory. Errors call it by this name; its commands find their files in
    /// the folder.
    pub fn of_text(name: &str, text: impl Into<String>, folder: PathBuf) -> Self {
        Self { name: shown(name), text: text.into(), from: From::Folder(folder) }
    }

    /// Its name: of a file, its path as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is built in.
    pub fn is_builtin(&self) -> bool {
        matches!(self.from, From::Builtin(_))
    }

    /// The folder of its file. One that is built in has none yet.
    pub fn folder(&self) -> Option<&Path> {
        match &self.from {
            From::Builtin(_) => None,
            From::Folder(folder) => Some(folder),
        }
    }

    /// Files that it brings along, by name, with their contents.
    pub fn files(&self) -> BTreeMap<String, String> {
        let files = match &self.from {
            From::Builtin(layout) => layout.files,
            From::Folder(_) => &[],
        };
        files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
    }
}
