#!/bin/bash
# SPDX-License-Identifier: ISC
# bench/xen-figures measures what docs/xen.md has figures of; here once and briefly, which says nothing about the figures.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/apps/iperf.xen"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# A transfer outlasts a machine that stands still for two seconds.
timeout 1000 bench/xen-figures --quick --seconds=3 --json > "$out"
status=$?
if [ $status = 0 ] && python3 -m json.tool "$out" > /dev/null; then
    t_ok "each figure of a guest beside Linux in one boot"
else
    t_not_ok "each figure of a guest beside Linux in one boot" "status $status: $(tr '\n' ' ' < "$out")"
fi

value='[0-9.]*[1-9][0-9.]*' # none is 0
values="$value(, $value)*"
for row in "to guest, GSO" "from guest, GSO" "CPU, to guest, GSO" "CPU, from guest, GSO" "ping once a second" "ping -f" \
    "first instruction to SYN answered" "xl create to SYN answered"; do
    line=$(grep -F "{\"row\": \"$row\"" "$out")
    if grep -qE "\"wisp\": \[$values\], \"linux\": \[$values\], \"ratio\": [0-9.]+\}" <<< "$line"; then
        t_ok "$row"
    else
        t_not_ok "$row" "$line"
    fi
done

# Not a matter of load: an image has no kernel to start. The image's shortest boot, as other work only adds to it.
shortest() {
    sed -n 's/.*"first instruction to SYN answered".*"'"$1"'": \[\([^]]*\)\].*/\1/p' "$out" | tr -d ' ' | tr , '\n' | sort -n | head -n 1
}
ratio=$(awk -v wisp="$(shortest wisp)" -v linux="$(shortest linux)" 'BEGIN { print (wisp > 0 ? int(linux / wisp) : 0) }')
if [ "${ratio:-0}" -ge 5 ]; then
    t_ok "an image answers its first SYN $ratio times sooner than Linux"
else
    t_not_ok "an image answers its first SYN at least five times sooner than Linux" "${ratio:-?}"
fi

# Both guests are gone, and so is what dom0 was told of them.
t_check "no neighbour is left fixed in dom0" [ -z "$(lab/xen run -- ip neigh show nud permanent to 10.0.0.5 dev xenbr0)" ]
if [ "$(lab/xen run -- xl list | grep -cE '^(linux|wisp|boot) ')" = 0 ]; then
    t_ok "nothing is left running"
else
    t_not_ok "nothing is left running" "$(lab/xen run -- xl list | tr '\n' ' ')"
fi
t_check "its kernel fills no room in dom0" lab/xen run -- test ! -e /tmp/figures-vmlinux

bench/xen-figures --only=nonsense > "$out" 2>&1
if [ $? = 2 ] && grep -q "bulk,ping,boot" "$out"; then
    t_ok "a wrong option names the valid ones"
else
    t_not_ok "a wrong option names the valid ones" "$(cat "$out")"
fi
t_done
