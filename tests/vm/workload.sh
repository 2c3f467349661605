#!/usr/bin/env bash
# A workload of real ipset commands, as a host with a blocklist and a log watcher makes them: sets made,
# filled, tested, swapped, renamed and destroyed, a restore, mistakes, and a second network namespace.
# workload.sh [ROUNDS]: one round by default, about ten seconds in an emulated machine.
set -uo pipefail

# What fails here is meant to fail; its message is not.
fails() { "$@" 2>/dev/null; }
pause() { sleep 0.2; }

jail() {
    ipset create f2b-sshd hash:ip timeout 600 comment -exist
    for address in 192.0.2.7 192.0.2.19 198.51.100.4; do
        ipset add f2b-sshd "$address" comment "3 failures" -exist
        pause
    done
    fails ipset add f2b-sshd 192.0.2.7        # already added
    ipset test f2b-sshd 192.0.2.19 2>/dev/null
    fails ipset test f2b-sshd 203.0.113.9     # not in the set
    ipset del f2b-sshd 192.0.2.7
    fails ipset del f2b-sshd 192.0.2.7        # no longer in it
    pause
}

blocklist() {
    ipset create blocklist hash:net -exist
    ipset create blocklist-new hash:net
    for number in {1..200}; do echo "add blocklist-new 10.0.$number.0/24"; done | ipset restore
    ipset swap blocklist-new blocklist
    ipset destroy blocklist-new
    pause
    # A restore that stops in the middle.
    printf 'add blocklist %s\n' 172.16.1.0/24 172.16.2.0/24 10.0.7.0/24 172.16.3.0/24 | fails ipset restore
    ipset list blocklist >/dev/null
    ipset save >/dev/null
    pause
}

in_use() {
    iptables -I INPUT -m set --match-set blocklist src -j DROP
    fails ipset destroy blocklist             # in use
    iptables -D INPUT -m set --match-set blocklist src -j DROP
    fails ipset destroy no-such-set
    fails ipset create f2b-sshd hash:ip       # exists already
    fails ipset swap blocklist f2b-sshd       # of different types
    pause
}

other_namespace() {
    ip netns add tenant
    ip netns exec tenant ipset create ports bitmap:port range 1-1024
    ip netns exec tenant ipset add ports 22
    ip netns exec tenant ipset add ports 80-89
    ip netns exec tenant ipset rename ports services
    pause
    ip netns exec tenant ipset destroy services
    ip netns del tenant
}

tidy() {
    ipset flush f2b-sshd
    ipset destroy f2b-sshd
    ipset rename blocklist blocklist-old
    ipset destroy blocklist-old
}

for ((round = 0; round < ${1:-1}; round++)); do
    jail
    blocklist
    in_use
    other_namespace
    tidy
done
