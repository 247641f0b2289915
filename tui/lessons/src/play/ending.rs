//! The end of a play, wherever it comes: the network becomes again what it was.

use std::time::Duration;

use super::{End, Mode, Output, Phase, Play, Show};

/// How long after something was done the stream may take to tell of it. What it has not told of would not
/// be undone.
const TOLD: Duration = Duration::from_millis(300);

/// How long messages that the lesson let a client send may take to leave it: so many as one step asks for do in
/// half of it. Left in the queue they would hold up those of the next lesson.
const LEFT_LIMIT: Duration = Duration::from_secs(60);

impl Play {
    pub(super) fn leave(&mut self, now: Duration, out: &mut Vec<Output>) {
        match self.phase {
            // Who has waited enough for the last messages need not.
            Phase::Ending => self.waits_for_queue = false,
            Phase::Restoring | Phase::Over => {}
            Phase::Hearing => self.over(End::Left, out),
            _ => self.wind_up(now, End::Left, out),
        }
    }

    /// The network shall be again what it was; then it is over.
    pub(super) fn wind_up(&mut self, now: Duration, end: End, out: &mut Vec<Output>) {
        let queued = self.facts.queued();
        // Who leaves, or cannot go on, is not kept.
        let is_done = matches!(end, End::Finished { .. });
        self.waits_for_queue = self.mode == Mode::Learner && is_done && queued > 0;
        if self.waits_for_queue {
            let limit_s = LEFT_LIMIT.as_secs_f64();
            out.push(Output::Show(Show::Clearing { messages: queued, limit_s }));
        }
        self.end = Some(end);
        self.go(Phase::Ending, now);
        self.look_whether_told(now, out);
    }

    /// Restores the network once it is known what it has become.
    pub(super) fn look_whether_told(&mut self, now: Duration, out: &mut Vec<Output>) {
        let is_told = self.done_at.is_none_or(|done| now.saturating_sub(done) >= TOLD);
        if self.is_changing || !is_told {
            return;
        }
        let waited = now.saturating_sub(self.since);
        if self.waits_for_queue && self.facts.queued() > 0 && waited < LEFT_LIMIT {
            return;
        }
        let known = self.before.as_ref().zip(self.facts.devnet());
        let actions = known.map(|(before, info)| before.restore(info, self.facts.nodes()));
        let actions = actions.unwrap_or_default();
        self.go(Phase::Restoring, now);
        self.announce(&actions, true, out);
        self.restoring = actions.into();
        self.restore_next(out);
    }

    /// One after the other, so that one that fails keeps none from being done.
    pub(super) fn restore_next(&mut self, out: &mut Vec<Output>) {
        let Some(action) = self.restoring.pop_front() else {
            let end = self.end.take().unwrap_or(End::Left);
            return self.over(end, out);
        };
        out.push(Output::Do(vec![action]));
    }
}
