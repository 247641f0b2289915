//! Linux: a timer of the kernel, which the runtime watches beside its sockets. No thread, and no
//! switch from one to another at each wake-up; nor is it subject to the 50 µs by which the kernel is
//! free to prolong a thread's sleep.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Weak;

use contract::Time;
use rustix::io::dup;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use super::Sleepers;

const SECOND: u64 = 1_000_000_000;

/// Goes off at one moment at a time.
#[derive(Debug)]
pub(super) struct Alarm(OwnedFd);

/// What waits for it.
pub(super) struct GoingOff(Receiver);

impl Alarm {
    pub(super) fn new() -> io::Result<(Self, GoingOff)> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // It becomes readable as a pipe does, which is all that the receiver looks at.
        let readable = Receiver::from_owned_fd_unchecked(dup(&timer)?)?;
        Ok((Self(timer), GoingOff(readable)))
    }

    /// Sets it to another moment.
    pub(super) fn set(&self, at: Time) {
        let nanos = at.as_nanos();
        let it_value = Timespec {
            tv_sec: i64::try_from(nanos / SECOND).expect("2^64 ns are 2^34 s"),
            // Zero in both would stop the timer.
            tv_nsec: (nanos % SECOND).max(1).try_into().expect("below 10^9"),
        };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let set = timerfd_settime(
            &self.0,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval, it_value },
        );
        set.expect("the timer is open and the moment is one");
    }
}

impl Drop for Alarm {
    /// Goes off a last time, so that nobody waits for it any more.
    fn drop(&mut self) {
        self.set(Time::default());
    }
}

impl GoingOff {
    /// Wakes the sleepers whenever it goes off, until they are gone.
    #[expect(clippy::unnecessary_wraps, reason = "starting a thread in its place can fail")]
    pub(super) fn run(mut self, sleepers: Weak<Sleepers>) -> io::Result<()> {
        tokio::spawn(async move {
            // It tells in eight bytes how often it went off. Room for more spares a second read that
            // finds nothing.
            while self.0.read(&mut [0; 16]).await.is_ok() {
                let Some(sleepers) = sleepers.upgrade() else { return };
                sleepers.wake_due();
            }
        });
        Ok(())
    }
}
