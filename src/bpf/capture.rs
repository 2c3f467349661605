//! The live source: reads the ring, watches the losses and the canary, and emits records in the order of the ring.
//!
//! The reader comes back on a timer while calls come in, and sleeps until it is woken when they do not: a wake-up costs
//! a caller more than the whole probe. It does not know who listens, and never blocks a caller of ipset.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use libbpf_rs::{MapCore, MapHandle, RingBuffer, RingBufferBuilder};

use super::ask;
use super::balance::Balance;
use super::canary::{self, Sight};
use super::clock::Clock;
use super::coverage;
use super::decode::Decoder;
use super::intake::{BATCH, Intake};
use super::load::{Config, Probe};
use super::netns;
use super::own::OwnSocket;
use super::packets::PacketPath;
use super::probe::{CannotRun, Facts};
use super::shared::ReaderState;
use super::sockets::Sockets;
use crate::model::record::{Cause, End, Event, Lost, Record, Start, Time};
use crate::source::{Emit, Source, Stop};

/// How long the reader sleeps without a word from the probe.
const SLEEP: Duration = Duration::from_millis(500);
/// Empty rounds after which the reader goes to sleep.
const IDLE_ROUNDS: u32 = 3;
/// How often losses are looked for.
const CHECK: Duration = Duration::from_millis(500);
/// Sets that the kernel is asked about between two looks at the ring, and only while it is quiet.
const QUESTIONS: usize = 8;
/// How long the end waits for calls under way to return.
const SETTLE: Duration = Duration::from_secs(1);
/// What the busiest callers could write to the ring in a second; sets the reader's timer for a small ring.
const RING_BYTES_PER_SECOND: u64 = 256 << 20;

/// A live capture, attached and ready.
#[derive(Debug)]
pub struct Capture {
    probe: Probe,
    packets: Option<PacketPath>,
    sockets: Sockets,
    start: Start,
    host_netns: Option<u32>,
    round: Duration,
}

impl Capture {
    /// Opens the netlink socket, loads the probe and attaches it. From here on calls are recorded in the ring.
    ///
    /// # Errors
    /// [`CannotRun`], with a remedy.
    pub fn open(config: &Config) -> Result<Self, CannotRun> {
        let sockets = Sockets::open(config.pinned)?;
        if config.packet_path {
            sockets.load_ipset();
        }
        let mut probe = Probe::open(config, &sockets.own)?;
        let packets =
            probe.packets.take().map(|(p, sums)| PacketPath::new(p, sums, sockets.own.netns, Clock::read().now));
        let start = Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: read("/proc/sys/kernel/hostname"),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
            probe: probe.kind().name().to_owned(),
            seen: coverage::seen(packets.is_some()),
            unseen: coverage::unseen(&probe, packets.is_some()),
            ..Start::default()
        };
        // A quarter of the ring at full rate, so that a small ring is looked after more often.
        let quarter = u64::from(config.ring_size) * 250 / RING_BYTES_PER_SECOND;
        let round = Duration::from_millis(quarter.clamp(1, 10));
        Ok(Self { probe, packets, sockets, start, host_netns: netns::host(), round })
    }

    /// True if the probe's maps can be used with the rights that there are now.
    pub fn is_in_reach(&self) -> bool {
        self.probe.ring.info().is_ok()
    }

    /// Tries everything but recording, for the doctor, on a host that was looked at: opens, loads, attaches, lets go.
    ///
    /// # Errors
    /// What stood in the way, with a remedy.
    pub fn rehearse(facts: &Facts) -> Result<(), CannotRun> {
        let sockets = Sockets::open(true)?;
        Probe::try_open(&Config::default(), &sockets.own, &facts.symbols).map(drop)
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

impl Source for Capture {
    fn run(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> anyhow::Result<()> {
        let clock = Clock::read();
        let now = clock.now;
        let start = Record { seq: 0, time: now, event: Event::Start(Box::new(self.start.clone())) };
        if emit(vec![start]).is_break() {
            return Ok(());
        }
        let mut decoder = Decoder::new(self.host_netns, self.sockets.own.netns);
        decoder.set_sees_dump_ends(self.probe.sees_dump_ends());
        let intake = RefCell::new(Intake::new(decoder, Balance::new(now), clock));
        let ring_map = MapHandle::try_from(&self.probe.ring).context("cannot reopen the ring")?;
        let mut builder = RingBufferBuilder::new();
        builder.add(&ring_map, |bytes| intake.borrow_mut().take(bytes)).context("cannot read the ring")?;
        let ring = builder.build().context("cannot map the ring")?;
        let (sight, canary_stop) = (mpsc::channel(), mpsc::channel());
        let counter = self.probe.counter;
        let Sockets { canary, questions, .. } = &self.sockets;
        thread::scope(|scope| {
            scope.spawn(move || canary::watch(canary, counter, &sight.0, &canary_stop.1));
            let mut reader = Reader {
                probe: &mut self.probe,
                packets: &mut self.packets,
                round: self.round,
                ring: &ring,
                intake: &intake,
                sight: &sight.1,
                questions,
                blind_spells: 0,
                epoch: 0,
            };
            let ended = reader.read(stop, emit);
            drop(canary_stop.0);
            if ended.is_continue() {
                reader.finish(emit);
            }
            Ok(())
        })
    }
}

/// The reader's side of a running capture.
struct Reader<'a> {
    probe: &'a mut Probe,
    packets: &'a mut Option<PacketPath>,
    round: Duration,
    ring: &'a RingBuffer<'a>,
    intake: &'a RefCell<Intake>,
    sight: &'a Receiver<Sight>,
    questions: &'a OwnSocket,
    blind_spells: u64,
    /// What the probe was told of last.
    epoch: u32,
}

impl Reader<'_> {
    /// Reads until told to stop; `Break` if nobody listens any more.
    fn read(&mut self, stop: &Stop, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let mut idle = 0;
        let mut checked = Instant::now();
        while !stop.is_set() {
            let taken = self.drain(emit)?;
            idle = if taken == 0 { idle + 1 } else { 0 };
            if checked.elapsed() >= CHECK {
                checked = Instant::now();
                self.check(emit)?;
            }
            if taken >= BATCH {
                continue;
            }
            if idle >= IDLE_ROUNDS {
                self.sleep();
                if self.drain(emit)? == 0 {
                    continue;
                }
                // Calls seldom come alone: stay awake, or the next one has to wake us again.
                idle = 0;
            }
            thread::sleep(self.round);
        }
        ControlFlow::Continue(())
    }

    /// Sleeps until the probe wakes us, or for [`SLEEP`]. Calls that came between the last look and the word to the
    /// probe are found by the poll itself, which looks before it sleeps.
    fn sleep(&mut self) {
        self.tell_probe(true);
        // An error is a signal, or a full batch; neither means anything here.
        let _ = self.ring.poll(SLEEP);
        self.intake.borrow_mut().flush();
        self.tell_probe(false);
    }

    /// Reads the clock for what is taken next. Calls that came while we slept may still bear the time of the old one.
    fn read_clock(&self) {
        let intake = &mut self.intake.borrow_mut().taken;
        let mut clock = Clock::read();
        if clock.stepped_since(&intake.clock).is_some() {
            // We may have been stopped between two clocks.
            clock = Clock::read();
        }
        if let Some(step) = clock.stepped_since(&intake.clock) {
            intake.batch.push(Record { seq: 0, time: clock.now, event: Event::Clock(step) });
        }
        intake.clock = clock;
    }

    fn tell_probe(&mut self, asleep: bool) {
        self.probe.teller.tell(ReaderState { asleep, epoch: self.intake.borrow().decoder.epoch() });
    }

    /// Takes what the ring holds, at most a batch.
    fn consume(&self) {
        let _ = self.ring.consume_raw();
        self.intake.borrow_mut().flush();
    }

    /// Takes what the ring holds, at most a batch, and passes it on. Returns how many.
    fn drain(&mut self, emit: &mut Emit<'_>) -> ControlFlow<(), usize> {
        self.read_clock();
        self.consume();
        self.learn_types();
        let batch = self.intake.borrow_mut().taken.take_batch();
        let taken = batch.len();
        let epoch = self.intake.borrow().decoder.epoch();
        if std::mem::replace(&mut self.epoch, epoch) != epoch {
            self.tell_probe(false);
        }
        if taken > 0 {
            emit(batch)?;
        }
        ControlFlow::Continue(taken)
    }

    /// Asks the kernel for the types of sets that were there before us. What the ring holds after the answers decides
    /// whether they are true of the calls before: a set may have been replaced in between.
    fn learn_types(&self) {
        let (questions, taken) = {
            let mut intake = self.intake.borrow_mut();
            (intake.decoder.take_questions(QUESTIONS), intake.taken.batch.len())
        };
        if questions.is_empty() || taken > BATCH / 8 {
            return;
        }
        let told = questions.iter().filter_map(|set| Some((set, ask::type_of(self.questions, set)?)));
        let told: Vec<_> = told.collect();
        self.consume();
        let Intake { decoder, taken, .. } = &mut *self.intake.borrow_mut();
        for (set, set_type) in told {
            decoder.adopt(set, &set_type, &mut taken.batch);
        }
    }

    /// Tells what was lost since the last time, and whether we see.
    fn check(&mut self, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let blind = self.blindness(Clock::read().now);
        self.losses(emit, blind)
    }

    fn losses(&mut self, emit: &mut Emit<'_>, mut lost: Vec<Record>) -> ControlFlow<()> {
        let now = Clock::read().now;
        let counts = self.probe.counter.read();
        let undelivered = self.probe.undelivered().unwrap_or_default();
        lost.extend(self.intake.borrow_mut().taken.balance.check(&counts, undelivered, now));
        if !lost.is_empty() {
            self.intake.borrow_mut().decoder.forget_types();
        }
        // Empty, it is a sign of life that goes the way of the records.
        emit(lost)?;
        let Some(packets) = self.packets else { return ControlFlow::Continue(()) };
        let told = packets.check(now, self.questions, &mut |inode| self.intake.borrow_mut().decoder.netns_name(inode));
        if told.is_empty() { ControlFlow::Continue(()) } else { emit(told) }
    }

    /// What the canary has found out.
    fn blindness(&mut self, now: Time) -> Vec<Record> {
        let mut told = Vec::new();
        while let Ok(sight) = self.sight.try_recv() {
            self.blind_spells += u64::from(sight.until.is_none());
            let blind = Lost {
                cause: Cause::Blind,
                op: None,
                count: None,
                total: self.blind_spells,
                first: sight.since,
                last: sight.until,
            };
            told.push(Record { seq: 0, time: now, event: Event::Lost(blind) });
        }
        told
    }

    /// Takes no new calls, waits for those under way, and closes the balance.
    fn finish(&mut self, emit: &mut Emit<'_>) {
        // From here on no canary is heard, which means nothing any more.
        let blind = self.blindness(Clock::read().now);
        self.probe.take_no_more();
        if let Some(packets) = self.packets {
            packets.take_no_more();
        }
        let deadline = Instant::now() + SETTLE;
        let mut counts;
        loop {
            while self.drain(emit).continue_value().is_some_and(|taken| taken > 0) {}
            counts = self.probe.counter.read();
            if self.intake.borrow().taken.balance.under_way(&counts) == 0 || Instant::now() >= deadline {
                break;
            }
            thread::sleep(self.round);
        }
        let _ = self.losses(emit, blind);
        let now = Clock::read().now;
        if let Some(packets) = self.packets {
            // A packet takes no time to speak of.
            thread::sleep(self.round);
            let mut name = |inode| self.intake.borrow_mut().decoder.netns_name(inode);
            let _ = emit(packets.finish(now, self.questions, &mut name));
        }
        let undelivered = self.probe.undelivered().unwrap_or_default();
        let (mut records, ops) = self.intake.borrow_mut().taken.balance.finish(&counts, undelivered, now);
        let end = End { reason: "stopped".to_owned(), ops };
        records.push(Record { seq: 0, time: now, event: Event::Stop(Box::new(end)) });
        let _ = emit(records);
    }
}
