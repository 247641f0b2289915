//! The commands, one file each.

pub(crate) mod act;
pub(crate) mod attach;
pub(crate) mod down;
pub(crate) mod inbox;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod ps;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod topology;
pub(crate) mod up;
pub(crate) mod wait;
