//! What is waited for: a network that is ready, something done elsewhere, what is observed.

use std::time::Duration;

use super::{End, Mode, Output, Phase, Play, Show};
use crate::expression::NoValue;
use crate::lesson::{Observe, Step};

/// How long a network may take to become the one that is needed: that of `up`.
const FIT_LIMIT: Duration = Duration::from_secs(60);

/// How long the observer may take until it knows of everybody: twenty times what it takes to put in order what
/// it hears. It hears nothing where nobody sends.
const KNOW_LIMIT: Duration = Duration::from_secs(10);

/// How often what is waited for is looked at, and shown.
const LOOK: Duration = Duration::from_millis(100);
const MEANWHILE: Duration = Duration::from_secs(1);

impl Play {
    /// Time passes, or the network has changed.
    pub(super) fn look(&mut self, now: Duration, out: &mut Vec<Output>) {
        if now.saturating_sub(self.looked) < LOOK {
            return;
        }
        self.looked = now;
        match (self.phase, self.step().cloned()) {
            (Phase::Settling, _) => self.settle(now, out),
            (Phase::Ending, _) => self.look_whether_told(now, out),
            (Phase::Asking, Some(Step::Predict(predict))) if self.mode != Mode::Learner => {
                self.answer_itself(now, &predict, out);
            }
            (Phase::Tasked { was_so: false }, _) if self.is_next_so() => self.advance(now, out),
            (Phase::Waiting | Phase::Late, Some(Step::Observe(observe))) => {
                self.wait(now, &observe, out);
            }
            _ => {}
        }
    }

    /// The lesson begins when all processes are ready, and the observer knows of them: before, it would say
    /// that nobody sends.
    fn settle(&mut self, now: Duration, out: &mut Vec<Output>) {
        let ready = self.facts.nodes().all(|node| node.state == control::State::Ready);
        let missing = self.facts.devnet().map(|info| {
            self.lesson.network.fit(info, self.facts.nodes()).map(|actions| actions.len())
        });
        let waited = now.saturating_sub(self.since);
        let is_known = self.facts.knows_everybody() || waited > KNOW_LIMIT;
        if ready && missing == Some(Ok(0)) && is_known {
            self.facts.begin();
            self.at = 0;
            self.enter(now, out);
        } else if waited > FIT_LIMIT {
            let why = format!("the network was not ready within {} s", FIT_LIMIT.as_secs());
            self.wind_up(now, End::Failed { why }, out);
        }
    }

    fn wait(&mut self, now: Duration, observe: &Observe, out: &mut Vec<Output>) {
        let known = self.facts.known();
        let took = now.saturating_sub(self.since);
        match observe.until.is_true(&known) {
            Ok(true) => {
                if let Some(time) = self.times.get_mut(self.at) {
                    *time = took;
                }
                out.push(Output::Show(Show::Reached { took_s: took.as_secs_f64() }));
                return self.advance(now, out);
            }
            Err(NoValue::Broken(why)) => return self.wind_up(now, End::Failed { why }, out),
            Ok(false) | Err(NoValue::Unknown) => {}
        }
        let limit = self.limit(observe);
        if self.phase == Phase::Late {
            return;
        }
        if took >= limit {
            let what = observe.text.filled(&known);
            let until = observe.until.text().to_owned();
            if self.mode == Mode::Learner {
                out.push(Output::Show(Show::Late { what }));
                self.phase = Phase::Late;
                if self.has_new_hint() {
                    self.hint(out);
                }
                return;
            }
            return self.wind_up(now, End::Late { what, until }, out);
        }
        if let Some(text) = &observe.meanwhile
            && now.saturating_sub(self.shown) >= MEANWHILE
        {
            self.shown = now;
            let left_s = limit.saturating_sub(took).as_secs_f64();
            out.push(Output::Show(Show::Meanwhile { text: text.filled(&known), left_s }));
        }
    }
}
