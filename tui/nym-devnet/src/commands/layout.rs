//! `layout`: which layouts there are, what they say, and whether a file is one.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use control::{Failure, FailureCode, visible};
use layouts::{Plan, Resolved, Source};
use serde::Serialize;
use serde_json::Value;

use super::ls::shape;
use super::planned::{Shown, ShownNode, no_source, variable, wrong};
use crate::cli::{Format, InitArgs, LayoutCommand};
use crate::context::Context;
use crate::output::{self, Cell, table};
use crate::stop::Outcome;

/// The layout that `init` writes when nobody names one: every field is explained in it.
const FIRST: &str = "one-by-three";

pub(crate) fn run(context: &Context, command: &LayoutCommand) -> Outcome {
    match command {
        LayoutCommand::List => list(context),
        LayoutCommand::Show { layout } => show(context, layout),
        LayoutCommand::Check { layouts } => check(context, layouts),
        LayoutCommand::Schema => schema(context),
        LayoutCommand::Init(args) => init(context, args),
    }
}

/// A layout of any origin, and what it comes to without flags.
fn read(word: &str) -> Result<(Source, Resolved), Failure> {
    let source = Source::find(word).map_err(|error| no_source(&error))?;
    let resolved =
        layouts::resolve(Some(&source), &[], &variable).map_err(|fault| wrong(&fault))?;
    Ok((source, resolved))
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    description: Option<&'a str>,
    layout: Shown<'a>,
    processes: usize,
}

#[derive(Serialize)]
struct List<'a> {
    layouts: Vec<Listed<'a>>,
}

fn list(context: &Context) -> Outcome {
    let layouts: Vec<(Source, Resolved)> =
        Source::builtin_names().map(read).collect::<Result<_, _>>()?;
    let listed = layouts.iter().map(|(source, resolved)| Listed {
        name: source.name(),
        description: resolved.description.as_deref(),
        layout: Shown::new(&resolved.plan),
        processes: resolved.plan.nodes.len(),
    });
    context.output.result("layouts", None, List { layouts: listed.collect() }, |output| {
        let rows: Vec<Vec<Cell>> = layouts
            .iter()
            .map(|(source, resolved)| {
                let plan = &resolved.plan;
                vec![
                    source.name().into(),
                    shape(&plan.layout.widths).into(),
                    plan.nodes.len().to_string().into(),
                    resolved.description.clone().unwrap_or_default().into(),
                ]
            })
            .collect();
        table(output, &["NAME", "MIXNODES", "PROCESSES", "SHOWS"], &["PROCESSES"], &rows)
    })
}

#[derive(Serialize)]
struct Whole<'a> {
    name: &'a str,
    builtin: bool,
    description: Option<&'a str>,
    text: &'a str,
    files: &'a std::collections::BTreeMap<String, String>,
    layout: Shown<'a>,
    nodes: Vec<ShownNode<'a>>,
}

fn show(context: &Context, word: &str) -> Outcome {
    let (source, resolved) = read(word)?;
    let plan = &resolved.plan;
    let whole = Whole {
        name: source.name(),
        builtin: source.is_builtin(),
        description: resolved.description.as_deref(),
        text: source.text(),
        files: &plan.files,
        layout: Shown::new(plan),
        nodes: ShownNode::all(plan),
    };
    context.output.result("layout", None, &whole, |output| {
        for name in plan.files.keys() {
            output.note(&format!("`{name}` belongs to it; `nym-devnet layout init` writes both"));
        }
        source.text().lines().map(|line| visible(line) + "\n").collect()
    })
}

#[derive(Serialize)]
struct Checked<'a> {
    /// Those that are right.
    layouts: Vec<CheckedLayout<'a>>,
    /// Why the others are not, in the form of `error`.
    faults: Vec<Value>,
}

#[derive(Serialize)]
struct CheckedLayout<'a> {
    name: &'a str,
    layout: Shown<'a>,
    processes: usize,
}

/// Checks all, and ends with the last that is wrong.
fn check(context: &Context, words: &[String]) -> Outcome {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for word in words {
        match read(word) {
            Ok(layout) => right.push(layout),
            Err(failure) => wrong.push(failure),
        }
    }
    let layouts = right.iter().map(|(source, resolved)| CheckedLayout {
        name: source.name(),
        layout: Shown::new(&resolved.plan),
        processes: resolved.plan.nodes.len(),
    });
    let faults = wrong.iter().map(output::error_object).collect();
    let checked = Checked { layouts: layouts.collect(), faults };
    let last = wrong.pop();
    context.output.result_with("layout-check", None, checked, last, |_| {
        for failure in &wrong {
            output::failure(failure, Format::Text);
        }
        let lines = right.iter().map(|(source, resolved)| {
            format!("{}: good: {}\n", visible(source.name()), summary(&resolved.plan))
        });
        lines.collect()
    })
}

fn summary(plan: &Plan) -> String {
    let layout = &plan.layout;
    format!(
        "{} mixnodes, providers: {}, clients: {}, crowd: {}",
        shape(&layout.widths),
        layout.providers,
        layout.clients,
        layout.crowd
    )
}

fn schema(context: &Context) -> Outcome {
    let schema = layouts::schema();
    context.output.result("layout-schema", None, &schema, |_| format!("{schema:#}\n"))
}

#[derive(Serialize)]
struct Written<'a> {
    layout: &'a str,
    files: &'a [PathBuf],
}

fn init(context: &Context, args: &InitArgs) -> Outcome {
    let name = args.layout.as_deref().unwrap_or(FIRST);
    let source = Source::find(name).map_err(|error| no_source(&error))?;
    if !source.is_builtin() {
        let names = Source::builtin_names().collect::<Vec<_>>().join(", ");
        let message = format!("`{}` is a file already", visible(source.name()));
        return Err(Failure::new(FailureCode::Usage, message)
            .hint(format!("built in are {names}"))
            .into());
    }
    let file = args.file.clone().unwrap_or_else(|| format!("{name}.toml").into());
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut files = vec![(file.clone(), source.text().to_owned())];
    files.extend(source.files().into_iter().map(|(name, text)| (folder.join(name), text)));
    // All or nothing, as far as can be told before.
    if let Some((path, _)) = files.iter().find(|(path, _)| !args.force && path.exists()) {
        return Err(in_the_way(path).into());
    }
    for (path, text) in &files {
        write(path, text, args.force)?;
    }
    let written: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    let report = Written { layout: name, files: &written };
    context.output.result("layout-init", None, &report, |_| {
        let shown: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        let up = if file.components().count() > 1 {
            shown[0].clone()
        } else {
            format!("./{}", shown[0])
        };
        format!("wrote {}\n`nym-devnet up {up}` starts it\n", shown.join(", "))
    })
}

fn in_the_way(path: &Path) -> Failure {
    let message = format!("`{}` is there already, and was not replaced", path.display());
    Failure::new(FailureCode::Usage, message)
        .hint("--force replaces it; --file FILE writes another")
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::new(FailureCode::Environment, message)
    };
    if force {
        return fs::write(path, text).map_err(failed);
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(in_the_way(path)),
        Err(error) => Err(failed(error)),
    }
}
