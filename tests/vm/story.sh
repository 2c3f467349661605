#!/usr/bin/env bash
# A minute in the life of a firewall, for recordings and pictures: fail2ban bans, a blocklist is reloaded by swap, two
# managers write one set, a destroy finds its set busy, a set is full, somebody without the right tries, a container
# has a namespace of its own. The actors are shells under their names; the calls are real.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
pause() { sleep "${PACE:-0.4}"; }

as systemd <<'X'
ipset create f2b-sshd hash:ip timeout 600 comment
ipset create f2b-nginx hash:ip timeout 600
ipset create blocklist hash:net maxelem 131072
ipset create crowdsec-blacklists hash:net timeout 300000
ipset create allowed-ports bitmap:port range 0-65535
ipset create tiny hash:ip maxelem 4 hashsize 64
X
pause
for ip in 192.0.2.7 198.51.100.23 203.0.113.99 192.0.2.114; do
    as fail2ban-server <<<"ipset add f2b-sshd $ip timeout 600 comment 'sshd: 5 failures'"
    as fail2ban-server <<<"ipset test blocklist $ip"
    pause
done
as fail2ban-server <<<'ipset add f2b-sshd 192.0.2.7'
as fail2ban-server <<<'ipset -exist add f2b-sshd 192.0.2.7 timeout 1200'
as fail2ban-server <<<'ipset add f2b-nginx 2001:db8::1'

as cron <<'X'
list() { for i in {1..250}; do echo "add blocklist-tmp 10.$((i / 16)).$((i % 16 * 16)).0/20"; done; }
ipset create blocklist-tmp hash:net maxelem 131072
list | sort -u | ipset restore -exist
ipset swap blocklist-tmp blocklist
ipset destroy blocklist-tmp
X
pause
as crowdsec-firewa <<'X'
(for i in {1..60}; do echo "add crowdsec-blacklists 203.0.113.$i/32 timeout 14400"; done) | ipset restore
ipset add blocklist 198.51.100.0/24
X
as update.sh <<'X'
ipset add blocklist 198.51.100.0/24
ipset del blocklist 198.51.100.0/24
ipset add blocklist 198.18.0.0/15
X
pause
(for i in {1..9}; do echo "add tiny 192.0.2.$i"; done) | ipset restore
as update.sh <<'X'
(echo add allowed-ports 22; echo add allowed-ports 80-89; echo add allowed-ports 443; echo add allowed-ports 80) | ipset restore
ipset create allowed-ports bitmap:port range 0-65535
ipset swap blocklist allowed-ports
X
iptables -I INPUT -m set --match-set blocklist src -j DROP
as k3s-server <<'X'
ipset destroy blocklist
ipset create KUBE-SRC-ABC hash:ip,port
ipset add KUBE-SRC-ABC 10.42.0.17,tcp:8080
ipset rename KUBE-SRC-ABC KUBE-SRC-DEF
ipset add no-such-set 192.0.2.1
X
iptables -D INPUT -m set --match-set blocklist src -j DROP
pause
setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <<'X'
import socket, struct
attr = lambda kind, value: struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
body = bytes([2, 0, 0, 0]) + attr(1, b"\7") + attr(2, b"blocklist\0")
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
sock.sendto(struct.pack("IHHII", 16 + len(body), 0x0603, 5, 0, 0) + body, (0, 0))  # IPSET_CMD_DESTROY
sock.recv(999)
X
ip netns add web-1
as dockerd <<'X'
ip netns exec web-1 ipset create clients hash:ip
ip netns exec web-1 ipset add clients 172.17.0.2
ip netns exec web-1 ipset destroy clients
X
ip netns del web-1
pause
as fail2ban-server <<<'ipset del f2b-sshd 192.0.2.114; ipset del f2b-sshd 192.0.2.115'
ipset save >"$stage/saved"
ipset list -n >"$stage/names"
as systemd <<'X'
ipset flush f2b-sshd
ipset destroy KUBE-SRC-DEF
ipset flush
ipset destroy
X
