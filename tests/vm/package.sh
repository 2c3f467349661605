#!/usr/bin/env bash
# In the guest: the Debian package under a real systemd: installed, started, used, enabled, removed, purged.
#
# systemd runs as process 1 of namespaces of its own, as in the live test of the service.
set -euo pipefail
deb=/root/package.deb
cp "$OUT"/*.deb "$deb"

wait_for() {
    local what=$1 n
    shift
    for ((n = 0; n < 1200; n++)); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    echo "$what never came" >&2
    exit 1
}

units=/etc/systemd/system
mkdir -p "$units/ipsetaudit.service.d"
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' >"$units/package-test.target"
printf '[Service]\nTimeoutStartSec=300\n' >"$units/ipsetaudit.service.d/slow.conf"
unshare --pid --fork --mount --mount-proc --propagation private --kill-child bash -c '
    mount -t tmpfs run /run && mkdir /run/systemd
    exec /lib/systemd/systemd --system --unit=package-test.target --show-status=no --log-target=null' \
    </dev/null >/dev/null 2>&1 &
holder=$!
wait_for systemd pgrep -P "$holder" -x systemd
first=$(pgrep -P "$holder" -x systemd)
inside() { nsenter -t "$first" -p -m -- "$@"; }
journal_holds() { inside journalctl --no-pager -o cat -u ipsetaudit | grep -qe "$1"; }
# A question with an answer that systemctl also tells by its exit status.
is() { local answer; answer=$(inside systemctl "is-$1" ipsetaudit 2>/dev/null || true); [[ $answer == "$2" ]]; }
check() { "$@" || { echo "not so: $*" >&2; exit 1; }; }
wait_for "systemd's answer" inside systemctl list-units

inside dpkg --install "$deb" >/dev/null
mapfile -t put < <(dpkg --listfiles ipsetaudit-tui)
check is enabled disabled
check is active inactive
inside ipsetaudit-tui doctor | tail -n 1
inside systemctl start ipsetaudit
check is active active
ipset create banned hash:ip
ipset add banned 192.0.2.7
ipset destroy nowhere || true
wait_for "the failed destroy in the journal" journal_holds 'DESTROY nowhere FAILED'
check journal_holds 'ADD banned 192.0.2.7 ok'
ipset destroy banned
inside systemctl --quiet enable ipsetaudit
check is enabled enabled

inside dpkg --remove ipsetaudit-tui >/dev/null
check test -z "$(pgrep -x ipsetaudit-tui || true)"
check test -z "$(find "$units" -lname '*ipsetaudit.service')"
check test -e /etc/ipsetaudit/config.toml
inside dpkg --purge ipsetaudit-tui >/dev/null
for path in "${put[@]}"; do check test -d "$path" -o ! -e "$path"; done
check test ! -e /etc/ipsetaudit
check test ! -e /usr/share/ipsetaudit-tui
kill "$first"
echo "$(uname -r): installed, started, used, removed and purged under systemd; nothing is left"
