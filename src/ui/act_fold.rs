//! Folding: the calls of an `ipset restore` in one row, or a row each.
//!
//! It does not draw.

use super::app::App;
use super::tables::Table;

impl App {
    /// Folds or unfolds the restore under the cursor; the cursor stays on it.
    pub(super) fn fold(&mut self) {
        if !self.can_fold() {
            return;
        }
        let Some(row) = Table::row(&self.calls) else { return };
        if self.calls.view.toggle_fold(row) {
            if !self.calls.follow {
                self.calls.settle(self.page);
            }
        } else {
            self.say("this call is no part of a restore of several messages");
        }
    }

    /// Folds or unfolds all restores.
    pub(super) fn fold_all(&mut self) {
        if !self.can_fold() {
            return;
        }
        self.calls.view.toggle_folds();
        self.calls.settle(self.page);
        self.say(if self.calls.view.folded() { "restores are folded: a row each" } else { "restores are unfolded" });
    }

    fn can_fold(&mut self) -> bool {
        let sorted = self.calls.view.sort().is_some();
        if sorted {
            self.complain("rows that are sorted are not folded: s and TIME bring the order of time back");
        }
        !sorted
    }
}
