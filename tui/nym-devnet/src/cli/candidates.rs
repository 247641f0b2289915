//! What a shell can complete: names of devnets and of the nodes of a running one, and a few words.
//!
//! Names are read from the folders of the devnets, which takes a few milliseconds: nobody is asked.

use std::path::PathBuf;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use supervisor::{Folder, StateDir};

use crate::context::DEFAULT_NAME;

/// Names of devnets, running or not.
pub(super) fn devnets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let folders = folders();
        folders.iter().map(|folder| CompletionCandidate::new(folder.name())).collect()
    })
}

/// Names of layouts that are built in. Files are completed by the shell.
pub(super) fn layouts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        layouts::Source::builtin_names().map(CompletionCandidate::new).collect()
    })
}

/// Names of lessons.
pub(super) fn lessons() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let lessons = lessons::builtin().iter();
        let named = lessons.map(|lesson| {
            CompletionCandidate::new(&lesson.slug).help(Some(lesson.title.clone().into()))
        });
        named.collect()
    })
}

/// Words that a value can be, or begin with.
pub(super) fn words(words: &'static [&'static str]) -> ArgValueCandidates {
    ArgValueCandidates::new(|| words.iter().copied().map(CompletionCandidate::new).collect())
}

/// Names of processes of the devnet that the line means.
pub(super) fn nodes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_plan(|_| true))
}

/// Names of clients of the devnet that the line means.
pub(super) fn clients() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_plan(|role| role == contract::Role::Client))
}

/// Names of mixnodes of the devnet that the line means.
pub(super) fn mixnodes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_plan(|role| role == contract::Role::Mixnode))
}

/// Names of nodes to which packets go.
pub(super) fn hops() -> ArgValueCandidates {
    let takes = |role| matches!(role, contract::Role::Mixnode | contract::Role::Provider);
    ArgValueCandidates::new(move || of_plan(takes))
}

fn of_plan(wanted: impl Fn(contract::Role) -> bool) -> Vec<CompletionCandidate> {
    let name = asked("--name", "NYM_DEVNET_NAME").unwrap_or_else(|| DEFAULT_NAME.into());
    let folders = folders();
    let folder = folders.iter().find(|folder| folder.name() == name);
    let Some(record) = folder.and_then(Folder::record) else { return Vec::new() };
    let nodes = record.plan.nodes.into_iter().filter(|node| wanted(node.role));
    nodes.map(|node| CompletionCandidate::new(node.name)).collect()
}

fn folders() -> Vec<Folder> {
    let state_dir = asked("--state-dir", "NYM_DEVNET_STATE_DIR").map(PathBuf::from);
    StateDir::find(state_dir).and_then(|dir| dir.folders()).unwrap_or_default()
}

/// What the line that is completed says of a global option, or the variable that stands for it.
fn asked(option: &str, variable: &str) -> Option<String> {
    let words: Vec<String> = std::env::args().collect();
    of_line(&words, option).or_else(|| std::env::var(variable).ok())
}

fn of_line(words: &[String], option: &str) -> Option<String> {
    let apart = words.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].clone());
    let joined = || {
        let mut words = words.iter();
        words.find_map(|word| Some(word.strip_prefix(option)?.strip_prefix('=')?.to_owned()))
    };
    apart.or_else(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_completed_names_its_devnet_in_either_way() {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        for line in ["nym-devnet stop --name t1 mix", "nym-devnet --name=t1 stop mix"] {
            assert_eq!(of_line(&words(line), "--name").as_deref(), Some("t1"), "{line}");
        }
        assert_eq!(of_line(&words("nym-devnet stop --names t1"), "--name"), None);
    }
}
