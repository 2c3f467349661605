//! What a service manager is told: that the audit is ready, how it goes, that it is alive, that it ends.
//!
//! Without a manager behind it (`NOTIFY_SOCKET` is not set) nothing is said. The sign of life is given by the desk, on
//! batches that the source sends even when nothing happens: so it stands for both, and stops when either does.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// How often the manager is told how it goes.
const STATUS: Duration = Duration::from_secs(10);

/// The service manager.
#[derive(Debug)]
pub struct Manager {
    /// How often it wants a sign of life: twice in the time after which it would give us up.
    watchdog: Option<Duration>,
    alive: Instant,
    told: Option<Instant>,
}

impl Manager {
    /// Tells that the audit has begun.
    pub fn ready() -> Self {
        tell(&[NotifyState::Ready, NotifyState::Status("auditing ipset calls")]);
        let watchdog = sd_notify::watchdog_enabled().map(|limit| limit / 2);
        Self { watchdog, alive: Instant::now(), told: None }
    }

    /// The source and the desk have just shown that they work; so many records were admitted, all or not all.
    pub fn pulse(&mut self, records: u64, lossy: bool) {
        let now = Instant::now();
        if self.watchdog.is_some_and(|every| now - self.alive >= every) {
            tell(&[NotifyState::Watchdog]);
            self.alive = now;
        }
        if self.told.is_none_or(|told| now - told >= STATUS) {
            let loss = if lossy { "something was LOST or not written" } else { "nothing lost" };
            tell(&[NotifyState::Status(&format!("{records} records, {loss}"))]);
            self.told = Some(now);
        }
    }

    /// Tells that the audit ends.
    pub fn stopping() {
        tell(&[NotifyState::Stopping]);
    }
}

/// A manager that does not listen changes nothing.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
