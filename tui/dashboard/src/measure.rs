//! For `benches/frames.rs`: a dashboard without a terminal, in front of a devnet that is made up.

use std::io::{self, Sink};
use std::time::Duration;

use contract::{LinkEvent, Time};
use control::{Envelope, FOLLOWED_PACKETS, StreamEvent};
use crossterm::event::KeyCode;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use crate::draw::draw;
use crate::fixture::{self, Fixture, journeys};
use crate::keys::Key;
use crate::message::Message;
use crate::model::Model;
use crate::overlay::Overlay;
use crate::screens::Screen;
use crate::update::{show, update};
use crate::{Options, settings};

/// Messages that were sent.
const MESSAGES: usize = 50;

/// Lines of the logs: as many as are kept.
const LINES: usize = 5000;

/// Lets one line in ten pass.
const FILTER: &str = "start [0-9]*5 packets";

/// Packets whose ways are known, of a message each but for the last message, which has as many as are
/// followed of one.
const JOURNEYS: usize = 2000;

/// How often a process reports what left on its links, a second.
const LINK_REPORTS: u64 = 10;

/// A dashboard in front of a devnet.
#[derive(Debug)]
pub struct Measured {
    model: Model,
    fixture: Fixture,
    terminal: Terminal<CrosstermBackend<Sink>>,
    second: u64,
    /// The message whose journey is shown.
    followed: String,
}

impl Measured {
    /// On a terminal of this size, in front of so many mixnodes in each of so many layers, two clients
    /// and a crowd, after some seconds of traffic.
    pub fn new(size: (u16, u16), width: u16, layers: usize) -> io::Result<Self> {
        let area = Rect::new(0, 0, size.0, size.1);
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let terminal = Terminal::with_options(CrosstermBackend::new(io::sink()), options)?;
        let model = Model::new(settings(Options::default()), area.as_size());
        let fixture = Fixture::sized(width, layers);
        let mut measured = Self { model, fixture, terminal, second: 0, followed: String::new() };
        measured.tell(Message::Connected);
        let snapshot = Box::new(measured.fixture.snapshot(Duration::ZERO));
        let first = measured.fixture.at(Duration::ZERO, StreamEvent::Snapshot(snapshot));
        measured.hear(first);
        for _ in 0..12 {
            measured.second(0).into_iter().for_each(|event| measured.hear(event));
        }
        measured.fill();
        Ok(measured)
    }

    /// Messages and log lines, so that no screen is empty.
    fn fill(&mut self) {
        let mut events = Vec::new();
        for number in 0..MESSAGES {
            let message = fixture::message("alice", "bob", &"hello ".repeat(number));
            events.push(StreamEvent::Message(match number % 3 {
                0 => fixture::acknowledged(message),
                1 => fixture::sent(message),
                _ => fixture::failed(message),
            }));
            events.push(fixture::received("bob", &"hello ".repeat(number)));
        }
        let last = fixture::message("alice", "bob", "followed");
        self.followed.clone_from(&last.id);
        let ways = (0..JOURNEYS).map(|number| journeys::whole(&format!("{number:032x}"), 0, 1));
        let of_last = (0..FOLLOWED_PACKETS).map(|part| journeys::whole(&last.id, part, 1));
        let ways = ways.chain(of_last).flat_map(journeys::events);
        events.extend(ways.map(StreamEvent::Journey));
        events.push(StreamEvent::Message(fixture::acknowledged(last)));
        for number in 0..LINES {
            let at = Duration::from_secs(self.second);
            let line = format!("INFO mixnode: since the start {number} packets received");
            events.push(fixture::log("mix-1-1", at, &line));
        }
        for event in events {
            let event = self.fixture.at(Duration::from_secs(self.second), event);
            self.hear(event);
        }
    }

    /// What can be shown, by name: the screens in the order of their tabs, then what costs more.
    pub fn views() -> impl Iterator<Item = String> {
        let screens = Screen::ALL.into_iter().map(|screen| format!("{screen:?}"));
        screens.chain(["Logs, filtered", "Card", "Journey"].map(str::to_owned))
    }

    /// Shows the view with this number, from 0.
    pub fn show(&mut self, view: usize) {
        let beyond = view.checked_sub(Screen::ALL.len());
        show(&mut self.model, Screen::ALL.get(view).copied().unwrap_or(Screen::Logs));
        match beyond {
            None => {}
            Some(0) => {
                self.tell(Message::Key(Key::of('/')));
                self.tell(Message::Paste(FILTER.to_owned()));
                self.tell(Message::Key(Key::code(KeyCode::Enter)));
            }
            Some(1) => self.model.overlays.push(Overlay::card("mix-1-1".to_owned())),
            Some(_) => self.model.overlays.push(Overlay::journey(self.followed.clone())),
        }
    }

    /// Draws a frame, as the terminal gets it.
    pub fn frame(&mut self) -> io::Result<()> {
        let model = &self.model;
        self.terminal.draw(|frame| drop(draw(model, frame))).map(drop)
    }

    /// What the devnet says in its next second: every process its counters, every node its presence,
    /// and so many packets on the links of each process in ten reports.
    pub fn second(&mut self, packets: u64) -> Vec<Envelope> {
        self.second += 1;
        let mut events = self.fixture.second(self.second);
        let begin = events.first().map_or(Time::default(), |event| event.t);
        for tenth in 0..LINK_REPORTS {
            let t = begin + Duration::from_millis(100 * tenth);
            for (src, next) in self.fixture.routes() {
                let packets = packets * (tenth + 1) / LINK_REPORTS - packets * tenth / LINK_REPORTS;
                let links = (0..packets).zip(next.iter().cycle());
                let links = links.map(|(_, dst)| LinkEvent {
                    t,
                    from: None,
                    dst: dst.clone(),
                    bytes: 2396,
                });
                let event = StreamEvent::Links { src, links: links.collect() };
                events.push(self.fixture.at(Duration::from_secs(self.second), event));
            }
        }
        events
    }

    /// The devnet says something.
    pub fn hear(&mut self, event: Envelope) {
        self.tell(Message::Heard(Box::new(event)));
    }

    fn tell(&mut self, message: Message) {
        let now = Time::default() + Duration::from_secs(self.second);
        update(&mut self.model, now, message);
    }
}
