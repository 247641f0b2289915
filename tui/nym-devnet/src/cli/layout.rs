//! Options of `layout`: what layouts there are, and whether a file is one.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum LayoutCommand {
    /// List the layouts that are built in, and what each shows
    List,
    /// Show the file of a layout
    Show {
        /// Name of a layout that is built in, or a file
        #[arg(add = candidates::layouts())]
        layout: String,
    },
    /// Check files without starting anything
    Check {
        /// Names of layouts that are built in, or files
        #[arg(required = true, value_name = "FILE", add = candidates::layouts())]
        layouts: Vec<String>,
    },
    /// Print the JSON Schema of layout files, for editors
    Schema,
    /// Write a layout into the current folder, to be changed
    Init(InitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Name of a layout that is built in [default: one-by-three, with every field explained]
    #[arg(value_name = "NAME", add = candidates::layouts())]
    pub(crate) layout: Option<String>,
    /// The file to write; others that belong to it are put beside it [default: NAME.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) force: bool,
}
