//! For `benches/frames.rs`: a dashboard without a terminal, in front of a devnet that is made up.

use std::io::{self, Sink};
use std::time::Duration;

use contract::{LinkEvent, Time};
use control::{Envelope, StreamEvent};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use crate::draw::draw;
use crate::fixture::{self, Fixture};
use crate::message::Message;
use crate::model::Model;
use crate::screens::Screen;
use crate::update::{show, update};
use crate::{Options, settings};

/// Messages that were sent.
const MESSAGES: usize = 50;

/// Lines of the logs.
const LINES: usize = 1000;

/// How often a process reports what left on its links, a second.
const LINK_REPORTS: u64 = 10;

/// A dashboard in front of a devnet.
#[derive(Debug)]
pub struct Measured {
    model: Model,
    fixture: Fixture,
    terminal: Terminal<CrosstermBackend<Sink>>,
    second: u64,
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
        let mut measured = Self { model, fixture, terminal, second: 0 };
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

    /// The screens, by name, in the order of their tabs.
    pub fn screens() -> impl Iterator<Item = String> {
        Screen::ALL.into_iter().map(|screen| format!("{screen:?}"))
    }

    /// Shows the screen with this number, from 0.
    pub fn show(&mut self, screen: usize) {
        show(&mut self.model, Screen::ALL[screen]);
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
                let links = links.map(|(_, dst)| LinkEvent { t, dst: dst.clone(), bytes: 2396 });
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
