//! `keys`: the keys of the dashboard as a file to edit, and where that file is read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use control::{Failure, FailureCode};
use dashboard::Keys;
use serde::Serialize;

use crate::context::Context;
use crate::stop::Outcome;

/// Longest file of keys that is read: what `keys` prints is a tenth of it.
const MAX_BYTES: u64 = 256 * 1024;

#[derive(Serialize)]
struct Printed {
    /// Where a file with the user's own keys is looked for.
    path: Option<PathBuf>,
    /// What a file says that changes nothing.
    document: String,
}

pub(crate) fn run(context: &Context) -> Outcome {
    let path = usual_path();
    let place = match &path {
        Some(path) => format!("# This file is read from {}\n", path.display()),
        None => "# This file is read from where --keys says.\n".to_owned(),
    };
    let document = format!("{place}{}", Keys::document());
    let printed = Printed { path, document };
    context.output.result("keys", None, &printed, |_| printed.document.clone())
}

/// The user's keys: from the file that was named, or the usual one if it is there.
pub(crate) fn read(named: Option<&Path>) -> Outcome<Keys> {
    let Some(path) = named.map(Path::to_owned).or_else(usual_path) else {
        return Ok(Keys::default());
    };
    let unusable = |why: String| {
        let message = format!("cannot read the keys in {}: {why}", path.display());
        Failure::new(FailureCode::Usage, message)
    };
    let text = match read_bounded(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            return Ok(Keys::default());
        }
        Err(error) => return Err(unusable(error.to_string()).into()),
    };
    Ok(Keys::parse(&path.display().to_string(), &text)
        .map_err(|fault| Failure::new(FailureCode::Usage, fault.to_string()).hint(fault.hint))?)
}

/// Reads no more than may be there, whatever it is: a pipe and a device say nothing of their length.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes > MAX_BYTES) {
        return Err(io::Error::other(format!("it is longer than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is not UTF-8 from byte {at} on"))
    })
}

/// Where programs of the user keep what they are told. The XDG standard says that a path that is not
/// absolute is to be ignored.
fn usual_path() -> Option<PathBuf> {
    let from_env = |variable: &str| {
        std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    };
    let base = from_env("XDG_CONFIG_HOME")
        .or_else(|| from_env("HOME").map(|home| home.join(".config")))?;
    Some(base.join("nym-devnet").join("keys.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Stop;

    #[test]
    fn a_file_that_was_named_has_to_be_there_and_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let failure = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&path, text).expect("it can be written");
            }
            match read(Some(&path)) {
                Err(Stop::Failed(failure)) => *failure,
                other => panic!("{other:?}"),
            }
        };
        let missing = failure(None);
        assert_eq!(missing.code, FailureCode::Usage);
        let wrong = failure(Some("[keys]\nkil-node = \"K\"\n"));
        assert_eq!(wrong.code.exit_code(), 2);
        assert!(wrong.message.ends_with("keys.toml:2:1: unknown action `kil-node`"), "{wrong:?}");
        assert!(wrong.hint.is_some_and(|hint| hint.contains("`kill-node`")));
        let long = failure(Some(&"#".repeat(300 * 1024)));
        assert!(long.message.ends_with("it is longer than 262144 bytes"), "{long:?}");
        let endless = read(Some(Path::new("/dev/zero")));
        assert!(
            matches!(endless, Err(Stop::Failed(failure)) if failure.message.ends_with("262144 bytes"))
        );
        std::fs::write(&path, b"# \xff").expect("it can be written");
        let bytes = read(Some(&path));
        assert!(
            matches!(bytes, Err(Stop::Failed(failure)) if failure.message.contains("from byte 2"))
        );
        std::fs::write(&path, Keys::document()).expect("it can be written");
        assert!(read(Some(&path)).is_ok_and(|keys| keys == Keys::default()));
    }
}
