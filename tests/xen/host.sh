#!/bin/bash
# SPDX-License-Identifier: ISC
# docs/xen.md, word for word: its commands from the build to xl create are run in the lab's dom0.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD"/apps/slides.xen
{
    echo "set -e; cd /tmp/clone"
    sed -n '/^```sh$/,/^```$/p' docs/xen.md | grep -v '^```'
} > "${scratch:=$(mktemp -d)}/commands"
trap 'rm -rf "$scratch"' EXIT
lab/xen run -- mkdir -p /tmp/clone/build/apps
lab/xen put "$WISP_BUILD"/apps/slides.xen "$WISP_BUILD"/apps/slides.pvh.xl /tmp/clone/build/apps/ >&2
t_check "docs/xen.md has commands" grep -q '^xl create' "$scratch/commands"
out=$(timeout 200 lab/xen run -i -- bash < "$scratch/commands" 2>&1)
status=$?
echo "$out" >&2
case $status$out in
    0*'"platform": "Xen 4.'*PVH*) t_ok "they end with a page served by a PVH guest, and its shutdown" ;;
    *) t_not_ok "they end with a page served by a PVH guest, and its shutdown" "status $status, $(printf '%s' "$out" | tr '\r\n' '  ')" ;;
esac
gone() {
    for _ in $(seq 300); do
        lab/xen run -- xl list slides > /dev/null 2>&1 || return 0
        sleep 0.1
    done
    return 1
}
t_check "nothing of it is left running" gone
t_done
