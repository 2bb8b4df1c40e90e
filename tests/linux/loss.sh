#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Frames lost between slides and Linux's curl: what is lost is sent again because Linux's acknowledgements show it, not
# because a timer ran out.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/linux/netns.sh
needs ip curl python3 ninja
build=$release

ninja -C "$build" tests/linux/slides-sizes > "$scratch/ninja" 2>&1 || {
    tail -20 "$scratch/ninja" >&2
    t_not_ok "the server with the tests' files builds"
    t_done
}
file=$build/tests/linux/files/10000019.bin

# Linux answers for an address where it is, so that it is reached over the path and not at the application's tap.
echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
app_start "$build/tests/linux/slides-sizes" --tap-host=10.9.9.1/24 --offload=off
tests/linux/lossy-path wisp0 linux0 10.0.0.1/24 100 > "$scratch/path" &
path=$!
until_ok grep -q ready "$scratch/path"
# A busy machine delays acknowledgements beyond the timer's patience, and while the path is stopped frames are lost of
# which it does not know: of up to eight transfers the best one tells.
whole=yes best='' note=''
for _ in 1 2 3 4 5 6 7 8; do
    fast=$(counter tcp.fast_retransmits) late=$(counter tcp.timeouts)
    curl -fsS --max-time 100 http://10.0.0.2/10000019.bin | cmp - "$file" || whole=no
    fast=$(($(counter tcp.fast_retransmits) - fast)) late=$(($(counter tcp.timeouts) - late))
    note="$note; $fast by duplicates, $late by the timer"
    [ $fast -lt 40 ] || [ $late -gt 1 ] || best="$fast by duplicates, $late by the timer"
    [ -z "$best" ] || break
done
t_check "10 MB come whole though each hundredth frame is lost" [ $whole = yes ]
if [ -n "$best" ]; then
    t_ok "losses are found: $best"
else
    t_not_ok "losses are found by duplicates and not by the timer" "${note#; }"
fi
app_stop "the application ends in order"
kill $path 2> /dev/null
wait $path 2> /dev/null
t_done
