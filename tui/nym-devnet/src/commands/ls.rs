//! `ls`: every devnet of this user, running or not.

use std::path::PathBuf;

use serde::Serialize;

use crate::context::Context;
use crate::output::{Cell, ago, or_unknown, table};
use crate::stop::Outcome;

#[derive(Serialize)]
struct Listed {
    name: String,
    running: bool,
    /// Its supervisor did not live to clean up.
    ended_uncleanly: bool,
    pid: Option<u32>,
    started_unix_ms: Option<u64>,
    /// Mixnodes in each layer.
    widths: Option<Vec<u16>>,
    processes: Option<usize>,
    folder: PathBuf,
}

#[derive(Serialize)]
struct List {
    devnets: Vec<Listed>,
}

pub(crate) fn run(context: &Context) -> Outcome {
    let mut devnets = Vec::new();
    for folder in context.state_dir.folders()? {
        let running = folder.is_running()?;
        let record = folder.record();
        let ended_uncleanly = record.is_some() && !running;
        let record = record.filter(|_| running);
        devnets.push(Listed {
            name: folder.name().into(),
            running,
            ended_uncleanly,
            pid: record.as_ref().map(|record| record.pid),
            started_unix_ms: record.as_ref().map(|record| record.started_unix_ms),
            widths: record.as_ref().map(|record| record.plan.layout.widths.clone()),
            processes: record.as_ref().map(|record| record.plan.nodes.len()),
            folder: folder.path().into(),
        });
    }
    let list = List { devnets };
    context.output.result("ls", None, &list, |output| {
        let rows: Vec<Vec<Cell>> = list.devnets.iter().map(row).collect();
        let heads = ["NAME", "STATE", "UP", "MIXNODES", "PROCESSES", "PID", "FOLDER"];
        table(output, &heads, &["PROCESSES", "PID"], &rows)
    })
}

fn row(devnet: &Listed) -> Vec<Cell> {
    vec![
        devnet.name.as_str().into(),
        state(devnet).into(),
        or_unknown(devnet.started_unix_ms.map(ago)),
        or_unknown(devnet.widths.as_deref().map(shape)),
        or_unknown(devnet.processes),
        or_unknown(devnet.pid),
        devnet.folder.display().to_string().into(),
    ]
}

fn state(devnet: &Listed) -> &'static str {
    match (devnet.running, devnet.ended_uncleanly) {
        (true, _) => "running",
        (false, true) => "ended uncleanly",
        (false, false) => "stopped",
    }
}

/// `2×3` where every layer has the same width, else `2-3-1`.
pub(crate) fn shape(widths: &[u16]) -> String {
    match widths {
        [first, rest @ ..] if rest.iter().all(|width| width == first) => {
            format!("{first}×{}", widths.len())
        }
        _ => widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("-"),
    }
}
