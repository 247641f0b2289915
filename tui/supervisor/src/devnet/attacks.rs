//! Running attacks: who is asked to do what, and who waits to hear what came of it.

use std::time::Duration;

use contract::{
    Attack, Command as Question, Endpoint, MAX_COPIES, MAX_HOLD_MS, MAX_WAIT_MS, PacketPart, Role,
};
use control::{
    AttackPlan, AttackRequest, AttackStatus, Failure, FailureCode, HEADER_BIT, MAX_ATTACKS,
    NodeStatus, State,
};

use super::Devnet;
use crate::ask::Reply;
use crate::attacks::{Asked, Begin};
use crate::clock::Moment;

/// The shortest time for which packets are held back: shorter, and nobody's pool runs empty.
const MIN_HOLD_MS: u64 = 100;

/// How long a packet is followed at least, and copies of one: nodes tell ten times a second, a packet
/// whose next hop is not known waits a second, and a busy machine is slow.
const LEAST_PATIENCE: Duration = Duration::from_secs(5);

/// A packet is followed for so many times the mean delay of all layers together. Of three exponential
/// delays the sum is longer once in 10^8 times.
const MEAN_DELAYS: u32 = 8;

/// No packet is followed for longer.
const MOST_PATIENCE: Duration = Duration::from_secs(60);

/// How many names a hint lists.
const MAX_OFFERED: usize = 8;

/// Everybody who waits for an attack to be over, and for which.
#[derive(Debug, Default)]
pub(super) struct Attackers(Vec<(u64, Reply<AttackStatus>)>);

/// An attack that can be carried out: with everything that was left open, and who is asked to do what.
struct Ready {
    plan: AttackPlan,
    attack: Attack,
    /// Indices of nodes.
    by: Vec<usize>,
    not_held: Vec<String>,
    /// How long what is asked may take.
    takes: Duration,
}

impl Devnet {
    /// Runs an attack, and tells what came of it.
    pub(super) fn attack(
        &mut self,
        now: Moment,
        request: AttackRequest,
        reply: Reply<AttackStatus>,
    ) {
        match self.begin_attack(now, request) {
            Ok(id) => {
                self.attackers.0.push((id, reply));
                self.store.show_attacks(now);
            }
            // It fails when whoever asked has stopped waiting.
            Err(failure) => drop(reply.send(Err(failure))),
        }
    }

    /// Tells those whose attack is over.
    pub(super) fn tell_attackers(&mut self) {
        let store = &self.store;
        let is_over =
            |(id, _): &mut (u64, _)| store.attack(*id).is_none_or(|attack| attack.end.is_some());
        for (id, reply) in self.attackers.0.extract_if(.., is_over) {
            let forgotten = || Failure::new(FailureCode::Other, "the attack was forgotten");
            drop(reply.send(store.attack(id).cloned().ok_or_else(forgotten)));
        }
    }

    fn begin_attack(&mut self, now: Moment, request: AttackRequest) -> Result<u64, Failure> {
        self.refuse_at_the_end("attack the devnet")?;
        if self.store.attacks_are_full() {
            let message = format!("{MAX_ATTACKS} attacks are underway already");
            return Err(
                Failure::new(FailureCode::Busy, message).hint("they end within a minute or two")
            );
        }
        let wait_ms = request.wait_ms.min(MAX_WAIT_MS);
        let Ready { plan, attack, by, mut not_held, takes } = self.ready(request.plan, wait_ms)?;
        let mut asked = Vec::new();
        for index in by {
            let node = self.nodes[index].plan.name.clone();
            let source = self.source(index);
            match self.ask(index, Question::Attack { attack: attack.clone() }) {
                Some(request) => asked.push(Asked { source, request, node }),
                None => not_held.push(node),
            }
        }
        if asked.is_empty() {
            let who = not_held.join(", ");
            let message = format!("cannot attack: {who} does not take requests");
            return Err(Failure::new(FailureCode::NotRunning, message));
        }
        tracing::info!("attack: {}", plan.title());
        let layers = u32::from(self.spec.plan.layout.layers());
        let delays = self.spec.plan.layout.rates.hop_delay * layers * MEAN_DELAYS;
        let patience = (LEAST_PATIENCE + delays).min(MOST_PATIENCE);
        Ok(self.store.begin_attack(now, |metrics, trace| Begin {
            plan,
            asked,
            not_held,
            trace,
            takes,
            patience,
            metrics,
        }))
    }

    /// Checks what is asked for, and fills in what was left open.
    fn ready(&self, plan: AttackPlan, wait_ms: u64) -> Result<Ready, Failure> {
        let wait = Duration::from_millis(wait_ms);
        match plan {
            AttackPlan::Replay { from, to, times } => {
                let (by, to_address) = self.link(&from, &to)?;
                if !(1..=MAX_COPIES).contains(&times) {
                    return Err(wrong(format!(
                        "{times} copies are not between 1 and {MAX_COPIES}"
                    )));
                }
                let attack = Attack::Replay { to: to_address, times, wait_ms };
                // A copy is sent a tenth of a second after the one before.
                let takes = wait + Duration::from_millis(100) * times;
                let plan = AttackPlan::Replay { from, to, times };
                Ok(Ready { plan, attack, by: vec![by], not_held: Vec::new(), takes })
            }
            AttackPlan::Flip { from, to, part, bit } => {
                let (by, to_address) = self.link(&from, &to)?;
                let bit = bit.unwrap_or(match part {
                    PacketPart::Header => HEADER_BIT,
                    PacketPart::Payload => 0,
                });
                if bit >= part.bits() {
                    let (part, bits) = (part.word(), part.bits());
                    let message = format!("a {part} has {bits} bits, from number 0; {bit} is none");
                    return Err(wrong(message));
                }
                let attack = Attack::Flip { to: to_address, part, bit, wait_ms };
                let plan = AttackPlan::Flip { from, to, part, bit: Some(bit) };
                Ok(Ready { plan, attack, by: vec![by], not_held: Vec::new(), takes: wait })
            }
            AttackPlan::Skip { client, layer } => {
                let by = self.client(&client)?;
                self.check_running(by)?;
                let layers = self.spec.plan.layout.layers();
                let layer = layer.unwrap_or(layers.min(2));
                if !(1..=layers).contains(&layer) {
                    let message = format!("layer {layer} is not one of the network's {layers}");
                    return Err(wrong(message));
                }
                let attack = Attack::Skip { layer };
                let plan = AttackPlan::Skip { client, layer: Some(layer) };
                let takes = Duration::ZERO;
                Ok(Ready { plan, attack, by: vec![by], not_held: Vec::new(), takes })
            }
            AttackPlan::Isolate { mix, target, for_ms } => {
                self.ready_to_isolate(mix, target, for_ms)
            }
        }
    }

    fn ready_to_isolate(&self, mix: String, target: String, for_ms: u64) -> Result<Ready, Failure> {
        let mixnode = self.find(&mix)?;
        let client = self.client(&target)?;
        let status = &self.store.nodes()[mixnode];
        if (status.role, status.layer) != (Role::Mixnode, Some(1)) {
            let message = format!("cannot isolate `{mix}` for `{target}`: clients send to layer 1");
            let hint =
                "further on nobody who watches links can tell whose packets are to be let through";
            return Err(wrong(message)
                .hint(format!("{hint}; {}", self.offer(Role::Mixnode, Some(1))))
                .node(mix));
        }
        if !(MIN_HOLD_MS..=MAX_HOLD_MS).contains(&for_ms) {
            let message = format!(
                "packets are held back for {MIN_HOLD_MS} to {MAX_HOLD_MS} ms, not for {for_ms}"
            );
            return Err(wrong(message));
        }
        if self.store.is_isolated(&mix) {
            let message = format!("`{mix}` is being isolated already");
            return Err(Failure::new(FailureCode::Busy, message).node(mix));
        }
        self.check_running(client)?;
        let to = self.mix_address(mixnode)?;
        // Who sends into the first layer: clients, and providers for acknowledgements.
        let sends = |role| matches!(role, Role::Client | Role::Crowd | Role::Provider);
        let nodes = self.nodes.iter().enumerate();
        let others = nodes.filter(|(index, node)| *index != client && sends(node.plan.role));
        let (by, not): (Vec<_>, Vec<_>) =
            others.partition(|(index, _)| is_at_work(&self.store.nodes()[*index]));
        // What does not run sends nothing. What stands still does, as soon as it goes on.
        let not = not.into_iter().filter(|(_, node)| node.process.exists());
        let takes = Duration::from_millis(for_ms);
        Ok(Ready {
            plan: AttackPlan::Isolate { mix, target, for_ms },
            attack: Attack::Hold { to, for_ms },
            by: by.into_iter().map(|(index, _)| index).collect(),
            not_held: not.map(|(_, node)| node.plan.name.clone()).collect(),
            takes,
        })
    }

    /// Who sends on the link between these two, and where it leads.
    fn link(&self, from: &str, to: &str) -> Result<(usize, std::net::SocketAddr), Failure> {
        let (sender, next) = (self.find(from)?, self.find(to)?);
        let layers = self.spec.plan.layout.layers();
        let (sending, taking) = (&self.nodes[sender].plan, &self.nodes[next].plan);
        let (role, layer) = match (sending.role, sending.layer) {
            (Role::Client | Role::Crowd | Role::Provider, _) => (Role::Mixnode, Some(1)),
            (Role::Mixnode, Some(layer)) if layer < layers => (Role::Mixnode, Some(layer + 1)),
            (Role::Mixnode, _) => (Role::Provider, None),
            (Role::Directory, _) => {
                let message = "no packets pass through the directory";
                return Err(wrong(message).node(from));
            }
        };
        if taking.role != role || layer.is_some() && taking.layer != layer {
            let message = format!("`{from}` sends no packets to `{to}`");
            return Err(wrong(message).hint(self.offer(role, layer)).node(from));
        }
        self.check_running(sender)?;
        Ok((sender, self.mix_address(next)?))
    }

    /// Where packets could go instead.
    fn offer(&self, role: Role, layer: Option<u8>) -> String {
        let is_it =
            |node: &&NodeStatus| node.role == role && (layer.is_none() || node.layer == layer);
        let names = self.store.nodes().iter().filter(is_it).map(|node| node.name.as_str());
        format!("packets go to {}", names.take(MAX_OFFERED).collect::<Vec<_>>().join(", "))
    }

    fn check_running(&self, index: usize) -> Result<(), Failure> {
        let status = &self.store.nodes()[index];
        if is_at_work(status) {
            return Ok(());
        }
        let NodeStatus { name, state, reason, .. } = status;
        let message = format!("cannot attack at `{name}`: it {}: {reason}", state.phrase());
        Err(Failure::new(FailureCode::NotRunning, message).node(name))
    }

    fn mix_address(&self, index: usize) -> Result<std::net::SocketAddr, Failure> {
        let status = &self.store.nodes()[index];
        status.addresses.get(&Endpoint::Mix).copied().ok_or_else(|| {
            let message = format!("`{}` has not opened its port yet", status.name);
            Failure::new(FailureCode::NotRunning, message).node(&status.name)
        })
    }
}

/// Whether a process does what it is asked.
fn is_at_work(status: &NodeStatus) -> bool {
    status.state.is_running() && !matches!(status.state, State::Stopping | State::Paused)
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(FailureCode::Usage, message)
}
