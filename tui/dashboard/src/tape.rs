//! A recording as a source of events: read on a thread of its own, given out at the pace that is
//! wanted. Nothing can be changed in it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use contract::Time;
use control::{
    AttackRequest, AttackStatus, ControlError, Envelope, Failure, FailureCode, History, Inbox,
    MessageStatus, NodeAction, NodeStatus, Recording, SendRequest, Snapshot,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::message::Wanted;
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

    async fn change(&self, _: &Wanted) -> Result<(), ControlError> {
        Err(refused("nothing can be changed in a recording"))
    }

    async fn attack(&self, _: &AttackRequest) -> Result<AttackStatus, ControlError> {
        Err(refused("a recording cannot be attacked"))
    }

    async fn passages(&self, _: &[String]) -> Result<Played, ControlError> {
        Err(refused("a recording has nothing of what only nodes know"))
    }

    async fn send(&self, _: &SendRequest) -> Result<MessageStatus, ControlError> {
        Err(refused("nothing can be changed in a recording"))
    }

    async fn inbox(&self, _: &str, _: u64) -> Result<Inbox, ControlError> {
        Err(refused("clients of a recording cannot be asked"))
    }

    async fn status(&self) -> Result<Snapshot, ControlError> {
        Err(refused("a recording cannot be asked how it is"))
    }

    async fn perform(&self, _: Vec<lessons::Action>) -> Result<(), String> {
        Err("nothing can be changed in a recording".into())
    }

    async fn history(&self, _: u64, _: u64) -> Result<History, ControlError> {
        Err(refused("a recording has no history"))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use control::StreamEvent;
    use tokio::time::timeout;

    use super::*;
    use crate::fixture::{self, Fixture};
    use crate::playback::Speed;

    /// A recording of a snapshot, and a line of a log each second after it.
    fn tape(seconds: u64) -> Tape {
        let mut fixture = Fixture::two_by_three();
        let snapshot = StreamEvent::Snapshot(Box::new(fixture.snapshot(Duration::ZERO)));
        let mut events = vec![fixture.at(Duration::ZERO, snapshot)];
        for at in (1..=seconds).map(Duration::from_secs) {
            events.push(fixture.at(at, fixture::log("alice", at, "hello")));
        }
        let lines = events.iter().map(|event| serde_json::to_string(event).expect("JSON") + "\n");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), lines.collect::<String>()).expect("writes");
        Tape::new(Recording::open(file.path()).expect("a recording"))
    }

    /// How long the next event takes to come.
    async fn next(events: &mut Played) -> Duration {
        let begin = Instant::now();
        events.next().await.expect("an event").expect("not over");
        begin.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn events_come_when_they_are_due() {
        let tape = tape(4);
        let mut events = tape.events().await.expect("a stream");
        let (second, slack) = (Duration::from_secs(1), Duration::from_millis(2));
        assert!(next(&mut events).await < slack);
        for _ in 0..2 {
            let took = next(&mut events).await;
            assert!(took <= second + slack && took + slack >= second, "{took:?}");
        }
        let speed = Speed::default().faster();
        tape.set_pace(Pace { paused: true, speed });
        timeout(100 * second, events.next()).await.expect_err("it is paused");
        tape.set_pace(Pace { paused: false, speed });
        let took = next(&mut events).await;
        assert!(took <= second / 2 + slack && took + slack >= second / 2, "{took:?}");
        next(&mut events).await;
        let end = events.next().await.expect_err("the end");
        assert_eq!(end.to_string(), "the recording ends, and the devnet went on");
        tape.events().await.expect_err("it plays once");
    }
}
