//! Drives a play: feeds it the event stream, time and lines, and does what it asks for.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::{Duration, Instant};

use control::{ControlClient, Failure, FailureCode};
use lessons::{Action, Before, End, Input, Output as Asked, Play, Show};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::time::{MissedTickBehavior, interval};
use tutor::perform;

use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// How often a play is told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// What is being done meanwhile.
type Doing = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// The lines of whoever learns.
pub(super) struct Learner {
    lines: Lines<BufReader<Stdin>>,
    /// Somebody types: a line is taken at any time. Otherwise it waits until one is asked for.
    types: bool,
}

impl Learner {
    pub(super) fn new(types: bool) -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), types }
    }

    /// The next line; none at their end.
    pub(super) async fn next(&mut self) -> Option<String> {
        // What cannot be read has an end too.
        self.lines.next_line().await.unwrap_or_default()
    }
}

/// What is told of a play while it goes on.
pub(super) trait Audience {
    /// Something is shown.
    fn show(&mut self, show: &Show) -> Outcome;
    /// It is known what the devnet was before; it is about to be changed.
    fn begins(&mut self, before: &Before);
    /// A line is waited for.
    fn prompts(&mut self) -> Outcome;
}

/// How a play ended.
pub(super) struct Ended {
    pub(super) end: End,
    /// Why it was left by other than a line: a signal, or nobody reads what is shown.
    stop: Option<Stop>,
}

impl Ended {
    /// What the rest of the program is to know of it.
    pub(super) fn outcome(self) -> Outcome<End> {
        self.stop.map_or(Ok(self.end), Err)
    }
}

/// Goes through it to its end. A signal leaves the lesson, and restores the devnet; a second one ends at
/// once. So does an audience that is gone: what was changed is not left to nobody.
pub(super) async fn drive(
    client: &ControlClient,
    play: &mut Play,
    mut learner: Option<&mut Learner>,
    signals: &mut Signals,
    audience: &mut impl Audience,
) -> Outcome<Ended> {
    let mut events = client.events().await?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = Instant::now();
    let mut doing: Option<Doing> = None;
    let mut is_signalled = false;
    let mut hall =
        Hall { audience, is_empty: false, has_begun: false, has_prompted: false, stop: None };
    loop {
        let reads = learner.as_ref().is_some_and(|learner| learner.types || play.listens());
        let line = async {
            match learner.as_mut() {
                Some(learner) => learner.next().await,
                None => std::future::pending().await,
            }
        };
        let done = async {
            match doing.as_mut() {
                Some(doing) => doing.await,
                None => std::future::pending().await,
            }
        };
        let outputs = tokio::select! {
            envelope = events.next() => match envelope? {
                Some(envelope) => play.tell(began.elapsed(), Input::Heard(&envelope)),
                None => return Err(gone().into()),
            },
            _ = ticks.tick() => play.tell(began.elapsed(), Input::Tick),
            line = line, if reads => if let Some(line) = line {
                hall.has_prompted = false;
                play.tell(began.elapsed(), Input::Line(&line))
            } else {
                learner = None;
                play.tell(began.elapsed(), Input::Leave)
            },
            done = done => {
                doing = None;
                play.tell(began.elapsed(), Input::Did(done))
            }
            signal = signals.next() => {
                if is_signalled {
                    return Err(Stop::Signal(signal));
                }
                is_signalled = true;
                hall.stop.get_or_insert(Stop::Signal(signal));
                play.tell(began.elapsed(), Input::Leave)
            }
        };
        for asked in hall.take(began.elapsed(), play, outputs) {
            match asked {
                Wanted::Done(actions) => doing = Some(Box::pin(perform(client.clone(), actions))),
                Wanted::End(end) => return Ok(Ended { end, stop: hall.stop }),
            }
        }
    }
}

/// What a play wants that cannot be shown.
#[derive(Debug, PartialEq)]
enum Wanted {
    /// To be done.
    Done(Vec<Action>),
    /// It is over.
    End(End),
}

/// Where a play is shown.
struct Hall<'a, A> {
    audience: &'a mut A,
    /// The audience has gone: nothing more is shown.
    is_empty: bool,
    has_begun: bool,
    has_prompted: bool,
    /// Why the play was left.
    stop: Option<Stop>,
}

impl<A: Audience> Hall<'_, A> {
    /// Shows what is to be shown. A play whose audience goes is left.
    fn take(&mut self, now: Duration, play: &mut Play, outputs: Vec<Asked>) -> Vec<Wanted> {
        if !self.has_begun
            && let Some(before) = play.before()
        {
            self.has_begun = true;
            self.audience.begins(before);
        }
        let mut wanted = Vec::new();
        let mut outputs = VecDeque::from(outputs);
        loop {
            while let Some(output) = outputs.pop_front() {
                match output {
                    Asked::Show(_) if self.is_empty => {}
                    Asked::Show(show) => {
                        self.has_prompted = false;
                        let shown = self.audience.show(&show);
                        outputs.extend(self.went(now, play, shown));
                    }
                    Asked::Do(actions) => wanted.push(Wanted::Done(actions)),
                    Asked::Over(end) => wanted.push(Wanted::End(end)),
                }
            }
            if !play.listens() || self.has_prompted || self.is_empty {
                return wanted;
            }
            self.has_prompted = true;
            let shown = self.audience.prompts();
            outputs.extend(self.went(now, play, shown));
        }
    }

    fn went(&mut self, now: Duration, play: &mut Play, shown: Outcome) -> Vec<Asked> {
        let Err(stop) = shown else { return Vec::new() };
        self.is_empty = true;
        self.stop.get_or_insert(stop);
        play.tell(now, Input::Leave)
    }
}

fn gone() -> Failure {
    Failure::new(FailureCode::NoSuchDevnet, "the devnet went down during the lesson")
}

#[cfg(test)]
mod tests {
    use contract::Time;
    use control::{Envelope, Snapshot, StreamEvent};
    use lessons::Mode;

    use super::*;

    /// Reads so many things that are shown, and goes.
    struct Reader {
        left: usize,
        begun: bool,
    }

    impl Audience for Reader {
        fn show(&mut self, _: &Show) -> Outcome {
            self.left = self.left.checked_sub(1).ok_or(Stop::NobodyReads)?;
            Ok(())
        }

        fn begins(&mut self, _: &Before) {
            self.begun = true;
        }

        fn prompts(&mut self) -> Outcome {
            Ok(())
        }
    }

    /// A devnet with another crowd than the lesson needs.
    fn snapshot() -> Envelope {
        let snapshot: Snapshot = serde_json::from_value(serde_json::json!({
            "devnet": {
                "name": "lab", "supervisor_pid": 1, "folder": "/lab", "started_unix_ms": 7,
                "layers": 3, "widths": [0, 0, 0], "clients": 0, "crowd": 3, "profile": "classic",
                "hop_delay_ms": 200.0, "slot_ms": 500.0, "loop_cover_ms": 1000.0, "acks": true,
                "trace": true, "attached": false, "notices": []
            },
            "nodes": [], "directory": { "link": "live" }, "topology": null, "metrics": {}, "rates": {},
            "usage": {}, "messages": [], "journeys": [], "attacks": [], "received": [], "logs": []
        }))
        .expect("a snapshot");
        let event = StreamEvent::Snapshot(Box::new(snapshot));
        Envelope { seq: 1, t: Time::from_nanos(1), unix_ms: 0, event }
    }

    #[test]
    fn a_lesson_that_nobody_reads_any_more_is_left_and_the_devnet_put_back() {
        let lesson = lessons::find("layers").expect("it is built in").clone();
        let mut play = Play::new(lesson, Mode::Learner, None);
        let mut reader = Reader { left: 1, begun: false };
        let mut hall = Hall {
            audience: &mut reader,
            is_empty: false,
            has_begun: false,
            has_prompted: false,
            stop: None,
        };
        let mut now = Duration::from_secs(1);
        let outputs = play.tell(now, Input::Heard(&snapshot()));
        let wanted = hall.take(now, &mut play, outputs);
        assert!(matches!(wanted[..], [Wanted::Done(_)]), "it is done to its end: {wanted:?}");
        assert!(matches!(hall.stop, Some(Stop::NobodyReads)));
        assert!(hall.audience.begun);
        // What was underway is told, and then undone.
        let mut changed = snapshot();
        if let StreamEvent::Snapshot(snapshot) = &mut changed.event {
            snapshot.devnet.crowd = 8;
        }
        let mut undone = Vec::new();
        let mut end = None;
        let mut outputs = play.tell(now, Input::Heard(&changed));
        outputs.extend(play.tell(now, Input::Did(Ok(()))));
        while end.is_none() && now < Duration::from_secs(9) {
            for wanted in hall.take(now, &mut play, std::mem::take(&mut outputs)) {
                match wanted {
                    Wanted::Done(actions) => {
                        undone.extend(actions.iter().map(|action| action.command(None)));
                        outputs.extend(play.tell(now, Input::Did(Ok(()))));
                    }
                    Wanted::End(over) => end = Some(over),
                }
            }
            now += Duration::from_millis(100);
            outputs.extend(play.tell(now, Input::Tick));
        }
        assert_eq!((end, undone), (Some(End::Left), vec!["nym-devnet set crowd=3".to_owned()]));
    }
}
