//! Config files of `nym-mixnode` and `nym-provider`. What is accepted says the same when it is written
//! and read again; what is refused is refused in one line that is fit for a terminal.

#![no_main]
#![expect(dead_code, reason = "the rest of the two programs is not run")]

#[path = "../../mixnode/src/bin/nym-mixnode.rs"]
mod nym_mixnode;
#[path = "../../provider/src/bin/nym-provider.rs"]
mod nym_provider;

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use standalone::{Home, Program, read_config, render_config};
use tempfile::TempDir;

/// One for all inputs.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// Characters of the longest complaint, without the name of the file: it shows a part of what is wrong,
/// and what is probably meant.
const MOST_COMPLAINED: usize = 600;

fuzz_target!(|data: &[u8]| {
    check::<nym_mixnode::NymMixnode>(data);
    check::<nym_provider::NymProvider>(data);
});

fn check<P: Program>(data: &[u8]) {
    let folder = FOLDER.path();
    let id = "one".parse().expect("an id");
    let home = Home::find(Some(folder.into()), P::FOLDER, &id).expect("a folder");
    let path = folder.join("config.toml");
    fs::write(&path, data).expect("written");
    let mut config = P::defaults(&home);
    match read_config(&path, &mut config) {
        Ok(_) => {
            let written = render_config("", &mut config, &mut P::defaults(&home));
            fs::write(&path, &written).expect("written");
            let mut again = P::defaults(&home);
            let ignored = read_config(&path, &mut again).expect("what was written can be read");
            assert!(ignored.is_empty(), "{ignored:?}");
            assert_eq!(render_config("", &mut again, &mut P::defaults(&home)), written);
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            let length = text.chars().count() - path.display().to_string().chars().count();
            assert!(length <= MOST_COMPLAINED, "{text}");
        }
    }
}
