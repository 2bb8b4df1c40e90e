#!/bin/bash
# SPDX-License-Identifier: ISC
# xl reboot of a guest made from the generated files: it comes back, with another number.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/apps/slides.xen"
lab/xen put "$WISP_BUILD"/apps/slides.{xen,xl,pvh.xl} /root/wisp/ >&2
for file in slides.xl slides.pvh.xl; do
    out=$(timeout 400 lab/xen run tests/xen/dom0/reboot $file 10.0.0.36 2>&1)
    case $out in
        *"reboot good"*) t_ok "$file: the guest is back after xl reboot" ;;
        *) t_not_ok "$file: the guest is back after xl reboot" "$(printf '%s' "$out" | tr '\r\n' '  ')" ;;
    esac
done
t_done
