//! `metrics`: what the nodes have counted, once or again each second.

mod figures;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{NodeMetrics, Role};
use control::{NodeRates, Snapshot, StreamEvent};
use supervisor::RateWindow;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::MetricsArgs;
use crate::context::Context;
use crate::output::Output;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

use super::screen::Screen;
use figures::Figures;

/// How often figures are shown: as often as nodes report.
const PERIOD: Duration = Duration::from_secs(1);

/// A node that was silent for this long has no rates any more. It reports each second.
const SILENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(context: &Context, args: &MetricsArgs) -> Outcome {
    let client = context.connect(None)?;
    if !args.watch {
        let snapshot = client.status().await?;
        let figures = Figures::new(&nodes(&snapshot), &snapshot.metrics, &snapshot.rates);
        let name = &snapshot.devnet.name;
        return context
            .output
            .result("metrics", Some(name), &figures, |output| figures.text(output));
    }
    // Before the screen is changed, so that a signal finds somebody who changes it back.
    let mut signals = Signals::new()?;
    let mut events = client.events().await?;
    let mut screen = Screen::open(context.output);
    let mut known = Known::default();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let why = loop {
        tokio::select! {
            signal = signals.next() => {
                screen.close(&known.figures().text(context.output))?;
                return Err(Stop::Signal(signal));
            }
            event = events.next() => match event? {
                None => break "it ended without saying why".into(),
                Some(envelope) => match envelope.event {
                    StreamEvent::Down { reason } => break reason,
                    event => known.take(event),
                },
            },
            _ = ticks.tick(), if known.has_begun => show(context, &mut screen, &mut known)?,
        }
    };
    screen.close(&known.figures().text(context.output))?;
    context.output.note(&format!("the devnet went down: {why}"));
    Ok(())
}

fn show(context: &Context, screen: &mut Screen, known: &mut Known) -> Outcome {
    let figures = known.figures();
    if context.output.is_json() {
        return Output::json_event("metrics", context.name(), &figures);
    }
    screen.show(&figures.text(context.output))
}

/// Name and role of every node, in the order in which they are shown.
fn nodes(snapshot: &Snapshot) -> Vec<(String, Role)> {
    snapshot.nodes.iter().map(|node| (node.name.clone(), node.role)).collect()
}

/// What the event stream has told so far.
#[derive(Default)]
struct Known {
    has_begun: bool,
    nodes: Vec<(String, Role)>,
    metrics: BTreeMap<String, NodeMetrics>,
    rates: BTreeMap<String, (Instant, RateWindow, Option<NodeRates>)>,
}

impl Known {
    fn take(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Snapshot(snapshot) => {
                self.has_begun = true;
                self.nodes = nodes(&snapshot);
                for (node, metrics) in &snapshot.metrics {
                    self.count(node, metrics);
                    // Until it has reported twice to us.
                    if let Some((_, _, rates)) = self.rates.get_mut(node) {
                        *rates = rates.or_else(|| snapshot.rates.get(node).copied());
                    }
                }
                self.metrics = snapshot.metrics;
            }
            StreamEvent::Node(node) if !self.nodes.iter().any(|(name, _)| *name == node.name) => {
                self.nodes.push((node.name, node.role));
            }
            StreamEvent::Removed { node } => {
                self.nodes.retain(|(name, _)| *name != node);
                self.metrics.remove(&node);
                self.rates.remove(&node);
            }
            StreamEvent::Metrics { node, metrics } => {
                self.count(&node, &metrics);
                self.metrics.insert(node, metrics);
            }
            _ => {}
        }
    }

    fn count(&mut self, node: &str, metrics: &NodeMetrics) {
        let known = self.rates.entry(node.into());
        let (at, window, rates) =
            known.or_insert_with(|| (Instant::now(), RateWindow::default(), None));
        *at = Instant::now();
        *rates = window.add(metrics).or(*rates);
    }

    fn figures(&self) -> Figures {
        let rates = self.rates.iter().filter(|(_, (at, ..))| at.elapsed() < SILENCE);
        let rates = rates.filter_map(|(name, (.., rates))| Some((name.clone(), (*rates)?)));
        Figures::new(&self.nodes, &self.metrics, &rates.collect())
    }
}
