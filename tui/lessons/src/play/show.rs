//! What a play is told, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use control::Envelope;
use serde::Serialize;

use crate::action::Action;
use crate::facts::Known;
use crate::lesson::Lesson;

/// Who goes through a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Somebody who reads, answers, and does things or lets them be done.
    Learner,
    /// Nobody: everything is done at once, and what is observed has to come in time.
    Machine,
    /// The same with a sabotage, in the network that it wants. Then not everything that is to be observed
    /// afterwards may come.
    Sabotaged {
        /// Which of the lesson's.
        which: usize,
        /// How long each step is waited for at most: a multiple of [`Play::times`](super::Play::times).
        patience: Vec<Duration>,
    },
}

/// What a play is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// The stream said something.
    Heard(&'a Envelope),
    /// Time passed; ten times a second, say.
    Tick,
    /// The learner wrote a line. An empty one goes on, `?` asks for a hint, `q` leaves.
    Line(&'a str),
    /// What was to be done is done, or why it is not.
    Did(Result<(), String>),
    /// It ends here.
    Leave,
}

/// What a play answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// This is shown.
    Show(Show),
    /// This is done, in order, and answered with [`Input::Did`]; also if it is nothing.
    Do(Vec<Action>),
    /// It is over, and the network again what it was.
    Over(End),
}

/// Something to show. All texts are whole sentences in paragraphs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "show", rename_all = "kebab-case")]
pub enum Show {
    /// The lesson begins.
    Title {
        /// Its number.
        number: u8,
        /// What it is called.
        title: String,
        /// How many minutes it takes.
        minutes: u8,
        /// What it is about.
        about: String,
    },
    /// Commands are being carried out.
    Doing {
        /// As they would be typed.
        commands: Vec<String>,
        /// Whether they only undo.
        restores: bool,
    },
    /// Something to read.
    Text {
        /// What.
        text: String,
        /// Whether it explains what was seen.
        explains: bool,
    },
    /// A question.
    Question {
        /// What is asked.
        text: String,
        /// What can be chosen; empty for a number, or yes and no.
        choices: Vec<String>,
        /// The unit of the number.
        unit: String,
        /// Whether there is a hint.
        has_hint: bool,
    },
    /// What was answered is right, or not.
    Judged {
        /// What was answered.
        said: String,
        /// Whether it is right.
        right: bool,
        /// What is right.
        answer: String,
        /// Why.
        because: String,
    },
    /// What was answered cannot be read.
    Unclear {
        /// What would be.
        expected: String,
    },
    /// Something to do.
    Task {
        /// What.
        text: String,
        /// As commands.
        commands: Vec<String>,
    },
    /// Something is waited for.
    Waiting {
        /// What.
        text: String,
        /// For how many seconds at most.
        limit_s: f64,
    },
    /// How it stands.
    Meanwhile {
        /// In words.
        text: String,
        /// Seconds that are left.
        left_s: f64,
    },
    /// It is there.
    Reached {
        /// After so many seconds.
        took_s: f64,
    },
    /// What the lesson let a client send leaves it before the network is put back.
    Clearing {
        /// Messages that wait for a slot.
        messages: usize,
        /// Waited for that many seconds at most.
        limit_s: f64,
    },
    /// It did not come in time; it is still waited for.
    Late {
        /// What.
        what: String,
    },
    /// Something that helps.
    Hint {
        /// What; none if there is nothing more to say.
        text: Option<String>,
    },
    /// Something could not be done.
    Failed {
        /// Why.
        why: String,
    },
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum End {
    /// All steps are done.
    Finished {
        /// Right answers.
        right: u32,
        /// Of so many.
        asked: u32,
    },
    /// Somebody left.
    Left,
    /// The devnet is not one for this lesson.
    Unfit {
        /// What it has or lacks.
        why: String,
    },
    /// What was to be observed did not come in time. Only where nobody is there to wait longer.
    Late {
        /// What.
        what: String,
        /// Its condition.
        until: String,
    },
    /// It cannot go on.
    Failed {
        /// Why.
        why: String,
    },
}

impl Show {
    /// What is said of commands that are being carried out, and whether they are named too: those of the task
    /// that was given last stand there already. Without a task they make the network what is needed.
    pub fn doing(commands: &[String], restores: bool, task: &[String]) -> (&'static str, bool) {
        if restores {
            ("The network becomes again what it was:", true)
        } else if task.is_empty() {
            ("The network is made what this lesson needs:", true)
        } else if commands == task {
            ("Done for you.", false)
        } else {
            ("Done for you:", true)
        }
    }

    /// What is said while messages leave their sender.
    pub fn clearing(messages: usize, limit_s: f64) -> String {
        let what = if messages == 1 { "message still waits" } else { "messages still wait" };
        format!(
            "{messages} {what} for a send slot. The lesson ends when all have left, after {limit_s:.0} s at \
             most."
        )
    }

    pub(super) fn title(lesson: &Lesson, known: &Arc<Known>) -> Self {
        let Lesson { number, title, minutes, about, .. } = lesson;
        let about = about.filled(known);
        Self::Title { number: *number, title: title.clone(), minutes: *minutes, about }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_named_unless_they_stand_there_already() {
        let (one, other) = (["a".to_owned()], ["b".to_owned()]);
        assert!(Show::doing(&one, false, &[]).0.contains("what this lesson needs"));
        assert_eq!(Show::doing(&one, false, &one), ("Done for you.", false));
        assert_eq!(Show::doing(&one, false, &other), ("Done for you:", true));
        assert!(Show::doing(&one, true, &one).0.contains("again what it was"));
    }
}
