#!/usr/bin/env bash
# fail2ban.sh [FOLDER]: a real fail2ban bans an address by ipset and lets it go again, in a folder of its own.
set -euo pipefail
place=${1:-/tmp/fail2ban}
mkdir -p "$place"
cp -r /etc/fail2ban/{action.d,filter.d,fail2ban.conf} "$place/"
printf "[Definition]\ndbfile = None\n" >"$place/fail2ban.local"
touch "$place/auth.log"
cat >"$place/jail.conf" <<END
[sshd]
enabled = true
backend = polling
filter = sshd
logpath = $place/auth.log
port = ssh
protocol = tcp
banaction = iptables-ipset-proto6-allports
action = %(banaction)s[name=sshd, port="ssh", protocol="tcp"]
bantime = 600
END
options=(-c "$place" -s "$place/socket" -p "$place/pid" --loglevel INFO --logtarget "$place/log")
fail2ban-server "${options[@]}" -b start >/dev/null
client() { fail2ban-client -c "$place" -s "$place/socket" "$@" >/dev/null; }
for _ in {1..200}; do
    if client status sshd 2>&1; then break; fi
    sleep 0.1
done
client set sshd banip 192.0.2.7
for _ in {1..100}; do
    if grep -q 'Ban 192.0.2.7' "$place/log" && ipset test f2b-sshd 192.0.2.7 2>/dev/null; then break; fi
    sleep 0.1
done
client set sshd unbanip 192.0.2.7
for _ in {1..100}; do
    if ! ipset test f2b-sshd 192.0.2.7 2>/dev/null; then break; fi
    sleep 0.1
done
client stop
