//! What the keys do in one place, and what the devnet is.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Overlay;
use crate::action::{self, Action, Context};
use crate::drops::DropReason;
use crate::filter::{self, Filter};
use crate::input_line::Edit;
use crate::message::Effect;
use crate::model::Model;
use crate::motion::Motion;
use crate::scene::{Scene, centered};
use crate::screens;
use crate::state::Mark;
use crate::symbols::Symbols;
use crate::text;

/// Width of the help, where the terminal has it.
const WIDTH: u16 = 84;

/// Columns of the frame around it, with the space inside.
const FRAME: u16 = 4;

/// Columns of the keys, with the space behind them.
const LABEL: u16 = 18;

/// The help.
#[derive(Debug)]
pub(crate) struct Help {
    /// The place that it is about.
    pub(super) context: Context,
    /// Its first visible row.
    pub(super) row: usize,
    /// Narrows what is listed.
    pub(crate) filter: Filter,
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let (page, symbols) = (model.page(), model.symbols());
    let Some(Overlay::Help(help)) = model.overlays.last() else { return Vec::new() };
    let rows = help.lines(model, symbols).len();
    let Some(Overlay::Help(help)) = model.overlays.last_mut() else { return Vec::new() };
    if let Some(request) = screens::edit(action) {
        help.edit(Edit::Key(request));
        return Vec::new();
    }
    match action {
        Action::Filter => help.filter.open(),
        Action::Accept => help.filter.accept(),
        // First what was looked for goes, then the help.
        Action::Close | Action::LeaveInput if help.filter.drop() => help.row = 0,
        Action::Close => drop(model.overlays.pop()),
        _ => {}
    }
    let Some(Overlay::Help(help)) = model.overlays.last_mut() else { return Vec::new() };
    if let Some(motion) = Motion::of(action, page) {
        help.row = motion.from(help.row, rows.saturating_sub(page).max(1));
    }
    Vec::new()
}

impl Help {
    pub(super) fn new(context: Context) -> Self {
        Self { context, row: 0, filter: Filter::default() }
    }

    /// Edits what is looked for; says whether something had no room.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        self.row = 0;
        self.filter.edit(edit)
    }

    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let lines = self.lines(model, scene.symbols);
        let filtered = usize::from(self.filter.is_shown());
        let height = u16::try_from(lines.len() + 2 + filtered).unwrap_or(u16::MAX);
        let place = centered(area, WIDTH, height);
        let inner =
            scene.window(place, format!("Help {} {}", scene.symbols.dot, self.context.title()));
        let mut inner = inner;
        if self.filter.is_shown() {
            let line = Rect { height: inner.height.min(1), ..inner };
            self.filter.draw(filter::PROMPT, line, scene);
            inner.y = inner.y.saturating_add(1);
            inner.height = inner.height.saturating_sub(1);
            if lines.is_empty() {
                scene.nothing_yet(inner, "nothing of this place has these words");
            }
        }
        let visible = usize::from(inner.height);
        let first = self.row.min(lines.len().saturating_sub(visible));
        if first + visible < lines.len() {
            scene.edge_note(place, true, Line::styled("more below", scene.theme.muted));
        }
        for (row, (label, what, kind)) in (0..inner.height).zip(lines.iter().skip(first)) {
            let style = match kind {
                Kind::Title => scene.theme.title,
                Kind::Key => scene.theme.accent,
                Kind::Fact => scene.theme.muted,
                Kind::Mark(mark) => scene.theme.mark(*mark),
            };
            let columns = usize::from(inner.width.saturating_sub(LABEL));
            let line = Line::from(vec![
                Span::styled(format!("{label:<17} "), style),
                Span::styled(text::fit(what, columns, scene.symbols), Style::new()),
            ]);
            scene.put(inner, row, line);
        }
    }

    fn lines(&self, model: &Model, symbols: &Symbols) -> Vec<(String, String, Kind)> {
        let mut lines = Vec::new();
        for group in Group::ALL {
            let of_group = keys(model, self.context, symbols, |action| Group::of(action) == group);
            let of_group: Vec<_> = of_group.collect();
            if of_group.is_empty() {
                continue;
            }
            if !lines.is_empty() {
                lines.push(empty());
            }
            lines.push(match group {
                Group::Here => keys_title(self.context),
                group => (group.title().to_owned(), String::new(), Kind::Title),
            });
            lines.extend(of_group);
        }
        let related = match self.context {
            Context::Messages => Some(Context::Writing),
            Context::Nodes | Context::Logs => Some(Context::Filtering),
            _ => None,
        };
        if let Some(related) = related {
            lines.push(empty());
            lines.push(keys_title(related));
            lines.extend(keys(model, related, symbols, |_| true));
        }
        if matches!(self.context, Context::Network | Context::Nodes | Context::Presence) {
            lines.push(empty());
            lines.push(("What is shown".into(), String::new(), Kind::Title));
            lines.extend(legend(symbols));
        }
        lines.push(empty());
        lines.push(("This devnet".into(), String::new(), Kind::Title));
        lines.extend(about(model, symbols));
        let needle = self.filter.needle();
        let (needle, wanted) = filter::wanted(&needle);
        if !needle.is_empty() {
            // Titles go with what stands below them.
            lines.retain(|(label, what, kind)| {
                let contains =
                    label.to_lowercase().contains(needle) || what.to_lowercase().contains(needle);
                !matches!(kind, Kind::Title) && !what.is_empty() && contains == wanted
            });
        }
        let columns = WIDTH.min(model.size.width).saturating_sub(FRAME + LABEL);
        lines.into_iter().flat_map(|line| wrapped(line, columns.into())).collect()
    }
}

/// What belongs together in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// What this place is for.
    Here,
    /// How to get about in it.
    Moving,
    /// Where else to go.
    Screens,
    /// What is the same everywhere.
    Everywhere,
}

impl Group {
    const ALL: [Self; 4] = [Self::Here, Self::Moving, Self::Screens, Self::Everywhere];

    fn of(action: Action) -> Self {
        match action {
            Action::ShowNetwork
            | Action::ShowNodes
            | Action::ShowTraffic
            | Action::ShowMessages
            | Action::ShowPresence
            | Action::ShowLogs
            | Action::ShowProblems
            | Action::ShowAnonymity
            | Action::ShowLessons => Self::Screens,
            Action::Palette
            | Action::Help
            | Action::Quit
            | Action::NextTheme
            | Action::Tour
            | Action::Redraw
            | Action::Suspend
            | Action::Interrupt => Self::Everywhere,
            Action::Up
            | Action::Down
            | Action::Left
            | Action::Right
            | Action::NextPane
            | Action::PreviousPane
            | Action::Back
            | Action::Close => Self::Moving,
            action if Motion::of(action, 1).is_some() => Self::Moving,
            _ => Self::Here,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Here => "Here",
            Self::Moving => "Moving",
            Self::Screens => "Screens",
            Self::Everywhere => "Everywhere",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Title,
    Key,
    Fact,
    Mark(Mark),
}

/// The rows of a line whose text does not fit beside its label.
fn wrapped(line: (String, String, Kind), columns: usize) -> Vec<(String, String, Kind)> {
    let (label, what, kind) = line;
    let mut rows = vec![(label, String::new(), kind)];
    for word in what.split(' ') {
        match rows.last_mut() {
            Some((_, row, _)) if row.is_empty() => row.push_str(word),
            Some((_, row, _)) if text::width(row) + 1 + text::width(word) <= columns => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push((String::new(), word.to_owned(), kind)),
        }
    }
    rows
}

fn empty() -> (String, String, Kind) {
    (String::new(), String::new(), Kind::Fact)
}

fn keys_title(context: Context) -> (String, String, Kind) {
    (context.title().to_owned(), String::new(), Kind::Title)
}

fn keys(
    model: &Model,
    context: Context,
    symbols: &Symbols,
    wanted: impl Fn(Action) -> bool,
) -> impl Iterator<Item = (String, String, Kind)> {
    action::in_context(context).filter(move |spec| wanted(spec.action)).map(|spec| {
        let keys = model.settings.keymap.keys(spec).iter();
        let keys: Vec<String> = keys.map(|key| key.label(symbols)).collect();
        (keys.join(" "), spec.description.to_owned(), Kind::Key)
    })
}

fn legend(symbols: &Symbols) -> Vec<(String, String, Kind)> {
    let mark =
        |mark, what: &str| (symbols.mark(mark).to_owned(), what.to_owned(), Kind::Mark(mark));
    vec![
        mark(Mark::Ready, "ready: it does its work; of a client: a probe packet came round"),
        mark(Mark::Starting, "starting, listening, present: on its way to ready"),
        mark(Mark::Late, "late: the directory has missed two of its announcements"),
        mark(Mark::Gone, "gone: it runs, and the directory has forgotten it after 10 s"),
        mark(Mark::BackingOff, "backing off: it ended by itself and is about to be started again"),
        mark(Mark::Failed, "failed: it ended by itself too often"),
        mark(Mark::Paused, "paused: it stands still until it is resumed"),
        mark(Mark::Stopped, "planned, stopping, stopped"),
        (
            "pkt/s".into(),
            "packets that enter layer 1 per second, data, cover and acks alike".into(),
            Kind::Fact,
        ),
        (
            "rates".into(),
            "averages over 5 s; of mixnodes as the directory reports them".into(),
            Kind::Fact,
        ),
        (
            "pool".into(),
            "packets that wait at a mixnode, each as long as its header says".into(),
            Kind::Fact,
        ),
        (
            "late by".into(),
            "how much later packets left a mixnode than they asked: half of them at most".into(),
            Kind::Fact,
        ),
        (
            "replays".into(),
            "how far back a node remembers every packet, so that a copy is refused".into(),
            Kind::Fact,
        ),
        ("dropped".into(), dropped(), Kind::Fact),
        (
            text::UNKNOWN.into(),
            "not known, or not reported within the last seconds; zero is 0".into(),
            Kind::Fact,
        ),
    ]
}

/// What the reasons that one meets first mean.
fn dropped() -> String {
    let reasons = [DropReason::Mac, DropReason::Replay, DropReason::Layer, DropReason::Queue];
    reasons.map(|reason| format!("{}: {}", reason.word(), reason.meaning())).join("; ")
}

fn about(model: &Model, symbols: &Symbols) -> Vec<(String, String, Kind)> {
    let fact = |label: &str, what: String| (label.to_owned(), what, Kind::Fact);
    let Some(devnet) = model.devnet() else {
        return vec![fact("", "not heard yet".into())];
    };
    let info = &devnet.info;
    let mut facts = vec![
        fact("name", text::visible(&info.name, symbols)),
        fact("folder", text::visible(&info.folder.display().to_string(), symbols)),
        fact("supervisor", format!("process {}", info.supervisor_pid)),
        fact("up for", text::age(model.moment().since_unix_ms(info.started_unix_ms))),
        fact(
            "rates",
            format!(
                "{}: a mixnode delays {:.0} ms, a client sends every {:.0} ms and a loop every \
                 {:.0} ms, all on average",
                info.profile, info.hop_delay_ms, info.slot_ms, info.loop_cover_ms
            ),
        ),
        fact("clients", format!("{} named, {} in the crowd", info.clients, info.crowd)),
        fact("lost events", devnet.lost.to_string()),
    ];
    facts.extend(info.notices.iter().map(|notice| fact("note", text::visible(notice, symbols))));
    facts
}
