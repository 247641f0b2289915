//! The event stream of a devnet as an observer of its links would have it.
//!
//! The stream tells everything: a [`Vantage`] takes it apart. What is public (which nodes there are) and
//! what is on the links goes to an [`anonymity::Observer`]. What only the devnet knows (whose packet it
//! was, how long packets really waited) goes to [`Truth`], from which nothing leads back to the observer.
//! Numbers become names again in a [`Report`], which the dashboard, the command line and lessons share.
//!
//! No I/O and no clock: time is that of the events, so that a recording is observed like a running devnet.

mod change;
mod doubt;
mod expected;
mod guess;
mod inside;
mod latest;
mod limits;
mod names;
mod odds;
mod public;
mod report;
mod sending;
mod ticker;
mod truth;
mod vantage;
mod who;

pub use anonymity::theory::delay::Erlang;
pub use change::Changed;
pub use expected::{Expectation, Settings};
pub use guess::{Guess, MEMORY, Ranked};
pub use inside::Inside;
pub use latest::Latest;
pub use limits::Limit;
pub use odds::odds_in_words;
pub use report::{Bits, Counted, PoolReport, Report};
pub use sending::{Decided, Sending};
pub use ticker::{MAX_TICKS, Tick};
pub use truth::{MAX_REVEALED, Revealed, Truth};
pub use vantage::{Vantage, WINDOW};
pub use who::{Who, WhoError};
