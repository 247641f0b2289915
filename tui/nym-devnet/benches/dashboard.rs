//! What the dashboard takes of a core, as a process in a real terminal: while nothing happens, in front
//! of an ordinary devnet, and of a hundred nodes with 3000 packets a second.
//!
//! ```text
//! cargo bench -p nym-devnet --bench dashboard
//! ```

mod devnet;
#[path = "../tests/pty/mod.rs"]
mod pty;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::devnet::Devnet;
use crate::pty::Terminal;

const ROWS: u16 = 40;
const COLS: u16 = 120;

/// Traffic flows for so long before it is measured: curves and rates have begun by then.
const BEFORE: Duration = Duration::from_secs(10);

/// How long each screen is watched.
const WATCHED: Duration = Duration::from_secs(10);

const LIMIT: Duration = Duration::from_secs(60);

/// A network to watch, and how many percent of a core it may take.
struct Case {
    name: &'static str,
    options: &'static str,
    target: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        name: "2x3, nothing is sent",
        options: "--width 2 --layers 3 --crowd 0 --slot 1h --loop-cover 1h",
        target: "< 1 %",
    },
    Case { name: "2x3, classic rates", options: "--width 2 --layers 3", target: "none" },
    Case {
        name: "33x3, a crowd of 100 that sends 3000 packets a second",
        options: "--width 33 --layers 3 --clients 2 --crowd 100 --slot 50ms --loop-cover 100ms",
        target: "< 5 %",
    },
];

/// Their keys and names.
const SCREENS: [(&str, &str); 7] = [
    ("1", "Network"),
    ("2", "Nodes"),
    ("3", "Traffic"),
    ("4", "Messages"),
    ("5", "Presence"),
    ("6", "Logs"),
    ("7", "Problems"),
];

fn main() {
    for Case { name, options, target } in CASES {
        println!("{name} (target {target})");
        let devnet = Devnet::up(options);
        let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
        let mut terminal = Terminal::start(program, "attach", devnet.folder(), ROWS, COLS);
        terminal.wait_text("ready", LIMIT);
        thread::sleep(BEFORE);
        let pid = Pid::from_u32(u32::try_from(terminal.pid()).expect("a process id"));
        for (key, screen) in SCREENS {
            terminal.press(key);
            terminal.wait_text(screen, LIMIT);
            let (begin, before) = (Instant::now(), processor_time(pid));
            thread::sleep(WATCHED);
            let share =
                processor_time(pid).saturating_sub(before).div_duration_f64(begin.elapsed());
            println!("  {screen}: {:.1} % of a core", share * 100.0);
        }
        terminal.press("q");
        terminal.wait_end(LIMIT);
    }
}

/// What a process has used of the processor since its start.
fn processor_time(pid: Pid) -> Duration {
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    let process = system.process(pid).expect("it runs");
    Duration::from_millis(process.accumulated_cpu_time())
}
