//! The identities of a process: one for a client, many for a crowd, which may become more and fewer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::{Answer, Change, Event, Fatal, Identity as Who, NodeMetrics, Outcome};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{KeyFiles, LoadedKey, Reporter, clock, drops, load_key};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use wire::{ClientAddress, PublicKey};

use crate::args::{MAX_CROWD, check_rates};
use crate::asks::Ask;
use crate::identity::{Identity, Journal, Shared, Tally};
use crate::storage::Storage;
use crate::{ClientArgs, Settings};

/// Requests that wait for an identity.
const MAX_WAITING_ASKS: usize = 64;

/// Keys that a growing crowd gets at once: each has to be on disk, and the identities that are there
/// are to go on meanwhile.
const GROWN_AT_ONCE: usize = 8;

/// The identities of a process.
pub(crate) struct Crowd {
    args: ClientArgs,
    pub(crate) shared: Shared,
    settings: watch::Sender<Settings>,
    provider: watch::Sender<Option<PublicKey>>,
    pub(crate) identities: JoinSet<()>,
    members: Vec<Member>,
    /// Those that were told to leave: what they have counted still counts.
    leaving: Vec<Arc<Mutex<Tally>>>,
    /// What those have counted that are gone.
    gone: Tally,
    /// How many there shall be, and the request that said so.
    wanted: Option<(usize, u64)>,
    /// Keys of those that are to come. They begin together: only then is it told who they are, and
    /// nobody shall hear of packets of somebody unknown.
    coming: Vec<LoadedKey>,
    /// None of a crowd.
    pub(crate) storage: Option<Storage>,
    who: Who,
    pub(crate) changed: Arc<Notify>,
    readiness: Readiness,
}

/// An identity at work.
struct Member {
    asks: mpsc::Sender<Ask>,
    tally: Arc<Mutex<Tally>>,
}

/// What was told last about readiness.
#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    Unknown,
    Waiting { reason: String, was_ready: bool },
    Ready,
}

/// The key of an identity of a crowd, counted from 1.
pub(crate) fn crowd_key(args: &ClientArgs, number: usize) -> Result<LoadedKey, Fatal> {
    let files = KeyFiles::in_folder(&args.home, &format!("identity_{number}"));
    load_key(&files, args.member_seed(number).as_ref())
}

impl Crowd {
    /// Starts an identity for each key. A journal is that of the first.
    pub(crate) fn start(
        args: &ClientArgs,
        keys: Vec<LoadedKey>,
        mut journal: Option<Journal>,
        shared: Shared,
        settings: watch::Sender<Settings>,
    ) -> Self {
        let who = Who {
            public_keys: keys.iter().map(|loaded| loaded.key.public().to_string()).collect(),
            address: None,
            new: keys.iter().all(|loaded| loaded.new),
            seed: keys.iter().find_map(|loaded| loaded.seed),
        };
        let mut crowd = Self {
            args: args.clone(),
            shared,
            settings,
            provider: watch::channel(None).0,
            identities: JoinSet::new(),
            members: Vec::new(),
            leaving: Vec::new(),
            gone: Tally::default(),
            wanted: None,
            coming: Vec::new(),
            storage: journal.as_ref().map(|journal| journal.storage.clone()),
            who,
            changed: Arc::default(),
            readiness: Readiness::Unknown,
        };
        crowd.shared.reporter.report(Event::Identity(crowd.who.clone()));
        for key in keys {
            crowd.add(key, journal.take());
        }
        crowd
    }

    fn add(&mut self, LoadedKey { key, .. }: LoadedKey, journal: Option<Journal>) {
        let (asks, waiting) = mpsc::channel(MAX_WAITING_ASKS);
        let waiting_for = Some("it is not connected yet".to_owned());
        let tally = Arc::new(Mutex::new(Tally { waiting_for, ..Tally::default() }));
        let mut shared = self.shared.clone();
        let seed = if self.storage.is_some() {
            self.args.node_seed()
        } else {
            let number = self.members.len() + 1;
            let of_identity = u32::try_from(number).expect("a crowd is bounded");
            shared.links = shared.links.of_identity(of_identity);
            shared.traces = shared.traces.map(|traces| traces.of_identity(of_identity));
            self.args.member_seed(number)
        };
        let identity = Identity {
            key,
            seed,
            provider: self.provider.subscribe(),
            rng: StdRng::from_rng(&mut rand::rng()),
            shared,
            asks: waiting,
            journal,
            tally: Arc::clone(&tally),
            changed: Arc::clone(&self.changed),
        };
        self.identities.spawn(identity.run());
        self.members.push(Member { asks, tally });
    }

    /// Goes on with other parameters, and answers that request: at once, or when as many identities are
    /// there as were asked for.
    pub(crate) fn set(&mut self, request: u64, change: Change) {
        match self.try_set(change) {
            Ok(None) => self.answer(request, Ok(())),
            Ok(Some(wanted)) => {
                if let Some((_, former)) = self.wanted.replace((wanted, request)) {
                    self.answer(former, Err("another size was asked for meanwhile".into()));
                }
                self.shrink(wanted);
                let to_come = wanted - self.members.len();
                if to_come > 0 {
                    // From here on it is not ready, until all of them are.
                    let reason = format!("{to_come} identities are to come");
                    self.shared.reporter.report(Event::Waiting { reason });
                }
            }
            Err(reason) => self.answer(request, Err(reason)),
        }
    }

    /// Sets the rates; gives back how many identities there shall be, if that was asked for.
    fn try_set(&mut self, change: Change) -> Result<Option<usize>, String> {
        let mut settings = *self.settings.borrow();
        settings.rates = change.applied_to(settings.rates);
        check_rates(settings.rates)?;
        if let Some(wanted) = change.crowd {
            if self.storage.is_some() {
                return Err("this is a client and no crowd".into());
            }
            if !(1..=MAX_CROWD).contains(&i64::from(wanted)) {
                return Err(format!("a crowd of {wanted} is not between 1 and {MAX_CROWD}"));
            }
        }
        self.settings.send_replace(settings);
        Ok(change.crowd.map(usize::from))
    }

    fn answer(&self, id: u64, done: Result<(), String>) {
        let outcome = match done {
            Ok(()) => Outcome::Done,
            Err(reason) => Outcome::Refused { reason },
        };
        self.shared.reporter.report(Event::Answer(Answer { id, outcome }));
    }

    /// Whether identities are still to come.
    pub(crate) fn is_growing(&self) -> bool {
        self.wanted.is_some()
    }

    /// Makes keys for some of the identities that are still to come; with the last of them, all begin.
    pub(crate) fn grow(&mut self) {
        let Some((wanted, request)) = self.wanted else { return };
        for _ in 0..GROWN_AT_ONCE {
            let known = self.members.len() + self.coming.len();
            if known >= wanted {
                return self.grown(request, Ok(()));
            }
            match crowd_key(&self.args, known + 1) {
                Ok(key) => self.coming.push(key),
                Err(fatal) => return self.grown(request, Err(fatal.message)),
            }
        }
    }

    fn grown(&mut self, request: u64, how: Result<(), String>) {
        self.wanted = None;
        let coming = std::mem::take(&mut self.coming);
        let keys = coming.iter().map(|loaded| loaded.key.public().to_string());
        self.who.public_keys.extend(keys);
        self.shared.reporter.report(Event::Identity(self.who.clone()));
        for key in coming {
            self.add(key, None);
        }
        self.answer(request, how);
        // How many of how many wait is to be told anew.
        self.readiness = Readiness::Unknown;
        self.changed.notify_one();
    }

    /// Lets the latest identities go.
    fn shrink(&mut self, wanted: usize) {
        self.coming.truncate(wanted.saturating_sub(self.members.len()));
        for Member { asks, tally } in self.members.drain(wanted.min(self.members.len())..) {
            // One that is not reached has no more asks to wait for, and ends as well.
            drop(asks.try_send(Ask::Leave));
            self.leaving.push(tally);
        }
        self.who.public_keys.truncate(wanted);
    }

    /// The provider is known: so is the address of a client.
    pub(crate) async fn chosen(&mut self, provider: PublicKey) {
        if let (Some(storage), Some(key)) = (&self.storage, self.who.public_keys.first()) {
            if let Err(error) = storage.choose_provider(provider).await {
                tracing::warn!("the next start may choose another provider: {error}");
            }
            if let Ok(client) = key.parse() {
                self.who.address = Some(ClientAddress { client, provider }.to_string());
                self.shared.reporter.report(Event::Identity(self.who.clone()));
            }
        }
        self.provider.send_replace(Some(provider));
    }

    /// Lets all go, and nobody come any more.
    pub(crate) async fn leave(&mut self) {
        if let Some((_, request)) = self.wanted.take() {
            self.answer(request, Err("it is leaving".into()));
        }
        self.tell_all(|| Ask::Leave).await;
    }

    pub(crate) async fn tell_all(&self, ask: impl Fn() -> Ask) {
        for Member { asks, .. } in &self.members {
            // An identity that has ended already needs no telling.
            let _ = asks.send(ask()).await;
        }
    }

    /// Whom to ask what only a client does; none of a crowd.
    pub(crate) fn only_client(&self) -> Option<mpsc::Sender<Ask>> {
        let first = self.members.first().filter(|_| self.storage.is_some());
        first.map(|member| member.asks.clone())
    }

    pub(crate) fn report_readiness(&mut self, reporter: &Reporter) {
        if self.is_growing() {
            return;
        }
        let all = self.members.len();
        let (mut waiting, mut first) = (0, None);
        for member in &self.members {
            if let Some(reason) = &read(&member.tally).waiting_for {
                waiting += 1;
                first.get_or_insert_with(|| reason.clone());
            }
        }
        let was_ready = match self.readiness {
            Readiness::Ready => true,
            Readiness::Waiting { was_ready, .. } => was_ready,
            Readiness::Unknown => false,
        };
        let Some(first) = first else {
            if self.readiness != Readiness::Ready {
                let reason = match all {
                    _ if was_ready => "packets pass again".into(),
                    1 => "a probe packet came back".into(),
                    _ => format!("a probe packet of each of its {all} identities came back"),
                };
                self.readiness = Readiness::Ready;
                reporter.report(Event::Ready { reason });
            }
            return;
        };
        // How many wait changes too often to be told each time; why the first waits does not.
        if matches!(&self.readiness, Readiness::Waiting { reason, .. } if *reason == first) {
            return;
        }
        let reason = match all {
            1 => first.clone(),
            _ => format!("{waiting} of {all} identities wait, the first because {first}"),
        };
        self.readiness = Readiness::Waiting { reason: first, was_ready };
        reporter.report(Event::Waiting { reason });
    }

    /// The counters. Also gives back what a burst has left.
    pub(crate) fn report_metrics(&mut self) {
        self.shared.links.give_memory_back();
        let gone = &mut self.gone;
        // Nobody else holds the tally of an identity that has ended.
        self.leaving.retain(|tally| {
            let goes_on = Arc::strong_count(tally) > 1;
            if !goes_on {
                gone.add(&read(tally));
            }
            goes_on
        });
        let mut sum = Tally::default();
        sum.add(&self.gone);
        for tally in self.members.iter().map(|member| &member.tally).chain(&self.leaving) {
            sum.add(&read(tally));
        }
        let Tally { traffic, received, dropped, transits, .. } = sum;
        let reasons = dropped.into_iter().chain([(drops::QUEUE, self.shared.links.dropped())]);
        self.shared.reporter.report(Event::Metrics(NodeMetrics {
            t: clock::now(),
            received,
            sent: self.shared.links.sent(),
            dropped: drops::add_up(reasons),
            traffic: Some(traffic),
            transits: Some(transits),
            ..NodeMetrics::default()
        }));
    }
}

impl Tally {
    /// What two identities have counted together.
    fn add(&mut self, other: &Self) {
        self.traffic += other.traffic;
        self.received += other.received;
        self.transits.merge(&other.transits);
        for (reason, count) in &other.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
    }
}

fn read(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
