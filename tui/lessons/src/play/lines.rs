//! What the learner writes: answers, and wishes for a hint or to leave. And the answers of the machine.

use std::time::Duration;

use super::answer::{Judged, judge, wrong_of};
use super::{End, Output, Phase, Play, Show};
use crate::expression::NoValue;
use crate::lesson::{Predict, Step};
use crate::text::Text;

/// How long an answer may be unknown before it counts as one that cannot be computed: measuring takes a
/// while after a change.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

impl Play {
    /// The learner wrote a line.
    pub(super) fn line(&mut self, now: Duration, line: &str, out: &mut Vec<Output>) {
        match line {
            "q" | "leave" => return self.leave(now, out),
            "?" | "h" | "hint" => return self.hint(out),
            _ => {}
        }
        match (self.phase, self.step().cloned()) {
            (Phase::Reading, _) => self.advance(now, out),
            (Phase::Asking, Some(Step::Predict(predict))) => {
                self.answer(now, &predict, line, out);
            }
            (Phase::Tasked { .. }, Some(Step::Act(act))) => self.act(now, &act, out),
            (Phase::Late, _) => self.go(Phase::Waiting, now),
            _ => {}
        }
    }

    fn hints(&self) -> &[Text] {
        match self.step() {
            Some(Step::Predict(predict)) => &predict.hints[..],
            Some(Step::Observe(observe)) => &observe.hints[..],
            Some(Step::Act(_)) => match self.lesson.steps.get(self.at + 1) {
                Some(Step::Observe(observe)) => &observe.hints[..],
                _ => &[],
            },
            _ => &[],
        }
    }

    /// Whether there is a hint for what is waited for.
    pub fn has_hint(&self) -> bool {
        !self.hints().is_empty()
    }

    pub(super) fn hint(&mut self, out: &mut Vec<Output>) {
        let hints = self.hints();
        let hint = hints.get(self.hints.min(hints.len().saturating_sub(1)));
        let text = hint.map(|hint| hint.filled(&self.facts.known()));
        self.hints += 1;
        out.push(Output::Show(Show::Hint { text }));
    }

    fn answer(&mut self, now: Duration, predict: &Predict, line: &str, out: &mut Vec<Output>) {
        match judge(predict, &self.facts.known(), line) {
            Judged::Unclear { expected } => {
                out.push(Output::Show(Show::Unclear { expected }));
            }
            Judged::Unknown => {
                let text = "The network is still being measured: answer again in a moment.";
                out.push(Output::Show(Show::Hint { text: Some(text.into()) }));
            }
            Judged::Broken(why) => self.wind_up(now, End::Failed { why }, out),
            Judged::Answered { right, answer } => {
                self.asked += 1;
                self.right += u32::from(right);
                let because = predict.because.filled(&self.facts.known());
                let shown = Show::Judged { said: line.into(), right, answer, because };
                out.push(Output::Show(shown));
                self.advance(now, out);
            }
        }
    }

    /// The machine gives the answer that is computed, after it saw that a wrong one would be refused.
    pub(super) fn answer_itself(
        &mut self,
        now: Duration,
        predict: &Predict,
        out: &mut Vec<Output>,
    ) {
        let known = self.facts.known();
        let (right, wrong) = match wrong_of(predict, &known) {
            Ok(lines) => lines,
            Err(NoValue::Unknown) if now.saturating_sub(self.since) < ANSWER_LIMIT => return,
            Err(NoValue::Unknown) => {
                let why = format!("`{}` is not known in time", predict.answer.text());
                return self.wind_up(now, End::Failed { why }, out);
            }
            Err(NoValue::Broken(why)) => return self.wind_up(now, End::Failed { why }, out),
        };
        if !matches!(judge(predict, &known, &wrong), Judged::Answered { right: false, .. }) {
            let why = format!("`{wrong}` is taken for an answer to `{}`", predict.answer.text());
            return self.wind_up(now, End::Failed { why }, out);
        }
        self.answer(now, predict, &right, out);
    }
}
