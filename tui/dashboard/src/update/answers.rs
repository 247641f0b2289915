//! What the supervisor answered to what was asked of it, in a sentence.

use control::{AttackStatus, NodeAction, Verdict};

use crate::connection::Connection;
use crate::message::{Message, Problem};
use crate::model::{Model, Tone};

/// An answer came.
pub(super) fn take(model: &mut Model, answer: Message) {
    match answer {
        Message::Acted { node, action, result } => match result {
            Ok(()) => model.say(Tone::Good, done(action, &node)),
            Err(Problem(problem)) => {
                model.say(Tone::Bad, format!("cannot {} {node}: {problem}", action.word()));
            }
        },
        Message::Changed { result } => changed(model, result),
        Message::Attacked { title, result } => attacked(model, &title, result),
        Message::Unconfided(Problem(problem)) if model.connection == Connection::Live => {
            model.say(Tone::Bad, format!("nobody works for you: {problem}"));
        }
        _ => {}
    }
}

fn changed(model: &mut Model, result: Result<(), Problem>) {
    match result {
        Ok(()) => model.say(Tone::Good, "the network changes"),
        Err(Problem(problem)) => {
            model.say(Tone::Bad, format!("cannot change the network: {problem}"));
        }
    }
}

/// Says what came of an attack.
fn attacked(model: &mut Model, title: &str, result: Result<Box<AttackStatus>, Problem>) {
    let status = match result {
        Ok(status) => status,
        Err(Problem(problem)) => return model.say(Tone::Bad, format!("{title}: {problem}")),
    };
    let (verdict, sentences) = (status.verdict(), status.sentences());
    let tone = match verdict {
        Some(Verdict::Stopped | Verdict::Harmless) => Tone::Good,
        Some(Verdict::Through | Verdict::Unknown | Verdict::NotDone) | None => Tone::Warning,
    };
    // The first says what was done, if anything was; who dropped it is what one wants to know.
    let drops = sentences.iter().find(|sentence| sentence.contains(" dropped "));
    let said = drops.or(sentences.get(1)).or(sentences.first()).map_or("", String::as_str);
    let word = verdict.map_or("underway", Verdict::word);
    model.say(tone, format!("{}: {word}. {said}", status.plan.title()));
    if let Some(live) = &mut model.live {
        live.attacks.hear(*status);
    }
}

fn done(action: NodeAction, node: &str) -> String {
    match action {
        NodeAction::Start => format!("{node} starts"),
        NodeAction::Stop => format!("{node} stops"),
        NodeAction::Restart => format!("{node} restarts"),
        NodeAction::Pause => format!("{node} is paused"),
        NodeAction::Resume => format!("{node} goes on"),
        NodeAction::Kill => format!("{node} was killed"),
    }
}
