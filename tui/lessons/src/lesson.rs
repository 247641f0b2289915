//! What a lesson is, as its file has it.

use serde::Deserialize;

use crate::action::{Action, Span};
use crate::expression::Expression;
use crate::network::Needs;
use crate::text::Text;

/// A lesson. Every key of a file is one of these, and others are refused.
///
/// `docs/lessons.md` explains them to who writes one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lesson {
    /// Its place in the row, from 1; 0 for one that is not built in.
    #[serde(default)]
    pub number: u8,
    /// Its name on the command line.
    pub slug: String,
    /// What it is called.
    pub title: String,
    /// How long it takes.
    pub minutes: u8,
    /// How many times faster than a learner a machine may go through it. Where chance decides, a busy machine
    /// that keeps somebody waiting for a moment must not.
    #[serde(default = "usually_faster")]
    pub faster: u32,
    /// What it is about, in a sentence or two.
    pub about: Text,
    /// The network that it needs.
    #[serde(default)]
    pub network: Needs,
    /// What happens, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// With each of which a goal must not be reached.
    #[serde(default, rename = "sabotage")]
    pub sabotages: Vec<Sabotage>,
}

fn usually_faster() -> u32 {
    5
}

/// One thing after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Something to read before.
    Say(Text),
    /// A question whose answer is computed.
    Predict(Predict),
    /// Who looks at the network from now on, and for what.
    Watch(Watch),
    /// Something to do.
    Act(Act),
    /// Something to wait for.
    Observe(Observe),
    /// Something to read after.
    Explain(Text),
}

/// A question.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Predict {
    /// What is asked.
    pub question: Text,
    /// What is right: a number, one of the choices, or whether it is so.
    pub answer: Expression,
    /// What comes behind the number.
    #[serde(default)]
    pub unit: String,
    /// By how much a number may be wrong.
    #[serde(default)]
    pub tolerance: Tolerance,
    /// What can be chosen, if not a number or yes and no.
    #[serde(default)]
    pub choices: Vec<String>,
    /// What helps, one after the other.
    #[serde(default)]
    pub hints: Vec<Text>,
    /// Why it is so; said with the answer.
    pub because: Text,
}

/// By how much a number may be wrong; the greater of both counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tolerance {
    /// In percent of it.
    #[serde(default)]
    pub percent: f64,
    /// In its unit.
    #[serde(default)]
    pub by: f64,
}

impl Tolerance {
    /// Whether a number is near enough to the right one.
    pub fn allows(self, said: f64, right: f64) -> bool {
        (said - right).abs() <= self.at(right)
    }

    /// How far off a number may be.
    pub(crate) fn at(self, right: f64) -> f64 {
        // What people write has no more digits than this.
        let least = 1e-6 * right.abs().max(1.0);
        (right.abs() * self.percent / 100.0).max(self.by) + least
    }
}

/// Who looks at the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Watch {
    /// The observer, such as `providers provider-1`.
    #[serde(default, rename = "as")]
    pub who: Option<String>,
    /// Whose correspondents it looks for.
    #[serde(default)]
    pub who_writes_to: Option<String>,
    /// Of whom it asks whether they send messages.
    #[serde(default)]
    pub is_sending: Option<String>,
}

/// Something to do. The learner does it, or lets it be done.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Act {
    /// Its name, by which a sabotage means it.
    #[serde(default)]
    pub name: String,
    /// What to do, and why.
    pub text: Text,
    /// The same for the machine, and as commands for people.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// Something to wait for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observe {
    /// What is waited for, and where it can be seen.
    pub text: Text,
    /// When it is there.
    pub until: Expression,
    /// How long it may take at most.
    pub within: Span,
    /// What is shown meanwhile, filled in anew.
    #[serde(default)]
    pub meanwhile: Option<Text>,
    /// What helps if it does not come, one after the other.
    #[serde(default)]
    pub hints: Vec<Text>,
}

/// What keeps a goal from being reached: a lesson that is completed even so checks nothing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sabotage {
    /// At which act. No goal behind it is reached.
    pub instead_of: String,
    /// What is done there instead; without it, what is always done.
    #[serde(default, rename = "do")]
    pub actions: Option<Vec<Action>>,
    /// Layers of the network, if they are others than the lesson needs.
    #[serde(default)]
    pub layers: Option<u8>,
    /// Whether its nodes leave out checks, as those of 2020.
    #[serde(default)]
    pub faithful: bool,
    /// Why the goal is out of reach then.
    pub because: String,
}

impl Lesson {
    /// The same in a network that is so many times faster: delays are shorter and rates greater, so that
    /// pools, and with them all probabilities, are the same. Time limits stay.
    #[must_use]
    pub fn faster(&self, times: u32) -> Self {
        let mut lesson = self.clone();
        lesson.network = self.network.faster(times);
        for step in &mut lesson.steps {
            if let Step::Act(act) = step {
                act.actions = act.actions.iter().map(|action| action.faster(times)).collect();
            }
        }
        for actions in lesson.sabotages.iter_mut().filter_map(|one| one.actions.as_mut()) {
            *actions = actions.iter().map(|action| action.faster(times)).collect();
        }
        lesson
    }

    /// The same in the network in which it is sabotaged; none if there is no such sabotage.
    #[must_use]
    pub fn sabotaged(&self, which: usize) -> Option<Self> {
        let sabotage = self.sabotages.get(which)?;
        let mut lesson = self.clone();
        lesson.network.layers = sabotage.layers.unwrap_or(self.network.layers);
        lesson.network.faithful |= sabotage.faithful;
        Some(lesson)
    }

    /// All expressions, wherever they stand.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut all: Vec<&Expression> = self.about.expressions().collect();
        for step in &self.steps {
            match step {
                Step::Say(text) | Step::Explain(text) => all.extend(text.expressions()),
                Step::Predict(predict) => {
                    all.push(&predict.answer);
                    let texts = [&predict.question, &predict.because];
                    all.extend(texts.into_iter().flat_map(Text::expressions));
                    all.extend(predict.hints.iter().flat_map(Text::expressions));
                }
                Step::Watch(_) => {}
                Step::Act(act) => all.extend(act.text.expressions()),
                Step::Observe(observe) => {
                    all.push(&observe.until);
                    let texts = observe.meanwhile.iter().chain([&observe.text]);
                    all.extend(texts.chain(&observe.hints).flat_map(Text::expressions));
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greater_tolerance_counts_and_none_means_exactly() {
        let tolerance = Tolerance { percent: 10.0, by: 0.5 };
        assert!(tolerance.allows(11.0, 10.0) && !tolerance.allows(11.1, 10.0));
        assert!(tolerance.allows(1.5, 1.0) && !tolerance.allows(1.6, 1.0));
        assert!(Tolerance::default().allows(8.0, 8.0) && !Tolerance::default().allows(8.1, 8.0));
    }
}
