//! Which module holds each kernel function that the probe needs, from /proc/kallsyms.
//!
//! The file is some 10 MB that the kernel makes up at each reading, so it is read once a run, and only the lines are kept
//! that somebody asks for. It does not know what the functions are good for.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// Functions and their modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols(HashMap<&'static str, String>);

impl Symbols {
    /// Looks for these functions in the running kernel. Nothing is found where the file cannot be read.
    pub fn read(wanted: &[&'static str]) -> Self {
        File::open("/proc/kallsyms").map_or_else(|_| Self::default(), |file| Self::among(BufReader::new(file), wanted))
    }

    /// Looks for them in a text of that form; where a name stands twice, the first counts.
    pub fn among(text: impl BufRead, wanted: &[&'static str]) -> Self {
        let mut found = HashMap::new();
        for line in text.lines().map_while(Result::ok) {
            // Address, kind, name, module in brackets.
            let mut words = line.split_ascii_whitespace().skip(2);
            let Some(name) = words.next().and_then(|name| wanted.iter().find(|w| **w == name)) else { continue };
            let module = words.next().map_or("", |m| m.trim_start_matches('[').trim_end_matches(']'));
            found.entry(*name).or_insert_with(|| module.to_owned());
        }
        Self(found)
    }

    /// The module that holds a function; `Some("")`: it is built in.
    pub fn module_of(&self, function: &str) -> Option<&str> {
        self.0.get(function).map(String::as_str)
    }

    /// As an event takes it: `FUNCTION` or `MODULE:FUNCTION`. It matters: where nfnetlink is built in, an event on
    /// `MODULE:FUNCTION` is accepted and never fires.
    pub fn place(&self, function: &str) -> String {
        match self.module_of(function).unwrap_or_default() {
            "" => function.to_owned(),
            module => format!("{module}:{function}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_read_from_the_lines() {
        let of = |text: &str| Symbols::among(text.as_bytes(), &["nfnetlink_rcv_msg"]);
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
}
