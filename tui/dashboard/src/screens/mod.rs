//! The screens. One more is a variant here, a module beside, and an arm in each function below.

pub(crate) mod anonymity;
pub(crate) mod lessons;
pub(crate) mod logs;
pub(crate) mod messages;
pub(crate) mod network;
pub(crate) mod nodes;
pub(crate) mod presence;
pub(crate) mod problems;
pub(crate) mod traffic;

use ratatui::layout::Rect;
use tui_input::InputRequest;

use crate::action::{Action, Context};
use crate::input_line::Edit;
use crate::lesson;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::tour;

/// Longest text that is handed to the terminal's clipboard: many terminals ignore a sequence of more
/// than 100 000 bytes, and base64 makes four of three.
const MAX_COPY_BYTES: usize = 64 * 1024;

/// A screen. Its digit is stable: screens that are still to come have theirs reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// The map.
    Network,
    /// The table of processes.
    Nodes,
    /// Rates, delays and losses.
    Traffic,
    /// Sending and following messages.
    Messages,
    /// Heartbeats.
    Presence,
    /// Logs.
    Logs,
    /// What is wrong.
    Problems,
    /// How well senders are hidden.
    Anonymity,
    /// Lessons on this network.
    Lessons,
}

impl Screen {
    /// All of them, in the order of the tabs.
    pub(crate) const ALL: [Self; 9] = [
        Self::Network,
        Self::Nodes,
        Self::Traffic,
        Self::Messages,
        Self::Presence,
        Self::Logs,
        Self::Problems,
        Self::Anonymity,
        Self::Lessons,
    ];

    /// Its context.
    pub(crate) fn context(self) -> Context {
        match self {
            Self::Network => Context::Network,
            Self::Nodes => Context::Nodes,
            Self::Traffic => Context::Traffic,
            Self::Messages => Context::Messages,
            Self::Presence => Context::Presence,
            Self::Logs => Context::Logs,
            Self::Problems => Context::Problems,
            Self::Anonymity => Context::Anonymity,
            Self::Lessons => Context::Lessons,
        }
    }

    /// The action that shows it.
    pub(crate) fn action(self) -> Action {
        match self {
            Self::Network => Action::ShowNetwork,
            Self::Nodes => Action::ShowNodes,
            Self::Traffic => Action::ShowTraffic,
            Self::Messages => Action::ShowMessages,
            Self::Presence => Action::ShowPresence,
            Self::Logs => Action::ShowLogs,
            Self::Problems => Action::ShowProblems,
            Self::Anonymity => Action::ShowAnonymity,
            Self::Lessons => Action::ShowLessons,
        }
    }
}

/// What each screen remembers. The map has nothing but the selected process.
#[derive(Debug, Default)]
pub(crate) struct Screens {
    /// The table of processes.
    pub(crate) nodes: nodes::View,
    /// Rates, delays and losses.
    pub(crate) traffic: traffic::View,
    /// Sending and following messages.
    pub(crate) messages: messages::View,
    /// Heartbeats.
    pub(crate) presence: presence::View,
    /// Logs.
    pub(crate) logs: logs::View,
    /// What is wrong.
    pub(crate) problems: problems::View,
    /// How well senders are hidden.
    pub(crate) anonymity: anonymity::View,
    /// Lessons.
    pub(crate) lessons: lessons::View,
}

impl Screens {
    /// Where keys go on a screen.
    pub(crate) fn context(&self, screen: Screen) -> Context {
        match screen {
            Screen::Messages if self.messages.is_writing() => Context::Writing,
            Screen::Nodes if self.nodes.filter.is_edited() => Context::Filtering,
            Screen::Presence if self.presence.filter.is_edited() => Context::Filtering,
            Screen::Logs if self.logs.is_edited() => Context::Filtering,
            Screen::Anonymity if self.anonymity.is_adversary() => Context::Adversary,
            screen => screen.context(),
        }
    }
}

/// Where keys go on the screen that is shown.
pub(crate) fn context(model: &Model) -> Context {
    match model.screen {
        Screen::Lessons => lessons::context(&model.screens.lessons, &model.lessons),
        screen => model.screens.context(screen),
    }
}

/// An action that belongs to the screen shown.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(request) = edit(action) {
        edit_input(model, Edit::Key(request));
        return Vec::new();
    }
    match model.screen {
        Screen::Network => network::act(model, action),
        Screen::Nodes => nodes::act(model, action),
        Screen::Traffic => traffic::act(model, action),
        Screen::Messages => messages::act(model, action),
        Screen::Presence => presence::act(model, action),
        Screen::Logs => logs::act(model, action),
        Screen::Problems => problems::act(model, action),
        Screen::Anonymity => anonymity::act(model, action),
        Screen::Lessons => lessons::act(model, action),
    }
}

/// Copies a text, or says why there is none.
fn copy_or_say(
    model: &mut Model,
    text: Option<String>,
    what: &str,
    otherwise: &str,
) -> Vec<Effect> {
    let Some(text) = text else {
        model.say(Tone::Warning, otherwise);
        return Vec::new();
    };
    if text.len() > MAX_COPY_BYTES {
        let end = (0..=MAX_COPY_BYTES).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let what = format!("the first {} KiB of {what}", MAX_COPY_BYTES / 1024);
        return vec![Effect::Copy { text: text[..end].to_owned(), what }];
    }
    vec![Effect::Copy { text, what: what.to_owned() }]
}

/// Something of a screen was pointed at.
pub(crate) fn point(model: &mut Model, target: Target) {
    match model.screen {
        Screen::Network | Screen::Nodes => {}
        Screen::Traffic => traffic::point(model, &target),
        Screen::Problems => problems::point(model, target),
        Screen::Anonymity => anonymity::point(model, &target),
        Screen::Lessons => lessons::point(model, &target),
        Screen::Messages => messages::point(model, target),
        Screen::Presence => presence::point(model, &target),
        Screen::Logs => logs::point(model, target),
    }
}

/// Draws the screen.
pub(crate) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    match model.screen {
        Screen::Network => network::draw(model, devnet, area, scene),
        Screen::Nodes => nodes::draw(model, devnet, area, scene),
        Screen::Traffic => traffic::draw(model, devnet, area, scene),
        Screen::Messages => messages::draw(model, devnet, area, scene),
        Screen::Presence => presence::draw(model, devnet, area, scene),
        Screen::Logs => logs::draw(model, devnet, area, scene),
        Screen::Problems => problems::draw(model, devnet, area, scene),
        Screen::Anonymity => anonymity::draw(model, devnet, area, scene),
        Screen::Lessons => lessons::draw(model, devnet, area, scene),
    }
}

/// Where the screen is on the terminal, as `draw.rs` divides it.
pub(crate) fn area(model: &Model) -> Rect {
    let size = model.size;
    let body = Rect { x: 0, y: 2, width: size.width, height: size.height.saturating_sub(3) };
    tour::split(model, lesson::split(model, body).0).0
}

/// The process that is meant by a key on the screen that is shown: the one that is highlighted.
pub(crate) fn meant(model: &Model) -> Option<String> {
    match model.screen {
        Screen::Presence => presence::meant(model),
        Screen::Problems => problems::meant(model),
        _ => model.selected_node().map(|node| node.name().to_owned()),
    }
}

/// What was selected or shown as new is seen now.
pub(crate) fn look(model: &mut Model) {
    if model.screen == Screen::Messages && model.overlays.is_empty() && !model.is_frozen() {
        messages::look(model);
    }
}

/// What the screen that is shown keeps of the devnet's state follows it.
pub(crate) fn keep_up(model: &mut Model) {
    if model.screen == Screen::Logs {
        logs::keep_up(model);
    }
}

/// The edit that an action stands for.
pub(crate) fn edit(action: Action) -> Option<InputRequest> {
    Some(match action {
        Action::CursorLeft => InputRequest::GoToPrevChar,
        Action::CursorRight => InputRequest::GoToNextChar,
        Action::CursorWordLeft => InputRequest::GoToPrevWord,
        Action::CursorWordRight => InputRequest::GoToNextWord,
        Action::CursorStart => InputRequest::GoToStart,
        Action::CursorEnd => InputRequest::GoToEnd,
        Action::DeleteBack => InputRequest::DeletePrevChar,
        Action::DeleteForward => InputRequest::DeleteNextChar,
        Action::DeleteWord => InputRequest::DeletePrevWord,
        Action::DeleteToStart => InputRequest::DeleteFromStart,
        Action::DeleteToEnd => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

/// Edits whatever takes text now.
pub(crate) fn edit_input(model: &mut Model, edit: Edit<'_>) {
    let cut = match (model.overlays.last_mut(), model.screen) {
        (Some(Overlay::Palette(palette)), _) => palette.edit(edit),
        (Some(Overlay::Help(help)), _) => help.edit(edit),
        (Some(_), _)
        | (None, Screen::Network | Screen::Traffic | Screen::Problems | Screen::Anonymity) => false,
        (None, Screen::Messages) => return messages::edit(model, edit),
        (None, Screen::Presence) => model.screens.presence.filter.edit(edit),
        (None, Screen::Nodes) => model.screens.nodes.filter.edit(edit),
        (None, Screen::Logs) => model.screens.logs.edit(edit),
        (None, Screen::Lessons) => lessons::edit(model, edit),
    };
    if cut {
        model.say(Tone::Warning, "the rest had no room");
    }
}
