//! How fast messages become text. The aims: a one-element add under 400 ns, ten million elements of a batch a second.

use std::hint::black_box;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use ipsetaudit::model::element::{Element, Net};
use ipsetaudit::model::netlink::{Names, decode};
use ipsetaudit::model::set_type::Dims;
use ipsetaudit::model::text::safe;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const NESTED: u16 = 0x8000;
const NET_ORDER: u16 = 0x4000;

fn attr(number: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u16 + 4).to_ne_bytes().to_vec();
    bytes.extend(number.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn add(attrs: &[Vec<u8>]) -> Vec<u8> {
    let body = [attr(1, &[7]), attr(2, b"blocklist\0"), attrs.concat()].concat();
    let mut bytes = (body.len() as u32 + 20).to_ne_bytes().to_vec();
    bytes.extend([9, 6, 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

fn ipv4(number: u16, n: u32) -> Vec<u8> {
    attr(number | NESTED, &attr(1 | NET_ORDER, &n.to_be_bytes()))
}

fn ipv6(number: u16, n: u128) -> Vec<u8> {
    attr(number | NESTED, &attr(2 | NET_ORDER, &n.to_be_bytes()))
}

fn line(n: u32) -> Vec<u8> {
    attr(9 | NET_ORDER, &n.to_be_bytes())
}

/// An element of each kind that a bench decodes.
fn element(kind: &str, n: u32) -> Vec<u8> {
    let address = 0x0a00_0000 + n * 7919;
    let parts = match kind {
        "address" => vec![ipv4(1, address)],
        "network" => vec![ipv4(1, address), attr(3, &[24])],
        "ipv6" => vec![ipv6(1, 0x2001_0db8_0000_0001_0000_0000_0000_0000 + u128::from(n) * 7919)],
        "port" => vec![ipv4(1, address), attr(4 | NET_ORDER, &[1, 187]), attr(7, &[6])],
        _ => vec![ipv4(1, address), attr(6 | NET_ORDER, &600u32.to_be_bytes()), attr(26, b"from the feed\0")],
    };
    attr(7 | NESTED, &[parts.concat(), line(n)].concat())
}

const KINDS: [&str; 5] = ["address", "network", "ipv6", "port", "comment"];

#[divan::bench(args = KINDS)]
fn one_element_add(bencher: Bencher, kind: &str) {
    let bytes = add(&[element(kind, 1)]);
    let set_type: Arc<str> = Arc::from(if kind == "port" { "hash:net,port" } else { "hash:net" });
    let mut names = Names::default();
    bencher.bench_local(|| decode(black_box(&bytes), |_, _| Some(Arc::clone(&set_type)), &mut names));
}

#[divan::bench(args = KINDS)]
fn batch_of_1000(bencher: Bencher, kind: &str) {
    let elements: Vec<u8> = (0..1000).flat_map(|n| element(kind, n)).collect();
    let bytes = add(&[line(1), attr(8 | NESTED, &elements)]);
    let mut names = Names::default();
    bencher.counter(ItemsCount::new(1000u32)).bench_local(|| decode(black_box(&bytes), |_, _| None, &mut names));
}

#[divan::bench]
fn element_from_text_touches(bencher: Bencher) {
    let net: Net = "10.0.0.0/8".parse().unwrap_or_else(|_| unreachable!());
    bencher.bench(|| Element::parse(black_box("10.1.2.3,tcp:80 timeout 600"), Dims::ANY).map(|e| e.touches(net)));
}

#[divan::bench(args = ["f2b-sshd", "a comment of some forty bytes, plain text"])]
fn safe_text(text: &str) -> usize {
    safe(black_box(text.as_bytes())).len()
}
