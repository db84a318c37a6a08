//! Waiting until a moment to some microseconds. The runtime's own timers go off at whole
//! milliseconds, which would be told as the gateway's latency.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::{io, os::fd::OwnedFd, time::Instant};
use tokio::io::{Interest, unix::AsyncFd};

/// A timer of the system's.
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    /// A timer that is not set. To be made where a runtime is entered.
    ///
    /// # Errors
    /// When the process may open no more files.
    #[expect(
        deprecated,
        reason = "its successor is unsafe to call, because some types change their descriptor; \
            OwnedFd does not"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
    }

    /// Waits until `due`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) async fn until(&self, due: Instant) -> io::Result<()> {
        let left = due.saturating_duration_since(Instant::now());
        // Nothing left would disarm it.
        if left.is_zero() {
            return Ok(());
        }
        let it_value = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value,
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.0.readable().await?;
            let read = ready.try_io(|timer| {
                let mut count = [0; 8];
                Ok(rustix::io::read(timer.get_ref(), &mut count)?)
            });
            // An error of this kind says that it was too early.
            if let Ok(read) = read {
                return read.map(drop);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_never_goes_off_early_and_can_be_set_again() {
        let alarm = Alarm::new().unwrap();
        for micros in [0, 1, 300, 2_500] {
            let due = Instant::now() + Duration::from_micros(micros);
            alarm.until(due).await.unwrap();
            assert!(Instant::now() >= due);
        }
        // A moment that has passed.
        alarm.until(Instant::now()).await.unwrap();
    }
}
