#!/usr/bin/env bash
# The minute that "make vm" plays behind the screen, over and over: bans come in, a blocklist is reloaded by
# swap, two managers fight over a set, a destroy finds its set busy, a set is full, somebody without the right tries, a
# restore fails in its line 7. What happens when is written at its beginning, in seconds; it ends as it began, without
# sets, so that it can be told again. The actors are shells under their names; the calls are real.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
begin=${EPOCHREALTIME/./}
# Waits until so many seconds (tenths may be given) have passed since the beginning.
at() {
    local left=$((10#${1/./}00000 - (${EPOCHREALTIME/./} - begin)))
    ((left <= 0)) || sleep "$((left / 1000000)).$(printf %06d $((left % 1000000)))"
}
# Bans one address after the other, as fail2ban does.
ban() {
    local address
    for address; do
        as fail2ban-server <<<"ipset add f2b-sshd $address timeout 600 comment 'sshd: 5 failures'; true"
    done
}
networks() { for ((i = $1; i < $2; i++)); do echo "add blocklist-new 10.$((i / 16)).$((i % 16 * 16)).0/20"; done; }

cat >"$stage/reader.py" <<'X'
"""Asks for a list of a set, reads one message of it, and waits until it is told to close."""
import socket, struct, sys
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
held, free, name = sys.argv[1:]
body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + attr(2, name.encode() + b"\0")
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
sock.sendto(struct.pack("IHHII", 16 + len(body), 0x0607, 0x305, 1, 0) + body, (0, 0))
sock.recv(4096) # far less than the set, so that the rest is still to come
open(held, "w").close()
open(free).read()
X
cat >"$stage/destroy.py" <<'X'
"""Asks to destroy a set without asking first whether that is allowed, as ipset would."""
import socket, struct
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + attr(2, b"blocklist\0")
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
sock.sendto(struct.pack("IHHII", 16 + len(body), 0x0603, 0x205, 0, 0) + body, (0, 0))
sock.recv(999)
X

at 0.5
as systemd <<'X'
ipset create f2b-sshd hash:ip timeout 600 comment
ipset create blocklist hash:net maxelem 131072
ipset create allowed-ports bitmap:port range 0-65535
ipset create trusted hash:net
ipset create vpn-clients hash:ip maxelem 4 hashsize 64
printf 'add allowed-ports %s\n' 22 80 443 8080-8089 | ipset restore
X

at 6.0
ban 192.0.2.7 198.51.100.23 203.0.113.99

at 9.0 # The blocklist is reloaded: filled beside it, and swapped in.
as update-lists <<X
ipset create blocklist-new hash:net maxelem 131072
($(declare -f networks); networks 0 1200) | ipset restore -exist
ipset swap blocklist-new blocklist
ipset destroy blocklist-new
X

at 14.0
ban 192.0.2.114
as fail2ban-server <<<'ipset test blocklist 192.0.2.114; ipset test blocklist 10.1.2.3'

at 17.0 # Two managers want a set to be different.
for round in 1 2 3; do
    as k3s-server <<<'ipset add trusted 10.42.0.0/16; ipset add trusted 10.43.0.0/16'
    at $((16 + 3 * round)).5
    as firewalld <<<'ipset del trusted 10.42.0.0/16; ipset del trusted 10.43.0.0/16'
    at $((18 + 3 * round)).0
done
as firewalld <<<'ipset del trusted 10.42.0.0/16'

at 29.0 # A backup reads slowly, and meanwhile the set cannot be destroyed, nor swapped.
mkfifo "$stage/free"
as backup.sh <<<"python3 $stage/reader.py $stage/held $stage/free blocklist; true" &
until [[ -e $stage/held ]]; do sleep 0.05; done
at 31.0
as update-lists <<X
ipset create blocklist-new hash:net maxelem 131072
($(declare -f networks); networks 0 300) | ipset restore
ipset swap blocklist-new blocklist
sleep 1.5
ipset destroy blocklist
X
at 35.0
echo >"$stage/free"
wait
as update-lists <<'X'
ipset swap blocklist-new blocklist
ipset destroy blocklist-new
X

at 38.0 # A set that is full.
for host in 11 12 13 14 15 16; do
    as wg-manager <<<"ipset add vpn-clients 100.64.0.$host; true"
done

at 43.0 # Somebody without the right.
as mallory.sh <<<"setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <$stage/destroy.py; true"
ban 198.51.100.77

at 47.0 # A restore that fails in its line 7.
as update-lists <<'X'
(networks=(172.16.0.0/24 172.16.1.0/24 172.16.2.0/24 172.16.3.0/24 172.16.4.0/24 172.16.5.0/24 172.16.2.0/24 172.16.6.0/24)
printf 'add blocklist %s\n' "${networks[@]}") | ipset restore
X

at 50.0 # A container has a namespace of its own.
ip netns add web-1
as dockerd <<'X'
ip netns exec web-1 ipset create clients hash:ip
ip netns exec web-1 ipset add clients 172.17.0.2
ip netns exec web-1 ipset destroy clients
X
ip netns del web-1
as fail2ban-server <<<'ipset del f2b-sshd 192.0.2.114'

at 55.0 # And then everything is gone: who was that?
as deploy.sh <<'X'
ipset save >/dev/null
ipset flush
ipset destroy
X
