//! Keys on disk: PEM files as the original nodes had them, private ones readable by their owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use contract::{Fatal, FatalCode};
use pem::Pem;
use rand::CryptoRng;
use sphinx::PrivateKey;

/// A key file is some 120 bytes; nothing longer is read.
const MAX_KEY_FILE_BYTES: u64 = 4096;

const PRIVATE_TAG: &str = "X25519 PRIVATE KEY";
const PUBLIC_TAG: &str = "X25519 PUBLIC KEY";

/// A key that was read or made.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// The key.
    pub key: PrivateKey,
    /// Whether it was made just now.
    pub new: bool,
}

/// Reads `private_NAME.pem` in this folder, or makes a key and writes it there, the public key
/// beside it. An existing key is never overwritten.
pub fn load_or_create(
    folder: &Path,
    name: &str,
    rng: &mut impl CryptoRng,
) -> Result<LoadedKey, Fatal> {
    let path = folder.join(format!("private_{name}.pem"));
    match read(&path) {
        Ok(Some(key)) => return Ok(LoadedKey { key, new: false }),
        Ok(None) => {}
        Err(reason) => {
            let message = format!("cannot read the key `{}`: {reason}", path.display());
            return Err(storage(&message)
                .hint("move the file away to get a new key; the node then is another one"));
        }
    }
    let key = PrivateKey::random(rng);
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let public = folder.join(format!("public_{name}.pem"));
    let contents = Pem::new(PUBLIC_TAG, key.public().as_bytes().to_vec());
    write(&public, &pem::encode(&contents), 0o644)
        .map_err(|error| cannot_write(&public, &error))?;
    let contents = Pem::new(PRIVATE_TAG, key.to_bytes().to_vec());
    write(&path, &pem::encode(&contents), 0o600).map_err(|error| cannot_write(&path, &error))?;
    Ok(LoadedKey { key, new: true })
}

fn storage(message: &str) -> Fatal {
    Fatal::new(FatalCode::Storage, message)
}

fn cannot_write(path: &Path, error: &io::Error) -> Fatal {
    storage(&format!("cannot write `{}`: {error}", path.display()))
        .hint("check that the folder exists, belongs to you and has space left")
}

fn read(path: &Path) -> Result<Option<PrivateKey>, String> {
    let text = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(metadata) if metadata.len() > MAX_KEY_FILE_BYTES => {
            return Err(format!("it has {} bytes", metadata.len()));
        }
        Ok(_) => fs::read_to_string(path).map_err(|error| error.to_string())?,
    };
    let file = pem::parse(text).map_err(|_| "it is no PEM file".to_owned())?;
    if file.tag() != PRIVATE_TAG {
        return Err(format!("it is a `{}`, expected `{PRIVATE_TAG}`", file.tag()));
    }
    let bytes: [u8; 32] = file
        .contents()
        .try_into()
        .map_err(|_| format!("the key has {} bytes, expected 32", file.contents().len()))?;
    Ok(Some(PrivateKey::from_bytes(bytes)))
}

/// Writes a file so that it is there whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut unfinished = PathBuf::from(path);
    unfinished.set_extension("pem.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("new/home");
        let mut rng = StdRng::seed_from_u64(1);
        let first = load_or_create(&home, "sphinx", &mut rng).expect("made");
        let second = load_or_create(&home, "sphinx", &mut rng).expect("found");
        assert!(first.new && !second.new);
        assert_eq!(first.key.public(), second.key.public());
        let mode = fs::metadata(home.join("private_sphinx.pem")).expect("there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let text = fs::read_to_string(home.join("public_sphinx.pem")).expect("there");
        assert!(text.starts_with("-----BEGIN X25519 PUBLIC KEY-----"));
        assert_eq!(fs::read_dir(&home).expect("there").count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn a_broken_key_file_is_refused_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("private_sphinx.pem");
        let mut rng = StdRng::seed_from_u64(1);
        let wrong_tag = pem::encode(&Pem::new(PUBLIC_TAG, vec![0; 32]));
        let too_short = pem::encode(&Pem::new(PRIVATE_TAG, vec![0; 31]));
        for text in ["nonsense", &wrong_tag, &too_short, &"x".repeat(5000)] {
            fs::write(&path, text).expect("written");
            let error = load_or_create(folder.path(), "sphinx", &mut rng).expect_err("refused");
            assert_eq!(error.code, FatalCode::Storage);
            assert!(error.message.contains("private_sphinx.pem"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("kept"), text);
        }
        let no_folder = load_or_create(&path.join("below"), "sphinx", &mut rng);
        assert_eq!(no_folder.expect_err("refused").code, FatalCode::Storage);
    }
}
