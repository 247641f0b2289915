//! What an observer of a mix network's links can infer.
mod numbers;
pub mod theory;
#[cfg(test)]
mod test_help;
