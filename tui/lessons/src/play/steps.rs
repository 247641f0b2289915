//! The steps of a lesson, one after the other.

use std::time::Duration;

use super::{End, Mode, Output, Phase, Play, Show};
use crate::lesson::{Act, Observe, Step, Watch};

impl Play {
    pub(super) fn advance(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.at += 1;
        self.enter(now, out);
    }

    /// Begins the step that it is at.
    pub(super) fn enter(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.hints = 0;
        let Some(step) = self.step().cloned() else {
            let end = End::Finished { right: self.right, asked: self.asked };
            return self.wind_up(now, end, out);
        };
        match step {
            Step::Say(text) | Step::Explain(text) => {
                let text = text.filled(&self.facts.known());
                let explains = matches!(self.step(), Some(Step::Explain(_)));
                out.push(Output::Show(Show::Text { text, explains }));
                self.go(Phase::Reading, now);
                if self.mode != Mode::Learner {
                    self.advance(now, out);
                }
            }
            Step::Predict(predict) => {
                let text = predict.question.filled(&self.facts.known());
                let has_hint = !predict.hints.is_empty();
                let (choices, unit) = (predict.choices, predict.unit);
                out.push(Output::Show(Show::Question { text, choices, unit, has_hint }));
                self.go(Phase::Asking, now);
            }
            Step::Watch(watch) => match self.watch(&watch) {
                Ok(()) => self.advance(now, out),
                Err(why) => self.wind_up(now, End::Failed { why }, out),
            },
            Step::Act(act) => self.task(now, &act, out),
            Step::Observe(observe) => {
                let text = observe.text.filled(&self.facts.known());
                let limit_s = self.limit(&observe).as_secs_f64();
                out.push(Output::Show(Show::Waiting { text, limit_s }));
                self.go(Phase::Waiting, now);
            }
        }
    }

    fn watch(&mut self, watch: &Watch) -> Result<(), String> {
        let unknown = |name: &str| format!("there is no {name} to watch");
        if let Some(who) = &watch.who {
            let parsed = who.parse().map_err(|error| format!("`{who}`: {error}"))?;
            if !self.facts.watch_as(parsed) {
                return Err(unknown(who));
            }
        }
        if let Some(recipient) = &watch.who_writes_to
            && !self.facts.look_for_who_writes_to(recipient)
        {
            return Err(unknown(recipient));
        }
        if let Some(client) = &watch.is_sending
            && !self.facts.look_whether_it_sends(client)
        {
            return Err(unknown(client));
        }
        Ok(())
    }

    fn task(&mut self, now: Duration, act: &Act, out: &mut Vec<Output>) {
        let text = act.text.filled(&self.facts.known());
        out.push(Output::Show(Show::Task { text, commands: self.commands(&act.actions) }));
        if self.mode == Mode::Learner {
            self.go(Phase::Tasked { was_so: self.is_next_so() }, now);
        } else {
            self.act(now, act, out);
        }
    }

    pub(super) fn act(&mut self, now: Duration, act: &Act, out: &mut Vec<Output>) {
        self.go(Phase::Doing, now);
        let sabotage = match &self.mode {
            Mode::Sabotaged { which, .. } => self.lesson.sabotages.get(*which),
            Mode::Learner | Mode::Machine => None,
        };
        let mut actions = act.actions.clone();
        if let Some(sabotage) = sabotage.filter(|sabotage| sabotage.instead_of == act.name) {
            self.is_sabotaged = true;
            actions = sabotage.actions.clone().unwrap_or(actions);
        }
        self.perform(actions, out);
    }

    /// Whether what is observed after this step is so now.
    pub(super) fn is_next_so(&self) -> bool {
        let Some(Step::Observe(observe)) = self.lesson.steps.get(self.at + 1) else { return true };
        observe.until.is_true(&self.facts.known()) == Ok(true)
    }

    pub(super) fn limit(&self, observe: &Observe) -> Duration {
        let patience = match &self.mode {
            Mode::Sabotaged { patience, .. } if self.is_sabotaged => patience.get(self.at),
            _ => None,
        };
        patience.map_or(observe.within.0, |patience| observe.within.0.min(*patience))
    }
}
