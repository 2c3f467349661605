//! The short way: a call in a line exactly as `jsonl` writes it, keys in their order and no space between.
//!
//! Nothing is looked up and next to nothing is copied. Whatever is not as expected, a key out of its place or an escape
//! that is rare, is left to `any_json`, which has the last word on what a record is; a test holds the two together.

#![allow(clippy::option_option, reason = "a value may be null, and a line may not be as expected")]

use std::borrow::Cow;
use std::sync::Arc;

use super::keep::{Keep, Sibling};
use crate::model::op::Op;
use crate::model::record::{
    Actor, Call, Elements, Event, Failure, Origin, Outcome, Parent, Record, Seldom, Time, Truncated,
};
use crate::model::text;

/// The record of a line; `None` if the line is no call, or not just as it would have been written.
pub fn call(line: &str, keep: &mut Keep) -> Option<Record> {
    let mut c = Cursor(line);
    c.pass(r#"{"v":1,"kind":"call","seq":"#)?;
    // One look over the whole line spares one at every string.
    if !text::is_clean(line) {
        return None;
    }
    let seq = c.number()?;
    let time = Time::parse(c.after(r#","time":"#)?.plain()?)?;
    let call = c.call(keep)?;
    c.0.is_empty().then_some(Record { seq, time, event: Event::Call(call) })
}

/// What was left of the line before the command line, and behind it: bytes.
type Cut = (usize, usize);

/// What is left of the line.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// From `op` to the end. Values are read in the order of the lines here, which is that of the keys.
    fn call(&mut self, keep: &mut Keep) -> Option<Call> {
        let op = Op::from_name(self.after(r#","op":"#)?.plain()?)?;
        let set = self.name(r#","set":"#, |name| keep.set(name))?;
        let set2 = self.name(r#","set2":"#, |name| keep.name(name))?;
        let set_type = self.name(r#","type":"#, |name| keep.set_type(name))?;
        let options = self.after(r#","options":"#)?.or_null(|c| c.string().map(Box::from))?;
        let elements = self.after(r#","elements":["#)?.elements(&mut keep.room)?;
        let count = self.after(r#","count":"#)?.small()?;
        let applied = self.after(r#","applied":"#)?.or_null(Self::small)?;
        let line = self.after(r#","line":"#)?.or_null(Self::small)?;
        let exist = self.after(r#","exist":"#)?.truth()?;
        // Recordings of before there were such keys do without.
        let restore = self.pass(r#","restore":"#).map_or(Some(false), |()| self.truth())?;
        let outcome = Outcome::from_name(self.after(r#","outcome":"#)?.plain()?)?;
        let failure = self.failure()?;
        // Open dumps are rare, and left to the long way.
        let _ = self.pass(r#","dumps":null"#);
        let duration_ns = self.after(r#","duration_ns":"#)?.or_null(Self::number)?;
        let pid = self.after(r#","pid":"#)?.small()?;
        let tid = self.after(r#","tid":"#)?.small()?;
        let thread = self.name(r#","thread":"#, |name| keep.name(name))?;
        let (actor, netns, netns_name) = self.caller(pid, keep)?;
        let truncated = self.truncated()?;
        let seldom = Seldom { line, set2, options, thread, ..Seldom::default() };
        Some(Call {
            op,
            outcome,
            exist,
            restore,
            truncated,
            count,
            applied,
            netns,
            tid,
            duration_ns,
            set,
            set_type,
            elements,
            failure,
            netns_name,
            actor,
            seldom: seldom.kept(),
        })
    }

    fn pass(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Passes a key.
    fn after(&mut self, key: &str) -> Option<&mut Self> {
        self.pass(key)?;
        Some(self)
    }

    fn or_null<T>(&mut self, value: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.pass("null").is_some() { Some(None) } else { value(self).map(Some) }
    }

    /// A number as JSON has it: no sign, no zero in front.
    fn number(&mut self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        if digits > 1 && number.starts_with('0') {
            return None;
        }
        self.0 = rest;
        number.parse().ok()
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn truth(&mut self) -> Option<bool> {
        self.pass("true").map(|()| true).or_else(|| self.pass("false").map(|()| false))
    }

    /// A string without escapes.
    fn plain(&mut self) -> Option<&'a str> {
        let rest = self.0.strip_prefix('"')?;
        let end = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
        let (text, rest) = rest.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// A string in which quotes and backslashes may be escaped, and nothing else.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        if let Some(text) = self.plain() {
            return Some(Cow::Borrowed(text));
        }
        let mut text = String::new();
        self.escaped(&mut text)?;
        Some(Cow::Owned(text))
    }

    /// Appends such a string.
    fn escaped(&mut self, out: &mut String) -> Option<()> {
        let mut rest = self.0.strip_prefix('"')?;
        loop {
            let at = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
            let (text, behind) = rest.split_at(at);
            out.push_str(text);
            if let Some(behind) = behind.strip_prefix('"') {
                self.0 = behind;
                return Some(());
            }
            let escaped = behind.strip_prefix('\\')?;
            let c = escaped.chars().next().filter(|c| matches!(c, '"' | '\\'))?;
            out.push(c);
            rest = &escaped[1..];
        }
    }

    fn name(&mut self, key: &str, keep: impl FnOnce(&str) -> Arc<str>) -> Option<Option<Arc<str>>> {
        self.pass(key)?;
        self.or_null(|c| c.string().map(|name| keep(&name)))
    }

    /// The rest of a list, of which the bracket has been passed.
    fn list(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.pass("]").is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            if self.pass("]").is_some() {
                return Some(());
            }
            self.pass(",")?;
        }
    }

    fn elements(&mut self, room: &mut String) -> Option<Elements> {
        room.clear();
        self.list(|c| {
            if !room.is_empty() && !room.ends_with('\n') {
                room.push('\n');
            }
            c.escaped(room)
        })?;
        Some(Elements::from_lines(room.strip_suffix('\n').unwrap_or(room)))
    }

    fn failure(&mut self) -> Option<Option<Box<Failure>>> {
        let errno = self.after(r#","errno":"#)?.or_null(|c| {
            let negative = c.pass("-").is_some();
            let n: i32 = c.small()?.try_into().ok()?;
            // JSON's -0 is no integer.
            (!negative || n != 0).then_some(if negative { -n } else { n })
        })?;
        let error = self.after(r#","error":"#)?.or_null(Self::string)?;
        let message = self.after(r#","message":"#)?.or_null(Self::string)?;
        Some(super::any_json::failure(errno, error, message))
    }

    /// The caller and its namespace: `started` to before `truncated`.
    fn caller(&mut self, pid: u32, keep: &mut Keep) -> Option<(Arc<Actor>, u32, Option<Arc<str>>)> {
        let known = keep.caller(pid);
        if known.actor.pid == pid
            && !known.written.is_empty()
            && let Some(rest) = self.0.strip_prefix(&*known.written)
            && rest.starts_with(TRUNCATED)
        {
            self.0 = rest;
            return Some((Arc::clone(&known.actor), known.netns, known.netns_name.clone()));
        }
        let whole = self.0;
        let started = self.after(r#","started":"#)?.or_null(|c| Time::parse(c.plain()?))?;
        let begin = self.0;
        if let Some((cmdline, sibling)) = self.sibling(keep) {
            let written = &whole[..whole.len() - self.0.len()];
            let (origin, netns, netns_name) = (Arc::clone(&sibling.origin), sibling.netns, sibling.netns_name.clone());
            let actor = keep.sibling_actor(pid, started, cmdline, origin);
            keep.remember(pid, written, netns, netns_name.as_ref());
            return Some((actor, netns, netns_name));
        }
        self.0 = begin;
        let (cmdline, mut origin, cut) = self.origin(keep)?;
        let netns = self.after(r#","netns":"#)?.small()?;
        let netns_name = self.name(r#","netns_name":"#, |name| keep.name(name))?;
        origin.cgroup = self.name(r#","cgroup":"#, |name| keep.name(name))?;
        origin.unit = self.name(r#","unit":"#, |name| keep.name(name))?;
        origin.container = self.name(r#","container":"#, |name| keep.name(name))?;
        let written = &whole[..whole.len() - self.0.len()];
        let actor = keep.actor(pid, started, cmdline, origin);
        keep.remember(pid, written, netns, netns_name.as_ref());
        let before = &begin[..begin.len() - cut.0];
        let behind = &written[whole.len() - cut.1..];
        keep.remember_siblings((before, behind), &actor, netns, netns_name.as_ref());
        Some((actor, netns, netns_name))
    }

    /// A caller that differs from one of late, of the same parent, in pid and command line only.
    fn sibling<'k>(&mut self, keep: &'k Keep) -> Option<(Option<Arc<str>>, &'k Sibling)> {
        let parent = Cursor(self.0).after(r#","ppid":"#)?.small()?;
        let sibling = keep.sibling(parent);
        self.0 = self.0.strip_prefix(&*sibling.before).filter(|_| !sibling.before.is_empty())?;
        let cmdline = self.name(r#","cmdline":"#, |text| Arc::from(text))?;
        self.0 = self.0.strip_prefix(&*sibling.behind).filter(|rest| rest.starts_with(TRUNCATED))?;
        Some((cmdline, sibling))
    }

    #[allow(clippy::similar_names, reason = "pid, ppid, uid and auid are what they are called")]
    fn origin(&mut self, keep: &mut Keep) -> Option<(Option<Arc<str>>, Origin, Cut)> {
        let ppid = self.after(r#","ppid":"#)?.or_null(Self::small)?;
        let comm = self.name(r#","comm":"#, |name| keep.name(name))?;
        let exe = self.name(r#","exe":"#, |name| keep.name(name))?;
        // A command line seldom comes again, and would only push out names that do.
        let before = self.0.len();
        let cmdline = self.name(r#","cmdline":"#, |text| Arc::from(text))?;
        let cut = (before, self.0.len());
        self.pass(r#","parents":["#)?;
        let mut parents = Vec::new();
        self.list(|c| {
            c.pass(r#"{"pid":"#)?;
            let pid = c.small()?;
            c.pass(r#","comm":"#)?;
            let comm = keep.name(&c.string()?);
            parents.push(Parent { pid, comm });
            c.pass("}")
        })?;
        let uid = self.after(r#","uid":"#)?.or_null(Self::small)?;
        let user = self.name(r#","user":"#, |name| keep.name(name))?;
        let gid = self.after(r#","gid":"#)?.or_null(Self::small)?;
        let auid = self.after(r#","auid":"#)?.or_null(Self::small)?;
        let login = self.name(r#","login":"#, |name| keep.name(name))?;
        let ses = self.after(r#","ses":"#)?.or_null(Self::small)?;
        let tty = self.name(r#","tty":"#, |name| keep.name(name))?;
        let origin = Origin { comm, exe, ppid, parents, uid, user, gid, auid, login, ses, tty, ..Origin::default() };
        Some((cmdline, origin, cut))
    }

    fn truncated(&mut self) -> Option<Truncated> {
        self.pass(TRUNCATED)?;
        let mut truncated = Truncated::default();
        self.list(|c| {
            truncated.insert(Truncated::from_name(c.plain()?)?);
            Some(())
        })?;
        // A seal is for those who verify.
        if self.pass(r#","seal":"#).is_some() {
            self.plain()?;
        }
        self.pass("}")?;
        Some(truncated)
    }
}

const TRUNCATED: &str = r#","truncated":["#;
