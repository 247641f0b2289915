//! What a lesson lets a learner do, and does itself where nobody does it: as a command, and as data.

use std::fmt;
use std::time::Duration;

use contract::parse_duration;
use control::{AttackPlan, NodeAction, SetRequest, shell_text};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time as lessons write it: `"200ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// So many times shorter.
    #[must_use]
    pub fn faster(self, times: u32) -> Self {
        Self(self.0 / times.max(1))
    }

    /// The same in milliseconds.
    pub fn ms(self) -> f64 {
        self.0.as_secs_f64() * 1000.0
    }

    /// From milliseconds; nothing from what is none.
    pub fn of_ms(ms: f64) -> Self {
        Self(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default())
    }
}

/// As options take it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0.as_micros();
        if us.is_multiple_of(1_000_000) {
            write!(f, "{}s", us / 1_000_000)
        } else if us.is_multiple_of(1000) {
            write!(f, "{}ms", us / 1000)
        } else {
            write!(f, "{us}us")
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_duration(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something done to the devnet. Each is a command of the program.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// `send`.
    Send(Send),
    /// `set`.
    Set(Set),
    /// `start`.
    Start(String),
    /// `stop`.
    Stop(String),
    /// `pause`.
    Pause(String),
    /// `resume`.
    Resume(String),
    /// `kill`.
    Kill(String),
    /// `add mix --layer`.
    AddMix(u8),
    /// `add provider`.
    AddProvider,
    /// `add client`.
    AddClient(String),
    /// `remove`.
    Remove(String),
    /// `attack`.
    Attack(AttackPlan),
}

/// Messages to send.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Send {
    /// Who sends.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What; `{n}` in it becomes the number of the message.
    pub text: String,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// How long after one the next is sent; without it, as soon as the one before was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}

fn one() -> u32 {
    1
}

/// Other parameters. What is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Set {
    /// Mean delay at a mixnode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop: Option<Span>,
    /// Mean interval of send slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Span>,
    /// Mean interval of loop cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Span>,
    /// Whether a slot without a message carries cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_cover: Option<bool>,
    /// Identities of the crowd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<u16>,
}

impl Set {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As the command takes it.
    fn command(&self) -> String {
        let text = |value: Option<Span>| value.map(|value| value.to_string());
        let covers = self.slot_cover.map(|covers| if covers { "on" } else { "off" }.to_owned());
        let crowd = self.crowd.map(|crowd| crowd.to_string());
        let values = [
            ("hop", text(self.hop)),
            ("slot", text(self.slot)),
            ("cover", text(self.cover)),
            ("slot-cover", covers),
            ("crowd", crowd),
        ];
        let mut words = String::from("set");
        for (name, value) in values {
            if let Some(value) = value {
                words.extend([" ", name, "=", &value]);
            }
        }
        words
    }

    /// What a supervisor is asked.
    pub fn request(&self) -> SetRequest {
        SetRequest {
            hop_delay_ms: self.hop.map(Span::ms),
            slot_ms: self.slot.map(Span::ms),
            loop_cover_ms: self.cover.map(Span::ms),
            slot_cover: self.slot_cover,
            crowd: self.crowd,
        }
    }
}

impl Action {
    /// The same in a network that is so many times faster: all times are shorter, all numbers stay.
    #[must_use]
    pub fn faster(&self, times: u32) -> Self {
        let span = |span: Option<Span>| span.map(|span| span.faster(times));
        match self {
            Self::Send(send) => Self::Send(Send { every: span(send.every), ..send.clone() }),
            Self::Set(set) => Self::Set(Set {
                hop: span(set.hop),
                slot: span(set.slot),
                cover: span(set.cover),
                ..*set
            }),
            other => other.clone(),
        }
    }

    /// Whether the network is another one afterwards. What is sent only passes through it, and an attack
    /// ends by itself.
    pub fn changes_network(&self) -> bool {
        !matches!(self, Self::Send(_) | Self::Attack(_))
    }

    /// What is asked of a process, if that is all.
    pub fn of_node(&self) -> Option<(&str, NodeAction)> {
        Some(match self {
            Self::Start(node) => (node, NodeAction::Start),
            Self::Stop(node) => (node, NodeAction::Stop),
            Self::Pause(node) => (node, NodeAction::Pause),
            Self::Resume(node) => (node, NodeAction::Resume),
            Self::Kill(node) => (node, NodeAction::Kill),
            _ => return None,
        })
    }

    /// The command that does the same. `devnet` is its name, if it has to be said.
    pub fn command(&self, devnet: Option<&str>) -> String {
        let words = match self {
            Self::Send(Send { from, to, text, count, every }) => {
                let count = if *count > 1 { format!(" --count {count}") } else { String::new() };
                let every = every.filter(|every| !every.0.is_zero());
                let rate = every.map(|every| crate::text::number(every.0.as_secs_f64().recip()));
                let rate = rate.map(|rate| format!(" --rate {rate}")).unwrap_or_default();
                format!("send {from} {to} {}{count}{rate}", shell_text(text))
            }
            Self::Set(set) => set.command(),
            Self::Start(node) => format!("start {node}"),
            Self::Stop(node) => format!("stop {node}"),
            Self::Pause(node) => format!("pause {node}"),
            Self::Resume(node) => format!("resume {node}"),
            Self::Kill(node) => format!("kill {node}"),
            Self::AddMix(layer) => format!("add mix --layer {layer}"),
            Self::AddProvider => "add provider".into(),
            Self::AddClient(name) => format!("add client {name}"),
            Self::Remove(node) => format!("remove {node}"),
            Self::Attack(plan) => plan.command(),
        };
        match devnet {
            Some(name) => format!("nym-devnet --name {} {words}", control::shell_word(name)),
            None => format!("nym-devnet {words}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Action {
        #[derive(Deserialize)]
        struct File {
            action: Action,
        }
        toml::from_str::<File>(text).expect(text).action
    }

    #[test]
    fn an_action_is_a_command() {
        for (text, command) in [
            ("action.stop = 'bob'", "nym-devnet stop bob"),
            ("action = 'add-provider'", "nym-devnet add provider"),
            ("action.add-mix = 2", "nym-devnet add mix --layer 2"),
            ("action.set = { hop = '20ms', crowd = 4 }", "nym-devnet set hop=20ms crowd=4"),
            (
                "action.attack = { attack = 'replay', from = 'mix-1-1', to = 'mix-2-1', times = 4 }",
                "nym-devnet attack replay mix-1-1 mix-2-1 --times 4",
            ),
            (
                "action.send = { from = 'alice', to = 'bob', text = 'hi', count = 5, every = '500ms' }",
                "nym-devnet send alice bob 'hi' --count 5 --rate 2",
            ),
        ] {
            assert_eq!(read(text).command(None), command);
        }
        let named = read("action.kill = 'bob'").command(Some("my net"));
        assert_eq!(named, "nym-devnet --name 'my net' kill bob");
    }

    #[test]
    fn what_is_faster_has_shorter_times_and_the_same_numbers() {
        let set = read("action.set = { hop = '200ms', cover = '1s', crowd = 4 }");
        assert_eq!(
            set.faster(5),
            read("action.set = { hop = '40ms', cover = '200ms', crowd = 4 }")
        );
        assert_eq!(set.faster(0), set);
        let stop = read("action.stop = 'bob'");
        assert_eq!(stop.faster(5), stop);
    }
}
