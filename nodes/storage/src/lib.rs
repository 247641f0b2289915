//! What the SQLite files of a provider and of a client have in common: how one is opened, locked,
//! recognised, put aside when it is damaged, and kept usable on a full disk; and the threads that
//! write and read it.
//!
//! Beside a file are SQLite's log (`-wal`, `-shm`), which belongs to it, a lock (`.lock`), and a
//! reserve (`.reserve`): room that is given up when the disk is full. A `.suspect` means that damage
//! has shown: the next start looks for it.
//!
//! Write-ahead logging with synchronous `NORMAL`: what is committed survives a killed process, not a
//! power cut.

mod database;
mod error;
mod file;
mod format;
#[cfg(test)]
mod testing;
mod threads;

pub use database::{Database, Memory, Opened, PutAside, Transaction};
pub use error::{DatabaseError, Failure};
pub use format::{Format, Older};
pub use threads::Threads;
