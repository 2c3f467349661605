//! A random workload of ipset commands, the same in every run: all set types, all changes, many of which fail.
//!
//! For the tests that rebuild sets from what was recorded; each command comes with the call that it is if it succeeds.

use std::sync::Arc;

use ipsetaudit::model::element::Element;
use ipsetaudit::model::op::Op;
use ipsetaudit::model::record::{Actor, Call, Elements, Outcome, Seldom, Truncated};
use ipsetaudit::model::set_type::Dims;

/// What is comparable of a save: random seeds, sizes that follow from them, clocks and the order of a hash are not.
/// The order of a list is.
pub fn comparable(save: &str) -> Vec<String> {
    let mut lists = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for line in save.lines() {
        let mut words = Vec::new();
        let mut from = line.split(' ').peekable();
        while let Some(word) = from.next() {
            match word {
                "initval" | "hashsize" => _ = from.next(),
                "timeout" if from.peek().is_some_and(|n| n.parse::<u32>().is_ok()) => {
                    let endless = from.next() == Some("0");
                    words.push(format!("timeout {}", if endless { "none" } else { "some" }));
                }
                _ => words.push(word.to_owned()),
            }
        }
        if words[0] == "create" && words[2] == "list:set" {
            lists.push(words[1].clone());
        }
        let place = lines.len();
        let in_list = words[0] == "add" && lists.contains(&words[1]);
        lines.push(if in_list {
            format!("{} {} {place:06} {}", words[0], words[1], words[2..].join(" "))
        } else {
            words.join(" ")
        });
    }
    lines.sort();
    // The place has done its work.
    for line in &mut lines {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        if words.len() == 4
            && words[2].len() == 6
            && words[2].bytes().all(|b| b.is_ascii_digit())
            && lists.iter().any(|l| l == words[1])
        {
            *line = format!("{} {} {}", words[0], words[1], words[3]);
        }
    }
    lines
}

/// A call of nobody that succeeded.
pub fn call(op: Op, set: Option<&str>) -> Call {
    Call {
        op,
        outcome: Outcome::Ok,
        exist: false,
        restore: false,
        truncated: Truncated::default(),
        count: 0,
        applied: None,
        netns: 1,
        tid: 1,
        duration_ns: None,
        set: set.map(Arc::from),
        set_type: None,
        elements: Elements::default(),
        failure: None,
        netns_name: Some(Arc::from("host")),
        actor: Arc::new(Actor::default()),
        seldom: None,
    }
}

/// A random number, the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    fn one_of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Sets, and what they mostly are.
const SETS: [(&str, usize); 22] = [
    ("a", 0),
    ("b", 1),
    ("c", 2),
    ("d", 3),
    ("e;f", 4),
    ("g(h)|", 5),
    ("p", 6),
    ("l1", 7),
    ("l2", 8),
    ("tmp", 2),
    ("bi", 9),
    ("bim", 10),
    ("m", 11),
    ("im", 12),
    ("nn", 13),
    ("np", 14),
    ("ipi", 15),
    ("ipn", 16),
    ("npn", 17),
    ("mark", 18),
    ("masked", 19),
    ("tmp2", 13),
];

/// All types, with create options of every kind.
const TYPES: [(&str, &str); 20] = [
    ("hash:ip", "family inet"),
    ("hash:ip", "family inet6 comment"),
    ("hash:ip", "family inet timeout 5000 counters"),
    ("hash:net", "family inet comment maxelem 20"),
    ("hash:ip,port", "family inet skbinfo"),
    ("hash:net,iface", "family inet"),
    ("bitmap:port", "range 0-100 timeout 3000"),
    ("list:set", "size 8"),
    ("list:set", "size 8 timeout 4000 comment"),
    ("bitmap:ip", "range 10.0.0.0/24 counters"),
    ("bitmap:ip,mac", "range 10.0.0.0-10.0.0.40 comment"),
    ("hash:mac", "hashsize 64 timeout 4000"),
    ("hash:ip,mac", "family inet comment"),
    ("hash:net,net", "family inet counters skbinfo"),
    ("hash:net,port", "family inet6 timeout 6000"),
    ("hash:ip,port,ip", "family inet comment"),
    ("hash:ip,port,net", "family inet maxelem 30"),
    ("hash:net,port,net", "family inet forceadd comment"),
    ("hash:ip,mark", "family inet markmask 0xff comment"),
    ("hash:ip", "family inet netmask 30 counters"),
];

fn a_set(dice: &mut Dice) -> (&'static str, usize) {
    let (set, usual) = SETS[dice.below(SETS.len())];
    (set, if dice.below(8) == 0 { dice.below(TYPES.len()) } else { usual })
}

/// An element that a set of a type can take, most of the time. A range only if `whole`: where one address of it is
/// refused, the kernel has taken those before it, and nobody is told how many.
fn element(dice: &mut Dice, kind: usize, with_options: bool, whole: bool) -> String {
    let (set_type, create) = TYPES[kind];
    if set_type == "list:set" {
        let (member, other) = (a_set(dice).0, a_set(dice).0);
        let place = if with_options { dice.one_of(&["", "", "before", "after"]) } else { "" };
        let place = if place.is_empty() { String::new() } else { format!(" {place} {other}") };
        return format!("{member}{place}{}", options(dice, set_type, create, with_options));
    }
    let n = dice.below(30);
    let dims: Vec<_> = set_type.split_once(':').map_or("", |(_, dims)| dims).split(',').collect();
    let six = create.contains("inet6");
    let key: Vec<String> = dims
        .iter()
        .map(|dim| match *dim {
            "ip" if six => format!("2001:db8::{n:x}"),
            "ip" if whole && n == 7 && dims.len() == 1 => format!("10.0.0.{n}-10.0.0.{}", n + 5),
            "ip" => format!("10.0.0.{n}"),
            "net" if six => format!("2001:db8:{n:x}::/48"),
            "net" => format!("10.0.{n}.0/24"),
            "port" if dims.len() == 1 => format!("{n}"),
            "port" if n == 3 => "icmp:echo-request".replace("icmp", if six { "icmpv6" } else { "icmp" }),
            "port" => format!("{}:{}", dice.one_of(&["tcp", "udp", "sctp"]), 80 + dice.below(3)),
            "mac" => format!("02:00:00:00:00:{n:02X}"),
            "mark" => format!("{:#x}", n / 10),
            _ => format!("{}eth{}", dice.one_of(&["", "", "physdev:"]), dice.below(3)),
        })
        .collect();
    key.join(",") + &options(dice, set_type, create, with_options)
}

/// Options of an element, of those that its set can keep.
fn options(dice: &mut Dice, set_type: &str, create: &str, wanted: bool) -> String {
    let mut all: Vec<&str> = vec!["", ""];
    for (kept, some) in [
        ("timeout", &[" timeout 3000", " timeout 0", " timeout 900"][..]),
        ("counters", &[" packets 5 bytes 7"]),
        ("comment", &[" comment \"a b; # c\""]),
        ("skbinfo", &[" skbmark 0x5", " skbprio 1:2 skbqueue 3", " skbmark 0x1/0xff"]),
    ] {
        if create.split(' ').any(|word| word == kept) {
            all.extend(some);
        }
    }
    if set_type.contains("net") {
        all.push(" nomatch");
    }
    if set_type.contains("iface") {
        all.push(" wildcard");
    }
    let mut chosen = if wanted { dice.one_of(&all).to_owned() } else { String::new() };
    // A new element without counters has those of the deleted one in whose place the kernel puts it, if that is in one.
    if wanted && create.ends_with(" counters") && !chosen.contains("packets") {
        chosen.push_str(" packets 0 bytes 0");
    }
    chosen
}

/// A command: its lines as `ipset restore` reads them, and the call that it is if it succeeds.
pub struct Command {
    pub exist: bool,
    pub lines: Vec<String>,
    pub call: Call,
}

impl Command {
    /// As a shell runs it, alone: elements by `ipset restore`, for its line numbers.
    pub fn shell(&self) -> String {
        let dash = if self.exist { "-exist " } else { "" };
        if matches!(self.call.op, Op::ADD | Op::DEL) {
            return format!("ipset {dash}restore <<'END'\n{}\nEND", self.lines.join("\n"));
        }
        let words: Vec<_> = self.lines[0].split(' ').map(|word| format!("'{word}'")).collect();
        format!("ipset {dash}{}", words.join(" "))
    }
}

/// The lines that create every set as what it mostly is.
#[allow(dead_code, reason = "not every test begins with sets")]
pub fn creates() -> impl Iterator<Item = String> {
    SETS.iter().map(|(set, kind)| format!("create '{set}' {} {}", TYPES[*kind].0, TYPES[*kind].1))
}

/// A command of any kind.
pub fn command(dice: &mut Dice) -> Command {
    let ((set, kind), (other, _), n) = (a_set(dice), a_set(dice), dice.below(1000));
    let exist = dice.below(3) == 0;
    let made = |op: Op| Call { exist, ..call(op, Some(set)) };
    let one = |line: String, call: Call| Command { exist, lines: vec![line], call };
    match n {
        0..200 => {
            let (set_type, options) = TYPES[kind];
            let call = Call {
                set_type: Some(set_type.into()),
                seldom: Seldom::with_options(options).kept(),
                ..made(Op::CREATE)
            };
            one(format!("create {set} {set_type} {options}"), call)
        }
        200..900 => {
            let op = if n < 750 { Op::ADD } else { Op::DEL };
            let many = if dice.below(4) == 0 { 4 } else { 1 };
            let elements: Vec<_> = (0..many).map(|_| element(dice, kind, op == Op::ADD, exist)).collect();
            let lines: Vec<_> = elements.iter().map(|e| format!("{op} {set} {e}")).collect();
            let dims = Dims::of(Some(TYPES[kind].0));
            let texts: Vec<_> = elements
                .iter()
                .map(|e| Element::parse(e, dims).map_or_else(|| panic!("{e} is no element"), |e| e.to_string()))
                .collect();
            Command {
                exist,
                lines,
                call: Call { count: many, elements: Elements::from_lines(texts.join("\n")), ..made(op) },
            }
        }
        900..930 => one(format!("destroy {set}"), Call { exist: false, ..made(Op::DESTROY) }),
        930..950 => {
            one(format!("rename {set} {other}"), Call { seldom: Seldom::with_set2(other).kept(), ..made(Op::RENAME) })
        }
        950..985 => {
            one(format!("swap {set} {other}"), Call { seldom: Seldom::with_set2(other).kept(), ..made(Op::SWAP) })
        }
        985..997 => one(format!("flush {set}"), made(Op::FLUSH)),
        997..998 => one("flush".to_owned(), call(Op::FLUSH, None)),
        _ => one("destroy".to_owned(), call(Op::DESTROY, None)),
    }
}
