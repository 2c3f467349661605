#!/usr/bin/env bash
# A loss in the decisive second: the reader stands still while the ring runs full, and then an address is unbanned.
# To be recorded with BUFFER=256K.
set -uo pipefail
ipset create bans hash:ip
ipset create noise hash:ip maxelem 1000000
ipset add bans 192.0.2.1
ipset add bans 192.0.2.2
sleep 1
pkill -STOP -x ipsetaudit-tui
for i in {0..99}; do for j in {0..255}; do echo "add noise 10.0.$i.$j"; done; done | ipset restore
ipset del bans 192.0.2.1
pkill -CONT -x ipsetaudit-tui
sleep 2
ipset add bans 192.0.2.3
