//! What the machine has: limits, cores, memory, clocks.

use std::num::NonZero;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_getres, clock_gettime};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::Check;
use crate::output::bytes;

/// What the checks are about: `up --width 2 --layers 3` with its supervisor.
const EXAMPLE: &str = "a 2×3 network";

/// Nodes of it.
const NODES: usize = 11;

/// Processes of it: the supervisor is one more.
const PROCESSES: u64 = NODES as u64 + 1;

/// Memory of it: a little more than was measured, see `docs/benchmarks.md`.
const MEMORY_BYTES: u64 = 40_000_000;

/// Comparisons of the clock with itself. A broken one goes back within microseconds.
const READINGS: u32 = 10_000;

/// A packet's delay is counted in milliseconds.
const COARSEST_CLOCK: Duration = Duration::from_millis(1);

pub(super) fn checks() -> Vec<Check> {
    vec![files(), processes(), cores(), memory(), clock()]
}

fn files() -> Check {
    let limit = getrlimit(Resource::Nofile);
    let Some(most) = limit.maximum else { return Check::ok("files", "no limit of open files") };
    let now = limit.current.map_or_else(|| "no".into(), |current| current.to_string());
    let needed = supervisor::files_needed(NODES);
    let found = format!("{most} open files at most, {now} now; {EXAMPLE} needs {needed}");
    if most < needed {
        return Check::fail("files", found, "raise the hard limit, `ulimit -Hn`");
    }
    Check::ok("files", found + ", and raises that itself")
}

fn processes() -> Check {
    match getrlimit(Resource::Nproc).current {
        Some(limit) if limit < PROCESSES => {
            let found = format!("{limit} processes at most; {EXAMPLE} has {PROCESSES}");
            Check::fail("processes", found, "raise the limit, `ulimit -u`")
        }
        // The limit is for all of a user's processes and threads, and a node has a few threads.
        Some(limit) if limit < 20 * PROCESSES => {
            let found = format!("{limit} processes and threads at most, of all programs together");
            Check::warn(
                "processes",
                found,
                "raise the limit, `ulimit -u`, if a node cannot be started",
            )
        }
        Some(limit) => {
            Check::ok("processes", format!("{limit} at most; {EXAMPLE} has {PROCESSES}"))
        }
        None => Check::ok("processes", "no limit"),
    }
}

fn cores() -> Check {
    match std::thread::available_parallelism().map(NonZero::get) {
        Ok(1) => {
            let mend = "packets wait for each other; fewer nodes or slower rates help";
            Check::warn("cores", "one", mend)
        }
        Ok(cores) => Check::ok("cores", cores.to_string()),
        Err(error) => Check::warn("cores", error.to_string(), "two or more are good"),
    }
}

fn memory() -> Check {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what);
    // A container has less than its machine.
    let group = system.cgroup_limits();
    let free = group.map_or(system.available_memory(), |group| {
        group.free_memory.min(system.available_memory())
    });
    let total = system.total_memory();
    let found = format!(
        "{} of {} free; {EXAMPLE} needs {}",
        bytes(free),
        bytes(total),
        bytes(MEMORY_BYTES)
    );
    if total > 0 && free < MEMORY_BYTES {
        return Check::warn("memory", found, "end other programs, or start fewer nodes");
    }
    Check::ok("memory", found)
}

fn clock() -> Check {
    const MEND: &str = "the machine's time source is broken; delays would be wrong";
    let now = || clock_gettime(ClockId::Monotonic);
    let mut last = now();
    for _ in 0..READINGS {
        let next = now();
        if (next.tv_sec, next.tv_nsec) < (last.tv_sec, last.tv_nsec) {
            return Check::fail("clock", "the monotonic clock goes back", MEND);
        }
        last = next;
    }
    let step = Duration::try_from(clock_getres(ClockId::Monotonic)).unwrap_or(Duration::MAX);
    if step > COARSEST_CLOCK {
        return Check::warn("clock", format!("it has steps of {step:?}"), MEND);
    }
    // The first release was in 2026: what lies before was not set.
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    if wall < Duration::from_secs(1_767_225_600) {
        let found = "the wall clock stands before 2026";
        return Check::warn("clock", found, "set it; times of day in logs and inboxes are wrong");
    }
    Check::ok("clock", format!("monotonic, in steps of {step:?}"))
}

#[cfg(test)]
mod tests {
    use layouts::{Layout, Plan, Ports};

    use super::*;

    #[test]
    fn the_example_has_as_many_nodes_as_is_said() {
        let layout = Layout { widths: vec![2; 3], ..Layout::default() };
        let plan = Plan::new(layout, Ports::Auto).expect("a network");
        assert_eq!(plan.nodes.len(), NODES);
    }
}
