//! The program's own sockets: how they are opened, and by what their calls are known. What they are used for is the
//! business of the canary and of the questions.

use super::load::Own;
use super::own::{self, OwnSocket};
use super::probe::CannotRun;

/// The program's own sockets: two, because they are used by two threads.
#[derive(Debug)]
pub struct Sockets {
    /// Whose calls the canary makes.
    pub canary: OwnSocket,
    /// Whose calls ask about sets.
    pub questions: OwnSocket,
    /// What marks their calls.
    pub own: Own,
}

impl Sockets {
    /// Opens them, which loads nfnetlink where that is a module; only those that are `pinned` keep it there.
    ///
    /// # Errors
    /// The kernel has no nfnetlink.
    pub fn open(pinned: bool) -> Result<Self, CannotRun> {
        let cannot = |e: std::io::Error| CannotRun {
            what: "cannot open a netlink socket to nfnetlink".to_owned(),
            why: e.to_string(),
            remedy: "install the modules of the running kernel (CONFIG_NETFILTER_NETLINK)".to_owned(),
        };
        let (mut canary, mut questions) = (OwnSocket::open().map_err(cannot)?, OwnSocket::open().map_err(cannot)?);
        let netns = own::own_netns().map_err(cannot)?;
        let own = Own { ports: [canary.port(), questions.port()], netns };
        if !pinned {
            canary.let_go();
            questions.let_go();
        }
        Ok(Self { canary, questions, own })
    }

    /// A call of any kind loads `ip_set`, where it is a module: the packet path's functions are in it.
    pub fn load_ipset(&self) {
        let _ = self.questions.call(own::IPSET_CMD_PROTOCOL, &[]);
    }
}
