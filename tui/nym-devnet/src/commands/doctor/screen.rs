//! The terminal, if there is one: size, colours, letters, mouse.

use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;

use super::Check;

/// Everything is shown from this size on.
const WHOLE: (u16, u16) = (80, 24);

/// Lists are shown from this size on.
const LISTS: (u16, u16) = (60, 15);

pub(super) fn checks() -> Vec<Check> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let found = "none: `up` prints a line for each change, as with --headless";
        return vec![Check::ok("terminal", found)];
    }
    let look = |name: &str| std::env::var(name).ok();
    let is_utf8 = dashboard::locale_is_utf8(look);
    vec![
        size(tcgetwinsize(io::stdout()).ok().map(|size| (size.ws_col, size.ws_row))),
        kind(look, is_utf8),
    ]
}

fn size(size: Option<(u16, u16)>) -> Check {
    let Some((columns, rows)) = size.filter(|size| *size != (0, 0)) else {
        return Check::warn(
            "terminal",
            "it does not say how large it is",
            "`stty size` should tell",
        );
    };
    let found = format!("{columns}×{rows}");
    let fits = |(wide, high): (u16, u16)| columns >= wide && rows >= high;
    if fits(WHOLE) {
        return Check::ok("terminal", found);
    }
    let (wide, high) = WHOLE;
    let mend = format!("make it {wide}×{high}");
    if fits(LISTS) {
        return Check::warn("terminal", found + ": lists in place of pictures", mend);
    }
    Check::warn("terminal", found + ": too small for the dashboard", mend)
}

fn kind(look: impl Fn(&str) -> Option<String>, is_utf8: bool) -> Check {
    let kind = look("TERM").unwrap_or_default();
    if kind.is_empty() || kind == "dumb" {
        let mend = "set TERM, or use `up --headless`";
        return Check::warn("look", format!("TERM is `{kind}`: it draws nothing"), mend);
    }
    let colours = if look("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        "no colours, as NO_COLOR asks"
    } else {
        "16 colours"
    };
    let mouse = if kind == "linux" { "no mouse" } else { "mouse" };
    let found = format!("{kind}: {colours}, {mouse}");
    if !is_utf8 {
        let mend = "set LANG to a UTF-8 locale to see lines and arrows";
        return Check::warn("look", found + ", ASCII only", mend);
    }
    Check::ok("look", found + ", UTF-8")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_small_or_dumb_terminal_is_told_what_it_lacks() {
        for (given, verdict) in [
            (Some((80, 24)), Verdict::Ok),
            (Some((79, 24)), Verdict::Warn),
            (Some((40, 12)), Verdict::Warn),
            (Some((0, 0)), Verdict::Warn),
            (None, Verdict::Warn),
        ] {
            assert_eq!(size(given).verdict, verdict, "{given:?}");
        }
        let of = |term: &'static str| move |name: &str| (name == "TERM").then(|| term.into());
        assert_eq!(kind(of("dumb"), true).verdict, Verdict::Warn);
        assert_eq!(kind(of("xterm"), false).verdict, Verdict::Warn);
        let fine = kind(of("xterm"), true);
        assert_eq!(
            (fine.verdict, fine.found.as_str()),
            (Verdict::Ok, "xterm: 16 colours, mouse, UTF-8")
        );
    }
}
