//! Messages made by hand: what a caller with a raw socket may send, ill-formed or not.

use proptest::prelude::*;

use super::*;

pub fn attr(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(payload.len() + 4).unwrap().to_ne_bytes().to_vec();
    bytes.extend(number.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(op: u8, flags: u16, attrs: &[Vec<u8>]) -> Vec<u8> {
    let body = attrs.concat();
    let mut bytes = u32::try_from(body.len() + BODY).unwrap().to_ne_bytes().to_vec();
    bytes.extend([op, SUBSYSTEM]);
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([2, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

fn read(bytes: &[u8]) -> Message {
    decode(bytes, |_, _| None, &mut Names::default()).unwrap()
}

#[test]
fn names_of_every_command() {
    for op in 1..=16 {
        let m = read(&message(op, NLM_F_EXCL, &[attr(1, &[7]), attr(2, b"one\0"), attr(3, b"two\0")]));
        let two_sets = op == 5 || op == 6;
        assert_eq!((m.op, m.exist, m.protocol, m.odd, m.cut), (Op(op), false, Some(7), false, false));
        assert_eq!(m.set.as_deref(), Some("one"));
        assert_eq!(m.set2.as_deref(), two_sets.then_some("two"));
        assert_eq!(m.set_type.as_deref(), (!two_sets).then_some("two"));
        assert_eq!(m.options.is_some(), op == 2);
    }
}

#[test]
fn exist_is_the_want_of_excl_where_the_kernel_looks_at_it() {
    for op in 0..=16 {
        assert_eq!(read(&message(op, 0, &[])).exist, matches!(op, 2 | 3 | 9 | 10), "{op}");
        assert!(!read(&message(op, NLM_F_EXCL, &[])).exist);
    }
}

#[test]
fn no_name_means_all_sets_and_is_not_an_empty_name() {
    assert_eq!(read(&message(3, 0, &[attr(1, &[6])])).set, None);
    assert_eq!(read(&message(3, 0, &[attr(2, b"\0")])).set.as_deref(), Some(""));
}

#[test]
fn the_last_attribute_of_a_kind_counts_as_in_the_kernel() {
    assert_eq!(read(&message(3, 0, &[attr(2, b"a\0"), attr(2, b"b\0")])).set.as_deref(), Some("b"));
}

#[test]
fn type_of_is_asked_only_where_the_message_does_not_tell() {
    let known: Arc<str> = Arc::from("hash:ip");
    let mut asked = Vec::new();
    let mut type_of = |set: &Arc<str>, _: &mut Answered| {
        asked.push(set.to_string());
        Some(Arc::clone(&known))
    };
    let mut names = Names::default();
    let add = decode(&message(9, 0, &[attr(2, b"s\0")]), &mut type_of, &mut names).unwrap();
    assert_eq!(add.set_type.as_deref(), Some("hash:ip"));
    decode(&message(2, 0, &[attr(2, b"t\0")]), &mut type_of, &mut names).unwrap();
    decode(&message(3, 0, &[]), &mut type_of, &mut names).unwrap();
    assert_eq!(asked, ["s"]);
}

#[test]
fn what_the_kernel_stops_at_we_stop_at() {
    let mut bytes = message(3, 0, &[attr(2, b"a\0"), attr(2, b"b\0")]);
    let second = bytes.len() - 8;
    bytes[second] = 3;
    assert_eq!((read(&bytes).set.as_deref(), read(&bytes).odd), (Some("a"), true));
    bytes[second] = 200;
    assert_eq!((read(&bytes).set.as_deref(), read(&bytes).odd), (Some("a"), true));
}

#[test]
fn unknown_attributes_are_kept() {
    let m = read(&message(3, 0, &[attr(99, &[0xab, 1]), attr(300, &[7; 70])]));
    assert_eq!(m.unknown.unwrap().as_ref(), format!("attr-99=ab01 attr-300={}+6", "07".repeat(64)));
}

#[test]
fn headers_too_short_or_not_ours() {
    assert_eq!(decode(&[0; 15], |_, _| None, &mut Names::default()), Err(Malformed::Short(15)));
    let mut bytes = message(3, 0, &[]);
    assert!(read(&bytes[..16]).cut);
    bytes[0] = 16;
    assert_eq!((read(&bytes).odd, read(&bytes).cut, read(&bytes).op), (true, false, Op::DESTROY));
    bytes[5] = 10;
    assert_eq!(decode(&bytes, |_, _| None, &mut Names::default()), Err(Malformed::Subsystem(10)));
}

fn batch(lines: u32) -> Vec<u8> {
    let elements: Vec<u8> = (1..=lines)
        .flat_map(|line| {
            attr(
                7 | 0x8000,
                &[attr(1 | 0x8000, &attr(1 | 0x4000, &[10, 0, 0, line as u8])), attr(9 | 0x4000, &line.to_be_bytes())]
                    .concat(),
            )
        })
        .collect();
    message(9, 0, &[attr(1, &[7]), attr(2, b"s\0"), attr(9 | 0x4000, &1u32.to_be_bytes()), attr(8 | 0x8000, &elements)])
}

#[test]
fn the_failing_line_is_found() {
    let bytes = batch(100);
    assert_eq!(read(&bytes).count, 100);
    assert_eq!(line_index(&bytes, 1u32.to_be_bytes()), Some(0));
    assert_eq!(line_index(&bytes, 57u32.to_be_bytes()), Some(56));
    assert_eq!(line_index(&bytes, 101u32.to_be_bytes()), None);
    assert_eq!(line_index(&bytes, 57u32.to_le_bytes()), None);
}

#[test]
fn a_copy_cut_short_tells_what_is_there() {
    let bytes = batch(100);
    let whole = read(&bytes);
    let mut last = 0;
    for length in 16..bytes.len() {
        let m = read(&bytes[..length]);
        assert!(m.cut && !m.odd, "{length}");
        assert!(m.count >= last && m.count <= whole.count);
        last = m.count;
    }
    let mut longer = bytes.clone();
    longer.extend([0xff; 100]);
    assert_eq!(read(&longer), whole);
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_without_panic(
        op in 0u8..18,
        length in 0u32..200,
        body in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..32, Just(0x80), Just(0x40), any::<u8>()], 0..160),
        line in any::<[u8; 4]>(),
    ) {
        let mut bytes = message(op, 0, &[]);
        bytes.extend(body);
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        let _ = decode(&bytes, |_, _| None, &mut Names::default());
        let _ = line_index(&bytes, line);
        let _ = decode(&bytes[20..], |_, _| None, &mut Names::default());
    }
}
