#!/bin/bash
# SPDX-License-Identifier: ISC
# User-space xen-netfront in the lab's dom0, against Linux's own netback: the handshake, ARP, ping of all sizes, TCP
# both ways, a backend that restarts, and a kill -9 that leaves nothing behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

programs=("$WISP_BUILD"/apps/{echo,iperf,slides})
for program in "${programs[@]}"; do
    [ -x "$program" ] || t_skip_all "no $program"
    ldd "$program" | grep -q libxengnttab || t_skip_all "$program is built without libxen"
done
lab_open "${programs[0]}"

# What the programs need beside them, since dom0's image has only what dom0 needs.
mapfile -t libraries < <(ldd "${programs[@]}" | awk '$3 ~ /^\// { print $3 }' | sort -u)
lab/xen run -- mkdir -p /tmp/netfront
lab/xen put "${programs[@]}" "${libraries[@]}" apps/slides/deck/index.html /tmp/netfront/ >&2

lab_results "do not complain" lab/xen run tests/xen/dom0/netfront /tmp/netfront
t_done
