//! The lesson that runs: fed with what the devnet says, whatever screen is shown, and left before the
//! dashboard ends.

mod strip;

pub(crate) use strip::{draw, split, state};

use std::time::Duration;

use control::{Envelope, Snapshot, StreamEvent};
use lessons::{End, Lesson, Mode, Play};
use tutor::Kept;

use crate::Outcome;
use crate::connection::Connection;
use crate::message::{Effect, Problem};
use crate::model::{Model, Tone};
use crate::screens::Screen;
use crate::state::lessons::{Request, Running, Stage};
use crate::update::{UNNAMED, show};

/// How long the dashboard waits at its end until the network is again what it was: a mixnode that goes drains
/// for some seconds first, and somebody waits for the dashboard to end.
const RESTORE_LIMIT: Duration = Duration::from_secs(20);

/// Begins a lesson. First it is asked how everything is, and what was left of an earlier one.
pub(crate) fn begin(model: &mut Model, lesson: &'static Lesson) -> Vec<Effect> {
    let why = match &model.live {
        _ if model.connection != Connection::Live => Some("there is no connection".to_owned()),
        _ if model.lessons.going_on().is_some() => Some("a lesson runs already".to_owned()),
        None => Some("nothing is known of the devnet yet".to_owned()),
        Some(live) => lesson.network.check(&live.info).err().map(|unfit| {
            let why = unfit.why;
            format!("this devnet is not one for it: {why}")
        }),
    };
    if let Some(why) = why {
        model.say(Tone::Warning, why);
        return Vec::new();
    }
    model.lessons.beginning = Some(lesson);
    model.did(model.command(&format!("lesson run {}", lesson.slug)));
    vec![Effect::Survey(model.settings.lessons.clone())]
}

/// It is known how everything is.
pub(crate) fn surveyed(
    model: &mut Model,
    result: Result<Box<Snapshot>, Problem>,
    kept: Option<Kept>,
) -> Vec<Effect> {
    if let Some(kept) = kept {
        learnt(model, kept);
    }
    let Some(lesson) = model.lessons.beginning.take() else { return Vec::new() };
    let snapshot = match result {
        Ok(snapshot) => snapshot,
        Err(Problem(problem)) => {
            model.say(Tone::Bad, format!("the lesson cannot begin: {problem}"));
            return Vec::new();
        }
    };
    let devnet = (snapshot.devnet.name.clone(), snapshot.devnet.started_unix_ms);
    let left = model.lessons.progress.left(&devnet.0).map(|left| left.before.clone());
    let play = Play::new(lesson.clone(), Mode::Learner, left);
    let mut running = Running::new(play, devnet, model.now);
    let moment = model.live.as_ref().map(|live| live.heard).unwrap_or_default();
    let event = StreamEvent::Snapshot(snapshot);
    let envelope = Envelope { seq: 0, t: moment.t, unix_ms: moment.unix_ms, event };
    let requests = running.hear(model.now, &envelope);
    model.lessons.running = Some(running);
    model.screens.lessons.read_on();
    carry(model, requests)
}

/// What is remembered was read or written.
pub(crate) fn learnt(model: &mut Model, kept: Kept) {
    if let Some(complaint) = kept.complaints.first() {
        model.say(Tone::Warning, complaint.clone());
    }
    model.lessons.progress = kept.progress;
}

/// What was remembered last is written: nothing more keeps the dashboard.
pub(crate) fn written(model: &mut Model, kept: Kept) -> Vec<Effect> {
    // What could not be written is known here all the same.
    learnt(model, kept);
    let is_over = model.lessons.going_on().is_none();
    let quits = model.lessons.quits.take_if(|_| is_over);
    quits.map(|(outcome, _)| Effect::Quit(outcome)).into_iter().collect()
}

/// The devnet says something.
pub(crate) fn hear(model: &mut Model, envelope: &Envelope) -> Vec<Effect> {
    let Some(running) = model.lessons.running.as_mut().filter(|running| !running.is_over()) else {
        return Vec::new();
    };
    // What corrupt nodes tell is for the adversary's view, whose eyes are not those of the lesson.
    if matches!(envelope.event, StreamEvent::Passages { .. }) {
        return Vec::new();
    }
    if let StreamEvent::Snapshot(snapshot) = &envelope.event
        && !running.is_on(snapshot.devnet.started_unix_ms)
    {
        model.lessons.running = None;
        model.say(Tone::Warning, "the devnet was started anew, so the lesson has ended");
        // Nothing is left to be put back before the dashboard ends.
        return carry(model, Vec::new());
    }
    let requests = running.hear(model.now, envelope);
    carry(model, requests)
}

/// A second has passed.
pub(crate) fn tick(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    if let Some((outcome, since)) = &model.lessons.quits
        && now.saturating_since(*since) >= RESTORE_LIMIT
    {
        let effect = Effect::Quit(outcome.clone());
        // It quits for the second time.
        return vec![effect];
    }
    let is_live = model.connection == Connection::Live;
    let Some(running) = model.lessons.running.as_mut().filter(|running| !running.is_over()) else {
        return Vec::new();
    };
    if !is_live {
        running.miss(now);
        return Vec::new();
    }
    let requests = running.tick(now);
    carry(model, requests)
}

/// What a lesson asked for was done, or not.
pub(crate) fn performed(
    model: &mut Model,
    number: u64,
    result: Result<(), Problem>,
) -> Vec<Effect> {
    let Some(running) = &mut model.lessons.running else { return Vec::new() };
    let requests = running.did(number, result.map_err(|Problem(problem)| problem));
    carry(model, requests)
}

/// The learner answers, goes on, or asks for a hint.
pub(crate) fn line(model: &mut Model, line: &str) -> Vec<Effect> {
    let Some(running) = &mut model.lessons.running else { return Vec::new() };
    let requests = running.line(line);
    carry(model, requests)
}

/// The learner leaves.
pub(crate) fn leave(model: &mut Model) -> Vec<Effect> {
    let Some(running) = &mut model.lessons.running else { return Vec::new() };
    let requests = running.leave();
    carry(model, requests)
}

/// What a lesson asks for, as effects.
fn carry(model: &mut Model, requests: Vec<Request>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut learnt = Vec::new();
    for request in requests {
        match request {
            Request::Learn(what) => {
                what.add_to(&mut model.lessons.progress);
                learnt.push(what);
            }
            Request::Perform(number, actions) => {
                if let Some(running) = &model.lessons.running {
                    let commands = running.commands().join(" && ");
                    model.did(commands);
                }
                effects.push(Effect::Perform { number, actions });
            }
        }
    }
    if let Some(store) = model.settings.lessons.clone().filter(|_| !learnt.is_empty()) {
        // It is remembered before anything is changed.
        effects.insert(0, Effect::Learn(store, learnt));
        return effects;
    }
    if model.lessons.going_on().is_none()
        && let Some((outcome, _)) = model.lessons.quits.take()
    {
        effects.push(Effect::Quit(outcome));
    }
    effects
}

/// Before the dashboard ends the network is made again what it was. Where that cannot be, it is told.
pub(crate) fn before_quit(model: &mut Model, mut effects: Vec<Effect>) -> Vec<Effect> {
    let quits = |effect: &Effect| matches!(effect, Effect::Quit(_));
    let Some(at) = effects.iter().position(quits) else { return effects };
    let Effect::Quit(outcome) = effects[at].clone() else { return effects };
    if model.lessons.going_on().is_none() {
        if let Some(words) = model.lessons.running.as_ref().and_then(unrestored) {
            effects.insert(at, Effect::Tell(words));
        }
        return effects;
    }
    let name = model.live.as_ref().map_or(UNNAMED, |live| live.info.name.as_str());
    let is_kept = !model.settings.stops_on_quit || name != UNNAMED;
    if !is_kept || matches!(outcome, Outcome::DevnetEnded { .. }) {
        return effects;
    }
    let is_second = model.lessons.quits.is_some();
    if is_second || model.connection != Connection::Live {
        let why = if is_second { "it took too long" } else { "there is no connection" };
        effects.insert(at, Effect::Tell(still_changed(name, why)));
        return effects;
    }
    effects.remove(at);
    model.lessons.quits = Some((outcome, model.now));
    show(model, Screen::Lessons);
    model.say(
        Tone::Warning,
        "the network is put back before this ends; to quit again leaves it as it is",
    );
    effects.extend(leave(model));
    effects
}

/// What is to be said of a lesson whose network could not be put back.
fn unrestored(running: &Running) -> Option<String> {
    let why = running.play().unrestored()?;
    let name = running.play().facts().devnet().map_or(UNNAMED, |info| info.name.as_str());
    Some(still_changed(name, why))
}

fn still_changed(devnet: &str, why: &str) -> String {
    format!(
        "the devnet `{devnet}` is still as the lesson had it: {why}. The next lesson on it puts it \
         back first"
    )
}

/// Another screen is shown: how a lesson ended has been seen, and needs no row there.
pub(crate) fn seen(model: &mut Model) {
    if let Some(running) = &mut model.lessons.running {
        running.see();
    }
}

/// What is left of a lesson that is over goes when somebody goes on.
pub(crate) fn close(model: &mut Model) {
    let Some(running) = model.lessons.running.take_if(|running| running.is_over()) else { return };
    if matches!(running.stage(), Stage::Over(End::Finished { .. })) {
        model.screens.lessons.select_after(running.play().lesson().number);
    }
}
