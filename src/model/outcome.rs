//! From what the kernel returned to how the call ended for its caller.
//!
//! The exceptions stand in OPS: a dump that started well returns -EINTR, a test that misses returns "exists". What an
//! errno is called is `model::error`'s business.

use super::error::failure;
use super::op::Op;
use super::record::{Failure, Outcome};

const EPERM: i32 = 1;
const EINTR: i32 = 4;

/// What the kernel said of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Its return was not seen.
    Nothing,
    /// It returned: 0 or a negative errno, and with it what ipset had answered to the caller by itself.
    Returned(i32, Option<i32>),
    /// It was refused before ipset saw it, with a negative errno.
    Refused(i32),
    /// It was too short for ipset, which the kernel passes over without an error.
    Ignored,
}

/// How a call of `op` on a set of `set_type` ended.
#[inline]
pub fn judge(op: Op, said: Said, set_type: Option<&str>) -> (Outcome, Option<Box<Failure>>) {
    let failed = |outcome, errno: i32| (outcome, Some(Box::new(failure(errno.saturating_neg(), op, set_type))));
    let row = || op.row();
    match said {
        Said::Nothing => (Outcome::Unknown, None),
        Said::Ignored => (Outcome::Failed, Some(Box::new(without_errno(IGNORED)))),
        Said::Refused(errno) if errno == -EPERM => failed(Outcome::Denied, errno),
        Said::Refused(errno) => failed(Outcome::Failed, errno),
        Said::Returned(0, _) => (Outcome::Ok, None),
        Said::Returned(result, _) if row().is_some_and(|r| r.success == Some(result)) => (Outcome::Ok, None),
        Said::Returned(result, _) if row().is_some_and(|r| r.absent == Some(result)) => failed(Outcome::Absent, result),
        // An add or del with line numbers answers its caller itself and returns -EINTR, which is no error of ipset's.
        Said::Returned(result, answer) if result == -EINTR && matches!(op, Op::ADD | Op::DEL) => match answer {
            Some(errno) => failed(Outcome::Failed, errno),
            None => (Outcome::Failed, Some(Box::new(without_errno(UNSEEN)))),
        },
        Said::Returned(result, _) => failed(Outcome::Failed, result),
    }
}

const IGNORED: &str = "The message is too short for ipset: the kernel passes over it";
const UNSEEN: &str = "An element failed; which one and why was told only to the caller";

fn without_errno(message: &'static str) -> Failure {
    Failure { errno: None, error: None, message: message.into() }
}

/// How many of `count` elements took effect. `failing` is the index of the failing element in a batch, where known.
pub fn applied(op: Op, outcome: Outcome, count: u32, failing: Option<u32>) -> Option<u32> {
    match (op, outcome) {
        (Op::ADD | Op::DEL, Outcome::Ok) => Some(count),
        (Op::ADD | Op::DEL, Outcome::Failed) if failing.is_some() => failing,
        // Without line numbers a batch stops at the failing element and does not say which one that was.
        (Op::ADD | Op::DEL, Outcome::Failed) if count > 1 => None,
        (Op::ADD | Op::DEL, Outcome::Failed | Outcome::Denied) => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(op: Op, result: i32) -> (Outcome, Option<i32>) {
        let (outcome, failure) = judge(op, Said::Returned(result, None), None);
        (outcome, failure.and_then(|f| f.errno))
    }

    #[test]
    fn each_result_of_the_kernel_is_told_as_its_caller_was() {
        assert_eq!(end(Op::CREATE, 0), (Outcome::Ok, None));
        assert_eq!(end(Op::CREATE, -17), (Outcome::Failed, Some(17)));
        assert_eq!(end(Op::ADD, -4103), (Outcome::Failed, Some(4103)));
        assert_eq!(end(Op::TEST, -4103), (Outcome::Absent, Some(4103)));
        assert_eq!(end(Op::LIST, -4), (Outcome::Ok, None));
        assert_eq!(end(Op::SAVE, -4), (Outcome::Ok, None));
        assert_eq!(end(Op::SAVE, -2), (Outcome::Failed, Some(2)));
        assert_eq!(judge(Op::DEL, Said::Nothing, None), (Outcome::Unknown, None));
    }

    #[test]
    fn eintr_is_never_an_error_of_ipset() {
        for op in [Op::ADD, Op::DEL] {
            let (outcome, failure) = judge(op, Said::Returned(-4, None), None);
            let failure = failure.expect("a failed batch says so");
            assert_eq!((outcome, failure.errno, failure.error), (Outcome::Failed, None, None));
        }
        let (outcome, failure) = judge(Op::ADD, Said::Returned(-4, Some(-4103)), None);
        assert_eq!((outcome, failure.and_then(|f| f.errno)), (Outcome::Failed, Some(4103)));
    }

    #[test]
    fn what_never_reached_ipset_is_told_as_it_was() {
        let end = |said| {
            let (outcome, failure) = judge(Op::DESTROY, said, None);
            (outcome, failure.and_then(|f| f.errno))
        };
        assert_eq!(end(Said::Refused(-1)), (Outcome::Denied, Some(1)));
        assert_eq!(end(Said::Refused(-95)), (Outcome::Failed, Some(95)));
        assert_eq!(end(Said::Ignored), (Outcome::Failed, None));
    }

    #[test]
    fn elements_that_took_effect_are_counted_only_where_known() {
        assert_eq!(applied(Op::ADD, Outcome::Ok, 7, None), Some(7));
        assert_eq!(applied(Op::ADD, Outcome::Failed, 1, None), Some(0));
        assert_eq!(applied(Op::ADD, Outcome::Failed, 7, None), None);
        assert_eq!(applied(Op::ADD, Outcome::Failed, 167, Some(166)), Some(166));
        assert_eq!(applied(Op::ADD, Outcome::Unknown, 7, None), None);
        assert_eq!(applied(Op::TEST, Outcome::Ok, 1, None), None);
    }
}
