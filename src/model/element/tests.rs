//! Elements that no ipset(8) sends, and the round trip from element to text and back.

use std::borrow::Cow;
use std::net::IpAddr;

use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::model::netlink::attr::Attrs;
use crate::model::netlink::tests::attr;
use crate::model::text::{safe_quoted, safe_word};

const NET_ORDER: u16 = 0x4000;

fn text(attrs: &[Vec<u8>], set_type: Option<&str>) -> String {
    Element::from_attrs(Attrs::new(&attrs.concat(), false), Dims::of(set_type)).to_string()
}

fn ipv4(number: u16, octets: [u8; 4]) -> Vec<u8> {
    attr(number | 0x8000, &attr(1 | NET_ORDER, &octets))
}

#[test]
fn nothing_is_dropped() {
    let ip = || ipv4(1, [10, 0, 0, 1]);
    assert_eq!(text(&[ip(), attr(13, &[1, 2])], None), "10.0.0.1 attr-13=0102");
    assert_eq!(text(&[ip(), attr(99, &[]), attr(100, &[255])], None), "10.0.0.1 attr-99= attr-100=ff");
    // What the kernel does not look at in a set of this type.
    assert_eq!(text(&[ip(), attr(4 | NET_ORDER, &[0, 80])], None), "10.0.0.1,80");
    assert_eq!(text(&[ip(), attr(4 | NET_ORDER, &[0, 80])], Some("hash:ip")), "10.0.0.1 attr-4=0050");
    assert_eq!(text(&[ip(), attr(18, b"a\0")], Some("list:set")), "a attr-1=080001400a000001");
    // A range makes the kernel pass over the prefix.
    assert_eq!(text(&[ip(), ipv4(2, [10, 0, 0, 9]), attr(3, &[24])], None), "10.0.0.1-10.0.0.9 attr-3=18");
    // Content too short to mean anything.
    assert_eq!(text(&[ip(), attr(6 | NET_ORDER, &[1])], None), "10.0.0.1 attr-6=01");
    assert_eq!(text(&[ip(), attr(8 | NET_ORDER, &[0, 0, 1, 4])], None), "10.0.0.1 nomatch attr-8=00000100");
    assert_eq!(text(&[], None), "-");
}

#[test]
fn hostile_names_and_comments_stay_one_word() {
    let ip = ipv4(1, [10, 0, 0, 1]);
    assert_eq!(text(&[ip, attr(26, b"a\" timeout 5\n\x1b\0")], None), r#"10.0.0.1 comment "a\x22 timeout 5\x0a\x1b""#);
    assert_eq!(text(&[attr(18, b"a before b\0")], None), r"a\x20before\x20b");
}

#[test]
fn elements_touch_networks() {
    for (element, net, touches) in [
        ("10.1.2.3", "10.0.0.0/8", true),
        ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.77/24", "10.0.0.3", true),
        ("10.0.0.5-10.0.0.9", "10.0.0.9", true),
        ("10.0.0.5-10.0.0.9", "10.0.0.10", false),
        ("10.0.0.9-10.0.0.5", "10.0.0.0/29", true),
        ("1.1.1.1,tcp:80,10.0.0.0/8", "10.1.0.0/16", true),
        ("0.0.0.0/0,eth0", "1.2.3.4", true),
        ("0.0.0.0/0,eth0", "::1", false),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("::/0", "2001:db8::", true),
        ("2001:db8::1", "2001:db8::/127", true),
        ("80", "0.0.0.80", false),
        ("00:11:22:33:44:55", "10.0.0.0/8", false),
        ("10.0.0.0/200", "10.0.0.0", true),
    ] {
        let found = Element::parse(element, Dims::ANY).unwrap().touches(net.parse().unwrap());
        assert_eq!(found, touches, "{element} {net}");
    }
    for wrong in ["", "10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/", "blocklist"] {
        assert!(wrong.parse::<Net>().is_err(), "{wrong}");
    }
}

#[test]
fn what_people_type_is_read() {
    for (typed, written) in [
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.0.0.1,ICMP:ping", "10.0.0.1,icmp:echo-request"),
        ("::1,icmpv6:128/0", "::1,ipv6-icmp:echo-request"),
        ("10.0.0.1 comment \"x\" timeout 5", "10.0.0.1 timeout 5 comment \"x\""),
        ("10.0.0.1,0x1", "10.0.0.1,0x00000001"),
        ("10.0.0.0/8,eth,0", "10.0.0.0/8,eth,0"),
        ("my,set", "my,set"),
    ] {
        assert_eq!(Element::parse(typed, Dims::ANY).unwrap().to_string(), written);
    }
    for wrong in ["", " ", "a timeout", "a timeout x", "a comment x", "a comment \"x", "a b"] {
        assert_eq!(Element::parse(wrong, Dims::ANY), None, "{wrong}");
    }
}

#[test]
fn the_type_tells_a_name_from_an_address() {
    for name in ["10.0.0.1", "80", "tcp:80", "01:23:45:67:89:AB", "-"] {
        let member = Element::parse(name, Dims::SET).unwrap();
        assert_eq!(member.to_string(), name);
        assert!(name == "-" || member.member.is_some());
    }
}

#[test]
fn restore_is_told_what_it_can_be_told() {
    let line = |text: &str| Element::parse(text, Dims::ANY).and_then(|e| e.restore());
    for (text, told) in [
        ("10.0.0.0/8,tcp:80 timeout 5 nomatch", "10.0.0.0/8,tcp:80 timeout 5 nomatch"),
        (r#"10.0.0.1 comment "a\\b \u{202e}\x1b" skbqueue 3"#, "10.0.0.1 comment \"a\\b \u{202e}\x1b\" skbqueue 3"),
        (r"a\x20b before c\x09d", "\"a b\" before \"c\td\""),
        (r#"10.0.0.1 timeout 5 comment """#, "10.0.0.1 timeout 5"),
    ] {
        assert_eq!(line(text).as_deref(), Some(told.as_bytes()), "{text}");
    }
    for text in [
        r#"a comment "x\x22""#,
        r#"a comment "x\x0ay""#,
        r"a\x0ab",
        r"a\x22b",
        "1.1.1.1 attr-13=00",
        "-",
        "1.1.1.1,e,0",
        "-exist",
        r"a\x00b",
        "a before -!",
        "a before b,c",
        r#"a comment "x\x00y""#,
    ] {
        assert_eq!(line(text), None, "{text}");
    }
    let list = Element::parse("a,b", Dims::of(Some("list:set"))).and_then(|e| e.restore());
    assert_eq!((list, restore_word(""), restore_word("-f")), (None, None, None));
}

fn addr() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u16; 8]>().prop_map(IpAddr::from)]
}

fn span() -> impl Strategy<Value = Span> {
    let net = (addr(), any::<u8>()).prop_filter("no prefix", |(a, p)| *p != net::bits(*a));
    prop_oneof![
        addr().prop_map(Span::One),
        net.prop_map(|(a, p)| Span::Net(a, p)),
        (addr(), addr()).prop_map(|(a, b)| Span::Range(a, b))
    ]
}

fn word() -> impl Strategy<Value = Cow<'static, str>> {
    prop::collection::vec(any::<u8>(), 1..32)
        .prop_map(|b| Cow::Owned(safe_word(&b).into_owned()))
        .prop_filter("empty", |w: &Cow<'_, str>| !w.is_empty())
}

fn second() -> impl Strategy<Value = Second<'static>> {
    prop_oneof![
        (1..=255u8, any::<u16>(), of(any::<u16>())).prop_map(|(p, from, to)| Second::Port(
            Some(p),
            from,
            to.filter(|_| !words::is_icmp(p))
        )),
        any::<[u8; 6]>().prop_map(Second::Mac),
        any::<u32>().prop_map(Second::Mark),
    ]
}

fn dimensions() -> impl Strategy<Value = (Element<'static>, Dims)> {
    let dims = Element::default;
    prop_oneof![
        (span(), of(second()), of(span()))
            .prop_map(move |(ip, second, ip2)| { (Element { ip: Some(ip), second, ip2, ..dims() }, Dims::ANY) }),
        (span(), word(), any::<bool>()).prop_filter("prefix", |(_, name, _)| !name.starts_with("physdev:")).prop_map(
            move |(ip, name, physdev)| {
                let element = Element { ip: Some(ip), second: Some(Second::Iface(name, physdev)), ..dims() };
                (element, Dims::of(Some("hash:net,iface")))
            }
        ),
        (any::<u16>(), of(any::<u16>()))
            .prop_map(move |(p, to)| (Element { second: Some(Second::Port(None, p, to)), ..dims() }, Dims::ANY)),
        (word().prop_filter("dash", |w| w != "-"), of((any::<bool>(), word()))).prop_map(move |(member, place)| {
            let place = place.map(|(b, name)| if b { Place::Before(name) } else { Place::After(name) });
            (Element { member: Some(member), place, ..dims() }, Dims::of(Some("list:set")))
        }),
    ]
}

prop_compose! {
    fn element()(
        (element, dims) in dimensions(),
        numbers in (of(any::<u32>()), of(any::<u64>()), of(any::<u64>())),
        (nomatch, wildcard) in any::<(bool, bool)>(),
        comment in of(prop::collection::vec(any::<u8>(), 0..40)),
        (skbmark, skbprio, skbqueue) in (of(any::<u64>()), of(any::<u32>()), of(any::<u16>())),
        unknown in prop_oneof![Just(""), Just("attr-13=00ff"), Just("attr-13=00ff attr-99=")],
    ) -> (Element<'static>, Dims) {
        let comment = comment.map(|bytes| Cow::Owned(safe_quoted(&bytes).into_owned()));
        let (timeout, packets, bytes) = numbers;
        let unknown = Cow::Borrowed(unknown);
        (Element { timeout, nomatch, wildcard, packets, bytes, comment, skbmark, skbprio, skbqueue, unknown, ..element }, dims)
    }
}

proptest! {
    #[test]
    fn elements_survive_the_way_through_text((element, dims) in element()) {
        let text = element.to_string();
        prop_assert!(!text.contains('\n'));
        let back = Element::parse(&text, dims);
        prop_assert_eq!(back.as_ref(), Some(&element), "{}", text);
        // Without the type the reading may differ, the text may not.
        let again = Element::parse(&text, Dims::ANY).map(|e| e.to_string());
        prop_assert_eq!(again, Some(text));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,40}|[-0-9a-f:.,/x \"]{0,40}|(10.0.0.1|::/0)?,?(tcp|icmp)?:?[0-9/,-]{0,8}( (timeout|comment|skbmark|skbprio|attr-1=) ?[0-9\":/x]{0,6}){0,3}") {
        if let Some(element) = Element::parse(&text, Dims::ANY) {
            let written = element.to_string();
            prop_assert_eq!(Element::parse(&written, Dims::ANY).map(|e| e.to_string()), Some(written));
        }
    }

    #[test]
    fn any_attributes_become_text_that_is_read_back(
        kinds in prop::collection::vec((0u16..34, prop::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..8),
        set_type in prop::sample::select(vec![None, Some("hash:ip,port,net"), Some("list:set"), Some("hash:net,iface")]),
    ) {
        let attrs: Vec<_> = kinds.iter().map(|(n, payload, order)| attr(n | if *order { NET_ORDER } else { 0 }, payload)).collect();
        let written = text(&attrs, set_type);
        prop_assert_eq!(Element::parse(&written, Dims::of(set_type)).map(|e| e.to_string()), Some(written));
    }
}
