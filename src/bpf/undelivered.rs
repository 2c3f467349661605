//! What the kernel did not deliver to the probe, from what it counts and what the probe counts.
//!
//! The kernel counts how often an event was hit and how often it could not be handled, the probe how often its programs
//! ran. A program does not run on a processor where another task is in the middle of bpf(2) with a map; a kernel that may
//! take the processor from that task leaves it so for as long as the task waits. Such hits count as handled, so that
//! nothing but the difference tells. Pure: it reads neither.

/// How often an event was hit, by the kernel's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Handled, as far as the kernel knows.
    pub hits: u64,
    /// Not handled.
    pub missed: u64,
}

/// The events' hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Entries of any message.
    pub enter: Hits,
    /// Returns of any message.
    pub leave: Hits,
    /// Refusals, or where they are not told apart, all acknowledgements.
    pub refusal: Hits,
}

/// How often the programs ran on them, by their own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// On entries.
    pub enter: u64,
    /// On returns.
    pub leave: u64,
    /// On refusals, where they are told apart.
    pub refusal: Option<u64>,
}

/// Calls that the kernel did not deliver to the probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// The probe did not run at all. Messages that are not ipset's are among them: nobody looked at them.
    pub skipped: u64,
    /// The entry was seen, the return was not.
    pub returns: u64,
}

/// One look: the probe's count before and after the kernel's, so that what runs meanwhile is no loss.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// The probe's count before.
    pub before: Runs,
    /// The kernel's.
    pub profile: Profile,
    /// The probe's count after.
    pub after: Runs,
}

/// Hits without a run: at least, and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hidden {
    least: i64,
    most: i64,
}

impl Hidden {
    fn of(event: Hits, before: u64, after: u64) -> Self {
        let less = |runs: u64| event.hits.wrapping_sub(runs).cast_signed();
        Self { least: less(after), most: less(before) }
    }

    const fn since(self, base: i64) -> Self {
        Self { least: self.least - base, most: self.most - base }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct AllHidden {
    enter: Hidden,
    leave: Hidden,
    refusal: Hidden,
}

impl AllHidden {
    fn of(look: &Look) -> Self {
        let Look { before, profile, after } = look;
        let of_refusals = |(before, after)| Hidden::of(profile.refusal, before, after);
        Self {
            enter: Hidden::of(profile.enter, before.enter, after.enter),
            leave: Hidden::of(profile.leave, before.leave, after.leave),
            refusal: before.refusal.zip(after.refusal).map_or_else(Hidden::default, of_refusals),
        }
    }

    fn since(self, base: [i64; 3]) -> Self {
        let Self { enter, leave, refusal } = self;
        Self { enter: enter.since(base[0]), leave: leave.since(base[1]), refusal: refusal.since(base[2]) }
    }

    const fn is_exact(&self) -> bool {
        let Self { enter, leave, refusal } = self;
        enter.least == enter.most && leave.least == leave.most && refusal.least == refusal.most
    }
}

/// Looks at most, where calls go on meanwhile.
const LOOKS: usize = 20;

/// Keeps account of what was not delivered.
#[derive(Debug)]
pub struct Ledger {
    /// Hits without a run before the programs were hung in: nobody's loss.
    base: [i64; 3],
    last: AllHidden,
    /// Of entries, when they were taken leave of.
    closed: Option<(AllHidden, Profile)>,
    sum: Undelivered,
}

impl Ledger {
    /// Begins now that everything is hung in.
    pub fn open(mut look: impl FnMut() -> Option<Look>) -> Self {
        let mut base = [i64::MAX; 3];
        let mut before = None;
        for hidden in std::iter::from_fn(&mut look).map(|look| AllHidden::of(&look)).take(LOOKS) {
            for (base, event) in base.iter_mut().zip([hidden.enter, hidden.leave, hidden.refusal]) {
                // A program about to run counts for too much.
                *base = event.most.min(*base);
            }
            if hidden.is_exact() && before.replace(hidden) == Some(hidden) {
                break;
            }
        }
        Self {
            base: base.map(|base| if base == i64::MAX { 0 } else { base }),
            last: AllHidden::default(),
            closed: None,
            sum: Undelivered::default(),
        }
    }

    /// What was not delivered so far. What a look shows counts once the next one shows it too: a program may be about to
    /// run on its hit.
    pub fn look(&mut self, look: &Look) -> Undelivered {
        let mut now = AllHidden::of(look).since(self.base);
        let mut profile = look.profile;
        if let Some((closed, before)) = &self.closed {
            (now.enter, now.refusal) = (closed.enter, closed.refusal);
            (profile.enter, profile.refusal) = (before.enter, before.refusal);
        }
        let last = std::mem::replace(&mut self.last, now);
        let sure = |of: fn(&AllHidden) -> i64| of(&now).min(of(&last)).max(0).cast_unsigned();
        // A call that was hidden altogether lacks no return.
        let skipped =
            sure(|h| h.enter.least) + sure(|h| h.refusal.least) + profile.enter.missed + profile.refusal.missed;
        let returns = sure(|h| h.leave.least - h.enter.most.max(0)) + profile.leave.missed;
        self.sum.skipped = self.sum.skipped.max(skipped);
        self.sum.returns = self.sum.returns.max(returns);
        self.sum
    }

    /// Entries are about to be let go: hits from now on have no program.
    pub fn close(&mut self, mut look: impl FnMut() -> Option<Look>) {
        for look in std::iter::from_fn(&mut look).take(LOOKS) {
            let before = self.last;
            self.look(&look);
            if self.last == before && before.is_exact() {
                break;
            }
        }
        if let Some(look) = look() {
            self.look(&look);
            self.closed = Some((self.last, look.profile));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(enter: u64, leave: u64, refusal: u64) -> Profile {
        let hits = |hits| Hits { hits, missed: 0 };
        Profile { enter: hits(enter), leave: hits(leave), refusal: hits(refusal) }
    }

    fn runs(enter: u64, leave: u64, refusal: u64) -> Runs {
        Runs { enter, leave, refusal: Some(refusal) }
    }

    /// A look at a time when nothing moves.
    fn still(profile: Profile, runs: Runs) -> Look {
        Look { before: runs, profile, after: runs }
    }

    fn opened(look: Look) -> Ledger {
        Ledger::open(|| Some(look))
    }

    fn undelivered(skipped: u64, returns: u64) -> Undelivered {
        Undelivered { skipped, returns }
    }

    #[test]
    fn what_was_hit_before_the_programs_were_there_is_nobodys_loss() {
        let mut ledger = opened(still(profile(7, 5, 1), runs(0, 0, 0)));
        for _ in 0..2 {
            assert_eq!(ledger.look(&still(profile(17, 15, 1), runs(10, 10, 0))), undelivered(0, 0));
        }
    }

    #[test]
    fn a_hit_without_a_run_counts_when_it_is_seen_twice() {
        let mut ledger = opened(Look::default());
        let look = still(profile(10, 10, 3), runs(8, 8, 2));
        assert_eq!(ledger.look(&look), undelivered(0, 0));
        assert_eq!(ledger.look(&look), undelivered(3, 0), "two calls hidden altogether, and a refusal");
        // The program was only late.
        let mut ledger = opened(Look::default());
        ledger.look(&still(profile(10, 10, 0), runs(9, 10, 0)));
        assert_eq!(ledger.look(&still(profile(11, 11, 0), runs(11, 11, 0))), undelivered(0, 0));
    }

    #[test]
    fn a_return_is_lacking_where_the_entry_was_seen() {
        let mut ledger = opened(Look::default());
        let look = still(profile(10, 10, 0), runs(9, 7, 0));
        ledger.look(&look);
        assert_eq!(ledger.look(&look), undelivered(1, 2));
    }

    #[test]
    fn what_runs_during_the_look_is_no_loss() {
        let mut ledger = opened(Look::default());
        let look = Look { before: runs(5, 5, 0), profile: profile(8, 8, 0), after: runs(9, 9, 0) };
        ledger.look(&look);
        assert_eq!(ledger.look(&look), undelivered(0, 0));
    }

    #[test]
    fn what_was_told_is_not_taken_back() {
        let mut ledger = opened(Look::default());
        let look = still(profile(10, 10, 0), runs(8, 8, 0));
        ledger.look(&look);
        ledger.look(&look);
        let busy = Look { before: runs(10, 10, 0), profile: profile(12, 12, 0), after: runs(13, 13, 0) };
        assert_eq!(ledger.look(&busy), undelivered(2, 0));
    }

    #[test]
    fn hits_after_the_entries_were_let_go_are_no_loss() {
        let mut ledger = opened(Look::default());
        let look = still(profile(10, 9, 0), runs(9, 8, 0));
        ledger.close(|| Some(look));
        // Two more came in unseen and left, and the one under way left.
        assert_eq!(ledger.look(&still(profile(12, 12, 0), runs(9, 11, 0))), undelivered(1, 0));
    }

    #[test]
    fn what_the_kernel_could_not_handle_counts_at_once() {
        let mut ledger = opened(Look::default());
        let mut look = still(profile(10, 9, 0), runs(10, 9, 0));
        (look.profile.enter.missed, look.profile.leave.missed) = (2, 1);
        assert_eq!(ledger.look(&look), undelivered(2, 1));
    }

    #[test]
    fn refusals_that_are_not_told_apart_are_not_counted() {
        let mut ledger = opened(Look::default());
        let all = |enter| Runs { refusal: None, ..runs(enter, enter, 0) };
        let look = still(profile(10, 10, 10), all(10));
        ledger.look(&look);
        assert_eq!(ledger.look(&look), undelivered(0, 0));
    }
}
