//! What a command waits for, while it waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use control::{Failure, FailureCode};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::output::Output;
use crate::stop::Outcome;
use crate::watch::Watch;

/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// Without a terminal a new reason is told this long after the one before, and the first this long after
/// the beginning: what is quicker needs no line in the log of a script …
const PAUSE: Duration = Duration::from_secs(1);

/// … and the same reason is told again after this long, so that nobody takes the script for stuck.
const REPEAT: Duration = Duration::from_secs(10);

/// Longer lines could take two rows, of which only the last would be wiped again.
const LINE_CHARS: usize = 79;

/// Says on standard error what is waited for, and for how long.
pub(crate) struct Progress {
    style: Style,
    began: Instant,
    limit: Duration,
    said: String,
    /// When that was.
    said_at: Instant,
    ticks: Interval,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// One line that is drawn over and wiped in the end.
    Line,
    /// A line for each new reason, at once.
    EachLine,
    /// A line now and then, if it takes long.
    Lines,
    Silent,
}

impl Progress {
    /// Of a wait that ends after `limit`. `is_told` means that each change is told otherwise where
    /// there is no terminal.
    pub(crate) fn new(output: Output, limit: Duration, is_told: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let style = if output.quiet {
            Style::Silent
        } else if io::stderr().is_terminal() && !dumb {
            Style::Line
        } else if !output.verbose {
            Style::Lines
        } else if is_told {
            Style::Silent
        } else {
            Style::EachLine
        };
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        Self { style, began, limit, said: String::new(), said_at: began, ticks }
    }

    /// This is waited for now.
    pub(crate) fn show(&mut self, reason: &str) {
        if !is_due(self.style, self.said == reason, self.said_at.elapsed()) {
            return;
        }
        reason.clone_into(&mut self.said);
        self.said_at = Instant::now();
        let line = line(self.began.elapsed(), self.limit, reason);
        let mut stderr = io::stderr().lock();
        // There is nobody to tell that standard error is gone.
        match self.style {
            Style::Line => {
                let line: String = line.chars().take(LINE_CHARS).collect();
                drop(write!(stderr, "\r\u{1b}[K{line}").and_then(|()| stderr.flush()));
            }
            Style::EachLine | Style::Lines => drop(writeln!(stderr, "{line}")),
            Style::Silent => {}
        }
    }

    /// Makes room for something else on standard error.
    pub(crate) fn wipe(&self) {
        if self.style == Style::Line {
            let mut stderr = io::stderr().lock();
            drop(write!(stderr, "\r\u{1b}[K").and_then(|()| stderr.flush()));
        }
    }

    /// Waits until something is there, and says meanwhile what is waited for.
    pub(crate) async fn until<T>(&mut self, reason: &str, done: impl Future<Output = T>) -> T {
        tokio::pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return done,
                _ = self.ticks.tick() => self.show(reason),
            }
        }
    }

    /// Waits for the next event, and says meanwhile what is waited for.
    pub(crate) async fn next(
        &mut self,
        watch: &mut Watch,
        reason: &str,
    ) -> Outcome<Option<control::Envelope>> {
        if reason != self.said {
            self.show(reason);
        }
        self.until(reason, watch.next()).await
    }

    /// Waits for the next event of a devnet that must not end meanwhile.
    pub(crate) async fn go_on(&mut self, watch: &mut Watch, reason: &str) -> Outcome {
        if self.next(watch, reason).await?.is_none() {
            let message = "the devnet went down meanwhile";
            return Err(Failure::new(FailureCode::NoSuchDevnet, message).into());
        }
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Whether a reason is told, which may be the one that was told last, so long ago.
fn is_due(style: Style, is_same: bool, ago: Duration) -> bool {
    match style {
        Style::Line => true,
        Style::EachLine => !is_same,
        Style::Lines => ago >= if is_same { REPEAT } else { PAUSE },
        Style::Silent => false,
    }
}

fn line(elapsed: Duration, limit: Duration, reason: &str) -> String {
    let limit = humantime::format_duration(limit);
    format!("{} s of {limit}: {reason}", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_told_of_long_waits_only_and_not_of_each_moment() {
        let is_due = |is_same, ms| is_due(Style::Lines, is_same, Duration::from_millis(ms));
        assert!(!is_due(false, 999) && is_due(false, 1000), "a new reason");
        assert!(!is_due(true, 9999) && is_due(true, 10_000), "the same");
    }

    #[test]
    fn a_wait_says_how_long_it_has_lasted_and_may_last() {
        let line = line(Duration::from_millis(3700), Duration::from_secs(90), "x is starting");
        assert_eq!(line, "3 s of 1m 30s: x is starting");
    }
}
