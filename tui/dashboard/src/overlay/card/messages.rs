//! Messages that passed a process.

use std::time::Duration;

use control::{Journey, JourneyStep, MessageStatus, Way};

use super::fields::{Field, field};
use crate::scene::Scene;
use crate::state::{Devnet, Node};
use crate::text;

/// How many messages are listed.
const MESSAGES: usize = 6;

/// Columns of what a message says.
const PREVIEW: usize = 24;

/// The latest messages of which a packet is known to have passed this process, the latest first. Where
/// nodes do not tell what became of packets, the routes that their senders chose.
pub(super) fn of(devnet: &Devnet, node: &Node, scene: &Scene<'_>) -> Vec<Field> {
    let mut seen: Vec<&str> = Vec::new();
    let mut fields = Vec::new();
    for journey in devnet.journeys.latest() {
        if fields.len() == MESSAGES {
            return fields;
        }
        if !seen.contains(&journey.message.as_str())
            && let Some(did) = journey.steps.iter().rev().find_map(|step| did(step, node.name()))
        {
            seen.push(&journey.message);
            fields.push(told(devnet, journey, &did, scene));
        }
    }
    for message in devnet.letters.sent().rev() {
        if fields.len() == MESSAGES {
            break;
        }
        let routed =
            || message.packets.iter().any(|packet| packet.route.contains(&node.status.name));
        if !seen.contains(&message.id.as_str()) && routed() {
            let did = "routed here".to_owned();
            fields.push(line(Some(message), &message.id, &did, scene));
        }
    }
    fields
}

fn told(devnet: &Devnet, journey: &Journey, did: &str, scene: &Scene<'_>) -> Field {
    let letter = devnet.letters.get(&journey.message);
    line(letter.and_then(|letter| letter.status.as_ref()), &journey.message, did, scene)
}

fn line(message: Option<&MessageStatus>, id: &str, did: &str, scene: &Scene<'_>) -> Field {
    let (time, words) = match message {
        Some(message) => {
            let preview = text::visible(&message.content.preview(), scene.symbols);
            let preview = text::fit(&preview, PREVIEW, scene.symbols);
            let name = |name: &str| text::short_key(name, scene.symbols);
            let hop = scene.symbols.hop;
            let ends = format!("{} {hop} {}", name(&message.from), name(&message.to));
            let time = text::clock(message.accepted_unix_ms, scene.zone);
            (time, format!("{preview} ({ends}): {did}"))
        }
        None => (String::new(), format!("message {}: {did}", text::short_key(id, scene.symbols))),
    };
    Field { key: format!("message {id}"), copied: id.to_owned(), ..field(&time, words, scene) }
}

/// What a node did with a packet, if this step is about it.
fn did(step: &JourneyStep, name: &str) -> Option<String> {
    let what = |way: &Way| match way {
        Way::There => "",
        Way::Back => "its ack ",
    };
    match step {
        JourneyStep::Passed { way, node, came, left, asked_us, .. } if node == name => {
            let waited = text::took(left.saturating_since(*came));
            let asked = text::took(Duration::from_micros(*asked_us));
            Some(format!("{}waited {waited}, asked {asked}", what(way)))
        }
        JourneyStep::Kept { way, node, .. } if node == name => Some(format!("{}stored", what(way))),
        JourneyStep::Dropped { way, node, reason, .. } if node == name => {
            Some(format!("{}given up: {reason}", what(way)))
        }
        JourneyStep::Sent { node, .. } if node == name => Some("sent".to_owned()),
        JourneyStep::Opened { node, .. } if node == name => Some("opened".to_owned()),
        JourneyStep::Acknowledged { node, .. } if node == name => Some("acknowledged".to_owned()),
        _ => None,
    }
}
