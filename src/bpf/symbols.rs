//! Where the kernel functions are that the probe needs, from /proc/kallsyms.
//!
//! The file is some 10 MB that the kernel makes up at each reading, so it is read once a run, and only the lines are kept
//! that somebody asks for. It does not know what the functions are good for.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Functions by their names.
    pub names: &'static [&'static str],
    /// Functions whose code is of interest, by the beginning of their names.
    pub code: &'static str,
}

/// Functions and where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    named: HashMap<&'static str, Function>,
    code: Vec<Function>,
}

/// A function of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name, with what the compiler may have put behind it.
    pub name: String,
    /// The module that holds it; empty: it is built in.
    pub module: String,
    /// Its code; empty where addresses are kept from us.
    pub text: Range<u64>,
}

impl Function {
    /// Its name without what the compiler has put behind it: parts of a function have names of their own.
    pub fn base(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(base, _)| base)
    }

    /// As an event takes it: `FUNCTION` or `MODULE:FUNCTION`. It matters: where nfnetlink is built in, an event on
    /// `MODULE:FUNCTION` is accepted and never fires.
    pub fn place(&self) -> String {
        match self.module.as_str() {
            "" => self.name.clone(),
            module => format!("{module}:{}", self.name),
        }
    }
}

impl Symbols {
    /// Looks for these functions in the running kernel. Nothing is found where the file cannot be read.
    pub fn read(wanted: Wanted) -> Self {
        File::open("/proc/kallsyms").map_or_else(|_| Self::default(), |file| Self::among(BufReader::new(file), wanted))
    }

    /// Looks for them in a text of that form; where a name stands twice, the first counts.
    pub fn among(text: impl BufRead, wanted: Wanted) -> Self {
        let mut found = Self::default();
        let mut addresses = Vec::new();
        for line in text.lines().map_while(Result::ok) {
            // Address, kind, name, module in brackets.
            let mut words = line.split_ascii_whitespace();
            let (Some(address), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            let address = u64::from_str_radix(address, 16).unwrap_or(0);
            let is_code = matches!(kind, "t" | "T");
            if is_code {
                addresses.push(address);
            }
            let named = wanted.names.iter().find(|w| **w == name);
            let is_wanted = is_code && name.starts_with(wanted.code);
            if named.is_none() && !is_wanted {
                continue;
            }
            let module = words.next().map_or("", |m| m.trim_start_matches('[').trim_end_matches(']')).to_owned();
            let function = Function { name: name.to_owned(), module, text: address..address };
            if let Some(named) = named {
                found.named.entry(named).or_insert_with(|| function.clone());
            }
            if is_wanted {
                found.code.push(function);
            }
        }
        addresses.sort_unstable();
        for function in &mut found.code {
            // The last of all may end anywhere; no further than its page is surely there.
            let next = addresses.partition_point(|a| *a <= function.text.start);
            let page_end = (function.text.start | 0xfff) + 1;
            function.text.end = addresses.get(next).copied().unwrap_or(page_end);
        }
        found.code.retain(|function| function.text.start != 0);
        found
    }

    /// The module that holds a function; `Some("")`: it is built in.
    pub fn module_of(&self, function: &str) -> Option<&str> {
        self.named.get(function).map(|f| f.module.as_str())
    }

    /// As [`Function::place`]; by its name alone where it was not found.
    pub fn place(&self, function: &str) -> String {
        self.named.get(function).map_or_else(|| function.to_owned(), Function::place)
    }

    /// Where a function begins; `None` where it was not found, or addresses are kept from us.
    pub fn address_of(&self, function: &str) -> Option<u64> {
        self.named.get(function).map(|f| f.text.start).filter(|start| *start != 0)
    }

    /// Those whose code is of interest, where it is known.
    pub fn code(&self) -> &[Function] {
        &self.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted { names: &["nfnetlink_rcv_msg"], code: "nfnetlink_rcv" };

    #[test]
    fn modules_are_read_from_the_lines() {
        let of = |text: &str| Symbols::among(text.as_bytes(), WANTED);
        let hook = "nfnetlink_rcv_msg";
        let in_module = of("0000000000000000 t nfnetlink_rcv_msg\t[nfnetlink]\n");
        assert_eq!(
            (in_module.module_of(hook), &*in_module.place(hook)),
            (Some("nfnetlink"), "nfnetlink:nfnetlink_rcv_msg")
        );
        let built_in = of("0 T nfnetlink_rcv\n0 t nfnetlink_rcv_msg\n0 t nfnetlink_rcv_msg [other]");
        assert_eq!((built_in.module_of(hook), &*built_in.place(hook)), (Some(""), hook));
        let none = of("0 t nfnetlink_rcv_msg.cold [nfnetlink]\n0 t x\n\n0");
        assert_eq!((none.module_of(hook), &*none.place(hook)), (None, hook));
    }

    #[test]
    fn code_goes_from_a_function_to_the_next_one() {
        let text = "ffffffffc0002100 t nfnetlink_rcv\t[nfnetlink]\nffffffffc0002000 t nfnetlink_rcv_msg\t[nfnetlink]\n\
            ffffffffc0002180 d nfnl_data\t[nfnetlink]\nffffffffc00021f0 T nfnl_lock\t[nfnetlink]\n\
            ffffffffc0002300 t nfnetlink_rcv.cold\t[nfnetlink]\n";
        let symbols = Symbols::among(text.as_bytes(), WANTED);
        let code: Vec<_> = symbols.code().iter().map(|f| (f.place(), f.text.end - f.text.start)).collect();
        let expected = [("nfnetlink_rcv", 0xf0), ("nfnetlink_rcv_msg", 0x100), ("nfnetlink_rcv.cold", 0xd00)];
        assert_eq!(code, expected.map(|(name, length)| (format!("nfnetlink:{name}"), length)));
        assert_eq!(symbols.address_of("nfnetlink_rcv_msg"), Some(0xffff_ffff_c000_2000));
        // Kept from us.
        let hidden = Symbols::among(&b"0000000000000000 t nfnetlink_rcv_msg\t[nfnetlink]\n"[..], WANTED);
        assert_eq!((hidden.code(), hidden.address_of("nfnetlink_rcv_msg")), (&[][..], None));
    }
}
