#!/bin/bash
# SPDX-License-Identifier: ISC
# A sealed image: what it must not be able to do ends in the panic; as PV and as PVH guest.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

image=$WISP_BUILD/tests/xen/selftest.xen
lab_open "$image"

# The address of a symbol of the image.
symbol() {
    echo $((16#$(nm "$image.debug" | awk -v name="$1" '$3 == name { print $1 }')))
}

# type, what to do, what the console must say, how the guest must end
expect() {
    local out
    out=$(lab_guest "$1" 16 selftest.xen "--do=$2")
    if printf '%s\n' "$out" | grep -q "$3" && printf '%s\n' "$out" | grep -qx "ended: $4"; then
        t_ok "$1: $2"
    else
        t_not_ok "$1: $2" "expected '$3' and '$4', got: $(printf '%s' "$out" | tr '\r\n' '  ')"
    fi
}

for type in pv pvh; do
    # The walk: nothing is both writable and executable; what is executable is .text and the hypercall page.
    text=$((($(symbol wisp_text_end) - $(symbol wisp_text_start)) / 4096))
    expect $type report "sealed 1 executable $((text + 1)) " shutdown
    expect $type write-text "panic: write to code" crash
    expect $type jump-to-data "panic: jump to data" crash
    expect $type write-constant "panic: write to read-only memory" crash
    expect $type write-table "panic: write to read-only memory" crash
    expect $type write-calls "panic: write to read-only memory" crash
    expect $type write-sealed "panic: write to read-only memory" crash
    expect $type write-null "panic: null pointer, address 0x8" crash
    expect $type forbidden-call "panic: invalid instruction" crash
    expect $type fail-assertion "panic: an assertion of a library" crash
done

expect pvh overrun-stack "panic: the stack is used up" crash

# On PV Xen cannot push the fault's frame onto the stack that is used up: its own report names the guard.
lab/xen run -- xl dmesg -c > /dev/null
lab_guest pv 16 selftest.xen --do=overrun-stack > /dev/null
guard=$(symbol wisp_stack_guard)
bottom=$(symbol wisp_stack_bottom)
walk=$(lab/xen run -- xl dmesg | sed -n 's/.*Pagetable walk from \([0-9a-f]*\).*/\1/p' | tail -1)
fault=$((16#${walk:-0}))
if [ $fault -ge "$guard" ] && [ $fault -lt "$bottom" ]; then
    t_ok "pv: overrun-stack, in Xen's crash report"
else
    t_not_ok "pv: overrun-stack, in Xen's crash report" "fault at $fault, guard $guard to $bottom"
fi

# A panic says where: the backtrace leads from the write to the application's main.
out=$(lab_guest pv 16 selftest.xen --do=write-null)
trace=$(printf '%s\n' "$out" | sed -n 's/.*backtrace //p' | tr -d '\r')
# shellcheck disable=SC2086 # a list of addresses
names=$(addr2line -f -e "$image.debug" $trace | sed -n 'p;n' | tr '\n' ' ')
case $names in
    *wisp_start*) t_ok "a panic's backtrace reaches the start" ;;
    *) t_not_ok "a panic's backtrace reaches the start" "$names" ;;
esac

t_done
