//! Lessons on a running devnet: what each says, asks, lets the learner do, and waits for.
//!
//! A [`Lesson`] is a file of data. [`Facts`] hears the event stream and knows what expressions of lessons
//! name. A [`Play`] goes through a lesson: it is told what happens and answers with what to show and what to
//! do, for the command line and for the dashboard. [`Progress`] is what is remembered of it all.
//!
//! No I/O and no clock: time is told, files are handed in as text, and whoever drives a play does what it
//! asks for.

mod action;
mod builtin;
mod expression;
mod facts;
mod functions;
mod lesson;
mod network;
mod play;
mod progress;
mod read;
mod text;

pub use action::{Action, Send, Set, Span};
pub use builtin::{builtin, find};
pub use expression::{Expression, NoValue, Value};
pub use facts::{FACTS, Fact, Facts, Known, Missing};
pub use functions::{FUNCTIONS, Function};
pub use lesson::{Act, Lesson, Observe, Predict, Sabotage, Step, Tolerance, Watch};
pub use network::{Before, CLIENTS, Needs, Unfit};
pub use play::{Condition, End, Input, Mode, Output, Play, Show};
pub use progress::{Left, MAX_PROGRESS_BYTES, Progress, Standing};
pub use read::{LessonError, MAX_LESSON_BYTES};
pub use text::Text;
