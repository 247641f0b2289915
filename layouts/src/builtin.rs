//! The layouts that are built in.

/// A layout that is built in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// Files that it brings along: name and contents.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

macro_rules! builtin {
    ($name:literal $(, $file:literal)*) => {
        Builtin {
            name: $name,
            text: include_str!(concat!("../builtin/", $name, ".toml")),
            files: &[$(($file, include_str!(concat!("../builtin/", $name, "/", $file)))),*],
        }
    };
}

/// All of them, what `up` alone means first.
pub(crate) const BUILTIN: &[Builtin] = &[
    builtin!("one-by-three"),
    builtin!("two-by-three"),
    builtin!("five-by-three"),
    builtin!("two-providers"),
    builtin!("busy"),
    builtin!("lonely"),
    builtin!("custom-node", "mixnode.py", "sphinx.py"),
];
