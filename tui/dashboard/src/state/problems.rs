//! What is wrong now and was not long ago, why, and what can be done. Each lint looks at the state and
//! at what was counted lately; here it is kept which of its findings are new, and which are over.

mod figures;
mod loads;
mod places;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;

use super::{Devnet, Moment, Node};
use figures::Figures;

/// How often the state is looked at: as often as processes report.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many problems there are at once at most, the worst first: two for each process of a devnet that
/// has as many as one may have. Nobody reads more.
const MAX_OPEN: usize = 544;

/// How many that are over are remembered …
const MAX_PAST: usize = 50;

/// … and how long: until whoever was away is back with a coffee.
const PAST_FOR: Duration = Duration::from_secs(15 * 60);

/// How long something that is measured has to be well before its problem is over: figures that waver
/// around a bound would begin a new one every few seconds.
const OVER_AFTER: Duration = Duration::from_secs(15);

/// How bad a problem is; the worst is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something does not work.
    Bad,
    /// It works worse than it should.
    Warning,
    /// It is as somebody wanted it, and has a price.
    Note,
}

impl Severity {
    /// One word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lint {
    /// A process ended too often and is not started again.
    Failed,
    /// A layer without a mixnode, or a network without a provider.
    Missing,
    /// The supervisor does not hear the directory.
    Unheard,
    /// A process ended by itself, and is about to be started again.
    Crashed,
    /// The directory has forgotten a node that runs.
    Gone,
    /// A node that is there takes no packets, or says nothing any more.
    Silent,
    /// A message was not delivered.
    Undelivered,
    /// A process does not become ready.
    Unready,
    /// A node does not announce itself as often as it should.
    Late,
    /// Nodes take fewer packets than are sent to them.
    Lossy,
    /// A node drops packets.
    Drops,
    /// A client sends packets again.
    Again,
    /// The processes need more than the machine has.
    Overload,
    /// Mixnodes hold packets longer than they are asked to.
    Lateness,
    /// Clocks differ, or were set.
    Clock,
    /// Something that happened was not told here.
    Lost,
    /// A client hides among nobody.
    Lone,
    /// A process was paused.
    Paused,
}

impl Lint {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 18] = [
        Self::Failed,
        Self::Missing,
        Self::Unheard,
        Self::Crashed,
        Self::Gone,
        Self::Silent,
        Self::Undelivered,
        Self::Unready,
        Self::Late,
        Self::Lossy,
        Self::Drops,
        Self::Again,
        Self::Overload,
        Self::Lateness,
        Self::Clock,
        Self::Lost,
        Self::Lone,
        Self::Paused,
    ];

    /// Whether a bound on a figure decides about it, and not a state.
    fn is_measured(self) -> bool {
        matches!(self, Self::Lossy | Self::Overload | Self::Lateness)
    }

    /// Whether it cannot come of it that the devnet goes down: then who is asked to stop leaves gaps as
    /// somebody does who fails.
    fn is_about_no_gap(self) -> bool {
        matches!(self, Self::Failed | Self::Crashed | Self::Undelivered | Self::Clock | Self::Lost)
    }

    /// What it is called with so many findings.
    pub(crate) fn headline(self, count: usize) -> String {
        let (one, more) = match self {
            Self::Failed => ("node has failed", "nodes have failed"),
            Self::Missing => ("part of the way is missing", "parts of the way are missing"),
            Self::Unheard => return "the directory is not heard".into(),
            Self::Crashed => {
                ("node has crashed or was killed", "nodes have crashed or were killed")
            }
            Self::Gone => ("node is gone from the directory", "nodes are gone from the directory"),
            Self::Silent => ("node is silent", "nodes are silent"),
            Self::Undelivered => ("message was not delivered", "messages were not delivered"),
            Self::Unready => ("node does not become ready", "nodes do not become ready"),
            Self::Late => ("node is late", "nodes are late"),
            Self::Lossy => ("node loses packets on its links", "nodes lose packets on their links"),
            Self::Drops => ("node drops packets", "nodes drop packets"),
            Self::Again => ("client sends packets again", "clients send packets again"),
            Self::Overload => return "the machine is too slow for the rates".into(),
            Self::Lateness => return "mixnodes pass packets on late".into(),
            Self::Clock => ("clock cannot be trusted", "clocks cannot be trusted"),
            Self::Lost => return "events were lost".into(),
            Self::Lone => ("client has nobody to hide among", "clients have nobody to hide among"),
            Self::Paused => ("node is paused", "nodes are paused"),
        };
        format!("{count} {}", if count == 1 { one } else { more })
    }
}

/// What a lint found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) lint: Lint,
    /// How bad that is.
    pub(crate) severity: Severity,
    /// With what: the name of a process, or a few words.
    pub(crate) about: String,
    /// Whether that is the name of a process.
    is_node: bool,
    /// Why it is thought so, with the figures.
    pub(crate) why: String,
    /// What the reader can do.
    pub(crate) advice: String,
    /// The command for that, without the name of the program.
    pub(crate) command: Option<String>,
    /// Since when, if the state tells: milliseconds since 1970.
    pub(crate) since_unix_ms: Option<u64>,
}

impl Finding {
    fn new(lint: Lint, severity: Severity, about: impl Into<String>) -> Self {
        let (why, advice) = (String::new(), String::new());
        let about = about.into();
        let (command, since_unix_ms) = (None, None);
        Self { lint, severity, about, is_node: false, why, advice, command, since_unix_ms }
    }

    fn of(lint: Lint, severity: Severity, node: &Node) -> Self {
        Self { is_node: true, ..Self::new(lint, severity, node.name()) }
    }

    /// The worst first, the same lints together.
    fn order(&self) -> (Severity, Lint, &str) {
        (self.severity, self.lint, &self.about)
    }

    /// The process that it is about, if it is about one.
    pub(crate) fn node(&self) -> Option<&str> {
        self.is_node.then_some(self.about.as_str())
    }

    fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    fn since(mut self, unix_ms: u64) -> Self {
        self.since_unix_ms = Some(unix_ms);
        self
    }
}

/// Something that is wrong, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// As it was found last.
    pub(crate) finding: Finding,
    /// Since when it is known: milliseconds since 1970.
    pub(crate) since_unix_ms: u64,
    /// When it was found last: milliseconds since 1970.
    found_unix_ms: u64,
    /// When it was over; none while it is not.
    pub(crate) ended_unix_ms: Option<u64>,
    /// How often there was the same one that is over, this one included.
    pub(crate) times: u32,
}

impl Problem {
    /// Which one it is, for as long as it lasts.
    pub(crate) fn id(&self) -> ProblemId {
        ProblemId {
            lint: self.finding.lint,
            about: self.finding.about.clone(),
            since_unix_ms: self.since_unix_ms,
        }
    }

    fn order(&self) -> (Severity, Lint, &str) {
        self.finding.order()
    }

    fn is_of(&self, finding: &Finding) -> bool {
        (self.finding.lint, &self.finding.about) == (finding.lint, &finding.about)
    }

    /// Whether it is this one at another time.
    pub(crate) fn is_again(&self, id: &ProblemId) -> bool {
        (self.finding.lint, &self.finding.about) == (id.lint, &id.about)
    }
}

/// Which problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProblemId {
    lint: Lint,
    about: String,
    since_unix_ms: u64,
}

/// What a lint looks at.
struct Look<'a> {
    devnet: &'a Devnet,
    now: Moment,
    figures: &'a Figures,
}

/// All lints. Each looks at every process once at most, so that a look is cheap.
const LINTS: [fn(&Look<'_>) -> Vec<Finding>; 16] = [
    places::failed,
    places::crashed,
    places::unready,
    places::paused,
    places::missing,
    places::absent,
    places::unheard,
    places::lone,
    loads::silent,
    loads::undelivered,
    loads::drops,
    loads::lossy,
    loads::again,
    loads::machine,
    loads::clocks,
    loads::lost,
];

/// What is wrong, and was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    looked: Option<Time>,
    figures: Figures,
    /// The worst first, the same lints together.
    open: Vec<Problem>,
    /// The latest first, the same once.
    past: VecDeque<Problem>,
}

impl Problems {
    /// Whether it is time to look.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.looked.is_none_or(|looked| now.saturating_since(looked) >= LOOK_EVERY || now < looked)
    }

    /// The directory's clock was so many milliseconds ahead of the supervisor's when this was sent.
    pub(crate) fn directory_is_ahead(&mut self, ms: i64) {
        self.figures.directory_is_ahead(ms);
    }

    /// Looks at everything.
    pub(crate) fn look(&mut self, devnet: &Devnet, now: Moment) {
        self.looked = Some(now.t);
        self.figures.take(devnet, now);
        let look = Look { devnet, now, figures: &self.figures };
        let mut found: Vec<Finding> = LINTS.iter().flat_map(|lint| lint(&look)).collect();
        if devnet.goes_down() {
            // What is new now comes of that. What was there before stays as it is.
            let is_known = |finding: &Finding| self.open.iter().any(|open| open.is_of(finding));
            found.retain(|finding| finding.lint.is_about_no_gap() || is_known(finding));
        }
        found.sort_by(|a, b| a.order().cmp(&b.order()));
        found.truncate(MAX_OPEN);
        let mut before = std::mem::take(&mut self.open);
        for finding in found {
            let known = before.iter().position(|problem| problem.is_of(&finding));
            let known = known.map(|index| before.swap_remove(index).since_unix_ms);
            let since_unix_ms = known.or(finding.since_unix_ms).unwrap_or(now.unix_ms);
            let found_unix_ms = now.unix_ms;
            let (ended_unix_ms, times) = (None, 1);
            self.open.push(Problem { finding, since_unix_ms, found_unix_ms, ended_unix_ms, times });
        }
        for mut problem in before {
            let well = now.since_unix_ms(problem.found_unix_ms);
            if problem.finding.lint.is_measured() && well < OVER_AFTER {
                let place = self.open.partition_point(|other| other.order() <= problem.order());
                self.open.insert(place, problem);
            } else {
                problem.ended_unix_ms = Some(now.unix_ms);
                self.bury(problem);
            }
        }
        self.past.truncate(MAX_PAST);
        let is_recent = |problem: &Problem| {
            problem.ended_unix_ms.is_some_and(|ended| now.since_unix_ms(ended) <= PAST_FOR)
        };
        self.past.retain(is_recent);
    }

    /// It is over. If it was before, that is the same line: what comes and goes would fill the list.
    fn bury(&mut self, mut problem: Problem) {
        if let Some(at) = self.past.iter().position(|past| past.is_of(&problem.finding))
            && let Some(before) = self.past.remove(at)
        {
            problem.times = before.times.saturating_add(1);
        }
        self.past.push_front(problem);
    }

    /// What is wrong, the worst first, the same lints together.
    pub(crate) fn open(&self) -> &[Problem] {
        &self.open
    }

    /// What was wrong, the latest first, the same once.
    pub(crate) fn past(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.past.iter()
    }

    /// How many there are that somebody should look at: a note is only worth knowing.
    pub(crate) fn count(&self) -> usize {
        self.open.partition_point(|problem| problem.finding.severity < Severity::Note)
    }

    /// How many have this in common with the first of them.
    pub(crate) fn alike(&self, finding: &Finding) -> usize {
        let same = (finding.severity, finding.lint);
        let is_alike = |of: &&Problem| (of.finding.severity, of.finding.lint) == same;
        self.open.iter().filter(is_alike).count()
    }
}
