//! What a lesson consists of.

use super::{Entry, Idea, Insight, Topic, entry};
use crate::screens::Screen;

/// A part of the screen of lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Study {
    /// Whether this devnet is one for a lesson.
    Network,
    /// A question.
    Question,
    /// Something to do.
    Task,
    /// What is waited for.
    Condition,
    /// What becomes of the network afterwards.
    Restored,
}

impl Study {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Network, Self::Question, Self::Task, Self::Condition, Self::Restored];

    pub(super) fn entry(self) -> Entry {
        use Topic::{Idea as I, Insight as F, Study as S};
        match self {
            Self::Network => entry(
                "this network",
                "What a lesson needs: layers, mixnodes, a crowd, delays and rates. \"As it is\" means \
                 that this devnet is so already; else it is made so by the changes that are counted, \
                 each of which is a command that you could type. What a running devnet cannot change, \
                 such as its layers, makes it one that is not for the lesson.",
                &[S(Self::Restored), F(Insight::Knobs), I(Idea::Layers)],
            ),
            Self::Question => entry(
                "a question",
                "What do you expect to see? Answer before you look: what one has predicted one remembers. \
                 Nothing depends on it. What is right is reckoned from the settings of this devnet or \
                 measured in it, so other settings make other answers; where a number is asked for, one \
                 that is near counts as right.",
                &[S(Self::Condition), S(Self::Task), Topic::Screen(Screen::Lessons)],
            ),
            Self::Task => entry(
                "to do",
                "A lesson lets you do something to the network. The key does it with the same requests as \
                 the commands that stand there; do it yourself, on another screen or in a terminal, and \
                 the lesson goes on as soon as it sees that it is so.",
                &[S(Self::Condition), S(Self::Restored)],
            ),
            Self::Condition => entry(
                "waited for",
                "A lesson goes on when the network is so, not when a key was pressed. Each part of the \
                 condition stands there with what is known of it now; facts are counted since the lesson \
                 began, and what is measured since the last change. Go and look at other screens \
                 meanwhile: the row below them says how it stands. When its time is up it is still \
                 waited for, with a hint.",
                &[S(Self::Task), F(Insight::Trust), Topic::Screen(Screen::Anonymity)],
            ),
            Self::Restored => entry(
                "put back",
                "When a lesson ends, or is left, or the dashboard is, the network becomes again what it \
                 was: delays, rates, the crowd, and the nodes that there were. If that cannot be done it is \
                 told, and the next lesson on the same devnet does it first. Messages that were sent stay.",
                &[S(Self::Network), Topic::Screen(Screen::Lessons)],
            ),
        }
    }
}
