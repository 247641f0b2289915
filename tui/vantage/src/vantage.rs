//! The vantage point itself: takes the stream apart, and puts a report together.

use std::time::Duration;

use anonymity::{
    Adversary, Doubt, Finding, LinkEvent, NodeId, Observation, Observer, PoolFigures, Step,
    Suspects,
};
use contract::Time;
use control::{Envelope, NodeStatus, Passage, Snapshot, StreamEvent};

use crate::doubt::sentence;
use crate::expected::{Expectation, Settings};
use crate::guess::{Guess, MEMORY};
use crate::inside::{self, Inside};
use crate::latest::Latest;
use crate::limits::{Known, Limit};
use crate::names::Names;
use crate::public::Public;
use crate::report::{Bits, Counted, PoolReport, Report};
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
            packet_bytes: USUAL_BYTES,
        }
    }
}

impl Vantage {
    /// The stream says something.
    pub fn hear(&mut self, envelope: &Envelope) {
        let now = since_start(envelope.t);
        match &envelope.event {
            StreamEvent::Snapshot(snapshot) => return self.begin(envelope.t, snapshot),
            StreamEvent::Node(status) => self.node(now, status),
            StreamEvent::Removed { node } => {
                self.public.remove(node);
                self.tell_changes(now);
            }
            StreamEvent::Links { src, links } => self.links(src, links),
            StreamEvent::Lost { links, .. } if *links > 0 => {
                self.observer.take(Observation::Lost { t: now, events: *links });
            }
            StreamEvent::Origins { packets } => self.truth.told(packets, &self.names),
            StreamEvent::Waits { waits_us, .. } => self.truth.waited(waits_us),
            StreamEvent::Passages { node, passages } => self.confided(node, passages),
            _ => {}
        }
        self.advance(now);
    }

    /// The same of a snapshot alone, for whoever takes it out of its envelope.
    pub fn begin(&mut self, t: Time, snapshot: &Snapshot) {
        let now = since_start(t);
        self.snapshot(now, snapshot);
        self.advance(now);
    }

    fn snapshot(&mut self, now: Duration, snapshot: &Snapshot) {
        self.began.get_or_insert(now);
        let before = self.settings();
        self.public.snapshot(snapshot);
        self.tell_changes(now);
        let delay = self.settings().map(|settings| settings.hop_delay());
        let cover = |settings: Settings| (settings.rate_of_one(), settings.slot_cover);
        if let Some(watched) = &self.watched
            && before.map(cover) != self.settings().map(cover)
        {
            // Other rates: what was concluded from the old ones is void.
            self.watched = self.watch(watched.node, now);
        }
        if before.map(|before| before.hop_delay()) != delay {
            self.observer.set_delay(delay);
            self.truth.forget_waits();
        }
    }

    fn node(&mut self, now: Duration, status: &NodeStatus) {
        if self.public.node(status)
            && let Some(node) = self.names.find(&status.name)
        {
            self.observer.take(Observation::Died { t: now, node });
        }
        self.tell_changes(now);
    }

    fn tell_changes(&mut self, now: Duration) {
        for change in self.public.changes(now, &mut self.names) {
            self.observer.take(change);
        }
    }

    fn links(&mut self, process: &str, links: &[contract::LinkEvent]) {
        let Some(process) = self.names.number(process) else { return };
        for link in links {
            let from = match link.from {
                Some(number) => self.names.identity(process, number),
                None => Some(process),
            };
            let numbers = from.zip(self.names.number(&link.dst));
            let Some((from, to)) = numbers else { continue };
            let t = since_start(link.t);
            let event = LinkEvent { t, src: from, dst: to, bytes: link.bytes };
            let observation = Observation::Link(event);
            if self.observer.adversary().hears(&observation) {
                self.ticker.add(event);
                self.observer.take(observation);
            }
        }
    }

    /// A node that works for the observer tells what it knows.
    fn confided(&mut self, node: &str, passages: &[Passage]) {
        for passage in passages {
            let observation = inside::observation(node, passage, &mut self.names);
            if let Some(observation) = observation {
                self.observer.take(observation);
            }
        }
    }

    fn advance(&mut self, now: Duration) {
        let Self { observer, suspects, watched, truth, names, latest, .. } = self;
        observer.advance(now, &mut |finding| match finding {
            Finding::CameOut { came, posterior } => {
                truth.came_out(came, &posterior, names);
                Latest::renew(latest, came, &posterior, names);
                if let Some(suspects) = suspects {
                    suspects.came_out(came.t, &posterior);
                }
            }
            Finding::Delivered { came, recipient, posterior } => {
                truth.delivered(came, names.name(recipient));
                if let Some(suspects) = suspects {
                    suspects.delivered(came.t, recipient, &posterior);
                }
            }
            Finding::Sent { sent } => {
                if let Some(watched) = watched.as_mut().filter(|watched| watched.node == sent.src) {
                    watched.sent(sent.t);
                }
            }
            Finding::Settled(_) => {}
        });
        if let Some(suspects) = &mut self.suspects {
            suspects.go_on(self.observer.now());
        }
        self.packet_bytes = observer_bytes(&self.observer).unwrap_or(self.packet_bytes);
    }

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

    /// The bits of uncertainty about senders second by second over so long, oldest first: a curve. None
    /// where somebody else watched, or nobody.
    pub fn curve(&self, over: Duration) -> impl Iterator<Item = Option<f64>> {
        let now = self.observer.now();
        let began = self.began.unwrap_or(now);
        let seconds = usize::try_from(now.saturating_sub(began).as_secs()).unwrap_or(usize::MAX);
        let steps = self.observer.figures().sender_bits.curve(now, over);
        let count = usize::try_from(over.as_secs()).unwrap_or(usize::MAX);
        // The second in which it began is part somebody else's.
        let others = count.saturating_sub(seconds.saturating_add(1));
        steps.enumerate().map(move |(at, step)| step.mean().filter(|_| at >= others))
    }

    /// All of it; none before the stream has told what the network is.
    pub fn report(&self, window: Duration) -> Option<Report> {
        let settings = self.settings()?;
        let observer = &self.observer;
        let (now, figures) = (observer.now(), observer.figures());
        let began = self.began.unwrap_or(now);
        let watched = now.saturating_sub(began).min(window);
        let (rate, acks) =
            (figures.sent.rate(now, window, began), figures.acknowledged.rate(now, window, began));
        let is_measured = watched > Duration::ZERO && rate > 0.0;
        let expected = settings.expected(self.packet_bytes);
        let pools = self.pools(window, settings.hop_delay_s);
        let pool = mean(pools.iter().filter_map(|pool| pool.mean));
        let sender = bits(
            figures.sender_bits.over(now, watched),
            figures.worst_bits.over(now, watched),
            figures.most.over(now, watched),
        );
        let senders = self.senders();
        let doubts = observer.doubts(window);
        let limits = Known {
            down: self
                .public
                .down()
                .map(|status| (status.name.clone(), status.state.word().to_owned()))
                .collect(),
            disturbed: doubts.iter().find_map(|doubt| match doubt {
                Doubt::Disturbed { at } => Some(now.saturating_sub(*at)),
                _ => None,
            }),
            pool: pool.unwrap_or(expected.pool),
            bits: sender.map_or(expected.sender_bits, |sender| sender.bits),
            senders: senders.clone(),
        };
        let inside = self.inside(watched);
        let mut limits = limits.limits();
        if let Some(inside) = inside.as_ref().filter(|inside| inside.corrupt() > 0) {
            let (corrupt, mixnodes) = (inside.corrupt(), inside.mixnodes());
            limits.insert(0, Limit::Corrupt { corrupt, mixnodes, routes: inside.routes });
        }
        let calibrated = self.truth.calibrated(now, window);
        let delays = self.truth.delays();
        let other_doubts = [
            calibrated.and_then(|calibrated| calibrated.doubt()),
            delays
                .filter(|fit| !fit.is_exponential())
                .map(|fit| Doubt::Delays { distance: fit.distance }),
        ];
        let doubts = doubts.into_iter().chain(other_doubts.into_iter().flatten());
        Some(Report {
            adversary: self.who.clone(),
            window_s: window.as_secs_f64(),
            watched_s: watched.as_secs_f64(),
            senders: senders.len(),
            most_bits: f64::from(u32::try_from(senders.len().max(1)).unwrap_or(u32::MAX)).log2(),
            sender,
            packet_bits: figures.packet_bits.over(now, watched).mean(),
            settings,
            expected,
            expected_as_measured: is_measured
                .then(|| settings.expected_at(rate, acks, self.packet_bytes)),
            rate,
            acks,
            pool,
            pools,
            limits,
            doubts: doubts.map(|doubt| sentence(&doubt, now)).collect(),
            calibration: calibrated.map(|calibrated| Counted {
                packets: calibrated.packets,
                given: calibrated.given,
                expected: calibrated.expected,
                hits: calibrated.hits,
                expected_hits: calibrated.most,
            }),
            delay_distance: delays.map(|fit| fit.distance),
            guess: self.suspects.as_ref().map(|suspects| Guess::of(suspects, &self.names)),
            inside,
            sending: self
                .watched
                .as_ref()
                .map(|watched| watched.tell(self.names.name(watched.node), now)),
        })
    }

    /// What nodes that work for it are worth; none if none does.
    fn inside(&self, over: Duration) -> Option<Inside> {
        let Who::All { mixes, providers } = &self.who else { return None };
        if mixes.is_empty() && providers.is_empty() {
            return None;
        }
        let is_corrupt = |node| self.observer.adversary().is_corrupt(node);
        let mixes = self.observer.mixes().map(|(node, layer, _)| (layer, is_corrupt(node)));
        let certain = self.observer.figures().certain.over(self.observer.now(), over);
        Some(Inside::of(mixes, certain.mean()))
    }

    fn pools(&self, window: Duration, hop_delay_s: f64) -> Vec<PoolReport> {
        let now = self.observer.now();
        let mut pools: Vec<PoolReport> = self
            .observer
            .mixes()
            .map(|(node, layer, pool)| {
                let figures: Option<PoolFigures> = pool.figures(now, window);
                PoolReport {
                    node: self.names.name(node).to_owned(),
                    layer,
                    now: pool.count(),
                    mean: figures.as_ref().map(|figures| figures.mean),
                    expected: figures.as_ref().map(|figures| figures.rate * hop_delay_s),
                    bits: figures.as_ref().map(|figures| figures.entropy),
                }
            })
            .collect();
        pools.sort_by(|one, other| (one.layer, &one.node).cmp(&(other.layer, &other.node)));
        pools
    }
}

pub(crate) fn since_start(t: Time) -> Duration {
    Duration::from_nanos(t.as_nanos())
}

/// The size of the network's packets, if the observer has seen any.
fn observer_bytes(observer: &Observer) -> Option<u32> {
    observer.trust().sizes.last().copied()
}

fn bits(bits: Step, worst: Step, most: Step) -> Option<Bits> {
    let mean = bits.mean()?;
    Some(Bits {
        bits: mean,
        worst_bits: worst.mean()?,
        like: mean.exp2(),
        top_share: most.mean()?,
        packets: bits.count,
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    (count > 0.0).then(|| sum / count)
}
