//! The supervisor.

mod arguments;
mod child;
mod exit;
mod folder;
mod lines;
mod log_file;
mod process;
mod spec;
#[cfg(test)]
mod testing;

pub use process::*;
pub use exit::Exit;
pub use folder::*;
pub use spec::*;
