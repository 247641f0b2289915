//! The packages that the examples are written for, installed as a user installs them: by `pip` into a
//! virtual environment, by `npm` after the lock file. They are kept below the target folder.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{Done, Running};

/// How long an installation may take: downloads over a slow line.
const INSTALL_SECONDS: u64 = 300;

/// The folder of the examples.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A Python that has the packages.
pub(crate) fn python() -> PathBuf {
    let install = "install python3 (3.10 or newer) with python3-venv";
    let version = needed("python3", "--version", install);
    let requirements = examples().join("python/requirements.txt");
    let folder = kept("python", &version, &[&requirements], |folder| {
        let venv = run("python3", &["-m".as_ref(), "venv".as_ref(), folder.as_ref()], folder);
        assert!(venv.code == Some(0), "no virtual environment; {install}\n{venv:?}");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        let pip: Vec<&OsStr> =
            pip.iter().map(OsStr::new).chain([requirements.as_os_str()]).collect();
        run(folder.join("bin/python"), &pip, folder).expect(0);
    });
    folder.join("bin/python")
}

/// Fills a folder with the TypeScript examples and their packages: these are looked for beside a
/// program, and nothing should be written into the source tree.
pub(crate) fn typescript_in(folder: &Path) {
    for entry in fs::read_dir(examples().join("typescript")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().expect("a file"))).expect("copied");
        }
    }
    symlink(node_modules(), folder.join("node_modules")).expect("a link");
}

fn node_modules() -> PathBuf {
    let install = "install Node.js (20 or newer) with npm";
    let version = needed("node", "--version", install) + &needed("npm", "--version", install);
    let files = ["package.json", "package-lock.json"];
    let files = files.map(|file| examples().join("typescript").join(file));
    let folder = kept("node", &version, &files.each_ref().map(PathBuf::as_path), |folder| {
        for file in &files {
            fs::copy(file, folder.join(file.file_name().expect("a file"))).expect("copied");
        }
        let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        run("npm", &npm.map(OsStr::new), folder).expect(0);
    });
    folder.join("node_modules")
}

/// The version of a program without which nothing can be tested here.
fn needed(program: &str, argument: &str, install: &str) -> String {
    match Command::new(program).arg(argument).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into(),
        other => panic!("the examples need `{program}`: {install}\n{other:?}"),
    }
}

/// The folder that was made for exactly this once before, or is made now. It gets its name when it
/// is whole, so that an interrupted installation is not taken for one.
fn kept(name: &str, version: &str, files: &[&Path], make: impl FnOnce(&Path)) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    for file in files {
        fs::read(file).expect("a file of the examples").hash(&mut hasher);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join(format!("examples-{name}-{:016x}", hasher.finish()));
    if !folder.exists() {
        let new = tempfile::tempdir_in(target).expect("a folder");
        make(new.path());
        match fs::rename(new.path(), &folder) {
            Ok(()) => drop(new.keep()),
            // Another run may have been faster.
            Err(error) => assert!(folder.exists(), "cannot keep {}: {error}", folder.display()),
        }
    }
    folder
}

fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr], folder: &Path) -> Done {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running { child: command.spawn().expect("it was there a moment ago") }.wait(INSTALL_SECONDS)
}
