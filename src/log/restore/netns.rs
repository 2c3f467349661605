//! Which network namespace's calls are wanted. Sets of different namespaces have nothing to do with one another.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::model::record::Call;

/// Namespaces that are told to be left out.
const TOLD: usize = 64;
/// The name of the namespace that a host begins with.
const HOST: &str = "host";

/// The namespace whose calls are wanted.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The host's; in a log that names none, the one of its first change.
    Host(Others),
    /// By name or inode.
    One(Box<str>, Others),
    /// All.
    All,
}

/// What is known of those that are not wanted.
#[derive(Clone, Debug, Default)]
pub struct Others {
    first: Option<u32>,
    told: BTreeSet<u32>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self::Host(Others::default())
    }
}

impl FromStr for Wanted {
    type Err = String;

    /// `NAME|INUM`
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("the name or inode number of a network namespace is expected, such as host".to_owned()),
            HOST => Ok(Self::default()),
            _ => Ok(Self::One(text.into(), Others::default())),
        }
    }
}

impl Wanted {
    /// Whether a call is wanted, and what has to be told where a namespace that is not is met first.
    pub fn wants(&mut self, call: &Call) -> (bool, Option<String>) {
        let name = call.netns_name.as_deref();
        let (wanted, others) = match self {
            Self::All => return (true, None),
            Self::One(one, others) => (name == Some(one) || call.netns.to_string() == **one, others),
            Self::Host(others) => {
                let unnamed = name.is_none() && *others.first.get_or_insert(call.netns) == call.netns;
                (name == Some(HOST) || unnamed, others)
            }
        };
        if wanted || others.told.len() >= TOLD || !others.told.insert(call.netns) {
            return (wanted, None);
        }
        let inode = call.netns;
        let whose = name.map_or_else(|| format!("netns {inode}"), |name| format!("netns {name} ({inode})"));
        (
            false,
            Some(format!("{whose} is left out here: --netns {} writes its calls", name.unwrap_or(&inode.to_string()))),
        )
    }
}
