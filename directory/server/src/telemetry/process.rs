//! What this process uses, under the names that Prometheus' own libraries have for it.

use prometheus::proto::MetricFamily;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::family::{Family, Kind, number};

/// Nothing where the system does not tell.
pub(super) fn families() -> Vec<MetricFamily> {
    let version = Family {
        kind: Kind::Gauge,
        name: "nym_directory_build_info",
        help: "Always 1; the label says which version runs.",
        labels: ["version"],
    };
    let version = version.of([([env!("CARGO_PKG_VERSION")], 1.0)]);
    let own = Pid::from_u32(std::process::id());
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, what);
    let Some(process) = system.process(own) else { return vec![version] };
    let unlabelled = |kind, name, help, value: Option<f64>| {
        Family { kind, name, help, labels: [] }.of(value.map(|value| ([], value)))
    };
    let files = |count: Option<usize>| count.map(|count| number(count as u64));
    vec![
        version,
        unlabelled(
            Kind::Counter,
            "process_cpu_seconds_total",
            "Processor time of user and system, in seconds.",
            Some(number(process.accumulated_cpu_time()) / 1000.0),
        ),
        unlabelled(
            Kind::Gauge,
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
            Some(number(process.start_time())),
        ),
        unlabelled(
            Kind::Gauge,
            "process_resident_memory_bytes",
            "Memory that is in use, in bytes.",
            Some(number(process.memory())),
        ),
        unlabelled(
            Kind::Gauge,
            "process_virtual_memory_bytes",
            "Address space that is in use, in bytes.",
            Some(number(process.virtual_memory())),
        ),
        unlabelled(
            Kind::Gauge,
            "process_open_fds",
            "Files and sockets that are open.",
            files(process.open_files()),
        ),
        unlabelled(
            Kind::Gauge,
            "process_max_fds",
            "Files and sockets that may be open.",
            files(process.open_files_limit()),
        ),
    ]
}
