//! From what the kernel returned to how the call ended for its caller.
//!
//! The exceptions stand in OPS: a dump that started well returns -EINTR, a test that misses returns "exists". What an
//! errno is called is `model::error`'s business.

use super::error::failure;
use super::op::Op;
use super::record::{Failure, Outcome};

const EINTR: i32 = 4;

/// How a call of `op` on a set of `set_type` ended, given the kernel's result: 0, a negative errno, or `None` where
/// its return was not seen.
pub fn judge(op: Op, result: Option<i32>, set_type: Option<&str>) -> (Outcome, Option<Box<Failure>>) {
    let Some(result) = result else { return (Outcome::Unknown, None) };
    let row = op.row();
    if result == 0 || row.is_some_and(|r| r.success == Some(result)) {
        return (Outcome::Ok, None);
    }
    let failed = failure(result.saturating_neg(), op, set_type);
    if row.is_some_and(|r| r.absent == Some(result)) {
        return (Outcome::Absent, Some(Box::new(failed)));
    }
    if result == -EINTR && matches!(op, Op::ADD | Op::DEL) {
        return (Outcome::Failed, Some(Box::new(unseen_answer())));
    }
    (Outcome::Failed, Some(Box::new(failed)))
}

/// An add or del with line numbers answers its caller itself and returns -EINTR, which is no error of ipset's.
fn unseen_answer() -> Failure {
    Failure {
        errno: None,
        error: None,
        message: "An element failed; which one and why was told only to the caller".into(),
    }
}

/// How many elements took effect, where the result alone tells.
pub fn applied(op: Op, outcome: Outcome, count: u32) -> Option<u32> {
    match (op, outcome) {
        (Op::ADD | Op::DEL, Outcome::Ok) => Some(count),
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
        let (outcome, failure) = judge(op, Some(result), None);
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
        assert_eq!(judge(Op::DEL, None, None), (Outcome::Unknown, None));
    }

    #[test]
    fn eintr_is_never_an_error_of_ipset() {
        for op in [Op::ADD, Op::DEL] {
            let (outcome, failure) = judge(op, Some(-4), None);
            let failure = failure.expect("a failed batch says so");
            assert_eq!((outcome, failure.errno, failure.error), (Outcome::Failed, None, None));
        }
    }

    #[test]
    fn elements_that_took_effect_are_counted_only_where_known() {
        assert_eq!(applied(Op::ADD, Outcome::Ok, 7), Some(7));
        assert_eq!(applied(Op::ADD, Outcome::Failed, 1), Some(0));
        assert_eq!(applied(Op::ADD, Outcome::Failed, 7), None);
        assert_eq!(applied(Op::ADD, Outcome::Unknown, 7), None);
        assert_eq!(applied(Op::TEST, Outcome::Ok, 1), None);
    }
}
