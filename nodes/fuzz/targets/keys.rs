//! A key file, with anything in it. It is read or refused, and stays as it is.

#![no_main]
#![expect(dead_code, reason = "only reading is of interest here")]

#[path = "../../runtime/src/keys.rs"]
mod keys;

use std::fs;
use std::sync::LazyLock;

use contract::FatalCode;
use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;

/// One for all inputs: making it takes longer than reading a key.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|data: &[u8]| {
    let path = FOLDER.path().join("private_sphinx.pem");
    fs::write(&path, data).expect("written");
    match keys::load_or_create(FOLDER.path(), "sphinx", &mut StdRng::seed_from_u64(1)) {
        Ok(loaded) => assert!(!loaded.new, "an existing key is replaced"),
        Err(fatal) => {
            assert_eq!(fatal.code, FatalCode::Storage);
            assert!(fatal.message.len() < 1000, "{fatal}");
            assert!(!fatal.message.chars().any(char::is_control), "{:?}", fatal.message);
        }
    }
    assert_eq!(fs::read(&path).expect("it is still there"), data);
});
