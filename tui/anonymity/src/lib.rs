//! What an observer of a mix network's links can infer, and what theory expects of it.
//!
//! An [`Observer`] is told of packets on links: when, from whom, to whom, how many bytes. From that, and
//! from the topology that everybody knows, it follows packets forward (where may this one be?) and back
//! (who may have sent it?), and keeps figures of how well the network hides its senders. [`Suspects`]
//! and [`SendingTest`] draw conclusions over time. [`theory`] says what to expect, [`simulate`] what
//! happens in a network that is not there. [`Trust`], [`HopGauge`] and [`Calibration`] say whether to
//! believe any of it.
//!
//! Nothing here does I/O or reads a clock, and no other crate of the workspace can be reached from here:
//! what is inferred cannot have been known. An event that names its packet does not fit through
//! [`LinkEvent`]:
//!
//! ```compile_fail
//! let t = std::time::Duration::ZERO;
//! let (src, dst) = (anonymity::NodeId(1), anonymity::NodeId(2));
//! anonymity::LinkEvent { t, src, dst, bytes: 2413, packet: 7 };
//! ```
//!
//! What an observer would make of twenty clients at the classic rates, two mixnodes in each of three
//! layers, and what theory says:
//!
//! ```
//! use anonymity::simulate::{Setup, simulate};
//! use anonymity::theory::entropy::Shape;
//!
//! let outcome = simulate(&Setup::classic(20, 2, 3), 1, 10, 60);
//! let measured = outcome.sender_bits.mean().expect("packets came out");
//! let network = Shape { rate: 60.0, acknowledgements: 0.0, delay: 0.2, layers: 3, width: 2 };
//! let expected = network.sender_entropy(&[3.0; 20]);
//! assert!(expected.is_reliable && (measured - expected.bits).abs() < 0.1);
//! assert!(measured < 20.0_f64.log2());
//! ```
//!
//! # What the figures assume
//!
//! Mixnodes of a layer are chosen equally often, delays are exponential, packets have one size, and no
//! packet is missed. Entropy is no guarantee even so: it is of a packet by itself, and who writes often
//! gives more away with each packet (see [`Suspects`] and [`theory::attacks`]).

mod adversary;
mod calibration;
mod event;
mod figures;
mod gauge;
mod masses;
mod numbers;
mod observer;
mod order;
mod pool;
mod posterior;
mod sending;
mod series;
pub mod simulate;
mod suspects;
mod targets;
#[cfg(test)]
mod test_help;
pub mod theory;
mod trust;

pub use self::adversary::Adversary;
pub use self::calibration::{Calibrated, Calibration, Truth};
pub use self::event::{Filed, LinkEvent, MAX_NODES, NodeId, Observation, Passage, Role, Sighting};
pub use self::figures::Figures;
pub use self::gauge::{Fit, HopGauge};
pub use self::masses::MAX_TARGETS;
pub use self::observer::{Finding, MAX_SOURCES, MAX_STAY, Observer, Settings};
pub use self::order::MAX_WAITING;
pub use self::pool::{Pool, PoolFigures};
pub use self::posterior::{Anonymity, Posterior};
pub use self::sending::{DECIDED, SendingTest, Sends};
pub use self::series::{LONG, SHORT, STEP, Series, Step};
pub use self::suspects::{SHARES, Suspect, Suspects};
pub use self::targets::{MAX_AGE, MAX_WATCHED, SETTLED, Target, TargetId};
pub use self::trust::{Doubt, Trust};
