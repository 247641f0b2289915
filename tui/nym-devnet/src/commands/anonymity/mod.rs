//! `anonymity`: what an observer of the links can infer about the running devnet, after a while or again
//! each second.

mod figures;
mod streams;

use std::time::Duration;

use control::{Failure, FailureCode, StreamEvent, shown_name};
use tokio::time::{MissedTickBehavior, interval, timeout};
use vantage::Vantage;

use self::streams::{Streams, Told};
use super::screen::Screen;
use crate::cli::AnonymityArgs;
use crate::context::Context;
use crate::output::Output;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// How often figures are shown.
const PERIOD: Duration = Duration::from_secs(1);

pub(crate) async fn run(context: &Context, args: &AnonymityArgs) -> Outcome {
    let client = context.connect(None)?;
    // Before the screen is changed, so that a signal finds somebody who changes it back.
    let signals = Signals::new()?;
    let watching = Watching {
        context,
        args,
        streams: Streams::open(client).await?,
        vantage: Vantage::default(),
        has_begun: false,
    };
    if args.watch { watching.on(signals).await } else { watching.once(signals).await }
}

struct Watching<'a> {
    context: &'a Context,
    args: &'a AnonymityArgs,
    streams: Streams,
    vantage: Vantage,
    /// The network is known, and what was asked for is looked for.
    has_begun: bool,
}

impl Watching<'_> {
    /// Watches for a while, and shows what that told.
    async fn once(mut self, mut signals: Signals) -> Outcome {
        let span = self.args.over;
        let mut progress = Progress::new(self.context.output, span, false);
        let ended = async {
            loop {
                if let Some(why) = self.hear().await? {
                    return Ok::<_, Stop>(why);
                }
            }
        };
        let watched = progress.until("packets are watched", timeout(span, ended));
        let ended = tokio::select! {
            signal = signals.next() => return Err(Stop::Signal(signal)),
            ended = watched => ended,
        };
        drop(progress);
        match ended {
            Ok(Err(stop)) => return Err(stop),
            Ok(Ok(why)) => {
                let message = format!("the devnet went down while it was watched: {why}");
                return Err(Failure::new(FailureCode::NotRunning, message).into());
            }
            // The time is over.
            Err(_) => {}
        }
        let Some(report) = self.vantage.report(self.args.window) else {
            let message = "the supervisor did not say in time what the network is";
            return Err(Failure::new(FailureCode::DeadlinePassed, message).into());
        };
        let output = self.context.output;
        output.result("anonymity", Some(self.context.name()), &report, |output| {
            figures::text(&report, output)
        })
    }

    /// Shows it each second until the devnet ends.
    async fn on(mut self, mut signals: Signals) -> Outcome {
        let mut screen = Screen::open(self.context.output);
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let why = loop {
            tokio::select! {
                signal = signals.next() => {
                    screen.close(&self.text())?;
                    return Err(Stop::Signal(signal));
                }
                why = self.hear() => if let Some(why) = why? {
                    break why;
                },
                _ = ticks.tick(), if self.has_begun => self.show(&mut screen)?,
            }
        };
        screen.close(&self.text())?;
        self.context.output.note(&format!("the devnet went down: {why}"));
        Ok(())
    }

    /// Takes in the next event; says why if the devnet went down. Can be dropped and called again.
    async fn hear(&mut self) -> Outcome<Option<String>> {
        if !self.has_begun && self.vantage.settings().is_some() {
            self.begin().await?;
            self.has_begun = true;
        }
        let Some(told) = self.streams.next().await? else {
            return Ok(Some("it ended without saying why".into()));
        };
        let envelope = match told {
            Told::Next(envelope) => envelope,
            Told::Anew(envelope) => {
                // Packets that came and went meanwhile would be taken for some that still wait.
                self.vantage = Vantage::default();
                self.has_begun = false;
                envelope
            }
        };
        self.vantage.hear(&envelope);
        if let StreamEvent::Down { reason } = envelope.event {
            return Ok(Some(reason));
        }
        Ok(None)
    }

    /// The network is known: whoever was named has to be there.
    async fn begin(&mut self) -> Outcome {
        let missing = |message| Err(Failure::new(FailureCode::NoSuchNode, message).into());
        if let Some(who) = &self.args.adversary
            && !self.vantage.set_who(who.clone())
        {
            return missing(format!(
                "cannot watch as `{who}`: that names a node that is not there"
            ));
        }
        let accomplices = self.vantage.who().accomplices().map(str::to_owned).collect();
        self.streams.confide(accomplices).await?;
        if let Some(client) = &self.args.is_sending
            && !self.vantage.look_whether_it_sends(client)
        {
            return missing(format!("there is no client `{}`", shown_name(client)));
        }
        if let Some(recipient) = &self.args.who_writes_to
            && !self.vantage.look_for_who_writes_to(recipient)
        {
            return missing(format!("there is no client `{}`", shown_name(recipient)));
        }
        Ok(())
    }

    fn text(&self) -> String {
        let report = self.vantage.report(self.args.window);
        report.map_or_else(String::new, |report| figures::text(&report, self.context.output))
    }

    fn show(&self, screen: &mut Screen) -> Outcome {
        let Some(report) = self.vantage.report(self.args.window) else { return Ok(()) };
        if self.context.output.is_json() {
            return Output::json_event("anonymity", self.context.name(), &report);
        }
        screen.show(&figures::text(&report, self.context.output))
    }
}
