//! Messages: who writes to whom, how far each message has come, and what arrived.

mod draw;

pub(super) use draw::draw;
pub(crate) use draw::{progress, word};

use control::{MessageStatus, SendRequest, SendWait};
use tui_input::Input;

use super::copy_or_say;
use crate::action::Action;
use crate::input_line::{self, Edit};
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay;
use crate::regions::Target;
use crate::state::Devnet;
use crate::update::ACCEPT_WITHIN_MS;

/// Longest line that can be typed or pasted, in characters. Whoever has more than some pages sends a
/// file from the command line.
const MAX_CHARS: usize = 8192;

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Who sends.
    From,
    /// Who receives.
    To,
    /// Messages underway and done.
    #[default]
    Sent,
    /// The line to type in.
    Input,
}

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    pane: Pane,
    /// The sender; none for the first client.
    from: Option<String>,
    /// The recipient; none for the first other client.
    to: Option<String>,
    /// The selected message; none for the newest.
    letter: Option<String>,
    input: Input,
    /// Messages that the supervisor has not accepted yet.
    handing_over: usize,
}

impl View {
    /// Whether somebody types.
    pub(crate) fn is_writing(&self) -> bool {
        self.pane == Pane::Input
    }

    /// Takes up the input line.
    pub(crate) fn write(&mut self) {
        self.pane = Pane::Input;
    }

    /// Edits the input line; says whether something had no room.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        input_line::apply(&mut self.input, edit, MAX_CHARS)
    }

    /// The supervisor answered to a message.
    pub(crate) fn answered(&mut self) {
        self.handing_over = self.handing_over.saturating_sub(1);
    }

    /// Puts back what was not sent, unless something else is being typed already.
    pub(crate) fn give_back(&mut self, text: String) {
        if self.input.value().is_empty() {
            self.input = Input::new(text);
        }
    }

    /// The selected message.
    pub(crate) fn selected<'a>(&self, devnet: Option<&'a Devnet>) -> Option<&'a MessageStatus> {
        let mut letters = devnet?.letters.sent();
        match &self.letter {
            Some(id) => letters.find(|letter| letter.id == *id),
            None => letters.next_back(),
        }
    }

    /// Sender and recipient, as far as there are clients.
    fn parties<'a>(&'a self, devnet: &'a Devnet) -> (Option<&'a str>, Option<&'a str>) {
        let clients = devnet.clients();
        let known =
            |name: &'a Option<String>| name.as_deref().filter(|name| clients.contains(name));
        let from = known(&self.from).or(clients.first().copied());
        let other = clients.iter().copied().find(|name| Some(*name) != from);
        let to = known(&self.to).or(other).or(from);
        (from, to)
    }
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let view = &mut model.screens.messages;
    match action {
        Action::NextPane => view.pane = next(view.pane, 1),
        Action::PreviousPane => view.pane = next(view.pane, 3),
        Action::Open => match view.pane {
            Pane::From => view.pane = Pane::To,
            Pane::To | Pane::Sent | Pane::Input if model.settings.read_only => {}
            Pane::To | Pane::Sent | Pane::Input => view.pane = Pane::Input,
        },
        Action::Left => view.pane = Pane::From,
        Action::Right | Action::LeaveInput => view.pane = Pane::Sent,
        Action::Back => view.letter = None,
        Action::Send => return send(model),
        Action::Copy => return copy(model),
        Action::Journey => journey(model),
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

/// Opens the way of the selected message.
fn journey(model: &mut Model) {
    match model.screens.messages.selected(model.devnet()).map(|letter| letter.id.clone()) {
        Some(message) => overlay::open_journey(model, message),
        None => model.say(Tone::Warning, "select a message first"),
    }
}

fn next(pane: Pane, steps: usize) -> Pane {
    const ORDER: [Pane; 4] = [Pane::Sent, Pane::From, Pane::To, Pane::Input];
    let at = ORDER.iter().position(|other| *other == pane).unwrap_or(0);
    ORDER[(at + steps) % ORDER.len()]
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.messages;
    let clients: Vec<String> = devnet.clients().into_iter().map(ToOwned::to_owned).collect();
    let (from, to) = view.parties(devnet);
    let (from, to) = (from.map(ToOwned::to_owned), to.map(ToOwned::to_owned));
    match view.pane {
        Pane::From => model.screens.messages.from = motion::step(&clients, from.as_ref(), motion),
        Pane::To => model.screens.messages.to = motion::step(&clients, to.as_ref(), motion),
        Pane::Sent => {
            let ids: Vec<String> = devnet.letters.sent().map(|letter| letter.id.clone()).collect();
            model.screens.messages.letter =
                motion::step_following(&ids, view.letter.as_ref(), motion);
        }
        Pane::Input => {}
    }
}

fn send(model: &mut Model) -> Vec<Effect> {
    let Some(devnet) = &model.live else { return Vec::new() };
    let view = &model.screens.messages;
    let text = view.input.value().to_owned();
    let (Some(from), Some(to)) = view.parties(devnet) else {
        model.say(Tone::Warning, "this devnet has no named client to send with");
        return Vec::new();
    };
    if text.is_empty() {
        model.say(Tone::Warning, "type a message first");
        return Vec::new();
    }
    let (from, to) = (from.to_owned(), to.to_owned());
    let words = format!("send {from} {to} {}", quoted(&text));
    model.did(model.command(&words));
    let view = &mut model.screens.messages;
    view.input.reset();
    view.handing_over += 1;
    view.letter = None;
    let request = SendRequest {
        from,
        to,
        content: contract::Content::Text(text.clone()),
        wait: SendWait::Accepted,
        timeout_ms: ACCEPT_WITHIN_MS,
    };
    vec![Effect::Send { request, text }]
}

/// A text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let letter = model.screens.messages.selected(model.devnet());
    let text = letter.map(|letter| letter.content.preview());
    copy_or_say(model, text, "the message", "there is no message to copy")
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: Target) {
    let view = &mut model.screens.messages;
    match target {
        Target::Sender(name) => {
            view.pane = Pane::From;
            view.from = Some(name);
        }
        Target::Recipient(name) => {
            view.pane = Pane::To;
            view.to = Some(name);
        }
        Target::Letter(id) => {
            view.pane = Pane::Sent;
            view.letter = Some(id);
        }
        Target::Messages(Pane::Input) if model.settings.read_only => {}
        Target::Messages(pane) => view.pane = pane,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_word_of_a_shell() {
        assert_eq!(quoted("it's me"), r"'it'\''s me'");
    }

    #[test]
    fn tab_goes_round_all_panes_and_back() {
        let mut pane = Pane::Sent;
        for _ in 0..4 {
            pane = next(pane, 1);
            assert_eq!(next(next(pane, 1), 3), pane);
        }
        assert_eq!(pane, Pane::Sent);
    }
}
