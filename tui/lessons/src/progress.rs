//! What is remembered of lessons: which are done, and which devnets have to become again what they were.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::network::Before;
use crate::play::End;

/// Version of what is in the file. Another one is not read.
const VERSION: u32 = 1;

/// The longest file that is read, in bytes: several times what a dozen lessons and devnets take.
pub const MAX_PROGRESS_BYTES: u64 = 256 * 1024;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Progress {
    version: u32,
    /// By the names of lessons.
    #[serde(default)]
    lessons: BTreeMap<String, Standing>,
    /// Devnets that a lesson changed and has not changed back, by name.
    #[serde(default)]
    left: BTreeMap<String, Left>,
}

/// How far somebody has come with a lesson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Standing {
    /// How often it was begun.
    pub begun: u32,
    /// How often it was done to its end.
    pub finished: u32,
    /// Right answers, at best.
    pub right: u32,
    /// Of so many.
    pub asked: u32,
}

/// A devnet in the middle of a lesson.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Left {
    /// The lesson.
    pub lesson: String,
    /// What the devnet was before.
    pub before: Before,
}

impl Default for Progress {
    fn default() -> Self {
        Self { version: VERSION, lessons: BTreeMap::new(), left: BTreeMap::new() }
    }
}

impl Progress {
    /// Reads what [`text`](Self::text) wrote.
    pub fn read(text: &str) -> Result<Self, String> {
        let progress: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if progress.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", progress.version));
        }
        Ok(progress)
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("names and numbers")
    }

    /// How far somebody has come with a lesson.
    pub fn of(&self, lesson: &str) -> Standing {
        self.lessons.get(lesson).copied().unwrap_or_default()
    }

    /// A lesson has begun on a devnet.
    pub fn begin(&mut self, lesson: &str, devnet: &str, before: Before) {
        self.lessons.entry(lesson.into()).or_default().begun += 1;
        self.left.insert(devnet.into(), Left { lesson: lesson.into(), before });
    }

    /// It is over, and the devnet again what it was.
    pub fn end(&mut self, lesson: &str, devnet: &str, end: &End) {
        self.left.remove(devnet);
        if let End::Finished { right, asked } = *end {
            let standing = self.lessons.entry(lesson.into()).or_default();
            standing.finished += 1;
            standing.asked = asked;
            standing.right = standing.right.max(right).min(asked);
        }
    }

    /// What a devnet was before a lesson that did not end.
    pub fn left(&self, devnet: &str) -> Option<&Left> {
        self.left.get(devnet)
    }
}
