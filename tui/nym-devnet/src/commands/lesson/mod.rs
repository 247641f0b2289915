//! `lesson`: lessons on a running devnet.

mod check;
mod drive;
mod find;
mod list;
mod network;
mod paint;
mod remember;
mod run;

use crate::cli::LessonCommand;
use crate::context::Context;
use crate::stop::Outcome;

pub(crate) async fn run(context: &Context, command: &LessonCommand) -> Outcome {
    match command {
        LessonCommand::List => list::run(context).await,
        LessonCommand::Run(args) => Box::pin(run::run(context, args)).await,
        LessonCommand::Check(args) => Box::pin(check::run(context, args)).await,
    }
}
