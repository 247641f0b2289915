//! An attack in words: what was done, what the network answered, and why.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::{PacketPart, Time};

use super::{
    Alone, AttackDeed, AttackPlan, AttackStatus, DropsCounted, IGNORED_HEADER_BIT, Isolation,
    Sighting, Verdict,
};

impl AttackPlan {
    /// What is done, in a few words.
    pub fn title(&self) -> String {
        match self {
            Self::Replay { from, to, times: 1 } => format!("replay {from} → {to}"),
            Self::Replay { from, to, times } => format!("replay {from} → {to}, {times} times"),
            Self::Flip { from, to, part, bit } => {
                let bit = bit.map(|bit| format!(", bit {bit}")).unwrap_or_default();
                format!("flip {} of {from} → {to}{bit}", part.word())
            }
            Self::Skip { client, layer: Some(layer) } => format!("{client} skips layer {layer}"),
            Self::Skip { client, layer: None } => format!("{client} skips a layer"),
            Self::Isolate { mix, target, .. } => format!("isolate {mix} for packets of {target}"),
        }
    }
}

impl AttackPlan {
    /// The command that runs it, without the program's name.
    pub fn command(&self) -> String {
        match self {
            Self::Replay { from, to, times: 1 } => format!("attack replay {from} {to}"),
            Self::Replay { from, to, times } => {
                format!("attack replay {from} {to} --times {times}")
            }
            Self::Flip { from, to, part, bit } => {
                let bit = bit.map(|bit| format!(" --bit {bit}")).unwrap_or_default();
                format!("attack flip {from} {to} --part {}{bit}", part.word())
            }
            Self::Skip { client, layer } => {
                let layer = layer.map(|layer| format!(" --layer {layer}")).unwrap_or_default();
                format!("attack skip {client}{layer}")
            }
            Self::Isolate { mix, target, for_ms } => {
                format!("attack isolate {mix} --target {target} --for {for_ms}ms")
            }
        }
    }
}

impl AttackStatus {
    /// What is known, in sentences: what was done, what the network answered, and what that means.
    pub fn sentences(&self) -> Vec<String> {
        let Some(end) = &self.end else {
            let state = if self.deed.is_none() { "waits for a packet" } else { "is underway" };
            return vec![format!("The attack {state}.")];
        };
        let reason = end.reason.as_deref().unwrap_or("nobody told what became of it");
        let mut sentences = vec![self.done()];
        match end.verdict {
            Verdict::NotDone => return vec![format!("Nothing was done: {reason}.")],
            Verdict::Unknown => {
                sentences.extend(self.travelled());
                sentences.push(format!("What came of it is not known: {reason}."));
                sentences.extend(self.counters());
                sentences.extend(self.gone());
            }
            Verdict::Stopped | Verdict::Harmless | Verdict::Through => {
                sentences.extend(self.answer(end.verdict));
            }
        }
        sentences
    }

    /// What was done.
    fn done(&self) -> String {
        match (&self.plan, &self.deed) {
            (AttackPlan::Replay { from, to, .. }, Some(AttackDeed::Replayed { copies, .. })) => {
                format!("A packet from {from} to {to} was sent again, {}.", times(*copies))
            }
            (AttackPlan::Flip { from, to, part, bit }, Some(_)) => format!(
                "Bit {} of the {} of a packet from {from} to {to} was changed on the link.",
                bit.unwrap_or_default(),
                part.word()
            ),
            (AttackPlan::Skip { client, layer }, Some(AttackDeed::Skipped { route, .. })) => {
                format!(
                    "{client} sent itself a packet over {}, without layer {}.",
                    route.join(" → "),
                    layer.unwrap_or_default()
                )
            }
            (
                AttackPlan::Isolate { mix, target, .. },
                Some(AttackDeed::Held { from, until, nodes, packets, lost, not_held }),
            ) => {
                let not_held = if not_held.is_empty() {
                    String::new()
                } else {
                    format!("; not cut off: {}", not_held.join(", "))
                };
                format!(
                    "For {} nobody but {target} reached {mix}: {packets} packets from {} were held \
                     back, {lost} lost{not_held}.",
                    between(*from, *until),
                    nodes.join(", ")
                )
            }
            (plan, _) => format!("Asked for: {}.", plan.title()),
        }
    }

    /// What the network answered.
    fn answer(&self, verdict: Verdict) -> Vec<String> {
        match &self.plan {
            AttackPlan::Replay { to, .. } => self.replay_answer(to, verdict),
            AttackPlan::Flip { part: PacketPart::Header, to, bit, .. } => {
                self.header_answer(to, *bit, verdict)
            }
            AttackPlan::Flip { part: PacketPart::Payload, .. } => self.payload_answer(verdict),
            AttackPlan::Skip { layer, .. } => self.skip_answer(*layer, verdict),
            AttackPlan::Isolate { mix, target, .. } => self.isolation_answer(mix, target),
        }
    }

    fn replay_answer(&self, to: &str, verdict: Verdict) -> Vec<String> {
        if verdict == Verdict::Stopped {
            let copies = match &self.deed {
                Some(AttackDeed::Replayed { copies: 1, .. }) => "the copy".to_owned(),
                Some(AttackDeed::Replayed { copies, .. }) => format!("all {copies} copies"),
                _ => "them".to_owned(),
            };
            return vec![
                self.dropped_by(to, &copies, &["replay"]),
                "A node keeps a tag of each packet that it took, and takes none twice. Otherwise a \
                 copy would leave to the same next hop after the same delay as the packet, and show \
                 which of all that left it was."
                    .into(),
            ];
        }
        let went = self.seen.iter().filter_map(|seen| match seen {
            Sighting::Passed { to, .. } => Some(to.as_str()),
            Sighting::Kept { client, .. } => Some(client.as_str()),
            Sighting::Dropped { .. } | Sighting::Acknowledged { .. } => None,
        });
        let went: Vec<&str> = went.collect();
        let next: BTreeSet<&str> = went.iter().copied().collect();
        let next: Vec<&str> = next.into_iter().collect();
        vec![
            format!(
                "{to} took it {}, and each time for {}.",
                times_of(went.len()),
                next.join(", ")
            ),
            format!(
                "{to} does not look for replays, as nodes with --faithful do not. Whoever watches what \
                 leaves sees the same next hop after the same delay, and so the way of the packet."
            ),
        ]
    }

    fn header_answer(&self, to: &str, bit: Option<u32>, verdict: Verdict) -> Vec<String> {
        match verdict {
            Verdict::Stopped => vec![
                self.dropped_by(to, "the packet", &["mac"]),
                "Each hop checks a MAC over the header before anything else, so that nobody can \
                 change a route. Its sender hears nothing, and sends what it carried of a message again if packets are \
                 acknowledged."
                    .into(),
            ],
            _ if bit == Some(IGNORED_HEADER_BIT) => vec![
                "Nobody noticed: this bit is the highest of the point, which the curve's arithmetic \
                 ignores (RFC 7748)."
                    .into(),
                "It leads nowhere: the next hop got another point, made from the first without that \
                 bit. Every other bit of a header is checked."
                    .into(),
            ],
            _ => vec![format!("{to} passed it on: it does not check headers.")],
        }
    }

    fn payload_answer(&self, verdict: Verdict) -> Vec<String> {
        let mut sentences = Vec::new();
        sentences.extend(self.travelled());
        sentences.push(match (verdict, self.seen.last()) {
            (Verdict::Stopped, Some(Sighting::Dropped { node, reason, .. })) => format!(
                "{node} could not open it and dropped it ({reason}). A payload is one wide block \
                 (LIONESS): one changed bit made noise of all of it at the next hop, so that behind \
                 that nothing is left to recognise it by."
            ),
            (Verdict::Harmless, Some(Sighting::Acknowledged { node, .. })) => format!(
                "It was an acknowledgement, whose payload is noise in any case; {node} took it. Noise \
                 cannot be damaged, and a change of it does not show behind the next hop. Try again \
                 for a packet with something in it."
            ),
            _ => "It arrived as if nothing had been changed.".into(),
        });
        sentences
    }

    fn skip_answer(&self, layer: Option<u8>, verdict: Verdict) -> Vec<String> {
        let first = match &self.deed {
            Some(AttackDeed::Skipped { route, .. }) => route.first().map_or("", String::as_str),
            _ => "",
        };
        let why = match (verdict, self.seen.last()) {
            (Verdict::Stopped, Some(Sighting::Dropped { reason, .. }))
                if reason == "unknown-hop" =>
            {
                "A mixnode passes packets on to the next layer and nowhere else. It held this one for \
                 a second, for its view of the network was too young to be sure."
            }
            (Verdict::Stopped, _) => {
                "A mixnode passes packets on to the next layer and nowhere else."
            }
            _ if layer == Some(1) => {
                "Nobody refused it. Links are not authenticated: a node of the second layer cannot \
                 tell a client from a mixnode of the first. Who sends like that is only mixed less."
            }
            _ => "Nobody refused it: mixnodes do not look where packets go, as with --faithful.",
        };
        let what = match verdict {
            Verdict::Stopped => {
                Some(self.dropped_by(first, "the packet", &["layer", "unknown-hop"]))
            }
            _ => self.travelled(),
        };
        what.into_iter().chain([why.into()]).collect()
    }

    fn isolation_answer(&self, mix: &str, target: &str) -> Vec<String> {
        let Some(Isolation { pool, drained_us, sent, came, alone: Some(alone) }) = &self.isolation
        else {
            return Vec::new();
        };
        let Alone { came: at, left, to } = alone;
        let drained = shown(Duration::from_micros(*drained_us));
        vec![
            format!(
                "The {pool} packets in {mix} had left after {drained}. Then a packet of {target} came \
                 into an empty pool and left {} later to {to}: whoever watches knows whose it is, \
                 with 0 bits of doubt. In all {sent} of {target} were sent there, and {came} came.",
                between(*at, *left)
            ),
            "No node noticed, and none could: to hold back is not to change. Against it stand loops \
             that come late to those who sent them; mixnodes here send none of their own."
                .into(),
        ]
    }

    /// Where it went, if anywhere.
    fn travelled(&self) -> Option<String> {
        let passed: Vec<&str> = self
            .seen
            .iter()
            .filter_map(|seen| match seen {
                Sighting::Passed { node, .. } => Some(node.as_str()),
                _ => None,
            })
            .collect();
        let kept = self.seen.iter().find_map(|seen| match seen {
            Sighting::Kept { node, client, .. } => Some(format!("{node} stored it for {client}")),
            _ => None,
        });
        let passed = (!passed.is_empty()).then(|| format!("{} passed it on", passed.join(" and ")));
        let way: Vec<String> = passed.into_iter().chain(kept).collect();
        (!way.is_empty()).then(|| format!("{}.", way.join(", ")))
    }

    /// Who dropped it: as it was told, or as far as counters say.
    fn dropped_by(&self, usual: &str, what: &str, usual_reasons: &[&str]) -> String {
        let dropped = self.seen.iter().find_map(|seen| match seen {
            Sighting::Dropped { node, reason, .. } => Some((node, reason)),
            _ => None,
        });
        if let Some((node, reason)) = dropped {
            return format!("{node} dropped {what}: {reason}.");
        }
        let is_it = |counted: &&DropsCounted| {
            counted.node == usual && usual_reasons.contains(&counted.reason.as_str())
        };
        let counted = self.counted.iter().find(is_it);
        let (packets, reason) =
            counted.map_or((0, ""), |counted| (counted.packets, counted.reason.as_str()));
        format!(
            "{usual} has counted {packets} dropped since: {reason}. Whether that was {what}, nobody \
             tells (`--trace off`)."
        )
    }

    fn counters(&self) -> Option<String> {
        let counted = self.counted.iter();
        let counted: Vec<String> = counted
            .map(|DropsCounted { node, reason, packets }| format!("{packets} by {node} ({reason})"))
            .collect();
        (!counted.is_empty()).then(|| format!("Counted as dropped since: {}.", counted.join(", ")))
    }

    fn gone(&self) -> Option<String> {
        (!self.ended.is_empty()).then(|| {
            format!(
                "Meanwhile ended: {}. What waited there is lost, and so are the tags by which a copy \
                 is known.",
                self.ended.join(", ")
            )
        })
    }
}

fn times(count: u32) -> String {
    times_of(usize::try_from(count).unwrap_or(usize::MAX))
}

fn times_of(count: usize) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        count => format!("{count} times"),
    }
}

fn between(from: Time, until: Time) -> String {
    shown(until.saturating_since(from))
}

/// A time as people read it.
fn shown(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
