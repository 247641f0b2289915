//! What an observer of a mix network's links can infer.
mod adversary;
mod event;
mod figures;
mod masses;
mod numbers;
mod observer;
mod order;
mod pool;
mod posterior;
mod series;
mod targets;
pub mod theory;
mod trust;
#[cfg(test)]
mod test_help;
pub struct Calibration;
