#!/bin/bash
# SPDX-License-Identifier: ISC
# The guest platform: memory, time, entropy, xenstore, grants, parameters and the ends of a guest; PV and PVH.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/tests/xen/selftest.xen"

# name, type, memory, command line, pattern on the console, end
expect() {
    local out
    out=$(lab_guest "$2" "$3" selftest.xen "$4")
    if printf '%s\n' "$out" | grep -qE -e "$5" && printf '%s\n' "$out" | grep -qx "ended: $6"; then
        t_ok "$2: $1"
    else
        t_not_ok "$2: $1" "expected '$5' and '$6', got: $(printf '%s' "$out" | tr '\r\n' '  ')"
    fi
}

for type in pv pvh; do
    expect "its name" $type 16 "" "test +Xen [0-9]+\.[0-9]+ ${type^^}" shutdown
    # Beside what it has for pages and the rest, an image needs less than half a MiB.
    for memory in 4 16 256; do
        out=$(lab_guest $type $memory selftest.xen --do=memory)
        read -r pages other dirty < <(printf '%s\n' "$out" |
            sed -nE 's/.*memory [0-9]+ pages ([0-9]+) other ([0-9]+) dirty ([0-9]+).*/\1 \2 \3/p' | tr -d '\r')
        used=$((memory * 1048576 - ${pages:-0} - ${other:-0}))
        if [ $used -lt $((524288 + memory * 8192)) ] && [ "${dirty:-1}" = 0 ]; then
            t_ok "$type: all of $memory MiB but $used bytes, and zero"
        else
            t_not_ok "$type: all of $memory MiB" "$used bytes missing, ${dirty:-?} words not zero: $out"
        fi
    done
    expect "time goes forward, sleep ends in time" $type 16 --do=clock "backwards 0 early 0 late [0-9]+ slept 3[01][0-9]{4} us" shutdown
    expect "a transaction is all or nothing" $type 16 --do=xenstore "xenstore transactions 1" shutdown
    expect "a watch tells of a change" $type 16 --do=xenstore "xenstore watches 1" shutdown
    expect "a crossed transaction starts over" $type 16 --do=crossing "crossing 1" shutdown
    expect "every grant is taken and given back" $type 16 --do=grants "grants 2040 closed 2040 open 0" shutdown
    expect "an exit says why" $type 16 --do=fail "selftest: ends with a reason" shutdown
    expect "an application may use musl's snprintf" $type 16 --do=libc-format \
        "libc 29 3\.141593 musl 00abcdef 42   \|" shutdown
    expect "an unknown parameter names the valid ones" $type 16 --nonsense=1 \
        "no such parameter; valid are --do .*--seed" shutdown
    expect "--help lists the parameters" $type 16 --help "--offload=on" shutdown
    first=$(lab_guest $type 16 selftest.xen --do=entropy | grep 'entropy [0-9a-f]')
    second=$(lab_guest $type 16 selftest.xen --do=entropy | grep 'entropy [0-9a-f]')
    if [ -n "$first" ] && [ "${first##* }" != "${second##* }" ]; then
        t_ok "$type: two boots have different entropy"
    else
        t_not_ok "$type: two boots have different entropy" "$first, $second"
    fi
    for wish in shutdown reboot; do
        out=$(lab/xen run tests/xen/dom0/end $type selftest.xen --do=wait $wish)
        case $out in
            *"told to end"*"$wish-reason"*) t_ok "$type: xl $wish ends it in order" ;;
            *) t_not_ok "$type: xl $wish ends it in order" "$(printf '%s' "$out" | tr '\r\n' '  ')" ;;
        esac
    done
done

# Without an instruction for random numbers an image must not start; Xen can hide it from a guest of either kind. That
# it starts without this line of the configuration is shown above.
for type in pv pvh; do
    out=$(lab_guest $type 16 selftest.xen --do=entropy 'cpuid="host,rdrand=0,rdseed=0"' | tr -d '\r')
    if [ "$(printf '%s\n' "$out" | grep -c 'no entropy: this processor gives the guest neither RDSEED nor RDRAND')" = 1 ] &&
        ! printf '%s\n' "$out" | grep -q 'entropy [0-9a-f]\{8\}' && printf '%s\n' "$out" | grep -qx 'ended: shutdown'; then
        t_ok "$type: no entropy, one line and no start"
    else
        t_not_ok "$type: no entropy, one line and no start" "$(printf '%s' "$out" | tr '\n' ' ')"
    fi
done

t_done
