//! Everything that the screen shows.

use std::time::Duration;

use contract::Time;
use control::{State, StreamEvent};
use directory_api::Update;
use jiff::tz::TimeZone;
use lessons::Progress;
use ratatui::layout::Size;

use crate::action::{Action, Context};
use crate::connection::{Connection, Retries, STALE_AFTER};
use crate::keymap::Keymap;
use crate::overlay::Overlay;
use crate::playback::Playback;
use crate::remembered::{Remembered, Store};
use crate::screens::{self, Screen, Screens};
use crate::state::lessons::Lessons;
use crate::state::{Devnet, Moment, Node};
use crate::symbols::{self, Symbols};
use crate::theme::{Theme, ThemeName};
use crate::tour::Tour;

/// How long a notice stays.
const NOTICE_FOR: Duration = Duration::from_secs(8);

/// Choices that the palette offers first: as many as a glance takes in.
const MAX_CHOSEN: usize = 8;

/// Rows of the screen that no list can have: header, tabs, borders, hints.
const CHROME_ROWS: u16 = 6;

/// What the caller and the environment decided.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Settings {
    /// Show everything, change nothing.
    pub(crate) read_only: bool,
    /// Quitting ends the devnet.
    pub(crate) stops_on_quit: bool,
    /// ASCII only.
    pub(crate) ascii: bool,
    /// No colour.
    pub(crate) no_color: bool,
    /// Take clicks and the wheel.
    pub(crate) mouse: bool,
    /// Colours at the start; none for those of the last time.
    pub(crate) theme: Option<ThemeName>,
    /// How it was the last time.
    pub(crate) remembered: Remembered,
    /// Where it is remembered; none to remember nothing.
    pub(crate) store: Option<Store>,
    /// Where lessons are remembered; none to remember nothing.
    pub(crate) lessons: Option<tutor::Store>,
    /// How far somebody has come with lessons.
    pub(crate) learnt: Progress,
    /// What to say at the start.
    pub(crate) notice: Option<String>,
    /// Which keys do what.
    pub(crate) keymap: Keymap,
    /// What is shown is a recording.
    pub(crate) playback: Option<Playback>,
    /// For times of day.
    pub(crate) zone: TimeZone,
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done.
    Good,
    /// Not now.
    Warning,
    /// Failed.
    Bad,
}

/// A sentence in the hint line, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What it says.
    pub(crate) text: String,
    /// How it is meant.
    pub(crate) tone: Tone,
    /// Until when it stays.
    until: Time,
}

/// The view as it was when it was frozen.
#[derive(Clone, Debug)]
struct Frozen {
    devnet: Box<Devnet>,
    moment: Moment,
    missed: Missed,
}

/// What happened since the view was frozen. It is collected and shown afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Events of the devnet.
    pub(crate) events: u64,
    /// Packets that entered the mixnet, as far as mixnodes of layer 1 report them.
    pub(crate) packets: u64,
    /// Messages that arrived.
    pub(crate) messages: u64,
}

/// Everything that the screen shows.
#[derive(Debug)]
pub(crate) struct Model {
    /// What the caller and the environment decided.
    pub(crate) settings: Settings,
    /// The recording that is shown, if it is one.
    pub(crate) playback: Option<Playback>,
    /// The connection to the supervisor.
    pub(crate) connection: Connection,
    /// How often it was tried in vain.
    pub(crate) retries: Retries,
    /// The devnet; none before its first snapshot.
    pub(crate) live: Option<Devnet>,
    frozen: Option<Frozen>,
    /// The dashboard's own clock, as of the latest message.
    pub(crate) now: Time,
    heard_at: Time,
    /// The terminal's size.
    pub(crate) size: Size,
    /// Which screen is shown.
    pub(crate) screen: Screen,
    /// What each screen remembers.
    pub(crate) screens: Screens,
    /// The selected process, on every screen that has one.
    pub(crate) selected: Option<String>,
    /// What lies over the screen, the topmost last.
    pub(crate) overlays: Vec<Overlay>,
    /// Colours, unless there are none.
    pub(crate) theme: ThemeName,
    /// Screens whose focused pane fills them.
    pub(crate) zoomed: Vec<Screen>,
    /// What was chosen in the palette, by name, the latest first.
    pub(crate) chosen: Vec<String>,
    /// The tour, if somebody takes it.
    pub(crate) tour: Tour,
    /// Lessons, and the one that runs.
    pub(crate) lessons: Lessons,
    /// What to say right now.
    notice: Option<Notice>,
    /// The command that would have done what was done last.
    last_command: Option<(String, Time)>,
}

impl Model {
    /// At the start.
    pub(crate) fn new(settings: Settings, size: Size) -> Self {
        let before = &settings.remembered;
        let screen = |name: &String| {
            Screen::ALL.into_iter().find(|screen| screen.context().title() == name.as_str())
        };
        let theme = settings.theme.or_else(|| before.theme.parse().ok()).unwrap_or_default();
        let mut screens = Screens::default();
        screens.nodes.sort_like(&before.sorted_by, before.reversed);
        let mut model = Self {
            playback: settings.playback.clone(),
            theme,
            zoomed: before.zoomed.iter().filter_map(screen).take(Screen::ALL.len()).collect(),
            chosen: before.chosen.iter().take(MAX_CHOSEN).cloned().collect(),
            screen: screen(&before.screen).unwrap_or(Screen::Network),
            screens,
            tour: Tour::new(before.toured),
            lessons: Lessons { progress: settings.learnt.clone(), ..Lessons::default() },
            connection: Connection::Connecting,
            retries: Retries::default(),
            live: None,
            frozen: None,
            now: Time::default(),
            heard_at: Time::default(),
            size,
            selected: None,
            overlays: Vec::new(),
            notice: None,
            last_command: None,
            settings,
        };
        if let Some(notice) = model.settings.notice.take() {
            model.say(Tone::Warning, notice);
        }
        model
    }

    /// What to remember of this.
    pub(crate) fn remembered(&self) -> Remembered {
        let (sorted_by, reversed) = self.screens.nodes.sorting();
        let name = |screen: Screen| screen.context().title().to_owned();
        Remembered {
            screen: name(self.screen),
            theme: self.theme.to_string(),
            zoomed: self.zoomed.iter().copied().map(name).collect(),
            sorted_by: sorted_by.to_owned(),
            reversed,
            chosen: self.chosen.clone(),
            toured: self.tour.is_known(),
        }
    }

    /// Colours.
    pub(crate) fn theme(&self) -> &'static Theme {
        if self.settings.no_color { ThemeName::Monochrome } else { self.theme }.theme()
    }

    /// How the key of an action is written; empty if it has none.
    pub(crate) fn key(&self, action: Action) -> String {
        self.settings.keymap.label(action, self.symbols())
    }

    /// Glyphs.
    pub(crate) fn symbols(&self) -> &'static Symbols {
        if self.settings.ascii { &symbols::ASCII } else { &symbols::UNICODE }
    }

    /// The devnet as it is shown, frozen or not.
    pub(crate) fn devnet(&self) -> Option<&Devnet> {
        self.frozen.as_ref().map(|frozen| &*frozen.devnet).or(self.live.as_ref())
    }

    /// The moment at which the devnet is shown. It follows the devnet's clock while that is heard:
    /// when the supervisor is silent, its nodes do not grow old.
    pub(crate) fn moment(&self) -> Moment {
        if let Some(frozen) = &self.frozen {
            return frozen.moment;
        }
        let Some(live) = &self.live else { return Moment::default() };
        let until = self.connection.lost_since().unwrap_or(self.now);
        let since = until.saturating_since(self.heard_at).min(STALE_AFTER);
        match &self.playback {
            // Its time stands still.
            Some(playback) if playback.ended.is_some() || playback.pace.paused => live.heard,
            Some(playback) => live.heard.after(since.mul_f64(playback.pace.speed.factor())),
            None => live.heard.after(since),
        }
    }

    /// The devnet said something now.
    pub(crate) fn heard(&mut self) {
        self.heard_at = self.now;
    }

    /// The recording goes on from this moment.
    pub(crate) fn show_from(&mut self, moment: Moment) {
        if let Some(live) = &mut self.live {
            live.heard = moment;
        }
        self.heard();
    }

    /// Why nothing runs, if there are processes and all of them have ended: what the last one to
    /// end says.
    pub(crate) fn all_ended(&self) -> Option<String> {
        let nodes = &self.live.as_ref()?.nodes;
        let ended =
            |node: &&Node| !node.status.state.is_running() && node.status.state != State::Planned;
        let last = nodes.iter().filter(ended).max_by_key(|node| node.status.since_unix_ms)?;
        if nodes.iter().any(|node| node.status.state.is_running()) {
            return None;
        }
        Some(format!("nothing runs: {} {}", last.name(), last.status.reason))
    }

    /// How long the devnet has been silent, if that is too long. One without a process may be.
    pub(crate) fn stale(&self) -> Option<Duration> {
        if self.playback.is_some() {
            return None;
        }
        let silent = self.now.saturating_since(self.heard_at);
        let live = self.live.as_ref()?;
        let expected = live.nodes.iter().any(|node| node.status.state.is_running());
        (expected && silent > STALE_AFTER).then_some(silent)
    }

    /// Whether the view is frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Whether what is shown stands still: the view is frozen, or the recording paused, perhaps
    /// before there was anything to show.
    pub(crate) fn is_paused(&self) -> bool {
        self.playback.as_ref().map_or_else(|| self.is_frozen(), |playback| playback.pace.paused)
    }

    /// Freezes the view, or lets it go on.
    pub(crate) fn freeze(&mut self, freeze: bool) {
        let moment = self.moment();
        self.frozen = match (&self.live, freeze) {
            (Some(live), true) => {
                let missed = Missed::default();
                Some(Frozen { devnet: Box::new(live.clone()), moment, missed })
            }
            _ => None,
        };
    }

    /// Whether what is shown moves by itself, with time alone.
    pub(crate) fn moves(&self) -> bool {
        let shown = self.live.as_ref().filter(|_| self.screen == Screen::Network);
        !self.is_paused() && shown.is_some_and(|live| screens::network::moves(live, self.moment()))
    }

    /// What happened since the view was frozen, if it is.
    pub(crate) fn missed(&self) -> Option<Missed> {
        self.frozen.as_ref().map(|frozen| frozen.missed)
    }

    /// Something happens. While the view is frozen, that is counted.
    pub(crate) fn miss(&mut self, event: &StreamEvent) {
        let (Some(frozen), Some(live)) = (&mut self.frozen, &self.live) else { return };
        let missed = &mut frozen.missed;
        missed.events += 1;
        match event {
            StreamEvent::Received(_) => missed.messages += 1,
            StreamEvent::Directory { node: Some(name), update: Update::Metric(metric) }
                if live.node(name).is_some_and(|node| node.status.layer == Some(1)) =>
            {
                missed.packets = missed.packets.saturating_add(metric.received);
            }
            _ => {}
        }
    }

    /// Remembers what was chosen in the palette.
    pub(crate) fn chose(&mut self, name: String) {
        self.chosen.retain(|chosen| *chosen != name);
        self.chosen.insert(0, name);
        self.chosen.truncate(MAX_CHOSEN);
    }

    /// Whether the focused pane fills the screen that is shown.
    pub(crate) fn is_zoomed(&self) -> bool {
        self.zoomed.contains(&self.screen)
    }

    /// Lets the focused pane of the screen that is shown fill it, or ends that.
    pub(crate) fn zoom(&mut self) {
        let before = self.zoomed.len();
        self.zoomed.retain(|screen| *screen != self.screen);
        if self.zoomed.len() == before {
            self.zoomed.push(self.screen);
        }
    }

    /// The selected process, if it exists.
    pub(crate) fn selected_node(&self) -> Option<&Node> {
        self.devnet()?.node(self.selected.as_deref()?)
    }

    /// Whether what is selected stands still, so that the key for it lets it go on.
    pub(crate) fn is_selected_paused(&self) -> bool {
        let node = screens::meant(self).and_then(|name| self.devnet()?.node(&name));
        node.is_some_and(|node| node.status.state == State::Paused)
    }

    /// Where keys go now.
    pub(crate) fn context(&self) -> Context {
        self.overlays.last().map_or_else(|| screens::context(self), Overlay::context)
    }

    /// Rows of a page.
    pub(crate) fn page(&self) -> usize {
        self.size.height.saturating_sub(CHROME_ROWS).max(1).into()
    }

    /// What to say right now.
    pub(crate) fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref().filter(|notice| self.now < notice.until)
    }

    /// Says something for a while.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone, until: self.now + NOTICE_FOR });
    }

    /// What was said has been seen.
    pub(crate) fn hush(&mut self) {
        self.notice = None;
    }

    /// This command would have done what was just done.
    pub(crate) fn did(&mut self, command: String) {
        self.last_command = Some((command, self.now));
    }

    /// The command that would have done what was done last, and whether that was just now.
    pub(crate) fn last_command(&self) -> Option<(&str, bool)> {
        let (command, at) = self.last_command.as_ref()?;
        Some((command, self.now.saturating_since(*at) < NOTICE_FOR))
    }

    /// A command of this devnet, as somebody would type it.
    pub(crate) fn command(&self, words: &str) -> String {
        match &self.live {
            Some(live) if live.info.name != "default" => {
                format!("nym-devnet --name {} {words}", control::shell_word(&live.info.name))
            }
            _ => format!("nym-devnet {words}"),
        }
    }

    /// Whether an action can be used at all.
    pub(crate) fn allows(&self, action: Action) -> bool {
        self.refusal(action).is_none()
    }

    /// Why an action cannot be used at all.
    pub(crate) fn refusal(&self, action: Action) -> Option<&'static str> {
        let is_change = action.spec().is_some_and(|spec| spec.changes);
        match (&self.playback, action) {
            (None, Action::Slower | Action::Faster) => Some("only a recording has a speed"),
            (Some(_), _) if is_change => Some("this is a recording: nothing can be changed in it"),
            (None, _) if is_change && self.settings.read_only => {
                Some("read-only: this dashboard changes nothing")
            }
            _ => None,
        }
    }
}
