//! `init`: makes a node's keys and its config file. It needs no directory.

use std::fmt::Write as _;

use contract::{Fatal, FatalCode};

use crate::clash::Clash;
use crate::config::{self, ConfigError};
use crate::home::Home;
use crate::program::Program;

/// Makes the node; returns what there is to say about it.
pub(crate) fn init<P: Program>(home: &Home, force: bool, flags: P::Flags) -> Result<String, Fatal> {
    let mut config = P::defaults(home);
    P::apply(&mut config, flags)?;
    P::check(&config).map_err(Clash::of_flags)?;
    let _lock = home.lock()?;
    let path = home.config();
    if path.exists() && !force {
        return Err(exists::<P>(home));
    }
    let former = if force { home.retire()? } else { None };
    home.make()?;
    // The key first: with a config file but no key there would be no node, and no way to `init`.
    let key = P::common(&config).key_files().load_or_create(&mut rand::rng())?;
    let head = format!(
        "{} `{}`. Options of `run` override what is said here.\n\
         This is TOML: a text stands in quotes, and what begins with # is a comment.",
        P::NAME,
        home.id()
    );
    let text = config::render(&head, &mut config, &mut P::defaults(home));
    runtime::write_whole(&path, &text, 0o644)
        .map_err(|source| ConfigError::Unwritable { path: path.clone(), source })?;

    let mut told = format!("{} `{}`: {}\n", P::ROLE, home.id(), P::summary(&config));
    let mut line = |what: &str, value: String| {
        writeln!(told, "  {what:<11} {value}").expect("a text takes all");
    };
    let new = if key.new { "" } else { " (the one that was there already)" };
    line("public key", format!("{}{new}", key.key.public()));
    for (what, value) in P::details(&config, &key.key.public().to_string()) {
        line(what, value);
    }
    line("directory", P::common(&config).directory.to_string());
    line("config", path.display().to_string());
    if let Some(former) = former {
        line("before", format!("{}: the former config and keys", former.display()));
    }
    line("start it", format!("{} run --id {}", P::NAME, home.id()));
    Ok(told)
}

fn exists<P: Program>(home: &Home) -> Fatal {
    let (program, id) = (P::NAME, home.id());
    let message = format!("{} `{id}` exists already: `{}`", P::ROLE, home.config().display());
    Fatal::new(FatalCode::Usage, message).hint(format!(
        "start it with `{program} run --id {id}`; options of `run` override its config file. \
         `init --force` makes a new key and a new config file, and moves the old ones aside"
    ))
}

/// How to make this node; dots stand for what `init` has to be told besides.
pub(crate) fn init_line<P: Program>(home: &Home, flags: &str) -> String {
    let dots = if P::REQUIRED.is_empty() { "" } else { " …" };
    format!("{} init --id {}{flags}{dots}", P::NAME, home.id())
}

/// Nobody ran `init` for this id, or the config file is gone.
pub(crate) fn no_such_node<P: Program>(home: &Home) -> Fatal {
    /// Ids that a hint names; more would not help.
    const MAX_NAMED: usize = 8;

    let path = home.config();
    let message =
        format!("there is no {} `{}`: `{}` does not exist", P::ROLE, home.id(), path.display());
    let siblings = home.siblings();
    let named: Vec<String> = siblings.iter().take(MAX_NAMED).map(|id| format!("`{id}`")).collect();
    let there = match siblings.len() {
        0 => String::new(),
        count if count <= MAX_NAMED => format!("; there is {}", named.join(", ")),
        count => format!("; there are {count}, such as {}", named.join(", ")),
    };
    let hint = format!("make it with `{}`{there}", init_line::<P>(home, ""));
    Fatal::new(FatalCode::Usage, message).hint(hint)
}
