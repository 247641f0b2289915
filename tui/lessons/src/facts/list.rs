//! The facts: their names, what they are asked with, and what they say. The page for who writes lessons
//! comes from here.

use crate::expression::Value;
use crate::text;

/// A fact that expressions can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// What it is asked about: `delivered(FROM, TO)`. Empty if it is asked for by its name alone.
    pub arguments: &'static [&'static str],
    /// The unit, empty for a word, a condition, or a mere number.
    pub unit: &'static str,
    /// What it says, as a sentence.
    pub says: &'static str,
    /// What it is where nothing was heard of it.
    pub missing: Missing,
}

/// What stands for a fact that nothing was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is not known yet: a condition with it is not reached.
    Unknown,
    /// It counts, and nothing was counted.
    Zero,
}

impl Fact {
    /// How it is asked: `pool`, `delivered(FROM, TO)`.
    pub fn usage(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.into();
        }
        format!("{}({})", self.name, self.arguments.join(", "))
    }

    /// What it says, for people: with its unit.
    pub fn words(&self, value: &Value) -> String {
        match value {
            Value::Number(odds) if self.unit == ODDS => vantage::odds_in_words(*odds),
            Value::Number(number) => text::counted(*number, self.unit),
            Value::Truth(_) | Value::Text(_) => value.to_string(),
        }
    }
}

const fn plain(name: &'static str, unit: &'static str, says: &'static str) -> Fact {
    Fact { name, arguments: &[], unit, says, missing: Missing::Unknown }
}

const fn about(
    name: &'static str,
    arguments: &'static [&'static str],
    unit: &'static str,
    says: &'static str,
) -> Fact {
    Fact { name, arguments, unit, says, missing: Missing::Unknown }
}

const fn counted(
    name: &'static str,
    arguments: &'static [&'static str],
    unit: &'static str,
    says: &'static str,
) -> Fact {
    Fact { name, arguments, unit, says, missing: Missing::Zero }
}

/// The unit of odds: such a number is told as [`odds_in_words`] has it.
const ODDS: &str = "to 1";

/// Every fact. What is measured is measured since the last change of the network, at most a minute back.
pub const FACTS: &[Fact] = &[
    // The network as it is set.
    plain("layers", "layers", "Layers of mixnodes."),
    plain("width", "mixnodes", "Mixnodes of a layer; of the smallest, where they differ."),
    plain("mixes", "mixnodes", "All mixnodes."),
    plain("routes", "routes", "Different ways through all layers."),
    plain("clients", "clients", "Named clients."),
    plain("crowd", "identities", "Identities of the crowd, which send only cover."),
    plain("senders", "senders", "Everybody who sends: named clients and identities of the crowd."),
    plain("hop_delay_s", "s", "Mean wait at a mixnode."),
    plain("slot_s", "s", "Mean time between two send slots of a client."),
    plain("loop_cover_s", "s", "Mean time between two packets of a client's loop cover."),
    plain("slot_cover", "", "Whether a slot without a message carries cover."),
    plain("acks", "", "Whether providers acknowledge what they store."),
    plain("faithful", "", "Whether nodes leave out checks, as in 2020."),
    plain(
        "presence_timeout_s",
        "s",
        "After how long a silence the directory takes a node for gone.",
    ),
    plain("rate_of_one", "packets/s", "What one client sends, cover included."),
    // What theory expects.
    plain("expected_rate", "packets/s", "What all clients send together, by the settings."),
    plain("expected_way_s", "s", "Mean time in all mixnodes together, by the settings."),
    plain("expected_latency_s", "s", "Mean time from sending to arriving, with the slot."),
    plain("cost_bytes_per_s", "B/s", "What a client sends, by the settings."),
    plain("pool_expected", "packets", "Packets that wait at a mixnode, by the measured rates."),
    plain("expected_bits", "bits", "Bits about the sender, by the measured rates."),
    plain("expected_packet_bits", "bits", "Bits about which packet it was, by the measured rates."),
    plain("most_bits", "bits", "Bits about the sender at most: log2 of the senders."),
    // What the observer measures.
    plain("settled_s", "s", "How long the network has been as it is, without its first moments."),
    plain("measured", "packets", "Packets of which the observer has guessed the sender."),
    plain("rate", "packets/s", "What all clients send together."),
    plain("acks_rate", "packets/s", "Acknowledgements that providers send."),
    plain("pool", "packets", "Packets that wait at a mixnode, on average."),
    about("pool_of", &["MIX"], "packets", "The same of one mixnode."),
    plain("sender_bits", "bits", "Bits about who sent a packet that came out."),
    plain("worst_bits", "bits", "The same in the worst case: of the likeliest sender alone."),
    plain("like", "senders", "Among how many one could hide as well: two to the sender's bits."),
    plain("top_share", "", "How often naming the likeliest sender is right, by the observer."),
    plain("packet_bits", "bits", "Bits about which packet it was."),
    plain("delay_distance", "", "How far delays are from the exponential distribution, 0 to 1."),
    plain("suspect_packets", "packets", "Packets from which suspects are ranked."),
    about("rank", &["CLIENT"], "", "The place of a client among the suspects, from 1."),
    about("odds", &["CLIENT"], ODDS, "The odds that this client is the one who writes."),
    plain(
        "sending",
        "",
        "Whether the watched client has something to say: `yes`, `no` or `unclear`.",
    ),
    plain("sending_odds", ODDS, "The odds that it has, from its link alone."),
    counted("packets_from", &["PROCESS"], "packets", "Packets that a process sent on its links."),
    about("rate_from", &["PROCESS"], "packets/s", "The same for each second."),
    // The nodes.
    plain("all_ready", "", "Whether every process is ready."),
    about("state", &["NODE"], "", "The state of a process in a word, such as `ready`."),
    counted("is_listed", &["NODE"], "", "1 if the directory lists the node, else 0."),
    counted("restarts", &["NODE"], "times", "How often a process was started again."),
    counted("waiting", &["PROVIDER"], "packets", "Packets that wait for their clients."),
    // Counted since the lesson began.
    plain("lesson_s", "s", "How long the lesson has lasted."),
    counted("sent", &["FROM", "TO"], "messages", "Messages that left their sender."),
    counted("delivered", &["FROM", "TO"], "messages", "Messages that reached their recipient."),
    counted("stored", &["FROM", "TO"], "messages", "Messages that a provider has acknowledged."),
    counted("failed", &["FROM", "TO"], "messages", "Messages that their sender gave up."),
    plain("routes_seen", "routes", "Different ways that packets of messages took."),
    counted(
        "links",
        &["LAYER", "LAYER"],
        "links",
        "Links between two layers that carried packets.",
    ),
    plain("layers_skipped", "links", "Links between mixnodes that lead not to the next layer."),
    plain("sizes", "sizes", "Different sizes of packets between nodes."),
    plain("packet_bytes", "B", "The greatest of them."),
    counted("dropped", &["NODE", "REASON"], "packets", "Packets that a node gave up for a reason."),
    plain("hops_told", "hops", "Hops of messages of which mixnodes told."),
    plain("prints_kept", "hops", "Those after which a packet looked as before."),
    plain("bytes_kept", "", "The share of bytes that were the same before and after a hop."),
    plain(
        "hops_knowing_both",
        "hops",
        "Those that had a packet from its sender and gave it to the provider.",
    ),
    counted(
        "attacks",
        &["ATTACK", "VERDICT"],
        "attacks",
        "Attacks that ended so: `attacks('replay', 'stopped')`.",
    ),
    about(
        "stopped_by",
        &["ATTACK"],
        "",
        "The node that gave up the packet of the latest such attack.",
    ),
    about(
        "passed_on",
        &["ATTACK"],
        "times",
        "How often mixnodes passed on the packet of the latest such attack.",
    ),
    plain(
        "isolated_pool",
        "packets",
        "Packets that waited in a mixnode when it was cut off from all but one.",
    ),
    plain("isolated_drain_s", "s", "How long it took until the last of them had left."),
    counted(
        "isolated_alone",
        &["CLIENT"],
        "attacks",
        "Attacks in which a packet of this client was alone in a mixnode.",
    ),
    plain("delay_s", "s", "Mean time of the messages from acceptance to delivery."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fact_has_a_name_of_its_own_and_says_something() {
        for (place, fact) in FACTS.iter().enumerate() {
            assert!(FACTS[..place].iter().all(|other| other.name != fact.name), "{}", fact.name);
            assert!(fact.says.ends_with('.') && fact.arguments.len() <= 2, "{}", fact.name);
        }
    }
}
