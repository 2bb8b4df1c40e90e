#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Every capture at hand, injected: frames in whole pages and in slots of 64 bytes, under both grant policies. The stack
# stays whole (exit 0, or 77 where nothing applies), and two runs give the same report and the same frames: the second
# by the release build, which starts in a tenth of the time, and which optimizes what the other one watches.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
tool=${WISP_BUILD_SAN:-build}/pcap-replay/pcap-replay
again=${WISP_BUILD:-build}/pcap-replay/pcap-replay
traces=${WISP_TRACES:-../shared/traces}
[ -x "$tool" ] && [ -x "$again" ] || t_skip_all "pcap-replay is not built"
[ -d "$traces" ] || t_skip_all "no captures in $traces (WISP_TRACES names them)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Starting the sanitized tool is most of each run's time, so two at once.
inject() { # number, tool, capture, options
    local n=$BASHPID.$1 with=$2 capture=$3
    shift 3
    timeout 120 "$with" --mode=inject --format=json --stats --write="$scratch/$n.pcap" "$@" "$capture" \
        > "$scratch/$n.json" 2> "$scratch/$n.err"
}

# Prints what is wrong with a capture: nothing, its exit status, or that two runs differ.
judge() { # capture, options
    local capture=$1 status
    # shellcheck disable=SC2086
    inject 1 "$tool" "$capture" $2
    status=$?
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        echo "${capture#"$traces/"}:$status"
    else
        # shellcheck disable=SC2086
        inject 2 "$again" "$capture" $2
        cmp -s "$scratch/$BASHPID.1.json" "$scratch/$BASHPID.2.json" &&
            cmp -s "$scratch/$BASHPID.1.pcap" "$scratch/$BASHPID.2.pcap" || echo "${capture#"$traces/"}:differs"
    fi
    rm -f "$scratch/$BASHPID".*
}
export -f inject judge
export tool again traces scratch

find "$traces" -name '*.pcap*' | sort > "$scratch/captures"
count=$(wc -l < "$scratch/captures")
for options in "--split=0" "--split=64" "--split=1 --persistent --queues=2"; do
    bad=$(xargs -P 2 -d '\n' -I '{}' bash -c 'judge "$@"' judge '{}' "$options" < "$scratch/captures" 2>&1)
    if [ -z "$bad" ] && [ "$count" -gt 0 ]; then
        t_ok "the stack stays whole over every capture, $options"
    else
        t_not_ok "the stack stays whole over every capture, $options" "of $count: $bad"
    fi
done
t_done
