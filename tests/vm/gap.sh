#!/usr/bin/env bash
# Two runs on one file, and an unban between them that nobody watches.
set -uo pipefail
ipset create bans hash:ip
ipset add bans 192.0.2.1
sleep 1
pkill -TERM -x ipsetaudit-tui
while pgrep -x ipsetaudit-tui; do sleep 0.2; done
ipset del bans 192.0.2.1
"$OUT/ipsetaudit-tui" log --format json -o /tmp/record & second=$!
until (($(grep -c '"kind":"start"' /tmp/record) == 2)); do sleep 0.2; done
ipset add bans 192.0.2.2
sleep 1
kill -TERM $second
wait $second
