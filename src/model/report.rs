//! Sums over the calls of a recording: how many, how many elements, how many failed, by whatever is asked.
//!
//! Tables are bounded: what comes beyond is one row, told apart from the others. Losses and gaps in the time that is
//! reported go with the sums. It does not know files, nor how a report is written.

use std::collections::HashMap;
use std::sync::Arc;

use super::callers::CallerKey;
use super::coverage::{Coverage, Gap};
use super::failures::error_name;
use super::filter::Filter;
use super::op::Op;
use super::record::{Call, Event, Outcome, Record, Time};
use super::sets::SetName;
use super::time::SECOND;

/// Rows of a table; the others are one row.
const ROWS: usize = 65_536;

/// What calls are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The operation.
    Op,
    /// The set, in its network namespace; a swap or rename counts for both.
    Set,
    /// Program, parent and user.
    Caller,
    /// The error's name; calls without one are left out.
    Error,
    /// The hour, UTC.
    Hour,
    /// The day, UTC.
    Day,
    /// The effective user.
    User,
    /// The login user.
    Login,
    /// The systemd unit.
    Unit,
    /// The container.
    Container,
    /// The executable.
    Exe,
    /// The network namespace.
    Netns,
    /// The set's type.
    Type,
    /// How calls ended.
    Outcome,
}

impl By {
    /// All of them, and their names.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Op, "op"),
        (Self::Set, "set"),
        (Self::Caller, "caller"),
        (Self::Error, "error"),
        (Self::Hour, "hour"),
        (Self::Day, "day"),
        (Self::User, "user"),
        (Self::Login, "login"),
        (Self::Unit, "unit"),
        (Self::Container, "container"),
        (Self::Exe, "exe"),
        (Self::Netns, "netns"),
        (Self::Type, "type"),
        (Self::Outcome, "outcome"),
    ];

    /// What a report is made of unless something else is asked for.
    pub const USUAL: [Self; 5] = [Self::Op, Self::Set, Self::Caller, Self::Error, Self::Hour];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(by, _)| *by == self).map_or("", |(_, name)| name)
    }

    /// True if rows are in order of time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Hour | Self::Day)
    }
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// An operation.
    Op(Op),
    /// A set.
    Set(u32, SetName),
    /// A caller.
    Caller(CallerKey),
    /// A moment at which an hour or a day begins.
    Time(Time),
    /// A network namespace.
    Netns(u32),
    /// Text; `None` where there is no value.
    Text(Option<Arc<str>>),
    /// How a call ended.
    Outcome(Outcome),
    /// Everything beyond the limit of rows.
    Others,
}

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Calls.
    pub calls: u64,
    /// Elements added: those that took effect, where that is known.
    pub added: u64,
    /// Elements deleted, likewise.
    pub deleted: u64,
    /// Calls that failed or were denied.
    pub failures: u64,
    /// The first call.
    pub first: Time,
    /// The last call.
    pub last: Time,
}

impl Sum {
    fn count(&mut self, one: &Self) {
        if self.calls == 0 {
            self.first = one.first;
        }
        self.calls += one.calls;
        self.added += one.added;
        self.deleted += one.deleted;
        self.failures += one.failures;
        (self.first, self.last) = (self.first.min(one.first), self.last.max(one.last));
    }
}

/// A table of sums.
#[derive(Debug)]
pub struct Table {
    /// What by.
    pub by: By,
    rows: Vec<(Key, Sum)>,
    index: HashMap<Key, u32>,
    last: Option<u32>,
    others: Sum,
}

impl Table {
    fn new(by: By) -> Self {
        Self { by, rows: Vec::new(), index: HashMap::new(), last: None, others: Sum::default() }
    }

    /// The rows, the most calls first, or by time: at most so many, and the sum of those left out, if any are.
    pub fn top(&self, most: usize) -> (Vec<(Key, Sum)>, Option<Sum>) {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.calls));
        let mut others = self.others;
        rows.drain(most.min(rows.len())..).for_each(|(_, sum)| others.count(&sum));
        if self.by.is_time() {
            rows.sort_by_key(|(_, sum)| sum.first);
        }
        (rows, (others.calls > 0).then_some(others))
    }

    /// Rows there are, the others not counted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Counts a call where it belongs. Calls that are alike come in a row.
    fn count(&mut self, is: impl Fn(&Key) -> bool, key: impl FnOnce() -> Key, one: &Sum) {
        if let Some((_, sum)) = self.last.and_then(|last| self.rows.get_mut(last as usize)).filter(|(key, _)| is(key)) {
            return sum.count(one);
        }
        let key = key();
        if let Some(at) = self.index.get(&key) {
            self.last = Some(*at);
            return self.rows[*at as usize].1.count(one);
        }
        if self.rows.len() >= ROWS {
            return self.others.count(one);
        }
        let at = self.rows.len() as u32;
        self.index.insert(key.clone(), at);
        self.rows.push((key, *one));
        self.last = Some(at);
    }
}

/// Counts calls.
#[derive(Debug)]
pub struct Report {
    filter: Filter,
    queries: bool,
    since: Option<Time>,
    until: Option<Time>,
    coverage: Coverage,
    namespaces: HashMap<u32, Arc<str>>,
    /// Over all.
    pub sum: Sum,
    /// By whatever was asked.
    pub tables: Vec<Table>,
}

impl Report {
    /// A report on calls that match, from one moment to another.
    pub fn new(by: &[By], filter: Filter, queries: bool, since: Option<Time>, until: Option<Time>) -> Self {
        Self {
            queries: queries || filter.asks_for_queries(),
            filter,
            since,
            until,
            coverage: Coverage::of_all_ops(),
            namespaces: HashMap::new(),
            sum: Sum::default(),
            tables: by.iter().map(|by| Table::new(*by)).collect(),
        }
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        self.coverage.take(record);
        let Event::Call(call) = &record.event else { return };
        let early = self.since.is_some_and(|since| record.time < since);
        let late = self.until.is_some_and(|until| record.time > until);
        if early || late || call.is_routine() && !self.queries || !self.filter.matches(record) {
            return;
        }
        let applied = call.applied.unwrap_or(if call.outcome == Outcome::Ok { call.count } else { 0 });
        let of = |op| if call.op == op { u64::from(applied) } else { 0 };
        let (added, deleted, failures) = (of(Op::ADD), of(Op::DEL), u64::from(call.outcome.is_failure()));
        let one = Sum { calls: 1, added, deleted, failures, first: record.time, last: record.time };
        self.sum.count(&one);
        if let Some(name) = call.netns_name.as_ref().filter(|_| self.namespaces.len() < ROWS)
            && self.namespaces.get(&call.netns).is_none_or(|known| !Arc::ptr_eq(known, name))
        {
            self.namespaces.insert(call.netns, Arc::clone(name));
        }
        self.tables.iter_mut().for_each(|table| count(table, call, &one));
    }

    /// The time that is reported: from the first record or later to the last one or earlier; `None` without a record.
    pub fn span(&self) -> Option<(Time, Time)> {
        let begins = self.coverage.begins()?;
        let from = self.since.map_or(begins, |since| since.max(begins));
        Some((from, self.until.map_or(self.coverage.ends(), |until| until.min(self.coverage.ends()))))
    }

    /// Where calls may be missing in that time.
    pub fn gaps(&self) -> Vec<Gap> {
        let Some((from, to)) = self.span().filter(|(from, to)| from <= to) else { return Vec::new() };
        self.coverage.gaps(from, to).cloned().collect()
    }

    /// The name of a network namespace.
    pub fn netns_name(&self, inode: u32) -> Option<&str> {
        self.namespaces.get(&inode).map(|name| &**name)
    }
}

fn count(table: &mut Table, call: &Call, one: &Sum) {
    let actor = &*call.actor;
    let text = |table: &mut Table, text: Option<&Arc<str>>| {
        table.count(|key| matches!(key, Key::Text(known) if known.as_ref() == text), || Key::Text(text.cloned()), one);
    };
    let begin = |unit: i64| Time(one.first.0.div_euclid(unit * SECOND) * unit * SECOND);
    match table.by {
        By::Op => table.count(|key| *key == Key::Op(call.op), || Key::Op(call.op), one),
        By::Set => {
            for name in [SetName::of(call), call.set2.clone().map(SetName::Named)].into_iter().flatten() {
                let is = |key: &Key| matches!(key, Key::Set(netns, known) if *netns == call.netns && *known == name);
                table.count(is, || Key::Set(call.netns, name.clone()), one);
            }
        }
        By::Caller => {
            let is = |key: &Key| matches!(key, Key::Caller(known) if is_caller(known, call));
            table.count(is, || Key::Caller(CallerKey::of(actor)), one);
        }
        By::Error if one.failures > 0 => {
            let name = error_name(call);
            let is = |key: &Key| matches!(key, Key::Text(Some(known)) if **known == *name);
            table.count(is, || Key::Text(Some(Arc::from(&*name))), one);
        }
        By::Error => {}
        By::Hour => table.count(|key| *key == Key::Time(begin(3_600)), || Key::Time(begin(3_600)), one),
        By::Day => table.count(|key| *key == Key::Time(begin(86_400)), || Key::Time(begin(86_400)), one),
        By::User => text(table, actor.user.as_ref()),
        By::Login => text(table, actor.login.as_ref()),
        By::Unit => text(table, actor.unit.as_ref()),
        By::Container => text(table, actor.container.as_ref()),
        By::Exe => text(table, actor.exe.as_ref()),
        By::Netns => table.count(|key| *key == Key::Netns(call.netns), || Key::Netns(call.netns), one),
        By::Type => text(table, call.set_type.as_ref()),
        By::Outcome => table.count(|key| *key == Key::Outcome(call.outcome), || Key::Outcome(call.outcome), one),
    }
}

/// As `CallerKey::of` would say, without making one.
fn is_caller(known: &CallerKey, call: &Call) -> bool {
    let origin = &call.actor.origin;
    known.comm == origin.comm
        && known.uid == origin.uid
        && known.parent.as_ref() == origin.parents.first().map(|parent| &parent.comm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{Host, actor, add, call, failed, record};
    use crate::model::record::Seldom;

    fn report(by: &[By], records: impl IntoIterator<Item = Record>) -> Report {
        let mut report = Report::new(by, Filter::all(), false, None, None);
        records.into_iter().for_each(|record| report.take(&record));
        report
    }

    /// Every table holds the same calls, however they are put together.
    #[test]
    fn tables_add_up() {
        let by = By::ALL.map(|(by, _)| by);
        let report = report(&by, Host::new(300, 200).take(5000));
        for table in report.tables.iter().filter(|table| table.by != By::Error) {
            let (rows, others) = table.top(3);
            let sum = rows.iter().map(|(_, sum)| sum).chain(&others).fold(Sum::default(), |mut all, sum| {
                all.count(sum);
                all
            });
            assert_eq!(sum, report.sum, "{:?}", table.by);
            assert!(rows.len() <= 3);
        }
        let errors = report.tables.iter().find(|table| table.by == By::Error).unwrap().top(usize::MAX).0;
        assert_eq!(errors.iter().map(|(_, sum)| sum.calls).sum::<u64>(), report.sum.failures);
        assert_eq!(report.sum.calls, 5000);
    }

    #[test]
    fn only_what_took_effect_is_counted_as_added() {
        let who = actor(1, "ipset", &["cron"]);
        let calls = [
            add("a", "10.0.0.1", &who),
            failed(add("a", "10.0.0.1", &who), 4103, "IPSET_ERR_EXIST"),
            Call { seldom: Seldom::with_set2("b").kept(), ..call(Op::SWAP, Some("a"), &who) },
            call(Op::HEADER, Some("a"), &who),
        ];
        let records = (1..).zip(calls).map(|(n, call)| record(n, n as i64 * 3_600_000, Event::Call(call)));
        let report = report(&[By::Set, By::Hour], records);
        assert_eq!((report.sum.calls, report.sum.added, report.sum.failures), (3, 1, 1));
        let sets = report.tables[0].top(9).0;
        assert_eq!(sets.iter().map(|(_, sum)| sum.calls).collect::<Vec<_>>(), [3, 1], "a swap counts for both");
        assert!(report.tables[1].top(9).0.is_sorted_by_key(|(_, sum)| sum.first));
    }

    #[test]
    fn a_table_is_bounded() {
        let who = actor(1, "ipset", &[]);
        let records = (0..ROWS as u64 + 100)
            .map(|n| record(n + 1, n as i64, Event::Call(call(Op::FLUSH, Some(&format!("x{n}")), &who))));
        let report = report(&[By::Set], records);
        assert_eq!(
            (report.tables[0].len(), report.tables[0].top(usize::MAX).1.map(|sum| sum.calls)),
            (ROWS, Some(100))
        );
    }
}
