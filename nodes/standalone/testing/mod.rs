//! A program for a role as its users meet it: in a home folder of its own, with a directory beside.
//! The tests of `nym-mixnode`, `nym-provider` and `nym-client` share this file.

mod directory;
mod running;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use directory::Directory;
pub(crate) use running::Running;

/// How long what should happen soon may take. `NYM_DEVNET_TEST_TIMEOUT_FACTOR` gives a slow machine
/// more time.
pub(crate) fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR");
    let factor: u32 = factor.ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    Duration::from_secs(10) * factor
}

/// A home folder, and the program that works in it.
pub(crate) struct Home {
    program: &'static str,
    folder: TempDir,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn of(program: &'static str) -> Self {
        Self { program, folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file below `~/.nym`.
    pub(crate) fn nym(&self, path: &str) -> PathBuf {
        self.path().join(".nym").join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.nym(path)).expect(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.nym(path);
        fs::create_dir_all(path.parent().expect("below the home")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// Permissions of a file or folder, as `chmod` takes them.
    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.nym(path)).expect(path).permissions().mode() & 0o777
    }

    /// Replaces a text in a file that has it once.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        self.write(path, &text.replace(from, to));
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments).env_remove("RUST_LOG").env("HOME", self.path());
        command
    }

    /// Runs it with these words until it ends by itself.
    pub(crate) fn run(&self, line: &str) -> Ended {
        Ended::of(self.command(&words(line)))
    }

    /// The same for what has to succeed; returns what it said.
    pub(crate) fn succeed(&self, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }

    /// Starts it with these words; it goes on until it is ended.
    pub(crate) fn start(&self, line: &str) -> Running {
        Running::start(self.command(&words(line)))
    }
}

impl Ended {
    /// Runs it until it ends; `timeout` keeps one that does not from hanging the test.
    pub(crate) fn of(command: Command) -> Self {
        let Output { status, stdout, stderr } = Running::start(command).into_output();
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).expect("text"),
            stderr: String::from_utf8(stderr).expect("text"),
        }
    }

    /// It ended with this code and said this on stderr.
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for said in words {
            assert!(self.stderr.contains(said), "no `{said}` in {self:#?}");
        }
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A config file with one of these texts in place of another is refused: the file and the line are
/// named, and these words said.
pub(crate) fn wrong_config_is_named(
    home: &Home,
    config: &str,
    run: &str,
    cases: &[(&str, &str, &[&str])],
) {
    let good = home.read(config);
    for (from, to, words) in cases {
        home.replace(config, from, to);
        let wrong = to.lines().last().expect("a line");
        let line = home.read(config).lines().position(|line| line.contains(wrong)).expect(wrong);
        let ended = home.run(run);
        ended.failed(2, words);
        ended.failed(2, &[&format!("{}:{}: ", home.nym(config).display(), line + 1)]);
        home.write(config, &good);
    }
}

/// A private key that is none is refused and stays as it is; so is one that is gone. `anew` is what
/// helps then.
pub(crate) fn damaged_key_is_refused_and_kept(home: &Home, private: &str, run: &str, anew: &str) {
    let key = home.read(private);
    let (_, name) = private.rsplit_once('/').expect("in a folder");
    for damaged in ["", "nonsense", &key[..60], &key.replace("PRIVATE", "PUBLIC")] {
        home.write(private, damaged);
        home.run(run).failed(8, &["cannot read the key", name, "hint: restore it, or make", anew]);
        assert_eq!(home.read(private), damaged);
    }
    fs::remove_file(home.nym(private)).expect("it is there");
    home.run(run).failed(8, &[&format!("{name}` is gone"), "hint: put it back", anew]);
    assert!(!home.nym(private).exists(), "another key is another node");
}

/// While a node runs, nobody else can run it or make it anew.
pub(crate) fn only_one_process_has_its_folder(home: &Home, init: &str, run: &str, endpoint: &str) {
    let mut first = home.start(run);
    first.listens(endpoint);
    home.run(run).failed(8, &["` is in use by another process", "hint: stop that one first"]);
    home.run(&format!("{init} --force")).failed(8, &["in use by another process"]);
    assert!(first.end().0.success());
    home.start(run).listens(endpoint);
}

/// The guide's table of flags says which there are, and of which subcommand.
pub(crate) fn flags_are_in_the_guide(home: &Home, page: &'static str, program: &str) {
    let mut flags: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for subcommand in ["init", "run"] {
        let help = home.succeed(&format!("{subcommand} -h"));
        let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        for flag in
            lines.filter_map(|line| line.split([' ', '[']).find(|word| word.starts_with("--")))
        {
            flags.entry(flag.into()).or_default().push(subcommand);
        }
    }
    assert!(flags.remove("--help").is_some(), "{flags:?}");
    let written = table(page, &format!("flag of `{program}`")).into_iter().map(|row| {
        let flag = row[0].trim_matches('`').split([' ', '[']).next().expect("a flag");
        let of =
            if row[1].is_empty() { vec!["init", "run"] } else { vec![row[1].trim_matches('`')] };
        (flag.to_owned(), of)
    });
    assert_eq!(written.collect::<BTreeMap<_, _>>(), flags);
}

/// The guide's table of keys says which there are, and what `init` writes for each: nothing where the
/// file has only an example.
pub(crate) fn keys_are_in_the_guide(home: &Home, config: &str, page: &'static str, program: &str) {
    let mut section = "";
    let text = home.read(config).replace(home.path().to_str().expect("UTF-8"), "~");
    let mut keys = BTreeMap::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, value)) =
            line.split_once(" = ").filter(|_| !line.starts_with("# "))
        {
            let example = key.strip_prefix('#');
            let value = if example.is_some() { "" } else { value };
            keys.insert(format!("{section} {}", example.unwrap_or(key)), value.to_owned());
        }
    }
    let written = table(page, &format!("key of `{program}`"))
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].trim_matches('`').to_owned()));
    assert_eq!(written.collect::<BTreeMap<_, _>>(), keys);
}

/// What `-h` says is the default of a flag is what `init` writes where `{}` stands.
pub(crate) fn defaults_are_in_the_help(home: &Home, config: &str, defaults: &[(&str, &str)]) {
    let written = home.read(config);
    for subcommand in ["init", "run"] {
        let help = home.succeed(&format!("{subcommand} -h"));
        for (flag, line) in defaults {
            // A help that is long stands below its flag.
            let (_, of_flag) = help.split_once(&format!(" {flag} <")).expect(flag);
            let of_flag = of_flag.split("\n      --").next().expect("the first part");
            let (_, default) = of_flag.split_once("[default: ").expect(flag);
            let (default, _) = default.split_once(']').expect(flag);
            let line = line.replace("{}", default);
            assert!(written.contains(&line), "{line:?} in {written}");
        }
    }
}

/// Rows of the guide's table whose head begins with this cell: their cells.
fn table(page: &'static str, first: &str) -> Vec<Vec<&'static str>> {
    let (_, table) = page.split_once(&format!("\n| {first} |")).expect("such a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').skip(1).map(str::trim).collect()).collect()
}
