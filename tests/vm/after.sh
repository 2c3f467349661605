#!/usr/bin/env bash
# What "who" is asked about afterwards: bans that are renewed, time out, are lifted; networks with an exception; ranges;
# content that comes by swap and rename; a batch that fails half-way; one set name in two namespaces; hostile names;
# attempts that are refused. Everything is still there at the end, so that the answers can be compared with "ipset test".
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

as fail2ban-server <<'X'
ipset create bans hash:ip timeout 600
ipset add bans 192.0.2.1
ipset add bans 192.0.2.2 timeout 2
ipset add bans 192.0.2.3
ipset add bans 192.0.2.4 timeout 0
ipset -exist add bans 192.0.2.1 timeout 1200
ipset del bans 192.0.2.3
ipset add bans 198.51.100.0/29
ipset del bans 198.51.100.5
ipset del bans 192.0.2.99
X
as update.sh <<'X'
ipset create nets hash:net
ipset add nets 203.0.113.0/24
ipset create nets-tmp hash:net
(echo add nets-tmp 10.0.0.0/8; echo add nets-tmp 10.1.2.0/24 nomatch; echo add nets-tmp 172.16.0.0/12) | ipset restore
ipset swap nets-tmp nets
ipset destroy nets-tmp
ipset del nets 172.16.0.0/12
ipset create old-name hash:ip,port
ipset add old-name 10.42.0.17,tcp:80-82
ipset del old-name 10.42.0.17,tcp:81
ipset rename old-name services
X
as loader <<'X'
ipset create part hash:ip
(for i in 1 2 3 2 4; do echo "add part 192.0.2.$i"; done) | ipset restore
ipset create emptied hash:ip
ipset add emptied 192.0.2.1
ipset flush emptied
ipset create masked hash:ip netmask 24
ipset add masked 10.7.7.7
X
for netns in left right; do
    ip netns add $netns
    as dockerd <<X
ip netns exec $netns ipset create clients hash:ip
X
done
as dockerd <<'X'
ip netns exec left ipset add clients 172.17.0.2
ip netns exec right ipset add clients 172.17.0.3
X
as mallory <<'X'
ipset create $'x ok ipset[1]\e[31m' hash:ip
ipset add $'x ok ipset[1]\e[31m' 192.0.2.66
X
setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <<'X'
import socket, struct
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + attr(2, b"bans\0")
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
sock.sendto(struct.pack("IHHII", 16 + len(body), 0x0604, 5, 0, 0) + body, (0, 0))  # IPSET_CMD_FLUSH
sock.recv(999)
X
sleep 2
ipset test bans 192.0.2.2
