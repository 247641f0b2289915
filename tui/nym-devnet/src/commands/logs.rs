//! `logs`: what processes have logged.

use control::{LogLine, Snapshot, StreamEvent};

use super::check_names;
use crate::cli::LogsArgs;
use crate::context::Context;
use crate::output::Output;
use crate::stop::Outcome;

/// The supervisor's own lines stand under this name.
const SUPERVISOR: &str = "supervisor";

pub(crate) async fn run(context: &Context, args: &LogsArgs) -> Outcome {
    let client = context.connect(None)?;
    let snapshot = client.status().await?;
    check_names(&snapshot, &args.nodes, &[SUPERVISOR])?;
    let width = snapshot.nodes.iter().map(|node| node.name.len()).max().unwrap_or_default();
    let printer = Printer { context, width: width.max(SUPERVISOR.len()) };
    let wanted = |line: &LogLine| {
        (args.nodes.is_empty() || args.nodes.contains(&line.node))
            && args.grep.as_ref().is_none_or(|text| line.line.contains(text))
    };
    if !args.follow {
        let lines: Vec<&LogLine> = latest(&snapshot, args.lines, wanted);
        for name in &args.nodes {
            if !snapshot.logs.iter().any(|line| line.node == *name) {
                context.output.note(&format!("`{name}` has logged nothing yet"));
            }
        }
        return context.output.result("logs", Some(context.name()), &lines, |_| {
            lines.iter().map(|line| printer.text(line)).collect::<Vec<_>>().join("\n")
        });
    }
    let mut events = client.events().await?;
    let mut began = false;
    while let Some(envelope) = events.next().await? {
        match envelope.event {
            // A later snapshot comes when this was too slow: say so rather than repeat.
            StreamEvent::Snapshot(_) if began => {}
            StreamEvent::Snapshot(snapshot) => {
                began = true;
                for line in latest(&snapshot, args.lines, wanted) {
                    printer.print(line)?;
                }
            }
            StreamEvent::Log(line) if wanted(&line) => printer.print(&line)?,
            _ => {}
        }
    }
    Ok(())
}

fn latest(snapshot: &Snapshot, count: usize, wanted: impl Fn(&LogLine) -> bool) -> Vec<&LogLine> {
    let mut lines: Vec<&LogLine> = snapshot.logs.iter().filter(|line| wanted(line)).collect();
    lines.drain(..lines.len().saturating_sub(count));
    lines
}

struct Printer<'a> {
    context: &'a Context,
    width: usize,
}

impl Printer<'_> {
    fn print(&self, line: &LogLine) -> Outcome {
        if self.context.output.is_json() {
            return Output::json_event("log-line", self.context.name(), line);
        }
        Output::text_line(&self.text(line))
    }

    fn text(&self, line: &LogLine) -> String {
        format!("{:<width$} | {}", line.node, line.line, width = self.width)
    }
}
