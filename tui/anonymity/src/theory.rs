//! What theory expects of a network: delays, pools, entropy, corruption, attacks that take their time.
//!
//! Formulas only: nothing here is measured. Rates are in packets per second, `delay` is the mean delay
//! of a hop (θ) in seconds, entropies are in bits. Each formula names its source; what has none was
//! derived, and the derivation stands beside it.

pub mod attacks;
pub mod corruption;
pub mod cover;
pub mod delay;
pub mod entropy;
pub mod pool;

/// Most hops of a route that formulas are evaluated for: three times what a Sphinx header of five hops
/// allows, and enough for the published tables.
pub const MAX_HOPS: u8 = 20;
