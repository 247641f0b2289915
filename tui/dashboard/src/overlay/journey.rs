//! The way of a message, hop by hop: one of its packets with a time line, and what each stop knew.

mod chart;
mod copied;
mod detail;
mod knowledge;
mod without;

use contract::Content;
use control::{FOLLOWED_PACKETS, LegEnd, MessageStatus, Way};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::Overlay;
use crate::action::Action;
use crate::drops::DropReason;
use crate::explain::{Fact, Idea, Topic};
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::Motion;
use crate::scene::Scene;
use crate::screens::messages::progress;
use crate::state::{Course, Devnet, Fate, Part, StopId, Whereabouts};
use crate::text;

/// Most of a message's text in the title, in columns.
const TITLE_TEXT: usize = 32;

/// Rows inside the frame from which on the route stands above the chart as well.
const ROOM_FOR_ROUTE: u16 = 22;

/// The way of one message.
#[derive(Debug)]
pub(crate) struct Journey {
    /// Its id.
    message: String,
    /// Which of its packets, by fragment and attempt; none for the latest attempt of the first.
    packet: Option<(u32, u32)>,
    /// Which stop; none for where the packet is.
    stop: Option<StopId>,
}

/// What is shown of a message.
struct View<'a> {
    devnet: &'a Devnet,
    /// The message itself, unless it is forgotten.
    letter: Option<&'a MessageStatus>,
    /// The packets of which something is known, by fragment and attempt.
    packets: Vec<&'a control::Journey>,
    /// Which of them is shown, with its stops and the selected one.
    shown: Option<Shown<'a>>,
}

struct Shown<'a> {
    at: usize,
    course: Course<'a>,
    whereabouts: Whereabouts,
    stop: usize,
}

impl Journey {
    /// The way of the message with this id.
    pub(super) fn new(message: String) -> Self {
        Self { message, packet: None, stop: None }
    }

    /// The message's id.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// What there is to explain: why the packet ended at the selected stop, else what that stop is.
    pub(crate) fn topic(&self, model: &Model) -> Topic {
        let shown = self.view(model).and_then(|view| view.shown);
        let Some(shown) = shown else { return Topic::Journey };
        let Some(stop) = shown.course.stops.get(shown.stop) else { return Topic::Journey };
        match &stop.fate {
            Fate::Dropped { reason, .. } => {
                DropReason::of(reason).map_or(Topic::Fact(Fact::Dropped), Topic::Drop)
            }
            Fate::Silent => Topic::Idea(Idea::Tracing),
            Fate::Told(_) | Fate::Ahead { .. } => Topic::Stop(stop.id.way, stop.id.part),
        }
    }

    fn view<'a>(&'a self, model: &'a Model) -> Option<View<'a>> {
        let devnet = model.devnet()?;
        let letter = devnet.letters.get(&self.message);
        let letter = letter.and_then(|letter| letter.status.as_ref());
        let mut packets: Vec<_> = devnet.journeys.of(&self.message).collect();
        packets.sort_by_key(|packet| (packet.fragment, packet.attempt));
        let at = match self.packet {
            Some(wanted) => {
                packets.iter().position(|packet| (packet.fragment, packet.attempt) == wanted)
            }
            None => None,
        };
        let first = packets.first().map(|packet| packet.fragment);
        let at = at.or_else(|| packets.iter().rposition(|packet| Some(packet.fragment) == first));
        let shown = at.map(|at| {
            let recipient = letter.map(|letter| letter.to.as_str());
            // Nobody knows the recipient of a reply by name before it is opened.
            let recipient = recipient.filter(|name| devnet.node(name).is_some());
            let course = Course::new(packets[at], recipient);
            let whereabouts = course.whereabouts(model.moment().t);
            let selected = self.stop.and_then(|id| course.stops.iter().position(|s| s.id == id));
            let stop = selected.unwrap_or_else(|| whereabouts.stop(&course));
            Shown { at, course, whereabouts, stop }
        });
        Some(View { devnet, letter, packets, shown })
    }

    /// Draws it over an area.
    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let Some(view) = self.view(model) else {
            let inner = scene.window(area, "Journey");
            scene.nothing_yet(inner, "waiting for the first snapshot of the devnet");
            return;
        };
        let state = view.letter.map(|letter| {
            let (glyph, word, style) = progress(view.devnet, letter, scene);
            Line::styled(format!("{glyph} {word}"), style)
        });
        let room = usize::from(area.width).saturating_sub(6);
        let room = room.saturating_sub(state.as_ref().map_or(0, |state| state.width() + 2));
        let inner = scene.window(area, title(&view, room, scene));
        if let Some(state) = state {
            scene.edge_note(area, false, state);
        }
        let count = Line::styled(self.count(&view), scene.theme.muted);
        scene.edge_note(area, true, count);
        let Some(shown) = &view.shown else {
            without::draw(&view, inner, scene);
            return;
        };
        draw_course(&view, shown, inner, scene);
    }

    /// Which packet of how many, and which message.
    fn count(&self, view: &View<'_>) -> String {
        let mut parts = Vec::new();
        if let Some(shown) = &view.shown {
            let packet = view.packets[shown.at];
            let fragments = view.letter.map_or(0, |letter| letter.packets.len());
            let fragments = fragments.max(packet.fragment as usize + 1);
            let followed = FOLLOWED_PACKETS as usize;
            let attempts =
                view.packets.iter().filter(|other| other.fragment == packet.fragment).count();
            parts.push(format!("packet {} of {fragments}", packet.fragment + 1));
            if fragments > followed {
                parts.push(format!("the first {followed} are followed"));
            }
            if packet.attempt > 1 || attempts > 1 {
                parts.push(format!(
                    "attempt {} of {}",
                    packet.attempt,
                    attempts.max(packet.attempt as usize)
                ));
            }
        }
        let letters = view.devnet.letters.sent();
        let all = letters.count();
        if let Some(at) = view.devnet.letters.sent().position(|letter| letter.id == self.message) {
            parts.push(format!("message {} of {all}", at + 1));
        }
        parts.join(", ")
    }
}

impl Whereabouts {
    /// The stop that it is about; of a packet whose journey is over the first that changed it.
    fn stop(self, course: &Course<'_>) -> usize {
        match self {
            Self::Dropped(at) | Self::Underway(at) | Self::Stored(at) | Self::Overdue(at, _) => at,
            Self::Done => 1.min(course.stops.len().saturating_sub(1)),
        }
    }
}

/// Its text gives way to who writes to whom.
fn title(view: &View<'_>, room: usize, scene: &Scene<'_>) -> String {
    let hop = scene.symbols.hop;
    let dot = scene.symbols.dot;
    let title = match view.letter {
        Some(letter) => {
            let [from, to] =
                [&letter.from, &letter.to].map(|name| text::visible(name, scene.symbols));
            let whose = format!("\" {dot} {from} {hop} {to}");
            let left = room.saturating_sub(text::width("Journey of \"") + text::width(&whose));
            let words = text::visible(&letter.content.preview(), scene.symbols);
            let words = text::fit(&words, left.min(TITLE_TEXT), scene.symbols);
            format!("Journey of \"{words}{whose}")
        }
        None => "Journey of a message that is forgotten".to_owned(),
    };
    text::fit(&title, room, scene.symbols)
}

fn draw_course(view: &View<'_>, shown: &Shown<'_>, area: Rect, scene: &mut Scene<'_>) {
    let has_route = area.height >= ROOM_FOR_ROUTE;
    let stops = u16::try_from(shown.course.stops.len()).unwrap_or(u16::MAX);
    let above = if has_route { 4 } else { 1 };
    let detail = detail::rows(area);
    let [top, chart, gap, below] = Layout::vertical([
        Constraint::Length(above),
        Constraint::Length((stops + 1).min(area.height.saturating_sub(above + detail))),
        Constraint::Length(u16::from(has_route)),
        Constraint::Min(0),
    ])
    .areas(area);
    let sentence = summary(view, shown, scene);
    if has_route {
        scene.put(top, 0, route(shown, scene));
        scene.put(top, 2, sentence);
    } else {
        scene.put(top, 0, sentence);
    }
    chart::draw(view, shown, chart, scene);
    if has_route {
        let line = scene.symbols.pane.horizontal_top.repeat(gap.width.into());
        scene.put(gap, 0, Line::styled(line, scene.theme.muted));
    }
    detail::draw(view, shown, below, scene);
}

/// The way there as a line, the stop where the packet is now marked.
fn route(shown: &Shown<'_>, scene: &Scene<'_>) -> Line<'static> {
    let mut spans = Vec::new();
    let there = shown.course.stops.iter().enumerate().filter(|(_, stop)| stop.id.way == Way::There);
    for (at, stop) in there {
        if at > 0 {
            let glyph = match shown.whereabouts {
                Whereabouts::Underway(now) if now == at => scene.symbols.packet,
                _ => scene.symbols.hop,
            };
            spans.push(Span::styled(format!(" {glyph} "), scene.theme.muted));
        }
        let name = stop.node.map_or_else(|| "?".into(), |name| text::visible(name, scene.symbols));
        spans.push(Span::styled(name, chart::style(stop, scene)));
    }
    Line::from(spans)
}

/// Where the packet stands, and how its time divides, in a sentence.
fn summary(view: &View<'_>, shown: &Shown<'_>, scene: &Scene<'_>) -> Line<'static> {
    let course = &shown.course;
    let name = |at: usize| {
        let node = course.stops.get(at).and_then(|stop| stop.node);
        node.map_or_else(
            || "a node nobody knows yet".into(),
            |node| text::visible(node, scene.symbols),
        )
    };
    let since = text::took(scene.now.t.saturating_since(course.start));
    let packet = view.packets[shown.at];
    let again = view
        .packets
        .iter()
        .any(|other| other.fragment == packet.fragment && other.attempt > packet.attempt);
    let (style, sentence) = match shown.whereabouts {
        Whereabouts::Dropped(at) => {
            let again = if again { "; it was sent again on another route" } else { "" };
            (scene.theme.bad, format!("{} gave it up{again}", name(at)))
        }
        Whereabouts::Underway(at) => {
            let by = match course.stops.get(at).map(|stop| stop.id.part) {
                Some(Part::Mixnode) => format!("by its header it is at {} now", name(at)),
                _ => format!("on its way to {}", name(at)),
            };
            (scene.theme.warn, format!("underway for {since}: {by}"))
        }
        Whereabouts::Stored(at) => {
            let waits = text::took(scene.now.t.saturating_since(course.last_heard()));
            (
                scene.theme.warn,
                format!("stored for {}, who has not come for it for {waits}", name(at)),
            )
        }
        Whereabouts::Overdue(at, late) => {
            let late = text::took(late);
            let again = if again { "; it was sent again on another route" } else { "" };
            let words = format!("not heard of at {}, where it was due {late} ago{again}", name(at));
            (scene.theme.warn, words)
        }
        Whereabouts::Done => (scene.theme.ok, divided(packet)),
    };
    Line::styled(sentence, style)
}

/// How the time of a packet that arrived divides.
fn divided(packet: &control::Journey) -> String {
    let Some(timeline) = packet.timeline() else {
        return "arrived; when it left was not told".to_owned();
    };
    let there = &timeline.there;
    let waited = there.waited();
    let mut parts = vec![format!(
        "{} there: waited {} (asked {})",
        text::took(there.took()),
        text::took(waited),
        text::took(there.asked())
    )];
    let untold = there.untold();
    if !untold.is_zero() {
        parts.push(format!("untold {}", text::took_short(untold)));
    }
    let links = there.took().saturating_sub(waited).saturating_sub(untold);
    parts.push(format!("the rest {}", text::took_short(links)));
    let there = parts.join(", ");
    match timeline.back.filter(|back| back.end == LegEnd::Arrived) {
        Some(back) => format!("{there}; {} back", text::took(back.took())),
        None => there,
    }
}

/// Opens the way of a message, and says which command would follow it.
pub(crate) fn open(model: &mut Model, message: String) {
    let letter = model.devnet().and_then(|devnet| {
        let letter = devnet.letters.get(&message)?.status.as_ref()?;
        // Nobody can send to a name that stands for somebody unknown.
        devnet.node(&letter.to)?;
        // Of bytes, and of a long text, only what stands for it is kept.
        let words = match &letter.content {
            Content::Text(text) if text.len() as u64 == letter.bytes => control::shell_text(text),
            _ => "--file FILE".to_owned(),
        };
        Some(format!("send {} {} {words} --follow", letter.from, letter.to))
    });
    if let Some(words) = letter {
        model.did(model.command(&words));
    }
    model.overlays.push(Overlay::journey(message));
}

/// An action while this lies over the screen; none if it is for what lies below.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let Some(Overlay::Journey(journey)) = model.overlays.last() else { return None };
    let view = journey.view(model);
    let mut effects = Vec::new();
    match action {
        Action::Close => {
            model.overlays.pop();
        }
        Action::Left | Action::Right => step_packet(model, action == Action::Right),
        Action::NextMessage | Action::PreviousMessage => {
            step_message(model, action == Action::NextMessage);
        }
        Action::Open => {
            let node = view.and_then(|view| {
                let shown = view.shown?;
                let node = shown.course.stops.get(shown.stop)?.node?;
                view.devnet.node(node).map(|node| node.name().to_owned())
            });
            match node {
                Some(node) => model.overlays.push(Overlay::card(node)),
                None => model.say(Tone::Warning, "this devnet has no node of that name"),
            }
        }
        Action::Copy => {
            let text = view.and_then(|view| copied::text(&view));
            match text {
                Some(text) => {
                    effects.push(Effect::Copy { text, what: "the journey of this packet".into() });
                }
                None => model.say(Tone::Warning, "there is no journey to copy"),
            }
        }
        action => {
            let motion = Motion::of(action, model.page() / 2)?;
            let shown = view.and_then(|view| view.shown);
            let id = shown.and_then(|shown| {
                let next = motion.from(shown.stop, shown.course.stops.len());
                shown.course.stops.get(next).map(|stop| stop.id)
            });
            if let Some(Overlay::Journey(journey)) = model.overlays.last_mut() {
                journey.stop = id;
            }
        }
    }
    Some(effects)
}

/// A stop was pointed at.
pub(crate) fn point(model: &mut Model, stop: StopId) {
    if let Some(Overlay::Journey(journey)) = model.overlays.last_mut() {
        journey.stop = Some(stop);
    }
}

/// To the next or the previous packet of the message.
fn step_packet(model: &mut Model, forward: bool) {
    let Some(Overlay::Journey(journey)) = model.overlays.last() else { return };
    let next = journey.view(model).and_then(|view| {
        let at = view.shown?.at;
        let at = if forward { at.checked_add(1)? } else { at.checked_sub(1)? };
        view.packets.get(at).map(|packet| (packet.fragment, packet.attempt))
    });
    if let (Some(packet), Some(Overlay::Journey(journey))) = (next, model.overlays.last_mut()) {
        (journey.packet, journey.stop) = (Some(packet), None);
    } else {
        let which = if forward { "last" } else { "first" };
        model.say(Tone::Warning, format!("this is the {which} packet of the message"));
    }
}

/// To the next or the previous message.
fn step_message(model: &mut Model, forward: bool) {
    let Some(Overlay::Journey(journey)) = model.overlays.last() else { return };
    let next = model.devnet().and_then(|devnet| {
        let mut letters = devnet.letters.sent();
        let at = letters.position(|letter| letter.id == journey.message);
        let at = match (at, forward) {
            (Some(at), true) => at.checked_add(1)?,
            (Some(at), false) => at.checked_sub(1)?,
            // Forgotten, so older than any.
            (None, true) => 0,
            (None, false) => return None,
        };
        devnet.letters.sent().nth(at).map(|letter| letter.id.clone())
    });
    if let Some(message) = next {
        model.overlays.pop();
        open(model, message);
    } else {
        let which = if forward { "newest" } else { "oldest" };
        model.say(Tone::Warning, format!("this is the {which} message"));
    }
}
