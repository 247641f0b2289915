//! What lies over a screen: the card of a process, the palette, the help, a question.

mod attacks;
mod card;
mod explanation;
mod help;
mod journey;
mod palette;
mod question;

pub(crate) use card::copied;
pub(crate) use journey::{open as open_journey, point as point_at_stop};
pub(crate) use palette::Palette;
pub(crate) use question::Question;

use ratatui::layout::Rect;

use crate::action::{Action, Context};
use crate::explain::Topic;
use crate::message::Effect;
use crate::model::Model;
use crate::scene::Scene;

/// Something that lies over the screen and takes the keys.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// Everything about one process.
    Card(card::Card),
    /// What the keys do.
    Help(help::Help),
    /// Every action, by name.
    Palette(Palette),
    /// Something to agree to.
    Question(Question),
    /// The way of a message.
    Journey(journey::Journey),
    /// Choosing an attack.
    Attacks(attacks::Attacks),
    /// What something means.
    Explanation(explanation::Explanation),
}

impl Overlay {
    /// The card of a process.
    pub(crate) fn card(node: String) -> Self {
        Self::Card(card::Card { node, chosen: None })
    }

    /// The help of a context.
    pub(crate) fn help(context: Context) -> Self {
        Self::Help(help::Help::new(context))
    }

    /// The palette, opened in a context.
    pub(crate) fn palette(context: Context) -> Self {
        Self::Palette(Palette::new(context))
    }

    /// The way of a message.
    pub(crate) fn journey(message: String) -> Self {
        Self::Journey(journey::Journey::new(message))
    }

    /// Choosing an attack: what is selected is likely to be its target.
    pub(crate) fn attacks(model: &Model) -> Self {
        Self::Attacks(attacks::Attacks::new(model))
    }

    /// What something means.
    pub(crate) fn explanation(topic: Topic) -> Self {
        Self::Explanation(explanation::Explanation::new(topic))
    }

    /// Its context.
    pub(crate) fn context(&self) -> Context {
        match self {
            Self::Card(_) => Context::Card,
            Self::Help(help) if help.filter.is_edited() => Context::Filtering,
            Self::Help(_) => Context::Reading,
            Self::Palette(_) => Context::Searching,
            Self::Question(_) => Context::Question,
            Self::Journey(_) => Context::Journey,
            Self::Attacks(_) => Context::Attacking,
            Self::Explanation(_) => Context::Explanation,
        }
    }

    /// The message whose way it shows, by its id.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Journey(journey) => Some(journey.message()),
            _ => None,
        }
    }

    /// The process that it is about.
    pub(crate) fn node(&self) -> Option<String> {
        match self {
            Self::Card(card) => Some(card.node.clone()),
            _ => None,
        }
    }
}

/// An action while something lies over the screen; none if it is for what lies below.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match model.overlays.last()? {
        Overlay::Card(_) => card::act(model, action),
        Overlay::Help(_) => Some(help::act(model, action)),
        Overlay::Palette(_) => Some(palette::act(model, action)),
        Overlay::Question(_) => Some(question::act(model, action)),
        Overlay::Journey(_) => journey::act(model, action),
        Overlay::Attacks(_) => attacks::act(model, action),
        Overlay::Explanation(_) => Some(explanation::act(model, action)),
    }
}

/// Somebody points at a row of what lies over the screen.
pub(crate) fn point(model: &mut Model, row: usize) -> Vec<Effect> {
    match model.overlays.last() {
        Some(Overlay::Attacks(_)) => attacks::point(model, row),
        _ => palette::point(model, row),
    }
}

/// Draws everything that lies over the screen.
pub(crate) fn draw(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    for overlay in &model.overlays {
        match overlay {
            Overlay::Card(card) => card.draw(model, area, scene),
            Overlay::Help(help) => help.draw(model, area, scene),
            Overlay::Palette(palette) => palette.draw(model, area, scene),
            Overlay::Question(question) => question.draw(area, scene),
            Overlay::Journey(journey) => journey.draw(model, area, scene),
            Overlay::Attacks(attacks) => attacks.draw(model, area, scene),
            Overlay::Explanation(explanation) => explanation.draw(model, area, scene),
        }
    }
}
