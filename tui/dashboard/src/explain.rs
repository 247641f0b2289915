//! What everything on the screen means in a mixnet: one table, keyed by what can be asked about.

mod drops;

pub(crate) use drops::DropReason;
