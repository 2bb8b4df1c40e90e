#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# pcap-replay --files-from: what it says of each capture is what a run of its own says, in every format and file; what
# cannot be read does not stop the rest; the exit status is the worst; wrong use is told.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/replay/expect.sh
absolute() {
    case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac
}
tool=$(absolute "${WISP_BUILD_SAN:-build}")/pcap-replay/pcap-replay
release=$(absolute "${WISP_BUILD:-build}")/pcap-replay/pcap-replay
dhcp=$PWD/tests/replay/dhcp
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] && [ -x "$release" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
traces=$(cd "$traces" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export ASAN_OPTIONS=${ASAN_OPTIONS-}:exitcode=86 UBSAN_OPTIONS=${UBSAN_OPTIONS-}:exitcode=86
ping=$traces/icmp/packets__icmp_echo.pcapng
tcp=$traces/tcp/zeek__vlan-collisions.pcap
printf '%s\n' "$tcp" "$ping" "$dhcp/decline.pcap" "$dhcp/overload_both.pcap" "$tcp" "$ping" > good
printf '%s\n' "$ping" nowhere.pcap "$tcp" > missing

# Runs of their own: single.out has their reports in a row, single/N.pcap and single/N.report those of each.
run_singly() { # tool, list, options
    local with=$1 list=$2 n=0 capture
    shift 2
    rm -rf single
    mkdir single
    while read -r capture; do
        n=$((n + 1))
        # shellcheck disable=SC2086
        "$with" --write=single/$n.pcap --output=single/$n.report "$@" "$capture" ${filter-} < /dev/null
    done < "$list" 2> single.err
    seq "$n" | sed 's|.*|single/&.report|' | xargs cat > single.out
}

run_batch() { # tool, list, options
    local with=$1 list=$2
    shift 2
    rm -rf batch
    mkdir batch
    timeout 120 "$with" --write=batch/%n.pcap "$@" --files-from="$list" ${filter-} > batch.out 2> batch.err
    timeout 120 "$with" --write=batch/%n.pcap --output=batch/%n.report "$@" --files-from="$list" ${filter-} 2> batch.err
}

same() {
    cmp single.out batch.out && diff -r single batch && [ -s single.out ]
}

compare() { # name, tool, list, options
    local name=$1
    shift
    run_singly "$@"
    run_batch "$@"
    t_check "the same as in runs of their own: $name" same
}

compare "text" "$tool" good
compare "json with counters" "$tool" good --format=json --stats
compare "an impaired path" "$tool" good --impair=loss=5%,dup=1%,delay=10ms,reorder=2%,corrupt=1%
filter="udp or icmp" compare "a filter" "$tool" good --limit=20
find "$traces" -name '*.pcap*' | sort -r | awk 'NR % 8 == 0' > eighth
compare "every eighth capture" "$release" eighth --format=json --stats
compare "every eighth capture, injected" "$release" eighth --format=json --stats --mode=inject --split=64

expect "a missing one among good ones: exit 3" 3 'nowhere.pcap: No such file' --write=m%n.pcap --files-from=missing
t_check "the others are judged" test "$(grep -c '^result   all flows' out.txt)" -eq 2
t_check "and keep their numbers" test -e m1.pcap -a ! -e m2.pcap -a -e m3.pcap
gzip -c "$ping" > zipped.pcap.gz
head -c 1000 "$tcp" > cut.pcap
printf '%s\n' zipped.pcap.gz cut.pcap "$ping" > broken
expect "compressed and cut ones: exit 3, with the remedy" 3 'zcat zipped.pcap.gz' --write=b%n.pcap --files-from=broken
t_check "the cut one is named" grep -q '^pcap-replay: cut.pcap: after frame' err.txt
t_check "nothing half-written" test ! -e b2.pcap -a ! -e b2.pcap.partial -a -e b3.pcap

expect "all match: exit 0" 0 'PASS' --files-from=good
expect "nothing applies to one, another matches: exit 0" 0 'no frames pass' --files-from=good icmp
expect "nothing applies to any: exit 77" 77 'no frames pass' --files-from=good tcp port 1
expect "one differs: exit 1" 1 'FAIL' --impair=loss=100% --files-from=good
expect "one is missing, others differ: exit 3" 3 'FAIL' --impair=loss=100% --files-from=missing
printf '%s\n\n%s' "$ping" "$tcp" > lines
expect "empty lines, and none at the end" 0 'PASS' --write=l%n.pcap --files-from=lines
t_check "which are not counted" test -e l1.pcap -a -e l2.pcap -a ! -e l3.pcap
: > empty
expect "an empty list: exit 77" 77 'no capture is named in empty' --files-from=empty
expect "no such list: exit 2" 2 'cannot read nolist: No such file' --files-from=nolist
expect "a folder for a list: exit 2" 2 'cannot read .: Is a directory' --files-from=.
printf '%s\0%s\0' "$ping" "$tcp" > zero
expect "zero bytes in the list: exit 2" 2 'zero byte.*one path a line' --files-from=zero
printf '%s\n' - "$ping" > dash
expect "standard input as a capture in a list: exit 3" 3 'standard input is no capture of a list' --files-from=dash
t_check "and the next one is judged" grep -q PASS out.txt
input=good expect "the list on standard input" 0 'overload_both.pcap: [0-9]+ frames' --files-from=-
expect "--write without %n: exit 2" 2 '--write=w.pcap needs %n' --write=w.pcap --files-from=good
expect "--expect without %n: exit 2" 2 '--expect=g.txt needs %n' --expect=g.txt --files-from=good
expect "--output without %n: exit 2" 2 '--output=o.txt needs %n' --output=o.txt --files-from=good
t_check "in one line, and nothing is judged" test "$(cat out.txt err.txt | wc -l)" -eq 1
expect "a wrong filter: exit 2" 2 'pcap-filter' --files-from=good frob nicate
t_check "said once" test "$(cat out.txt err.txt | wc -l)" -eq 1
expect "frames that cannot be written end the run: exit 2" 2 'cannot write' --write=nowhere/%n.pcap --files-from=good
t_check "said once, too" test "$(cat out.txt err.txt | wc -l)" -eq 1
expect "%n of a capture alone is a name like any other" 0 'PASS' --write=%n.pcap "$ping"
t_check "and is written" test -e %n.pcap

for kind in pcap txt; do
    expect "golden $kind: made" 0 'PASS' --expect=golden%n.$kind --update --files-from=good
    expect "golden $kind: the same again" 0 'PASS' --expect=golden%n.$kind --files-from=good
    t_check "golden $kind: nothing else is left" test "$(find . -name 'golden*' -name "*$kind*" | wc -l)" -eq 6
    echo >> golden3.$kind
    expect "golden $kind: one differs" 1 "differs from golden3.$kind at byte" --expect=golden%n.$kind --files-from=good
    t_check "golden $kind: only that" test "$(wc -l < err.txt)" -eq 1
done

expect "tap: a plan" 3 '^1\.\.3$' --format=tap --files-from=missing
sed -n 's/^    //p' out.txt > indented
"$tool" --format=tap "$ping" > alone 2>&1
"$tool" --format=tap "$tcp" >> alone 2>&1
t_check "tap: the reports are subtests" cmp indented alone
t_check "tap: a capture is a test" test "$(grep -cE '^(not )?ok [1-3] - ' out.txt)" -eq 3
t_check "tap: the missing one fails" grep -q '^not ok 2 - nowhere.pcap: .*No such file' out.txt
expect "tap: nothing applies" 0 '^ok 1 - .* # SKIP' --format=tap --files-from=good icmp

expect "stats name the capture" 0 'decline.pcap: replayed .* KB of memory' --stats --files-from=good
t_check "each of them" test "$(grep -c 'replayed' err.txt)" -eq 6
expect "quiet: the exit status" 3 'nowhere' -q --files-from=missing
t_check "quiet: and what cannot be read" test ! -s out.txt -a "$(wc -l < err.txt)" -eq 1
expect "--list lists each" 0 'listed' --list --files-from=good
t_check "all of them" test "$(grep -c '^result   listed' out.txt)" -eq 6
t_done
