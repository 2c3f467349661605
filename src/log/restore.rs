//! Input for `ipset restore`: the successful changes, in order.
//!
//! Fed to an empty network namespace, it gives the sets that the audited one had. Only what took effect is written: of a
//! failed batch the elements before the failing one, of a failed call nothing. `add` and `del` always say `-exist`, for
//! two reasons: an element that had timed out when it was added again has not when the file is fed in, and ipset(8)
//! joins lines to batches that have the option of their first line. What cannot be written (a set that was not created
//! in this log, text that no word of ipset(8) can say, a result that is not known) becomes a comment. Limits: elements
//! that timed out since come back with their clock set anew. It does not know where records come from.

mod netns;
mod say;
mod sets;

use std::fmt::Display;
use std::sync::Arc;

pub use self::netns::Wanted;
use self::say::Said;
use self::sets::{Sets, State};
use super::Format;
use crate::model::element::Element;
use crate::model::op::{Kind, Op};
use crate::model::record::{Call, Event, Lost, Outcome, Packets, Record, Start, Truncated};
use crate::model::set_type::Dims;
use crate::model::time::Rfc3339;

/// Elements of a call that cannot be written, spelt out in its comment.
const SPELT: usize = 3;

/// Writes restore input.
#[derive(Debug, Default)]
pub struct Restore {
    wanted: Wanted,
    /// The sets as they are where the lines are fed in; `None` if nobody can know.
    sets: Option<Sets>,
    boot_id: Option<String>,
    began: bool,
}

impl Restore {
    /// Everything that rebuilds the sets of one namespace in an empty one.
    pub fn whole(wanted: Wanted) -> Self {
        Self { wanted, sets: Some(Sets::default()), ..Self::default() }
    }

    /// Calls that somebody chose, of whatever namespace: they are written although the log need not tell of the sets
    /// they change, and what is no call is left out.
    pub fn chosen() -> Self {
        Self { wanted: Wanted::All, ..Self::default() }
    }
}

impl Format for Restore {
    fn append(&mut self, record: &Record, out: &mut Vec<u8>) {
        match &record.event {
            Event::Call(call) if call.op.kind() == Kind::Change => self.call(call, out),
            Event::Call(_) => {}
            _ if self.sets.is_none() => {}
            Event::Packets(packets) => self.packets(packets, out),
            Event::Lost(lost) => comment(out, lost_words(lost)),
            Event::Clock(step) => comment(out, format_args!("{}: {step}", Rfc3339(record.time, 0))),
            Event::Start(start) => self.start(record, start, out),
            Event::Stop(end) => comment(out, format_args!("{}: end ({})", Rfc3339(record.time, 0), end.reason)),
        }
    }
}

/// A line that ipset(8) passes over.
fn comment(out: &mut Vec<u8>, text: impl Display) {
    say::comment(out, &text.to_string());
}

fn lost_words(lost: &Lost) -> String {
    let words = lost.cause.words();
    match lost.count {
        Some(n) => format!("{n} calls lost here ({words}): from here on the sets may differ"),
        None => format!("calls lost here, nobody knows how many ({words}): from here on the sets may differ"),
    }
}

impl Restore {
    fn start(&mut self, record: &Record, start: &Start, out: &mut Vec<u8>) {
        let host = start.host.as_deref().unwrap_or("this host");
        let begins = if start.goes_on() { "goes on" } else { "begins" };
        comment(
            out,
            format_args!("{}: the audit of {host} (Linux {}) {begins}", Rfc3339(record.time, 0), start.kernel),
        );
        if let Some(seconds) = start.unmonitored_s.filter(|s| *s > 0) {
            comment(out, format_args!("nobody watched for {seconds} s before: from here on the sets may differ"));
        }
        let rebooted = self.boot_id.is_some() && start.boot_id.is_some() && self.boot_id != start.boot_id;
        if let Some(sets) = self.sets.as_mut().filter(|sets| rebooted && !sets.is_empty()) {
            comment(out, "the host was booted since: no set was left");
            // Flushed lists refer to no set, so that all can be destroyed.
            out.extend_from_slice(b"flush\ndestroy\n");
            sets.clear();
        }
        self.boot_id = start.boot_id.clone().or(self.boot_id.take());
    }

    fn wants(&mut self, call: &Call, out: &mut Vec<u8>) -> bool {
        let (wanted, remark) = self.wanted.wants(call);
        if let Some(remark) = remark {
            comment(out, remark);
        }
        wanted
    }

    /// Which elements packets changed, nobody knows.
    fn packets(&mut self, packets: &Packets, out: &mut Vec<u8>) {
        if packets.elements() == 0 || !self.wants(&packets.as_call(), out) {
            return;
        }
        let (done, set, n) =
            (if packets.op == Op::DEL { "gone from" } else { "new in" }, packets.target(), packets.applied);
        comment(
            out,
            format_args!("by packets, and not known which: elements {done} {set}: {n}. From here on it may differ"),
        );
    }

    fn call(&mut self, call: &Call, out: &mut Vec<u8>) {
        if !self.wants(call, out) {
            return;
        }
        if !self.began && self.sets.is_some() {
            comment(out, "for ipset restore, into a network namespace without sets");
        }
        self.began = true;
        match (call.outcome, call.op) {
            (Outcome::Ok | Outcome::Failed, Op::ADD | Op::DEL) => self.elements(call, out),
            (Outcome::Ok, _) => self.set(call, out),
            (Outcome::Unknown, _) => comment(out, format_args!("its result is not known: {}", words(call))),
            (Outcome::Failed | Outcome::Denied | Outcome::Absent, _) => {}
        }
    }

    /// What changes sets rather than elements.
    fn set(&mut self, call: &Call, out: &mut Vec<u8>) {
        let result = match (call.op, call.set.as_deref(), call.set2.as_deref()) {
            (Op::CREATE, Some(set), _) => self.create(call, set, out),
            (Op::DESTROY | Op::FLUSH, None, _) => {
                if let Some(sets) = self.sets.as_mut().filter(|_| call.op == Op::DESTROY) {
                    sets.clear();
                }
                say::line(&[call.op.to_string().as_bytes()], out)
            }
            (Op::DESTROY, Some(set), _) => self.destroy(call, set, out),
            (Op::FLUSH, Some(set), _) => self.known(set).and_then(|()| say::line(&[b"flush", &say::name(set)?], out)),
            (Op::RENAME, Some(from), Some(to)) => self.rename(from, to, out),
            (Op::SWAP, Some(one), Some(other)) => self.swap(one, other, out),
            _ => Err("the record is not whole"),
        };
        if let Err(why) = result {
            comment(out, format_args!("{why}: {}", words(call)));
        }
    }

    fn create(&mut self, call: &Call, set: &str, out: &mut Vec<u8>) -> Said {
        let present = self.sets.as_ref().and_then(|sets| sets.get(set));
        let options = call.options.as_deref().unwrap_or_default();
        match (present, call.exist) {
            // It was there, and stayed as it was.
            (Some(State::Same { .. }), true) => return Ok(()),
            (Some(State::Stale), true) => return Err(sets::SPOILT),
            _ => {}
        }
        if present.is_some() {
            comment(out, format_args!("there was no set {set} any more: nobody saw it go"));
            say::line(&[b"destroy", &say::name(set)?], out)?;
        }
        let line = (|| {
            let set_type = call.set_type.as_deref().ok_or("its type is not known")?;
            let (set_type, options) = (say::plain(set_type)?, say::plain(options)?);
            let exist: &[u8] = if call.exist { b"-exist" } else { b"" };
            say::line(&[b"create", exist, &say::name(set)?, set_type, options], out)
        })();
        if let Some(sets) = &mut self.sets {
            let expires = options.split(' ').any(|word| word == "timeout");
            match line {
                Ok(()) => sets.put(set, State::Same { set_type: call.set_type.clone(), expires }),
                Err(_) => _ = sets.forget(set),
            }
        }
        line
    }

    fn destroy(&mut self, call: &Call, set: &str, out: &mut Vec<u8>) -> Said {
        match self.sets.as_mut().map(|sets| sets.forget(set)) {
            Some(None) if call.exist => return Ok(()),
            Some(None) => return Err(sets::UNKNOWN),
            Some(Some(_)) | None => {}
        }
        say::line(&[b"destroy", &say::name(set)?], out)
    }

    fn rename(&mut self, from: &str, to: &str, out: &mut Vec<u8>) -> Said {
        let (from_word, to_word) = (say::name(from), say::name(to));
        let Some(sets) = &mut self.sets else { return say::line(&[b"rename", &from_word?, &to_word?], out) };
        if from == to {
            return Ok(());
        }
        let moved = sets.get(from).cloned();
        if sets.forget(to).is_some() {
            comment(out, format_args!("there was no set {to} any more: nobody saw it go"));
            say::line(&[b"destroy", to_word.as_deref().map_err(|e| *e)?], out)?;
        }
        let moved = moved.ok_or(sets::UNKNOWN)?;
        let said = from_word.and_then(|from| say::line(&[b"rename", &from, &to_word?], out));
        match said {
            Ok(()) => {
                sets.forget(from);
                sets.put(to, moved);
            }
            // Where the lines are fed in, it keeps its name.
            Err(_) => sets.put(from, State::Stale),
        }
        said
    }

    fn swap(&mut self, one: &str, other: &str, out: &mut Vec<u8>) -> Said {
        let said = self
            .known(one)
            .and_then(|()| self.known(other))
            .and_then(|()| say::line(&[b"swap", &say::name(one)?, &say::name(other)?], out));
        if let Some(sets) = &mut self.sets {
            match said {
                Ok(()) => sets.swap(one, other),
                // Each has now what was the other's, and that is not known.
                Err(_) => [one, other].into_iter().for_each(|set| sets.spoil(set)),
            }
        }
        said
    }

    fn elements(&mut self, call: &Call, out: &mut Vec<u8>) {
        let applied = match (call.outcome, call.applied) {
            (Outcome::Failed, Some(applied)) => applied,
            (Outcome::Failed, None) if call.count > 1 => {
                return comment(out, format_args!("failed at an element that is not known: {}", words(call)));
            }
            (Outcome::Failed, None) => 0,
            _ => call.count,
        };
        let failed = call.outcome == Outcome::Failed && self.sets.is_some();
        let in_part = call.elements.iter().nth(applied as usize).filter(|_| failed);
        let in_part = in_part.filter(|text| say::is_many(text, call.set_type.as_deref()));
        if applied == 0 && in_part.is_none() {
            return;
        }
        let state = match self.state(call) {
            Ok(state) => state,
            Err(why) => return comment(out, format_args!("{why}: {}", words(call))),
        };
        for text in call.elements.iter().take(applied as usize) {
            if let Err(why) = self.element(call, &state, text, out) {
                comment(out, format_args!("{why}: {} {} {text}", call.op, call.set.as_deref().unwrap_or_default()));
            }
        }
        if call.truncated.contains(Truncated::MESSAGE) {
            comment(out, format_args!("cut off in the record, and missing here: the rest of {}", words(call)));
        }
        if let Some(text) = in_part {
            let set = call.set.as_deref().unwrap_or_default();
            comment(out, format_args!("it failed, perhaps after a part of it: {} {set} {text}", call.op));
        }
    }

    /// The type of the set that a call's elements belong to, and whether its elements expire.
    fn state(&self, call: &Call) -> Result<(Option<Arc<str>>, bool), &'static str> {
        let set = call.set.as_deref().ok_or("the record is not whole")?;
        let Some(sets) = &self.sets else { return Ok((call.set_type.clone(), false)) };
        match sets.get(set) {
            Some(State::Same { set_type, expires }) => Ok((set_type.clone(), *expires)),
            Some(State::Stale) => Err(sets::SPOILT),
            None => Err(sets::UNKNOWN),
        }
    }

    fn element(
        &self,
        call: &Call,
        (set_type, expires): &(Option<Arc<str>>, bool),
        text: &str,
        out: &mut Vec<u8>,
    ) -> Said {
        let set = say::name(call.set.as_deref().ok_or("the record is not whole")?)?;
        let element = Element::parse(text, Dims::of(set_type.as_deref())).ok_or("it cannot be read")?;
        for member in element.member.iter().chain(say::neighbour(&element)) {
            self.known(member)?;
        }
        if call.op == Op::DEL {
            return say::line(&[b"del -exist", &set, &say::restore(&say::key(element))?], out);
        }
        if element.member.is_some() && *expires && !call.exist {
            // It had timed out, or it would have been refused; it has not here, and would keep its place in the list.
            let gone = say::restore(&say::key(element.clone()))?;
            say::line(&[b"del -exist", &set, &gone], out)?;
        }
        say::line(&[b"add -exist", &set, &say::restore(&element)?], out)
    }

    fn known(&self, set: &str) -> Said {
        match self.sets.as_ref().map(|sets| sets.get(set)) {
            None | Some(Some(State::Same { .. })) => Ok(()),
            Some(Some(State::Stale)) => Err(sets::SPOILT),
            Some(None) => Err(sets::UNKNOWN),
        }
    }
}

/// A call in words, for a comment.
fn words(call: &Call) -> String {
    let mut words = vec![call.op.to_string()];
    words.extend([&call.set, &call.set2].into_iter().flatten().map(ToString::to_string));
    if call.op == Op::CREATE {
        words.extend(call.set_type.as_deref().map(str::to_owned));
        words.extend(call.options.as_deref().map(str::to_owned));
    }
    let spelt: Vec<_> = call.elements.iter().take(SPELT).collect();
    words.push(spelt.join(", "));
    if call.count as usize > spelt.len() {
        words.push(format!("and {} more", call.count as usize - spelt.len()));
    }
    words.retain(|w| !w.is_empty());
    words.join(" ")
}

#[cfg(test)]
mod tests;
