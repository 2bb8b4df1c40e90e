#!/bin/bash
# SPDX-License-Identifier: ISC
# Images under load on real Xen: Debian's iperf both ways and a half-closed connection with every set of offers, looked
# at by tshark; two images with each other; and a capture of dom0 replayed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh
command -v tshark > /dev/null || t_skip_all "no tshark"

lab_open "$WISP_BUILD"/apps/{iperf,echo,slides}.xen
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
lab/xen run -- dmesg -c > /dev/null

flat() {
    printf '%s' "$1" | tr '\r\n' '  '
}

# What tshark holds against frames of ours: broken ones and, where we do them ourselves, wrong checksums and frames
# longer than the wire takes.
errors() { # capture, filter
    tshark -n -r "$1" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y "eth.src == 00:16:3e:00:00:09 && ($2)" 2> /dev/null
}

broken='_ws.malformed || _ws.unreassembled || ip.checksum.status == 0 || ip.bogus_header_length'
summed="$broken || _ws.expert.severity == error || tcp.checksum.status == 0 || frame.len > 1514"

offers() { # type, offer
    local name="$1, ${2:-all offers}" filter=$summed out found part
    case $2 in "" | --split-events=off) filter=$broken ;; --offload=csum) filter="$broken || frame.len > 1514" ;; esac
    out=$(timeout 300 lab/xen run tests/xen/dom0/traffic "$1" "$2" 2>&1)
    for part in bulk-to bulk-from half-close; do
        case $out in
            *"$part good"*) t_ok "$name: $part" ;;
            *) t_not_ok "$name: $part" "$(flat "$out")" ;;
        esac
    done
    rm -f "$scratch"/*
    lab/xen get /tmp/traffic-{to,from,echo}.pcap "$scratch/"
    found=$(for part in to from echo; do errors "$scratch/traffic-$part.pcap" "$filter"; done | head -3)
    sent=$(errors "$scratch/traffic-from.pcap" tcp | head -100 | wc -l)
    if [ -z "$found" ] && [ "$sent" = 100 ]; then
        t_ok "$name: tshark finds no error of ours"
    else
        t_not_ok "$name: tshark finds no error of ours" "of $sent frames: $(flat "$found")"
    fi
}

for offer in "" --offload=csum --offload=sg --offload=off --split-events=off; do
    offers pv "$offer"
done
for offer in "" --offload=off; do
    offers pvh "$offer"
done

# The sender counts what was acknowledged when its time was up; the receiver at least that.
for type in pv pvh; do
    out=$(timeout 250 lab/xen run tests/xen/dom0/pair $type 2>&1)
    sent=$(sed -nE 's/^client: .* ([0-9]+) bytes .*/\1/p' <<< "$out" | tail -1)
    came=$(sed -nE 's/^server: .* ([0-9]+) bytes .*/\1/p' <<< "$out" | tail -1)
    if [ "${sent:-0}" -gt 1000000 ] && [ "${came:-0}" -ge "$sent" ]; then
        t_ok "$type: one image sends another $sent bytes over dom0's bridge"
    else
        t_not_ok "$type: one image sends another over dom0's bridge" "$(flat "$out")"
    fi
done

lab/xen run -- sh -c 'rm -rf /tmp/deck; mkdir /tmp/deck'
lab/xen put apps/slides/deck/* /tmp/deck/ >&2
same=$(lab/xen run tests/xen/dom0/capture | grep -c same)
lab/xen get /tmp/capture.pcap "$scratch/capture.pcap"
"$WISP_BUILD/pcap-replay/pcap-replay" "$scratch/capture.pcap" > "$scratch/report" 2>&1
status=$?
flows=$(tshark -n -r "$scratch/capture.pcap" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 1' 2> /dev/null | wc -l)
if [ $status = 0 ] && [ "$same" -gt 5 ] && [ "$flows" -gt "$same" ]; then
    t_ok "pcap-replay of $flows fetches captured in dom0 says the same again"
else
    t_not_ok "pcap-replay of $flows fetches captured in dom0 says the same again" "status $status, $same files: $(flat "$(tail -15 "$scratch/report")")"
fi

if lab/xen run -- dmesg | grep -E 'vif.*(fatal|[Ee]rror|Cross page|Missing extra|Too many|truncated|Unexpected)' >&2; then
    t_not_ok "netback has no complaint" "see above"
else
    t_ok "netback has no complaint"
fi
t_done
