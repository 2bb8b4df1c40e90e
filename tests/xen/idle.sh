#!/bin/bash
# SPDX-License-Identifier: ISC
# A guest that is idle and has its device's one event channel hears from xenstore, each time: xl shutdown ends it, and it
# follows its backend. (With two channels more than one port is waited for, and Xen wakes the guest for any.)
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/apps/echo.xen"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
timeout 600 lab/xen run tests/xen/dom0/idle pv 10.0.0.33 > "$scratch/pv" 2>&1 &
timeout 600 lab/xen run tests/xen/dom0/idle pvh 10.0.0.34 > "$scratch/pvh" 2>&1
wait
for type in pv pvh; do
    for what in one-channel first-event second-event backend-restart device-detach shutdown; do
        if grep -qx "$what good" "$scratch/$type"; then
            t_ok "$type, idle: $what"
        else
            t_not_ok "$type, idle: $what" "$(tr '\r\n' '  ' < "$scratch/$type")"
        fi
    done
done
t_done
