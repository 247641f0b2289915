//! When a process that ended by itself is started again, and when it is given up.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;

/// The first pause before a process that ended by itself is started again. It doubles each time …
pub const FIRST_BACK_OFF: Duration = Duration::from_millis(200);

/// … up to this.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);

/// A process that ends by itself this often …
pub const MAX_CRASHES: usize = 5;

/// … within this time has failed. One that ran for so long begins again with the first pause.
pub const CRASH_WINDOW: Duration = Duration::from_secs(60);

/// The crashes of one node.
#[derive(Debug)]
pub(crate) struct Crashes {
    /// Those within the last [`CRASH_WINDOW`].
    recent: VecDeque<Time>,
    /// The next pause.
    pause: Duration,
}

/// What is to be done after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again after a pause.
    Again { pause: Duration },
    /// Give up.
    TooOften { times: usize },
}

impl Default for Crashes {
    fn default() -> Self {
        Self { recent: VecDeque::new(), pause: FIRST_BACK_OFF }
    }
}

impl Crashes {
    /// A process that ran for so long has crashed.
    pub(crate) fn one_more(&mut self, now: Time, ran: Duration) -> Verdict {
        if ran >= CRASH_WINDOW {
            self.pause = FIRST_BACK_OFF;
        }
        self.recent.push_back(now);
        self.recent.retain(|&crash| now.saturating_since(crash) < CRASH_WINDOW);
        if self.recent.len() >= MAX_CRASHES {
            return Verdict::TooOften { times: self.recent.len() };
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_BACK_OFF);
        Verdict::Again { pause }
    }
}
