//! Options of `lesson`.

use clap::{Args, Subcommand};

use super::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum LessonCommand {
    /// List the lessons, and how far you have come
    List,
    /// Go through a lesson on the running devnet, or on one that is started for it
    Run(LessonRunArgs),
    /// Let the machine go through lessons on devnets of its own, five times as fast
    Check(LessonCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LessonRunArgs {
    /// Its number, its name, or a file
    #[arg(value_name = "LESSON", add = candidates::lessons())]
    pub(crate) lesson: String,
}

#[derive(Debug, Args)]
pub(crate) struct LessonCheckArgs {
    /// Numbers, names, or files
    #[arg(
        value_name = "LESSON",
        required_unless_present = "all",
        conflicts_with = "all",
        add = candidates::lessons()
    )]
    pub(crate) lessons: Vec<String>,
    /// All lessons
    #[arg(long)]
    pub(crate) all: bool,
    /// Each once more with each of its sabotages, with which a goal must not be reached
    #[arg(long)]
    pub(crate) sabotage: bool,
}
