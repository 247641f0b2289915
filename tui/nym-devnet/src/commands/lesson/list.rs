//! `lesson list`: the lessons, and how far one has come.

use lessons::{Before, Standing};
use serde::Serialize;

use super::remember::Memory;
use crate::context::Context;
use crate::output::table;
use crate::stop::Outcome;

#[derive(Serialize)]
struct List {
    lessons: Vec<Listed>,
    /// A lesson that did not end, so that the running devnet is still as it was set by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    number: u8,
    name: &'static str,
    title: &'static str,
    minutes: u8,
    #[serde(flatten)]
    standing: Standing,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let memory = Memory::of(context);
    let progress = memory.read();
    let lessons = lessons::builtin().iter().map(|lesson| Listed {
        number: lesson.number,
        name: &lesson.slug,
        title: &lesson.title,
        minutes: lesson.minutes,
        standing: progress.of(&lesson.slug),
    });
    let name = context.name();
    let lessons = lessons.collect();
    let left = match progress.left(name) {
        // One that is underway may still end.
        Some(left) if memory.hold(name).is_some() && is_still(context, &left.before).await => {
            Some(left.lesson.clone())
        }
        _ => None,
    };
    let list = List { lessons, left };
    if let Some(lesson) = &list.left {
        context.output.note(&format!(
            "`{name}` is still as the lesson `{lesson}` set it, which did not end; the next lesson that \
             ends puts it back"
        ));
    }
    context.output.result("lessons", None, &list, |output| {
        let rows: Vec<Vec<_>> = list
            .lessons
            .iter()
            .map(|lesson| {
                vec![
                    lesson.number.to_string().into(),
                    lesson.name.into(),
                    lesson.minutes.to_string().into(),
                    words(lesson.standing).into(),
                    lesson.title.into(),
                ]
            })
            .collect();
        table(output, &["N", "NAME", "MINUTES", "STATE", "TITLE"], &["N", "MINUTES"], &rows)
    })
}

/// Whether the devnet runs that this was before a lesson, and not another one of its name.
async fn is_still(context: &Context, before: &Before) -> bool {
    let Ok(client) = context.observe(None) else { return false };
    let status = client.status().await;
    status.is_ok_and(|status| status.devnet.started_unix_ms == before.started_unix_ms)
}

fn words(standing: Standing) -> String {
    let Standing { begun, finished, right, asked } = standing;
    match (begun, finished) {
        (0, 0) => "new".into(),
        (_, 0) => "begun".into(),
        _ => format!("done, {right} of {asked} right"),
    }
}
