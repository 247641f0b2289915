//! The bounds of what is kept are those of `docs/client.md`.

use super::*;

const PAGE: &str = include_str!("../../../../docs/client.md");

#[test]
fn bounds_are_what_the_page_says() {
    let Limits { incomplete, silence, untaken, taken, remembered, .. } = Limits::DEFAULT;
    let of = |amount: Amount, unit: u32| {
        format!("{} messages, {}", amount.messages, amount.bytes >> unit)
    };
    assert_eq!(silence, 7 * Duration::from_secs(24 * 3600), "the page says seven days");
    for text in [
        format!("| messages that wait for an application | {} GiB;", of(untaken, 30)),
        format!(
            "| taken messages that are kept, for the dashboard and `inbox` | {} MiB |",
            of(taken, 20)
        ),
        format!(
            "| messages of which packets are missing | {} MiB, and seven days",
            of(incomplete, 20)
        ),
        format!("| messages that are remembered so that they do not arrive twice | {remembered} |"),
    ] {
        assert!(PAGE.contains(&text), "no `{text}`");
    }
}
