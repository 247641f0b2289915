//! Values that a flag and a config file spell alike. Each is checked where it is read, so that an
//! error can say where it stands.

use std::fmt;
use std::path::{self, Path, PathBuf};
use std::str::FromStr;

use directory_client::DirectoryClient;
use runtime::with_causes;

use crate::{Key, Keys};

/// The longest id, in bytes. It is the name of a folder.
const MAX_ID_BYTES: usize = 64;

/// The longest location, in bytes. It stands in every presence, so that it is short.
const MAX_LOCATION_BYTES: usize = 64;

/// Why a value cannot be one, as the end of a sentence that begins with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub String);

impl BadValue {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What a node is called on this machine: the name of its folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl FromStr for Id {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.is_empty() {
            return Err(BadValue::new("it is empty"));
        }
        if text.len() > MAX_ID_BYTES {
            return Err(BadValue::new(format!("it is longer than {MAX_ID_BYTES} bytes")));
        }
        if text.starts_with(['.', '-']) {
            return Err(BadValue::new("it begins with a dot or a dash"));
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return Err(BadValue::new("only letters, digits, `-`, `_` and `.` may be in it"));
        }
        Ok(Self(text.into()))
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a node that announces itself says that it is. Free text; the directory refuses markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location(String);

impl FromStr for Location {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.is_empty() {
            return Err(BadValue::new("it is empty"));
        }
        if text.len() > MAX_LOCATION_BYTES {
            return Err(BadValue::new(format!("it is longer than {MAX_LOCATION_BYTES} bytes")));
        }
        if text.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | '&' | '"' | '\'')) {
            return Err(BadValue::new("it holds markup or a control character"));
        }
        Ok(Self(text.into()))
    }
}

impl Location {
    /// The key of a config file that says it.
    pub fn key(&mut self, keys: &mut Keys<'_>) {
        keys.text(Key::new("location", "What it announces as its location"), self);
    }
}

impl From<&Id> for Location {
    /// Every id is a location.
    fn from(id: &Id) -> Self {
        Self(id.0.clone())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A number within these bounds, both of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Limited<LEAST, MOST> {
    /// This number, which is within the bounds.
    pub const fn new(number: u64) -> Self {
        assert!(LEAST <= number && number <= MOST, "within the bounds");
        Self(number)
    }

    /// The number, as a type that has room for the bounds.
    pub fn get<T: TryFrom<u64>>(self) -> T {
        T::try_from(self.0).ok().expect("the bounds fit into the type")
    }
}

impl<const LEAST: u64, const MOST: u64> FromStr for Limited<LEAST, MOST> {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| BadValue(format!("it is no number from {LEAST} to {MOST}")))
    }
}

impl<const LEAST: u64, const MOST: u64> fmt::Display for Limited<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The address of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUrl(String);

impl Default for DirectoryUrl {
    /// A directory on this machine. The originals asked one of the Nym network; nothing here talks
    /// to another machine unless it is told to.
    fn default() -> Self {
        Self("http://127.0.0.1:8080".into())
    }
}

impl FromStr for DirectoryUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let client = DirectoryClient::new(text).map_err(|error| BadValue(with_causes(&error)))?;
        Ok(Self(client.address().into()))
    }
}

impl fmt::Display for DirectoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The path of a file or folder. One that is not absolute begins at the folder in which the program
/// is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(PathBuf);

impl FilePath {
    /// This path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for FilePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        path::absolute(text).map(Self).map_err(|error| BadValue(format!("it is no path: {error}")))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_name_of_one_folder() {
        for good in ["m1", "mix-local0", "a.b_C", &"x".repeat(MAX_ID_BYTES)] {
            assert_eq!(good.parse::<Id>().expect(good).to_string(), good);
        }
        for bad in ["", ".", "..", "a/b", "../x", "-x", "a b", "ä", "a\0", "a\n"] {
            assert!(bad.parse::<Id>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(MAX_ID_BYTES + 1).parse::<Id>().is_err());
    }

    #[test]
    fn a_number_stays_within_its_bounds() {
        type Layer = Limited<1, 4>;
        assert_eq!("4".parse::<Layer>().expect("a layer").get::<u8>(), 4);
        for bad in ["0", "5", "-1", "x", "", "99999999999999999999"] {
            let error = bad.parse::<Layer>().expect_err(bad);
            assert_eq!(error.to_string(), "it is no number from 1 to 4");
        }
    }

    #[test]
    fn a_directory_is_an_http_address() {
        let read = |text: &str| text.parse::<DirectoryUrl>().map(|url| url.to_string());
        assert_eq!(read("localhost:8080"), Ok("http://localhost:8080".into()));
        assert!(read("https://localhost").expect_err("no TLS").0.contains("only `http`"));
    }
}
