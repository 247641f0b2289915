//! Presence: heartbeats as they arrive, and how old the latest of each node is.
//!
//! Its selection is its own: strangers announce themselves too, and are in no table of processes.
//! Keys that act on a process act on the one that is highlighted here.

mod draw;

pub(super) use draw::draw;

use std::collections::HashMap;

use super::copy_or_say;
use crate::action::Action;
use crate::filter::Filter;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::pattern::Pattern;
use crate::regions::Target;
use crate::state::{Announcer, Beat, Devnet, Moment};

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Heartbeats.
    Beats,
    /// The age of each node's latest.
    #[default]
    Ages,
}

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    pane: Pane,
    /// The selected heartbeat; none to follow the newest.
    beat: Option<u64>,
    /// The key of the selected node.
    announcer: Option<String>,
    /// Narrows both lists.
    pub(crate) filter: Filter,
}

impl View {
    fn pattern(&self) -> Option<Pattern> {
        Pattern::new(self.filter.text())
    }
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let view = &mut model.screens.presence;
    match action {
        Action::Filter => view.filter.open(),
        Action::Accept => view.filter.accept(),
        Action::LeaveInput => {
            view.filter.drop();
        }
        Action::Back => {
            if !view.filter.drop() {
                (view.beat, view.announcer) = (None, None);
            }
        }
        Action::NextPane | Action::PreviousPane => {
            view.pane = if view.pane == Pane::Beats { Pane::Ages } else { Pane::Beats };
        }
        Action::Follow => {
            let newest = model.devnet().and_then(|devnet| {
                beats(&model.screens.presence, devnet).last().map(|beat| beat.number)
            });
            let view = &mut model.screens.presence;
            view.beat = if view.beat.is_some() { None } else { newest };
        }
        Action::Open => match (meant(model), key(model)) {
            (Some(name), _) => model.overlays.push(Overlay::card(name)),
            (None, Some(_)) => {
                model.say(Tone::Warning, "it is no process of this devnet, so it has no card");
            }
            (None, None) => model.say(Tone::Warning, "select a node first"),
        },
        Action::Copy => {
            let key = key(model).map(ToOwned::to_owned);
            return copy_or_say(model, key, "the key", "select a node first");
        }
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

/// The key that the selected row is about.
fn key(model: &Model) -> Option<&str> {
    let view = &model.screens.presence;
    let devnet = model.devnet()?;
    match (view.pane, view.beat) {
        (Pane::Ages, _) => {
            let key = view.announcer.as_deref()?;
            devnet.presence.get(key).map(|_| key)
        }
        (Pane::Beats, None) => beats(view, devnet).last().map(|beat| beat.key.as_str()),
        (Pane::Beats, Some(number)) => {
            let mut beats = devnet.presence.beats();
            beats.find(|beat| beat.number == number).map(|beat| beat.key.as_str())
        }
    }
}

/// The process that the selected row is about.
pub(super) fn meant(model: &Model) -> Option<String> {
    let name = model.devnet()?.presence.get(key(model)?)?.name.as_deref()?;
    model.devnet()?.node(name).map(|node| node.name().to_owned())
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.presence;
    match view.pane {
        Pane::Ages => {
            let keys: Vec<String> = announcers(view, devnet, model.moment())
                .iter()
                .map(|(key, _)| (*key).to_owned())
                .collect();
            let next = motion::step(&keys, view.announcer.as_ref(), motion);
            model.screens.presence.announcer = next;
        }
        Pane::Beats => {
            let beats: Vec<u64> = beats(view, devnet).iter().map(|beat| beat.number).collect();
            model.screens.presence.beat =
                motion::step_following(&beats, view.beat.as_ref(), motion);
        }
    }
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: &Target) {
    let view = &mut model.screens.presence;
    match target {
        Target::Beat(number) => {
            view.pane = Pane::Beats;
            view.beat = Some(*number);
        }
        Target::Announcer(key) => {
            view.pane = Pane::Ages;
            view.announcer = Some(key.clone());
        }
        Target::Presence(pane) => view.pane = *pane,
        _ => {}
    }
}

/// Heartbeats that the filter lets pass, oldest first.
fn beats<'a>(view: &View, devnet: &'a Devnet) -> Vec<&'a Beat> {
    let pattern = view.pattern();
    let all = devnet.presence.beats();
    let Some(pattern) = pattern else { return all.collect() };
    let takes = |beat: &&Beat| {
        let announcer = devnet.presence.get(&beat.key);
        let name = announcer.and_then(|announcer| announcer.name.as_deref()).unwrap_or_default();
        let list = beat.list.map_or("", |list| list.as_str());
        pattern.takes(&[name, &beat.key, list, beat.kind.words()])
    };
    all.filter(takes).collect()
}

/// Announcers that the filter lets pass, with their keys: this devnet's processes in their order,
/// then strangers.
fn announcers<'a>(view: &View, devnet: &'a Devnet, now: Moment) -> Vec<(&'a str, &'a Announcer)> {
    let places: HashMap<&str, usize> =
        devnet.nodes.iter().enumerate().map(|(place, node)| (node.name(), place)).collect();
    let place = |announcer: &Announcer| {
        let name = announcer.name.as_deref();
        name.and_then(|name| places.get(name).copied()).unwrap_or(usize::MAX)
    };
    let pattern = view.pattern();
    let takes = |(key, announcer): &(&str, &Announcer)| {
        pattern.as_ref().is_none_or(|pattern| {
            let name = announcer.name.as_deref().unwrap_or("stranger");
            let mut texts = vec![name, key, announcer.host.as_str()];
            texts.push(announcer.standing(now).word());
            texts.extend(announcer.lists.iter().map(|list| list.as_str()));
            pattern.takes(&texts)
        })
    };
    let mut all: Vec<_> = devnet.presence.announcers().filter(takes).collect();
    all.sort_by_key(|(_, announcer)| place(announcer));
    all
}
