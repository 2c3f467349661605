//! Where the probe's programs are hung in: a pair of tracefs kprobe events, or fexit.
//!
//! The events are first choice everywhere. A perf kprobe goes dead when nfnetlink is unloaded, libbpf's kretprobe and
//! fexit lose calls under concurrency; an event with `r4096` (the kernel's limit of returns under way) does neither.
//! It does not know what the programs do.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libbpf_rs::{Link, ProgramMut, TracepointCategory};
use thiserror::Error;

use super::call_sites;
use super::symbols::{Function, Symbols, Wanted};
use super::undelivered::{Hits, Profile};

/// The function that every ipset command passes through.
pub const HOOK: &str = "nfnetlink_rcv_msg";
/// What ipset answers by itself goes through the first of these since Linux 5.14, and in any case through the second.
/// Every message passes the second, twice a call: a probe there costs a caller as much as the pair.
const ANSWERS: [&str; 2] = ["nfnetlink_unicast", "netlink_unicast"];
/// The first release in which ipset uses the first.
const ANSWERS_SINCE: (u32, u32) = (5, 14);
/// Every acknowledgement goes through here, and so every refusal.
const REFUSAL: &str = "netlink_ack";
/// What is refused before [`HOOK`] is refused by a call of that in these.
const REFUSERS: &str = "nfnetlink_rcv";
/// Every list or save ends here, read to its end or not.
const DUMP_END: &str = "ip_set_dump_done";
/// The module that it is in, where it is not loaded yet: the event is armed when it is.
const DUMP_MODULE: &str = "ip_set";
/// What an attachment, and the look at a host, have to know the places of.
pub const SYMBOLS: Wanted =
    Wanted { names: &[HOOK, ANSWERS[0], ANSWERS[1], REFUSAL, DUMP_END, PACKET_ADD, PACKET_DEL], code: REFUSERS };
const GROUP: &str = "ipsetaudit";
/// Returns that may be under way at once; the kernel's limit.
const MAXACTIVE: u32 = 4096;
/// The kernel lets go of a closed perf event a moment after the close.
const REMOVAL_PATIENCE: Duration = Duration::from_millis(500);

/// Why the programs could not be hung in.
#[derive(Debug, Error)]
pub enum AttachError {
    /// No tracefs, or one without kprobe events.
    #[error("no kprobe_events file in tracefs")]
    NoKprobeEvents,
    /// A file of tracefs cannot be opened.
    #[error("cannot open {0} in tracefs: {1}")]
    Tracefs(&'static str, #[source] io::Error),
    /// The kernel has no such function, or no kprobe may sit on it.
    #[error("the kernel does not accept a kprobe event on {0}: {1}")]
    Event(String, #[source] io::Error),
    /// The event is there, and the program does not go onto it.
    #[error("cannot attach to its event: {0}")]
    Program(#[source] libbpf_rs::Error),
}

/// The folder of tracefs, where it is mounted.
pub fn tracefs() -> Option<PathBuf> {
    ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]
        .into_iter()
        .map(PathBuf::from)
        .find(|dir| dir.join("events").exists())
}

/// True if what ipset answers by itself goes through `nfnetlink_unicast()` in a kernel of this release.
pub fn answers_by_nfnetlink(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= ANSWERS_SINCE
}

/// Where nfnetlink refuses by itself. Nothing, if that cannot be told for sure.
pub fn refusals(symbols: &Symbols) -> Vec<String> {
    let is_hook = |function: &&Function| function.base() == HOOK;
    let callers: Vec<_> = symbols.code().iter().filter(|function| !is_hook(function)).collect();
    symbols.address_of(REFUSAL).map_or_else(Vec::new, |callee| call_sites::of(callee, &callers))
}

/// A kprobe event of ours in tracefs; removed when dropped. The control file stays open: at the end the right to open it
/// is gone.
#[derive(Debug)]
struct KprobeEvent {
    control: Arc<File>,
    name: String,
}

impl KprobeEvent {
    /// `place` is `SYMBOL` or `MODULE:SYMBOL`, `kind` the letter of the event with its options.
    fn add(control: &Arc<File>, kind: &str, tag: &str, place: &str) -> Result<Self, AttachError> {
        let name = format!("{tag}_{}", std::process::id());
        write_command(control, &format!("{kind}:{GROUP}/{name} {place}"))
            .map_err(|e| AttachError::Event(place.to_owned(), e))?;
        Ok(Self { control: Arc::clone(control), name })
    }

    /// One event at several places: the command that adds it adds a place to it, and all of them go with it.
    fn add_all(control: &Arc<File>, tag: &str, (first, more): (&str, &[String])) -> Result<Self, AttachError> {
        let event = Self::add(control, "p", tag, first)?;
        for place in more {
            write_command(control, &format!("p:{GROUP}/{} {place}", event.name))
                .map_err(|e| AttachError::Event(place.clone(), e))?;
        }
        Ok(event)
    }

    fn attach(&self, program: &ProgramMut<'_>) -> Result<Link, AttachError> {
        program
            .attach_tracepoint(TracepointCategory::Custom(GROUP.to_owned()), &self.name)
            .map_err(AttachError::Program)
    }
}

impl Drop for KprobeEvent {
    fn drop(&mut self) {
        let deadline = Instant::now() + REMOVAL_PATIENCE;
        while remove_event(&self.control, &self.name).is_err_and(|e| e.kind() == io::ErrorKind::ResourceBusy)
            && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The control file for new events and for old ones. Opened for appending: anything else removes what is there.
fn open_control(tracefs: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(tracefs.join("kprobe_events"))
}

/// The control file, and the one that counts hits and misses.
fn open_files(tracefs: &Path) -> Result<(Arc<File>, File), AttachError> {
    let control = open_control(tracefs).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => AttachError::NoKprobeEvents,
        _ => AttachError::Tracefs("kprobe_events", e),
    })?;
    let profile = File::open(tracefs.join("kprobe_profile")).map_err(|e| AttachError::Tracefs("kprobe_profile", e))?;
    Ok((Arc::new(control), profile))
}

/// What an open file of tracefs says now.
fn read_again(mut file: &File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn write_command(mut control: &File, command: &str) -> io::Result<()> {
    control.write_all(command.as_bytes())
}

fn remove_event(control: &File, name: &str) -> io::Result<()> {
    write_command(control, &format!("-:{GROUP}/{name}"))
}

/// Removes what killed runs left in tracefs. An event in use refuses to go, whoever uses it.
pub fn sweep(tracefs: &Path) -> usize {
    let Ok(events) = fs::read_dir(tracefs.join("events").join(GROUP)) else { return 0 };
    let Ok(control) = open_control(tracefs) else { return 0 };
    events
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.rsplit_once('_').is_some_and(|(_, pid)| pid.parse::<u32>().is_ok() && !is_running(pid)))
        .filter(|name| remove_event(&control, name).is_ok())
        .count()
}

fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

/// What packets do to sets goes through these.
pub const PACKET_ADD: &str = "ip_set_add";
const PACKET_DEL: &str = "ip_set_del";

/// Programs of the packet path.
#[derive(Debug)]
pub struct PacketPrograms<'a, 'obj> {
    /// On the entry of `ip_set_add()`.
    pub add: &'a ProgramMut<'obj>,
    /// On that of `ip_set_del()`.
    pub del: &'a ProgramMut<'obj>,
    /// On the return of both.
    pub leave: &'a ProgramMut<'obj>,
}

/// The events of the packet path with their programs.
#[derive(Debug)]
pub struct PacketProbes {
    enter: Option<[Link; 2]>,
    _leave: [Link; 2],
    enter_events: [KprobeEvent; 2],
    _leave_events: [KprobeEvent; 2],
    profile: File,
}

impl PacketProbes {
    /// Hangs the programs in, the returns first.
    pub fn attach(programs: &PacketPrograms<'_, '_>, symbols: &Symbols) -> Result<Self, AttachError> {
        let (control, profile) = open_files(&tracefs().ok_or(AttachError::NoKprobeEvents)?)?;
        let event =
            |kind: &str, tag: &str, function: &str| KprobeEvent::add(&control, kind, tag, &symbols.place(function));
        let leave = format!("r{MAXACTIVE}");
        let leave_events = [event(&leave, "packet_added", PACKET_ADD)?, event(&leave, "packet_deleted", PACKET_DEL)?];
        let leave = [leave_events[0].attach(programs.leave)?, leave_events[1].attach(programs.leave)?];
        let enter_events = [event("p", "packet_add", PACKET_ADD)?, event("p", "packet_del", PACKET_DEL)?];
        let enter = [enter_events[0].attach(programs.add)?, enter_events[1].attach(programs.del)?];
        Ok(Self { enter: Some(enter), _leave: leave, enter_events, _leave_events: leave_events, profile })
    }

    /// Takes no new packets; those under way are still seen to return.
    pub fn take_no_more(&mut self) {
        self.enter = None;
    }

    /// How often the functions were entered, seen by the program or not.
    pub fn entered(&self) -> Option<u64> {
        let profile = read_again(&self.profile).ok()?;
        self.enter_events
            .iter()
            .map(|event| profile_of(&profile, &event.name).map(|event| event.hits + event.missed))
            .sum()
    }
}

/// Programs that go onto kprobe events.
#[derive(Debug)]
pub struct Programs<'a, 'obj> {
    /// On the entry of [`HOOK`].
    pub enter: &'a ProgramMut<'obj>,
    /// On its return.
    pub leave: &'a ProgramMut<'obj>,
    /// On what ipset answers by itself.
    pub answer: &'a ProgramMut<'obj>,
    /// On refusals.
    pub refusal: &'a ProgramMut<'obj>,
    /// Where those are, as [`refusals`] found them; if nowhere, among all acknowledgements.
    pub refusals: &'a [String],
    /// On the end of every list or save.
    pub dump_end: &'a ProgramMut<'obj>,
    /// What [`answers_by_nfnetlink`] says of this kernel, and `answer` was loaded for.
    pub by_nfnetlink: bool,
}

/// The events with their programs. The links are dropped before the events, which an open link keeps.
#[derive(Debug)]
pub struct Kprobes {
    enter: Option<Link>,
    refusal: Option<Link>,
    _others: [Link; 2],
    enter_event: KprobeEvent,
    leave_event: KprobeEvent,
    refusal_event: KprobeEvent,
    _answer_event: KprobeEvent,
    /// Does without where the kernel has no such function: calls are seen all the same.
    dump_end: Option<(Link, KprobeEvent)>,
    /// Open for the same reason.
    profile: File,
}

impl Kprobes {
    /// Hangs the programs in: first what a call needs on its way out, so that no entry is seen whose return is not.
    pub fn attach(programs: &Programs<'_, '_>, symbols: &Symbols) -> Result<Self, AttachError> {
        let tracefs = tracefs().ok_or(AttachError::NoKprobeEvents)?;
        sweep(&tracefs);
        let hook = symbols.place(HOOK);
        let (control, profile) = open_files(&tracefs)?;
        let in_module = match symbols.module_of(DUMP_END) {
            Some(_) => symbols.place(DUMP_END),
            None => format!("{DUMP_MODULE}:{DUMP_END}"),
        };
        let dump_end = KprobeEvent::add(&control, "p", "dump_end", &in_module);
        let dump_end = dump_end.and_then(|event| Ok((event.attach(programs.dump_end)?, event))).ok();
        let answers = ANSWERS[usize::from(!programs.by_nfnetlink)];
        let answer_event = KprobeEvent::add(&control, "p", "answer", &symbols.place(answers))?;
        let answer = answer_event.attach(programs.answer)?;
        let leave_event = KprobeEvent::add(&control, &format!("r{MAXACTIVE}"), "leave", &hook)?;
        let leave = leave_event.attach(programs.leave)?;
        let enter_event = KprobeEvent::add(&control, "p", "enter", &hook)?;
        let enter = enter_event.attach(programs.enter)?;
        let refusals = programs.refusals.split_first().map_or((REFUSAL, &[][..]), |(first, more)| (first, more));
        let refusal_event = KprobeEvent::add_all(&control, "refusal", refusals)?;
        let refusal = refusal_event.attach(programs.refusal)?;
        Ok(Self {
            enter: Some(enter),
            refusal: Some(refusal),
            _others: [answer, leave],
            enter_event,
            leave_event,
            refusal_event,
            _answer_event: answer_event,
            dump_end,
            profile,
        })
    }

    /// True if the end of a list or save is seen.
    pub fn sees_dump_ends(&self) -> bool {
        self.dump_end.is_some()
    }

    /// Takes no new calls; those under way are still seen to return.
    pub fn take_no_more(&mut self) {
        self.enter = None;
        self.refusal = None;
    }

    /// How often the events were hit so far.
    pub fn profile(&self) -> io::Result<Profile> {
        let profile = read_again(&self.profile)?;
        let of = |event: &KprobeEvent| profile_of(&profile, &event.name).unwrap_or_default();
        Ok(Profile { enter: of(&self.enter_event), leave: of(&self.leave_event), refusal: of(&self.refusal_event) })
    }
}

/// Hits of an event at all its places, from the rows of `kprobe_profile`: name, hits, misses.
fn profile_of(profile: &str, event: &str) -> Option<Hits> {
    let of_row = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == event).then_some(())?;
        Some(Hits { hits: words.next()?.parse().ok()?, missed: words.next()?.parse().ok()? })
    };
    let places = profile.lines().filter_map(of_row);
    places.reduce(|a, b| Hits { hits: a.hits + b.hits, missed: a.missed + b.missed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_an_answer_follows_from_the_release() {
        for (release, by_nfnetlink) in [
            ("5.10.0-33-amd64", false),
            ("5.14.0", true),
            ("6.1.0-40-amd64", true),
            ("7.0", true),
            ("4.19", false),
            ("", false),
        ] {
            assert_eq!(answers_by_nfnetlink(release), by_nfnetlink, "{release}");
        }
    }

    #[test]
    fn hits_are_read_by_event_name_and_added_up_over_its_places() {
        let profile = "  enter_12    300    0\n  leave_12    290    10\n  leave_1    1    7\n  enter_12    2   1\n";
        assert_eq!(profile_of(profile, "leave_12"), Some(Hits { hits: 290, missed: 10 }));
        assert_eq!(profile_of(profile, "enter_12"), Some(Hits { hits: 302, missed: 1 }));
        assert_eq!(profile_of(profile, "leave_2"), None);
    }
}
