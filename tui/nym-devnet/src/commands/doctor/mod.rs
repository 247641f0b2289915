//! `doctor`: whether this machine can run a devnet, and how to mend what is in the way.
//!
//! Each check is a line: what was looked at, what was found, and what to do about it. A check that fails
//! means that `up` cannot work; a warning, that something will be missing or slow. Nothing is changed.

mod leftovers;
mod machine;
mod places;
mod ports;
mod screen;

use control::{Failure, FailureCode};
use serde::Serialize;

use crate::context::Context;
use crate::output::{Output, Tone};
use crate::stop::Outcome;

/// How a check came out, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warn => Tone::Doubtful,
            Self::Fail => Tone::Bad,
        }
    }
}

/// What was looked at and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    /// What was looked at, a word or two.
    name: &'static str,
    verdict: Verdict,
    /// What was found, without a full stop.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), mend: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, found: found.into(), mend: Some(mend.into()) }
    }
}

#[derive(Serialize)]
struct Report {
    checks: Vec<Check>,
}

pub(crate) fn run(context: &Context) -> Outcome {
    let mut checks = places::checks(context);
    checks.extend(ports::checks());
    checks.extend(machine::checks());
    checks.extend(screen::checks());
    checks.extend(leftovers::checks(context));
    let failed = failure(&checks);
    let report = Report { checks };
    context.output.result_with("doctor", None, &report, failed, |output| {
        let lines = report.checks.iter().map(|check| line(output, check));
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn line(output: Output, check: &Check) -> String {
    let verdict = output.toned(check.verdict.tone(), &format!("{:<4}", check.verdict.word()));
    let line = format!("{verdict}  {:<9}  {}", check.name, check.found);
    match &check.mend {
        Some(mend) => format!("{line}\n{:>19}{mend}", "→ "),
        None => line,
    }
}

/// The exit code speaks of what fails only: a warning is no reason to stop a script.
fn failure(checks: &[Check]) -> Option<Failure> {
    let mut failed = checks.iter().filter(|check| check.verdict == Verdict::Fail);
    let first = failed.next()?;
    let message = match failed.count() {
        0 => format!("{}: {}", first.name, first.found),
        more => format!("{}: {}; and {more} more", first.name, first.found),
    };
    let failure = Failure::new(FailureCode::Environment, message);
    Some(match &first.mend {
        Some(mend) => failure.hint(mend),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fails_is_a_failure() {
        let fine = Check::ok("cores", "two");
        let slow = Check::warn("disk", "slow", "wait");
        assert_eq!(failure(&[fine.clone(), slow.clone()]), None);
        let bad = Check::fail("folder", "cannot be written", "another");
        let failed = failure(&[fine, slow, bad.clone(), bad]).expect("it fails");
        assert_eq!(failed.code.exit_code(), 8);
        assert_eq!(failed.message, "folder: cannot be written; and 1 more");
        assert_eq!(failed.hint.as_deref(), Some("another"));
    }
}
