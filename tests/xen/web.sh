#!/bin/bash
# SPDX-License-Identifier: ISC
# The web server as a guest on real Xen, both kinds: the deck by curl, many at once, 64 connections held open (in 4 MiB,
# too), wrk; and that netback has no complaint.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/apps/slides.xen"
lab/xen run -- sh -c 'rm -rf /tmp/deck; mkdir /tmp/deck'
lab/xen put apps/slides/deck/* /tmp/deck/ >&2
lab/xen run -- dmesg -c > /dev/null

for kind in "pv 16" "pvh 16" "pv 4" "pvh 4"; do
    # shellcheck disable=SC2086
    out=$(timeout 300 lab/xen run tests/xen/dom0/web $kind)
    echo "$out" >&2
    for what in deck parallel counters open64 wrk shutdown; do
        case $out in
            *"$what good"*) t_ok "slides on Xen, $kind MiB: $what" ;;
            *) t_not_ok "slides on Xen, $kind MiB: $what" "$(printf '%s' "$out" | tr '\r\n' '  ')" ;;
        esac
    done
done

if lab/xen run -- dmesg | grep -E 'vif.*(fatal|[Ee]rror|Cross page|Missing extra|Too many|truncated|Unexpected)' >&2; then
    t_not_ok "netback has no complaint" "see above"
else
    t_ok "netback has no complaint"
fi
t_done
