//! Whether an element is in a content: which adds that cover it, or lie in it, no del has undone.
//!
//! A set of addresses holds addresses: an added network is all of its addresses, and any of them can be deleted. A set of
//! networks holds networks: only that same network can be deleted, and the smallest that covers an address decides. So
//! the dimensions of an element are cut down to what is asked for unless they are networks. Time comes from records.

use crate::model::element::Element;
use crate::model::filter::address::{Dimension, Query};
use crate::model::record::{Event, Record, Time};
use crate::model::set_type::Dims;
use crate::model::time::SECOND;

/// Members of one content that are kept.
const MOST: usize = 1024;

/// The element that is asked for.
#[derive(Debug)]
pub struct Sought {
    text: String,
    query: Query,
    dimensions: Vec<Dimension>,
}

impl Sought {
    /// An address, a network, or whatever stands behind `elem=` in a filter.
    pub fn new(text: &str) -> Self {
        let query = Query::of(text);
        Self { text: text.to_owned(), dimensions: query.dimensions().collect(), query }
    }

    /// As it was asked for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the element covers it, or lies in it. In a set with a netmask an address stands for its network.
    pub fn touches(&self, element: &str, netmask: Option<u8>) -> bool {
        match netmask {
            None => self.query.touches(element),
            Some(bits) => self.query.touches(&masked(key(element), bits)),
        }
    }

    /// True if it is one address, and the element just that.
    fn is(&self, element: &str) -> bool {
        let &[one] = &self.dimensions[..] else { return false };
        let single = match one {
            Dimension::V4(a, b) => a == b,
            Dimension::V6(a, b) => a == b,
            Dimension::Ports(..) | Dimension::Text => false,
        };
        single && one == Dimension::parse(key(element))
    }

    /// So much of a dimension of an element, by its place there, as is asked for.
    fn cut(&self, place: usize, dimension: Dimension) -> Dimension {
        let wanted = match &self.dimensions[..] {
            [one] => Some(one),
            several => several.get(place),
        };
        wanted.and_then(|wanted| both(*wanted, dimension)).unwrap_or(dimension)
    }
}

/// An element without its options.
fn key(element: &str) -> &str {
    element.split(' ').next().unwrap_or(element)
}

/// An address with the length of the netmask behind it.
fn masked(key: &str, bits: u8) -> String {
    let (address, rest) = key.split_once(',').map_or((key, None), |(a, r)| (a, Some(r)));
    let address = if address.contains(['/', '-']) { address.to_owned() } else { format!("{address}/{bits}") };
    rest.map_or(address.clone(), |rest| format!("{address},{rest}"))
}

/// When an element times out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It does not.
    Never,
    /// Then.
    At(Time),
    /// The default of its set is not known.
    Unknown,
}

/// One part of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A network, or what is compared as a whole.
    Whole(Dimension, Box<str>),
    /// So much of it as is asked for.
    Cut(Dimension),
}

/// An element that is in the content.
#[derive(Clone, Debug)]
pub struct Member {
    parts: Vec<Part>,
    /// As it was added.
    pub text: Box<str>,
    /// The call that added it, or that found it there.
    pub by: Box<Record>,
    /// When it goes by itself.
    pub expiry: Expiry,
    /// An exception from larger networks.
    pub nomatch: bool,
    /// Nothing that may have undone it was seen.
    pub sure: bool,
    /// It was found there; who added it was not seen.
    pub found: bool,
    /// How many elements it stands for, those that were deleted taken off.
    left: u128,
}

impl Member {
    /// How many elements it covers, to find the smallest.
    pub fn size(&self) -> u128 {
        Members::size(&self.parts)
    }

    /// Parts of it were deleted.
    pub fn in_part(&self) -> bool {
        self.left < self.size()
    }

    /// When it goes by itself, where that is known.
    pub fn times_out(&self) -> Option<Time> {
        match self.expiry {
            Expiry::At(time) => Some(time),
            Expiry::Never | Expiry::Unknown => None,
        }
    }
}

/// How an element that is deleted or added stands to one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// It is all of it.
    Covers,
    /// It is a part of it, of so many elements.
    Part(u128),
    /// They have something in common.
    Meets,
    /// They have nothing in common.
    Apart,
}

/// What is known of a set that an element belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// The set's type.
    pub set_type: Option<&'a str>,
    /// Its default timeout: `None` where not known, `Some(None)` where its elements have none.
    #[allow(clippy::option_option, reason = "not known is not the same as none")]
    pub timeout: Option<Option<u32>>,
    /// The length that its addresses are cut to.
    pub netmask: Option<u8>,
}

/// The elements of a content that touch what is asked for.
#[derive(Clone, Debug, Default)]
pub struct Members {
    list: Vec<Member>,
    /// More than are kept: what is there is no longer known.
    pub many: bool,
    /// The last that timed out.
    pub timed_out: Option<Box<(Member, Time)>>,
    /// The last call that removed one.
    pub removed: Option<Box<Record>>,
    /// The last test that did not find what should have been there.
    pub missing: Option<Box<Record>>,
}

impl Members {
    /// Those that are in at a moment.
    pub fn at(&mut self, now: Time) -> &[Member] {
        self.expire(now);
        &self.list
    }

    /// An element is added; true if it was there.
    pub fn add(&mut self, sought: &Sought, text: &str, kind: Kind<'_>, record: &Record, sure: bool) -> bool {
        self.expire(record.time);
        let parts = parts(sought, text, kind);
        let before = self.list.len();
        self.list.retain_mut(|member| match relation(&parts, &member.parts) {
            Relation::Covers => !sure,
            // From now on it takes two calls to delete all of it, and nobody counts that.
            Relation::Part(_) => {
                member.sure &= member.left == Self::size(&member.parts);
                true
            }
            Relation::Meets | Relation::Apart => true,
        });
        let renewed = self.list.len() < before;
        if self.list.len() >= MOST {
            self.many = true;
            return renewed;
        }
        let element = Element::parse(text, Dims::of(kind.set_type)).unwrap_or_default();
        let expiry = match (element.timeout, kind.timeout) {
            (Some(0), _) | (None, Some(None | Some(0))) => Expiry::Never,
            (Some(n), _) | (None, Some(Some(n))) => Expiry::At(Time(record.time.0 + i64::from(n) * SECOND)),
            (None, None) => Expiry::Unknown,
        };
        let by = Box::new(super::story::brief(record, |e| e == text));
        let nomatch = element.nomatch;
        let (text, left) = (key(text).into(), Self::size(&parts));
        self.list.push(Member { parts, text, by, expiry, nomatch, sure, found: false, left });
        renewed
    }

    /// An element is deleted.
    pub fn del(&mut self, sought: &Sought, text: &str, kind: Kind<'_>, record: &Record, sure: bool) {
        self.expire(record.time);
        let parts = parts(sought, text, kind);
        let before = self.list.len();
        self.list.retain_mut(|member| match relation(&parts, &member.parts) {
            Relation::Covers if sure => false,
            Relation::Part(size) if sure && !exist(record) => {
                member.left = member.left.saturating_sub(size);
                member.left > 0
            }
            Relation::Covers | Relation::Part(_) | Relation::Meets => {
                member.sure = false;
                true
            }
            Relation::Apart => true,
        });
        // What nobody saw added was there all the same.
        if sure && (self.list.len() < before || before == 0) {
            self.removed = Some(Box::new(super::story::brief(record, |e| e == text)));
        }
    }

    /// All of them go.
    pub fn clear(&mut self, record: &Record) {
        self.expire(record.time);
        self.many = false;
        if !self.list.is_empty() {
            self.list.clear();
            self.removed = Some(Box::new(super::story::brief(record, |_| false)));
        }
    }

    /// Somebody was told that it is there, or that it is not; true if that was not known.
    pub fn told(&mut self, sought: &Sought, text: &str, present: bool, record: &Record) -> bool {
        self.expire(record.time);
        if !sought.is(text) || present != self.list.is_empty() || self.list.iter().any(|m| m.nomatch) || self.many {
            return false;
        }
        if present {
            let by = Box::new(super::story::brief(record, |e| e == text));
            let (parts, text) = (vec![Part::Cut(Dimension::parse(key(text)))], key(text).into());
            let expiry = Expiry::Unknown;
            self.list.push(Member { parts, text, by, expiry, nomatch: false, sure: true, found: true, left: 1 });
        } else {
            self.list.clear();
            self.removed = None;
            self.missing = Some(Box::new(super::story::brief(record, |e| e == text)));
        }
        true
    }

    fn expire(&mut self, now: Time) {
        let timed_out = &mut self.timed_out;
        self.list.retain(|member| match member.expiry {
            Expiry::At(at) if at <= now => {
                if timed_out.as_ref().is_none_or(|last| last.1 <= at) {
                    *timed_out = Some(Box::new((member.clone(), at)));
                }
                false
            }
            _ => true,
        });
    }

    /// How many elements that is, of addresses and ports.
    fn size(parts: &[Part]) -> u128 {
        let widths = parts.iter().map(|part| match part {
            Part::Whole(d, _) | Part::Cut(d) => width(*d),
        });
        widths.fold(1, u128::saturating_mul)
    }
}

/// True if a call that was asked to delete what is not there may have done nothing.
fn exist(record: &Record) -> bool {
    matches!(&record.event, Event::Call(call) if call.exist)
}

fn width(dimension: Dimension) -> u128 {
    match dimension {
        Dimension::V4(a, b) => u128::from(b - a) + 1,
        Dimension::V6(a, b) => (b - a).saturating_add(1),
        Dimension::Ports(_, a, b) => u128::from(b - a) + 1,
        Dimension::Text => 1,
    }
}

/// The parts of an element of a set, those that are no networks cut down to what is asked for.
fn parts(sought: &Sought, text: &str, kind: Kind<'_>) -> Vec<Part> {
    let masked = kind.netmask.map(|bits| masked(key(text), bits));
    let text = masked.as_deref().unwrap_or(key(text));
    let mut names = kind.set_type.and_then(|t| t.split_once(':')).map_or("", |(_, names)| names).split(',');
    text.split(',')
        .enumerate()
        .map(|(place, part)| {
            let dimension = Dimension::parse(part);
            // Of a type that is not known, a network may be one.
            let network = names.next().is_none_or(|name| name == "net" || name.is_empty());
            match dimension {
                Dimension::Text => Part::Whole(dimension, part.to_ascii_lowercase().into()),
                _ if network => Part::Whole(dimension, "".into()),
                _ => Part::Cut(sought.cut(place, dimension)),
            }
        })
        .collect()
}

/// What two dimensions have in common.
#[allow(clippy::many_single_char_names, reason = "ends of ranges")]
fn both(one: Dimension, other: Dimension) -> Option<Dimension> {
    use Dimension::{Ports, V4, V6};
    let common = match (one, other) {
        (V4(a, b), V4(c, d)) => V4(a.max(c), b.min(d)),
        (V6(a, b), V6(c, d)) => V6(a.max(c), b.min(d)),
        (Ports(p, a, b), Ports(q, c, d)) if p == q || p == 0 || q == 0 => Ports(p.max(q), a.max(c), b.min(d)),
        _ => return None,
    };
    let some = match common {
        V4(a, b) => a <= b,
        V6(a, b) => a <= b,
        Ports(_, a, b) => a <= b,
        Dimension::Text => false,
    };
    some.then_some(common)
}

/// How `new` stands to `old`.
fn relation(new: &[Part], old: &[Part]) -> Relation {
    if new.len() != old.len() {
        return Relation::Apart;
    }
    let (mut all, mut common_size) = (Relation::Covers, 1_u128);
    for pair in new.iter().zip(old) {
        match pair {
            (Part::Whole(a, t), Part::Whole(b, u)) if a == b && t == u => {}
            // A range is several networks, and may have some in common with another.
            (Part::Whole(a, _), Part::Whole(b, _)) if both(*a, *b).is_some() && !(prefix(*a) && prefix(*b)) => {
                all = Relation::Meets;
            }
            (Part::Whole(..), Part::Whole(..)) => return Relation::Apart,
            (Part::Whole(a, _) | Part::Cut(a), Part::Whole(b, _) | Part::Cut(b)) => match both(*a, *b) {
                Some(common) => {
                    common_size = common_size.saturating_mul(width(common));
                    if common != *b && all == Relation::Covers {
                        all = Relation::Part(0);
                    }
                }
                None => return Relation::Apart,
            },
        }
    }
    if matches!(all, Relation::Part(_)) { Relation::Part(common_size) } else { all }
}

/// True if a range of addresses is one network.
fn prefix(dimension: Dimension) -> bool {
    let (from, size) = match dimension {
        Dimension::V4(a, b) => (u128::from(a), u128::from(b - a) + 1),
        Dimension::V6(a, b) => (a, (b - a).wrapping_add(1)),
        Dimension::Ports(..) | Dimension::Text => return true,
    };
    size == 0 || size.is_power_of_two() && from & (size - 1) == 0
}

/// What create options say of timeouts and netmask.
#[allow(clippy::option_option, reason = "not known is not the same as none")]
pub fn options(options: &str) -> (Option<Option<u32>>, Option<u8>) {
    let after = |word: &str| options.split(' ').skip_while(|w| *w != word).nth(1);
    (Some(after("timeout").and_then(|n| n.parse().ok())), after("netmask").and_then(|n| n.parse().ok()))
}
