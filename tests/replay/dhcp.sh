#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# DHCP exchanges in endpoint mode: our client in the captured one's place. The captures in tests/replay/dhcp are of real
# servers (tools/record-dhcp makes them): refusals in every state that can be refused, a conflict that ARP
# shows, options in file, sname, both and in two parts. The same captures with one field changed must fail.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
tool=${WISP_BUILD_SAN:-build}/pcap-replay/pcap-replay
[ -x "$tool" ] || t_skip_all "pcap-replay is not built"
captures=tests/replay/dhcp
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

judged() { # name, capture, strictness, status, pattern in the report, more options
    local name=$1 capture=$2 strict=$3 want=$4 pattern=$5
    shift 5
    timeout 60 "$tool" --strict="$strict" "$capture" "$@" > "$scratch/out" 2>&1
    local got=$?
    if [ $got -eq "$want" ] && tr '\n' ' ' < "$scratch/out" | grep -qE -e "$pattern"; then
        t_ok "$name"
    else
        t_not_ok "$name" "exit $got, wanted $want with '$pattern': $(tail -n +4 "$scratch/out" | head -c 400 | tr '\n' ';')"
    fi
}

# What is captured, and that it is: messages in their order, then the verdict at headers.
exchange() { # name, capture, messages
    judged "$1" "$captures/$2.pcap" headers 0 " dhcp [^P]* PASS +[0-9a-f:]{17} $3 "
}

exchange "INIT-REBOOT refused by ISC dhcpd, then a lease" nak_reboot 'REQUEST\(reboot\) NAK DISCOVER OFFER REQUEST ACK'
exchange "REQUESTING refused by dnsmasq, then a lease" nak_requesting \
    'DISCOVER OFFER REQUEST NAK DISCOVER OFFER REQUEST ACK'
exchange "RENEWING refused by dnsmasq, then a lease, given back" nak_renewing \
    'DISCOVER OFFER REQUEST ACK REQUEST\(renew\) NAK DISCOVER OFFER REQUEST ACK RELEASE'
exchange "renewed and given back, udhcpd" renew_release 'DISCOVER DISCOVER OFFER OFFER REQUEST ACK REQUEST\(renew\) ACK RELEASE'
exchange "an ARP answer of the capture makes the stack decline, and the client find another address" decline \
    'DISCOVER OFFER REQUEST ACK conflict\(arp\) DECLINE DISCOVER OFFER REQUEST ACK'
exchange "options in file (overload 1)" overload_file 'DISCOVER OFFER REQUEST ACK'
exchange "options in sname (overload 2)" overload_sname 'DISCOVER OFFER REQUEST ACK'
exchange "options in file and sname (overload 3)" overload_both 'DISCOVER OFFER REQUEST ACK'
exchange "an option in two parts (RFC 3396)" long_option 'DISCOVER OFFER REQUEST ACK'

# Where options lie is what the names above say.
overload() { # capture, value
    python3 - "$captures/$1.pcap" "$2" << 'PY'
import sys
data = open(sys.argv[1], "rb").read()
sys.exit(data.count(bytes([52, 1, int(sys.argv[2])])) < 2)
PY
}
t_check "overload 1 is in its capture" overload overload_file 1
t_check "overload 2 is in its capture" overload overload_sname 2
t_check "overload 3 is in its capture" overload overload_both 3

# The last place where `from` stands becomes `to`, both in hex; UDP checksums are left out of it (blank).
changed() { # capture, from, to
    python3 - "$captures/$1.pcap" "$2" "$3" "$scratch/changed.pcap" << 'PY'
import struct, sys
source, old, new, target = sys.argv[1:]
data = bytearray(open(source, "rb").read())
at = data.rfind(bytes.fromhex(old))
if at < 0:
    sys.exit("nothing to change")
data[at:at + len(new) // 2] = bytes.fromhex(new)
position = 24
while position < len(data):
    length = struct.unpack_from("<I", data, position + 8)[0]
    if data[position + 16 + 12:position + 16 + 14] == b"\x08\x00":
        data[position + 16 + 40:position + 16 + 42] = b"\0\0"
    position += 16 + length
open(target, "wb").write(data)
PY
}

broken() { # name, capture, from, to, pattern
    if changed "$2" "$3" "$4"; then
        judged "$1" "$scratch/changed.pcap" stream 1 "$5"
    else
        t_not_ok "$1" "the capture has no $3"
    fi
}

broken "an ACK with a lease of no time is not taken, and that is said" nak_reboot 330400000258 330400000000 \
    'why +the ACK was not taken: our client is [a-z-]+, .*unusable'
# dnsmasq and dhcpd of Debian 12 echo no client identifier (RFC 6842), so one is put behind the NAK's options.
if changed nak_requesting ff000000000000000000 3d0701ba5b44e465abff; then
    judged "a client identifier that is echoed becomes ours" "$scratch/changed.pcap" headers 0 ' 1 pass'
else
    t_not_ok "a client identifier that is echoed becomes ours" "no room behind the options"
fi
broken "a NAK that echoes another client's identifier is not taken" nak_requesting \
    ff000000000000000000 3d0702ba5b44e465abff 'why +the NAK was not taken: our client is [a-z-]+, .*foreign_client'
broken "a lease that differs from the ACK's is found" nak_renewing 06040a090001 06047f000001 \
    "why +the lease's name server differs +expected +name server 127.0.0.1 +got +name server 0.0.0.0"

judged "a lone question: not judged, with the reason" "$captures/nak_requesting.pcap" stream 77 \
    'SKIP +no whole exchange: neither ACK nor NAK ended it' --limit=2
judged "answers alone: not judged, with the reason" "$captures/nak_requesting.pcap" stream 77 \
    'SKIP +no whole exchange: what the server answers is not in the capture' src port 67
judged "a renewal alone: not judged, with the reason" "$captures/renew_release.pcap" stream 77 \
    'SKIP +no whole exchange: the lease it renews began before the capture' src 10.9.0.107 or dst 10.9.0.107
judged "other hosts are ours, not this client" "$captures/nak_reboot.pcap" stream 77 'none of --dut' --dut=10.9.0.7
judged "this client is ours" "$captures/nak_reboot.pcap" stream 0 'PASS' --dut=10.9.0.100
judged "other options: bytes differ" "$captures/nak_reboot.pcap" bytes 1 'other options +expected +options 50,53'
judged "json tells the messages" "$captures/overload_both.pcap" stream 0 \
    '"exchange": "[0-9a-f:]{17} DISCOVER OFFER REQUEST ACK"' --format=json
judged "tap tells the messages" "$captures/overload_both.pcap" stream 0 '# [0-9a-f:]{17} DISCOVER OFFER REQUEST ACK' --format=tap
# With seed 4 both requests of the renewal are lost, and with them the lease, as it must be.
for seed in 1 2 3; do
    judged "an impaired path, seed $seed: the same lease in the end" "$captures/nak_renewing.pcap" stream 0 '1 pass' \
        --seed=$seed --impair=loss=10%,dup=10%,delay=30ms,jitter=20ms
done
"$tool" --impair=loss=15%,dup=10%,delay=30ms --write="$scratch/a.pcap" "$captures/decline.pcap" > "$scratch/a"
"$tool" --impair=loss=15%,dup=10%,delay=30ms --write="$scratch/b.pcap" "$captures/decline.pcap" > "$scratch/b"
t_check "two runs are byte-identical" sh -c "cmp '$scratch/a' '$scratch/b' && cmp '$scratch/a.pcap' '$scratch/b.pcap'"
if command -v tshark > /dev/null; then
    for capture in nak_renewing decline; do
        "$tool" -q --write="$scratch/w.pcap" "$captures/$capture.pcap"
        wrong=$(tshark -n -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r "$scratch/w.pcap" \
            -Y '_ws.malformed || udp.checksum.status == 0 || ip.checksum.status == 0' 2> /dev/null)
        t_check "tshark finds nothing wrong in what is written, $capture" test -z "$wrong" -a -s "$scratch/w.pcap"
    done
else
    t_skip "tshark finds nothing wrong in what is written" "tshark is not installed"
fi
t_done
