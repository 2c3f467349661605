#!/usr/bin/env bash
# Contents that wander, for the recording lineage.jsonl: a swap after a rename after a swap, a flush, a namespace of its
# own where sets of the same names are not the same.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

ip netns add web-1
as systemd <<<'ipset create blocklist hash:net; ipset create spare hash:net; ipset add blocklist 192.0.2.0/24'
as update.sh <<'X'
ipset create TMP-x hash:net
(echo add TMP-x 198.51.100.0/24; echo add TMP-x 203.0.113.0/24) | ipset restore
ipset swap TMP-x spare
X
as cron <<<'ipset rename spare TMP-y; ipset swap TMP-y no-such-set'
as k3s-server <<'X'
ipset swap TMP-y blocklist
ipset add blocklist 198.18.0.0/15
ipset destroy TMP-x
X
ip netns exec web-1 "$stage/update.sh" <<<'ipset create blocklist hash:ip; ipset destroy blocklist'
as cron <<<'ipset flush TMP-y; ipset destroy TMP-y'
as mallory.sh <<<'ipset flush blocklist'
as systemd <<<'ipset destroy'
ip netns del web-1
