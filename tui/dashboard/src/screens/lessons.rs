//! Lessons: which there are and how far somebody has come with each; or the one that is being gone through.

mod list;
mod page;
mod panel;
mod side;

use lessons::Lesson;
use ratatui::layout::Rect;
use tui_input::Input;

use super::copy_or_say;
use crate::action::{Action, Context};
use crate::input_line::{self, Edit};
use crate::lesson;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::regions::Target;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::state::lessons::{Lessons, Running, Stage};

/// The longest answer that can be typed, in characters: a number, or one of some words.
const MAX_ANSWER: usize = 60;

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The selected lesson, by its number; none for the first that is not done.
    selected: Option<u8>,
    /// What is typed as an answer.
    input: Input,
    /// The input line was left, at this question: the number of what was said before it.
    left_at: Option<usize>,
    /// How far the text was scrolled up or down from where it is to be read, and when: the number of what
    /// was said then.
    scrolled: (isize, usize),
}

impl View {
    /// There is something new to read.
    pub(crate) fn read_on(&mut self) {
        *self = Self { selected: self.selected, ..Self::default() };
    }

    /// A lesson was gone through: the next one is selected, if there is one.
    pub(crate) fn select_after(&mut self, number: u8) {
        let next = lessons::builtin().iter().find(|lesson| lesson.number > number);
        self.selected = next.map(|lesson| lesson.number);
    }

    /// Whether an answer is being typed.
    fn is_answering(&self, running: &Running) -> bool {
        *running.stage() == Stage::Asking && self.left_at != Some(running.said_count())
    }

    /// The scrolling, if nothing was said since.
    fn scroll(&self, running: &Running) -> isize {
        if self.scrolled.1 == running.said_count() { self.scrolled.0 } else { 0 }
    }
}

/// Where keys go on this screen.
pub(crate) fn context(view: &View, lessons: &Lessons) -> Context {
    match &lessons.running {
        None => Context::Lessons,
        Some(running) if view.is_answering(running) => Context::Answering,
        Some(_) => Context::Lesson,
    }
}

/// The lesson that is selected: the one that was chosen, else the first that is not done.
pub(crate) fn selected(model: &Model) -> Option<&'static Lesson> {
    let all = lessons::builtin();
    let chosen = model.screens.lessons.selected;
    let progress = &model.lessons.progress;
    let found = all.iter().find(|lesson| Some(lesson.number) == chosen);
    let open = || all.iter().find(|lesson| progress.of(&lesson.slug).finished == 0);
    found.or_else(open).or_else(|| all.first())
}

/// The screen is shown: another program may have remembered something meanwhile.
pub(crate) fn recall(model: &Model) -> Vec<Effect> {
    let is_idle = model.lessons.going_on().is_none();
    let store = model.settings.lessons.clone().filter(|_| is_idle);
    store.map(Effect::Recall).into_iter().collect()
}

/// An action on this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if model.lessons.running.is_some() {
        return act_on_running(model, action);
    }
    let page = model.page();
    match action {
        Action::BeginLesson => {
            return selected(model).map_or_else(Vec::new, |found| lesson::begin(model, found));
        }
        Action::Copy => {
            let command = selected(model).map(|lesson| format!("lesson run {}", lesson.slug));
            let command = command.map(|command| model.command(&command));
            return copy_or_say(model, command, "the command", "there is no lesson");
        }
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                let all: Vec<u8> = lessons::builtin().iter().map(|lesson| lesson.number).collect();
                let current = selected(model).map(|lesson| lesson.number);
                model.screens.lessons.selected = motion::step(&all, current.as_ref(), motion);
            }
        }
    }
    Vec::new()
}

fn act_on_running(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::GoOn => return go_on(model),
        Action::Answer => return answer(model),
        Action::Hint => return lesson::line(model, "?"),
        Action::LeaveLesson => {
            let is_over = model.lessons.going_on().is_none();
            if !is_over {
                model.say(Tone::Good, "you left the lesson");
            }
            let effects = lesson::leave(model);
            lesson::close(model);
            return effects;
        }
        Action::Back => lesson::close(model),
        Action::LeaveInput => {
            let said = model.lessons.running.as_ref().map(Running::said_count);
            model.screens.lessons.left_at = said;
        }
        Action::Copy => {
            let commands = model.lessons.running.as_ref().map(Running::commands);
            let commands = commands.filter(|commands| !commands.is_empty());
            let text = commands.map(|commands| commands.join("\n"));
            return copy_or_say(model, text, "the commands", "there is no command yet");
        }
        _ => scroll(model, action),
    }
    Vec::new()
}

/// What is to be done next: to read on, to answer, to let something be done, to wait again.
fn go_on(model: &mut Model) -> Vec<Effect> {
    let Some(running) = &model.lessons.running else { return Vec::new() };
    match running.stage() {
        Stage::Reading => {
            if page::is_below(model) {
                // Nobody goes on past what he has not seen.
                scroll(model, Action::PageDown);
                return Vec::new();
            }
            lesson::line(model, "")
        }
        Stage::Asking => {
            model.screens.lessons.left_at = None;
            Vec::new()
        }
        Stage::Tasked | Stage::Late => lesson::line(model, ""),
        Stage::Over(_) => {
            lesson::close(model);
            Vec::new()
        }
        Stage::Preparing | Stage::Doing | Stage::Waiting | Stage::Restoring => {
            model.say(Tone::Warning, "the lesson goes on by itself as soon as it is so");
            Vec::new()
        }
    }
}

/// What the key that goes on does now, in a word or two; empty while it does nothing.
pub(crate) fn go_on_label(model: &Model) -> &'static str {
    match model.lessons.running.as_ref().map(Running::stage) {
        Some(Stage::Reading) => "go on",
        Some(Stage::Asking) => "answer",
        Some(Stage::Tasked) => "do it",
        Some(Stage::Late) => "wait again",
        Some(Stage::Over(_)) => "to the list",
        _ => "",
    }
}

/// The same of the key for a hint: nothing where there is none.
pub(crate) fn hint_label(model: &Model) -> &'static str {
    let running = model.lessons.going_on();
    if running.is_some_and(|running| running.play().has_hint()) { "hint" } else { "" }
}

fn answer(model: &mut Model) -> Vec<Effect> {
    let typed = model.screens.lessons.input.value().trim().to_owned();
    if typed.is_empty() {
        let words = if hint_label(model).is_empty() {
            "type what you expect".to_owned()
        } else {
            format!("type what you expect; {} gives a hint", model.key(Action::Hint))
        };
        model.say(Tone::Warning, words);
        return Vec::new();
    }
    model.screens.lessons.input = Input::default();
    lesson::line(model, &typed)
}

fn scroll(model: &mut Model, action: Action) {
    let Some(motion) = Motion::of(action, page::height(model).saturating_sub(1)) else { return };
    let Some(running) = &model.lessons.running else { return };
    let said = running.said_count();
    let by = page::scrolled(model, motion);
    model.screens.lessons.scrolled = (by, said);
}

/// Edits the answer; says whether something had no room.
pub(crate) fn edit(model: &mut Model, edit: Edit<'_>) -> bool {
    input_line::apply(&mut model.screens.lessons.input, edit, MAX_ANSWER)
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: &Target) {
    if let Target::Lesson(number) = target {
        model.screens.lessons.selected = Some(*number);
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    match &model.lessons.running {
        Some(running) => page::draw(model, running, area, scene),
        None => list::draw(model, devnet, area, scene),
    }
}
