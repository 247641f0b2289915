//! What somebody means who asks what this is.

use super::{Idea, Insight, Letter, Study, Topic};
use crate::model::Model;
use crate::overlay::Overlay;
use crate::screens::Screen;
use crate::screens::messages::word;
use crate::screens::problems;
use crate::state::lessons::Stage;
use crate::state::{Devnet, Mark, Node};

/// What is selected, else what is shown.
pub(crate) fn selected(model: &Model) -> Topic {
    if let Some(overlay) = model.overlays.last() {
        return match overlay {
            Overlay::Journey(journey) => journey.topic(model),
            Overlay::Attacks(_) => Topic::Insight(Insight::Attacks),
            _ => Topic::Card,
        };
    }
    on_screen(model).unwrap_or(Topic::Screen(model.screen))
}

/// What is selected on the screen that is shown.
fn on_screen(model: &Model) -> Option<Topic> {
    let devnet = model.devnet()?;
    match model.screen {
        Screen::Network => Some(process(devnet, model.selected_node()?, model)),
        // Here nobody asks what a mixnode is, but what it means that one is there.
        Screen::Presence => match process(devnet, model.selected_node()?, model) {
            Topic::Role(_) => Some(Topic::Idea(Idea::Presence)),
            state => Some(state),
        },
        Screen::Nodes => {
            let column = model.screens.nodes.topic();
            column.or_else(|| Some(process(devnet, model.selected_node()?, model)))
        }
        Screen::Messages => {
            let letter = model.screens.messages.selected(Some(devnet))?;
            Letter::of(word(devnet, letter)).map(Topic::Letter)
        }
        Screen::Traffic => Some(Topic::Traffic(model.screens.traffic.pane)),
        Screen::Problems => problems::topic(model),
        Screen::Anonymity if model.screens.anonymity.is_adversary() => {
            Some(Topic::Insight(Insight::Observer))
        }
        Screen::Lessons => study(model.lessons.running.as_ref()?.stage()).map(Topic::Study),
        Screen::Logs | Screen::Anonymity => None,
    }
}

/// What a lesson is about to do.
fn study(stage: &Stage) -> Option<Study> {
    match stage {
        Stage::Preparing => Some(Study::Network),
        Stage::Asking => Some(Study::Question),
        Stage::Tasked | Stage::Doing => Some(Study::Task),
        Stage::Waiting | Stage::Late => Some(Study::Condition),
        Stage::Restoring | Stage::Over(_) => Some(Study::Restored),
        Stage::Reading => None,
    }
}

/// Of a process that does its work what it is; else what its state means.
fn process(devnet: &Devnet, node: &Node, model: &Model) -> Topic {
    match devnet.health(node, model.moment()).mark {
        Mark::Ready => Topic::Role(node.status.role),
        Mark::Late => Topic::Late,
        Mark::Gone => Topic::Gone,
        _ => Topic::State(node.status.state),
    }
}
