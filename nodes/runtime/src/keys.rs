//! Keys on disk: PEM files as the original nodes had them, private ones readable by their owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use contract::{Fatal, FatalCode, Identity};
use pem::Pem;
use rand::CryptoRng;
use sphinx::PrivateKey;

/// A key file is some 120 bytes; nothing longer is read.
const MAX_KEY_FILE_BYTES: u64 = 4096;

const PRIVATE_TAG: &str = "X25519 PRIVATE KEY";
const PUBLIC_TAG: &str = "X25519 PUBLIC KEY";

/// The header that marks a key which was made of a seed.
const SEED_HEADER: &str = "Seed";

/// What the original clients wrote in front of both.
const ORIGINAL_CLIENT_TAG: &str = "DUMMY KEY BASED ON ";

/// A key that was read or made.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// The key.
    pub key: PrivateKey,
    /// Whether it was made just now.
    pub new: bool,
    /// The seed that it was made of, if it was: then it is no secret.
    pub seed: Option<u64>,
}

impl LoadedKey {
    /// What a supervisor is told of the node with this key.
    pub fn identity(&self) -> Identity {
        let public_keys = vec![self.key.public().to_string()];
        Identity { public_keys, address: None, new: self.new, seed: self.seed }
    }
}

/// Where a key and its public part are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    /// The private key, readable by its owner only.
    pub private: PathBuf,
    /// The public key.
    pub public: PathBuf,
}

/// Reads `private_NAME.pem` in this folder, or makes a key and writes it there, the public key
/// beside it. An existing private key is never overwritten.
pub fn load_or_create(
    folder: &Path,
    name: &str,
    rng: &mut impl CryptoRng,
) -> Result<LoadedKey, Fatal> {
    KeyFiles::in_folder(folder, name).load_or_create(rng)
}

impl KeyFiles {
    /// `private_NAME.pem` and `public_NAME.pem` in this folder.
    pub fn in_folder(folder: &Path, name: &str) -> Self {
        Self {
            private: folder.join(format!("private_{name}.pem")),
            public: folder.join(format!("public_{name}.pem")),
        }
    }

    /// Reads the private key, or makes one and writes both files. An existing private key is never
    /// overwritten.
    pub fn load_or_create(&self, rng: &mut impl CryptoRng) -> Result<LoadedKey, Fatal> {
        self.load_or_make(None, || PrivateKey::random(rng))
    }

    /// The same with a key that `make` makes, of this seed if there is one: both files are then marked
    /// with it.
    pub(crate) fn load_or_make(
        &self,
        seed: Option<u64>,
        make: impl FnOnce() -> PrivateKey,
    ) -> Result<LoadedKey, Fatal> {
        let found = self.find("move it away to get a new key; the node then is another one")?;
        if let Some(loaded) = found {
            return Ok(loaded);
        }
        let key = make();
        let public = marked(Pem::new(PUBLIC_TAG, key.public().as_bytes().to_vec()), seed)?;
        let private = marked(Pem::new(PRIVATE_TAG, key.to_bytes().to_vec()), seed)?;
        write_pem(&self.public, &public, 0o644)?;
        write_pem(&self.private, &private, 0o600)?;
        Ok(LoadedKey { key, new: true, seed })
    }

    /// Reads the private key; none if there is no such file. `anew` tells somebody who cannot
    /// restore it how to get another one.
    ///
    /// A private key has no checksum: with a letter changed it is a good key, of another node. So it
    /// is held against the public key, if there is a file with one.
    pub fn load(&self, anew: &str) -> Result<Option<PrivateKey>, Fatal> {
        Ok(self.find(anew)?.map(|loaded| loaded.key))
    }

    fn find(&self, anew: &str) -> Result<Option<LoadedKey>, Fatal> {
        let unreadable = |what, path: &Path, reason| {
            storage(&format!("cannot read the {what} `{}`: {reason}", path.display()))
        };
        let private = read(&self.private, PRIVATE_TAG).map_err(|reason| {
            unreadable("key", &self.private, reason).hint(format!("restore it, or {anew}"))
        })?;
        let Some(Contents { key, seed }) = private else { return Ok(None) };
        let key = PrivateKey::from_bytes(key);
        let public = read(&self.public, PUBLIC_TAG).map_err(|reason| {
            unreadable("public key", &self.public, reason)
                .hint("restore it, or remove it: the node needs only the private key")
        })?;
        if public.is_some_and(|public| public.key != *key.public().as_bytes()) {
            return Err(self.mismatch(anew));
        }
        Ok(Some(LoadedKey { key, new: false, seed }))
    }

    /// The keys of the original nodes were not clamped, so they have another public key here.
    fn mismatch(&self, anew: &str) -> Fatal {
        let folder = self.private.parent();
        let public = folder.and_then(|folder| self.public.strip_prefix(folder).ok());
        let public = public.unwrap_or(&self.public).display();
        let private = self.private.display();
        storage(&format!("the private key `{private}` does not belong to `{public}`")).hint(format!(
            "restore it, or {anew}. A key of the original programs has another public key here: \
             with one of those, remove `{public}`"
        ))
    }
}

/// The same with the mark of a seed, if there is one.
fn marked(mut contents: Pem, seed: Option<u64>) -> Result<Pem, Fatal> {
    if let Some(seed) = seed {
        let added = contents.headers_mut().add(SEED_HEADER, &seed.to_string());
        added.map_err(|error| storage(&format!("cannot mark a key with its seed: {error}")))?;
    }
    Ok(contents)
}

fn write_pem(path: &Path, contents: &Pem, mode: u32) -> Result<(), Fatal> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    write_whole(path, &pem::encode(contents), mode).map_err(|error| cannot_write(path, &error))
}

fn storage(message: &str) -> Fatal {
    Fatal::new(FatalCode::Storage, message)
}

fn cannot_write(path: &Path, error: &io::Error) -> Fatal {
    storage(&format!("cannot write `{}`: {error}", path.display()))
        .hint("check that the folder exists, belongs to you and has space left")
}

/// What a key file holds.
struct Contents {
    key: [u8; 32],
    /// The seed that the key is marked with.
    seed: Option<u64>,
}

fn read(path: &Path, tag: &str) -> Result<Option<Contents>, String> {
    let text = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(metadata) if metadata.len() > MAX_KEY_FILE_BYTES => {
            return Err(format!("it has {} bytes", metadata.len()));
        }
        Ok(_) => fs::read_to_string(path).map_err(|error| error.to_string())?,
    };
    let file = pem::parse(text).map_err(|_| "it is no PEM file".to_owned())?;
    if file.tag().strip_prefix(ORIGINAL_CLIENT_TAG).unwrap_or(file.tag()) != tag {
        return Err(format!("it is a `{}`, expected `{tag}`", file.tag()));
    }
    let seed = file.headers().get(SEED_HEADER).map(str::parse).transpose();
    let seed = seed.map_err(|_| format!("its header `{SEED_HEADER}` is no seed"))?;
    let wrong_length = |_| format!("the key has {} bytes, expected 32", file.contents().len());
    file.contents().try_into().map(|key| Some(Contents { key, seed })).map_err(wrong_length)
}

/// Writes a file so that it is there whole or not at all.
pub fn write_whole(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
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
    fn a_key_that_became_another_one_is_refused_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rng = StdRng::seed_from_u64(1);
        let mut load = || load_or_create(folder.path(), "sphinx", &mut rng);
        let key = load().expect("made").key;
        let KeyFiles { private, public } = KeyFiles::in_folder(folder.path(), "sphinx");
        let mut bytes = key.to_bytes();
        bytes[7] ^= 4;
        let damaged = pem::encode(&Pem::new(PRIVATE_TAG, bytes.to_vec()));
        fs::write(&private, &damaged).expect("written");
        let error = load().expect_err("it is the key of another node");
        assert_eq!(error.code, FatalCode::Storage);
        assert!(error.message.ends_with("does not belong to `public_sphinx.pem`"), "{error}");
        assert_eq!(fs::read_to_string(&private).expect("kept"), damaged);
        fs::write(&public, "nonsense").expect("written");
        let error = load().expect_err("nobody can tell whose key it is");
        assert!(error.message.contains("cannot read the public key"), "{error}");
        // So a key of the original nodes gets in, with what the original clients wrote too.
        fs::remove_file(&public).expect("it is there");
        assert_ne!(load().expect("nothing to hold it against").key.public(), key.public());
        fs::write(&private, damaged.replace(PRIVATE_TAG, "DUMMY KEY BASED ON X25519 PRIVATE KEY"))
            .expect("written");
        assert_ne!(load().expect("the same").key.public(), key.public());
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
