//! Logs: the lines of all processes or of one, narrowed, searched, followed, copied, and the whole
//! of them in the pager.

mod draw;

pub(super) use draw::draw;
pub(crate) use draw::line;

use crate::action::Action;
use crate::blocks::Held;
use crate::filter::Filter;
use crate::input_line::Edit;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::pattern::Pattern;
use crate::regions::Target;
use crate::state::{Devnet, Entry, Found, Level, Wanted};

use super::copy_or_say;

/// Columns that one step to the side scrolls.
const SIDE_STEP: usize = 8;

/// The process that is none of the devnet's nodes.
const SUPERVISOR: &str = "supervisor";

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// The processes.
    Sources,
    /// The lines.
    #[default]
    Lines,
}

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    pane: Pane,
    /// The process whose lines are shown; none for all.
    node: Option<String>,
    /// The selected line; none to follow the newest.
    line: Option<u64>,
    /// Rows of the selected line that are above the pane, where it is higher than that.
    above: usize,
    /// Columns hidden at the left.
    shift: usize,
    /// Long lines are broken.
    wraps: bool,
    /// Only lines of this level and worse ones.
    level: Level,
    /// Narrows the lines.
    filter: Filter,
    /// What was typed into it, ready to be looked for.
    pattern: Option<Pattern>,
    /// What is searched among them.
    search: Filter,
    sought: Option<Pattern>,
    /// Which lines pass, as of the latest message.
    found: Found,
}

impl View {
    /// Shows the lines of one process, or of all, and follows the newest. How lines look stays.
    pub(crate) fn narrow_to(&mut self, node: Option<String>) {
        *self = Self { node, wraps: self.wraps, ..Self::default() };
    }

    /// Whether somebody types.
    pub(crate) fn is_edited(&self) -> bool {
        self.filter.is_edited() || self.search.is_edited()
    }

    /// Edits what is being typed. What was selected may not match any more.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        if self.search.is_edited() {
            let cut = self.search.edit(edit);
            self.sought = Pattern::new(self.search.text());
            return cut;
        }
        self.hold(None);
        let cut = self.filter.edit(edit);
        self.pattern = Pattern::new(self.filter.text());
        cut
    }

    fn hold(&mut self, line: Option<u64>) {
        (self.line, self.above) = (line, 0);
    }

    fn wanted(&self) -> Wanted<'_> {
        let pattern = self.pattern.as_ref();
        Wanted { node: self.node.as_deref(), level: self.level, pattern }
    }

    /// The lines that are shown, and the selection among them.
    fn lines<'a>(&self, devnet: &'a Devnet) -> (Vec<&'a Entry>, Held) {
        let (wanted, started) = (self.wanted(), devnet.info.started_unix_ms);
        let found = self.found.lines(&devnet.logs, started, wanted);
        // Within the message that changed it, what is wanted was not looked for yet.
        let lines = found.unwrap_or_else(|| devnet.logs.wanted(wanted).collect());
        let held = self.line.map_or(Held::End, |number| {
            // What was selected may have been forgotten: it was older than all.
            let row = lines.partition_point(|entry| entry.number < number);
            Held::Item(row, self.above)
        });
        (lines, held)
    }

    /// Drops what is narrowed or searched, one after the other; says whether there was anything.
    fn drop_one(&mut self) -> bool {
        if self.search.drop() {
            self.sought = None;
            return true;
        }
        if self.filter.drop() {
            self.pattern = None;
            return true;
        }
        std::mem::take(&mut self.level) != Level::default()
    }
}

/// Looks for what is wanted among the lines that have come.
pub(super) fn keep_up(model: &mut Model) {
    let mut found = std::mem::take(&mut model.screens.logs.found);
    if let Some(devnet) = model.devnet() {
        let wanted = model.screens.logs.wanted();
        found.keep_up(&devnet.logs, devnet.info.started_unix_ms, wanted);
    }
    model.screens.logs.found = found;
}

/// The processes that have a log, `None` standing for all of them.
fn sources(devnet: &Devnet) -> Vec<Option<String>> {
    let names = devnet.nodes.iter().map(|node| node.name().to_owned());
    [None, Some(SUPERVISOR.to_owned())].into_iter().chain(names.map(Some)).collect()
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let view = &mut model.screens.logs;
    match action {
        Action::Filter => view.filter.open(),
        Action::Search => view.search.open(),
        Action::Accept if view.search.is_edited() => {
            view.search.accept();
            seek(model, false);
        }
        Action::Accept => view.filter.accept(),
        Action::NextMatch => seek(model, true),
        Action::PreviousMatch => seek(model, false),
        Action::LeaveInput if view.search.is_edited() => {
            view.search.drop();
            view.sought = None;
        }
        Action::LeaveInput => {
            view.filter.drop();
            view.pattern = None;
        }
        Action::Back => {
            if !view.drop_one() {
                view.narrow_to(None);
            }
        }
        Action::NextPane | Action::PreviousPane => {
            view.pane = if view.pane == Pane::Lines { Pane::Sources } else { Pane::Lines };
        }
        Action::Open if view.pane == Pane::Sources => view.pane = Pane::Lines,
        Action::Open => match meant(model) {
            Some(name) => model.overlays.push(Overlay::card(name)),
            None => model.say(Tone::Warning, "this line is of no process of the devnet"),
        },
        Action::Left => view.shift = view.shift.saturating_sub(SIDE_STEP),
        Action::Right => view.shift = view.shift.saturating_add(SIDE_STEP),
        Action::Wrap => {
            view.wraps = !view.wraps;
            (view.shift, view.above) = (0, 0);
        }
        Action::Level => {
            view.level = view.level.next();
            view.hold(None);
        }
        Action::Follow => follow(model),
        Action::Copy => return copy(model),
        Action::Page => return page(model),
        _ => {
            if let Some(motion) = Motion::of(action, model.page()) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.logs;
    match view.pane {
        Pane::Sources => {
            let next = motion::step(&sources(devnet), Some(&view.node), motion).flatten();
            let view = &mut model.screens.logs;
            view.node = next;
            view.hold(None);
        }
        Pane::Lines => {
            let (lines, held) = view.lines(devnet);
            let (rows, height) = draw::heights(model, &lines);
            let held = held.step(lines.len(), height, motion, rows);
            let (line, above) = match held {
                Held::End => (None, 0),
                Held::Item(index, above) => (Some(lines[index].number), above),
            };
            let view = &mut model.screens.logs;
            (view.line, view.above) = (line, above);
        }
    }
}

/// To the next line with what is searched, or to the one before; round the ends.
fn seek(model: &mut Model, forward: bool) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.logs;
    let Some(sought) = &view.sought else {
        model.say(Tone::Warning, "search for something first");
        return;
    };
    let (lines, held) = view.lines(devnet);
    let at = held.index(lines.len()).unwrap_or_default();
    // Who follows the end has it before his eyes, not behind him.
    let from_end = held == Held::End;
    let is_match = |index: &usize| sought.is_in(lines[*index].words());
    let found = if forward {
        (at + 1..lines.len()).chain(0..=at.min(lines.len().saturating_sub(1))).find(is_match)
    } else {
        let before = if from_end { at + 1 } else { at };
        (0..before.min(lines.len())).rev().chain((before..lines.len()).rev()).find(is_match)
    };
    let number = found.map(|index| lines[index].number);
    match number {
        Some(number) => model.screens.logs.hold(Some(number)),
        None => model.say(Tone::Warning, "no line that is shown has this"),
    }
}

/// Lets go of the newest line by holding on to the one that is the newest now, or takes hold again.
fn follow(model: &mut Model) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.logs;
    let newest = devnet.logs.wanted(view.wanted()).next_back().map(|entry| entry.number);
    let line = if view.line.is_some() { None } else { newest };
    model.screens.logs.hold(line);
}

/// The selected line, or the newest.
fn selected(model: &Model) -> Option<&Entry> {
    let view = &model.screens.logs;
    let mut lines = model.devnet()?.logs.wanted(view.wanted());
    match view.line {
        Some(number) => lines.find(|entry| entry.number >= number),
        None => lines.next_back(),
    }
}

/// The process that wrote the selected line.
fn meant(model: &Model) -> Option<String> {
    let name = &selected(model)?.line.node;
    model.devnet()?.node(name).map(|node| node.name().to_owned())
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let text = selected(model).map(|entry| format!("{} {}", entry.line.node, entry.line.line));
    copy_or_say(model, text, "the line", "there is no line to copy")
}

/// Opens the log's file: that of the process shown, or of the one that wrote the selected line.
fn page(model: &mut Model) -> Vec<Effect> {
    if model.playback.is_some() {
        model.say(Tone::Warning, "a recording has no log files");
        return Vec::new();
    }
    let of_line = || selected(model).map(|entry| entry.line.node.clone());
    let name = model.screens.logs.node.clone().or_else(of_line);
    let (Some(name), Some(devnet)) = (name, model.devnet()) else {
        model.say(Tone::Warning, "select a process or a line first");
        return Vec::new();
    };
    let file = match devnet.node(&name) {
        Some(node) => node.status.log_file.clone(),
        // The supervisor, or a node that was removed: its log stays where it was.
        None => devnet.info.folder.join("logs").join(format!("{name}.log")),
    };
    model.did(model.command(&format!("logs {name}")));
    vec![Effect::Page { file }]
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: Target) {
    let view = &mut model.screens.logs;
    match target {
        Target::Source(node) => {
            view.pane = Pane::Sources;
            view.node = node;
            view.hold(None);
        }
        Target::Line(number) => {
            view.pane = Pane::Lines;
            view.hold(Some(number));
        }
        Target::Logs(pane) => view.pane = pane,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use control::StreamEvent;
    use crossterm::event::KeyCode;

    use super::*;
    use crate::fixture;
    use crate::keys::Key;
    use crate::tests::{Desk, settings};

    /// What a frame shows was found before, and is what a look at all lines finds.
    #[track_caller]
    fn shown(desk: &Desk) -> usize {
        let devnet = desk.model.devnet().expect("connected");
        let view = &desk.model.screens.logs;
        let started = devnet.info.started_unix_ms;
        let found = view.found.lines(&devnet.logs, started, view.wanted());
        let found = found.expect("no frame has to look for it");
        assert_eq!(found, devnet.logs.wanted(view.wanted()).collect::<Vec<_>>());
        found.len()
    }

    #[test]
    fn every_frame_finds_its_lines_found() {
        let mut desk = Desk::eventful(settings());
        desk.press(Key::of('6'));
        let all = shown(&desk);
        desk.press(Key::of('/'));
        for c in "alice|mix".chars() {
            desk.press(Key::of(c));
            shown(&desk);
        }
        let some = shown(&desk);
        assert!(some > 0 && some < all, "{some} of {all}");
        let line = |desk: &Desk| fixture::log("alice", Duration::from_secs(desk.second), "INFO hi");
        desk.hear(line(&desk));
        assert_eq!(shown(&desk), some + 1);
        desk.press(Key::code(KeyCode::Enter));
        desk.press(Key::of(' '));
        desk.hear(line(&desk));
        assert_eq!(shown(&desk), some + 1, "it is frozen");
        desk.press(Key::of(' '));
        assert_eq!(shown(&desk), some + 2);
        desk.press(Key::of('1'));
        desk.hear(line(&desk));
        desk.press(Key::of('6'));
        assert_eq!(shown(&desk), some + 3, "what came while another screen was shown");
        desk.tell(crate::message::Message::Click(Target::Source(Some("alice".into()))));
        let of_alice = shown(&desk);
        assert!(of_alice < some + 3, "{of_alice}");
        desk.press(Key::of('l'));
        shown(&desk);
        desk.press(Key::code(KeyCode::Esc));
        desk.press(Key::code(KeyCode::Esc));
        desk.press(Key::code(KeyCode::Esc));
        assert_eq!(shown(&desk), all + 3);
        let mut snapshot = desk.fixture.snapshot(Duration::ZERO);
        snapshot.devnet.started_unix_ms += 1;
        snapshot.logs.clear();
        desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
        assert_eq!(shown(&desk), 0, "of another devnet");
    }
}
