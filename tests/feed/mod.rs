//! Made-up records for screens, benches and the development screen: the days that an operator knows.
//!
//! Everything is a function of its arguments, so the same screen comes out every time.

#![allow(dead_code, clippy::unwrap_used)]

use std::borrow::Cow;
use std::sync::Arc;

use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{
    Actor, Call, Cause, Elements, Event, Failure, Lost, Origin, Outcome, Parent, Record, Start, Time, Truncated,
};

/// 2026-08-22 10:03:40 UTC.
pub const BEGIN: Time = Time(1_787_393_020_000_000_000);
/// A second.
pub const SECOND: i64 = 1_000_000_000;

/// Makes records, one after the other.
#[derive(Debug)]
pub struct Feed {
    /// Time of the next record.
    pub time: Time,
    seq: u64,
    dice: u64,
    pid: u32,
    people: Vec<Arc<Actor>>,
}

/// Somebody: program, ancestors, user.
pub fn actor(pid: u32, comm: &str, parents: &[(u32, &str)], uid: u32, user: &str, cmdline: &str) -> Arc<Actor> {
    let origin = Origin {
        comm: Some(comm.into()),
        exe: Some(format!("/usr/sbin/{comm}").into()),
        ppid: parents.first().map(|p| p.0),
        parents: parents.iter().map(|(pid, comm)| Parent { pid: *pid, comm: (*comm).into() }).collect(),
        uid: Some(uid),
        user: Some(user.into()),
        gid: Some(uid),
        auid: (uid != 0).then_some(uid),
        login: (uid != 0).then(|| user.into()),
        ses: (uid != 0).then_some(4),
        tty: (uid != 0).then(|| "pts/0".into()),
        cgroup: Some("/system.slice/fail2ban.service".into()),
        unit: Some("fail2ban.service".into()),
        container: None,
    };
    let started = Some(Time(BEGIN.0 - 100 * SECOND + i64::from(pid) * 1_000_000));
    Arc::new(Actor { pid, started, cmdline: Some(cmdline.into()), origin: Arc::new(origin) })
}

/// A call that went well.
pub fn call(op: Op, set: Option<&str>, element: &str, actor: &Arc<Actor>) -> Call {
    Call {
        op,
        outcome: Outcome::Ok,
        exist: false,
        restore: false,
        truncated: Truncated::default(),
        count: u32::from(!element.is_empty()),
        applied: (!element.is_empty()).then_some(1),
        netns: 4_026_531_840,
        tid: actor.pid,
        duration_ns: Some(4_200),
        set: set.map(Into::into),
        set_type: Some("hash:ip".into()),
        elements: Elements::from_lines(element),
        failure: None,
        netns_name: Some("host".into()),
        actor: Arc::clone(actor),
        seldom: None,
    }
}

/// A call that did not.
pub fn failed(mut call: Call, errno: i32, error: &'static str, message: &'static str) -> Call {
    call.outcome = if error == "EPERM" { Outcome::Denied } else { Outcome::Failed };
    call.applied = None;
    call.failure = Some(Box::new(Failure {
        errno: Some(errno),
        error: Some(Cow::Borrowed(error)),
        message: Cow::Borrowed(message),
    }));
    call
}

impl Default for Feed {
    fn default() -> Self {
        let ipset = |pid, parents: &[(u32, &str)], uid, user, line| actor(pid, "ipset", parents, uid, user, line);
        let people = vec![
            ipset(
                31_544,
                &[(900, "fail2ban-server"), (1, "systemd")],
                0,
                "root",
                "ipset add f2b-sshd 192.0.2.7 timeout 600",
            ),
            ipset(31_602, &[(2100, "k3s-server"), (1, "systemd")], 0, "root", "ipset restore -exist"),
            ipset(31_650, &[(31_640, "update.sh"), (700, "cron"), (1, "systemd")], 0, "root", "ipset restore"),
            ipset(
                31_700,
                &[(31_690, "bash"), (31_680, "sshd"), (800, "sshd")],
                1000,
                "alice",
                "ipset test blocklist 10.0.0.9",
            ),
            ipset(31_800, &[], 1001, "mallory", "ipset destroy"),
        ];
        Self { time: BEGIN, seq: 0, dice: 0x9E37_79B9_7F4A_7C15, pid: 40_000, people }
    }
}

impl Feed {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    /// A record of an event, `nanoseconds` after the last.
    pub fn record(&mut self, event: Event, nanoseconds: i64) -> Record {
        self.time.0 += nanoseconds;
        self.seq += 1;
        Record { seq: self.seq, time: self.time, event }
    }

    /// The record that a run begins with.
    pub fn start(&mut self) -> Record {
        let start = Start {
            version: "0.1.0".to_owned(),
            host: Some("web-1".to_owned()),
            kernel: "6.12.38".to_owned(),
            probe: "kprobe".to_owned(),
            ..Start::default()
        };
        self.record(Event::Start(Box::new(start)), 0)
    }

    /// One of the program's usual callers under a new process id, as every command is a new process.
    fn somebody(&mut self, n: usize) -> Arc<Actor> {
        self.pid += 3;
        let mut actor = (*self.people[n]).clone();
        actor.pid = self.pid;
        Arc::new(actor)
    }

    /// What goes on all day: bans, a few tests, a list reloaded; rarely something goes wrong.
    pub fn ordinary(&mut self) -> Record {
        let (a, b, c) = (self.roll(250), self.roll(256), self.roll(256));
        let element = format!("{}.{b}.{c}.{}", 1 + a % 223, self.roll(254) + 1);
        let jails = ["f2b-sshd", "f2b-nginx-http-auth", "f2b-postfix", "f2b-dovecot"];
        let jail = jails[self.roll(4) as usize];
        let made = match self.roll(100) {
            0..62 => {
                let who = self.somebody(0);
                call(Op::ADD, Some(jail), &format!("{element} timeout 600"), &who)
            }
            62..80 => {
                let who = self.somebody(0);
                call(Op::DEL, Some(jail), &element, &who)
            }
            80..90 => {
                let who = self.somebody(3);
                let mut test = call(Op::TEST, Some("blocklist"), &element, &who);
                test.outcome = if self.roll(2) == 0 { Outcome::Absent } else { Outcome::Ok };
                test
            }
            90..94 => {
                let who = self.somebody(1);
                let mut swap = call(Op::SWAP, Some("TMP-KJH2XW"), "", &who);
                swap.set2 = Some("KUBE-DST-VBW7".into());
                swap.set_type = None;
                swap
            }
            94..97 => {
                let who = self.somebody(2);
                let lines = (0..64).map(|n| format!("198.51.100.{n}")).collect::<Vec<_>>().join("\n");
                let mut add = call(Op::ADD, Some("blocklist"), "", &who);
                (add.count, add.applied, add.elements) = (64, Some(64), Elements::from_lines(lines));
                add.set_type = Some("hash:net".into());
                add
            }
            97 => {
                let who = self.somebody(3);
                call(Op::LIST, None, "", &who)
            }
            98 => {
                let who = self.somebody(0);
                failed(
                    call(Op::ADD, Some(jail), &element, &who),
                    4103,
                    "IPSET_ERR_EXIST",
                    "Element cannot be added to the set: it's already added",
                )
            }
            _ => {
                let who = self.somebody(1);
                failed(
                    call(Op::DESTROY, Some("blocklist"), "", &who),
                    4100,
                    "IPSET_ERR_BUSY",
                    "Set cannot be destroyed: it is in use by a kernel component",
                )
            }
        };
        let pause = 1_000_000 + self.roll(180_000_000) as i64;
        self.record(Event::Call(made), pause)
    }

    /// A little of everything that a screen must tell apart.
    pub fn little(&mut self) -> Vec<Record> {
        let mut records = vec![self.start()];
        records.extend((0..9).map(|_| self.ordinary()));
        let who = self.somebody(2);
        let mut create = call(Op::CREATE, Some("TMP-KJH2XW"), "", &who);
        create.options = Some("family inet hashsize 1024 maxelem 65536".into());
        let lines = (0..4000).map(|n| format!("10.{}.{}.0/24 comment \"feed line {n}\"", n / 250, n % 250));
        let mut restore = call(Op::ADD, Some("blocklist"), "", &who);
        restore.elements = Elements::from_lines(lines.collect::<Vec<_>>().join("\n"));
        (restore.count, restore.set_type) = (4000, Some("hash:net".into()));
        let mut restore =
            failed(restore, 4103, "IPSET_ERR_EXIST", "Element cannot be added to the set: it's already added");
        (restore.line, restore.applied) = (Some(502), Some(501));
        let mut rename = call(Op::RENAME, Some("KUBE-SRC-OLD"), "", &self.people[1].clone());
        rename.set2 = Some("KUBE-SRC-NEW".into());
        let mallory = self.people[4].clone();
        let k3s = self.somebody(1);
        let busy = failed(
            call(Op::DESTROY, Some("blocklist"), "", &k3s),
            4100,
            "IPSET_ERR_BUSY",
            "Set cannot be destroyed: it is in use by a kernel component",
        );
        let denied = failed(call(Op::DESTROY, None, "", &mallory), 1, "EPERM", "Operation not permitted");
        for (made, pause) in [(create, 40), (restore, 3), (rename, 700), (busy, 300), (denied, 900)] {
            records.push(self.record(Event::Call(made), pause * 1_000_000));
        }
        records.extend((0..2).map(|_| self.ordinary()));
        records.push(self.lost(412));
        records.extend((0..6).map(|_| self.ordinary()));
        records
    }

    /// Calls that the ring had no room for.
    pub fn lost(&mut self, count: u64) -> Record {
        let first = self.time;
        let lost =
            Lost { cause: Cause::RingFull, op: None, count: Some(count), total: count, first, last: Some(first) };
        self.record(Event::Lost(lost), 20_000_000)
    }

    /// The probe does not fire any more.
    pub fn blind(&mut self) -> Record {
        let first = self.time;
        let lost = Lost { cause: Cause::Blind, op: None, count: None, total: 1, first, last: None };
        self.record(Event::Lost(lost), SECOND)
    }

    /// Names and texts that would break a careless screen. (Control bytes were escaped at the boundary.)
    pub fn hostile(&mut self) -> Vec<Record> {
        let mut records = vec![self.start()];
        let names = [
            "日本語のセット名",
            "a;rm -rf / |(x)",
            "=cmd|' /C calc'!A0",
            "e\u{301}e\u{301}e\u{301}-combining",
            "👨‍👩‍👧‍👦-family",
            "\\x1b[2J\\x1b[31mred",
            "sp ace  two",
            "한국어-이름",
            "x",
            "-minus",
            "ｆｕｌｌｗｉｄｔｈ",
            "\\u{202e}kcolb",
        ];
        for (n, name) in names.into_iter().cycle().take(40).enumerate() {
            let who = actor(
                50_000 + n as u32,
                name,
                &[(77, "親プロセス"), (76, "<script>"), (75, "a\\nb")],
                1000 + n as u32 % 3,
                "ユーザー",
                name,
            );
            let element = format!("10.0.0.{n} comment \"{name} {}\"", name.repeat(6));
            let made = call(if n % 3 == 0 { Op::DEL } else { Op::ADD }, Some(name), &element, &who);
            let made = if n % 7 == 3 {
                failed(made, 4100, "IPSET_ERR_BUSY", "Set cannot be destroyed: it is in use by a kernel component")
            } else {
                made
            };
            records.push(self.record(Event::Call(made), 30_000_000));
        }
        records
    }

    /// Sixty sets in three namespaces, written to by several programs.
    pub fn sixty_sets(&mut self) -> Vec<Record> {
        let mut records = vec![self.start()];
        let spaces = [("host", 4_026_531_840), ("blue", 4_026_532_100), ("green", 4_026_532_101)];
        for n in 0..3000_u64 {
            let set = self.roll(60).min(self.roll(60));
            let caller = self.roll(4) as usize;
            let who = self.somebody(caller);
            let element = format!("10.{}.{}.{}", n / 250 % 250, n % 250, set);
            let op = if self.roll(4) == 0 { Op::DEL } else { Op::ADD };
            let mut made =
                call(op, Some(&format!("policy-{set:02}-{}", ["in", "out", "dns"][set as usize % 3])), &element, &who);
            let (name, netns) = spaces[set as usize % 3];
            (made.netns, made.netns_name) = (netns, Some(name.into()));
            if self.roll(40) == 0 {
                made = failed(made, 4103, "IPSET_ERR_EXIST", "Element cannot be added to the set: it's already added");
            }
            records.push(self.record(Event::Call(made), 20_000_000));
        }
        records
    }
}
