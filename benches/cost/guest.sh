#!/usr/bin/env bash
# In the guest: what one call costs with nothing attached, with the program, and with what it is compared with.
#
# On a clock that counts instructions (run --icount) the figures are instructions, and repeat to some 0.3 %. Prints one row a
# turn: what it was, then for a one-element call and for a batch of 1,000: to the caller alone, and in all. "In all" is the clock
# of the only processor, and what the reader still had to do after the last call.
set -euo pipefail
here=${OUT:-$(dirname "$0")} calls=${CALLS:-20000} batches=${BATCHES:-200} rounds=${ROUNDS:-3}
callers=$here/callers rivals=$here/rivals object=$here/rivals.o program=$here/ipsetaudit-tui
log=/dev/shm/cost.jsonl turn= feed=

modprobe -a nfnetlink ip_set ip_set_hash_ip
ipset create cost hash:ip -exist
"$callers" calls cost 2000 1 >/dev/null

# Nanoseconds of processor time that the threads of these processes have had.
had() {
    local pid file sum=0 time
    for pid; do
        for file in /proc/"$pid"/task/*/schedstat; do
            read -r time _ <"$file" && ((sum += time)) || true
        done
    done
    echo "$sum"
}

# The middle one of the numbers on standard input.
median() { sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'; }

# cost CALLS ELEMENTS PID...: to the caller, and in all.
cost() {
    local times=$1 elements=$2 round clock alone before after own=() whole=()
    shift 2
    for ((round = 0; round < rounds; round++)); do
        read -r _ clock alone < <("$callers" calls cost "$times" "$elements")
        before=$(had "$@")
        (($# == 0)) || sleep 1
        after=$(had "$@")
        own+=("$alone") whole+=($((clock + (after - before) / times)))
    done
    echo "$(printf '%s\n' "${own[@]}" | median) $(printf '%s\n' "${whole[@]}" | median)"
}

row() {
    local name=$1 one many
    shift
    one=$(cost "$calls" 1 "$@")
    many=$(cost "$batches" 1000 "$@")
    echo "$name|$one $many"
}

# Waits until FILE holds WORD.
until_told() {
    local n
    for ((n = 0; n < 300; n++)); do
        grep -aqs "$2" "$1" && return
        sleep 0.1
    done
    echo "$1 never said $2:" >&2
    cat "$1" >&2
    exit 1
}

# with NAME COMMAND...: a row while the command runs, which ends with its standard input.
rival() {
    local name=$1
    shift
    rm -f /dev/shm/fifo && mkfifo /dev/shm/fifo
    "$@" </dev/shm/fifo >/dev/shm/rival 2>&1 & turn=$!
    exec {feed}>/dev/shm/fifo
    until_told /dev/shm/rival ready
    row "$name" "$turn"
    exec {feed}>&-
    wait "$turn"
    sed 's/^/# /' /dev/shm/rival | grep -v ready >&2 || true
}

ours() {
    local name=$1 stopped=${2:-} log=${3:-$log}
    [[ $log == /dev/null ]] || rm -f "$log"
    "$program" log --format json -o "$log" 2>/dev/shm/ours & turn=$!
    until_told /sys/kernel/tracing/kprobe_events "ipsetaudit/refusal_$turn"
    sleep 3
    if [[ $stopped ]]; then
        # A fresh ring for each round: none holds all of them.
        kill -STOP "$turn"
        row "$name" "$turn"
        kill -CONT "$turn"
    else
        row "$name" "$turn"
    fi
    kill -TERM "$turn"
    wait "$turn" || echo "# exit status $? of: $name" >&2
    [[ $log == /dev/null ]] || grep -h '"kind":"lost"' "$log" | head -n 2 | sed 's/^/# /' >&2 || true
}

with_screen() {
    rm -f /dev/shm/fifo && mkfifo /dev/shm/fifo
    script -qfc "stty rows 40 cols 140; exec $program" /dev/null </dev/shm/fifo >/dev/shm/screen & turn=$!
    exec {feed}>/dev/shm/fifo
    until_told /dev/shm/screen TIME
    sleep 2
    row "$1" $(pgrep -f "^$program")
    printf q >&"$feed"
    exec {feed}>&-
    wait "$turn" || true
}

for what in ${TURNS:-bare floor silent lines json screen handlers}; do
    case $what in
        bare) row "nothing attached" ;;
        floor) rival "an empty pair of probes (the floor)" "$rivals" "$object" floor ;;
        silent) ours "this program, its reader stopped" stopped ;;
        lines) ours "this program, JSON lines to /dev/null" "" /dev/null ;;
        json) ours "this program, JSON log in memory (tmpfs)" ;;
        screen) with_screen "this program, screen" ;;
        handlers) rival "nine handlers, perf buffer, a reader that counts" "$rivals" "$object" handlers ;;
    esac
done
