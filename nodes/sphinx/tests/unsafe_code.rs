//! Unsafe code is in one file of the workspace, and the compiler refuses it everywhere else.

use std::fs;
use std::path::{Path, PathBuf};

/// The name of the lint, which every exception has to spell.
const LINT: &str = concat!("unsafe", "_code");

/// The one file that may.
const EXCEPTION: &str = "nodes/sphinx/src/x25519/ifma.rs";

/// All files below this folder but those of cargo, git and the like.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.') || name == "target";
        let kind = entry.file_type().expect("the kind of an entry");
        if kind.is_dir() && !hidden {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

#[test]
fn one_file_of_the_workspace_may_be_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace");
    assert!(manifest.contains(&format!("\n{LINT} = \"deny\"\n")), "the lint is a table's");

    let mut all = Vec::new();
    files(&root, &mut all);
    let mut exceptions = Vec::new();
    let mut packages = 0;
    for path in all {
        let is_manifest = path.ends_with("Cargo.toml");
        if !is_manifest && path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let name = path.strip_prefix(&root).expect("it is below the root").to_path_buf();
        if !is_manifest {
            if text.contains(LINT) {
                exceptions.push(name);
            }
        } else if text.contains("\n[package]\n") || text.starts_with("[package]\n") {
            // The fuzz targets are workspaces of their own: a macro of theirs exports a function.
            if !text.contains("\n[workspace]\n") {
                packages += 1;
                let held = text.contains("\n[lints]\nworkspace = true\n");
                assert!(held, "{} takes the lints of the workspace", name.display());
            }
        }
    }
    assert!(packages > 10, "only {packages} packages found");
    assert_eq!(exceptions, [Path::new(EXCEPTION)]);
}
