//! Tests of the whole screen: what it shows, and what keys do to it.

mod adversary;
mod anonymity;
mod changed;
mod comfort;
mod documents;
mod explanations;
mod fixtures;
mod journeys;
mod lessons;
mod logs;
mod messages;
mod network;
mod presence;
mod problems;
mod recordings;
mod screens;
mod scripts;
mod stories;
mod tour;
mod traffic;

use std::time::Duration;

use contract::Time;
use control::{NodeStatus, State, StreamEvent};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::draw::draw;
use crate::fixture::{self, Fixture};
use crate::keymap::Keymap;
use crate::keys::Key;
use crate::message::{Effect, Message};
use crate::model::{Model, Settings};
use crate::remembered::Remembered;
use crate::update::update;

/// Settings of a terminal that can do everything, in a time zone that does not move.
pub(crate) fn settings() -> Settings {
    Settings {
        read_only: false,
        stops_on_quit: true,
        ascii: false,
        no_color: false,
        mouse: true,
        theme: None,
        remembered: Remembered::default(),
        store: None,
        lessons: None,
        learnt: ::lessons::Progress::default(),
        notice: None,
        keymap: Keymap::default(),
        playback: None,
        zone: TimeZone::UTC,
    }
}

/// A model that is told what happens, at times that are written down.
pub(crate) struct Desk {
    pub(crate) model: Model,
    pub(crate) fixture: Fixture,
    /// Seconds since the devnet was started, as far as its events go.
    pub(crate) second: u64,
}

impl Desk {
    /// In front of a devnet, before anything is connected.
    pub(crate) fn new(fixture: Fixture, settings: Settings) -> Self {
        let model = Model::new(settings, (120, 40).into());
        Self { model, fixture, second: 0 }
    }

    /// In front of two by three, after some seconds of traffic.
    pub(crate) fn running() -> Self {
        Self::connected(Fixture::two_by_three(), settings())
    }

    /// In front of a devnet after some seconds of traffic.
    pub(crate) fn connected(fixture: Fixture, settings: Settings) -> Self {
        let mut desk = Self::begun(fixture, settings);
        desk.pass(12);
        desk
    }

    /// In front of a devnet that has just been heard of.
    pub(crate) fn begun(fixture: Fixture, settings: Settings) -> Self {
        let mut desk = Self::new(fixture, settings);
        desk.tell(Message::Connected);
        let snapshot = desk.fixture.snapshot(Duration::ZERO);
        desk.hear(StreamEvent::Snapshot(Box::new(snapshot)));
        desk
    }

    /// In front of a devnet in which something has happened: a message went from alice to bob,
    /// another is underway, one mixnode was killed and another does not announce itself.
    pub(crate) fn eventful(settings: Settings) -> Self {
        let mut desk = Self::connected(Fixture::two_by_three(), settings);
        let first = fixture::message("alice", "bob", "hello bob");
        desk.hear(StreamEvent::Message(fixture::acknowledged(first)));
        desk.hear(fixture::received("bob", "hello bob"));
        let second = fixture::message("alice", "bob", "still there?");
        desk.hear(StreamEvent::Message(fixture::sent(second)));
        desk.hear(StreamEvent::Message(fixture::failed(fixture::message("bob", "alice", "no"))));
        for (node, line) in [
            ("directory", "INFO directory: listening on 127.0.0.1:8080"),
            ("mix-1-1", "INFO mixnode: connected to 127.0.0.1:9982"),
            ("mix-2-2", "WARN mixnode: \u{1b}[31m127.0.0.1:9984 does not take packets"),
            ("alice", "ERROR client: no acknowledgement of fragment 0 after 1.8 s"),
        ] {
            let at = Duration::from_secs(desk.second);
            desk.hear(fixture::log(node, at, line));
        }
        let killed = NodeStatus {
            state: State::BackingOff,
            reason: "killed by SIGKILL; starts again in 0.5 s".into(),
            pid: None,
            restarts: 1,
            last_exit: Some("killed by SIGKILL".into()),
            ..desk.fixture.status("mix-2-2")
        };
        desk.hear(StreamEvent::Node(killed));
        desk.fixture.silent = vec!["mix-3-1", "mix-2-2"];
        desk.pass(5);
        desk.model.selected = Some("mix-3-1".into());
        desk
    }

    /// The dashboard's clock stands where the devnet's does.
    fn now(&self) -> Time {
        Time::default() + Duration::from_secs(self.second)
    }

    /// Something happens.
    pub(crate) fn tell(&mut self, message: Message) -> Vec<Effect> {
        let now = self.now();
        update(&mut self.model, now, message)
    }

    /// The devnet says something.
    pub(crate) fn hear(&mut self, event: StreamEvent) -> Vec<Effect> {
        let envelope = self.fixture.at(Duration::from_secs(self.second), event);
        self.tell(Message::Heard(Box::new(envelope)))
    }

    /// Seconds of ordinary traffic pass.
    pub(crate) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second += 1;
            for envelope in self.fixture.second(self.second) {
                self.tell(Message::Heard(Box::new(envelope)));
            }
        }
    }

    /// A key is pressed.
    pub(crate) fn press(&mut self, key: Key) -> Vec<Effect> {
        self.tell(Message::Key(key))
    }

    /// Characters are typed. Returns what the last one asks for.
    pub(crate) fn type_text(&mut self, text: &str) -> Vec<Effect> {
        text.chars().map(|c| self.press(Key::of(c))).last().unwrap_or_default()
    }

    /// What the screen shows at a size.
    pub(crate) fn screen(&mut self, width: u16, height: u16) -> Buffer {
        self.tell(Message::Resize((width, height).into()));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
        terminal.draw(|frame| drop(draw(&self.model, frame))).expect("a test backend");
        terminal.backend().buffer().clone()
    }
}

/// The characters of a screen, a line a row.
pub(crate) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let rows = buffer.content.chunks(width).map(|row| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    rows.collect()
}
