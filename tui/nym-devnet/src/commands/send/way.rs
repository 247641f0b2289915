//! The way of a packet as text and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use contract::{Print, Time};
use control::{
    FOLLOWED_PACKETS, Journey, Leg, LegEnd, MessageStatus, Place, Stay, Stretch, Timeline, Way,
};
use serde::Serialize;

use crate::output::{Cell, Output, UNKNOWN, table};

/// A packet's way, as a line of JSON.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    /// The message.
    id: &'a str,
    /// Which of the messages of this command, from 1.
    number: u32,
    /// Which of its packets, from 1.
    packet: u32,
    packets: usize,
    attempt: u32,
    /// From leaving its sender until its recipient opened it; null if it did not arrive.
    delay_ms: Option<f64>,
    /// Whether every node on its way told of it.
    complete: bool,
    there: LegTold,
    /// The way of its acknowledgement.
    back: Option<LegTold>,
}

#[derive(Debug, Serialize)]
struct LegTold {
    /// The sum of the stretches.
    took_ms: f64,
    /// What of that it waited at mixnodes, and was asked to.
    waited_ms: f64,
    asked_ms: f64,
    /// What it was on links, its delivery included.
    links_ms: f64,
    /// What nobody told of.
    untold_ms: f64,
    #[serde(flatten)]
    end: EndTold,
    stretches: Vec<StretchTold>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
enum EndTold {
    Arrived,
    Dropped { node: String, reason: String },
    Open { after: String, next: Vec<String> },
}

#[derive(Debug, Serialize)]
struct StretchTold {
    /// When it began, after the packet had left its sender.
    at_ms: f64,
    took_ms: f64,
    #[serde(flatten)]
    place: PlaceTold,
}

#[derive(Debug, Serialize)]
#[serde(tag = "place", rename_all = "kebab-case")]
enum PlaceTold {
    Link {
        from: String,
        to: String,
    },
    Mix {
        node: String,
        hop: usize,
        asked_ms: f64,
        pool: u32,
        /// The first 16 bytes as it came and as it went, hexadecimal.
        bytes_in: String,
        bytes_out: String,
        /// What the mixnode learned of the way.
        from: String,
        to: String,
    },
    Provider {
        node: String,
        bytes_in: String,
        from: String,
        client: String,
    },
    Delivery {
        from: String,
        to: String,
    },
    Untold {
        nodes: Vec<String>,
    },
}

/// What is told of the way in JSON; nothing before its sender told.
pub(super) fn json<'a>(
    number: u32,
    status: &'a MessageStatus,
    journey: &Journey,
) -> Option<Told<'a>> {
    let line = journey.timeline()?;
    let begin = line.there.begin;
    Some(Told {
        id: &status.id,
        number,
        packet: journey.fragment.saturating_add(1),
        packets: status.packets.len(),
        attempt: journey.attempt,
        delay_ms: line.delay().map(milliseconds),
        complete: line.is_complete(),
        there: leg_told(&line.there, begin),
        back: line.back.as_ref().map(|back| leg_told(back, begin)),
    })
}

fn leg_told(leg: &Leg, begin: Time) -> LegTold {
    LegTold {
        took_ms: milliseconds(leg.took()),
        waited_ms: milliseconds(leg.waited()),
        asked_ms: milliseconds(leg.asked()),
        links_ms: milliseconds(leg.on_links()),
        untold_ms: milliseconds(leg.untold()),
        end: match leg.end.clone() {
            LegEnd::Arrived => EndTold::Arrived,
            LegEnd::Dropped { node, reason } => EndTold::Dropped { node, reason },
            LegEnd::Open { after, next } => EndTold::Open { after, next },
        },
        stretches: leg.stretches.iter().map(|stretch| stretch_told(stretch, begin)).collect(),
    }
}

fn stretch_told(stretch: &Stretch, begin: Time) -> StretchTold {
    let place = match stretch.place.clone() {
        Place::Link { from, to } => PlaceTold::Link { from, to },
        Place::Mix(Stay { node, hop, from, to, asked, pool, before, after }) => PlaceTold::Mix {
            node,
            hop,
            asked_ms: milliseconds(asked),
            pool,
            bytes_in: bytes(&before),
            bytes_out: bytes(&after),
            from,
            to,
        },
        Place::Provider { node, from, client, before } => {
            PlaceTold::Provider { node, bytes_in: bytes(&before), from, client }
        }
        Place::Delivery { from, to } => PlaceTold::Delivery { from, to },
        Place::Untold { nodes } => PlaceTold::Untold { nodes },
    };
    let at_ms = milliseconds(stretch.begin.saturating_since(begin));
    StretchTold { at_ms, took_ms: milliseconds(stretch.took), place }
}

/// The ways of all packets of a message: the first in a table, there and back, of the others a line.
pub(super) fn text(output: Output, status: &MessageStatus, ways: &[&Journey]) -> String {
    let mut text = String::new();
    let Some((first, others)) = ways.split_first() else {
        return "no node has told of its way".into();
    };
    if let Some(line) = first.timeline() {
        for leg in [Some(&line.there), line.back.as_ref()].into_iter().flatten() {
            let what = match leg.way {
                Way::There => packet(status, first),
                Way::Back => "its acknowledgement".into(),
            };
            // Writing into a string cannot fail.
            let _ = writeln!(text, "\n{}", output.heading(&format!("way of {what}")));
            text.push_str(&leg_table(output, leg, line.there.begin));
            let _ = writeln!(text, "\n{}", sum(leg));
        }
    }
    for other in others {
        if let Some(line) = line(status, other) {
            let _ = writeln!(text, "{line}");
        }
    }
    let followed = usize::try_from(FOLLOWED_PACKETS).unwrap_or(usize::MAX);
    if status.packets.len() > followed {
        let all = status.packets.len();
        let _ = writeln!(text, "the ways of the first {followed} of {all} packets are followed");
    }
    text
}

/// The way of one packet in a line.
pub(super) fn line(status: &MessageStatus, journey: &Journey) -> Option<String> {
    let Timeline { there, back, .. } = journey.timeline()?;
    let back = back.map(|back| format!("; back: {}", sum(&back))).unwrap_or_default();
    Some(format!("{}: {}{back}", packet(status, journey), sum(&there)))
}

fn packet(status: &MessageStatus, journey: &Journey) -> String {
    let again = match journey.attempt {
        0 | 1 => String::new(),
        attempt => format!(", sent for the {attempt}. time"),
    };
    let number = journey.fragment.saturating_add(1);
    format!("packet {number} of {}{again}", status.packets.len())
}

/// `312.345 ms: 300.001 ms at mixnodes, which was to be 299.9 ms, and 12.344 ms on links`.
fn sum(leg: &Leg) -> String {
    let ms = milliseconds;
    let (took, links) = (ms(leg.took()), ms(leg.on_links()));
    let (waited, asked) = (ms(leg.waited()), ms(leg.asked()));
    let mut text = format!(
        "{took:.3} ms: {waited:.3} waited at mixnodes (asked {asked:.3}), {links:.3} on links"
    );
    let stored = leg.took().saturating_sub(leg.waited() + leg.on_links() + leg.untold());
    if !stored.is_zero() {
        let _ = write!(text, ", {:.3} until stored", ms(stored));
    }
    if !leg.untold().is_zero() {
        let _ = write!(text, ", {:.3} of which nobody told", ms(leg.untold()));
    }
    match &leg.end {
        LegEnd::Arrived => {}
        LegEnd::Dropped { node, reason } => {
            let _ = write!(text, "; {node} gave it up: {reason}");
        }
        LegEnd::Open { after, next } if next.is_empty() => {
            let _ = write!(text, "; not heard of after {after}");
        }
        LegEnd::Open { after, next } => {
            let _ = write!(text, "; not heard of after {after}, was to go to {}", next.join(" → "));
        }
    }
    text
}

fn leg_table(output: Output, leg: &Leg, begin: Time) -> String {
    let heads =
        ["HOP", "AFTER ms", "LINK ms", "WAITED ms", "ASKED ms", "POOL", "IN", "OUT", "KNEW"];
    let numbers = ["AFTER ms", "LINK ms", "WAITED ms", "ASKED ms", "POOL"];
    let shown = |duration: Duration| Cell::from(format!("{:.3}", milliseconds(duration)));
    let nothing = || Cell::from("");
    let mut link = nothing();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for Stretch { place, begin: at, took } in &leg.stretches {
        let at = shown(at.saturating_since(begin));
        let knew = |from: &str, to: &str| Cell::from(format!("{from} → {to}"));
        match place {
            Place::Link { .. } => link = shown(*took),
            Place::Mix(stay) => rows.push(vec![
                stay.node.as_str().into(),
                at,
                std::mem::replace(&mut link, nothing()),
                shown(*took),
                shown(stay.asked),
                stay.pool.to_string().into(),
                bytes(&stay.before).into(),
                bytes(&stay.after).into(),
                knew(&stay.from, &stay.to),
            ]),
            Place::Provider { node, from, client, before } => rows.push(vec![
                node.as_str().into(),
                at,
                std::mem::replace(&mut link, nothing()),
                shown(*took),
                nothing(),
                nothing(),
                bytes(before).into(),
                nothing(),
                knew(from, client),
            ]),
            Place::Delivery { to, .. } => {
                let (link, arrived) = (shown(*took), leg.begin + leg.took());
                let arrived = shown(arrived.saturating_since(begin));
                rows.push(vec![to.as_str().into(), arrived, link]);
            }
            Place::Untold { nodes } => {
                let who = if nodes.is_empty() { UNKNOWN.into() } else { nodes.join(", ") };
                let told = vec![format!("{who} (told nothing)").into(), at, shown(*took)];
                rows.push(told);
            }
        }
    }
    table(output, &heads, &numbers, &rows)
}

fn bytes(print: &Print) -> String {
    print.first.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.div_duration_f64(Duration::from_millis(1))
}

#[cfg(test)]
pub(super) mod tests {
    use control::{JourneyStep, MessageState, PlannedHop};

    use super::super::steps::tests::status;
    use super::*;

    fn at(us: u64) -> Time {
        Time::from_nanos(5_000_000_000 + us * 1000)
    }

    fn print(number: u8) -> Print {
        Print { header: [number; 8], first: [number; 16] }
    }

    pub(crate) fn opened() -> JourneyStep {
        JourneyStep::Opened { t: at(2250), node: "bob".into() }
    }

    fn passed(way: Way, node: &str, to: &str, came: u64, look: u8) -> JourneyStep {
        JourneyStep::Passed {
            way,
            node: node.into(),
            came: at(came),
            left: at(came + 1001),
            asked_us: 1000,
            before: print(look),
            after: print(look + 1),
            to: to.into(),
            pool: 4,
        }
    }

    fn kept(way: Way, node: &str, client: &str, came: u64, look: u8) -> JourneyStep {
        let (came, stored, before) = (at(came), at(came + 500), print(look));
        JourneyStep::Kept { way, node: node.into(), came, stored, before, client: client.into() }
    }

    /// A packet of a message that went over one mixnode each way.
    pub(crate) fn whole(message: &str, fragment: u32) -> Journey {
        let plan = |nodes: [&str; 2]| {
            let hops = nodes.map(|node| PlannedHop { node: node.into(), asked_us: Some(1000) });
            hops.to_vec()
        };
        let steps = vec![
            JourneyStep::Sent {
                t: at(0),
                node: "alice".into(),
                packet: print(1),
                route: plan(["mix-1-1", "provider-1"]),
                back: plan(["mix-1-2", "provider-2"]),
            },
            passed(Way::There, "mix-1-1", "provider-1", 100, 1),
            kept(Way::There, "provider-1", "bob", 1500, 2),
            JourneyStep::AckSent {
                t: at(2100),
                node: "provider-1".into(),
                packet: print(3),
                to: "mix-1-2".into(),
            },
            opened(),
            passed(Way::Back, "mix-1-2", "provider-2", 2400, 3),
            kept(Way::Back, "provider-2", "alice", 3500, 4),
            JourneyStep::Acknowledged { t: at(4100), node: "alice".into() },
        ];
        Journey { message: message.into(), fragment, attempt: 1, steps }
    }

    #[test]
    fn a_way_is_a_table_there_and_back() {
        let status = status("m", MessageState::Acknowledged, Some(9.0));
        let (first, mut second) = (whole("m", 0), whole("m", 1));
        second.attempt = 2;
        second.steps.truncate(2);
        insta::assert_snapshot!(text(Output::plain(), &status, &[&first, &second]));
    }

    #[test]
    fn who_told_nothing_stands_in_the_table_and_in_the_sum() {
        let status = status("m", MessageState::Acknowledged, Some(9.0));
        let mut journey = whole("m", 0);
        let is_told = |step: &JourneyStep| match step {
            JourneyStep::Passed { node, .. } | JourneyStep::Kept { node, .. } => {
                node != "provider-1"
            }
            JourneyStep::AckSent { .. } => false,
            _ => true,
        };
        journey.steps.retain(is_told);
        insta::assert_snapshot!(text(Output::plain(), &status, &[&journey]));
        assert_eq!(text(Output::plain(), &status, &[]), "no node has told of its way");
    }

    #[test]
    fn a_way_has_its_documented_form_in_json() {
        let status = status("m", MessageState::Acknowledged, Some(9.0));
        let journey = whole("m", 0);
        let told = json(3, &status, &journey).expect("sent");
        insta::assert_snapshot!(serde_json::to_string_pretty(&told).expect("JSON"));
        let unsent = Journey { steps: vec![opened()], ..journey };
        assert!(json(3, &status, &unsent).is_none());
    }
}
