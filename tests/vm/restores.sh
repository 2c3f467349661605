#!/usr/bin/env bash
# Restores, for the recording restores.jsonl: 4,000 elements, a duplicate in the middle, two sets line by line in turn,
# two restores of one set at once, and a long-lived program that adds one by one and is none.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
# $1 adds to set $2 in the network 10.$3.0.0.
lines() { for ((i = 0; i < $1; i++)); do echo "add $2 10.$3.$((i / 250)).$((i % 250))"; done; }
lines 4000 blocklist 0 >"$stage/blocklist"
{ lines 501 blocklist 1; echo add blocklist 10.1.0.0; lines 300 blocklist 2; } >"$stage/twice"
for i in {1..8}; do echo "add left 10.0.0.$i"; echo "add right 10.0.0.$i"; done >"$stage/turns"
lines 2000 left 3 >"$stage/one"
lines 2000 left 4 >"$stage/other"

as update.sh <<X
ipset create blocklist hash:ip
ipset create left hash:ip
ipset create right hash:ip
ipset restore <$stage/blocklist
ipset restore <$stage/twice
ipset restore <$stage/turns
ipset restore <$stage/one & ipset restore <$stage/other; wait
X
as fail2ban-server <<'X'
python3 - <<'P'
import ipaddress, socket, struct
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
for n in range(30):
    address = attr(1 | 0x4000, ipaddress.ip_address(0x0A050000 + n).packed)
    data = attr(7 | 0x8000, attr(1 | 0x8000, address))
    body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + attr(2, b"right\0") + data
    sock.sendto(struct.pack("IHHII", 16 + len(body), 6 << 8 | 9, 0x205, n, 0) + body, (0, 0))
    assert struct.unpack_from("i", sock.recv(999), 16)[0] == 0
P
true
X
as systemd <<<'ipset destroy'
