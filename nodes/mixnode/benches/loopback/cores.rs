//! Which core does what.

use std::thread::available_parallelism;

/// How many this thread may use.
pub(crate) fn count() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The core of the node, if there is one to itself.
pub(crate) struct Cores {
    pub(crate) count: usize,
    pub(crate) of_node: Option<usize>,
}

impl Cores {
    /// The last core for the node; this program, and the threads that it starts, on the others.
    pub(crate) fn choose(pin: bool) -> Self {
        let count = count();
        if !pin || count < 2 || !use_only(&(0..count - 1).collect::<Vec<_>>()) {
            return Self { count, of_node: None };
        }
        Self { count, of_node: Some(count - 1) }
    }
}

/// Lets this thread run on these cores only. Says whether the system can.
#[cfg(target_os = "linux")]
pub(crate) fn use_only(cores: &[usize]) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core);
    }
    sched_setaffinity(None, &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn use_only(_: &[usize]) -> bool {
    false
}
