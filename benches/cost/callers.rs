//! Load makers: callers of ipset as fast as the kernel answers them, without a fork where none is asked for.
//!
//! `callers calls SET CALLS ELEMENTS [PROCESSES]` sends raw messages of so many elements each, added and deleted by
//! turns; `callers restore SET ADDRESSES` feeds a real `ipset restore`; `callers packets ADDRESSES` sends a datagram to
//! each of so many addresses of the loopback device, for a rule with a SET target; `callers runs SET CALLS` starts a real
//! `ipset` a call. Each prints calls (or datagrams), nanoseconds by the clock, and nanoseconds of processor time of the
//! caller, for one call. It does not know who watches.

#[allow(clippy::expect_used)]
#[path = "../../tests/live/raw.rs"]
mod raw;

use std::env;
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use netlink_sys::Socket;
use netlink_sys::constants::NETLINK_NETFILTER;
use nix::time::{ClockId, clock_gettime};
use raw::{ADD, DEL, answer, message};

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["calls", set, calls, elements] => raw_calls(set, calls.parse()?, elements.parse()?, 0),
        ["calls", set, calls, elements, "as", number] => {
            raw_calls(set, calls.parse()?, elements.parse()?, number.parse()?)
        }
        ["calls", set, calls, elements, processes] => crowd(&[set, calls, elements], processes.parse()?),
        ["restore", set, addresses] => restore(set, addresses.parse()?),
        ["packets", addresses] => packets(addresses.parse()?),
        ["runs", set, calls] => runs(set, calls.parse()?),
        _ => bail!(
            "callers calls SET CALLS ELEMENTS [PROCESSES] | restore SET ADDRESSES | packets ADDRESSES | runs SET CALLS"
        ),
    }
}

/// Nanoseconds of processor time of this process so far.
fn processor_time() -> Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// Does it so many times, and prints what one took.
fn measure(times: u32, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let (clock, processor) = (Instant::now(), processor_time()?);
    work()?;
    let (clock, processor) = (clock.elapsed().as_nanos(), processor_time()? - processor);
    println!("{times} {} {}", clock / u128::from(times), processor / i64::from(times));
    Ok(())
}

fn socket() -> Result<Socket> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    Ok(socket)
}

/// Two messages by turns, made beforehand: what is measured is the call.
fn raw_calls(set: &str, calls: u32, elements: u32, number: u32) -> Result<()> {
    let socket = socket()?;
    let [add, del] = [ADD, DEL].map(|cmd| message(cmd, set, number << 16, elements));
    // The first call of a process is told at length.
    for first in [&add, &del] {
        ensure!(answer(&socket, first) == 0, "the set {set} takes no element");
    }
    measure(calls, || {
        for call in 0..calls {
            ensure!(answer(&socket, if call % 2 == 0 { &add } else { &del }) == 0, "call {call} failed");
        }
        Ok(())
    })
}

/// As many processes as asked for, each with addresses of its own.
fn crowd(orders: &[&str], processes: u32) -> Result<()> {
    let calls: u32 = orders[1].parse()?;
    let start = |number: u32| {
        Command::new("/proc/self/exe")
            .arg("calls")
            .args(orders)
            .args(["as", &number.to_string()])
            .stdout(Stdio::null())
            .spawn()
    };
    measure(calls * processes, || {
        let children: Vec<Child> = (0..processes).map(start).collect::<Result<_, _>>()?;
        for mut child in children {
            ensure!(child.wait()?.success(), "a caller failed");
        }
        Ok(())
    })
}

fn restore(set: &str, addresses: u32) -> Result<()> {
    measure(addresses, || {
        let mut ipset = Command::new("ipset").arg("restore").stdin(Stdio::piped()).spawn()?;
        let mut to = BufWriter::new(ipset.stdin.take().context("ipset has no standard input")?);
        for n in 0..addresses {
            writeln!(to, "add {set} {}", Ipv4Addr::from(0x0a00_0000 + n))?;
        }
        drop(to);
        ensure!(ipset.wait()?.success(), "ipset restore failed");
        Ok(())
    })
}

fn packets(addresses: u32) -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    measure(addresses, || {
        for n in 0..addresses {
            // Refused by nobody's listening there, which is none of our business.
            let _ = socket.send_to(b"x", (Ipv4Addr::from(0x7f10_0000 + n % 0x0008_0000), 9));
        }
        Ok(())
    })
}

fn runs(set: &str, calls: u32) -> Result<()> {
    measure(calls, || {
        for call in 0..calls {
            let cmd = if call % 2 == 0 { "add" } else { "del" };
            ensure!(Command::new("ipset").args([cmd, set, "10.9.9.9"]).status()?.success(), "ipset {cmd} failed");
        }
        Ok(())
    })
}
