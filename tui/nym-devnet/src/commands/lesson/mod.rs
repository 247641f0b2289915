//! `lesson`: lessons on a running devnet.

mod check;
mod drive;
mod list;
mod network;
mod paint;
mod remember;
mod run;

use control::{Failure, FailureCode, shown_argument};
use lessons::Lesson;

use crate::cli::LessonCommand;
use crate::context::Context;
use crate::stop::Outcome;

pub(crate) async fn run(context: &Context, command: &LessonCommand) -> Outcome {
    match command {
        LessonCommand::List => list::run(context),
        LessonCommand::Run(args) => Box::pin(run::run(context, args)).await,
        LessonCommand::Check(args) => Box::pin(check::run(context, args)).await,
    }
}

/// The lesson that a word means.
fn find(word: &str) -> Result<&'static Lesson, Failure> {
    lessons::find(word).ok_or_else(|| {
        let message = format!("there is no lesson `{}`", shown_argument(word));
        let names = || lessons::builtin().iter().map(|lesson| lesson.slug.as_str());
        let hint = match layouts::nearest(word, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`nym-devnet lesson list` lists them".into(),
        };
        Failure::new(FailureCode::Usage, message).hint(hint)
    })
}
