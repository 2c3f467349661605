//! What a cgroup's path says of a process: its systemd unit, and the container that it runs in.
//!
//! By the names that systemd, docker, containerd, CRI-O, podman, kubelet, LXC and nspawn give their cgroups; a path that
//! none of them made says nothing. It does not know how the path was found out.

/// Unit and container of a cgroup path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The system manager's unit, as journald's `_SYSTEMD_UNIT`: the outermost below the slices.
    pub unit: Option<&'a str>,
    /// The innermost container: its id or name; where only the kubernetes pod is known, `pod` and its uid.
    pub container: Option<&'a str>,
}

/// What systemd calls the units that can hold processes, slices excepted.
const UNITS: [&str; 5] = [".service", ".scope", ".mount", ".socket", ".swap"];

/// What stands before a container's id in a cgroup's name: docker, containerd, CRI-O, podman.
const RUNTIMES: [&str; 5] = ["docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-"];

/// What stands before a container's name: LXC's payload, nspawn's two forms.
const NAMED: [&str; 3] = ["lxc.payload.", "machine-", "systemd-nspawn@"];

/// A cgroup that only holds others.
fn is_slice(name: &str) -> bool {
    name.strip_suffix(".slice").is_some()
}

/// Reads a path from the root of the hierarchy.
pub fn of(path: &str) -> Place<'_> {
    let names = || path.split('/').filter(|name| !name.is_empty());
    let unit = names().find(|name| !is_slice(name));
    let unit = unit.filter(|name| UNITS.iter().any(|kind| name.ends_with(kind)));
    let in_lxc = path.starts_with("/lxc/").then(|| names().nth(1)).flatten();
    let container = names().rev().find_map(container).or(in_lxc).or_else(|| names().rev().find_map(pod));
    Place { unit, container }
}

/// The container that a cgroup of this name is of.
fn container(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".scope").or_else(|| name.strip_suffix(".service")).unwrap_or(name);
    if let Some(named) = NAMED.iter().find_map(|before| stem.strip_prefix(before)) {
        // machine.slice is a slice; machine-NAME.scope is a container.
        return (!is_slice(name) && !named.is_empty()).then_some(named);
    }
    let id = RUNTIMES.iter().find_map(|before| stem.strip_prefix(before)).unwrap_or(stem);
    is_id(id).then_some(id)
}

/// 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The pod, as kubelet names its cgroup: `pod` and a uid, behind the slices' names where systemd makes it.
fn pod(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".slice").unwrap_or(name);
    let at = stem.rfind("pod")?;
    let uid = &stem[at + 3..];
    let is_uid = uid.len() >= 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b'_'));
    (is_uid && (at == 0 || stem.as_bytes()[at - 1] == b'-')).then(|| &stem[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    const POD: &str = "pod6d9a1c1e_7d1b_4a55_8a1a_0f1b2c3d4e5f";

    #[test]
    fn units_are_named_as_the_journal_names_them() {
        let unit = |path| of(path).unit;
        assert_eq!(unit("/system.slice/fail2ban.service"), Some("fail2ban.service"));
        assert_eq!(unit("/system.slice/system-openvpn.slice/openvpn@a.service"), Some("openvpn@a.service"));
        assert_eq!(unit("/user.slice/user-1000.slice/session-3.scope"), Some("session-3.scope"));
        assert_eq!(
            unit("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service"),
            Some("user@1000.service")
        );
        assert_eq!(unit("/init.scope"), Some("init.scope"));
        for none in ["/", "", "/system.slice", "/docker/x", "/my.group/a.service"] {
            assert_eq!(unit(none), None, "{none}");
        }
    }

    #[test]
    fn containers_are_found_by_the_names_that_their_runtimes_give() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods/burstable/{POD}/{ID}"),
            format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/cri-containerd-{ID}.scope"
            ),
            format!("/kubepods.slice/kubepods-{POD}.slice/crio-{ID}.scope/container"),
            format!("/machine.slice/libpod-{ID}.scope/container"),
            format!("/docker/0{}/kubelet.slice/cri-containerd-{ID}.scope", &ID[1..]),
        ] {
            assert_eq!(of(&path).container, Some(ID), "{path}");
        }
        assert_eq!(of("/lxc.payload.web/system.slice/cron.service").container, Some("web"));
        assert_eq!(of("/lxc/web/init.scope").container, Some("web"));
        assert_eq!(of("/machine.slice/machine-arch.scope").container, Some("arch"));
        assert_eq!(of("/machine.slice/systemd-nspawn@arch.service/payload").container, Some("arch"));
        assert_eq!(of(&format!("/kubepods.slice/kubepods-{POD}.slice")).container, Some(POD));
        assert_eq!(of("/kubepods/pod6d9a1c1e-7d1b-4a55-8a1a-0f1b2c3d4e5f").container.map(str::len), Some(39));
        for none in ["/", "/system.slice/docker.service", "/machine.slice", "/user.slice/tripod.scope", "/docker/abc"] {
            assert_eq!(of(none).container, None, "{none}");
        }
    }
}
