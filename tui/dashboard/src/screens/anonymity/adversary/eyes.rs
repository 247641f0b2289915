//! Who watches: all links, with mixnodes or a provider that work for one, or one link.

use std::collections::BTreeSet;

use contract::Role;
use vantage::{Inside, Who};

use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::state::Devnet;

/// Names of nodes of this role, with their layers.
fn nodes(devnet: &Devnet, role: Role) -> impl Iterator<Item = (String, Option<u8>)> {
    let nodes = devnet.nodes.iter().filter(move |node| node.status.role == role);
    nodes.map(|node| (node.name().to_owned(), node.status.layer))
}

/// Who can watch: all links; the same with one provider that tells; or one link of the one who is asked
/// whether it sends. Mixnodes that work for one stay.
fn observers(devnet: &Devnet) -> Vec<Who> {
    let mixes = match devnet.watch.vantage().who() {
        Who::All { mixes, .. } => mixes.clone(),
        Who::Link(..) => BTreeSet::new(),
    };
    let all = |providers| Who::All { mixes: mixes.clone(), providers };
    let mut observers = vec![all(BTreeSet::new())];
    let curious = nodes(devnet, Role::Provider);
    observers.extend(curious.map(|(provider, _)| all(BTreeSet::from([provider]))));
    if let Some(client) = devnet.watch.vantage().watches() {
        let entries = nodes(devnet, Role::Mixnode).filter(|(_, layer)| *layer == Some(1));
        observers.extend(entries.map(|(mix, _)| Who::Link(client.to_owned(), mix)));
    }
    observers
}

/// Other eyes.
pub(super) fn other(model: &mut Model, forward: bool) -> Vec<Effect> {
    let Some(live) = &model.live else { return Vec::new() };
    let observers = observers(live);
    let at = observers.iter().position(|who| who == live.watch.vantage().who()).unwrap_or(0);
    let next = super::turned(at, observers.len(), forward);
    // Where providers cannot tell anything, those eyes are left out.
    let (before, after) = observers.split_at(next);
    let around = after.iter().chain(before);
    let may = |who: &&Who| who.accomplices().next().is_none() || why_silent(model).is_none();
    let who = if forward {
        around.clone().find(may)
    } else {
        // Backwards from there.
        let mut back: Vec<&Who> = around.collect();
        if let Some(rest) = back.get_mut(1..) {
            rest.reverse();
        }
        back.into_iter().find(may)
    };
    let Some(who) = who.cloned() else { return Vec::new() };
    become_who(model, who)
}

/// One more mixnode works for who watches, or one fewer. They are spread over the layers, which is the best
/// that an adversary can do with as many.
pub(super) fn corrupt(model: &mut Model, more: bool) -> Vec<Effect> {
    if more && let Some(why) = why_silent(model) {
        model.say(Tone::Warning, why);
        return Vec::new();
    }
    let Some(live) = &model.live else { return Vec::new() };
    let (mut mixes, providers) = match live.watch.vantage().who() {
        Who::All { mixes, providers } => (mixes.clone(), providers.clone()),
        // Somebody on whom no node has any use for one link has the others too.
        Who::Link(..) => Default::default(),
    };
    let spread = spread(live);
    mixes.retain(|mix| spread.contains(mix));
    let next = if more {
        spread.iter().find(|mix| !mixes.contains(*mix))
    } else {
        spread.iter().rev().find(|mix| mixes.contains(*mix))
    };
    let Some(next) = next else {
        let words = if more { "every mixnode works for you" } else { "no mixnode works for you" };
        model.say(Tone::Warning, words);
        return Vec::new();
    };
    if more {
        mixes.insert(next.clone());
    } else {
        mixes.remove(next);
    }
    become_who(model, Who::All { mixes, providers })
}

/// The mixnodes in the order in which they are corrupted: the first of each layer, then the second.
fn spread(devnet: &Devnet) -> Vec<String> {
    let mut places: Vec<(usize, u8, String)> = Vec::new();
    for (name, layer) in nodes(devnet, Role::Mixnode) {
        let layer = layer.unwrap_or(0);
        let before = places.iter().filter(|(_, other, _)| *other == layer).count();
        places.push((before, layer, name));
    }
    places.sort();
    places.into_iter().map(|(_, _, name)| name).collect()
}

/// Why nodes cannot tell anything, if they cannot.
fn why_silent(model: &Model) -> Option<&'static str> {
    if model.playback.is_some() {
        return Some("a recording has nothing of what only nodes know");
    }
    let traces = model.live.as_ref().is_none_or(|live| live.info.trace);
    (!traces).then_some("nodes tell nothing of packets: `up --trace on` lets them")
}

fn become_who(model: &mut Model, who: Who) -> Vec<Effect> {
    let Some(live) = &mut model.live else { return Vec::new() };
    let words = who.words();
    let before = live.watch.accomplices();
    if !live.watch.become_who(who) {
        model.say(Tone::Warning, "the observer has not heard of that node yet");
        return Vec::new();
    }
    let accomplices = live.watch.accomplices();
    model.say(Tone::Good, format!("you are somebody who {words}"));
    if before == accomplices { Vec::new() } else { vec![Effect::Confide(accomplices)] }
}

/// What nodes that work for who watches are worth: a name for that, and words.
pub(super) fn worth(inside: &Inside) -> (&'static str, String) {
    if inside.mixnodes() == 0 {
        return ("they tell", "which packet became which, as soon as any are there".into());
    }
    if inside.corrupt() == 0 {
        return ("it tells", "for whom packets are; which became which, no mixnode tells".into());
    }
    let percent = |share: f64| match share * 100.0 {
        all if all >= 99.95 => "100 %".to_owned(),
        share => format!("{share:.1} %"),
    };
    let (corrupt, all) = (inside.corrupt(), inside.mixnodes());
    let yours = percent(inside.routes);
    let mut words = format!("{corrupt} of {all} mixnodes, every hop of {yours} of routes");
    if let Some(certain) = inside.certain {
        words = format!("{words}; {} found out", percent(certain));
    }
    ("yours", words)
}
