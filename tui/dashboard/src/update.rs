//! What every message does to the model, and what it asks for. Pure: no clock, no I/O.

mod answers;

use contract::{Role, Time};
use control::{Envelope, NodeAction, State, StreamEvent};

use crate::Outcome;
use crate::action::{Action, Context};
use crate::connection::Connection;
use crate::explain;
use crate::input_line::Edit;
use crate::keys::Key;
use crate::lesson;
use crate::message::{Effect, Message, Problem};
use crate::model::{Model, Tone};
use crate::overlay::{self, Overlay, Question};
use crate::playback::Speed;
use crate::regions::Target;
use crate::screens::traffic::history;
use crate::screens::{self, Screen};
use crate::state::{Devnet, Moment};
use crate::text;
use crate::theme::ThemeName;
use crate::tour;

/// The devnet that nobody named: its folder goes with it.
pub(crate) const UNNAMED: &str = "default";

/// Rows that one notch of the wheel scrolls.
const WHEEL_ROWS: usize = 3;

/// Applies a message that arrived at this moment of the dashboard's own clock.
pub(crate) fn update(model: &mut Model, now: Time, message: Message) -> Vec<Effect> {
    model.now = model.now.max(now);
    let may_show_news = may_show_news(&message);
    let may_end_step = may_end_step(&message);
    let effects = apply(model, message);
    let effects = lesson::before_quit(model, effects);
    if may_end_step {
        tour::look(model);
    }
    if may_show_news {
        screens::look(model);
    }
    screens::keep_up(model);
    effects
}

/// Whether something new may be seen after this. What a devnet says all the time is nothing new, and
/// to look through all messages each time would cost more than to take it in.
fn may_show_news(message: &Message) -> bool {
    match message {
        Message::Heard(envelope) => {
            matches!(envelope.event, StreamEvent::Snapshot(_) | StreamEvent::Received(_))
        }
        _ => true,
    }
}

/// Whether a step of the tour may have come to its end with this. Most of what a devnet says is about
/// single packets, and none of it ends one.
fn may_end_step(message: &Message) -> bool {
    match message {
        Message::Heard(envelope) => matches!(
            envelope.event,
            StreamEvent::Snapshot(_) | StreamEvent::Node(_) | StreamEvent::Message(_)
        ),
        _ => true,
    }
}

fn apply(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => press(model, key),
        Message::Paste(text) => {
            if model.context() == Context::Writing {
                screens::edit_input(model, Edit::Insert(&text));
            } else if model.context().takes_text() {
                // The input lines have one line each.
                let line = text.replace("\r\n", " ").replace(['\r', '\n', '\t'], " ");
                let line: String = line.chars().filter(|c| !c.is_control()).collect();
                screens::edit_input(model, Edit::Insert(&line));
            }
            Vec::new()
        }
        Message::Click(target) => click(model, target),
        Message::Wheel { pane, up } => {
            if model.screen == Screen::Network && model.overlays.is_empty() {
                // The map does not scroll, and the wheel alone should not select.
                return Vec::new();
            }
            let effects = pane.map_or_else(Vec::new, |pane| point(model, pane));
            if model.context() == Context::Writing {
                // The arrows would go through what was sent before.
                perform(model, if up { Action::PageUp } else { Action::PageDown });
                return effects;
            }
            for _ in 0..WHEEL_ROWS {
                perform(model, if up { Action::Up } else { Action::Down });
            }
            effects
        }
        Message::Resize(size) => {
            model.size = size;
            Vec::new()
        }
        Message::Tick => tick(model),
        Message::Surveyed { result, kept } => lesson::surveyed(model, result, kept),
        Message::Performed { number, result } => lesson::performed(model, number, result),
        Message::Recalled(kept) => {
            lesson::learnt(model, kept);
            Vec::new()
        }
        Message::Learnt(kept) => lesson::written(model, kept),
        Message::Remembered(result) => {
            if let Err(Problem(problem)) = result {
                model.settings.store = None;
                model.say(Tone::Warning, format!("cannot remember how this looks: {problem}"));
            }
            Vec::new()
        }
        Message::Connected => {
            connected(model);
            screens::anonymity::confide(model)
        }
        Message::Disconnected { reason } if model.playback.is_some() => {
            model.say(Tone::Warning, reason.clone());
            if let Some(playback) = &mut model.playback {
                playback.ended = Some(reason);
            }
            Vec::new()
        }
        Message::Disconnected { reason } => {
            let after = model.retries.failed(model.now);
            model.connection.lose(reason, model.now, after);
            vec![Effect::Connect { after }]
        }
        Message::Heard(envelope) => hear(model, *envelope),
        answer @ (Message::Acted { .. }
        | Message::Changed { .. }
        | Message::Attacked { .. }
        | Message::Unconfided(_)) => {
            answers::take(model, answer);
            Vec::new()
        }
        Message::Sent { text, result, unsure } => {
            screens::messages::sent(model, text, result, unsure);
            Vec::new()
        }
        Message::Inbox { client, result } => {
            screens::messages::keep_inbox(model, &client, result);
            Vec::new()
        }
        Message::Paged { result } => {
            if let Err(Problem(problem)) = result {
                model.say(Tone::Bad, problem);
            }
            Vec::new()
        }
        Message::History(result) => {
            history::answered(model, result);
            Vec::new()
        }
        Message::Copied { what, result } => {
            match result {
                Ok(()) => model.say(Tone::Good, format!("copied {what}")),
                Err(Problem(problem)) => {
                    model.say(Tone::Bad, format!("cannot copy {what}: {problem}"));
                }
            }
            Vec::new()
        }
        Message::Signal(signal) => vec![Effect::Quit(Outcome::Signalled { signal })],
    }
}

fn tick(model: &mut Model) -> Vec<Effect> {
    let mut effects = lesson::tick(model);
    effects.extend(remember(model));
    effects
}

fn connected(model: &mut Model) {
    let since = model.connection.lost_since().filter(|_| model.live.is_some());
    if let Some(since) = since {
        let age = text::age(model.now.saturating_since(since));
        model.say(Tone::Good, format!("connected again after {age}"));
    }
    model.connection = Connection::Live;
    model.retries.connected(model.now);
    model.heard();
    if let Some(live) = &mut model.live {
        live.connected();
    }
    history::connected(model);
}

/// Remembers what has changed since it was remembered last.
pub(crate) fn remember(model: &mut Model) -> Option<Effect> {
    let store = model.settings.store.clone()?;
    let now = model.remembered();
    if now == model.settings.remembered {
        return None;
    }
    model.settings.remembered = now.clone();
    Some(Effect::Remember(store, now))
}

fn hear(model: &mut Model, envelope: Envelope) -> Vec<Effect> {
    model.heard();
    model.miss(&envelope.event);
    let moment = Moment { t: envelope.t, unix_ms: envelope.unix_ms };
    let mut effects = lesson::hear(model, &envelope);
    let may_make_ready = matches!(envelope.event, StreamEvent::Snapshot(_) | StreamEvent::Node(_));
    match envelope.event {
        // It comes beside the event stream, and is numbered by that.
        StreamEvent::Passages { .. } => {
            if let Some(live) = &mut model.live {
                live.watch.hear(&envelope);
            }
            return Vec::new();
        }
        // The end of a recording says so too, and stays.
        StreamEvent::Down { .. } if model.playback.is_some() => {}
        StreamEvent::Down { reason } => {
            return vec![Effect::Quit(Outcome::DevnetEnded { reason })];
        }
        StreamEvent::Snapshot(snapshot) => {
            let before = model.live.take();
            let is_another = before.as_ref().is_none_or(|before| {
                before.info.started_unix_ms != snapshot.devnet.started_unix_ms
            });
            if is_another {
                screens::messages::forget_inboxes(model);
            }
            if before.is_none()
                && let Some(notice) = snapshot.devnet.notices.first()
            {
                model.say(Tone::Warning, notice.clone());
            }
            model.live = Some(Devnet::new(*snapshot, (envelope.seq, moment), before));
            tour::offer(model);
        }
        _ => {
            if let Some(live) = &mut model.live {
                live.apply(envelope);
            }
        }
    }
    deselect_removed(model);
    effects.extend(history::ask(model));
    if may_make_ready {
        effects.extend(screens::messages::ask_inboxes(model));
    }
    effects
}

/// What was taken out of the devnet is selected no longer.
fn deselect_removed(model: &mut Model) {
    let Some(live) = &model.live else { return };
    if let Some(name) = model.selected.take_if(|name| live.node(name).is_none()) {
        model.say(Tone::Warning, format!("{name} was removed"));
    }
}

fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    model.hush();
    let context = model.context();
    if let Some(spec) = model.settings.keymap.bound(context, key) {
        return perform(model, spec.action);
    }
    if let Some(c) = key.typed().filter(|_| context.takes_text()) {
        screens::edit_input(model, Edit::Insert(c.encode_utf8(&mut [0; 4])));
    }
    Vec::new()
}

/// Does an action, wherever it came from: key, palette or mouse.
pub(crate) fn perform(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(why) = model.refusal(action) {
        model.say(Tone::Warning, why);
        return Vec::new();
    }
    match action {
        Action::Interrupt => return vec![Effect::Quit(Outcome::Quit)],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Freeze => return freeze(model, !model.is_paused()),
        Action::Tour => {
            tour::go_on(model);
            return Vec::new();
        }
        Action::Slower => return change_speed(model, Speed::slower),
        Action::Faster => return change_speed(model, Speed::faster),
        Action::NextTheme => {
            choose_theme(model, model.theme.next());
            return Vec::new();
        }
        _ => {}
    }
    if let Some(effects) = overlay::act(model, action) {
        return effects;
    }
    match action {
        Action::ShowNetwork => show(model, Screen::Network),
        Action::ShowNodes => show(model, Screen::Nodes),
        Action::ShowTraffic => show(model, Screen::Traffic),
        Action::ShowMessages => show(model, Screen::Messages),
        Action::ShowPresence => show(model, Screen::Presence),
        Action::ShowLogs => show(model, Screen::Logs),
        Action::ShowProblems => show(model, Screen::Problems),
        Action::ShowAnonymity => show(model, Screen::Anonymity),
        Action::ShowLessons => {
            show(model, Screen::Lessons);
            return screens::lessons::recall(model);
        }
        Action::Adversary => screens::anonymity::toggle_adversary(model),
        Action::Help => model.overlays.push(Overlay::help(model.context())),
        Action::Explain => model.overlays.push(Overlay::explanation(explain::selected(model))),
        Action::Palette => model.overlays.push(Overlay::palette(model.context())),
        Action::Quit => return quit(model),
        Action::Start => return act_on_node(model, action, NodeAction::Start),
        Action::StartAll => return start_all(model),
        Action::Stop => return act_on_node(model, action, NodeAction::Stop),
        Action::Kill => return act_on_node(model, action, NodeAction::Kill),
        Action::Restart => return act_on_node(model, action, NodeAction::Restart),
        Action::Pause => return act_on_node(model, action, pause_or_resume(model)),
        Action::NodeLogs => node_logs(model),
        Action::Zoom => model.zoom(),
        Action::Write => {
            show(model, Screen::Messages);
            model.screens.messages.write();
        }
        Action::Back if model.is_zoomed() => model.zoom(),
        Action::Back if model.is_paused() => return freeze(model, false),
        Action::Back if model.tour.can_be_left() => tour::leave(model),
        _ => return screens::act(model, action),
    }
    Vec::new()
}

/// Stops the view or lets it go on, and with it the recording, if it is one.
fn freeze(model: &mut Model, freeze: bool) -> Vec<Effect> {
    let moment = model.moment();
    model.freeze(freeze);
    let Some(playback) = &mut model.playback else { return Vec::new() };
    playback.pace.paused = freeze;
    let pace = playback.pace;
    // It was not silent, it was stopped.
    model.show_from(moment);
    vec![Effect::Pace(pace)]
}

/// Shows everything in other colours from now on.
pub(crate) fn choose_theme(model: &mut Model, theme: ThemeName) {
    if model.settings.no_color {
        model.say(Tone::Warning, "there is no colour: NO_COLOR or --no-color says so");
        return;
    }
    model.theme = theme;
    model.say(Tone::Good, format!("theme {theme}: {}", theme.description()));
}

fn change_speed(model: &mut Model, change: impl Fn(Speed) -> Speed) -> Vec<Effect> {
    // What was played at the speed before is not played again at this one.
    let moment = model.moment();
    let Some(playback) = &mut model.playback else { return Vec::new() };
    playback.pace.speed = change(playback.pace.speed);
    let pace = playback.pace;
    model.show_from(moment);
    vec![Effect::Pace(pace)]
}

/// Shows a screen; what lay over the one before goes.
pub(crate) fn show(model: &mut Model, screen: Screen) {
    model.overlays.clear();
    if model.screen == Screen::Lessons && screen != Screen::Lessons {
        lesson::seen(model);
    }
    model.screen = screen;
    screens::anonymity::show_figures(model);
}

fn quit(model: &mut Model) -> Vec<Effect> {
    let name = model.live.as_ref().map(|live| live.info.name.clone());
    let lesson = model.lessons.going_on().map(|running| running.play().lesson().title.clone());
    match name {
        Some(name) if model.settings.stops_on_quit && model.connection == Connection::Live => {
            model.overlays.push(Overlay::Question(Question {
                title: "Quit".into(),
                asks: format!("Quit and stop the devnet `{name}`?"),
                detail: stopped_then(&name, lesson.as_deref()),
                yes: "quit and stop".into(),
                no: "stay".into(),
                agreed: false,
                command: None,
                effect: Effect::Quit(Outcome::Quit),
            }));
            Vec::new()
        }
        _ => vec![Effect::Quit(Outcome::Quit)],
    }
}

/// What stops with the devnet, and what stays of it.
fn stopped_then(name: &str, lesson: Option<&str>) -> String {
    let underway = lesson.map(|title| format!("The lesson `{title}` is underway, and ends too"));
    if name == UNNAMED {
        let lesson = underway.map(|words| format!("{words}. ")).unwrap_or_default();
        return format!(
            "{lesson}Every process of it stops. It has no name of its own, so its folder is deleted, \
             with keys and mailboxes."
        );
    }
    let lesson = underway.map(|words| format!("{words}: first the network is put back. "));
    format!(
        "{}Every process of it stops. Its folder stays, with keys and mailboxes: `nym-devnet up \
         --name {}` goes on with them.",
        lesson.unwrap_or_default(),
        control::shell_word(name)
    )
}

fn act_on_node(model: &mut Model, action: Action, what: NodeAction) -> Vec<Effect> {
    let word = what.word();
    let Some(node) = node_meant(model) else {
        model.say(Tone::Warning, format!("select a node to {word} first"));
        return Vec::new();
    };
    let effect = Effect::Act { node: node.clone(), action: what };
    let command = model.command(&format!("{word} {node}"));
    if !action.spec().is_some_and(|spec| spec.destructive) {
        model.did(command);
        return vec![effect];
    }
    let role = model.devnet().and_then(|devnet| devnet.node(&node)).map(|node| node.status.role);
    let detail = consequence(what, role);
    let title = word[..1].to_uppercase() + &word[1..];
    model.overlays.push(Overlay::Question(Question {
        asks: format!("{title} {node}?"),
        title,
        detail,
        yes: format!("{word} {node}"),
        no: "leave it".into(),
        agreed: false,
        command: Some(command),
        effect,
    }));
    Vec::new()
}

/// What comes of an action, in a sentence or two.
fn consequence(action: NodeAction, role: Option<Role>) -> String {
    let leaves = match role {
        Some(Role::Directory) => {
            "It ends. Until it is back nobody can announce anything or learn who is there"
        }
        Some(Role::Client) => "It sends what it began for at most 3 s and ends",
        Some(Role::Crowd) => {
            "Its clients send no cover any more; it drains for at most 3 s and ends"
        }
        _ => "It leaves the directory, drains for at most 3 s and ends",
    };
    match action {
        NodeAction::Start => "It is started.".to_owned(),
        NodeAction::Stop => format!("{leaves}. It stays stopped until you start it."),
        NodeAction::Kill => "It gets SIGKILL: what it holds in memory is lost. It is then started \
                             again like after a crash."
            .to_owned(),
        NodeAction::Pause => "It stands still until you resume it.".to_owned(),
        NodeAction::Resume => "It goes on.".to_owned(),
        NodeAction::Restart => format!("{leaves}. It is started again at once."),
    }
}

/// Starts every process that does not run.
fn start_all(model: &mut Model) -> Vec<Effect> {
    let live = model.live.iter().flat_map(|live| &live.nodes);
    let ended = live.filter(|node| !node.status.state.is_running());
    let names: Vec<String> = ended.map(|node| node.name().to_owned()).collect();
    if names.is_empty() {
        model.say(Tone::Warning, "every process runs");
        return Vec::new();
    }
    model.did(model.command(&format!("start {}", names.join(" "))));
    let start = |node| Effect::Act { node, action: NodeAction::Start };
    names.into_iter().map(start).collect()
}

/// What the key that pauses does now, also while the view is frozen: who stands still goes on.
fn pause_or_resume(model: &Model) -> NodeAction {
    let name = node_meant(model);
    let node = name.as_deref().and_then(|name| model.live.as_ref()?.node(name));
    match node.map(|node| node.status.state) {
        Some(State::Paused) => NodeAction::Resume,
        _ => NodeAction::Pause,
    }
}

/// The process that an action is about: that of the card, or the selected one.
fn node_meant(model: &Model) -> Option<String> {
    let of_card = model.overlays.iter().rev().find_map(Overlay::node);
    of_card.or_else(|| screens::meant(model))
}

fn node_logs(model: &mut Model) {
    match node_meant(model) {
        Some(node) => {
            model.did(model.command(&format!("logs {node} -f")));
            model.screens.logs.narrow_to(Some(node));
            show(model, Screen::Logs);
        }
        None => model.say(Tone::Warning, "select a node first"),
    }
}

/// Selects what was clicked; a second click on what is selected opens it.
fn click(model: &mut Model, target: Target) -> Vec<Effect> {
    model.hush();
    match target {
        Target::Action(action) => perform(model, action),
        Target::Node(name) if model.selected.as_ref() == Some(&name) => {
            perform(model, Action::Open)
        }
        target => point(model, target),
    }
}

fn point(model: &mut Model, target: Target) -> Vec<Effect> {
    match target {
        Target::Screen(screen) => return perform(model, screen.action()),
        Target::Node(name) => model.selected = Some(name),
        Target::Column(column) => model.screens.nodes.sort_by(column),
        Target::Choice(row) => return overlay::point(model, row),
        Target::Action(_) => {}
        Target::Stop(stop) => overlay::point_at_stop(model, stop),
        target => screens::point(model, target),
    }
    Vec::new()
}

/// How long the supervisor may take to accept a message, in milliseconds.
pub(crate) const ACCEPT_WITHIN_MS: u64 = 10_000;
