#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# nmap's odd flags and guesses: open and closed ports answer as RFC 9293 says, nothing can be predicted.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip nmap nc ping tshark python3

app_start echo "--pcap=$app_pcap"
# A port counts as silent after two probes, with four seconds for each: longer than a machine stalls.
scan() { # what is expected of port 7, of port 8; nmap options...
    local out
    out=$(timeout 100 nmap -n -Pn --max-retries 1 --min-rtt-timeout 4s --initial-rtt-timeout 4s -p 7,8 "${@:3}" 10.0.0.2 2>&1)
    echo "$out" | grep -qE "^7/(tcp|udp) +$1" && echo "$out" | grep -qE "^8/(tcp|udp) +$2" && return
    echo "$out" >&2
    return 1
}
t_check "SYN scan" scan open closed -sS
t_check "connect scan" scan open closed -sT
t_check "FIN scan: an open port is silent, a closed one resets" scan 'open\|filtered' closed -sF
t_check "NULL scan" scan 'open\|filtered' closed -sN
t_check "Xmas scan" scan 'open\|filtered' closed -sX
t_check "ACK scan: both reset" scan unfiltered unfiltered -sA
t_check "window scan: the window of a reset tells nothing" scan closed closed -sW
t_check "Maimon scan (FIN and ACK): both reset" scan closed closed -sM
t_check "SYN and FIN together" scan '(open|closed|filtered|open\|filtered)' closed -sS --scanflags SYNFIN
t_check "all flags at once, UDP and protocols: still there afterwards" sh -c "
    timeout 100 nmap -n -Pn -sS --scanflags URGACKPSHRSTSYNFIN -p 1-200 10.0.0.2 > /dev/null 2>&1
    timeout 100 nmap -n -Pn -sU --max-retries 0 -p 1-50 10.0.0.2 > /dev/null 2>&1
    timeout 100 nmap -n -Pn -sO --max-retries 0 -p 0-50 10.0.0.2 > /dev/null 2>&1
    [ \"\$(echo there | nc -N -w 60 10.0.0.2 7)\" = there ]"
# Without answers to four of its six probes in time nmap says nothing of them: then it has not looked yet.
for _ in 1 2 3 4 5; do
    timeout 200 nmap -n -Pn -O -v -p 7,8 10.0.0.2 > "$scratch/os" 2>&1
    ! grep -q 'TCP Sequence Prediction' "$scratch/os" || break
done
grep -E 'Sequence Prediction|IP ID' "$scratch/os" | sed 's/^/# /'
t_check "nmap -O: sequence numbers as hard to guess as can be said" \
    grep -qE 'TCP Sequence Prediction: Difficulty=2[0-9][0-9]' "$scratch/os"
t_check "still there after nmap -O" sh -c '[ "$(echo there | nc -N -w 60 10.0.0.2 7)" = there ]'
ip addr add 10.0.0.3/24 dev wisp0
for host in 10.0.0.1 10.0.0.3 10.0.0.1 10.0.0.3 10.0.0.1 10.0.0.3; do
    ping -n -q -c 1 -W 20 -I $host -s 99 10.0.0.2 > /dev/null
done
app_stop "the end is orderly"
# Each pair of addresses has a counter of its own (RFC 7739): what one host sees says nothing about another's.
identifications() {
    tshark -n -r "$app_pcap" -Y 'icmp.type == 0 && frame.len == 141' -T fields -e ip.id 2> /dev/null |
        python3 -c '
import sys
ids = [int(line, 16) for line in sys.stdin]
assert len(ids) == 6, ids
assert any((b - a) % 65536 != 1 for a, b in zip(ids, ids[1:])), ids'
}
t_check "IP identifications seen by two hosts do not come from one counter" identifications
app_check_capture "tshark finds no error of ours"
t_done
