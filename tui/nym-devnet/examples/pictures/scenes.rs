//! The networks of which pictures are taken, and what is done on them before each.

use std::time::Duration;

/// A network to take pictures of.
pub(crate) struct Scene {
    pub(crate) options: &'static str,
    /// What the header says when all of it is ready.
    pub(crate) ready: &'static str,
    /// Messages that are sent first: from, to, text.
    pub(crate) messages: &'static [[&'static str; 3]],
    /// Messages that are sent all the time: from, to, text, how many at most, how many a second.
    pub(crate) talk: Option<[&'static str; 5]>,
    /// How long traffic flows before the first picture.
    pub(crate) traffic: Duration,
    pub(crate) pictures: &'static [Picture],
}

/// A picture to take.
pub(crate) struct Picture {
    pub(crate) name: &'static str,
    pub(crate) rows: u16,
    pub(crate) cols: u16,
    /// Commands of the program before it.
    pub(crate) commands: &'static [&'static str],
    /// Keys, and the text that tells that they have worked.
    pub(crate) keys: &'static [(&'static str, &'static str)],
    /// How long the screen is shown before its picture.
    pub(crate) shown: Duration,
}

/// How long traffic flows before the first picture, so that rates and curves show something.
const TRAFFIC: Duration = Duration::from_secs(75);

/// So long figures are averaged, twice: after that nothing of the start is in them.
const SETTLED: Duration = Duration::from_secs(120);

/// How long a screen is shown before its picture: rates and packets on the links come with time.
const SHOWN: Duration = Duration::from_secs(3);

/// How long a network runs on after a command before its picture: what it changed can then be seen in
/// everything that is averaged over time.
const CHANGED: Duration = Duration::from_secs(30);

pub(crate) const NORMAL: (u16, u16) = (120, 40);
const SMALL: (u16, u16) = (80, 24);

/// In which all of twenty suspects have a row.
const TALL: (u16, u16) = (80, 36);

/// In which a problem has its reason beside it.
const WIDE: (u16, u16) = (100, 24);

const fn picture(
    name: &'static str,
    (cols, rows): (u16, u16),
    keys: &'static [(&'static str, &'static str)],
) -> Picture {
    Picture { name, rows, cols, commands: &[], keys, shown: SHOWN }
}

const QUIET: Scene = Scene {
    options: "",
    ready: "11 of 11 ready",
    messages: &[],
    talk: None,
    traffic: TRAFFIC,
    pictures: &[],
};

/// Twenty clients on 2×3, whose pools are full enough to hide in.
const TWENTY: &str = "--width 2 --layers 3 --crowd 18 --acks off --profile classic";

pub(crate) const SCENES: [Scene; 6] = [
    Scene {
        options: "--width 2 --layers 3",
        messages: &[
            ["alice", "bob", "hello bob"],
            ["bob", "alice", "hello alice! who else reads this?"],
            ["alice", "bob", "nobody: each hop knows only the next one 🙂"],
        ],
        pictures: &[
            picture("network", NORMAL, &[("1", "LAYER 1"), ("ll", "LAYER 1")]),
            picture("card", NORMAL, &[("1", "LAYER 1"), ("\r", "key")]),
            picture("nodes", NORMAL, &[("\u{1b}", "LAYER 1"), ("2", "RESTARTS")]),
            picture("traffic", NORMAL, &[("3", "Traffic")]),
            picture("messages", NORMAL, &[("4", "alice")]),
            picture("journey", NORMAL, &[("J", "Journey of")]),
            picture("journey-80x24", SMALL, &[("J", "Journey of")]),
            picture("presence", NORMAL, &[("\u{1b}", "m message"), ("5", "mix-1-1")]),
            picture("logs", NORMAL, &[("6", "supervisor")]),
            picture("explain", NORMAL, &[("3", "Traffic"), ("i", "Traffic")]),
            picture(
                "palette",
                NORMAL,
                &[("\u{1b}", "w window"), ("1", "LAYER 1"), (":", "Palette")],
            ),
            picture("network-80x24", SMALL, &[("\u{1b}", "LAYER 1")]),
            Picture {
                commands: &["pause mix-2-2"],
                shown: CHANGED,
                ..picture("problems", NORMAL, &[("7", "mix-2-2")])
            },
            Picture {
                commands: &["resume mix-2-2"],
                shown: CHANGED,
                ..picture("tour", SMALL, &[("1", "LAYER 1"), ("T", "Tour 1"), ("T", "press m")])
            },
        ],
        ..QUIET
    },
    Scene {
        options: "--width 33 --layers 3 --clients 8 --crowd 100",
        ready: "110 of 110 ready",
        pictures: &[picture("network-33x3", NORMAL, &[("1", "LAYER 1")])],
        ..QUIET
    },
    // Of the guide. Nobody to hide among.
    Scene {
        options: "lonely --profile classic",
        ready: "6 of 6 ready",
        pictures: &[picture("lonely", SMALL, &[("8", "Knobs")])],
        ..QUIET
    },
    // What twenty have in their pools, and a tenth of the delay.
    Scene {
        options: TWENTY,
        traffic: SETTLED,
        pictures: &[
            picture("twenty", SMALL, &[("8", "Knobs")]),
            picture("anonymity", NORMAL, &[("8", "Knobs")]),
            Picture {
                commands: &["set hop=20ms"],
                // What is averaged over a minute has nothing of before.
                shown: TRAFFIC,
                ..picture("twenty-20ms", SMALL, &[("8", "Knobs")])
            },
        ],
        ..QUIET
    },
    // Alice writes to bob once a second, and somebody watches. Whom he looks for is chosen anew before
    // each picture: what he had found out before is forgotten.
    Scene {
        options: TWENTY,
        talk: Some(["alice", "bob", "number {n}", "600", "1"]),
        traffic: SHOWN,
        pictures: &[
            Picture {
                shown: CHANGED,
                ..picture("chat-200ms", TALL, &[("a", "Who writes to bob?")])
            },
            Picture {
                commands: &["set hop=20ms"],
                shown: CHANGED,
                ..picture(
                    "chat-20ms",
                    TALL,
                    &[("k", "Who writes to alice?"), ("j", "Who writes to bob?")],
                )
            },
            Picture {
                commands: &["set hop=200ms"],
                shown: CHANGED,
                ..picture(
                    "chat-200ms-again",
                    TALL,
                    &[("k", "Who writes to alice?"), ("j", "Who writes to bob?")],
                )
            },
            picture("adversary", NORMAL, &[("v", "The truth")]),
        ],
        ..QUIET
    },
    // Somebody acts.
    Scene {
        options: TWENTY,
        pictures: &[
            Picture {
                commands: &["attack flip mix-1-1 mix-2-1 --part header"],
                ..picture(
                    "attacks",
                    SMALL,
                    &[
                        ("8", "Knobs"),
                        ("a", "Who writes to bob?"),
                        ("x", "MAC"),
                        ("\r", "copy: replay"),
                    ],
                )
            },
            Picture {
                commands: &[
                    "attack replay alice mix-1-1 --times 3",
                    "attack flip mix-1-1 mix-2-1 --part header",
                    "attack flip mix-1-1 mix-2-1 --part header",
                ],
                ..picture("attacks-dropped", WIDE, &[("\u{1b}", "you are"), ("7", "replay")])
            },
        ],
        ..QUIET
    },
];
