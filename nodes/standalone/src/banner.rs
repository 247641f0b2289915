//! What a program says of itself before anything else.

use std::fmt;

/// The name in large letters, as the originals had it, with what this program is.
pub(crate) struct Banner {
    pub(crate) what: String,
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            r"
  _ __  _   _ _ __ ___
 | '_ \| | | | '_ ` _ \
 | | | | |_| | | | | | |
 |_| |_|\__, |_| |_| |_|
        |___/

 ({} - version {})
",
            self.what,
            env!("CARGO_PKG_VERSION")
        )
    }
}
