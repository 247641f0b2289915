//! Figures that texts name and every network has its own of.

use control::DevnetInfo;
use directory_api::{LATE_AFTER, PRESENCE_INTERVAL, PRESENCE_TIMEOUT};

use crate::state::Devnet;
use crate::text;

/// The figures of a devnet, by the names that texts have for them.
#[derive(Clone, Debug)]
pub(crate) struct Figures(Vec<(&'static str, String)>);

/// What stands in place of a figure while no devnet was heard of.
const UNKNOWN: [(&str, &str); 12] = [
    ("delay", "some time"),
    ("mixing", "some time"),
    ("slot", "so often"),
    ("loop", "so often"),
    ("rate", "some"),
    ("layers", "some"),
    ("clients", "all that were asked for"),
    ("packet", "as many bytes as any other"),
    ("profile", "that was chosen"),
    ("acks", "`up --acks off` starts a devnet without them."),
    ("faithful", "With `up --faithful` it would get through, as in 2020."),
    ("trace", "`up --trace off` starts a devnet without it."),
];

impl Figures {
    /// Those of a devnet.
    pub(crate) fn of(devnet: &Devnet) -> Self {
        let info = &devnet.info;
        let packet = match devnet.packet_bytes {
            Some(bytes) => format!("{bytes} bytes"),
            None => "as many bytes as any other".to_owned(),
        };
        let acks = if info.acks {
            "Here they are on."
        } else {
            "Here they are off: a packet that is lost stays lost."
        };
        let faithful = if info.faithful {
            "This devnet is as trusting as the programs of 2020 were, and lets it through."
        } else {
            "With `up --faithful` it would get through, as in 2020."
        };
        let trace = if info.trace {
            "Here tracing is on."
        } else {
            "Here tracing is off, so there is nothing to show."
        };
        let mut figures = Self::fixed();
        figures.0.extend([
            ("delay", text::millis(info.hop_delay_ms)),
            ("mixing", text::millis(info.hop_delay_ms * f64::from(info.layers))),
            ("slot", text::millis(info.slot_ms)),
            ("loop", text::millis(info.loop_cover_ms)),
            ("rate", rate(info)),
            ("layers", info.layers.to_string()),
            ("clients", (u32::from(info.clients) + u32::from(info.crowd)).to_string()),
            ("packet", packet),
            ("profile", info.profile.clone()),
            ("acks", acks.to_owned()),
            ("faithful", faithful.to_owned()),
            ("trace", trace.to_owned()),
        ]);
        figures
    }

    /// Without a devnet: words in place of what depends on one.
    pub(crate) fn in_words() -> Self {
        let mut figures = Self::fixed();
        figures.0.extend(UNKNOWN.map(|(name, words)| (name, words.to_owned())));
        figures
    }

    /// What no devnet changes.
    fn fixed() -> Self {
        Self(vec![
            ("beat", text::age(PRESENCE_INTERVAL)),
            ("late", format!("{:.2} s", LATE_AFTER.as_secs_f64())),
            ("forgotten", text::age(PRESENCE_TIMEOUT)),
        ])
    }

    /// A text with its figures.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            match self.0.iter().find(|(known, _)| *known == name) {
                Some((_, figure)) => out.push_str(figure),
                None => out.extend(["{", name, "}"]),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

/// How many packets a client sends in a second, on average and without messages that are sent again.
fn rate(info: &DevnetInfo) -> String {
    let per_second = |ms: f64| if ms > 0.0 { 1000.0 / ms } else { 0.0 };
    let rate = per_second(info.slot_ms) + per_second(info.loop_cover_ms);
    if rate < 9.95 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}
