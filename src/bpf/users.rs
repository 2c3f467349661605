//! Names of users, by the system's own lookup, once a user. It does not know who calls.

use std::collections::HashMap;
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
        let look_up = || {
            let user = User::from_uid(Uid::from_raw(uid)).ok().flatten()?;
            Some(Arc::from(safe(user.name.as_bytes()).as_ref()))
        };
        self.0.entry(uid).or_insert_with(look_up).clone()
    }
}
