//! A source on a thread of its own, a bounded channel, a desk; with or without a screen in front.
//!
//! Whatever ends it (a signal, `q`, the end of the input), the source returns first, its sender drops, and the desk
//! writes what is left. It does not know which source or which formats.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result};

use super::desk::Desk;
use crate::model::record::Record;
use crate::source::{Source, Stop};

/// Batches between the source and the desk; when they are full the kernel ring fills, and the probe counts the loss.
const CHANNEL: usize = 16;

/// Runs without a screen, on this thread.
///
/// # Errors
/// The source's failure.
pub fn headless(source: &mut (dyn Source + Send), stop: &Stop, desk: &mut Desk<'_>) -> Result<()> {
    thread::scope(|scope| {
        let (source, batches) = start(scope, source, stop);
        let worked = at_the_desk(desk, &batches);
        stop.set();
        drop(batches);
        join(source)?;
        worked
    })
}

/// Runs with a screen on this thread; the desk has a thread of its own. The screen's end ends the run. Beside the
/// screen's answer: whether something was lost, and the desk's last words.
///
/// # Errors
/// The source's failure, or the screen's.
pub fn with_screen<T>(
    source: &mut (dyn Source + Send),
    stop: &Stop,
    mut desk: Desk<'_>,
    screen: impl FnOnce() -> Result<T>,
) -> Result<(T, bool, Vec<String>)> {
    thread::scope(|scope| {
        let (source, batches) = start(scope, source, stop);
        let desk = scope.spawn(move || {
            let worked = at_the_desk(&mut desk, &batches);
            (worked, desk.lossy(), desk.last_words().collect())
        });
        let shown = screen();
        stop.set();
        let ended = join(source);
        let (worked, lossy, words) = desk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let shown = shown?;
        ended.and(worked)?;
        Ok((shown, lossy, words))
    })
}

type Running<'scope> = ScopedJoinHandle<'scope, Result<()>>;

fn start<'scope, 'env>(
    scope: &'scope thread::Scope<'scope, 'env>,
    source: &'env mut (dyn Source + Send),
    stop: &Stop,
) -> (Running<'scope>, Receiver<Vec<Record>>) {
    let (sender, batches) = sync_channel(CHANNEL);
    let stop = stop.clone();
    let source = scope.spawn(move || {
        ahead_of_callers();
        source.run(&stop, &mut |batch| match sender.send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    });
    (source, batches)
}

fn join(source: Running<'_>) -> Result<()> {
    source.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn at_the_desk(desk: &mut Desk<'_>, batches: &Receiver<Vec<Record>>) -> Result<()> {
    ahead_of_callers();
    match desk.work(batches) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e).context("cannot write the log"),
        _ => Ok(()),
    }
}

/// Many busy callers leave a reader of equal rank a small share of the processor, and the ring runs full. As auditd
/// does, this thread goes a little ahead of them; without the right to (`CAP_SYS_NICE`) it stays where it is. Threads
/// that it starts go with it. Returns where it was.
pub fn ahead_of_callers() -> i32 {
    const NICE: i32 = -10;
    let before = rustix::process::getpriority_process(None).unwrap_or(0);
    set_nice(NICE);
    before
}

/// Sets this thread's own rank.
pub fn set_nice(nice: i32) {
    let _ = rustix::process::setpriority_process(None, nice);
}
