//! What everything on the screen means in a mixnet: one table, keyed by what can be asked about.
//!
//! A [`Topic`] is closed: whoever adds a screen, a column or a state adds it to an enum that a `match`
//! in one of the tables below goes through, and does not compile before there is a text. Figures that a
//! network can have otherwise are no part of a text: `{delay}` and the like stand for those of the devnet
//! that is looked at.

mod columns;
mod drops;
mod facts;
mod figures;
mod header;
mod ideas;
mod insights;
mod letters;
mod lints;
mod processes;
mod screens;
mod selected;
mod stops;
mod studies;
mod topic;
mod traffic;

pub(crate) use facts::Fact;
pub(crate) use figures::Figures;
pub(crate) use header::Header;
pub(crate) use ideas::Idea;
pub(crate) use insights::Insight;
pub(crate) use letters::Letter;
pub(crate) use selected::selected;
pub(crate) use studies::Study;
pub(crate) use topic::Topic;

/// What is said about a topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// What it is called, as it stands on the screen where it does.
    pub(crate) title: &'static str,
    /// Two or three sentences, with names of [`Figures`] in braces.
    pub(crate) text: &'static str,
    /// What to look at next.
    pub(crate) see: &'static [Topic],
}

const fn entry(title: &'static str, text: &'static str, see: &'static [Topic]) -> Entry {
    Entry { title, text, see }
}

impl Topic {
    /// What is said about it.
    pub(crate) fn entry(self) -> Entry {
        match self {
            Self::Screen(screen) => screens::screen(screen),
            Self::Card => screens::card(),
            Self::Journey => screens::journey(),
            Self::Header(header) => header.entry(),
            Self::Column(column) => columns::column(column),
            Self::Role(role) => processes::role(role),
            Self::State(state) => processes::state(state),
            Self::Late => processes::late(),
            Self::Gone => processes::gone(),
            Self::Letter(letter) => letter.entry(),
            Self::Drop(reason) => drops::reason(reason),
            Self::Lint(lint) => lints::lint(lint),
            Self::Traffic(pane) => traffic::pane(pane),
            Self::Stop(way, part) => stops::stop(way, part),
            Self::Fact(fact) => fact.entry(),
            Self::Insight(insight) => insight.entry(),
            Self::Study(study) => study.entry(),
            Self::Idea(idea) => idea.entry(),
        }
    }
}
