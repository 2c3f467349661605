#!/usr/bin/env bash
# In the guest: what a call takes by the clock while somebody watches, and how many calls each watcher misses.
#
# All by turns, so that a slow minute of the machine is everybody's; prints the middle, the fastest and the slowest turn,
# and the calls that were missed in all turns.
set -uo pipefail
here=${OUT:-$(dirname "$0")} calls=${CALLS:-5000} rounds=${ROUNDS:-5} processes=2
scratch=/dev/shm/clock
mkdir -p "$scratch"
modprobe -a nfnetlink ip_set ip_set_hash_ip nlmon 2>/dev/null
ipset create cost hash:ip -exist
"$here/callers" calls cost 2000 1 >/dev/null
# Each process makes two calls before it is measured.
made=$((processes * (calls + 2)))

wait_for() { for _ in {1..300}; do grep -aqs "$2" "$1" && return; sleep 0.1; done; echo "no $2 in $1" >&2; }
missed() { echo $(($1 > made ? 0 : made - $1)); }
load() { "$here/callers" calls cost "$calls" 1 "$processes" | cut -d' ' -f2; }

# end PID NAME: tells a watcher to end, and sees that it does.
end() {
    kill -TERM "$1"
    for _ in {1..100}; do [[ $(ps -o stat= -p "$1") == [!Z]* ]] || break; sleep 0.1; done
    kill -KILL "$1" 2>/dev/null && echo "$2 did not end when it was told to" >&2
    wait "$1"
}

nobody() { echo "$(load) 0"; }

ipsetaudit() {
    "$here/ipsetaudit-tui" log --format json -o "$scratch/ours" 2>/dev/null & local pid=$!
    wait_for "$scratch/ours" '"start"'
    local time; time=$(load)
    end "$pid" ipsetaudit-tui
    echo "$time $(missed "$(grep -c '"op":"\(add\|del\)"' "$scratch/ours")")"
}

bpftrace_line() {
    bpftrace -B line -e 'BEGIN { printf("begun\n") } kprobe:nfnetlink_rcv_msg { printf("%llu %d %s\n", nsecs, pid, comm); }' \
        >"$scratch/lines" 2>"$scratch/trouble" & local pid=$!
    wait_for "$scratch/lines" begun; sleep 2
    local time; time=$(load)
    sleep 2; end "$pid" bpftrace
    # The callers' processes are started from /proc/self/exe, and are called so.
    echo "$time $(missed "$(grep -c ' exe$' "$scratch/lines")")"
}

# A call is two packets: the message and its acknowledgement.
tcpdump_nlmon() {
    ip link add nlmon0 type nlmon; ip link set nlmon0 up
    tcpdump -Z root -i nlmon0 -w "$scratch/packets" 2>"$scratch/said" & local pid=$!
    wait_for "$scratch/said" listening
    local time; time=$(load)
    sleep 2; end "$pid" tcpdump
    ip link del nlmon0
    echo "$time $(missed "$(($(sed -n 's/ packets captured//p' "$scratch/said") / 2))")"
}

auditd_rules() {
    mkdir -p /var/log/audit && rm -f /var/log/audit/*
    auditd -n >/dev/null 2>&1 & local pid=$!
    for _ in {1..50}; do [[ $(auditctl -s 2>/dev/null) == *"enabled 1"* ]] && break; sleep 0.1; done
    auditctl -b 8192 >/dev/null; auditctl -a always,exit -F arch=b64 -S sendto -S sendmsg -F exe="$here/callers" >/dev/null
    local time; time=$(load)
    sleep 3; auditctl -D >/dev/null; end "$pid" auditd
    echo "$time $(missed "$(cat /var/log/audit/audit.log* 2>/dev/null | grep -c type=SYSCALL)")"
}

watchers=(nobody ipsetaudit bpftrace_line tcpdump_nlmon auditd_rules)
names=("nobody" "this program, JSON log" "bpftrace, a line a call (no set, no result)" "tcpdump on nlmon (no caller)"
    "auditd, rules on sendto and sendmsg (no set, no ipset result)")
for ((round = 0; round < rounds; round++)); do
    for watcher in "${watchers[@]}"; do "$watcher" >>"$scratch/turns-$watcher" 2>>"$scratch/errors"; rm -f "$scratch"/{ours,lines,packets}*; done
done
echo "| who watches | ns a call: middle | fastest | slowest | calls missed, of $((made * rounds)) |"
echo "|---|---|---|---|---|"
for at in "${!watchers[@]}"; do
    sort -n "$scratch/turns-${watchers[$at]}" | awk -v name="${names[$at]}" '{ n[NR] = $1; missed += $2 }
        END { printf "| %s | %d | %d | %d | %d |\n", name, n[int((NR + 1) / 2)], n[1], n[NR], missed }'
done
head -n 5 "$scratch/errors" >&2
