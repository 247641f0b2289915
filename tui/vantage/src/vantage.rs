//! The vantage point itself: who watches, what one may ask it, and all that it holds.

mod hear;
mod tell;

use std::time::Duration;

use anonymity::{Adversary, NodeId, Observer, Suspects};
use contract::Time;

use crate::change::Change;
use crate::expected::{Expectation, Settings};
use crate::guess::MEMORY;
use crate::latest::Latest;
use crate::names::Names;
use crate::public::Public;
use crate::sending::Watched;
use crate::ticker::{Tick, Ticker};
use crate::truth::Truth;
use crate::who::Who;

/// Over how long figures are averaged where nobody asks for something else: thousands of packets, and
/// short enough to see a change.
pub const WINDOW: Duration = Duration::from_secs(60);

/// How late packets may be told: processes tell every tenth of a second, and a busy machine takes longer.
const REORDER: Duration = Duration::from_millis(500);

/// Bytes of a packet until one was seen, for what theory says of its cost.
const USUAL_BYTES: u32 = 2396;

/// An observer of a devnet, fed with its event stream.
#[derive(Clone, Debug)]
pub struct Vantage {
    who: Who,
    names: Names,
    public: Public,
    observer: Observer,
    suspects: Option<Suspects>,
    watched: Option<Watched>,
    ticker: Ticker,
    latest: Option<Latest>,
    truth: Truth,
    began: Option<Duration>,
    change: Option<Change>,
    packet_bytes: u32,
}

impl Default for Vantage {
    fn default() -> Self {
        let who = Who::default();
        let names = Names::default();
        let adversary = who.adversary(&names).expect("it names no node");
        let observer =
            Observer::new(anonymity::Settings { adversary, reorder: REORDER, delay: None });
        Self {
            who,
            names,
            public: Public::default(),
            observer,
            suspects: None,
            watched: None,
            ticker: Ticker::default(),
            latest: None,
            truth: Truth::default(),
            began: None,
            change: None,
            packet_bytes: USUAL_BYTES,
        }
    }
}

impl Vantage {
    /// Becomes another adversary; says whether its nodes are known.
    pub fn set_who(&mut self, who: Who) -> bool {
        let Some(adversary) = who.adversary(&self.names) else { return false };
        let is_other = self.who != who;
        self.observer.set_adversary(adversary);
        self.ticker.clear();
        self.latest = None;
        self.who = who;
        if is_other {
            // What others found out is not what this one does.
            self.truth.forget_guesses();
            let now = self.observer.now();
            self.began = self.began.map(|_| now);
            if let Some(suspects) = &self.suspects {
                self.suspects = Some(Suspects::new(suspects.recipient(), Some(MEMORY)));
            }
            if let Some(watched) = &self.watched {
                self.watched = self.watch(watched.node, now);
            }
        }
        true
    }

    /// Begins to look for whoever writes to somebody, from now on; says whether that one is known.
    pub fn look_for_who_writes_to(&mut self, recipient: &str) -> bool {
        let Some(node) = self.names.find(recipient) else { return false };
        self.suspects = Some(Suspects::new(node, Some(MEMORY)));
        true
    }

    /// Begins to find out whether somebody has something to say, from now on; says whether that one is
    /// known.
    pub fn look_whether_it_sends(&mut self, client: &str) -> bool {
        let Some(node) = self.names.find(client) else { return false };
        let Some(watched) = self.watch(node, self.observer.now()) else { return false };
        self.watched = Some(watched);
        true
    }

    /// A test of this client from now on, by what is seen of it.
    fn watch(&self, node: NodeId, now: Duration) -> Option<Watched> {
        let seen = match self.observer.adversary() {
            Adversary::Global { .. } => 1.0,
            Adversary::OneLink(one, other) if [one, other].contains(&&node) => {
                // One of the first layer, each of which is chosen as often as the others.
                let first = self.observer.mixes().filter(|(_, layer, _)| *layer == 1).count();
                f64::from(u32::try_from(first.max(1)).unwrap_or(u32::MAX)).recip()
            }
            Adversary::OneLink(..) => 0.0,
        };
        Some(Watched::new(node, &self.settings()?, seen, now))
    }

    /// Who is asked about whether that one sends.
    pub fn watches(&self) -> Option<&str> {
        self.watched.as_ref().map(|watched| self.names.name(watched.node))
    }

    /// Whose correspondents it looks for.
    pub fn looks_for(&self) -> Option<&str> {
        self.suspects.as_ref().map(|suspects| self.names.name(suspects.recipient()))
    }

    /// Who watches.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// What only the devnet knows. To be looked at beside the rest, never in place of it.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The latest packets on links that it sees, oldest first.
    pub fn ticks(&self) -> impl DoubleEndedIterator<Item = Tick> {
        self.ticker.iter(&self.names)
    }

    /// A packet that came out a moment ago, another one up to four times a second.
    pub fn latest(&self) -> Option<&Latest> {
        self.latest.as_ref()
    }

    /// Everybody who sends, by name.
    pub fn senders(&self) -> Vec<&str> {
        let mut senders: Vec<&str> =
            self.observer.senders().map(|sender| self.names.name(sender)).collect();
        senders.sort_unstable();
        senders
    }

    /// The network's settings; none before the stream told of them.
    pub fn settings(&self) -> Option<Settings> {
        let info = self.public.info()?;
        Some(Settings::of(info, self.observer.senders().count()))
    }

    /// What to expect of settings, which need not be those of the network: before a knob is turned. Costs
    /// are reckoned with packets as long as those that were seen.
    pub fn expected(&self, settings: &Settings) -> Expectation {
        settings.expected(self.packet_bytes)
    }

    /// Up to when packets have counted: half a second ago, since processes tell late.
    pub fn counted_until(&self) -> Time {
        Time::from_nanos(u64::try_from(self.observer.now().as_nanos()).unwrap_or(u64::MAX))
    }
}

pub(crate) fn since_start(t: Time) -> Duration {
    Duration::from_nanos(t.as_nanos())
}
