#!/bin/bash
# SPDX-License-Identifier: ISC
# Guests come and go, and dom0 is as before: twenty (WISP_GUESTS=100 for more), PV and PVH in turn, of which half end by
# themselves and half are destroyed while they run and are sent data.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD"/apps/{ping,iperf}.xen
guests=${WISP_GUESTS:-20}
flat() {
    printf '%s' "$1" | tr '\r\n' '  '
}

lab/xen run -- dmesg -c > /dev/null
before=$(lab/xen run tests/xen/dom0/left)
ended=0 destroyed=0
for i in $(seq 0 $((guests - 1))); do
    type=pv
    [ $((i / 2 % 2)) = 0 ] || type=pvh
    if [ $((i % 2)) = 0 ]; then
        out=$(lab_guest $type 8 ping.xen "--ipv4=10.0.0.2/24 --count=1 --interval=20 --timeout=20000 10.0.0.1" 'vif=["bridge=xenbr0"]' 2>&1)
        [[ $out == *"1 sent, 1 received"* ]] && ended=$((ended + 1)) && continue
    else
        out=$(timeout 300 lab/xen run tests/xen/dom0/live $type 2>&1)
        [[ $out == *"destroyed after "* ]] && destroyed=$((destroyed + 1)) && continue
    fi
    t_not_ok "$type: guest $((i + 1))" "$(flat "$out")"
done
if [ $((ended + destroyed)) = "$guests" ]; then
    t_ok "$ended guests ended by themselves, $destroyed were destroyed under load"
else
    t_not_ok "$guests guests come and go" "$ended ended by themselves, $destroyed were destroyed under load"
fi
for _ in $(seq 5); do
    after=$(lab/xen run tests/xen/dom0/left)
    [ "$before" != "$after" ] || break
done
if [ "$before" = "$after" ]; then
    t_ok "they left nothing in dom0"
else
    t_not_ok "they left nothing in dom0" "before: $(flat "$before") after: $(flat "$after")"
fi
if lab/xen run -- dmesg | grep -E 'vif.*(fatal|[Ee]rror|Cross page|Missing extra|Too many|truncated|Unexpected)' >&2; then
    t_not_ok "netback has no complaint" "see above"
else
    t_ok "netback has no complaint"
fi
t_done
