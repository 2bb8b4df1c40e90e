#!/bin/bash
# SPDX-License-Identifier: ISC
# How long a command line may be: 1022 bytes reach the image to the last; of a longer one it takes nothing and says so.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/xen/lab.sh

lab_open "$WISP_BUILD/tests/xen/selftest.xen"

# type, bytes of the command line, pattern on the console, how many lines it prints
expect() {
    local end=" --do=libc-format" out lines
    out=$(lab_guest "$1" 16 selftest.xen "--seed=$(printf '%0*d' $(($2 - 7 - ${#end})) 0)$end" | tr -d '\r')
    lines=$(grep -cvE '^(ended: .*)?$' <<< "$out")
    if grep -qE -e "$3" <<< "$out" && grep -qx 'ended: shutdown' <<< "$out" && [ "$lines" = "${4:-$lines}" ]; then
        t_ok "$1: a command line of $2 bytes"
    else
        t_not_ok "$1: a command line of $2 bytes" "expected '$3', got: $(tr '\n' ' ' <<< "$out")"
    fi
}

for type in pv pvh; do
    expect $type 1022 'libc 29'
    for length in 1023 1024 1500; do
        expect $type $length '^selftest: cmdline= is longer than 1022 bytes$' 1
    done
done
t_done
