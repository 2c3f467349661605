//! Where one is in a table: which row, on which line of the screen, in which cell.
//!
//! A row is known by its key (an arrival, a row's number), never by its place, so it stays selected whatever comes
//! and goes around it; its line stays too, so the screen does not jump under the eye. It knows no rows.

/// A position in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Key of the selected row.
    pub selected: Option<u64>,
    /// Line of the screen that it is on, from the first row.
    pub line: usize,
    /// Place of the row on the first line.
    pub top: usize,
    /// Column, counted among those on the screen.
    pub cell: usize,
}

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many rows up (negative) or down.
    By(isize),
    /// So many half pages up or down.
    HalfPages(isize),
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
}

impl Step {
    /// The row that it leads to from `row`, and how far that is.
    pub fn from(self, row: usize, len: usize, page: usize) -> usize {
        let last = len.saturating_sub(1);
        let half = (page / 2).max(1).cast_signed();
        match self {
            Self::By(n) => row.saturating_add_signed(n).min(last),
            Self::HalfPages(n) => row.saturating_add_signed(n * half).min(last),
            Self::Top => 0,
            Self::Bottom => last,
        }
    }
}

impl Cursor {
    /// Puts `row` of `len` on its line, as near to where it was as a page of `page` lines lets it.
    pub fn settle(&mut self, row: usize, len: usize, page: usize) {
        let page = page.max(1);
        self.line = self.line.min(page - 1);
        self.top = row.saturating_sub(self.line).min(len.saturating_sub(page));
        self.line = row - self.top.min(row);
        if self.line >= page {
            self.line = page - 1;
            self.top = row - self.line;
        }
    }

    /// Moves the line with the row.
    pub fn moved(&mut self, from: usize, to: usize) {
        self.line = (self.line + to).saturating_sub(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_line_stays_when_rows_come() {
        let mut cursor = Cursor { line: 4, ..Cursor::default() };
        cursor.settle(54, 100, 10);
        assert_eq!((cursor.top, cursor.line), (50, 4));
        cursor.settle(74, 120, 10);
        assert_eq!((cursor.top, cursor.line), (70, 4));
        cursor.settle(1, 120, 10);
        assert_eq!((cursor.top, cursor.line), (0, 1));
        cursor.settle(119, 120, 10);
        assert_eq!((cursor.top, cursor.line), (110, 9));
    }

    proptest! {
        #[test]
        fn the_row_is_on_the_page(row in 0_usize..100, more in 1_usize..100, page in 0_usize..40, line in 0_usize..60) {
            let mut cursor = Cursor { line, ..Cursor::default() };
            cursor.settle(row, row + more, page);
            prop_assert!(cursor.top <= row && row < cursor.top + page.max(1));
            prop_assert_eq!(cursor.top + cursor.line, row);
        }
    }
}
