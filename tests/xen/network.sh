#!/bin/bash
# SPDX-License-Identifier: ISC
# A guest's device on Linux's netback: every kind of offer, frames of all sizes, bad set-ups.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/apps/ping.xen" "$WISP_BUILD/apps/echo-udp.xen"
vif='vif=["bridge=xenbr0"]'
own=--ipv4=10.0.0.2/24
lab/xen run -- dmesg -c > /dev/null
lab/xen run -- xl dmesg -c > /dev/null

flat() {
    printf '%s' "$1" | tr '\r\n' '  '
}

for type in pv pvh; do
    for offers in "" "--offload=csum" "--offload=sg" "--offload=off" "--split-events=off"; do
        out=$(lab_guest $type 16 ping.xen "$own --count=3 --interval=20 --timeout=20000 --size=1472 $offers 10.0.0.1" "$vif")
        case $out in
            *"3 sent, 3 received"*) t_ok "$type: asks dom0 ${offers:-with all offers}" ;;
            *) t_not_ok "$type: asks dom0 ${offers:-with all offers}" "$(flat "$out")" ;;
        esac
    done
    out=$(timeout 200 lab/xen run tests/xen/dom0/answers $type)
    for what in ping-sizes ping-flood udp-echo; do
        case $out in
            *"$what good"*) t_ok "$type: answers dom0: $what" ;;
            *) t_not_ok "$type: answers dom0: $what" "$(flat "$out")" ;;
        esac
    done
done

# Where the address comes from: xenbr1 has a DHCP server, the vif may have an ip=, and the command line wins. (--ipv4=dhcp over an ip=:
# tests/test_net_source.c.)
told() { # type, name, pattern on the console, vif's ip=, command line
    local out
    out=$(lab_guest "$1" 16 ping.xen "--log=*:debug --count=1 --interval=20 --timeout=20000 $5 10.1.0.1" "vif=[\"bridge=xenbr1${4:+,ip=$4}\"]")
    if printf '%s\n' "$out" | grep -qE -e "$3" && [[ $out == *"1 sent, 1 received"* ]]; then
        t_ok "$1: $2"
    else
        t_not_ok "$1: $2" "expected '$3' and an answer, got: $(flat "$out")"
    fi
}
ip="10.1.0.200 255.255.255.0 10.1.0.1"
told pv "no address anywhere: one by DHCP" 'net +10\.1\.0\.[1-9][0-9]?/24 server=10\.1\.0\.1 .*\(DHCP\)' "" ""
told pvh "the vif has an ip=: that, without DHCP" 'net +10\.1\.0\.200/24 \(xenstore\), gateway 10\.1\.0\.1' "$ip" ""
told pv "the command line before the vif's ip=" 'net +10\.1\.0\.201/24 \(command line\), gateway none' "$ip" --ipv4=10.1.0.201/24

# Set-ups that cannot work: one line says why, and the guest powers off.
bad() { # name, pattern, arguments of lab_guest...
    local name=$1 pattern=$2 out
    shift 2
    out=$(lab_guest "$@")
    if printf '%s\n' "$out" | grep -qE -e "$pattern" && printf '%s\n' "$out" | grep -qx 'ended: shutdown'; then
        t_ok "bad set-up: $name"
    else
        t_not_ok "bad set-up: $name" "expected '$pattern', got: $(flat "$out")"
    fi
}
bad "no vif" "^ping: no device/vif/0/backend in xenstore: .* has no vif=" pv 16 ping.xen "$own 10.0.0.1"
bad "a backend that never connects" "^ping: device/vif/0: .*backend" \
    -w /local/domain/0/backend/vif/%i/0/state=1 pv 16 ping.xen "$own 10.0.0.1" "$vif"
bad "a malformed hardware address" "^ping: device/vif/0: .*mac" \
    -w /local/domain/%i/device/vif/0/mac=nonsense -w /local/domain/0/backend/vif/%i/0/mac=nonsense pv 16 ping.xen "$own 10.0.0.1" "$vif"
bad "a malformed backend-id" "^ping: device/vif/0: .*backend-id" \
    -w /local/domain/%i/device/vif/0/backend-id=99999999999 pv 16 ping.xen "$own 10.0.0.1" "$vif"
bad "a wrong parameter" "--offload is on, csum, sg or off" pv 16 ping.xen "$own --offload=maybe 10.0.0.1" "$vif"

# What netback and Xen said meanwhile.
if lab/xen run -- dmesg | grep -E 'vif.*(fatal|[Ee]rror|Cross page|Missing extra|Too many|truncated|Unexpected)' >&2; then
    t_not_ok "netback has no complaint" "see above"
else
    t_ok "netback has no complaint"
fi

t_done
