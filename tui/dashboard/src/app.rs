//! The loop: keys, events and answers in, frames and requests out.

mod ask;
mod reading;
mod study;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::Time;
use control::StreamEvent;
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::action::Context;
use crate::draw::draw;
use crate::keys::Key;
use crate::message::{Effect, Message, Problem};
use crate::model::{Model, Settings};
use crate::regions::Regions;
use crate::screens::Screen;
use crate::source::Source;
use crate::update::{remember, update};
use crate::{Error, Outcome};
use reading::{confide, listen};
use study::Study;

/// Shortest time between two frames: thirty a second look immediate.
const FRAME: Duration = Duration::from_millis(33);

/// The same while nothing but packets moves. A devnet talks all the time, and drawing each word of
/// it would keep a core busy.
const MOTION_FRAME: Duration = Duration::from_millis(100);

/// The same while nothing but numbers changes. Nobody reads faster.
const NUMBERS_FRAME: Duration = Duration::from_millis(250);

/// Ages and rates change with time alone.
const TICK: Duration = Duration::from_secs(1);

/// Messages that are applied before keys are looked at again: some milliseconds' work at most.
const BATCH: usize = 256;

/// Messages that may wait for the loop. When it is full the event stream is not read, and the
/// supervisor sends a new snapshot to a reader that is too slow.
const QUEUE: usize = 1024;

/// The terminal as the loop needs it.
pub(crate) trait Console {
    /// What is drawn on.
    type Backend: Backend;

    /// To draw.
    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;

    /// A frame is about to be drawn; says whether the terminal is still ours.
    fn begin(&mut self) -> bool {
        self.is_ours()
    }

    /// A frame was drawn.
    fn drawn(&mut self) {}

    /// Whether the terminal is still ours: a part of us that panicked gave it back.
    fn is_ours(&self) -> bool {
        true
    }

    /// Says something once the terminal is given back.
    fn tell(&mut self, words: &str);

    /// Hands text to the terminal's clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Gives the terminal back to the shell until the user returns.
    fn suspend(&mut self) -> io::Result<()>;

    /// Gives the terminal to a pager that shows this file. What is returned ends when that does.
    fn page(&mut self, file: &Path) -> io::Result<BoxFuture<'static, io::Result<()>>>;

    /// Takes the terminal over again after a pager, or after somebody else had it.
    fn resume(&mut self) -> io::Result<()>;
}

/// Keys and mouse as the loop needs them.
pub(crate) trait Keyboard: Stream<Item = io::Result<Event>> + Unpin {
    /// Leaves them to another program until the next one is asked for.
    fn release(&mut self) {}
}

/// Runs until the user quits or the devnet ends.
pub(crate) async fn run_with<C, I, S>(
    console: &mut C,
    mut input: I,
    source: S,
    settings: Settings,
    mut signals: mpsc::Receiver<i32>,
) -> Result<Outcome, Error>
where
    C: Console,
    I: Keyboard,
    S: Source,
{
    let begin = Instant::now();
    let (queue, mut messages) = mpsc::channel(QUEUE);
    let size = console.terminal().size().map_err(|error| drawing(&error))?;
    let mut app = App {
        console,
        model: Model::new(settings, size),
        regions: Regions::default(),
        source,
        queue,
        begin,
        draw_at: Some(begin),
        drawn_at: begin,
        is_spoilt: false,
        to_page: None,
        study: Study::default(),
        confided: None,
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(outcome) = app.carry_out(vec![Effect::Connect { after: Duration::ZERO }])? {
        return Ok(outcome);
    }
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let frame = app.draw_at.unwrap_or_else(|| Instant::now() + TICK);
        let message = tokio::select! {
            biased;
            event = input.next() => match event {
                Some(Ok(event)) => {
                    app.is_spoilt |= matches!(event, Event::Resize(..));
                    app.translate(event)
                }
                Some(Err(error)) => return Err(keyboard(error)),
                None => return Err(keyboard(io::ErrorKind::UnexpectedEof.into())),
            },
            Some(signal) = signals.recv() => {
                if is_continued(signal) {
                    app.resume("take over the terminal after a stop")?;
                    None
                } else {
                    Some(Message::Signal(signal))
                }
            }
            () = tokio::time::sleep_until(frame), if app.draw_at.is_some() => {
                app.draw()?;
                None
            }
            // Looking at the keyboard costs a call of the kernel: not for each of many events.
            _ = messages.recv_many(&mut batch, BATCH) => None,
            _ = tick.tick() => Some(Message::Tick),
        };
        for message in message.into_iter().chain(batch.drain(..)) {
            if let Some(outcome) = app.handle(message)? {
                if let Some(Effect::Remember(store, remembered)) = remember(&mut app.model) {
                    // Nobody is left to be told if it fails.
                    let _ = store.write(&remembered);
                }
                return Ok(outcome);
            }
        }
        if !app.console.is_ours() {
            return Err(Error::Panicked);
        }
        if let Some(file) = app.to_page.take() {
            input.release();
            if let Some(outcome) = app.page(&file, &mut messages, &mut signals).await? {
                return Ok(outcome);
            }
        }
    }
}

struct App<'c, C, S> {
    console: &'c mut C,
    model: Model,
    regions: Regions,
    source: S,
    queue: mpsc::Sender<Message>,
    begin: Instant,
    /// When to draw next; none while the screen shows everything.
    draw_at: Option<Instant>,
    drawn_at: Instant,
    /// The terminal may show something else than was drawn: it was smaller for a moment, and what it cut off
    /// then is lost, even if it has the size of the last frame again.
    is_spoilt: bool,
    /// A file that the user wants to see in the pager.
    to_page: Option<PathBuf>,
    /// What is underway for lessons.
    study: Study,
    /// Reads what nodes know that work for the observer.
    confided: Option<tokio::task::JoinHandle<()>>,
}

impl<C: Console, S: Source> App<'_, C, S> {
    fn handle(&mut self, message: Message) -> Result<Option<Outcome>, Error> {
        if let Some(interval) = frame_for(&message, &self.model) {
            let due = self.drawn_at + interval;
            self.draw_at = Some(self.draw_at.map_or(due, |draw_at| draw_at.min(due)));
        }
        let since = u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let effects = update(&mut self.model, Time::from_nanos(since), message);
        self.carry_out(effects)
    }

    fn draw(&mut self) -> Result<(), Error> {
        let Self { console, model, regions, .. } = self;
        crate::report::shows(model.context().title());
        if !console.begin() {
            // What is said of a panic would be drawn over.
            return Err(Error::Panicked);
        }
        if std::mem::take(&mut self.is_spoilt) {
            model.size = clear(console.terminal())?;
        }
        console
            .terminal()
            .draw(|frame| *regions = draw(model, frame))
            .map_err(|error| drawing(&error))?;
        console.drawn();
        self.drawn_at = Instant::now();
        self.draw_at = self.model.moves().then(|| self.drawn_at + MOTION_FRAME);
        Ok(())
    }

    /// What an event of the terminal means; none if nothing.
    fn translate(&self, event: Event) -> Option<Message> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                Key::from_event(key).map(Message::Key)
            }
            Event::Mouse(mouse) => self.translate_mouse(mouse),
            Event::Paste(text) => Some(Message::Paste(text)),
            Event::Resize(width, height) => Some(Message::Resize((width, height).into())),
            Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
        }
    }

    fn translate_mouse(&self, mouse: MouseEvent) -> Option<Message> {
        let (column, row) = (mouse.column, mouse.row);
        let pane = || self.regions.pane_at(column, row).cloned();
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.regions.at(column, row).cloned().map(Message::Click)
            }
            MouseEventKind::ScrollUp => Some(Message::Wheel { pane: pane(), up: true }),
            MouseEventKind::ScrollDown => Some(Message::Wheel { pane: pane(), up: false }),
            _ => None,
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Option<Outcome>, Error> {
        for effect in effects {
            if let Some(outcome) = self.carry_out_one(effect)? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    fn carry_out_one(&mut self, effect: Effect) -> Result<Option<Outcome>, Error> {
        let source = self.source.clone();
        match effect {
            Effect::Quit(outcome) => return Ok(Some(outcome)),
            // The terminal.
            Effect::Redraw => self.redraw()?,
            Effect::Suspend => self.suspend()?,
            Effect::Tell(words) => self.console.tell(&words),
            Effect::Page { file } => self.to_page = Some(file),
            Effect::Copy { text, what } => {
                let result = self.console.copy(&text);
                let result = result.map_err(|error| Problem(error.to_string()));
                return self.handle(Message::Copied { what, result });
            }
            // What the devnet says.
            Effect::Pace(pace) => self.source.set_pace(pace),
            Effect::Connect { after } => {
                tokio::spawn(listen(source, self.queue.clone(), after));
            }
            Effect::Confide(nodes) => {
                if let Some(before) = self.confided.take() {
                    before.abort();
                }
                if !nodes.is_empty() {
                    let queue = self.queue.clone();
                    self.confided = Some(tokio::spawn(confide(source, queue, nodes)));
                }
            }
            // What it is asked, and answers once.
            Effect::Act { node, action } => self.ask(ask::act(source, node, action)),
            Effect::Change(wanted) => self.ask(ask::change(source, *wanted)),
            Effect::Attack(request) => self.ask(ask::attack(source, *request)),
            Effect::Send { request, text } => self.ask(ask::send(source, request, text)),
            Effect::ReadInbox { client } => self.ask(ask::inbox(source, client)),
            Effect::History => self.ask(ask::history(source)),
            // What is remembered, and lessons.
            Effect::Remember(store, remembered) => self.ask(ask::remember(store, remembered)),
            Effect::Survey(store) => self.ask(study::survey(source, store)),
            Effect::Recall(store) => self.ask(study::recall(store)),
            Effect::Learn(store, learnt) => self.study.learn(store, learnt, self.queue.clone()),
            Effect::Perform { number, actions } => {
                self.study.perform(source, (number, actions), self.queue.clone());
            }
        }
        Ok(None)
    }

    /// Lets something be done outside of the loop, which gets what comes of it.
    fn ask(&self, asked: impl Future<Output = Message> + Send + 'static) {
        let queue = self.queue.clone();
        tokio::spawn(async move {
            // The loop is gone only when the dashboard is.
            let _ = queue.send(asked.await).await;
        });
    }

    fn suspend(&mut self) -> Result<(), Error> {
        let attempt = "give the terminal back to the shell";
        self.console.suspend().map_err(|source| Error::Terminal { attempt, source })?;
        self.redraw()
    }

    /// Shows a file in the pager until that ends. Meanwhile nothing is drawn, and everything is
    /// heard.
    async fn page(
        &mut self,
        file: &Path,
        messages: &mut mpsc::Receiver<Message>,
        signals: &mut mpsc::Receiver<i32>,
    ) -> Result<Option<Outcome>, Error> {
        let mut outcome = None;
        let mut signalled = None;
        let result = match self.console.page(file) {
            Err(error) => Err(error),
            Ok(mut pager) => loop {
                tokio::select! {
                    biased;
                    ended = &mut pager => break ended,
                    Some(signal) = signals.recv() => {
                        // Ctrl-C in a pager reaches the whole group, and is meant for the pager. So is the
                        // end of a stop.
                        if signal != SignalKind::interrupt().as_raw_value() && !is_continued(signal) {
                            signalled = Some(signal);
                            break Ok(());
                        }
                    }
                    Some(message) = messages.recv() => {
                        // Who reads on after the end of the devnet may finish.
                        outcome = self.handle(message)?.or(outcome);
                    }
                }
            },
        };
        self.resume("take over the terminal after the pager")?;
        let shown = file.display();
        let result = result.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Problem(format!("there is no file {shown} yet")),
            _ => Problem(format!("cannot show {shown}: {error}")),
        });
        outcome = self.handle(Message::Paged { result })?.or(outcome);
        match signalled {
            Some(signal) => Ok(self.handle(Message::Signal(signal))?.or(outcome)),
            None => Ok(outcome),
        }
    }

    fn resume(&mut self, attempt: &'static str) -> Result<(), Error> {
        self.console.resume().map_err(|source| Error::Terminal { attempt, source })?;
        self.redraw()
    }

    fn redraw(&mut self) -> Result<(), Error> {
        self.model.size = clear(self.console.terminal())?;
        self.draw_at = Some(Instant::now());
        Ok(())
    }
}

/// Clears the screen, so that the next frame draws all of it; says how large it is.
fn clear<B: Backend>(terminal: &mut Terminal<B>) -> Result<Size, Error> {
    let size = terminal.size().map_err(|error| drawing(&error))?;
    // `Terminal::clear` would ask the terminal where its cursor is, and one that does not answer would
    // end us.
    terminal.resize(size.into()).map_err(|error| drawing(&error))?;
    Ok(size)
}

/// Whether a signal says that the process was stopped and goes on. Whoever stopped it did not ask: a
/// shell has used the terminal since.
fn is_continued(signal: i32) -> bool {
    signal == rustix::process::Signal::CONT.as_raw()
}

/// How soon after the last frame a message wants to be seen; none if it changes nothing on screen.
fn frame_for(message: &Message, model: &Model) -> Option<Duration> {
    let Message::Heard(envelope) = message else { return Some(FRAME) };
    if model.is_frozen() && model.playback.is_none() {
        // What was missed is counted on the screen; the clock ticks often enough for that.
        return None;
    }
    let follows = model.context() == Context::Journey;
    let frame = match (&envelope.event, model.screen) {
        (StreamEvent::Journey(_), _) if follows => Some(MOTION_FRAME),
        (
            StreamEvent::Directory { .. }
            | StreamEvent::Metrics { .. }
            | StreamEvent::Usage { .. }
            | StreamEvent::Journey(_)
            | StreamEvent::Log(_)
            | StreamEvent::Lost { .. },
            _,
        )
        | (StreamEvent::Links { .. }, Screen::Anonymity) => Some(NUMBERS_FRAME),
        (StreamEvent::Links { .. }, Screen::Network) => Some(MOTION_FRAME),
        (
            StreamEvent::Links { .. }
            | StreamEvent::Origins { .. }
            | StreamEvent::Waits { .. }
            | StreamEvent::Passages { .. }
            | StreamEvent::Unknown,
            _,
        ) => None,
        _ => Some(FRAME),
    };
    // A lesson is on every screen, and waits for what happens to packets.
    let of_lesson = model.lessons.going_on().map(|_| NUMBERS_FRAME);
    frame.or(of_lesson)
}

fn drawing(error: &impl ToString) -> Error {
    Error::Terminal { attempt: "draw on the terminal", source: io::Error::other(error.to_string()) }
}

fn keyboard(source: io::Error) -> Error {
    Error::Terminal { attempt: "read the keyboard", source }
}
