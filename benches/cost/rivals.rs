//! Attaches what the program is compared with, and stays until it is told to end: `rivals OBJECT floor|handlers`.
//!
//! `floor` is an empty pair on the program's own hook, by events of tracefs; `handlers` is the way of 2021, with a reader
//! that only counts. Prints `ready` when attached and the events that it saw at the end of its standard input. It knows
//! nothing of what is measured.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context, Result, bail};
use ipsetaudit::bpf::attach::{self, HOOK};
use ipsetaudit::bpf::symbols::Symbols;
use libbpf_rs::{Link, MapCore, Object, ObjectBuilder, PerfBufferBuilder, TracepointCategory};

const GROUP: &str = "ipsetaudit_floor";

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [object, what] = &words[..] else { bail!("rivals OBJECT floor|handlers") };
    match what.as_str() {
        "floor" => floor(object),
        "handlers" => handlers(object),
        _ => bail!("floor or handlers, not {what}"),
    }
}

/// Loads of the object the programs whose name begins so.
fn load(object: &str, prefix: &str) -> Result<Object> {
    let mut open = ObjectBuilder::default().open_file(object)?;
    for mut program in open.progs_mut() {
        let wanted = program.name().to_string_lossy().starts_with(prefix);
        program.set_autoload(wanted);
    }
    open.load().context("cannot load the rival")
}

fn wait_for_the_end() -> Result<()> {
    println!("ready");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn floor(object: &str) -> Result<()> {
    let object = load(object, "empty_")?;
    let hook = Symbols::read(attach::SYMBOLS).place(HOOK);
    let control = attach::tracefs().context("no tracefs")?.join("kprobe_events");
    let command = |text: &str| OpenOptions::new().append(true).open(&control)?.write_all(text.as_bytes());
    let mut links: Vec<Link> = Vec::new();
    for (kind, name, program) in [("r4096", "leave", "empty_leave"), ("p", "enter", "empty_enter")] {
        command(&format!("{kind}:{GROUP}/{name} {hook}"))?;
        let program = object.progs_mut().find(|p| p.name() == program).context("no such program")?;
        links.push(program.attach_tracepoint(TracepointCategory::Custom(GROUP.to_owned()), name)?);
    }
    let waited = wait_for_the_end();
    drop(links);
    thread::sleep(Duration::from_millis(100));
    for name in ["enter", "leave"] {
        command(&format!("-:{GROUP}/{name}"))?;
    }
    waited
}

fn handlers(object: &str) -> Result<()> {
    static SEEN: AtomicU64 = AtomicU64::new(0);
    static LOST: AtomicU64 = AtomicU64::new(0);
    let object = load(object, "on_")?;
    let _links: Vec<Link> = object
        .progs_mut()
        .filter(|p| p.name().to_string_lossy().starts_with("on_"))
        .map(|program| program.attach())
        .collect::<Result<_, _>>()?;
    let events = object.maps().find(|m| m.name() == "events").context("no map of events")?;
    let buffer = PerfBufferBuilder::new(&events)
        .sample_cb(|_, _: &[u8]| _ = SEEN.fetch_add(1, Ordering::Relaxed))
        .lost_cb(|_, lost| _ = LOST.fetch_add(lost, Ordering::Relaxed))
        .build()?;
    let waiting = thread::spawn(|| wait_for_the_end().map_err(|e| e.to_string()));
    while !waiting.is_finished() {
        let _ = buffer.poll(Duration::from_millis(100));
    }
    println!("{} seen, {} lost", SEEN.load(Ordering::Relaxed), LOST.load(Ordering::Relaxed));
    Ok(())
}
