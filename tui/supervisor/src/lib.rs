//! The supervisor of a devnet: spawns its processes, watches and restarts them, and tells whoever
//! asks.
//!
//! [`Process`] is the life of one process as a pure state machine. [`supervise`] is the process that
//! drives one of them for every node, keeps the state, and answers the interface described in
//! `control`. [`Supervisor`] starts such a process from a front end; [`StateDir`] finds the running
//! ones. Nothing here draws anything.

mod api;
mod arguments;
mod ask;
mod attacks;
mod child;
mod clock;
mod devnet;
mod exit;
mod folder;
mod hub;
mod journeys;
mod launch;
mod leftover;
mod lines;
mod log;
mod log_file;
mod log_writer;
#[cfg(feature = "measure")]
pub mod measure;
mod messages;
mod names;
mod presence;
mod process;
mod rates;
mod record;
mod restart;
mod rings;
mod spec;
mod store;
mod supervise;
#[cfg(test)]
mod testing;
mod usage;
mod waits;

pub use exit::Exit;
pub use folder::{Claim, Folder, FolderError, StateDir, Watch};
pub use launch::Supervisor;
pub use leftover::Contents;
pub use lines::{Line, Splitter};
pub use names::no_such_node;
pub use presence::Presence;
pub use process::{Action, Input, LEAVE_GRACE, Process, STOP_GRACE};
pub use rates::RateWindow;
pub use restart::{CRASH_WINDOW, FIRST_BACK_OFF, LONGEST_BACK_OFF, MAX_CRASHES};
pub use spec::{Lifeline, Record, Spec, Started};
pub use supervise::{files_needed, supervise};
pub use usage::process_started;
