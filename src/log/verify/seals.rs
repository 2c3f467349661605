//! The chain of seals over the lines of recordings.
//!
//! A chain begins with a start record that names no seal before it, or one that is in an older file. It goes on over
//! files and runs. It does not know numbers and times.

use crate::log::seal::{Seal, Sealed, Sealer};
use crate::model::record::Start;

/// Checks one line after the other.
pub struct Seals<'a> {
    sealer: &'a Sealer,
    kept: Option<Seal>,
    /// The kept seal came by.
    pub kept_found: bool,
    /// Records with a seal.
    pub sealed: u64,
    /// The seal of the last record; `None` before the first, and where a record has none.
    last: Option<Seal>,
    /// An unsealed line was told, and none with a seal came since.
    told: bool,
    /// The records have a key, and it is not known here.
    locked: bool,
}

impl<'a> Seals<'a> {
    /// Seals made by `sealer`.
    pub fn new(sealer: &'a Sealer, kept: Option<Seal>) -> Self {
        Self { sealer, kept, kept_found: false, sealed: 0, last: None, told: false, locked: false }
    }

    /// True if there is a seal to look for.
    pub fn is_looking(&self) -> bool {
        self.kept.is_some()
    }

    /// The seal of the last record.
    pub fn last(&self) -> Option<Seal> {
        self.last
    }

    /// Checks a line, and gives what is wrong with it.
    pub fn check(&mut self, line: &[u8], start: Option<&Start>) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        let Some(sealed) = Sealed::line(line) else {
            let expected = self.sealed > 0 || self.sealer.is_keyed() || self.kept.is_some();
            if expected && !std::mem::replace(&mut self.told, true) {
                wrong.push("from here on records are not sealed: nothing proves them");
            }
            self.last = None;
            return wrong;
        };
        let begins = self.sealed == 0;
        self.sealed += 1;
        let before = match start {
            Some(start) => self.named(start, begins, &mut wrong),
            None => self.last,
        };
        if start.is_none() && before.is_none() {
            wrong.push("the seals begin within a run: what was before is missing");
        } else if !self.locked && !self.sealer.fits(before.unwrap_or_default(), &sealed) {
            wrong.push("its seal does not fit: it was changed, or records before it were taken out or put in");
        }
        self.told = false;
        self.kept_found |= self.kept == Some(sealed.seal);
        self.last = Some(sealed.seal);
        wrong
    }

    /// The seal that a start record says it comes after.
    fn named(&mut self, start: &Start, begins: bool, wrong: &mut Vec<&'static str>) -> Option<Seal> {
        let named = start.previous_seal.as_deref().and_then(|text| Seal::parse(text.as_bytes()));
        match start.sealed.as_deref() {
            Some("hmac-sha256") if !self.sealer.is_keyed() && !std::mem::replace(&mut self.locked, true) => {
                wrong.push("it is sealed with a key, without which nothing can be proved: --seal-key");
            }
            Some("sha256") if self.sealer.is_keyed() => {
                wrong.push("it is sealed without a key: anybody could have done that");
            }
            _ => {}
        }
        if !begins && named != self.last {
            wrong.push(match named {
                None => "the chain of seals begins anew: nothing ties it to the records before",
                Some(_) => "it does not come after the seal before it: records in between are missing, or were changed",
            });
        }
        named
    }
}
