#!/usr/bin/env bash
# Who writes which set, for the recording writers.jsonl: one program by many processes, three programs on one set, a
# reader and a failure that are no writers.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

as systemd <<<'ipset create own hash:ip; ipset create shared hash:ip; ipset create read hash:ip'
sleep 0.2
for n in 1 2 3 4 5; do
    as fail2ban-server <<<"ipset add own 192.0.2.$n; ipset add shared 192.0.2.$n"
done
as crowdsec <<<'ipset test own 192.0.2.1; ipset list read >/dev/null; ipset add own 192.0.2.1'
as crowdsec <<<'ipset add shared 198.51.100.1'
as update.sh <<<'ipset add shared 198.51.100.2'
as systemd <<<'ipset destroy'
