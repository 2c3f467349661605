//! What an ADD, DEL or TEST did to the element that is asked for.
//!
//! Only elements that took effect count; where it is not known how far a batch came, an element may have. Refusals and
//! tests tell whether it was there. It does not know which set is asked for.

use super::Sought;
use super::content::Content;
use super::element::Kind;
use super::story::{Deed, Effect, brief};
use crate::model::element::Element;
use crate::model::op::Op;
use crate::model::record::{Call, Event, Outcome, Record, Truncated};
use crate::model::set_type::Dims;

const IPSET_ERR_EXIST: i32 = 4103;

/// What an ADD, DEL or TEST did to the element that is asked for.
pub fn touch(content: &mut Content, sought: &Sought, record: &Record) {
    let Event::Call(call) = &record.event else { return };
    let netmask = content.netmask;
    if call.truncated.contains(Truncated::MESSAGE) && call.op != Op::TEST {
        // It may be among what was cut off.
        content.doubt(record);
        content.story.push_deed(Deed { record: Box::new(brief(record, |_| false)), effect: Effect::Maybe });
    }
    // Worst first: what is told of a call is what it did most.
    let mut effect = None;
    for (n, text) in (0..).zip(call.elements.iter()) {
        if sought.touches(text, netmask) {
            let did = one(content, sought, (n, text), record, call);
            effect = Some(if effect.is_none_or(|e| e == Effect::Failed) { did } else { effect.unwrap_or(did) });
        }
    }
    if let Some(effect) = effect {
        let record = Box::new(brief(record, |e| sought.touches(e, netmask)));
        content.story.push_deed(Deed { record, effect });
    }
}

fn one(content: &mut Content, sought: &Sought, (n, text): (u32, &str), record: &Record, call: &Call) -> Effect {
    let set_type = content.set_type.clone();
    let kind = Kind { set_type: set_type.as_deref(), timeout: content.timeout, netmask: content.netmask };
    let members = &mut content.members;
    let applied = match (call.outcome, call.applied) {
        (Outcome::Denied | Outcome::Absent, _) => Some(0),
        (Outcome::Ok, _) => Some(call.count),
        (_, applied) => applied,
    };
    let is_many = |text| Element::parse(text, Dims::of(kind.set_type)).is_some_and(|e| e.is_many(kind.set_type));
    let (done, sure) = match applied {
        Some(applied) if n < applied => (true, true),
        // One that stands for many may have failed after a part of it.
        Some(applied) => (n == applied && call.outcome == Outcome::Failed && is_many(text), false),
        None => (true, false),
    };
    let exists = call.count == 1 && call.failure.as_ref().is_some_and(|f| f.errno == Some(IPSET_ERR_EXIST));
    match call.op {
        Op::TEST if call.outcome == Outcome::Ok => {
            members.told(sought, text, true, record);
            Effect::Present
        }
        Op::TEST if call.outcome == Outcome::Absent => {
            members.told(sought, text, false, record);
            Effect::Missing
        }
        Op::ADD | Op::DEL if !done => {
            if exists {
                members.told(sought, text, call.op == Op::ADD, record);
            }
            Effect::Failed
        }
        Op::ADD => match (members.add(sought, text, kind, record, sure), sure) {
            (_, false) => Effect::Maybe,
            (true, _) => Effect::Renewed,
            (false, _) => Effect::Added,
        },
        Op::DEL => {
            members.del(sought, text, kind, record, sure);
            if sure { Effect::Deleted } else { Effect::Maybe }
        }
        _ => Effect::Failed,
    }
}
