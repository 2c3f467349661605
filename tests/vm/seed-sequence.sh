#!/usr/bin/env bash
# The calls of the original tool's README, in its order; the one that must fail is expected to.
set -euo pipefail
ipset create test123 hash:ip
ipset create test789 hash:ip
ipset list
ipset test test123 127.0.0.1 || true # not in the set
ipset rename test123 test456
ipset swap test456 test789
ipset save test456
ipset destroy test123 && exit 1 # no longer there
ipset destroy test456
ipset destroy test789
