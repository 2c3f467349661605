#!/usr/bin/env bash
# What somebody does who wants to deceive a reader of the log: names, comments, command lines and process names that hold
# escape sequences, line breaks, quotes, formulas, marks that turn text around, and bytes that are no text at all.
# For tests/recordings/hostile-names.jsonl (record hostile.sh ../recordings/hostile-names.jsonl).
set -uo pipefail
export LC_ALL=C
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
ipset=$(command -v ipset)

# As long as a name may be: 31 bytes.
names=(
    ';|(]<@;|(]<@;|(]<@;|(]<@;|(]<@;'
    $'\e[31mred\e[0m'
    $'\e]0;title\a'
    $'two\nlines ok'
    $'back\rDESTROY *ALL*'
    $'tab\tand\vfeed\f'
    '=cmd|"/c calc"!A1'
    '+1-2' '-1' '@SUM(1)'
    'x ok ipset[1] uid=root'
    '"quoted" \back\'
    $'a\u202eb\u2066c\u200b\ufeff'
    $'\xf0\x9f\x92\xa3\xf0\x9f\x92\xa3 bomb'
    $'\xff\xfe\xc3\x28\xa0\xa1'
    $'\xc2\x9b31m\xc2\x85'
    '*ALL*' 'all' '*' '-' '--' ',' '[x="1"]' '<0>1 forged' '{"kind":"lost"}'
    '$(touch /tmp/x)' '`id`' '; rm -rf /' '%s%n%x'
)
comments=(
    $'\e[2J\e[Hgone' $'one\ntwo' 'it"s' "it's" '=HYPERLINK("x")' $'\u202etxt.exe' $'\xff\xff' '\x1b' '\u{202e}' '] evil="1'
    $'\xf0\x9f\x98\x88' "$(printf '%0255d' 0 | tr 0 ';')"
)
# The program under other names: what a process calls itself is its own affair.
programs=($'\e[31mips\e[0m' $'ips\net' 'x] y="1' '=1+1' $'\xff\xfe' $'\u202espi' 'a < b[1]' 'uid=root')

"$ipset" create plain hash:ip comment
for number in "${!names[@]}"; do
    name=${names[number]}
    "$ipset" create "$name" hash:ip comment
    "$ipset" add "$name" "192.0.2.$number" comment "${comments[number % ${#comments[@]}]}"
    "$ipset" test "$name" 192.0.2.1
    "$ipset" swap "$name" plain
    "$ipset" rename "$name" "no such set"
    "$ipset" del "$name" 203.0.113.1
done
for number in "${!comments[@]}"; do
    "$ipset" add plain "198.51.100.$number" comment "${comments[number]}"
done
for name in "${programs[@]}"; do
    cp "$ipset" "$stage/$name"
    "$stage/$name" add plain 10.0.0.1 comment "$name" -exist
    "$stage/$name" destroy "$name"
    (exec -a "$name" "$stage/$name" list plain "$name")
done
for i in {1..40}; do printf 'add plain 10.1.0.%d comment "\e[31m%d\xff"\n' "$i" "$i"; done | "$ipset" restore
for name in "${names[@]}"; do
    "$ipset" destroy "$name"
done
"$ipset" destroy plain
"$ipset" destroy "no such set"
