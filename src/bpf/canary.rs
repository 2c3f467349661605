//! The canary: our own call, made now and then to see whether calls are still seen.
//!
//! Switches like `kernel.ftrace_enabled=0` blind a probe without an error to anybody. One `IPSET_CMD_PROTOCOL` changes
//! nothing and must be counted by the probe exactly once. It does not read the ring.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::clock::Clock;
use super::own::{IPSET_CMD_PROTOCOL, OwnSocket};
use super::shared::Counter;
use crate::model::record::Time;

/// How often the canary sings.
const EVERY: Duration = Duration::from_secs(5);

/// The canary's word: blind since the last time that it was seen, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When it was seen last.
    pub since: Time,
    /// When it was seen again; `None` while it is not.
    pub until: Option<Time>,
}

/// Sings until told to stop, and tells when it is not seen, and when it is again. It has a thread of its own because a
/// call waits for the lock of the ipset subsystem, and the ring must be read meanwhile.
pub fn watch(socket: &OwnSocket, counter: Counter, sight: &Sender<Sight>, stop: &Receiver<()>) {
    let (mut seen, mut blind) = (Clock::read().now, None);
    loop {
        let heard = is_heard(socket, counter);
        let now = Clock::read().now;
        match (heard, blind) {
            (false, None) => {
                blind = Some(seen);
                let _ = sight.send(Sight { since: seen, until: None });
            }
            (true, Some(since)) => {
                blind = None;
                let _ = sight.send(Sight { since, until: Some(now) });
            }
            _ => {}
        }
        if heard {
            seen = now;
        }
        if stop.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Songs before it is called blindness: a kernel under load may skip fexit for one call, but not for so many.
const TRIES: u32 = 16;

/// True if our own call was counted by the probe. A call that the kernel refused is as good as one not seen.
fn is_heard(socket: &OwnSocket, counter: Counter) -> bool {
    let before = counter.read().canary;
    let sing = || socket.call(IPSET_CMD_PROTOCOL, &[]).is_ok() && counter.read().canary > before;
    (0..TRIES).any(|_| sing())
}
