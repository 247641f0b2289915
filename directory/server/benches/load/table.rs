//! The figures for people.

use crate::figures::{Figures, Latency, Loaded, number};
use crate::idle::Idle;

/// What the figures mean.
pub(crate) fn preface() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cores} cores, which the servers share with the load. What does not depend on that is the \
         server's processor\ntime per request (CPU: the median, least and most of the turns). Closed \
         loop: a connection asks again when it is\nanswered, so a stall hides the requests that would \
         have come meanwhile (coordinated omission). Where load comes\nnear 100 %, the rate is that of \
         the load itself."
    );
}

/// A scenario under load.
pub(crate) fn loaded(loaded: &Loaded) {
    let scenario = loaded.scenario;
    println!(
        "\n{scenario}\n  {:<16}{:>9}{:>8}{:>14}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}",
        "",
        "req/s",
        "CPU µs",
        "least-most",
        "× ours",
        "p50 µs",
        "p99 µs",
        "max ms",
        "Pss MB",
        "peak MB",
        "load %",
    );
    for figures in &loaded.servers {
        row(figures);
        for failure in &figures.failures {
            println!("    FAILED: {failure}");
        }
    }
}

fn row(figures: &Figures) {
    let Figures { server, cpu_us, .. } = figures;
    if figures.has_no_such_route {
        return println!("  {server:<16}has no such route (404)");
    }
    let range = cpu_us.map(|cpu| format!("{:.1}-{:.1}", cpu.least, cpu.most));
    println!(
        "  {server:<16}{:>9}{:>8}{:>14}{:>8}{}{:>9}{:>9}{:>8}",
        shown(figures.requests_per_second, 0),
        shown(cpu_us.map(|cpu| cpu.median), 1),
        range.unwrap_or_else(|| "-".into()),
        shown(figures.cpu_against_ours, 2),
        latency(figures.latency_us),
        shown(figures.pss_bytes.map(megabytes), 1),
        shown(figures.peak_rss_bytes.map(megabytes), 1),
        shown(figures.load_busy.map(|busy| busy * 100.0), 0),
    );
    if let [_, _, ..] = figures.kinds_us[..] {
        for (kind, of_kind) in &figures.kinds_us {
            println!("    {kind:<53}{}", latency(*of_kind));
        }
    }
}

/// Idle websockets.
pub(crate) fn idle(name: &str, servers: &[Idle]) {
    println!("\n{name}");
    for idle in servers {
        let server = &idle.server;
        if idle.has_no_such_route {
            println!("  {server:<16}has no such route (404)");
        } else if idle.sockets > 0 {
            println!(
                "  {server:<16}{} open: Pss {} MB before, {} MB open, {} MB after a message to all: {} \
                 bytes each (the kernel's not counted)\n  {:<16}the message reached all within {} ms, \
                 for {} µs of CPU each",
                idle.sockets,
                shown(idle.pss_bytes_before.map(megabytes), 1),
                shown(idle.pss_bytes_open.map(megabytes), 1),
                shown(idle.pss_bytes_after.map(megabytes), 1),
                shown(idle.pss_bytes_each.map(number), 0),
                "",
                shown(idle.reached_all_us.map(|micros| micros / 1000.0), 1),
                shown(idle.cpu_us_each, 1),
            );
        } else {
            println!("  {server}");
        }
        for failure in &idle.failures {
            println!("    FAILED: {failure}");
        }
    }
}

fn latency(latency: Option<Latency>) -> String {
    format!(
        "{:>9}{:>9}{:>9}",
        shown(latency.map(|latency| latency.p50), 0),
        shown(latency.map(|latency| latency.p99), 0),
        shown(latency.map(|latency| latency.max / 1000.0), 1),
    )
}

fn shown(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "-".into(), |figure| format!("{figure:.decimals$}"))
}

fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1e6
}
