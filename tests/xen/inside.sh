#!/bin/bash
# SPDX-License-Identifier: ISC
# User-space xen-netfront inside a Linux guest, on a vif that the guest's kernel gave up; one it has not is left alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

program=$WISP_BUILD/apps/echo
[ -x "$program" ] || t_skip_all "no $program"
ldd "$program" | grep -q libxengnttab || t_skip_all "$program is built without libxen"
lab_open "$program"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ldd "$program" | awk '$3 ~ /^\// { print $3 }' | xargs cp -Lt "$scratch" "$program"
tar -C "$scratch" -cf "$scratch/inside.tar" --exclude=inside.tar .
lab/xen put "$scratch/inside.tar" /tmp/ >&2
lab/xen run -- xl destroy inside 2> /dev/null
t_check "a Linux guest with two vifs" lab/xen linux-guest inside pv 10.0.0.37/24 \
    'vif=["bridge=xenbr0", "bridge=xenbr1,mac=00:16:3e:77:00:02"]'
lab_results "the guest is gone" timeout 900 lab/xen run tests/xen/dom0/inside
t_done
