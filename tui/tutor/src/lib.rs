//! What lessons need outside of themselves, for every front end: actions carried out through the control
//! API, and the file that remembers how far somebody has come.

mod perform;
mod store;

pub use perform::perform;
pub use store::{Hold, Kept, Learnt, Store};
