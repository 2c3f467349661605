//! The calls of a function in the kernel's code.
//!
//! Looks for direct calls by their bytes, on x86-64 only; what a caller takes for a call and is none, the kernel refuses,
//! which knows where instructions begin. It does not know what is hung in there.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, ProgramInput};

use super::skel::text::{TextSkelBuilder, types::data_piece};
use super::symbols::Function;

/// Bytes of a piece of code.
const PIECE: u64 = size_of::<data_piece>() as u64;
/// A call, a jump at a function's end, and a call that has a probe already: then four bytes of distance.
const OPCODES: [u8; 3] = [0xe8, 0xe9, 0xcc];
const LENGTH: usize = 5;

/// Where `callers` call the function at `callee`, as events take it: `MODULE:FUNCTION+OFFSET`. Nothing where the code
/// cannot be read, or no call is found in one of them: it may then be made in a way that is not known here.
pub fn of(callee: u64, callers: &[&Function]) -> Vec<String> {
    if !cfg!(target_arch = "x86_64") || callers.is_empty() {
        return Vec::new();
    }
    let mut storage = MaybeUninit::uninit();
    let loaded = TextSkelBuilder::default().open(&mut storage).and_then(OpenSkel::load);
    let Ok(skel) = loaded else { return Vec::new() };
    let piece = |at: u64| {
        let mut context = at.to_ne_bytes();
        let input = ProgramInput { context_in: Some(&mut context), ..ProgramInput::default() };
        let done = skel.progs.read_text.test_run(input).is_ok_and(|output| output.return_value == 0);
        done.then(|| skel.maps.data_piece.lookup(&[0; 4], MapFlags::ANY).ok().flatten()).flatten()
    };
    in_all(callers.iter().map(|caller| (caller.base(), places(caller, callee, &read(caller, &piece)))))
}

/// All places; nothing if a function has none in any of its parts.
fn in_all<'a>(parts: impl Iterator<Item = (&'a str, Vec<String>)>) -> Vec<String> {
    let mut functions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (function, places) in parts {
        functions.entry(function).or_default().extend(places);
    }
    if functions.values().any(Vec::is_empty) { Vec::new() } else { functions.into_values().flatten().collect() }
}

/// The code of a function, up to where it cannot be read.
fn read(function: &Function, piece: &dyn Fn(u64) -> Option<Vec<u8>>) -> Vec<u8> {
    let first = function.text.start & !(PIECE - 1);
    let pieces = (first..function.text.end).step_by(PIECE as usize).map_while(piece);
    let skipped = (function.text.start - first) as usize;
    let length = (function.text.end - function.text.start) as usize;
    pieces.flatten().skip(skipped).take(length).collect()
}

fn places(caller: &Function, target: u64, code: &[u8]) -> Vec<String> {
    let is_call = |at: usize, bytes: &[u8]| {
        let &[opcode, a, b, c, d] = bytes else { return false };
        let distance = i64::from(i32::from_le_bytes([a, b, c, d]));
        let behind = caller.text.start.wrapping_add((at + LENGTH) as u64);
        OPCODES.contains(&opcode) && behind.wrapping_add_signed(distance) == target
    };
    let calls = code.windows(LENGTH).enumerate().filter(|(at, bytes)| is_call(*at, bytes));
    calls.map(|(at, _)| format!("{}+{at:#x}", caller.place())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(text: std::ops::Range<u64>) -> Function {
        Function { name: "caller".into(), module: "m".into(), text }
    }

    #[test]
    fn calls_are_found_by_where_they_go() {
        const CALLEE: u64 = 0xffff_ffff_8100_0000;
        let caller = caller(0xffff_ffff_c000_0000..0xffff_ffff_c000_0040);
        let mut code = vec![0x90; 0x40];
        let mut put = |at: usize, opcode: u8, to: u64| {
            let distance = to.wrapping_sub(caller.text.start + at as u64 + 5) as u32;
            code[at] = opcode;
            code[at + 1..at + 5].copy_from_slice(&distance.to_le_bytes());
        };
        put(0, 0xe8, CALLEE);
        put(5, 0xe8, CALLEE + 1);
        put(0x10, 0xcc, CALLEE);
        put(0x20, 0x0f, CALLEE);
        put(0x3b, 0xe9, CALLEE);
        assert_eq!(places(&caller, CALLEE, &code), ["m:caller+0x0", "m:caller+0x10", "m:caller+0x3b"]);
        assert_eq!(places(&caller, CALLEE, &code[..0x3f]).len(), 2, "the last one is cut");
    }

    #[test]
    fn a_function_that_seems_to_call_nothing_makes_all_doubtful() {
        let place = |place: &str| vec![place.to_owned()];
        assert_eq!(
            in_all([("a", place("a+1")), ("b", vec![]), ("b", place("b.cold+2"))].into_iter()),
            ["a+1", "b.cold+2"]
        );
        assert_eq!(in_all([("a", place("a+1")), ("b", vec![])].into_iter()), [""; 0]);
    }

    #[test]
    fn code_is_read_in_whole_pieces() {
        let numbered = |at: u64| (at < 0x1800).then(|| (at..at + PIECE).map(|b| (b / 16) as u8).collect::<Vec<_>>());
        let code = read(&caller(0x1230..0x1610), &numbered);
        assert_eq!((code.len(), code[0], code[code.len() - 1]), (0x3e0, 0x23, 0x60));
        assert_eq!(read(&caller(0x17f0..0x1900), &numbered).len(), 0x10, "what cannot be read is left out");
    }
}
