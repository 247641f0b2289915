//! Memory and processor time of processes, and when a process started.

use control::ProcessUsage;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Reads what processes use. Keeps the last reading, because a share of the processor is a
/// difference.
#[derive(Debug, Default)]
pub(crate) struct UsageReader(System);

impl UsageReader {
    /// What these processes use, given as index and process id.
    pub(crate) fn read(&mut self, processes: &[(usize, u32)]) -> Vec<(usize, ProcessUsage)> {
        let pids: Vec<Pid> = processes.iter().map(|&(_, pid)| Pid::from_u32(pid)).collect();
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
        self.0.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, what);
        let usage = |&(index, pid)| {
            let process = self.0.process(Pid::from_u32(pid))?;
            let usage =
                ProcessUsage { memory_bytes: process.memory(), cpu_percent: process.cpu_usage() };
            Some((index, usage))
        };
        processes.iter().filter_map(usage).collect()
    }
}

/// When a process started, in seconds since 1970; none if there is no such process.
pub fn process_started(pid: u32) -> Option<u64> {
    let mut system = System::new();
    let pid = Pid::from_u32(pid);
    let what = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    system.process(pid).map(sysinfo::Process::start_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_has_started() {
        let own = std::process::id();
        let usage = UsageReader::default().read(&[(3, own)]);
        assert_eq!(usage[0].0, 3);
        assert!(usage[0].1.memory_bytes > 100_000, "{usage:?}");
        let started = process_started(own).expect("it runs");
        assert!(started > 1_600_000_000, "{started}");
        // Process ids go to 4194304 at most.
        assert_eq!(process_started(u32::MAX / 2), None);
    }
}
