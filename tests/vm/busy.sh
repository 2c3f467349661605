#!/usr/bin/env bash
# Sets that are in use, for the recording busy.jsonl: a backup that stops reading in the middle of a list, and of a save
# of every set; a list:set; a packet rule. Each time somebody wants to destroy, rename or swap.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

cat >"$stage/reader.py" <<'X'
"""Asks for a dump of a set (or of all), reads one message of it, and waits until it is told to close."""
import socket, struct, sys
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
command, names, held, free = int(sys.argv[1]), sys.argv[4:], sys.argv[2], sys.argv[3]
body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + b"".join(attr(2, n.encode() + b"\0") for n in names)
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
sock.sendto(struct.pack("IHHII", 16 + len(body), 6 << 8 | command, 0x305, 1, 0) + body, (0, 0))
sock.recv(1 << 16)
open(held, "w").close()
open(free).read()
X
# Reads as backup.sh, in the background, until let_go.
hold() {
    rm -f "$stage/free" && mkfifo "$stage/free"
    as backup.sh <<<"python3 $stage/reader.py $1 $stage/held $stage/free ${2:-}; true" &
    until [[ -e $stage/held ]]; do sleep 0.05; done
    rm "$stage/held"
}
let_go() {
    echo >"$stage/free"
    wait
}

as update.sh <<'X'
(echo create big hash:ip; for i in {0..9999}; do echo "add big 10.0.$((i / 250)).$((i % 250))"; done) | ipset restore
ipset create small hash:ip
X

# A list of that set, read to its middle.
hold 7 big
as k3s-server <<'X'
ipset destroy big
ipset swap small big
ipset rename big bigger
ipset destroy
ipset rename small tiny
ipset rename tiny small
X
let_go

# A save of every set.
hold 8
as k3s-server <<<'ipset destroy big'
let_go

# Nobody reads, a list:set holds it; a list that was read to its end is over.
as k3s-server <<'X'
ipset create both list:set
ipset add both big
ipset add both small
X
as backup.sh <<<'ipset list big >/dev/null; ipset save >/dev/null'
as k3s-server <<'X'
ipset destroy big
ipset rename small tiny
ipset del both small
ipset rename small tiny
ipset destroy both
X

# A packet rule.
iptables -I INPUT -m set --match-set big src -j DROP
as k3s-server <<<'ipset destroy big'
iptables -D INPUT -m set --match-set big src -j DROP
as k3s-server <<<'ipset destroy big; ipset destroy tiny'
