#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# pcap-replay as a command: bad input and bad options, standard input, filters, golden files, what it writes.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/replay/expect.sh
tool=$PWD/${WISP_BUILD_SAN:-build}/pcap-replay/pcap-replay
case ${WISP_BUILD_SAN:-build} in /*) tool=$WISP_BUILD_SAN/pcap-replay/pcap-replay ;; esac
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
traces=$(cd "$traces" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
capture=$traces/icmp/packets__icmp_echo.pcapng
tcp=$traces/tcp/zeek__vlan-collisions.pcap
ping=$traces/icmp/suricata-verify__detect-itype-prefilter-icmpv4-ping.pcap

gzip -c "$ping" > zipped.pcap.gz
head -c 1000 "$ping" > cut.pcap
head -c 10 "$ping" > stub.pcap
: > empty.pcap
echo "no capture at all, but a text" > text.pcap
expect "gzip: names zcat, exit 3" 3 'zcat zipped.pcap.gz \| pcap-replay -' --write=half.pcap zipped.pcap.gz
expect "cut off in a frame: exit 3" 3 'after frame [0-9]+: .*truncated.*editcap' --write=half.pcap cut.pcap
t_check "nothing half-written" test ! -e half.pcap -a ! -e half.pcap.partial
t_check "no report of half a capture" test ! -s out.txt
expect "cut off in a frame, injected: exit 3" 3 'truncated' --mode=inject cut.pcap
expect "cut off in the header: exit 3" 3 'whole' stub.pcap
expect "empty file: exit 3" 3 'empty' empty.pcap
expect "no capture: exit 3" 3 'pcap or pcapng' text.pcap
expect "absent file: exit 3" 3 'No such file' nowhere.pcap
expect "a directory: exit 3" 3 'directory' .
expect "unknown option: what is valid, exit 2" 2 '--mode' --frobnicate "$capture"
expect "unknown mode: what is valid, exit 2" 2 'endpoint or inject' --mode=sideways "$capture"
expect "bad number, exit 2" 2 'a number from' --seed=lots "$capture"
expect "bad impairment, exit 2" 2 'loss=N%' --impair=loss=lots "$capture"
for impairment in "" , loss=1%, ,loss=1%; do
    expect "an impairment that is none, '$impairment', exit 2" 2 'loss=N%' --impair="$impairment" "$capture"
done
for mtu in 0 575 65536; do
    expect "an MTU of $mtu: the true range, exit 2" 2 '--mtu is a number from 576 to 65535$' --mtu=$mtu "$capture"
done
for queues in 0 9; do
    expect "$queues queues: the true range, exit 2" 2 '--queues is a number from 1 to 8$' --queues=$queues "$capture"
done
expect "slots beyond a page: the true range, exit 2" 2 '--split is a number from 0 to 4096$' --split=4097 "$capture"
for option in --strict=stream --strict=bytes --list --allow-truncated; do
    expect "$option in inject mode: exit 2" 2 "${option%=*} is for --mode=endpoint only" $option --mode=inject "$capture"
    t_check "in one line, $option" test "$(cat out.txt err.txt | wc -l)" -eq 1
done
expect "--dut-mac in endpoint mode: exit 2" 2 '--dut-mac is for --mode=inject only' --dut-mac=02:00:00:00:00:01 "$capture"
expect "a limit of 0 is none" 0 ': 150 frames, ' --limit=0 "$ping"
expect "a limit of one frame" 0 ': 1 frame, ' --mode=inject --limit=1 "$ping"
t_check "in the singular" grep -q '^inject   1 frame in, ' out.txt
expect "one flow" 0 '^1 flow: 1 pass' "$ping" icmp
expect "one flow that differs" 1 '1 of 1 flow differs' --impair=loss=100% "$ping" icmp
expect "bad address, exit 2" 2 'ADDR/LEN' --dut=300.1.1.1 "$capture"
expect "bad filter, exit 2" 2 'pcap-filter' "$capture" frob nicate
expect "no file, exit 2" 2 'FILE'
expect "filter that nothing passes, exit 77" 77 'filter' "$capture" tcp port 1
expect "help" 0 'exit status' --help
expect "a capture that matches, exit 0" 0 'pass' "$capture"
expect "nobody on the path, exit 1" 1 'FAIL' --impair=loss=100% "$capture"
expect "json has the stable keys" 0 '"verdict": "pass"' --format=json "$capture"
expect "tap counts flows" 0 '^1\.\.[1-9]' --format=tap "$capture"
expect "list judges nothing" 0 'listed' --list "$capture"
input=$capture expect "standard input, spooled" 0 'pass' -
input=$capture expect "standard input, injected" 0 'whole' --mode=inject -
input=zipped.pcap.gz expect "gzip on standard input" 3 'zcat' -

# Injected frames meet a stack that they are for, and reach what they are meant for.
fragments=$traces/ip-fragments/PcapPlusPlus__Pcap__Test-ip4_fragments.pcap
expect "injected echo requests are answered" 0 '^icmp.tx.echo_reply +75$' --mode=inject --stats "$ping"
for options in --split=0 --split=64 "--split=1 --dut=10.118.213.211"; do
    # shellcheck disable=SC2086
    expect "injected fragments are put together, $options" 0 '^ipv4.rx.reassembled +6$' --mode=inject --stats $options "$fragments"
done

# Mixed link types: two interfaces in one pcapng, one of them raw IP.
python3 - <<'PY'
import struct
def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
for link in (1, 101):
    out += block(1, struct.pack("<HHI", link, 0, 65535))
frame = bytes(60)
for interface in (0, 1):
    out += block(6, struct.pack("<IIIII", interface, 0, 0, len(frame), len(frame)) + frame)
open("mixed.pcapng", "wb").write(out)
PY
expect "mixed link types: exit 3" 3 'link types' mixed.pcapng
expect "mixed link types, injected: exit 3" 3 'link types' --mode=inject --write=half.pcap mixed.pcapng
t_check "nothing half-written of mixed link types" test ! -e half.pcap -a ! -e half.pcap.partial

expect "golden frames: made" 0 'pass' --expect=golden.pcap --update "$tcp"
expect "golden frames: the same again" 0 'pass' --expect=golden.pcap "$tcp"
expect "golden frames: another seed differs" 1 'differs from golden.pcap at byte' --seed=2 --expect=golden.pcap "$tcp"
expect "golden report: made" 0 'pass' --expect=golden.txt --update "$tcp"
expect "golden report: the same again" 0 'pass' --expect=golden.txt "$tcp"

"$tool" --impair=loss=5%,dup=1%,delay=10ms,reorder=2%,corrupt=1% --write=a.pcap "$tcp" > a.txt 2>&1
"$tool" --impair=loss=5%,dup=1%,delay=10ms,reorder=2%,corrupt=1% --write=b.pcap "$tcp" > b.txt 2>&1
t_check "an impaired path: two runs are byte-identical" cmp a.pcap b.pcap
t_check "an impaired path: the same report" cmp a.txt b.txt
t_check "an impaired path: the stream arrives all the same" grep -q ' 1 pass, 0 fail' a.txt

# Progress: on a terminal only, and gone before the report.
make=${tool%/pcap-replay/*}/tests/make-capture
"$make" 24M large.pcap
script -qec "$tool --mode=inject large.pcap" /dev/null < /dev/null > terminal.txt 2>&1
t_check "progress on a terminal" grep -q '16384 frames, *[0-9]* %' terminal.txt
t_check "which ends before the report" sh -c "tr '\r' '\n' < terminal.txt | tail -2 | grep -q '^result'"
"$tool" --mode=inject large.pcap > out.txt 2> err.txt
t_check "no progress elsewhere" test ! -s err.txt
script -qec "$tool -q --mode=inject large.pcap" /dev/null < /dev/null > terminal.txt 2>&1
t_check "none with --quiet" test ! -s terminal.txt

# What leaves our TX ring, and what the peer's side is made of, over every capture with conversations. Below tunnels lie
# packets that were captured as they are, and payload above TCP and UDP is the capture's. "New fragment overlaps" is what
# tshark's reassembly says of any data sent again.
if command -v tshark > /dev/null && command -v mergecap > /dev/null; then
    mkdir written
    printf '%s\n' "$traces"/{tcp,udp,icmp,arp,dhcp}/* |
        timeout 300 "$tool" -q --write=written/%n.pcap --files-from=- > /dev/null 2>&1
    mergecap -a -F nsecpcap -w all.pcap written/*.pcap
    frames=$(capinfos -Mc all.pcap | sed -nE 's/^Number of packets: *([0-9]+)$/\1/p')
    tshark -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -r all.pcap \
        -Y '(_ws.expert.severity >= 8388608 || tcp.checksum.status == 0 || ip.checksum.status == 0 ||
             udp.checksum.status == 0 || icmp.checksum.status == 0 || _ws.malformed) &&
            !(gtp || geneve || vxlan || gre || teredo)' \
        -T fields -e frame.number -e _ws.col.Protocol -e tcp.checksum.status -e ip.checksum.status \
        -e udp.checksum.status -e _ws.expert.message 2> /dev/null |
        awk -F '\t' '$2 ~ /^(TCP|UDP|IPv4|ICMP|ARP|Ethernet.*)$/ && $6 !~ /New fragment overlaps/ ||
                     $3 == "0" || $4 == "0" || $5 == "0"' > errors.txt
    if [ ! -s errors.txt ] && [ "${frames:-0}" -gt 10000 ]; then
        t_ok "tshark finds no error in what is written"
    else
        t_not_ok "tshark finds no error in what is written" "of $frames frames: $(head -2 errors.txt | tr '\n' ';')"
    fi
else
    t_skip "tshark finds no error in what is written" "tshark is not installed"
fi
t_done
