//! A recording as a source of events: read on a thread of its own, given out at the pace that is
//! wanted. Nothing can be changed in it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use contract::Time;
use control::{
    ControlError, Envelope, Failure, FailureCode, MessageStatus, NodeAction, NodeStatus, Recording,
    SendRequest,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::playback::{Due, Pace, Player};
use crate::source::{Events, Source};

/// Events that are read before they are due. Each may be as long as a snapshot.
const READ_AHEAD: usize = 16;

/// Where there is nothing more to play.
const ENDED: &str = "the recording has ended";

/// A recording that is played once.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    recording: Arc<Mutex<Option<Recording>>>,
    pace: watch::Sender<Pace>,
}

impl Tape {
    /// From its beginning.
    pub(crate) fn new(recording: Recording) -> Self {
        let recording = Arc::new(Mutex::new(Some(recording)));
        Self { recording, pace: watch::Sender::default() }
    }
}

fn refused(message: impl Into<String>) -> ControlError {
    Failure::new(FailureCode::Usage, message).into()
}

impl Source for Tape {
    type Events = Played;

    async fn events(&self) -> Result<Played, ControlError> {
        let recording = self.recording.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut recording) = recording else { return Err(refused(ENDED)) };
        let player = Player::new(recording.first(), Time::default());
        let (lines, read) = mpsc::channel(READ_AHEAD);
        thread::spawn(move || {
            while let Some(event) = recording.next_event() {
                if lines.blocking_send(Line::Event(Box::new(event))).is_err() {
                    return;
                }
            }
            drop(lines.blocking_send(Line::End(recording.end())));
        });
        let begin = Instant::now();
        Ok(Played { lines: read, held: None, pace: self.pace.subscribe(), player, begin })
    }

    async fn act(&self, _: &str, _: NodeAction) -> Result<NodeStatus, ControlError> {
        Err(refused("nothing can be changed in a recording"))
    }

    async fn send(&self, _: &SendRequest) -> Result<MessageStatus, ControlError> {
        Err(refused("nothing can be changed in a recording"))
    }

    fn set_pace(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }
}

/// What is read of a recording.
#[derive(Debug)]
enum Line {
    Event(Box<Envelope>),
    /// There is no more, and why.
    End(String),
}

/// A recording as it is played.
#[derive(Debug)]
pub(crate) struct Played {
    lines: mpsc::Receiver<Line>,
    /// Read, and not due yet.
    held: Option<Box<Envelope>>,
    pace: watch::Receiver<Pace>,
    player: Player,
    begin: Instant,
}

impl Played {
    fn now(&self) -> Time {
        Time::default() + self.begin.elapsed()
    }
}

impl Events for Played {
    async fn next(&mut self) -> Result<Option<Envelope>, ControlError> {
        loop {
            let now = self.now();
            if self.pace.has_changed().unwrap_or_default() {
                let pace = *self.pace.borrow_and_update();
                self.player.set_pace(now, pace);
            }
            let Some(held) = &self.held else {
                match self.lines.recv().await {
                    Some(Line::Event(event)) => self.held = Some(event),
                    Some(Line::End(why)) => return Err(refused(why)),
                    None => return Err(refused(ENDED)),
                }
                continue;
            };
            let wait = match self.player.due(now, held.t) {
                Due::Now => return Ok(self.held.take().map(|event| *event)),
                Due::In(wait) => Some(wait),
                Due::Paused => None,
            };
            let due = async {
                match wait {
                    Some(wait) => sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                // It fails when the dashboard is gone; then nobody asks again.
                changed = self.pace.changed() => {
                    if changed.is_err() {
                        return Err(refused(ENDED));
                    }
                    self.pace.mark_changed();
                }
            }
        }
    }
}
