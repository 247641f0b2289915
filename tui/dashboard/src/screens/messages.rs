//! Messages: who writes to whom, how far each message has come, and what arrived.

mod composer;
mod conversation;
mod details;
mod draw;
mod letter;

pub(super) use draw::draw;
pub(crate) use letter::{progress, word};

use std::collections::BTreeSet;

use contract::Role;
use control::{MessageStatus, SendRequest, SendWait, State};

use super::copy_or_say;
use crate::action::Action;
use crate::input_line::Edit;
use crate::message::{Effect, Problem};
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay;
use crate::regions::Target;
use crate::state::{Body, Devnet, Letter};
use crate::text;
use crate::update::ACCEPT_WITHIN_MS;
use composer::Composer;

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Who sends.
    From,
    /// Who receives.
    To,
    /// What they wrote to each other.
    #[default]
    Sent,
    /// The text that is typed.
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
    /// Rows of the selected message that are above the pane, where it is higher than that.
    above: usize,
    /// Long messages that are shown whole.
    unfolded: BTreeSet<String>,
    composer: Composer,
    /// Messages that the supervisor has not accepted yet.
    handing_over: usize,
    /// Clients that were asked for what they received before.
    asked: BTreeSet<String>,
}

impl View {
    /// Whether somebody types.
    pub(crate) fn is_writing(&self) -> bool {
        self.pane == Pane::Input
    }

    /// Takes up the text that is typed.
    pub(crate) fn write(&mut self) {
        self.pane = Pane::Input;
    }

    /// What opening does in this pane, in a word.
    pub(crate) fn open_label(&self) -> &'static str {
        match self.pane {
            Pane::From => "to whom",
            Pane::To | Pane::Input => "write",
            Pane::Sent => "unfold",
        }
    }

    /// The selected message.
    pub(crate) fn selected<'a>(&'a self, devnet: Option<&'a Devnet>) -> Option<&'a MessageStatus> {
        self.chosen(devnet)?.status.as_ref()
    }

    /// Whether there is a message of which one can see the way.
    pub(crate) fn has_chosen(&self, devnet: Option<&Devnet>) -> bool {
        self.chosen(devnet).is_some()
    }

    /// The same, also where nobody here sent it.
    fn chosen<'a>(&'a self, devnet: Option<&'a Devnet>) -> Option<&'a Letter> {
        let devnet = devnet?;
        match &self.letter {
            Some(id) => devnet.letters.get(id),
            None => self.conversation(devnet).next_back(),
        }
    }

    /// What the two clients wrote to each other, oldest first.
    fn conversation<'a>(
        &'a self,
        devnet: &'a Devnet,
    ) -> impl DoubleEndedIterator<Item = &'a Letter> {
        let (from, to) = self.parties(devnet);
        let between = from.zip(to).map(|pair| devnet.between(pair));
        let is_between = move |letter: &&Letter| between.as_ref().is_some_and(|is| is(letter));
        devnet.letters.all().filter(is_between)
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

    /// Another conversation: its newest message is shown.
    fn follow(&mut self) {
        self.letter = None;
        self.above = 0;
    }
}

/// Edits the text that is typed.
pub(super) fn edit(model: &mut Model, edit: Edit<'_>) {
    let left_out = model.screens.messages.composer.edit(edit);
    if left_out > 0 {
        let left_out = text::grouped(left_out);
        let most = text::grouped(composer::MAX_BYTES);
        model.say(
            Tone::Warning,
            format!("{left_out} B had no room: {most} B can be typed, send --file takes more"),
        );
    }
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let read_only = model.settings.read_only;
    let view = &mut model.screens.messages;
    match action {
        Action::NextPane => view.pane = next(view.pane, 1),
        Action::PreviousPane => view.pane = next(view.pane, 3),
        Action::Open => match view.pane {
            Pane::From => view.pane = Pane::To,
            Pane::To if read_only => view.pane = Pane::Sent,
            Pane::To | Pane::Input => view.pane = Pane::Input,
            Pane::Sent => unfold(model),
        },
        Action::Left => view.pane = Pane::From,
        Action::Right | Action::LeaveInput => view.pane = Pane::Sent,
        Action::Back => view.follow(),
        Action::Send => return send(model),
        Action::NewLine => edit(model, Edit::Insert("\n")),
        Action::Copy => return copy(model),
        Action::Journey => journey(model),
        Action::Up | Action::Down if view.pane == Pane::Input => {
            let (columns, symbols) = (draw::composer_columns(model), model.symbols());
            let composer = &mut model.screens.messages.composer;
            if action == Action::Up {
                composer.up(columns, symbols);
            } else {
                composer.down(columns, symbols);
            }
        }
        _ => {
            if let Some(motion) = Motion::of(action, conversation::page(model)) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

/// Opens the way of the selected message.
fn journey(model: &mut Model) {
    match model.screens.messages.chosen(model.devnet()).map(|letter| letter.id.clone()) {
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
        Pane::From => {
            let view = &mut model.screens.messages;
            view.from = motion::step(&clients, from.as_ref(), motion);
            view.follow();
        }
        Pane::To => {
            let view = &mut model.screens.messages;
            view.to = motion::step(&clients, to.as_ref(), motion);
            view.follow();
        }
        Pane::Sent | Pane::Input => {
            let (letter, above) = conversation::step(model, devnet, motion);
            let view = &mut model.screens.messages;
            (view.letter, view.above) = (letter, above);
        }
    }
}

/// Shows a long message whole, or its beginning again.
fn unfold(model: &mut Model) {
    let devnet = model.devnet();
    let Some(id) = model.screens.messages.chosen(devnet).map(|letter| letter.id.clone()) else {
        let key = model.key(Action::Write);
        model.say(Tone::Warning, format!("there is no message to unfold: {key} writes one"));
        return;
    };
    // Those that were forgotten since need not be remembered.
    let known = |id: &&String| devnet.is_some_and(|devnet| devnet.letters.get(id).is_some());
    let unfolded = model.screens.messages.unfolded.iter().filter(known).cloned().collect();
    let view = &mut model.screens.messages;
    view.unfolded = unfolded;
    if !view.unfolded.remove(&id) {
        view.unfolded.insert(id.clone());
    }
    view.letter = Some(id);
    view.above = 0;
}

fn send(model: &mut Model) -> Vec<Effect> {
    let Some(devnet) = &model.live else { return Vec::new() };
    let view = &model.screens.messages;
    let (Some(from), Some(to)) = view.parties(devnet) else {
        model.say(Tone::Warning, "this devnet has no named client to send with");
        return Vec::new();
    };
    if view.composer.text().is_empty() {
        model.say(Tone::Warning, "type a message first");
        return Vec::new();
    }
    let waits = devnet
        .node(from)
        .filter(|node| node.status.state != State::Ready)
        .map(|node| format!("{from} {}: the message waits for it", node.status.state.phrase()));
    let (from, to) = (from.to_owned(), to.to_owned());
    let view = &mut model.screens.messages;
    let text = view.composer.take();
    view.handing_over += 1;
    view.follow();
    model.did(model.command(&format!("send {from} {to} {}", control::shell_text(&text))));
    if let Some(waits) = waits {
        model.say(Tone::Warning, waits);
    }
    let request = SendRequest {
        from,
        to,
        content: contract::Content::Text(text.clone()),
        wait: SendWait::Accepted,
        timeout_ms: ACCEPT_WITHIN_MS,
    };
    vec![Effect::Send { request, text }]
}

/// The supervisor answered to a message. What may still be sent is not put back to be sent again.
pub(crate) fn sent(model: &mut Model, text: String, result: Result<(), Problem>, unsure: bool) {
    let [_, _, up, _] = model.symbols().arrows;
    let view = &mut model.screens.messages;
    view.handing_over = view.handing_over.saturating_sub(1);
    let Err(Problem(problem)) = result else { return };
    // It went into the history when it was sent.
    let is_back = !unsure && view.composer.give_back(text);
    let place = if is_back { String::new() } else { format!(", {up} has the text") };
    let what = if unsure { "perhaps not sent" } else { "not sent" };
    model.say(Tone::Bad, format!("{what}{place}: {problem}"));
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let letter = model.screens.messages.chosen(model.devnet());
    let (text, what) = match letter.map(|letter| &letter.body) {
        Some(Body::Text { text, bytes }) if text.len() < *bytes => (
            Some(text.clone()),
            format!("the first {} B of the message", text::grouped(text.len())),
        ),
        Some(Body::Text { text, .. }) => (Some(text.clone()), "the message".to_owned()),
        Some(Body::Binary { .. } | Body::Unseen { .. }) => {
            // What it says cannot be had here, and its id finds it elsewhere.
            (letter.map(|letter| letter.id.clone()), "the message's id: it is no text".to_owned())
        }
        None => (None, String::new()),
    };
    copy_or_say(model, text, &what, "there is no message to copy")
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: Target) {
    let view = &mut model.screens.messages;
    match target {
        Target::Sender(name) => {
            view.pane = Pane::From;
            view.from = Some(name);
            view.follow();
        }
        Target::Recipient(name) => {
            view.pane = Pane::To;
            view.to = Some(name);
            view.follow();
        }
        Target::Letter(id) if view.letter.as_ref() == Some(&id) && view.pane == Pane::Sent => {
            unfold(model);
        }
        Target::Letter(id) => {
            view.pane = Pane::Sent;
            view.letter = Some(id);
            view.above = 0;
        }
        Target::Messages(Pane::Input) if model.settings.read_only => {}
        Target::Messages(pane) => view.pane = pane,
        _ => {}
    }
}

/// What is shown is not new any more.
pub(crate) fn look(model: &mut Model) {
    let Some(live) = model.live.as_mut().filter(|live| live.letters.has_new()) else { return };
    let view = &model.screens.messages;
    let (Some(from), Some(to)) = view.parties(live) else { return };
    let (from, to) = (from.to_owned(), to.to_owned());
    live.look_between((&from, &to));
}

/// Asks each client for what it received before, once it is ready: inboxes are on disk and
/// outlive the supervisor, whose memory does not.
pub(crate) fn ask_inboxes(model: &mut Model) -> Vec<Effect> {
    if model.playback.is_some() {
        return Vec::new();
    }
    let Some(live) = &model.live else { return Vec::new() };
    let view = &mut model.screens.messages;
    live.with_role(&[Role::Client])
        .filter(|node| node.status.state == State::Ready)
        .map(|node| node.name().to_owned())
        .filter(|client| view.asked.insert(client.clone()))
        .map(|client| Effect::ReadInbox { client })
        .collect()
}

/// Another devnet is shown, whose clients were not asked yet.
pub(crate) fn forget_inboxes(model: &mut Model) {
    model.screens.messages.asked.clear();
}

/// A client answered what it has in its inbox.
pub(crate) fn keep_inbox(
    model: &mut Model,
    client: &str,
    result: Result<Vec<control::InboxMessage>, Problem>,
) {
    match result {
        Ok(messages) => {
            if let Some(live) = &mut model.live {
                live.letters.keep(messages);
            }
        }
        Err(Problem(problem)) => {
            model.say(Tone::Warning, format!("{client}'s older messages are not shown: {problem}"));
            // It is asked again when it is ready again.
            model.screens.messages.asked.remove(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
