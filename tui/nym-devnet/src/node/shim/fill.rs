//! The command line of a command from outside: places filled in, and the nearest program where there is
//! none of that name.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use contract::{Fatal, FatalCode};

/// Entries of the folders of programs that are compared with a name: some hundreds of thousands would
/// hold up the answer, and no machine has so many programs.
const MAX_COMPARED: usize = 20_000;

/// What stands for `{host}` and so on.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) host: IpAddr,
    pub(super) port: u16,
    pub(super) clients_port: Option<u16>,
    pub(super) layer: Option<u8>,
    pub(super) layers: Option<u8>,
    pub(super) directory: String,
    pub(super) key_dir: PathBuf,
    pub(super) name: String,
}

impl Places {
    /// All of them with what stands for them; nothing if this node has no such thing.
    fn all(&self) -> [(&'static str, Option<OsString>); 8] {
        let text = |value: &dyn ToString| OsString::from(value.to_string());
        let number = |value: Option<u8>| value.map(|value| text(&value));
        [
            ("{host}", Some(text(&self.host))),
            ("{port}", Some(text(&self.port))),
            ("{clients_port}", self.clients_port.map(|port| text(&port))),
            ("{layer}", number(self.layer)),
            ("{layers}", number(self.layers)),
            ("{directory}", Some(text(&self.directory))),
            ("{key_dir}", Some(self.key_dir.clone().into())),
            ("{name}", Some(text(&self.name))),
        ]
    }
}

/// The command line with every place filled in. Other braces stay: they are the command's own.
pub(super) fn fill(line: &[OsString], places: &Places) -> Result<Vec<OsString>, Fatal> {
    let places = places.all();
    line.iter().map(|argument| fill_one(argument, &places)).collect()
}

fn fill_one(
    argument: &OsStr,
    places: &[(&'static str, Option<OsString>)],
) -> Result<OsString, Fatal> {
    let mut left = argument.as_bytes();
    let mut filled = Vec::with_capacity(left.len());
    while let Some(&first) = left.first() {
        let found = places.iter().find(|(place, _)| left.starts_with(place.as_bytes()));
        match found {
            Some((place, Some(value))) => {
                filled.extend_from_slice(value.as_bytes());
                left = &left[place.len()..];
            }
            Some((place, None)) => {
                let shown = shown(&[argument.to_owned()]);
                let message = format!("cannot fill in the command: `{shown}` has `{place}`");
                return Err(Fatal::new(FatalCode::Usage, message)
                    .hint(format!("a node of this role has no `{place}`")));
            }
            None => {
                filled.push(first);
                left = &left[1..];
            }
        }
    }
    Ok(OsString::from_vec(filled))
}

/// A command line for people.
pub(super) fn shown(line: &[OsString]) -> String {
    let arguments =
        line.iter().map(|argument| control::shown_argument(&argument.to_string_lossy()));
    arguments.collect::<Vec<_>>().join(" ")
}

/// What to do if there is no such program.
pub(super) fn not_found(program: &OsStr) -> String {
    let path = Path::new(program);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // With a folder in front of it the program is looked for only there.
    let has_folder = program.as_bytes().contains(&b'/');
    let folders: Vec<PathBuf> = if has_folder {
        path.parent().map(Path::to_path_buf).into_iter().collect()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).collect()
    };
    let names: BTreeSet<String> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .take(MAX_COMPARED)
        .collect();
    match layouts::nearest(&name, names.iter().map(String::as_str)) {
        Some(nearest) if has_folder => {
            format!("did you mean `{}`?", path.with_file_name(nearest).display())
        }
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if has_folder => "there is no such file".into(),
        None => "no folder in `PATH` has such a program; `{layout_dir}/NAME` is one beside the \
                 layout"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_and_other_braces_stay() {
        let places = Places {
            host: [127, 0, 0, 1].into(),
            port: 5,
            clients_port: None,
            layer: Some(2),
            layers: Some(3),
            directory: "http://127.0.0.1:8080".into(),
            key_dir: "/state/{port}".into(),
            name: "mix-2-1".into(),
        };
        let filled = |argument: &str| {
            let line = fill(&[argument.into()], &places)?;
            Ok::<_, Fatal>(line[0].to_str().expect("UTF-8").to_owned())
        };
        for (argument, expected) in [
            ("{host}:{port}", "127.0.0.1:5"),
            ("{layer}/{layers}{name}", "2/3mix-2-1"),
            ("--keys={key_dir}", "--keys=/state/{port}"),
            ("{directory}", "http://127.0.0.1:8080"),
            ("{\"a\": {}} {Port} {{port}}", "{\"a\": {}} {Port} {5}"),
            ("", ""),
        ] {
            assert_eq!(filled(argument).expect(argument), expected);
        }
        let fatal = filled("-c{clients_port}").expect_err("a mixnode has none");
        assert_eq!(fatal.code, FatalCode::Usage);
        assert!(fatal.message.ends_with("`-c{clients_port}` has `{clients_port}`"), "{fatal}");
    }

    #[test]
    fn a_mistyped_program_is_answered_with_the_nearest() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["mixnode.py", "other"] {
            std::fs::write(dir.path().join(name), "").expect("writes");
        }
        let hint = |name: &str| not_found(dir.path().join(name).as_os_str());
        let expected = format!("did you mean `{}`?", dir.path().join("mixnode.py").display());
        assert_eq!(hint("mixnod.py"), expected);
        assert_eq!(hint("zzz"), "there is no such file");
        assert_eq!(not_found("mkfiof".as_ref()), "did you mean `mkfifo`?");
    }
}
