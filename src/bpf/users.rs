//! Names of users, by the system's own lookup, once a user. It does not know who calls.
//!
//! A static program cannot load the libraries that this lookup is made of: it reads /etc/passwd, and knows no other users.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use nix::unistd::{Uid, User};

use crate::model::text::safe;

/// Users remembered; the table starts over when it is full.
const MOST: usize = 4096;

/// Looks up names of users.
#[derive(Debug, Default)]
pub struct Users(HashMap<u32, Option<Arc<str>>>);

impl Users {
    /// The name of a user; `None` if the system knows none.
    pub fn name(&mut self, uid: u32) -> Option<Arc<str>> {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let look_up = || Some(Arc::from(safe(account(uid)?.name.as_bytes()).as_ref()));
        self.0.entry(uid).or_insert_with(look_up).clone()
    }
}

/// A user, as the system knows him.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// As it stands there; it may hold anything.
    pub name: String,
    /// Where his files are.
    pub home: PathBuf,
}

/// The account of a user id.
pub fn account(uid: u32) -> Option<Account> {
    if cfg!(target_feature = "crt-static") {
        return in_passwd(&std::fs::read("/etc/passwd").ok()?, uid);
    }
    let user = User::from_uid(Uid::from_raw(uid)).ok()??;
    Some(Account { name: user.name, home: user.dir })
}

/// passwd(5): name, password, user, group, comment, home, shell.
fn in_passwd(file: &[u8], uid: u32) -> Option<Account> {
    let of_line = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(':');
        let (name, id, home) = (words.next()?, words.nth(1)?, words.nth(2)?);
        (id.parse() == Ok(uid)).then(|| Account { name: name.to_owned(), home: home.into() })
    };
    file.split(|byte| *byte == b'\n').find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_know_root() {
        let file = std::fs::read("/etc/passwd").unwrap();
        assert_eq!(in_passwd(&file, 0), account(0));
        assert_eq!(account(0).unwrap().name, "root");
    }

    #[test]
    fn odd_lines_are_nobody() {
        let file = b"\n#\n+::::::\na:x:5\nb:x:7:7:\xff:/b:/bin/sh\nc:x:7:7::/c:";
        assert_eq!(in_passwd(file, 7), Some(Account { name: "b".into(), home: "/b".into() }));
        assert_eq!(in_passwd(file, 5), None);
    }
}
