//! The steps of the tour: what each says, and what ends it.

use contract::Role;
use control::{MessageState, MessageStatus, State};

use super::{Stage, Verdict, observed};
use crate::action::Action;
use crate::model::Model;
use crate::overlay::Overlay;
use crate::screens::Screen;
use crate::state::{Devnet, Node};
use crate::text;

/// Below this many packets a second a link counts as unused.
const NOTHING_PER_SECOND: f64 = 0.05;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// What is on the screen.
    Look,
    /// Send a message.
    Send,
    /// Follow it.
    Follow,
    /// See it acknowledged.
    Answer,
    /// Stop a mixnode.
    Stop,
    /// See packets go round it.
    Around,
    /// Start it again.
    Start,
    /// See how well the network hides.
    Bits,
    /// Look as somebody who watches it.
    Adversary,
    /// What to do next. Not counted.
    End,
}

impl Step {
    /// Those that are counted, in order.
    pub(super) const COUNTED: [Self; 9] = [
        Self::Look,
        Self::Send,
        Self::Follow,
        Self::Answer,
        Self::Stop,
        Self::Around,
        Self::Start,
        Self::Bits,
        Self::Adversary,
    ];

    /// The one after it.
    pub(super) fn next(self) -> Option<Self> {
        if self == Self::End {
            return None;
        }
        let at = Self::COUNTED.iter().position(|step| *step == self)?;
        Some(Self::COUNTED.get(at + 1).copied().unwrap_or(Self::End))
    }

    /// Its number, from 1.
    pub(super) fn number(self) -> Option<usize> {
        Self::COUNTED.iter().position(|step| *step == self).map(|at| at + 1)
    }

    /// What it is called.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Look => "What is on the screen",
            Self::Send => "Send a message",
            Self::Follow => "Follow it",
            Self::Answer => "It comes back acknowledged",
            Self::Stop => "Stop a mixnode",
            Self::Around => "Packets go round it",
            Self::Start => "Start it again",
            Self::Bits => "How well it hides",
            Self::Adversary => "Look as the adversary",
            Self::End => "That was the tour",
        }
    }
}

impl Stage {
    /// What there is to know in this step.
    pub(super) fn says(&self, model: &Model) -> String {
        let dot = model.symbols().packet;
        match self.step {
            Step::Look => format!(
                "Clients stand at the left, then layers of mixnodes, then the provider. Every packet \
                 goes through one mixnode of each layer. Each {dot} is one that really left. All are \
                 equally long: messages, cover, acknowledgements."
            ),
            Step::Send => "A client sends a packet at random moments, all the time. If a message waits \
                           it takes the next of them, else the packet is cover and comes back to \
                           its sender. Who watches the client's link sees no difference."
                .into(),
            Step::Follow => "What only you see: nodes of a devnet tell what became of each packet. \
                             Every mixnode makes other bytes of it, lets it wait as long as its header \
                             says, and learns no more than where it came from and where it goes."
                .into(),
            Step::Answer => "When the provider has stored the packet it sends back what the sender \
                             prepared for that: one more packet, through all layers. If none comes \
                             the sender tries again on another route."
                .into(),
            Step::Stop => self.says_of_stop(model),
            Step::Around => self.says_of_around(model),
            Step::Start => "A mixnode that is started again has the same key and the same port. It \
                            announces itself, and is in the routes of the packets that are built from \
                            then on."
                .into(),
            Step::Bits => observed::says_of_bits(model),
            Step::Adversary => observed::OF_ADVERSARY.into(),
            Step::End => format!(
                "{} says what the selected thing means, {} what the keys do, {} finds every action by \
                 its name. From here on: {} has lessons of a few minutes, and docs/guide explains \
                 all of this from the beginning.",
                key(model, Action::Explain),
                key(model, Action::Help),
                key(model, Action::Palette),
                key(model, Action::ShowLessons),
            ),
        }
    }

    fn says_of_stop(&self, model: &Model) -> String {
        let Some((node, others)) = self.stops(model) else {
            return "Mixnodes come and go, and nobody asks the clients before.".into();
        };
        let stays = if others == 0 {
            "It is the only one of its layer: without it there is no way through."
        } else {
            "Another one of its layer stays."
        };
        format!(
            "Mixnodes come and go. Stop {node}: it tells the directory that it leaves, passes on what \
             it holds, and ends. {stays}"
        )
    }

    fn says_of_around(&self, model: &Model) -> String {
        let then = match self.node.as_ref().and(self.stops(model)) {
            None => {
                "When one has left, who builds a packet chooses among the others of its layer. Where \
                 there are none nobody can build a route, and messages wait."
            }
            Some((_, 0)) => {
                "Its layer is empty now, so nobody can build a route: clients send nothing, not even \
                 cover, and messages wait."
            }
            Some(_) => {
                "Who builds a packet now chooses among the others of its layer. What was lost on the way \
                 is sent again."
            }
        };
        format!("The directory tells everybody at once who leaves. {then}")
    }

    /// The mixnode that was stopped, or could be, and how many others of its layer run.
    fn stops<'a>(&self, model: &'a Model) -> Option<(&'a str, usize)> {
        let devnet = model.live.as_ref()?;
        match self.stopped(devnet) {
            Some(node) => Some((node.name(), others(devnet, node))),
            None => candidate(model, devnet),
        }
    }

    /// Whether this step has ended, or what it waits for.
    pub(super) fn judge(&mut self, model: &Model) -> Verdict {
        let Some(devnet) = &model.live else {
            return Verdict::Waiting("waiting for the devnet".into());
        };
        match self.step {
            Step::Look => look(model, devnet),
            Step::Send => self.send(model, devnet),
            Step::Follow => self.follow(model, devnet),
            Step::Answer => self.answer(devnet),
            Step::Stop => self.stop(model, devnet),
            Step::Around => self.around(model, devnet),
            Step::Start => self.start(model, devnet),
            Step::Bits => observed::bits(model, devnet),
            Step::Adversary => observed::adversary(model, devnet),
            Step::End => Verdict::Told("it can be taken again at any time".into()),
        }
    }

    fn send(&mut self, model: &Model, devnet: &Devnet) -> Verdict {
        let newest = devnet.letters.sent().next_back();
        let new = newest.filter(|letter| letter.accepted_unix_ms >= self.since.unix_ms);
        let Some(letter) = new else {
            if !model.allows(Action::Write) {
                return Verdict::Told(
                    "this dashboard only shows: nothing can be sent from it".into(),
                );
            }
            if devnet.clients().is_empty() {
                return Verdict::Told("this devnet has no client that could send".into());
            }
            let write = key(model, Action::Write);
            let send = key(model, Action::Send);
            return Verdict::Waiting(format!(
                "press {write}, type something, and send it with {send}"
            ));
        };
        self.message = Some(letter.id.clone());
        match letter.state {
            MessageState::Queued => {
                Verdict::Waiting(format!("{} has it, and waits for a slot", letter.from))
            }
            MessageState::Failed => Verdict::Done(failed(letter)),
            _ => Verdict::Done(match letter.sent_ms {
                Some(ms) => format!("it left {} after {}", letter.from, text::millis(ms)),
                None => format!("it left {}", letter.from),
            }),
        }
    }

    fn follow(&mut self, model: &Model, devnet: &Devnet) -> Verdict {
        if let Some(message) = model.overlays.iter().find_map(Overlay::message) {
            self.message = Some(message.to_owned());
            self.followed = true;
        }
        let Some(letter) = self.letter(devnet) else {
            return Verdict::Told("there is no message to follow".into());
        };
        if letter.state == MessageState::Failed {
            return Verdict::Done(failed(letter));
        }
        match letter.delivered_ms.filter(|_| self.followed) {
            Some(ms) => Verdict::Done(format!(
                "it reached {} {} after it was written",
                letter.to,
                text::millis(ms)
            )),
            None if self.followed => Verdict::Waiting(format!("on its way to {}", letter.to)),
            None => Verdict::Waiting(format!(
                "choose it on {} and press {}; {} leaves the input line",
                Screen::Messages.context().title(),
                key(model, Action::Journey),
                key(model, Action::LeaveInput),
            )),
        }
    }

    fn answer(&self, devnet: &Devnet) -> Verdict {
        if !devnet.info.acks {
            return Verdict::Told("this devnet runs without acknowledgements".into());
        }
        let Some(letter) = self.letter(devnet) else {
            return Verdict::Told("there is no message that could be acknowledged".into());
        };
        match (letter.state, letter.acknowledged_ms) {
            (MessageState::Failed, _) => Verdict::Done(failed(letter)),
            (MessageState::Acknowledged, Some(ms)) => Verdict::Done(format!(
                "{} knows after {} that it is stored",
                letter.from,
                text::millis(ms)
            )),
            (MessageState::Acknowledged, None) => {
                Verdict::Done(format!("{} knows that it is stored", letter.from))
            }
            _ => Verdict::Waiting("waiting for the acknowledgement".into()),
        }
    }

    fn stop(&mut self, model: &Model, devnet: &Devnet) -> Verdict {
        let mut mixes = devnet.with_role(&[Role::Mixnode]);
        if let Some(node) = mixes.find(|node| is_out(node)) {
            self.node = Some(node.name().to_owned());
            return Verdict::Done(format!("{} {}", node.name(), node.status.state.phrase()));
        }
        if !model.allows(Action::Stop) {
            return Verdict::Told(
                "this dashboard only shows: nothing can be stopped from it".into(),
            );
        }
        let Some((node, _)) = candidate(model, devnet) else {
            return Verdict::Told("this devnet has no mixnode that runs".into());
        };
        Verdict::Waiting(choose(model, node, Action::Stop, ", and agree"))
    }

    fn around(&self, model: &Model, devnet: &Devnet) -> Verdict {
        let Some(node) = self.stopped(devnet) else {
            return Verdict::Told("no mixnode was stopped".into());
        };
        if !is_out(node) {
            return Verdict::Done(format!("{} is back already", node.name()));
        }
        let now = model.moment().t;
        let to_it = devnet.nodes.iter().filter_map(|other| other.links.get(node.name()));
        let still: f64 = to_it.filter_map(|link| link.meter.rate(now)).sum();
        if still >= NOTHING_PER_SECOND {
            let still = text::per_second(Some(still));
            return Verdict::Waiting(format!(
                "{still} went to {} in the last seconds",
                node.name()
            ));
        }
        let others: Vec<&Node> = siblings(devnet, node).filter(|other| !is_out(other)).collect();
        if others.is_empty() {
            return Verdict::Done(format!("nobody sends to {}: no way round it", node.name()));
        }
        let rate: f64 = others.iter().filter_map(|other| other.received.rate(now)).sum();
        if rate < NOTHING_PER_SECOND {
            return Verdict::Waiting("waiting for packets on the other ways".into());
        }
        let takes = match others.as_slice() {
            [one] => format!("{} takes", one.name()),
            _ => "the others take".into(),
        };
        let rate = text::per_second(Some(rate));
        Verdict::Done(format!("nobody sends to {}; {takes} {rate}", node.name()))
    }

    fn start(&self, model: &Model, devnet: &Devnet) -> Verdict {
        let Some(node) = self.stopped(devnet) else {
            return Verdict::Told("no mixnode was stopped".into());
        };
        let name = node.name();
        if is_out(node) {
            if !model.allows(Action::Start) {
                return Verdict::Told("this dashboard only shows: nothing can be started".into());
            }
            return Verdict::Waiting(choose(model, name, Action::Start, ""));
        }
        let rate = node.received.rate(model.moment().t).filter(|rate| *rate >= NOTHING_PER_SECOND);
        match rate.filter(|_| node.status.state == State::Ready) {
            Some(_) => {
                Verdict::Done(format!("{name} is back and takes {}", text::per_second(rate)))
            }
            None if node.status.state == State::Ready => {
                Verdict::Waiting(format!("{name} is ready; waiting for its first packets"))
            }
            None => Verdict::Waiting(format!("{name} {}", node.status.state.phrase())),
        }
    }

    /// The message that is followed; if none is yet, the newest.
    fn letter<'a>(&self, devnet: &'a Devnet) -> Option<&'a MessageStatus> {
        match &self.message {
            Some(id) => devnet.letters.get(id)?.status.as_ref(),
            None => devnet.letters.sent().next_back(),
        }
    }

    fn stopped<'a>(&self, devnet: &'a Devnet) -> Option<&'a Node> {
        devnet.node(self.node.as_deref()?)
    }
}

fn look(model: &Model, devnet: &Devnet) -> Verdict {
    if model.screen != Screen::Network {
        return Verdict::Waiting(format!("press {} for the map", key(model, Action::ShowNetwork)));
    }
    let rate = devnet.packets_per_second(model.moment());
    match rate.filter(|rate| *rate >= NOTHING_PER_SECOND) {
        Some(rate) => Verdict::Done(format!("{} enter layer 1", text::per_second(Some(rate)))),
        None if devnet.with_role(&[Role::Mixnode]).any(Node::reports_no_metrics) => {
            Verdict::Told("mixnodes of this devnet do not report how much they pass on".into())
        }
        None => Verdict::Waiting("waiting for packets to enter the network".into()),
    }
}

/// How the key of an action is written, or where else it can be found.
pub(super) fn key(model: &Model, action: Action) -> String {
    let key = model.key(action);
    if key.is_empty() {
        action.spec().map(|spec| spec.name).unwrap_or_default().into()
    } else {
        key
    }
}

fn failed(letter: &MessageStatus) -> String {
    match &letter.error {
        Some(error) => format!("it failed: {error}"),
        None => "it failed".into(),
    }
}

/// Whether nothing can be sent to it, because it has ended or is about to.
fn is_out(node: &Node) -> bool {
    let state = node.status.state;
    state == State::Stopping || (!state.is_running() && state != State::Planned)
}

/// Other mixnodes of its layer.
fn siblings<'a>(devnet: &'a Devnet, node: &'a Node) -> impl Iterator<Item = &'a Node> {
    devnet
        .with_role(&[Role::Mixnode])
        .filter(move |other| other.status.layer == node.status.layer && other.name() != node.name())
}

/// How many of them run.
fn others(devnet: &Devnet, node: &Node) -> usize {
    siblings(devnet, node).filter(|other| !is_out(other)).count()
}

/// A mixnode to stop, and how many others of its layer run then: the one that is selected, else one that can
/// be missed, if there is one.
fn candidate<'a>(model: &Model, devnet: &'a Devnet) -> Option<(&'a str, usize)> {
    let running = devnet.with_role(&[Role::Mixnode]).filter(|node| !is_out(node));
    let counted = running.map(|node| (node.name(), others(devnet, node)));
    let all: Vec<(&str, usize)> = counted.collect();
    let selected = model.selected.as_deref();
    let first = all.iter().find(|(name, _)| Some(*name) == selected);
    first.or_else(|| all.iter().find(|(_, others)| *others > 0)).or(all.first()).copied()
}

/// What to press so that something is done to a node.
fn choose(model: &Model, node: &str, action: Action, then: &str) -> String {
    let map = key(model, Action::ShowNetwork);
    let key = key(model, action);
    if model.screen != Screen::Network {
        format!("press {map} for the map, choose {node} there, press {key}{then}")
    } else if model.selected.as_deref() == Some(node) {
        format!("{node} is chosen: press {key}{then}")
    } else {
        format!("choose {node} with the arrows, then press {key}{then}")
    }
}
